"""Any sentence-transformers model, on PyTorch."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rag.config import DEFAULT_MODEL
from rag.embed.pooling import PoolingEmbedder, unit
from rag.embed.weights import bundled_weights
from rag.errors import ModelError
from rag.types import Vectors

T = TypeVar("T")

# Padding makes a batch as slow as its longest text; texts are sorted by length, so a
# batch of 32 wastes little, and larger ones gained nothing on two cores.
_BATCH = 32


class SentenceTransformerEmbedder(PoolingEmbedder):
    """A sentence-transformers model on PyTorch, safe to share between threads.

    ``name`` is a name of the hub or a folder. The default model comes from the
    installed package, checked against the hash of the original weights. Raises
    :class:`ModelError` when it cannot be loaded.
    """

    def __init__(
        self, name: str = DEFAULT_MODEL, *, query_prompt: str = "", document_prompt: str = ""
    ) -> None:
        """The prompts stand before every question and every text; where one is empty, that of
        the model's own configuration does, if it has one."""
        self.name = name
        self.backend = "PyTorch"
        self._lock = threading.Lock()
        location = bundled_weights() if name == DEFAULT_MODEL else name
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
        self.tokenizer: Any = _plain_tokenizer(model)
        self.max_tokens = max(16, int(model.max_seq_length or 512) - 2)  # [CLS] and [SEP]
        self.dimensions = int(model.get_embedding_dimension())
        self._query_prompt = query_prompt or _own_prompt(model, "query")
        self.document_prompt = document_prompt or _own_prompt(model, "document", "passage", "corpus")
        self.pools_late = self.tokenizer is not None and _pools_by_mean(model)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without special tokens and without a limit."""
        if self.tokenizer is None:
            return [len(self._model.tokenizer.tokenize(text)) for text in texts]
        encoded = self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(e.ids) for e in encoded]

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """One question, shape ``(d,)``. Always embedded by itself, so that its vector
        does not depend on what else is asked at the time."""
        with self._lock:
            threads = self._torch.get_num_threads()
            # So short a text gains nothing from a second thread, and on a busy machine the
            # threads wait for each other: a second instead of milliseconds.
            self._torch.set_num_threads(1)
            try:
                row: NDArray[np.float32] = self._encode([text], self._query_prompt)[0]
            finally:
                self._torch.set_num_threads(threads)
        return row

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Each text as a whole, cut at the model's window; shape ``(n, d)``."""
        if not texts:
            return np.zeros((0, self.dimensions), np.float32)
        with self._lock:
            return self._encode(texts, self.document_prompt)

    def _encode(self, texts: Sequence[str], prompt: str) -> Vectors:
        # An empty prompt is given as well: it keeps out the one that a model has by default.
        vectors = self._model.encode(
            list(texts), prompt=prompt, batch_size=_BATCH, convert_to_numpy=True, show_progress_bar=False
        )
        return unit(np.asarray(vectors, np.float32))

    def _each(self, texts: Sequence[str], use: Callable[[int, Any, NDArray[np.float32]], T]) -> list[T]:
        found: dict[int, T] = {}
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for at in range(0, len(order), _BATCH):
            batch = order[at : at + _BATCH]
            encodings, vectors = self._run([texts[i] for i in batch])
            for row, i in enumerate(batch):
                found[i] = use(i, encodings[row], vectors[row, : len(encodings[row].ids)])
        return [found[i] for i in range(len(texts))]

    def _run(self, texts: Sequence[str]) -> tuple[list[Any], NDArray[np.float32]]:
        """Encodings and token vectors of a batch; vectors ``(n, tokens, d)``, padded."""
        torch = self._torch
        limit = self.max_tokens + 2
        # The wordpiece models end in one special token each side; cutting the ids by
        # hand keeps the shared tokenizer free of a truncation state.
        encodings = self.tokenizer.encode_batch(list(texts), add_special_tokens=True)
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


def _own_prompt(model: Any, *names: str) -> str:
    """The prompt that the model's configuration gives for one of these uses, or its default one."""
    prompts: dict[str, str] = getattr(model, "prompts", None) or {}
    named = [prompts[name] for name in names if prompts.get(name)]
    return named[0] if named else prompts.get(getattr(model, "default_prompt_name", None) or "", "")
