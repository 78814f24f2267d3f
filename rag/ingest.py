"""Files into a library: hash, read, cut, embed, write; only what changed.

The collection itself remembers which file gave which document, so an ingest needs no
other record of the past. A file counts as unchanged when all its documents are there
under its present hash; an ingest that was interrupted anywhere leaves fewer of them, and
the next one reads that file again. What is new is written before what it replaces is
deleted, so at no time is there less to answer from.

A file may give many documents (a table, an archive, an e-mail): of one that changed, only
those are embedded whose text did. Where the same content comes from several places, what
is shown of it (title, source, row) is that of the first.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath

from rag.chunk import Chunking, split
from rag.library import Item, Library, totals
from rag.readers import ReadOptions, ReadResult, find_files, read_bytes
from rag.types import (
    Chunk,
    Document,
    DocumentRecord,
    Embedder,
    IngestProgress,
    IngestResult,
    ReadFailure,
    SourceFile,
    Vectors,
)
from rag.versions import HashedFile, content_hash, hash_files, index_version, same_text, unreadable

Progress = Callable[[IngestProgress], None]

VERSION = "3"
"""Grows when the readers give other documents, or the vectors other values, than before."""

_SLICE = 64
"""Sections embedded between two reports of progress: a second or two."""

_FLUSH_CHUNKS = 1_000
"""Chunks written at a time: about what a minute's interruption costs, and few commits."""


@dataclass(slots=True)
class _Run:
    """The counts of one ingest, and what it has seen."""

    added: int = 0
    unchanged: int = 0
    replaced: int = 0
    removed: int = 0
    failed: list[ReadFailure] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)
    """Document id -> content hash, of this run: an id may not mean two things."""
    counted: set[str] = field(default_factory=set)
    """Documents that are in one of the counts: a second file of one adds nothing to them."""
    reading: float = 0.0
    embedding: float = 0.0
    writing: float = 0.0


