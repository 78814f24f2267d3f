"""One prototype's chunks, in Chroma and in Tantivy, kept in agreement.

The Chroma collection is the truth; the keyword index follows it and can be rebuilt
from it at any time. A write goes to Chroma first and to Tantivy after, inside a
journal: the ids of the documents that it touches are put on disk before, and taken
away after. A process that dies in between leaves the journal, and whoever writes or
asks next brings those documents into agreement. A keyword index that carries another
write's stamp than the collection (a replica on another machine, a lost folder) is
compared chunk by chunk and document by document. The list of documents
(:mod:`rag.listing`) is written last and is nobody's truth.

This module stands between the stages and the engine, beside ``engine.py``, because
asking and ingesting both need the pair of indexes as one thing.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from rag.disk import disk, replace_file
from rag.entries import digest, entries
from rag.errors import IndexingError
from rag.index import ChunkIndex
from rag.keyword import KeywordEntry, KeywordIndex
from rag.listing import Listing
from rag.stored import StoredChunks
from rag.types import Chunk, DocumentRecord, Vectors

log = logging.getLogger(__name__)

Item = tuple[DocumentRecord, Sequence[Chunk], Vectors]

_JOURNAL = "unfinished.json"
_STAMP = "stamp"
_BATCH = 2_000
"""Keyword entries of one commit while the index is rebuilt: bounded memory."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How the two indexes compare; all zero but ``chunks`` when nothing is wrong."""

    chunks: int
    missing: int
    """Chunks in Chroma that the keyword index lacks."""
    extra: int
    """Chunks in the keyword index that Chroma lacks."""
    incomplete: int
    """Documents whose ingest was interrupted: the next ingest of their files completes them."""
    unfinished: int
    """Documents of a write that died between the two indexes."""

    @property
    def good(self) -> bool:
        return not (self.missing or self.extra or self.incomplete or self.unfinished)


