"""How long answers are kept, and a keeper that erases what is older, daily.

The period is ``THUMBPRINT_RETENTION_DAYS``, counted from when an answer was made; feedback goes with
its answer. Without it everything is kept until somebody erases it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from rag.errors import ThumbprintError
from rag.store import Erased, Store

log = logging.getLogger(__name__)

DAY = 86_400.0
_AGAIN = 3_600.0
"""Seconds before it is tried again where the store could not be written."""


def older_than(days: float, now: float | None = None) -> float:
    """The time (Unix seconds) before which answers are past a period."""
    return (time.time() if now is None else now) - days * DAY


class Keeper:
    """Erases at once, and then once a day, as long as the process lives."""

    def __init__(self, store: Callable[[], Store], days: float, *, every: float = DAY) -> None:
        """``store`` is opened in the thread. ``every``: seconds from one erasure to the next."""
        self._store, self._days, self._every = store, days, every
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends it after what it is at; for tests."""
        self._stopped.set()
        self._thread.join()

    def once(self) -> Erased:
        """Erase what is past the period now. Raises ThumbprintError."""
        erased = self._store().erase_before(older_than(self._days))
        if erased != Erased():
            log.info("Erased %s answers older than %g days.", erased.answers, self._days)
        return erased

    def _run(self) -> None:
        wait = 0.0
        while not self._stopped.wait(wait):
            try:
                self.once()
                wait = self._every
            except ThumbprintError as error:
                log.warning("What is past the retention period was not erased yet: %s", error)
                wait = min(_AGAIN, self._every)
            except Exception:  # the thread's last resort: a promise to erase must outlive one failure
                log.exception("Erasing what is past the retention period failed")
                wait = min(_AGAIN, self._every)
