"""Cross-encoders: a model reads question and passage together and gives one score."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from rag.errors import RerankError
from rag.rerank.scores import finite, reordered, sentence_text, shown, z
from rag.types import Passage, Scorer

DEFAULT_CROSS_MODEL = "cross-encoder/ms-marco-MiniLM-L6-v2"

_BATCH = 16
_TOP = 5
"""Passages whose sentences are scored as well, each by itself: an answer quotes no others."""


class CrossEncoderReranker:
    """A sentence-transformers ``CrossEncoder``, by the hub's name or a folder; safe to share.

    ``download`` says whether the model hub may be asked, which takes its time to say that it
    cannot be reached. Raises :class:`RerankError` where the model cannot be loaded.
    """

    scorer: Scorer = "cross"

    def __init__(self, name: str = "", *, download: bool = True) -> None:
        self.name = name or DEFAULT_CROSS_MODEL
        self._lock = threading.Lock()
        try:
            import torch
            from sentence_transformers import CrossEncoder
            from transformers.utils import logging as transformers_logging

            transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
            self._model: Any = CrossEncoder(self.name, local_files_only=not download)
            self._as_it_is: Any = torch.nn.Identity()
        except Exception as error:  # the loaders raise anything, from OSError to KeyError
            first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            raise RerankError(
                f"The cross-encoder “{self.name}” could not be loaded ({first}). Set rerank.model to a "
                "folder that holds one, or let this machine reach the model hub."
            ) from error

    def rerank(self, question: str, passages: Sequence[Passage]) -> list[Passage]:
        """Passages by the model's score (a logit) of each with its headings.

        Of the best of them each sentence is scored as well; a sentence counts with its
        passage, because alone it may not say what it is about.
        """
        if not passages:
            return []
        scores = self._scores(question, [shown(p) for p in passages])
        top = sorted(range(len(passages)), key=lambda at: -scores[at])[:_TOP]
        places = [(at, n) for at in top for n in range(len(passages[at].sentences))]
        own = self._scores(question, [sentence_text(passages[at], n) for at, n in places])
        evidence = z(own) + z(scores[at] for at, _ in places)
        return reordered(passages, scores, dict(zip(places, evidence.tolist(), strict=True)), self.scorer)

    def _scores(self, question: str, texts: Sequence[str]) -> list[float]:
        if not texts:
            return []
        try:
            with self._lock:
                found = self._model.predict(
                    [(question, text) for text in texts],
                    batch_size=_BATCH,
                    show_progress_bar=False,
                    activation_fn=self._as_it_is,
                )
        except Exception as error:
            raise RerankError(
                f"The cross-encoder “{self.name}” failed ({type(error).__name__}). Choose another "
                "rerank.model."
            ) from error
        return finite(found.reshape(-1).tolist(), len(texts))
