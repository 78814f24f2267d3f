"""Another index beside the one in force, from what that one holds, and the swap of the two.

Nothing is read again (:mod:`rag.recut`), and the next ingest of the files finds them unchanged.

Questions are answered from the old index until the new one is complete, and ingests go
into the old one: what they change meanwhile is caught up with at the end, under the write
lock, in the moment of the swap. The swap itself is the replacement of one small file
(:mod:`rag.live`). A process killed before it leaves the old index in force, one killed
after it the new one; the other is named in the record, and deleted by whoever writes next.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace

from filelock import Timeout

from rag.config import with_settings
from rag.errors import IndexingError, UsageError
from rag.index import collection_name
from rag.ingest import Progress
from rag.library import Library, totals
from rag.live import Live, Wish, wish
from rag.prototypes import Prototype
from rag.recut import Copying
from rag.shelf import Shelf
from rag.types import IngestResult

log = logging.getLogger(__name__)

_SETTINGS = frozenset({"chunking.section_tokens", "embedding.model"})


def rebuild(
    shelf: Shelf,
    name: str,
    model: str,
    section_tokens: int,
    *,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
    wait: float = 600.0,
) -> IngestResult:
    """Build the index of a prototype anew under a model and a section size, and put it in force.

    ``wait`` is seconds of another writer's work before the swap. Raises :class:`IndexingError`
    where another re-index of it is going on, :class:`ModelError` for a model that does not load,
    and :class:`Stopped` where ``stop`` told it to: then the old index stays.
    """
    record = shelf.record(name)
    try:
        with record.lock:
            return _Rebuild(shelf, name, model, section_tokens, progress, stop, wait).run()
    except Timeout:
        raise IndexingError(
            f"“{name}” is being indexed anew already. Wait until that is done, and try again."
        ) from None


def index_wish(prototype: Prototype, changes: Mapping[str, str]) -> Wish:
    """What to build for a prototype as its owner wrote it, with some settings changed.

    Raises :class:`UsageError` for a setting that shapes no index, or a value it does not take.
    """
    unknown = changes.keys() - _SETTINGS
    if unknown:
        known = " and ".join(sorted(_SETTINGS))
        raise UsageError(f"A re-index takes {known}, not {', '.join(sorted(unknown))}.")
    return wish(with_settings(prototype.settings, changes))


class _Rebuild:
    """One re-index. The record's lock is held."""

    def __init__(
        self,
        shelf: Shelf,
        name: str,
        model: str,
        section_tokens: int,
        progress: Progress | None,
        stop: Callable[[], bool] | None,
        wait: float,
    ) -> None:
        self._shelf, self._name = shelf, name
        self._model, self._tokens = model, section_tokens
        self._wait = wait
        self._collection = f"{collection_name(name, model)}-{uuid.uuid4().hex[:8]}"
        shelf.drop_others(name)
        self._copying = Copying(
            shelf, shelf.prototype(name), model, section_tokens, self._open, progress=progress, stop=stop
        )

    def _open(self, dimensions: int) -> Library:
        # Named before it is made, so that it is found however this ends.
        record = self._shelf.record(self._name)
        record.write(replace(self._shelf.live(self._name), others=((self._collection, dimensions),)))
        return self._shelf.open(self._collection, dimensions, record.path.with_suffix(".building"))

    def run(self) -> IngestResult:
        copying = self._copying
        try:
            found = copying.run(self._swap, wait=self._wait)
        except BaseException:
            self._clear()
            raise
        self._clear()
        copying.stop = None  # it is done, whoever cancels now
        copying.tell("done")
        documents, sections, chunks = totals(found.values())
        seconds = {
            "embed": copying.staged.spent.embedding,
            "write": copying.staged.spent.writing,
            "total": time.perf_counter() - copying.started,
        }
        return IngestResult(self._name, 0, 0, 0, documents, 0, (), documents, sections, chunks, seconds)

    def _swap(self) -> None:
        old = self._copying.old.index
        asked = wish(self._shelf.wanted(self._name).settings)
        others = ((old.name, old.dimensions),)
        self._shelf.record(self._name).write(Live(self._collection, self._model, self._tokens, asked, others))

    def _clear(self) -> None:
        try:
            self._shelf.drop_others(self._name)
        except IndexingError as error:
            log.warning("What a re-index left is deleted by the next writer: %s", error)
