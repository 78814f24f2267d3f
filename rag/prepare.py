"""Slow beginnings in the background: a thread that can be watched and waited for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from rag.errors import ThumbprintError
from rag.types import IngestProgress

log = logging.getLogger(__name__)


class Preparation:
    """Runs ``work`` once in a daemon thread. The attributes are live.

    ``error`` is a sentence for the reader when it failed.
    """

    def __init__(self, work: Callable[[Callable[[IngestProgress], None]], None]) -> None:
        self.ready = False
        self.error: str | None = None
        self.progress = IngestProgress("loading", 0, 0, 0, 0.0)
        self._work = work
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="prepare", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is ready or failed; whether it is ready."""
        self._ended.wait(timeout)
        return self.ready

    def _run(self) -> None:
        try:
            self._work(self._watch)
            self.ready = True
        except ThumbprintError as error:
            self.error = str(error)
        except Exception:
            # The thread's last resort: the reader gets a sentence, the log the cause.
            log.exception("Preparing failed")
            self.error = "The documents could not be made ready. Run “python -m rag doctor”, then reload."
        finally:
            self._ended.set()

    def _watch(self, progress: IngestProgress) -> None:
        self.progress = progress
