"""The re-rankers of an engine: made when they are first asked for, and never in the way.

What cannot be loaded or reached leaves the fused order, and a line in the log that says
why. This module stands beside ``search.py``, because late interaction needs the model and
the keyword index of the library that was searched.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rag.config import Environment, Settings
from rag.errors import RerankError
from rag.keyword import KeywordIndex, terms
from rag.rerank import CohereReranker, CrossEncoderReranker, LateReranker
from rag.types import Embedder, Passage, Reranker

log = logging.getLogger(__name__)

UNAVAILABLE = "re-ranking was unavailable"
"""The notice on an answer whose passages stand in the fused order instead."""

AGAIN = 300.0
"""Seconds before a model that could not be loaded is tried again."""


class _Load(threading.Thread):
    """A cross-encoder that is being loaded: from this machine, else from the model hub.

    A hub that cannot be reached takes most of a minute to say so, so whoever waits for it waits
    for so long and no longer, and a model that comes later serves the questions after.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name="cross-encoder", daemon=True)
        self._model = name
        self._started = threading.Event()
        self._done = threading.Event()
        self.made: CrossEncoderReranker | None = None
        self.error: RerankError | None = None

    def run(self) -> None:
        try:
            try:
                self.made = CrossEncoderReranker(self._model, download=False)
            except RerankError:
                if Path(self._model).exists():
                    raise
                self._started.set()
                self.made = CrossEncoderReranker(self._model)
        except RerankError as error:
            self.error = error
        finally:
            self._started.set()
            self._done.set()

    def wait(self, seconds: float) -> bool:
        """Whether it is done; what is on this machine is waited for as long as it takes."""
        self._started.wait()
        return self._done.wait(seconds)


class Rerankers:
    """Safe to share between threads."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._lock = threading.Lock()
        self._made: dict[tuple[object, ...], Reranker] = {}
        self._loads: dict[str, _Load] = {}
        self._failed: dict[tuple[object, ...], tuple[float, RerankError]] = {}

    def rerank(
        self,
        question: str,
        passages: Sequence[Passage],
        settings: Settings,
        model: Embedder,
        keywords: KeywordIndex,
        late: Mapping[str, float] | None = None,
    ) -> list[Passage] | None:
        """The passages in their new order; None where the re-ranker is not available.

        ``late`` are the learned weights of late interaction, None for the hand weights.
        """
        try:
            if settings.rerank == "late":
                reranker: Reranker = LateReranker(model.token_vectors, terms, keywords.idf, late)
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
            if settings.rerank != "cross":
                self._made[key] = self._remote(settings)
                return self._made[key]
            load = self._loads.get(settings.rerank_model)
            if load is None:
                load = self._loads[settings.rerank_model] = _Load(settings.rerank_model)
                load.start()
        if not load.wait(settings.rerank_timeout):
            raise RerankError(
                f"The cross-encoder did not come from the model hub within {settings.rerank_timeout:g} s; it "
                "serves as soon as it is there. Set rerank.model to a folder that holds one."
            )
        with self._lock:
            self._loads.pop(settings.rerank_model, None)
            if load.made is None:
                error = load.error or RerankError("The cross-encoder could not be loaded.")
                self._failed[key] = (time.monotonic(), error)
                raise error
            self._made[key] = load.made
            return load.made

    def _remote(self, settings: Settings) -> Reranker:
        return CohereReranker(
            self._environment.cohere_api_key,
            settings.rerank_model,
            url=self._environment.cohere_base_url,
            timeout=settings.rerank_timeout,
        )
