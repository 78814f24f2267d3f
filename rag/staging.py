"""What an ingest is about to write: the records as they will be, and the documents that wait.

The new is written before the old goes, in one step (:meth:`Staging.flush`), so that at no
time there is less to answer from; what was never flushed was never there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from rag.chunk import Chunking, split
from rag.library import Library
from rag.types import Chunk, Document, DocumentRecord, Embedder, SourceFile
from rag.vectors import embed_documents


@dataclass(slots=True)
class Spent:
    """Seconds that went into the vectors and into the indexes."""

    embedding: float = 0.0
    writing: float = 0.0


class Staging:
    """The records of a library as they will be when everything that is pending is written.

    ``load`` gives the embedding model, which is asked for where there is something to cut.
    """

    def __init__(self, library: Library, load: Callable[[], Embedder], chunking: Chunking) -> None:
        self._library = library
        self._load = load
        self._chunking = chunking
        self.spent = Spent()
        self.queued = 0
        """Characters of all new documents so far."""
        self._reset()

    def _reset(self) -> None:
        self.records: dict[str, DocumentRecord] = {}
        self.pending: dict[str, tuple[Sequence[Chunk], str]] = {}
        """New documents by id: their chunks and text."""
        self.pending_chunks = 0
        self._touched: set[str] = set()
        """Documents whose files changed and whose chunks did not."""
        self._visible: set[str] = set()
        """Those of them whose source, title or metadata changed, which filters see."""
        self._deleted: set[str] = set()

    def load(self) -> None:
        """Begin with what the library holds; whatever is pending is forgotten."""
        self._reset()
        self.records = self._library.index.records()

    def keep(self, record: DocumentRecord, origin: SourceFile, document: Document, content: str) -> None:
        """The same text again: note where it came from, and what is said of it."""
        at = next((n for n, f in enumerate(record.files) if f.path == origin.path), len(record.files))
        kept = replace(record, files=(*record.files[:at], origin, *record.files[at + 1 :]))
        if content != record.content_hash:  # no other file says this of it
            kept = replace(kept, files=(origin,))
        if kept.files[0] == origin:  # the first place is the one shown
            kept = replace(kept, title=document.title, metadata=document.metadata, content_hash=content)
        if kept == record:
            return
        if replace(kept, files=record.files) != record or kept.source != record.source:
            self._visible.add(record.id)
        self.records[record.id] = kept
        self._touched.add(record.id)

    def add(self, document: Document, content: str, origin: SourceFile) -> bool:
        """Cut a new or changed document and put it in line; False where it has no words."""
        lead, chunks = split(document, self._load().count_tokens, self._chunking)
        if not chunks:
            return False
        known = self.records.get(document.id)
        record = DocumentRecord(
            id=document.id,
            files=(origin,),
            content_hash=content,
            title=document.title,
            metadata=document.metadata,
            chunks=len(chunks),
            sections=len({(c.section.start, c.section.end) for c in chunks}),
            lead=lead,
            added=known.added if known else time.time(),
        )
        self.records[document.id] = record
        self.pending[document.id] = (chunks, document.text)
        self.queued += len(document.text)
        self._deleted.discard(document.id)  # it moved here from another file
        self.pending_chunks += len(chunks)
        return True

    def leave(self, source: str, document_ids: Iterable[str]) -> int:
        """A file no longer gives these documents; those that no file gives go. How many."""
        deleted = 0
        for document_id in document_ids:
            record = self.records.get(document_id)
            if record is None or all(f.path != source for f in record.files):
                continue  # another file took it over in this run
            files = tuple(f for f in record.files if f.path != source)
            if not files:
                del self.records[document_id]
                self._deleted.add(document_id)
                deleted += 1
                continue
            left = replace(record, files=files)
            if left.source != record.source:
                # The rest of what is shown (its type, its row) is known when that file is read again.
                left = replace(
                    left,
                    files=(replace(files[0], sha256=""), *files[1:]),
                    title=_renamed(record.title, record.source, left.source),
                )
                self._visible.add(document_id)
            self.records[document_id] = left
            self._touched.add(document_id)
        return deleted

    def flush(self, report: Callable[[int], None]) -> int:
        """Write what is pending: the new before the old goes. How many chunks it was.

        ``report`` is told of characters that were embedded, and may raise: then nothing is written.
        """
        started = time.perf_counter()
        written = self.pending_chunks
        if self.pending:
            pending = [(self.records[i], *cut) for i, cut in self.pending.items() if i in self.records]
            rows = embed_documents(self._load(), [(c, text) for _, c, text in pending], report)
            self.spent.embedding += time.perf_counter() - started
            started = time.perf_counter()
            self._library.write([(r, c, v) for (r, c, _), v in zip(pending, rows, strict=True)])
        touched = self._touched - self.pending.keys()
        self._library.update(
            [self.records[i] for i in sorted(touched) if i in self.records], visible=self._visible
        )
        self._library.delete(self._deleted)
        self.spent.writing += time.perf_counter() - started
        for done in (self.pending, self._touched, self._visible, self._deleted):
            done.clear()
        self.pending_chunks = 0
        return written


def _renamed(title: str, old: str, new: str) -> str:
    """The title of a document whose file is now another: it follows where it was the file's name."""
    stem = PurePosixPath(old).stem
    rest = title.removeprefix(stem)
    if rest == title or (rest and not rest.startswith(", line ")):
        return title
    return f"{PurePosixPath(new).stem}{rest}"
