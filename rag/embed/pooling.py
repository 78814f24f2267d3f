"""Late pooling: from the token vectors of a section to one vector a sentence.

The model runs once over a section, and the token vectors of a span (a sentence with its
neighbours) are averaged into the span's vector, so a sentence knows its context and a
section costs one run. Only a model that pools by the plain mean of its token vectors can
be pooled late; any other embeds each span's own text.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError
from rag.types import TokenVectors, Vectors

T = TypeVar("T")

NEIGHBOUR_WEIGHT = 0.15
"""Weight of the neighbouring sentences' tokens in a sentence's vector, beside 1 for its own.

Late-pooled token vectors know their context already. Chosen on the public data: with 1.0
the recall of excerpts is the same and fewer right SQuAD paragraphs come first, and the best
single sentence is found from the same vector. To see it: tests/benchmarks/quality.py DATA
--constant rag.embed.pooling.NEIGHBOUR_WEIGHT=1.0
"""

_WINDOW_CHARS = 1_500
"""About what 256 tokens hold; more would cut the sentence in question off."""


class PoolingEmbedder(ABC):
    """What every embedder shares: sections pooled late where the model allows it, else window by window."""

    name: str
    dimensions: int
    max_tokens: int
    """Most tokens of a text that the model reads, without special tokens."""
    pools_late: bool
    document_prompt: str
    """Stands before every text but a question, and has no part in what is pooled."""
    tokenizer: Any
    """Of the library ``tokenizers``, without padding or truncation; None where there is none."""

    @abstractmethod
    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Each text as a whole, cut at the model's window; shape ``(n, d)``."""

    @abstractmethod
    def _each(self, texts: Sequence[str], use: Callable[[int, Any, NDArray[np.float32]], T]) -> list[T]:
        """``use(i, encoding, vectors)`` for each text, in the order of the texts.

        ``vectors`` has a row for each token of ``encoding``, special ones included. May be
        called from several threads at once. Not called where ``pools_late`` is false.
        """

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without special tokens and without a limit."""
        encoded = self._plain_tokenizer().encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(e.ids) for e in encoded]

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Character span of each token in ``text``, without special tokens."""
        offsets: list[tuple[int, int]] = (
            self._plain_tokenizer().encode(text, add_special_tokens=False).offsets
        )
        return offsets

    def embed_sections(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> list[Vectors]:
        """Late pooling: for the section ``texts[i]``, one unit row for each sentence of ``spans[i]``.

        Spans are character offsets into their section, in order. A sentence that lies
        beyond the model's window is embedded by the text of its own window.
        """
        if self.pools_late:
            shift = len(self.document_prompt)
            moved = [[(start + shift, end + shift) for start, end in s] for s in spans] if shift else spans
            pooled = self._each(
                self._prompted(texts), lambda i, encoding, vectors: pool(vectors, encoding, moved[i])
            )
            results = [rows for rows, _ in pooled]
            missing = [(i, j) for i, (_, empty) in enumerate(pooled) for j in empty]
        else:
            results = [np.zeros((len(s), self.dimensions), np.float32) for s in spans]
            missing = [(i, j) for i, s in enumerate(spans) for j in range(len(s))]
        if missing:
            own = self.embed_texts([window_text(texts[i], spans[i], j) for i, j in missing])
            for (i, j), vector in zip(missing, own, strict=True):
                results[i][j] = vector
        return results

    def token_vectors(self, texts: Sequence[str]) -> list[TokenVectors] | None:
        """Each text's tokens and their unit vectors; None where the model does not pool them by mean."""
        if not self.pools_late:
            return None

        shift = len(self.document_prompt)

        def keep(_: int, encoding: Any, vectors: NDArray[np.float32]) -> TokenVectors:
            kept, offsets = real_tokens(encoding)
            kept = kept[offsets[kept, 0] >= shift]
            return TokenVectors(offsets[kept] - shift, unit(vectors[kept]))

        return self._each(self._prompted(texts), keep)

    def _prompted(self, texts: Sequence[str]) -> Sequence[str]:
        return [self.document_prompt + text for text in texts] if self.document_prompt else texts

    def _plain_tokenizer(self) -> Any:
        if self.tokenizer is None:
            raise ModelError(f"The model “{self.name}” has no tokenizer that gives offsets.")
        return self.tokenizer


def pool(
    vectors: NDArray[np.float32], encoding: Any, spans: Sequence[tuple[int, int]]
) -> tuple[Vectors, list[int]]:
    """The sentences' vectors from the token vectors, and the sentences that have none.

    A sentence's vector is the sum of its token vectors and ``NEIGHBOUR_WEIGHT`` times
    those of the sentences beside it.
    """
    kept, offsets = real_tokens(encoding)
    starts, ends = offsets[kept, 0], offsets[kept, 1]
    sums = np.vstack([np.zeros((1, vectors.shape[1])), np.cumsum(vectors[kept], axis=0, dtype=np.float64)])
    own = np.zeros((len(spans), vectors.shape[1]))
    empty: list[int] = []
    for row, (start, end) in enumerate(spans):
        first = int(np.searchsorted(ends, start, side="right"))
        last = int(np.searchsorted(starts, end, side="left"))
        own[row] = sums[last] - sums[first] if last > first else 0
        # A sentence that runs past the window would be judged by its beginning alone.
        if last <= first or ends[-1] < start + (end - start) // 2:
            empty.append(row)
    pooled = own.copy()
    pooled[1:] += NEIGHBOUR_WEIGHT * own[:-1]
    pooled[:-1] += NEIGHBOUR_WEIGHT * own[1:]
    return unit(pooled.astype(np.float32)), empty


def real_tokens(encoding: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which tokens stand in the text, and the character span of every token."""
    real = np.array(encoding.special_tokens_mask) == 0
    offsets = np.array(encoding.offsets, np.int64).reshape(-1, 2)
    return np.flatnonzero(real & (offsets[:, 1] > offsets[:, 0])), offsets


def window_text(text: str, spans: Sequence[tuple[int, int]], j: int) -> str:
    """The sentence with its neighbours, or alone where the three would not be one window."""
    start, end = spans[max(0, j - 1)][0], spans[min(len(spans) - 1, j + 1)][1]
    return text[start:end] if end - start <= _WINDOW_CHARS else text[slice(*spans[j])]


def unit(vectors: NDArray[np.float32]) -> Vectors:
    """Rows of unit length; a row of zeros stays one."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), np.float32)
