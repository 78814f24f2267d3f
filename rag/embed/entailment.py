"""Whether a source entails a claim: the default model, taught to read the two together.

A *cross-encoder* (Nogueira and Cho, 2019): the claim's tokens see the source's from the first layer on,
which vectors of the two by themselves do not, so that "may be borrowed" and "for reading
here only" are told apart. It is the embedding model with an adapter (:mod:`rag.embed.adapter`), on
ONNX Runtime and in whole numbers as that is. It reads English.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np

from rag.config import Environment
from rag.embed.adapter import KINDS
from rag.embed.cache import prepared_pairs
from rag.embed.pairs import Pairs
from rag.errors import ModelError
from rag.types import Change

_REST = 60.0
"""Seconds until files that could not be made are tried again."""


class Entailment:
    """A claim and a source to what the claim is beside it. Safe to share between threads; loaded on the
    first use."""

    def __init__(self, models: Path) -> None:
        """``models`` is where the default model's files are kept."""
        self._models = models
        self._lock = threading.Lock()
        self._model: Pairs | None = None
        self._failed: tuple[float, str] | None = None
        """When the files could last not be made, and why."""

    @classmethod
    def of(cls, environment: Environment) -> Entailment:
        """The one whose files are kept where the environment keeps models."""
        return cls(environment.models or environment.home / "models")

    def __call__(self, claim: str, source: str) -> dict[Change, float]:
        """Probabilities that sum to 1. Raises :class:`ModelError` where the model's files cannot be made,
        or it fails."""
        model = self.load()
        try:
            values = model.logits(claim, source)
        except Exception as error:  # ONNX Runtime's errors are plain exceptions
            raise ModelError(str(error)[:200] or type(error).__name__) from error
        if not np.isfinite(values).all():
            raise ModelError("It gave something else than numbers.")
        raised = np.exp(values - values.max())
        return dict(zip(KINDS, (raised / raised.sum()).tolist(), strict=True))

    def load(self) -> Pairs:
        """The model, its files made where they are not there: some seconds.

        Raises :class:`ModelError`; what could not be made is not tried again for a minute, by any thread.
        """
        with self._lock:
            if self._model is None:
                if self._failed is not None and time.monotonic() < self._failed[0] + _REST:
                    raise ModelError(self._failed[1])
                try:
                    self._model = prepared_pairs(self._models)
                except ModelError as error:
                    self._failed = time.monotonic(), str(error)
                    raise
            return self._model
