"""The default model on ONNX Runtime, as an :class:`rag.types.Embedder`."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rag.config import DEFAULT_MODEL
from rag.embed.cache import prepared
from rag.embed.pooling import PoolingEmbedder
from rag.embed.weights import DEFAULT_DIMENSIONS, DEFAULT_TOKENS
from rag.types import Vectors

T = TypeVar("T")

_SPACES = re.compile(r"[ \t\r\n]+")
_WORDS = 50_000
"""Words whose tokens are remembered: about 5 MB."""


class OnnxEmbedder(PoolingEmbedder):
    """all-MiniLM-L6-v2 without PyTorch, safe to share between threads.

    ``models`` is where its files are kept; they are made on the first use. Raises
    :class:`rag.errors.ModelError` where they cannot be.
    """

    def __init__(self, models: Path) -> None:
        self.name = DEFAULT_MODEL
        self.dimensions = DEFAULT_DIMENSIONS
        self.max_tokens = DEFAULT_TOKENS - 2
        self.pools_late = True
        self.document_prompt = ""
        found = prepared(models)
        self._session = found.session
        self.tokenizer = found.session.tokenizer
        self.backend = f"ONNX Runtime, {found.kind} (cosine with fp32 at least {found.cosine:.3f})"
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without special tokens and without a limit.

        This tokenizer never looks past a space, so words are counted once and remembered: a
        fifth of the time of tokenizing every text.
        """
        words = [[word for word in _SPACES.split(text) if word] for text in texts]
        known = self._counts
        fresh = list({word for some in words for word in some if word not in known})
        if fresh:
            counted = dict(zip(fresh, super().count_tokens(fresh), strict=True))
            if len(known) + len(fresh) > _WORDS:
                self._counts = {}  # another thread may be reading the old one
            self._counts.update(counted)
            known = {**known, **counted} if self._counts is not known else known
        return [sum(known[word] for word in some) for some in words]

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """One question: shape ``(d,)``, unit length. It waits for no ingest that is running."""
        return self._session.mean(text)

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Each text as a whole, cut at the model's window; shape ``(n, d)``."""
        if not texts:
            return np.zeros((0, self.dimensions), np.float32)
        return np.stack(self._side_by_side(texts, lambda i: self._session.mean(texts[i])))

    def _each(self, texts: Sequence[str], use: Callable[[int, Any, NDArray[np.float32]], T]) -> list[T]:
        def one(i: int) -> T:
            encoding = self.tokenizer.encode(texts[i])
            if len(encoding.ids) > DEFAULT_TOKENS:
                encoding.truncate(DEFAULT_TOKENS)
            return use(i, encoding, self._session.run(encoding.ids))

        return self._side_by_side(texts, one)

    def _side_by_side(self, texts: Sequence[str], work: Callable[[int], T]) -> list[T]:
        """``work(i)`` for each text, one a core, the longest first so that none is waited for at the end."""
        if len(texts) < 2:
            return [work(i) for i in range(len(texts))]
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(cores(), thread_name_prefix="embed")
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        found = dict(zip(order, self._pool.map(work, order), strict=True))
        return [found[i] for i in range(len(texts))]


def cores() -> int:
    """Physical cores that this process may use: two threads of one share the unit that multiplies."""
    try:
        mine = os.sched_getaffinity(0)
        topology = Path("/sys/devices/system/cpu")
        siblings = {
            (topology / f"cpu{n}" / "topology" / "thread_siblings_list").read_text(encoding="ascii")
            for n in mine
        }
        return len(siblings) or 1
    except (AttributeError, OSError):  # not Linux, or a container that hides it
        return os.cpu_count() or 1
