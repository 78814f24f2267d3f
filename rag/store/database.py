"""Transactions on the store's file: a connection each, and SQLite's errors as sentences."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from rag.errors import StoreError
from rag.store.migrations import migrate

BUSY_SECONDS = 5.0
"""How long to wait for another writer. One write here takes about 1 ms."""


class Database:
    """A SQLite file, opened anew for every transaction.

    Streamlit shares objects between the threads of all sessions and SQLite connections are
    bound to theirs, so none is kept. The schema is checked on each opening, which costs
    0.01 ms and makes a file that was removed, restored or upgraded meanwhile safe to meet.
    """

    def __init__(self, path: Path, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path
        self.busy_seconds = busy_seconds
        self._turn = threading.Lock()
        self.changed = threading.Event()
        """Set after every write of this process; for whoever waits for one, and clears it."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"The folder {path.parent} of the store cannot be made ({error.strerror}). "
                "Set THUMBPRINT_HOME to a folder that you may write to."
            ) from error
        with self._sentences():
            self._open().close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A transaction that sees one state of the store throughout."""
        with self._sentences(), closing(self._open()) as connection:
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock from its start; rolled back on any error.

        Everything that one record needs goes through one of these, so that rows which
        belong together (an answer, its feedback, what is queued for delivery) are saved
        together or not at all.
        """
        with self._sentences(), self._own_turn(), closing(self._open()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
                self.changed.set()
            except BaseException:
                if connection.in_transaction:  # SQLite itself rolls back on some errors
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _own_turn(self) -> Iterator[None]:
        # SQLite's waiting is a series of naps, in which the unlucky starve: 8 threads that
        # write without pause waited 4.4 s at worst, and wait 0.09 s in this queue.
        if not self._turn.acquire(timeout=self.busy_seconds):
            raise StoreError(self._busy())
        try:
            yield
        finally:
            self._turn.release()

    def scrub(self) -> None:
        """Move the log into the file and empty it, so that erased text is not left in the log.

        Does what it can: pages that another connection is reading are moved by a later
        checkpoint, which SQLite does on its own.
        """
        with self._sentences(), closing(self._open()) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=self.busy_seconds, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            # A thumb that was reported as saved must survive. A killed process loses nothing
            # under NORMAL either (the operating system holds the log), but a power cut would;
            # FULL syncs the log at each commit. Measured: 0.85 ms a write against 0.80 ms.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            # Erasing a person's data must overwrite it, not only unlink its pages.
            connection.execute("PRAGMA secure_delete = ON")
            migrate(connection, self.path, self.busy_seconds)
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(self._sentence(error)) from error

    def _busy(self) -> str:
        return (
            f"The store {self.path} was held by another writer for {self.busy_seconds:g} seconds, "
            "so this was not done. Try again in a moment."
        )

    def _sentence(self, error: sqlite3.Error) -> str:
        # The low byte is the primary code; errors that Python itself raises carry none.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        match code:
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return self._busy()
            case sqlite3.SQLITE_FULL:
                return (
                    f"The disk that holds the store {self.path} is full, so this was not saved; what was "
                    "saved before is intact. Free some space and try again."
                )
            case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
                return (
                    f"The store {self.path} cannot be opened for writing. Check that its folder exists and "
                    "that you may write to it, or set THUMBPRINT_HOME to another folder."
                )
            case sqlite3.SQLITE_NOTADB:
                return (
                    f"{self.path} is not a Thumbprint store. Nothing was changed; move the file aside (a new "
                    "store is then made), or set THUMBPRINT_HOME to another folder."
                )
            case sqlite3.SQLITE_CORRUPT:
                return (
                    f"The store {self.path} is damaged. Nothing was removed: keep a copy of it, then restore "
                    "a backup, or save its rows with the .recover command of the sqlite3 program."
                )
        reason = " ".join(str(error).split())[:200]
        return f"The store {self.path} could not be read or written ({reason}). Check the disk and try again."
