"""Where every format reads from: the answers and preferences that are meant, already private.

Everything comes in the order in which it was stored and in bounded memory, so one store and one
choice give one file, byte for byte.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from rag.export.formats import Options, Progress
from rag.export.limits import fitted
from rag.export.private import Private
from rag.store import Rated, Store
from rag.types import Answer, Preference

Report = Callable[[Progress], None]
_EVERY = 0.1
"""Seconds between two reports."""


class Source:
    """Reads a store once for one export, and reports how far it is."""

    def __init__(
        self, store: Store, home: Path, options: Options, private: Private, report: Report | None = None
    ) -> None:
        """``home`` is the data folder. ``report`` is called some ten times a second; what it raises
        ends the export."""
        self._store, self.home, self.options, self._private = store, home, options, private
        self._report = report or (lambda _: None)
        self._started, self._told = time.monotonic(), 0.0
        self._done = self._total = 0
        self.settings: Callable[[str], Mapping[str, object]] = lru_cache(maxsize=256)(store.settings)
        """What a fingerprint stands for, by the stable keys; empty where that is not known."""
        self.out_of_range = 0
        """Answers so far with a number that no answer can have; see :mod:`rag.export.limits`."""

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def answers(self) -> Iterator[Rated]:
        """The answers that are meant, each with the feedback that counts."""
        self._total = self._store.count(self.options.selection)
        self._tell(0)
        for rated in self._store.stream(self.options.selection):
            whole = fitted(rated)
            self.out_of_range += whole is not rated
            yield self._private.rated(whole)
            self._tell(1)
        self._finish()

    def preferences(self) -> Iterator[tuple[Preference, Answer, Answer]]:
        """Decided and undecided comparisons, with the left and the right answer.

        Both answers must be meant. Their thumbs do not matter: they were judged otherwise.
        """
        meant = replace(self.options.selection, rating=None)
        for preference, left, right in self._store.preferences.stream(meant):
            yield (
                self._private.preference(preference),
                self._private.answer(left),
                self._private.answer(right),
            )

    def _tell(self, more: int) -> None:
        self._done += more
        if time.monotonic() - self._told >= _EVERY:
            self._told = time.monotonic()
            self._report(Progress(self._done, max(self._total, self._done), self.seconds))

    def _finish(self) -> None:
        self._report(Progress(self._done, self._done, self.seconds))
