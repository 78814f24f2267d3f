"""Side indexes: the documents of a prototype cut or embedded another way, to compare with.

Chunking and the embedding model are in the index, so that two of them can only be compared
over two indexes. The other one is built from the index in force (:mod:`rag.recut`) into a
collection of its own, which is never put in force: no question of the chat reaches it. It is
kept for the next comparison, and where the documents changed meanwhile it is brought up to
date first, which costs no more than the documents that did.

The few that are kept are written down beside the record of the index in force, before they
are made, so that they are found and deleted whatever happens in between.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from rag.config import Settings
from rag.disk import disk, replace_file
from rag.errors import IndexingError, UsageError
from rag.index import collection_name
from rag.ingest import Progress
from rag.library import Library
from rag.live import wish
from rag.recut import Copying
from rag.shelf import Shelf

log = logging.getLogger(__name__)

KEPT = 3
"""Side indexes of a prototype that stay on disk: two are compared, and one is compared with next."""
_OF = "beside"
"""The fact of a side index that says which state of which index it was made from."""
_WAIT = 600.0
"""Seconds of another process's work on the same side index."""
_SHORT = 5.0
"""Seconds that a deletion waits for it."""


class Besides:
    """The side indexes of one shelf. Safe to share between threads."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._opened: dict[str, Library] = {}

    def library(self, name: str, settings: Settings, progress: Progress | None = None) -> Library | None:
        """The index that these settings ask for; None where that is the one in force.

        It is built, or brought up to date, if need be. Raises :class:`IndexingError`, and
        :class:`ModelError` for a model that does not load.
        """
        prototype = self._shelf.prototype(name)
        if settings.document_prompt != prototype.settings.document_prompt:
            raise UsageError(
                "What stands before each document (embedding.document_prompt) cannot be compared on one "
                "prototype. Make two prototypes of the same documents, and compare their answers."
            )
        if wish(settings) == wish(prototype.settings):
            return None
        model, tokens = wish(settings)
        collection = f"{collection_name(name, model)}-beside-{tokens}"
        path = _record(self._shelf, name)
        with _alone(path):
            current = self._shelf.library(prototype)
            current.refresh()
            state = f"{current.index.name} {current.index.stamp}"
            opened = self._opened.get(collection)
            if opened is None or opened.index.facts().get(_OF) != state:

                def open_side(dimensions: int) -> Library:
                    self._note(path, collection, dimensions)
                    return self._shelf.open(collection, dimensions, path.with_suffix(".building"))

                copying = Copying(self._shelf, prototype, model, tokens, open_side, progress=progress)
                if copying.new.index.facts().get(_OF) != state:
                    # The state is that of the end, when nobody else may write.
                    copying.run(lambda: _settle(copying), wait=_WAIT)
                opened = self._opened[collection] = copying.new
        return opened

    def _note(self, path: Path, collection: str, dimensions: int) -> None:
        """Write it down as the newest, and delete those that are too many. The lock is held."""
        kept = [(collection, dimensions), *(known for known in _read(path) if known[0] != collection)]
        for name, size in kept[KEPT:]:
            self._opened.pop(name, None)
            self._shelf.discard(name, size, path.with_suffix(".building"))
        replace_file(path, json.dumps(kept[:KEPT]))


def forget(shelf: Shelf, name: str, document_ids: Collection[str]) -> None:
    """Delete documents from the side indexes as well: what a person deletes is not to lie about.

    Where one is being built at this moment nothing is waited for: it catches up at its end, and
    the others when they are compared with next.
    """
    path = _record(shelf, name)
    try:
        known = _read(path)
    except IndexingError as error:
        log.warning("%s", error)
        return
    for collection, dimensions in known:
        side = shelf.open(collection, dimensions, path.with_suffix(".building"))
        try:
            with side.writing(timeout=_SHORT):
                side.delete(document_ids)
                side.settle(side.index.records())
        except IndexingError as error:
            log.warning("The index %s is brought up to date later: %s", collection, error)


def drop(shelf: Shelf, name: str) -> None:
    """Delete all side indexes of a prototype."""
    path = _record(shelf, name)
    with _alone(path):
        for collection, dimensions in _read(path):
            shelf.discard(collection, dimensions, path.with_suffix(".building"))
        path.unlink(missing_ok=True)


def _record(shelf: Shelf, name: str) -> Path:
    return shelf.record(name).path.with_suffix(".beside.json")


def _settle(copying: Copying) -> None:
    old, new = copying.old, copying.new
    with new.writing():
        new.index.set_facts(**{_OF: f"{old.index.name} {old.index.stamp}"})
        new.settle()


def _read(path: Path) -> list[tuple[str, int]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return [(str(name), int(dimensions)) for name, dimensions in found]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise IndexingError(
            f"The record of the indexes to compare with, live/{path.name} in THUMBPRINT_HOME, cannot be "
            "read. Delete it and compare again."
        ) from error


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One at a time sees to the side indexes of a prototype, in this process or another."""
    lock = FileLock(path.with_suffix(".lock"), timeout=_WAIT, thread_local=False)
    try:
        with disk():
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
    except Timeout:
        raise IndexingError(
            "Another process has been building an index to compare with for too long. Wait for it to end, "
            "or stop it, and try again."
        ) from None
    try:
        yield
    finally:
        lock.release()
