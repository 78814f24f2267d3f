"""What an earlier prototype left under a name, and what becomes of it when the name is given anew.

To forget a prototype, its folder is deleted and nothing else: who puts the folder back finds all of
it again. But one that is made anew under that name is another prototype. With the index, the edits and
the uploads of the first it would answer from documents that nobody gave it, and links to the first
would open it. So before it is made, what was derived is deleted and what are somebody's files is moved
aside, and links that are older than it do not open it.

What lies in this data folder tells of an earlier one. Where nothing does, and a Chroma server has a
collection of that name, that is taken up: this is another replica, or its disk was wiped.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable

from filelock import FileLock, Timeout

from rag import beside
from rag.config import Settings, with_settings
from rag.disk import disk
from rag.errors import IndexingError
from rag.index import Listed, is_of
from rag.jobs import Jobs
from rag.originals import Originals
from rag.prototypes import check_name, create_prototype
from rag.shelf import Shelf
from rag.store import Store
from rag.uploads import Uploads

log = logging.getLogger(__name__)

_WAIT = 10.0
"""Seconds of another process's writing; a person is waiting for it."""


def create(shelf: Shelf, jobs: Jobs, store: Callable[[], Store], name: str) -> str:
    """Make a plain prototype where there is none; what was put away for it in a sentence, if anything was.

    Raises :class:`UsageError` for a name that cannot be one, :class:`PrototypeError` where the disk
    refuses, :class:`IndexingError` where others are at the index, and what the index and the store raise.
    """
    made = shelf.environment.home / "prototypes" / check_name(name) / "prototype.toml"
    remains = _Remains(shelf, jobs, store, name)
    told = ""
    if not made.exists() and remains.found():
        # The record's lock keeps a re-index out, the other one whoever writes into an index.
        ingests = FileLock(shelf.home() / "ingest.lock", timeout=_WAIT, thread_local=False)
        try:
            with disk(), shelf.record(name).lock, ingests:
                if not made.exists():  # nor has another process made it meanwhile
                    told = remains.put_away()
                    create_prototype(name, shelf.environment.home)
        except Timeout:
            raise IndexingError(
                f"Another process is writing to the index, so “{name}” was not made. Try again when it is "
                "done."
            ) from None
    create_prototype(name, shelf.environment.home)
    if told:
        log.warning("%s", told)
    return told


def given_anew(store: Store, name: str) -> float:
    """When the name was last given to another prototype, in Unix seconds; 0 where it never was."""
    return float(store.gate.key(_key(name)) or 0.0)


def _key(name: str) -> str:
    return f"given anew {name}"


class _Remains:
    """What there is under the name of a prototype that is not there."""

    def __init__(self, shelf: Shelf, jobs: Jobs, store: Callable[[], Store], name: str) -> None:
        self._shelf, self._jobs, self._store, self._name = shelf, jobs, store, name
        self._home = shelf.environment.home
        self._record = shelf.record(name)
        self._edits = shelf.edits(name)
        self._originals = Originals(self._home, name)
        self._uploads = Uploads(self._home / "uploads" / name, shelf.environment.max_file_bytes)

    def found(self) -> bool:
        """Whether this data folder has anything of it."""
        return bool(
            self._record.path.exists()
            or self._originals.places()
            or self._uploads.size()
            or self._edits.all()
            or self._edits.deleted()
            or self._jobs.of(self._name)
            or self._has_links()
            or (self._is_local() and self._collections())
        )

    def put_away(self) -> str:
        """Delete it, but for files of people, which are moved aside; what was done in a sentence."""
        self._drop_index()
        self._edits.clear()
        self._originals.forget()
        for job in self._jobs.of(self._name):
            self._jobs.dismiss(self._name, job.id)
        # What is left where this ends half way is found the next time: files, links or the record.
        aside = self._uploads.set_aside()
        self._store().gate.set_key(_key(self._name), repr(time.time()))
        self._record.path.unlink(missing_ok=True)
        files = f" Its uploaded files were moved to {aside}." if aside else ""
        return (
            f"There was a prototype “{self._name}” before: what the index held of it was deleted, and links "
            f"to it have ended.{files}"
        )

    def _drop_index(self) -> None:
        beside.drop(self._shelf, self._name)
        live = self._record.read()
        named = [] if live is None else [live.collection, *(name for name, _ in live.others)]
        for collection in self._collections(*named):
            self._shelf.discard(
                collection.name, collection.dimensions, self._record.path.with_suffix(".building")
            )
        for name in named:  # of a collection that is gone already
            shutil.rmtree(self._home / "keyword" / name, ignore_errors=True)

    def _collections(self, *named: str) -> list[Listed]:
        """Its collections under whatever model, and those of these names."""
        if self._is_local() and not (self._home / "chroma" / "chroma.sqlite3").exists():
            return []
        plain = with_settings(Settings(), self._shelf.environment.overrides).embedding_model
        return [
            one
            for one in self._shelf.client().collections()
            if one.name in named or any(is_of(one.name, self._name, model) for model in (one.model, plain))
        ]

    def _is_local(self) -> bool:
        environment = self._shelf.environment
        return not (environment.chroma_host or environment.chroma_api_key)

    def _has_links(self) -> bool:
        if not (self._home / "thumbprint.sqlite3").exists():
            return False
        rows = self._store().links.all()
        return any(row.kind == "prototype" and row.prototype == self._name for row in rows)
