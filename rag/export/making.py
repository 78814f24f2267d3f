"""An export in the background, for a page: how far it is, and the one file that it becomes.

The file lies in ``exports`` in the data folder until it is discarded; what a process that ended
left there is removed a day later.
"""

from __future__ import annotations

import logging
import secrets
import shutil
import threading
import time
from pathlib import Path

from rag.errors import ThumbprintError
from rag.export import FORMATS, Exported, Options, Progress, export
from rag.export.writing import pack
from rag.store import Store

log = logging.getLogger(__name__)

FOLDER = "exports"
LARGE = 20_000_000
"""Bytes from which a text file is packed: a page holds the whole of a download in memory."""
_FORGOTTEN = 86_400.0


class _Stopped(BaseException):
    """It was stopped; passes every handler of errors."""


class Making:
    """One export. The attributes are live; ``path`` is there when ``done`` is."""

    def __init__(self, store: Store, home: Path, name: str, options: Options, *, large: int = LARGE) -> None:
        self.format = FORMATS[name]
        self.options = options
        self.progress = Progress(0, 0, 0.0)
        self.done: Exported | None = None
        self.path: Path | None = None
        self.error: str | None = None
        self.stopped = False
        self._store, self._home, self._large = store, home, large
        self._folder = home / FOLDER / secrets.token_hex(8)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="export", daemon=True)

    @property
    def running(self) -> bool:
        return self.done is None and self.error is None and not self.stopped

    def start(self) -> None:
        self._thread.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for its end; whether it has ended."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def discard(self) -> None:
        """Stop it, and remove what it made."""
        self._stop.set()
        if not self._thread.is_alive():
            shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self) -> None:
        try:
            sweep(self._home)
            out = self._folder / f"{self._name()}{self.format.suffix or '.zip'}"
            done = export(self._store, self._home, self.format.name, out, self.options, self._watch)
            path = done.path
            if done.size > self._large and self.format.suffix in (".csv", ".jsonl"):
                packed = path.with_name(f"{path.name}.zip")
                pack(path, packed)
                path.unlink()
                path = packed
            self.path, self.done = path, done
        except _Stopped:
            self.stopped = True
        except ThumbprintError as error:
            self.error = str(error)
        except Exception:  # the thread's last resort: the page gets a sentence, the log the cause
            log.exception("An export failed")
            self.error = "The export failed. Try again, or run “python -m rag feedback export”."
        finally:
            if self._stop.is_set():
                shutil.rmtree(self._folder, ignore_errors=True)

    def _watch(self, progress: Progress) -> None:
        if self._stop.is_set():
            raise _Stopped
        self.progress = progress

    def _name(self) -> str:
        told = self.format.suffix != f".{self.format.name}"
        parts = ["feedback", self.options.selection.prototype or "", self.format.name if told else ""]
        return "-".join(filter(None, parts))


def sweep(home: Path, now: float | None = None) -> None:
    """Remove exports that lie there for more than a day."""
    folder = home / FOLDER
    for made in folder.iterdir() if folder.is_dir() else ():
        try:
            forgotten = made.stat().st_mtime < (now or time.time()) - _FORGOTTEN
        except OSError:  # another process removed it
            continue
        if forgotten:
            shutil.rmtree(made, ignore_errors=True)