class Library:
    """The pair of indexes of one collection. Safe to share between threads.

    ``folder`` holds the keyword index, the list, the journal and the stamp. ``lock`` is held by
    whoever writes, in this process or another.
    """

    def __init__(self, index: ChunkIndex, folder: Path, lock: Path, listing: Listing | None = None) -> None:
        with disk():
            folder.mkdir(parents=True, exist_ok=True)
            self.keywords = KeywordIndex(folder / "keyword")
        self.index = index
        self.folder = folder
        self.listing = listing or open_listing(folder)
        self._listed = False
        """Whether the list follows the index; known from when the write lock is taken."""
        self._journal = folder / _JOURNAL
        self._stamp = folder / _STAMP
        self._held = folder / "held.json"
        self._lock_path = lock
        self._refreshing = threading.Lock()
        self._behind = False
        self.chunks = StoredChunks(index, self.keywords, lambda: self._behind)
        """The chunks for questions: searched by vector, read by id."""

    # --- one writer at a time ------------------------------------------------

    @contextmanager
    def writing(self, waiting: Callable[[], None] | None = None, timeout: float = 600) -> Iterator[None]:
        """Hold the write lock; ``waiting`` is called while another process holds it.

        Raises :class:`IndexingError` after ``timeout`` seconds.
        """
        # A lock object that is held lets its other threads in: each writer makes its own.
        lock, left = FileLock(self._lock_path, thread_local=False), timeout
        while True:
            try:
                with disk():
                    lock.acquire(timeout=min(1.0, left))
                break
            except Timeout:
                left -= 1.0
                if left <= 0:
                    raise IndexingError(
                        "Another process has been writing to the library for too long. Wait for it to end, "
                        "or stop it, and try again."
                    ) from None
                if waiting is not None:
                    waiting()
        try:
            self._recover()
            yield
        finally:
            lock.release()

    def write(self, items: Sequence[Item]) -> None:
        """Add documents, or replace those of the same id, in both indexes."""
        ids = [record.id for record, _, _ in items]
        with self._journalled(ids):
            self.index.write(items)
            self.keywords.write(
                [entry for record, chunks, rows in items for entry in entries(record, chunks, rows)],
                delete=ids,
            )
            self._list([record for record, _, _ in items])

    def delete(self, document_ids: Collection[str]) -> None:
        """Delete documents from both indexes."""
        if document_ids:
            with self._journalled(document_ids):
                self.index.delete(document_ids)
                self.keywords.write([], delete=document_ids)
                self._list([], document_ids)

    def update(self, records: Sequence[DocumentRecord], *, visible: Collection[str] = ()) -> None:
        """Change the records of documents whose chunks stay as they are.

        ``visible`` are the ids of those whose source, title or metadata changed, which
        filters see: only they are written to the keyword index again.
        """
        if not records:
            return
        seen = set(visible)
        shown = [r for r in records if r.id in seen]
        with self._journalled(seen):
            self.index.update([r for r in records if r.id not in seen], heads_only=True)
            self.index.update(shown)
            self.keywords.write(
                self._entries(shown),
                delete=[r.id for r in shown],
            )
            self._list(shown)

    def _list(self, records: Sequence[DocumentRecord], deleted: Collection[str] = ()) -> None:
        if not self._listed:
            return  # it is made anew when the write ends, or when it is asked for
        try:
            self.listing.write(records, deleted, self.index.stamp)
        except IndexingError as error:
            log.warning("%s", error)
            self._listed = False

    def listed(self) -> Listing:
        """The list of documents, made anew where it is behind.

        While another process is writing it stays as it was.
        """
        self.refresh()
        if self.listing.stamp != self.index.stamp:
            lock = FileLock(self._lock_path, timeout=0, thread_local=False)
            try:
                with disk():
                    lock.acquire()
            except Timeout:
                return self.listing
            try:
                self._recover()
                if not self._listed:
                    self.listing.rebuild(self.index.records().values(), self.index.stamp)
            finally:
                lock.release()
        return self.listing

    @contextmanager
    def _journalled(self, document_ids: Collection[str]) -> Iterator[None]:
        # A journal that is still there belongs to a write that failed: it stays in force.
        replace_file(self._journal, json.dumps(sorted(self._unfinished() | set(document_ids))))
        yield
        replace_file(self._stamp, self.index.stamp)
        self._journal.unlink(missing_ok=True)

    def _unfinished(self) -> set[str]:
        try:
            ids = json.loads(self._journal.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return set()
        except (OSError, ValueError):
            ids = None
        if isinstance(ids, list) and all(isinstance(i, str) for i in ids):
            return set(ids)
        return set(self.index.records())  # the journal itself is damaged: doubt everything

    # --- agreement -----------------------------------------------------------

    def refresh(self) -> None:
        """See what other processes wrote, and mend the keyword index if it is behind.

        Where another process is writing at this moment, nothing is mended: that one will.
        """
        with self._refreshing:
            self.index.refresh()
            self.keywords.refresh()
            if self._agrees():
                self._behind = False
                return
            lock = FileLock(self._lock_path, timeout=0, thread_local=False)
            try:
                with disk():
                    lock.acquire()
            except Timeout:
                self._behind = True
                return
            try:
                self._recover()
                self._behind = False
            finally:
                lock.release()

    def _agrees(self) -> bool:
        if self._journal.exists() or self._read_stamp() != self.index.stamp:
            return False
        # The folder may be lost, or set aside as damaged, while the stamp beside it is not.
        return not (self.keywords.empty and self.index.count())

    def _read_stamp(self) -> str:
        try:
            return self._stamp.read_text(encoding="utf-8")
        except OSError:
            return ""

    def _recover(self) -> None:
        """Bring the keyword index to what the collection holds. The write lock is held."""
        self.index.refresh()
        self.keywords.refresh()
        self._listed = self.listing.stamp == self.index.stamp
        if self._agrees():
            return
        with disk():
            self._stamp.unlink(missing_ok=True)  # who dies half way must not seem to be done
        there, here = self.index.chunk_ids(), self.keywords.chunk_ids()
        doubtful = {_document(i) for i in there ^ here} | self._unfinished()
        records = self.index.records()
        if not self._journal.exists():
            # Nobody here wrote last: a text may have been replaced by one of as many chunks.
            held = self._read_held()
            doubtful |= {i for i, record in records.items() if held.get(i) != digest(record)}
        if doubtful:
            log.warning("The keyword index was behind the collection: mending %d documents.", len(doubtful))
            self._reindex(doubtful)
        self.settle(records)
        self._journal.unlink(missing_ok=True)

    def _reindex(self, document_ids: Collection[str]) -> None:
        records = self.index.records()
        self.keywords.write([], delete=document_ids)
        batch: list[DocumentRecord] = []
        for document_id in sorted(document_ids):
            if (
                document_id in records
            ):  # else deleted, or interrupted: incomplete ones are not searched by words
                batch.append(records[document_id])
            if sum(record.chunks for record in batch) >= _BATCH:
                self.keywords.write(self._entries(batch))
                batch = []
        self.keywords.write(self._entries(batch))

    def _entries(self, records: Sequence[DocumentRecord]) -> list[KeywordEntry]:
        """The keyword entries of documents that are in the collection."""
        ids = [f"{record.id}:{n}" for record in records for n in range(record.chunks)]
        found, vectors = self.index.get(ids), self.index.vectors(ids)
        made: list[KeywordEntry] = []
        for record in records:
            own = [f"{record.id}:{n}" for n in range(record.chunks)]
            own = [i for i in own if i in found and i in vectors]
            made += entries(record, [found[i].chunk for i in own], [vectors[i] for i in own])
        return made

    def settle(
        self,
        records: Mapping[str, DocumentRecord] | None = None,
        *,
        changed: Sequence[DocumentRecord] = (),
        gone: Collection[str] = (),
    ) -> None:
        """Note that the keyword index carries the collection's present stamp. Lock held.

        ``records``, where they may have changed, are all that it holds now; where only a few
        did, ``changed`` and ``gone`` are those.
        """
        if records is not None:
            replace_file(self._held, json.dumps({i: digest(record) for i, record in records.items()}))
        elif changed or gone:
            held = {i: known for i, known in self._read_held().items() if i not in gone}
            held |= {record.id: digest(record) for record in changed}
            replace_file(self._held, json.dumps(held))
        try:
            if self._listed:
                self.listing.settle(self.index.stamp)
            elif records is not None:
                self.listing.rebuild(records.values(), self.index.stamp)
                self._listed = True
        except IndexingError as error:
            log.warning("%s", error)
            self._listed = False
        replace_file(self._stamp, self.index.stamp)

    def renew(self, changed: Sequence[DocumentRecord] = (), gone: Collection[str] = ()) -> None:
        """Give the index the version of what it holds now, after a few documents changed. Lock held."""
        shape = self.index.facts().get("shape", "")
        if self._listed:
            self.index.set_facts(index_version=version_of(shape, self.listing.contents()))
            self.settle(changed=changed, gone=gone)
        else:
            records = self.index.records()
            version = version_of(shape, [(r.id, r.content_hash) for r in records.values()])
            self.index.set_facts(index_version=version)
            self.settle(records)

    def _read_held(self) -> dict[str, str]:
        try:
            held = json.loads(self._held.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            held = None
        return held if isinstance(held, dict) else {}

    def sweep(self) -> int:
        """Delete documents whose ingest was interrupted; how many. The write lock is held."""
        incomplete = self.index.incomplete()
        self.delete(incomplete)
        return len(incomplete)

    def compare(self) -> Agreement:
        """Compare the two indexes without changing either."""
        self.index.refresh()
        self.keywords.refresh()
        there, here = self.index.chunk_ids(), self.keywords.chunk_ids()
        incomplete = self.index.incomplete()
        missing = sum(1 for i in there - here if _document(i) not in incomplete)
        extra = sum(1 for i in here - there if _document(i) not in incomplete)
        return Agreement(len(there), missing, extra, len(incomplete), len(self._unfinished()))

    def mend(self, timeout: float = 600) -> None:
        """Make :meth:`compare` good: finish journalled writes, delete interrupted documents.

        Raises :class:`IndexingError` after ``timeout`` seconds of another process's writing.
        """
        with self.writing(timeout=timeout):
            self.sweep()
            there, here = self.index.chunk_ids(), self.keywords.chunk_ids()
            self._reindex({_document(i) for i in there ^ here})


def open_listing(folder: Path) -> Listing:
    """The list of documents of the library in ``folder``."""
    return Listing(folder / "documents.sqlite3")


def in_step(listing: Listing) -> bool:
    """Whether the last write on this machine was finished, and the list follows it.

    What no index has to be opened for, so that the first page of a process is quick. Writes of
    other machines to a Chroma server are seen when the library is.
    """
    folder = listing.path.parent
    try:
        stamp = (folder / _STAMP).read_text(encoding="utf-8")
    except OSError:
        return False
    return bool(stamp) and not (folder / _JOURNAL).exists() and listing.stamp == stamp


def _document(chunk_id: str) -> str:
    return chunk_id.rpartition(":")[0]


def version_of(shape: str, contents: Iterable[tuple[str, str]]) -> str:
    """Twelve hex digits that differ whenever the documents, their cutting or the model do.

    ``contents`` are the id and content hash of every document.
    """
    found = hashlib.sha256(shape.encode())
    for document_id, content in sorted(contents):
        found.update(f"\n{document_id} {content}".encode("utf-8", "surrogatepass"))
    return found.hexdigest()[:12]


def totals(records: Iterable[DocumentRecord]) -> tuple[int, int, int]:
    """Documents, sections and chunks."""
    found = list(records)
    return len(found), sum(r.sections for r in found), sum(r.chunks for r in found)
