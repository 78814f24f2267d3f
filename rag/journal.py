"""What one job is about, on disk, as long as it is not done: lines of JSON, only ever appended.

The first line says what it is, each line after it a file that was stored, the last how it
ended. A process that is at the job holds the lock beside it, and the lock of a process that
dies goes with it: so a journal without a last line and without a holder was interrupted.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from rag.errors import StoreError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Noted:
    """What a journal says. ``state`` is None where the job did not end; ``left`` are the files that
    were not indexed, each with why."""

    kind: str
    title: str
    started: float
    settings: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()
    state: str | None = None
    error: str | None = None
    ended: float = 0.0
    left: tuple[tuple[str, str], ...] = ()


class Journal:
    """The journal in ``path``. One process writes it, whoever likes reads it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(path.with_suffix(".lock"), timeout=0, thread_local=False)
        self._mine = False

    def open(self, noted: Noted) -> None:
        """Begin it, and hold it. Raises :class:`StoreError`."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
            self._mine = True
            self._path.touch()
        except OSError as error:
            self._mine = False
            self._lock.release()
            raise StoreError(
                f"The data folder cannot be written ({error.strerror or error}). Check THUMBPRINT_HOME and "
                "the free space."
            ) from error
        self._append(
            {
                "kind": noted.kind,
                "title": noted.title,
                "started": noted.started,
                "settings": dict(noted.settings),
            }
        )

    def add(self, name: str) -> None:
        """Note a file that was stored."""
        self._append({"file": name})

    def close(self, state: str | None, error: str | None, left: list[tuple[str, str]]) -> None:
        """Note how it ended and let it go; with None there is nothing left to tell."""
        if not self._mine:
            return
        if state is not None:
            self._append({"state": state, "error": error, "ended": time.time(), "left": left})
        if state is None:
            self._path.unlink(missing_ok=True)
        self._mine = False
        self._release()

    def remove(self) -> None:
        """Delete it, unless somebody holds it."""
        if not self.held:
            self._path.unlink(missing_ok=True)

    @property
    def held(self) -> bool:
        """Whether a process is at the job."""
        if self._mine:
            return True
        if not self._path.exists():
            return False
        try:
            self._lock.acquire()
        except Timeout:
            return True
        except OSError:
            return False
        self._release()
        return False

    def read(self) -> Noted | None:
        """What it says; None where it says nothing that can be read."""
        found: dict[str, Any] = {}
        files: list[str] = []
        try:
            with open(self._path, encoding="utf-8") as lines:
                for line in lines:
                    entry = json.loads(line) if line.endswith("\n") else {}  # cut off in the middle
                    if "file" in entry:
                        files.append(str(entry["file"]))
                    else:
                        found |= entry
            return Noted(
                kind=str(found["kind"]),
                title=str(found["title"]),
                started=float(found["started"]),
                settings=tuple((str(k), str(v)) for k, v in found["settings"].items()),
                files=tuple(files),
                state=found.get("state"),
                error=found.get("error"),
                ended=float(found.get("ended", 0.0)),
                left=tuple((str(name), str(why)) for name, why in found.get("left", [])),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def _append(self, entry: dict[str, Any]) -> None:
        if self._mine:
            try:
                with open(self._path, "a", encoding="utf-8") as file:
                    file.write(json.dumps(entry) + "\n")
            except OSError as error:
                log.warning("A job could not be noted: %s", error)

    def _release(self) -> None:
        self._lock.release()
        self._lock_file().unlink(missing_ok=True)

    def _lock_file(self) -> Path:
        return self._path.with_suffix(".lock")
