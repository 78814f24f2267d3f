"""The re-rankers of an engine: made when they are first asked for, and never in the way.

What cannot be loaded or reached leaves the fused order, and a line in the log that says
why. This module stands beside ``engine.py``, because late interaction needs the model and
the keyword index of the library that was searched.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

from rag.config import Environment, Settings
from rag.errors import RerankError
from rag.keyword import KeywordIndex, terms
from rag.rerank import CohereReranker, CrossEncoderReranker, LateReranker
from rag.types import Embedder, Passage, Reranker

log = logging.getLogger(__name__)

UNAVAILABLE = "re-ranking was unavailable"
"""The notice on an answer whose passages stand in the fused order instead."""

AGAIN = 60.0
"""Seconds before a model that could not be loaded is tried again: a hub that cannot be reached
takes its time to say so, and not every question should wait for it."""


class Rerankers:
    """Safe to share between threads."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._lock = threading.Lock()
        self._made: dict[tuple[object, ...], Reranker] = {}
        self._failed: dict[tuple[object, ...], tuple[float, RerankError]] = {}

    def rerank(
        self,
        question: str,
        passages: Sequence[Passage],
        settings: Settings,
        model: Embedder,
        keywords: KeywordIndex,
    ) -> list[Passage] | None:
        """The passages in their new order; None where the re-ranker is not available."""
        try:
            if settings.rerank == "late":
                reranker: Reranker = LateReranker(model.token_vectors, terms, keywords.idf)
            else:
                reranker = self._get(settings)
            return reranker.rerank(question, passages)
        except RerankError as error:
            log.warning("Re-ranking was unavailable, and the fused order was kept. %s", error)
            return None

    def _get(self, settings: Settings) -> Reranker:
        key = (settings.rerank, settings.rerank_model, settings.rerank_timeout)
        with self._lock:  # two questions at once must not load a model twice
            if key in self._made:
                return self._made[key]
            when, failure = self._failed.get(key, (0.0, None))
            if failure is not None and time.monotonic() < when + AGAIN:
                raise failure
            try:
                self._made[key] = self._make(settings)
            except RerankError as error:
                self._failed[key] = (time.monotonic(), error)
                raise
            return self._made[key]

    def _make(self, settings: Settings) -> Reranker:
        if settings.rerank == "cross":
            return CrossEncoderReranker(settings.rerank_model)
        return CohereReranker(
            self._environment.cohere_api_key,
            settings.rerank_model,
            url=self._environment.cohere_base_url,
            timeout=settings.rerank_timeout,
        )
