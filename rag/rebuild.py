"""Another index beside the one in force, from what that one holds, and the swap of the two.

Nothing is read again: the collection has every document's whole text, its headings, pages
and kinds of blocks, its metadata and what people changed of it, and which files it came
from. So documents whose files are elsewhere by now are re-indexed too, and the next ingest
of those files finds them unchanged.

Questions are answered from the old index until the new one is complete, and ingests go
into the old one: what they change meanwhile is caught up with at the end, under the write
lock, in the moment of the swap. The swap itself is the replacement of one small file
(:mod:`rag.live`). A process killed before it leaves the old index in force, one killed
after it the new one; the other is named in the record, and deleted by whoever writes next.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from filelock import Timeout

from rag.chunk import Chunking
from rag.config import with_settings
from rag.errors import IndexingError, UsageError
from rag.index import collection_name
from rag.ingest import Progress, Stopped
from rag.library import Library, totals, version_of
from rag.live import Live, Wish, wish
from rag.prototypes import Prototype
from rag.shelf import Shelf
from rag.staging import Staging
from rag.types import Block, Chunk, Document, DocumentRecord, IngestProgress, IngestResult
from rag.versions import recut, shape_of

log = logging.getLogger(__name__)

_FLUSH_CHUNKS = 1_000
_SETTINGS = frozenset({"chunking.section_tokens", "embedding.model"})
_RULE = re.compile(r"[\s|:=+*_~#-]*")
"""What stands between two rows of one table."""


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
        self._started = time.perf_counter()
        self._shelf, self._name = shelf, name
        self._report = progress or (lambda _: None)
        self._stop = stop
        self._wait = wait
        self._done = self._total = 0
        shelf.drop_others(name)
        self._tell("loading")
        prototype = shelf.prototype(name)
        self._embedder = shelf.embedder(replace(prototype.settings.embedding, model=model))
        self._model, self._tokens = model, section_tokens
        self._old = shelf.library(prototype)
        chunking = Chunking(section_tokens=section_tokens)
        self._mark = shape_of(model, chunking, shelf.options(prototype), self._embedder.document_prompt).mark
        self._collection = f"{collection_name(name, model)}-{uuid.uuid4().hex[:8]}"
        # Named before it is made, so that it is found however this ends.
        record, dimensions = shelf.record(name), self._embedder.dimensions
        record.write(replace(shelf.live(name), others=((self._collection, dimensions),)))
        self._new = shelf.open(self._collection, dimensions, record.path.with_suffix(".building"))
        self._staged = Staging(self._new, lambda: self._embedder, chunking)

    def run(self) -> IngestResult:
        record = self._shelf.record(self._name)
        try:
            self._fill(self._old.index.records())
            self._tell("waiting")
            with self._old.writing(waiting=self._check_stop, timeout=self._wait):
                self._old.sweep()
                records = self._old.index.records()
                self._fill(records)
                with self._new.writing():
                    self._staged.flush(lambda _: None)
                    self._new.delete(self._staged.records.keys() - records.keys())
                    found = self._new.index.records()
                    self._settle(found)
                asked = wish(self._shelf.wanted(self._name).settings)
                old = ((self._old.index.name, self._old.index.dimensions),)
                record.write(Live(self._collection, self._model, self._tokens, asked, old))
        except BaseException:
            self._clear()
            raise
        self._clear()
        self._stop = None  # it is done, whoever cancels now
        self._tell("done")
        documents, sections, chunks = totals(found.values())
        seconds = {
            "embed": self._staged.spent.embedding,
            "write": self._staged.spent.writing,
            "total": time.perf_counter() - self._started,
        }
        return IngestResult(self._name, 0, 0, 0, documents, 0, (), documents, sections, chunks, seconds)

    def _clear(self) -> None:
        try:
            self._shelf.drop_others(self._name)
        except IndexingError as error:
            log.warning("What a re-index left is deleted by the next writer: %s", error)

    def _fill(self, wanted: dict[str, DocumentRecord]) -> None:
        """Bring the new index to these documents, but for those that are gone."""
        self._staged.records = self._new.index.records()
        lacking = {
            i: record
            for i, record in wanted.items()
            if i not in self._staged.records or not self._follows(self._staged.records[i], record)
        }
        self._done, self._total = 0, sum(record.chunks for record in lacking.values())
        with self._new.writing():
            for document_id, chunks in _documents(self._old, lacking):
                record = lacking[document_id]
                self._done += len(chunks)
                if len(chunks) != record.chunks:
                    continue  # it is being written at this moment: the last look finds it
                document = uncut(record, chunks)
                if self._staged.add(document, recut(record.content_hash, self._mark), record.files[0]):
                    self._staged.records[document_id] = self._recut(record, self._staged.records[document_id])
                if self._staged.pending_chunks >= _FLUSH_CHUNKS:
                    self._staged.flush(self._embedded)
                    self._tell("embedding")
            self._staged.flush(self._embedded)
            self._tell("embedding")

    def _recut(self, old: DocumentRecord, new: DocumentRecord) -> DocumentRecord:
        files = tuple(replace(file, sha256=recut(file.sha256, self._mark)) for file in old.files)
        return replace(new, files=files, added=old.added)

    def _follows(self, new: DocumentRecord, old: DocumentRecord) -> bool:
        return (
            new.content_hash == recut(old.content_hash, self._mark)
            and new.files == self._recut(old, new).files
            and (new.title, new.metadata) == (old.title, old.metadata)
        )

    def _settle(self, records: dict[str, DocumentRecord]) -> None:
        facts = self._old.index.facts()
        shape = facts.get("shape", "")
        shape = recut(shape, self._mark) if shape else self._mark
        facts |= {
            "shape": shape,
            "model": self._embedder.name,
            "backend": self._embedder.backend,
            "index_version": version_of(shape, [(r.id, r.content_hash) for r in records.values()]),
        }
        self._new.index.set_facts(**facts)
        self._new.settle(records)

    def _embedded(self, characters: int) -> None:
        self._check_stop()

    def _check_stop(self) -> None:
        if self._stop is not None and self._stop():
            raise Stopped

    def _tell(self, stage: str) -> None:
        self._check_stop()
        seconds = time.perf_counter() - self._started
        share = self._done / self._total if self._total else float(stage == "done")
        left = seconds * (1 - share) / share if share > 0.01 and seconds > 1 else None
        self._report(
            IngestProgress(
                stage=stage,  # type: ignore[arg-type]
                files_done=0,
                files_total=0,
                chunks_done=self._done,
                seconds=seconds,
                seconds_left=left,
                share=1.0 if stage == "done" else min(share, 1.0),
            )
        )


def _documents(library: Library, wanted: Collection[str]) -> Iterator[tuple[str, list[Chunk]]]:
    """The chunks of these documents, one document after the other."""
    index = library.index
    if len(wanted) < 100:
        for document_id in wanted:
            yield document_id, index.document_chunks(document_id)
        return
    chunks = (found.chunk for batch in index.iter_chunks() for found in batch)
    for document_id, group in groupby(chunks, key=lambda chunk: chunk.document_id):
        if document_id in wanted:
            yield document_id, list(group)


def uncut(record: DocumentRecord, chunks: Sequence[Chunk]) -> Document:
    """The document that was cut into these chunks, with its blocks as far as chunks show them.

    A run of chunks of one kind under one heading, with nothing but space between, is a block;
    what stands in a section before its first chunk are its heading lines.
    """
    text = record.lead + "".join(chunk.text + chunk.gap for chunk in chunks)
    blocks: list[Block] = []
    last: Chunk | None = None
    for chunk in chunks:
        section = chunk.section
        opens = last is None or last.section != section
        heading = text[section.start : chunk.start].strip() if opens else ""
        if heading:
            start = text.index(heading, section.start)
            end = start + len(heading)
            blocks.append(Block(start, end, "heading", section.path, section.page))
        joint = last is not None and not heading and _joint(last, chunk)
        if joint:
            blocks[-1] = replace(blocks[-1], end=chunk.end)
        else:
            blocks.append(Block(chunk.start, chunk.end, chunk.kind, section.path, section.page))
        last = chunk
    return Document(record.id, text, record.source, record.title, record.metadata, tuple(blocks))


def _joint(last: Chunk, chunk: Chunk) -> bool:
    """Whether two neighbours are of one block."""
    if (last.kind, last.section.path, last.section.page) != (
        chunk.kind,
        chunk.section.path,
        chunk.section.page,
    ):
        return False
    return not last.gap.strip() or (chunk.kind == "table" and bool(_RULE.fullmatch(last.gap)))
