"""Work that goes on beside an answer, on a thread of its own, and may come too late."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
_log = logging.getLogger(__name__)
_LOOK = 0.05
"""Seconds between two looks at whether anybody still waits."""


class Meanwhile(Generic[T]):
    """Begins at once. A thread that hangs on a server keeps nobody from leaving."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._result: T | None = None
        self._thread = threading.Thread(target=self._run, name="meanwhile", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._result = self._work()
        except Exception:
            _log.exception("Work beside an answer failed")

    def unless(self, stopped: threading.Event) -> T | None:
        """What comes of it, however long it takes; None where it failed, or as soon as ``stopped`` is set."""
        while self._thread.is_alive() and not stopped.is_set():
            self._thread.join(_LOOK)
        return None if stopped.is_set() else self._result

    def result(self, seconds: float) -> T | None:
        """What came of it, after waiting at most so long; None where it failed or is not done."""
        self._thread.join(seconds)
        return None if self._thread.is_alive() else self._result