class Ingest:
    """One ingest of some paths into one library.

    ``load`` gives the embedder of ``model`` and is called only where a file changed: importing
    what a model runs on takes longer than finding that none did. ``options`` are those of the
    readers, and ``document_prompt`` what the model puts before a text. Call :meth:`run` once.
    """

    def __init__(
        self,
        library: Library,
        load: Callable[[], Embedder],
        *,
        model: str,
        document_prompt: str = "",
        prototype: str,
        chunking: Chunking,
        options: ReadOptions,
        progress: Progress | None = None,
    ) -> None:
        self._library = library
        self._load = load
        self._model = model
        self._embedder: Embedder | None = None
        self._prototype = prototype
        self._chunking = chunking
        self._options = options
        self._report = progress or (lambda _: None)
        csv = {pattern: asdict(columns) for pattern, columns in options.csv.items()}
        # What computes the vectors is no part of it: those of all backends mix (rag/embed).
        made_of = [VERSION, model, asdict(chunking), csv, *([document_prompt] if document_prompt else [])]
        self._shape = json.dumps(made_of, sort_keys=True)
        self._started = time.perf_counter()
        self._run = _Run()
        self._records: dict[str, DocumentRecord] = {}
        """What the library holds when everything that is pending is written."""
        self._pending: dict[str, tuple[Sequence[Chunk], str]] = {}
        """New documents by id: their chunks and text."""
        self._pending_chunks = 0
        self._touched: set[str] = set()
        """Documents whose files changed and whose chunks did not."""
        self._visible: set[str] = set()
        """Those of them whose source, title or metadata changed, which filters see."""
        self._deleted: set[str] = set()
        self._chunks_done = 0
        self._unread = 0
        """Bytes of changed files that are still to be read: about the characters they will give."""
        self._queued = self._embedded = 0
        """Characters of new documents, of this run, and of those that are embedded."""
        self._files_done = self._files_total = 0

    def run(self, paths: Sequence[Path], *, prune: bool = False) -> IngestResult:
        """Ingest files and folders; ``prune`` removes documents of files that are not among them.

        A file that cannot be read is reported and costs nothing else. Nothing is pruned
        when a path does not exist, for that would empty the library over a slip.
        """
        run = self._run
        self._tell("waiting")
        with self._library.writing(waiting=lambda: self._tell("waiting")):
            found = find_files(paths)
            run.failed.extend((*found.failures, *found.sidecar_failures))
            files, unread = hash_files(found, self._shape, self._options.max_bytes)
            run.failed.extend(unread)
            self._library.sweep()
            self._records = self._library.index.records()
            by_source = self._by_source()
            changed = [f for f in files if not f.is_unchanged(by_source.get(f.source, {}))]
            unchanged = {f.source for f in files} - {f.source for f in changed}
            for source in unchanged:
                run.seen.update((i, self._records[i].content_hash) for i in by_source[source])
            run.counted.update(run.seen)
            run.unchanged = len(run.counted)
            self._files_total, self._files_done = len(files), len(unchanged)
            self._unread = sum(f.size for f in changed)
            if changed:
                self._model_loaded()  # before anything is marked as changing
                self._mark_changing()
            for file in changed:
                self._ingest_file(file, by_source.get(file.source, {}))
                self._files_done += 1
                self._unread -= file.size
                self._tell("reading", file.source)
            if prune:
                self._prune({f.source for f in files} | {f.path for f in unread}, found.failures)
            self._flush()
            self._finish()
        documents, sections, chunks = totals(self._records.values())
        self._tell("done")
        return IngestResult(
            prototype=self._prototype,
            files=len(files),
            added=run.added,
            unchanged=run.unchanged,
            replaced=run.replaced,
            removed=run.removed,
            failed=tuple(run.failed),
            documents=documents,
            sections=sections,
            chunks=chunks,
            seconds={
                "read": run.reading,
                "embed": run.embedding,
                "write": run.writing,
                "total": time.perf_counter() - self._started,
            },
            skipped=found.skipped,
        )

    def _model_loaded(self) -> Embedder:
        """The embedder, loaded when the first file turns out to have changed."""
        if self._embedder is None:
            self._embedder = self._load()
        return self._embedder

    # --- what changed ----------------------------------------------------------

    def _by_source(self) -> dict[str, dict[str, SourceFile]]:
        """For each source: the ids of its documents, and what the record says of the file."""
        found: dict[str, dict[str, SourceFile]] = {}
        for record in self._records.values():
            for file in record.files:
                found.setdefault(file.path, {})[record.id] = file
        return found

    # --- one file ----------------------------------------------------------------

    def _ingest_file(self, file: HashedFile, known: Mapping[str, SourceFile]) -> None:
        started = time.perf_counter()
        self._tell("reading", file.source)
        if file.size > self._options.max_bytes:
            limit = self._options.max_bytes / 1_000_000
            self._run.failed.append(
                ReadFailure(
                    file.source,
                    f"It has {file.size / 1_000_000:.0f} MB, and the limit is {limit:g} MB. Split it, or "
                    "raise THUMBPRINT_MAX_FILE_MB.",
                )
            )
            return
        try:
            data = file.path.read_bytes()
        except OSError as error:
            self._run.failed.append(unreadable(file.source, error))
            return
        result = read_bytes(data, file.source, replace(self._options, declared=file.declared))
        self._run.reading += time.perf_counter() - started
        self._run.failed.extend(result.failures)
        if not result.documents and result.failures:
            return  # what was read of this file before is better than nothing
        documents = self._accept(result.documents)
        # A file of which a part failed is read again next time, so that it is said again.
        whole = not result.failures and len(documents) == len({d.id for d in result.documents})
        sha256 = file.sha256 if whole else ""
        new_ids = {d.id for d, _ in documents}
        gone = [i for i in _given_up(known, result) if i not in new_ids]
        fresh = 0
        for document, content in documents:
            member = document.source.removeprefix(file.source).lstrip("/")
            origin = SourceFile(file.source, sha256, len(documents), member)
            record = self._records.get(document.id)
            if record is not None and same_text(record.content_hash, content):
                is_same = record.content_hash == content
                self._run.unchanged += is_same and document.id not in self._run.counted
                self._run.replaced += not is_same
                self._keep(record, origin, document, content)
            elif self._add(document, content, origin):
                fresh += record is None
                self._run.replaced += record is not None
            else:
                continue
            self._run.counted.add(document.id)
        vanished = self._leave(file.source, gone)
        # A new text in the place of an old one replaces it, whatever their ids.
        self._run.replaced += min(fresh, vanished)
        self._run.added += max(0, fresh - vanished)
        self._run.removed += max(0, vanished - fresh)

    def _accept(self, documents: Sequence[Document]) -> list[tuple[Document, str]]:
        """The documents whose id was not given to something else in this run already."""
        accepted: dict[str, tuple[Document, str]] = {}
        for document in documents:
            content = content_hash(document, self._shape)
            if self._run.seen.setdefault(document.id, content) != content:
                self._run.failed.append(
                    ReadFailure(
                        document.source,
                        f"The id “{document.id}” already belongs to another text of this ingest. Give each "
                        "document an id of its own.",
                    )
                )
                continue
            accepted.setdefault(document.id, (document, content))
        return list(accepted.values())

    def _keep(self, record: DocumentRecord, origin: SourceFile, document: Document, content: str) -> None:
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
        self._records[record.id] = kept
        self._touched.add(record.id)

    def _add(self, document: Document, content: str, origin: SourceFile) -> bool:
        """Cut a new or changed document and put it in line; False where it has no words."""
        lead, chunks = split(document, self._model_loaded().count_tokens, self._chunking)
        if not chunks:
            self._run.failed.append(ReadFailure(origin.source, f"“{document.title}” has no words to search."))
            return False
        record = DocumentRecord(
            id=document.id,
            files=(origin,),
            content_hash=content,
            title=document.title,
            metadata=document.metadata,
            chunks=len(chunks),
            sections=len({(c.section.start, c.section.end) for c in chunks}),
            lead=lead,
        )
        self._records[document.id] = record
        self._pending[document.id] = (chunks, document.text)
        self._queued += len(document.text)
        self._deleted.discard(document.id)  # it moved here from another file
        self._pending_chunks += len(chunks)
        if self._pending_chunks >= _FLUSH_CHUNKS:
            self._flush()
        return True

    def _leave(self, source: str, document_ids: Iterable[str]) -> int:
        """A file no longer gives these documents; those that no file gives go. How many."""
        deleted = 0
        for document_id in document_ids:
            record = self._records.get(document_id)
            if record is None or all(f.path != source for f in record.files):
                continue  # another file took it over in this run
            files = tuple(f for f in record.files if f.path != source)
            if not files:
                del self._records[document_id]
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
            self._records[document_id] = left
            self._touched.add(document_id)
        return deleted

    def _prune(self, sources: set[str], unseen: Sequence[ReadFailure]) -> None:
        """Remove what files gave that are not there; nothing where that cannot be known."""
        missing = [failure.path for failure in unseen if not Path(failure.path).is_file()]
        if missing:
            self._run.failed.append(
                ReadFailure(missing[0], "As it could not be looked into, nothing was pruned. Mend the path.")
            )
            return
        for source, known in self._by_source().items():
            if source not in sources:
                self._run.removed += self._leave(source, list(known))

    # --- writing -------------------------------------------------------------------

    def _flush(self) -> None:
        """Write what is pending: the new before the old goes."""
        if self._pending:
            started = time.perf_counter()
            items = self._embed()
            middle = time.perf_counter()
            self._library.write(items)
            self._run.embedding += middle - started
            self._run.writing += time.perf_counter() - middle
            self._chunks_done += self._pending_chunks
        started = time.perf_counter()
        touched = self._touched - self._pending.keys()
        self._library.update(
            [self._records[i] for i in sorted(touched) if i in self._records], visible=self._visible
        )
        self._library.delete(self._deleted)
        self._run.writing += time.perf_counter() - started
        for done in (self._pending, self._touched, self._visible, self._deleted):
            done.clear()
        if self._pending_chunks:
            self._pending_chunks = 0
            self._tell("embedding")

    def _embed(self) -> list[Item]:
        import numpy as np

        texts: list[str] = []
        spans: list[list[tuple[int, int]]] = []
        owners: list[int] = []
        pending = [(i, *held) for i, held in self._pending.items() if i in self._records]
        for at, (_, chunks, text) in enumerate(pending):
            previous = None
            for chunk in chunks:
                if chunk.section != previous:
                    previous = chunk.section
                    texts.append(text[previous.start : previous.end])
                    spans.append([])
                    owners.append(at)
                spans[-1].append((chunk.start - chunk.section.start, chunk.end - chunk.section.start))
        # In slices of about the same length, so that the progress moves and little is padded.
        vectors: dict[int, Vectors] = {}
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        for start in range(0, len(order), _SLICE):
            part = order[start : start + _SLICE]
            rows_of = self._model_loaded().embed_sections(
                [texts[at] for at in part], [spans[at] for at in part]
            )
            vectors.update(zip(part, rows_of, strict=True))
            self._embedded += sum(len(texts[at]) for at in part)
            self._tell("embedding")
        self._embedded = self._queued  # with the gaps between sections
        per_document: list[list[Vectors]] = [[] for _ in pending]
        for at, owner in enumerate(owners):
            per_document[owner].append(vectors[at])
        return [
            (self._records[document_id], chunks, np.vstack(rows))
            for (document_id, chunks, _), rows in zip(pending, per_document, strict=True)
        ]

    def _mark_changing(self) -> None:
        """While the library changes, answers must not claim the version that was there before."""
        version = self._library.index.facts().get("index_version", "")
        if version and not version.endswith("+"):
            self._library.index.set_facts(index_version=f"{version}+")

    def _finish(self) -> None:
        shape = hashlib.sha256(self._shape.encode()).hexdigest()[:16]
        version = index_version(shape, self._records.values())
        known = self._library.index.facts()
        if (self._records or known) and known.get("index_version") != version:
            backend = {"backend": self._embedder.backend} if self._embedder else {}
            self._library.index.set_facts(index_version=version, shape=shape, model=self._model, **backend)
            self._library.settle(self._records)

    def _tell(self, stage: str, current: str = "") -> None:
        seconds = time.perf_counter() - self._started
        share = self._embedded / max(1, self._queued + self._unread)
        left = seconds * (1 - share) / share if share > 0.01 and seconds > 1 else None
        self._report(
            IngestProgress(
                stage=stage,  # type: ignore[arg-type]
                files_done=self._files_done,
                files_total=self._files_total,
                chunks_done=self._chunks_done,
                seconds=seconds,
                seconds_left=left,
                current=current,
                share=1.0 if stage == "done" else share,
            )
        )


def _given_up(known: Mapping[str, SourceFile], result: ReadResult) -> list[str]:
    """The documents of a file that it may not hold any more.

    Of a member that failed, as of a whole file, what was read before is kept.
    """
    read = {document.source for document in result.documents}
    failed = {failure.path for failure in result.failures}

    def is_lost(source: str) -> bool:
        holders = (source[:n] for n, letter in enumerate(source) if letter == "/")
        return source not in read and (source in failed or any(holder in failed for holder in holders))

    return [i for i, place in known.items() if not is_lost(place.source)]


def _renamed(title: str, old: str, new: str) -> str:
    """The title of a document whose file is now another: it follows where it was the file's name."""
    stem = PurePosixPath(old).stem
    rest = title.removeprefix(stem)
    if rest == title or (rest and not rest.startswith(", line ")):
        return title
    return f"{PurePosixPath(new).stem}{rest}"
