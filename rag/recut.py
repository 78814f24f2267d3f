"""The documents of one index cut another way into another collection.

Nothing is read again: the collection has every document's whole text, its headings, pages
and kinds of blocks, its metadata and what people changed of it, and which files it came
from. So documents whose files are elsewhere by now are cut anew too, and what the other
collection holds already, as the first one has it now, is left as it is.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from rag.chunk import Chunking
from rag.ingest import Progress, Stopped
from rag.library import Library, version_of
from rag.prototypes import Prototype
from rag.shelf import Shelf
from rag.staging import Staging
from rag.types import Block, Chunk, Document, DocumentRecord, IngestProgress
from rag.versions import recut, shape_of

_FLUSH_CHUNKS = 1_000
_RULE = re.compile(r"[\s|:=+*_~#-]*")
"""What stands between two rows of one table."""


class Copying:
    """One collection brought to what another one holds, under a model and a section size.

    ``open_new`` gives the collection to write, of so many dimensions. It may hold some of the
    documents already. ``stop`` tells to end: then :class:`Stopped` is raised.
    """

    def __init__(
        self,
        shelf: Shelf,
        prototype: Prototype,
        model: str,
        section_tokens: int,
        open_new: Callable[[int], Library],
        *,
        progress: Progress | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> None:
        self.started = time.perf_counter()
        self._report = progress or (lambda _: None)
        self.stop = stop
        self._done = self._total = 0
        self.tell("loading")
        self.embedder = shelf.embedder(replace(prototype.settings.embedding, model=model))
        self.old = shelf.library(prototype)
        chunking = Chunking(section_tokens=section_tokens)
        self._mark = shape_of(model, chunking, shelf.options(prototype), self.embedder.document_prompt).mark
        self.new = open_new(self.embedder.dimensions)
        self.staged = Staging(self.new, lambda: self.embedder, chunking)

    def run(self, finish: Callable[[], None], *, wait: float) -> dict[str, DocumentRecord]:
        """Copy, catch up with what was written meanwhile, and ``finish`` under the write lock.

        ``wait`` is seconds of another writer's work. What the new collection holds in the end.
        """
        self._fill(self.old.index.records())
        self.tell("waiting")
        with self.old.writing(waiting=self.check_stop, timeout=wait):
            self.old.sweep()
            records = self.old.index.records()
            self._fill(records)
            with self.new.writing():
                self.staged.flush(lambda _: None)
                self.new.delete(self.staged.records.keys() - records.keys())
                found = self.new.index.records()
                self._settle(found)
            finish()
        return found

    def _fill(self, wanted: dict[str, DocumentRecord]) -> None:
        """Bring the new index to these documents, but for those that are gone."""
        self.staged.records = self.new.index.records()
        lacking = {
            i: record
            for i, record in wanted.items()
            if i not in self.staged.records or not self._follows(self.staged.records[i], record)
        }
        self._done, self._total = 0, sum(record.chunks for record in lacking.values())
        with self.new.writing():
            for document_id, chunks in _documents(self.old, lacking):
                record = lacking[document_id]
                self._done += len(chunks)
                if len(chunks) != record.chunks:
                    continue  # it is being written at this moment: the last look finds it
                document = uncut(record, chunks)
                if self.staged.add(document, recut(record.content_hash, self._mark), record.files[0]):
                    self.staged.records[document_id] = self._recut(record, self.staged.records[document_id])
                if self.staged.pending_chunks >= _FLUSH_CHUNKS:
                    self.staged.flush(self._embedded)
                    self.tell("embedding")
            self.staged.flush(self._embedded)
            self.tell("embedding")

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
        facts = self.old.index.facts()
        shape = facts.get("shape", "")
        shape = recut(shape, self._mark) if shape else self._mark
        facts |= {
            "shape": shape,
            "model": self.embedder.name,
            "backend": self.embedder.backend,
            "index_version": version_of(shape, [(r.id, r.content_hash) for r in records.values()]),
        }
        self.new.index.set_facts(**facts)
        self.new.settle(records)

    def _embedded(self, characters: int) -> None:
        self.check_stop()

    def check_stop(self) -> None:
        """Raises :class:`Stopped` where it was told to stop."""
        if self.stop is not None and self.stop():
            raise Stopped

    def tell(self, stage: str) -> None:
        """Report how far it is; the place to stop at."""
        self.check_stop()
        seconds = time.perf_counter() - self.started
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
