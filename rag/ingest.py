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

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rag.chunk import Chunking
from rag.edits import Edit, Edits, edited
from rag.library import Library, totals, version_of
from rag.readers import FoundFiles, ReadOptions, ReadResult, find_files, read_bytes
from rag.staging import Staging
from rag.types import (
    Document,
    Embedder,
    FileReport,
    IngestProgress,
    IngestResult,
    ReadFailure,
    SourceFile,
)
from rag.versions import (
    HashedFile,
    content_hash,
    edited_hash,
    given_up,
    hash_files,
    same_text,
    same_words,
    shape_of,
    unreadable,
)

Progress = Callable[[IngestProgress], None]

_SAID = 3
"""What is said at most of one file in its report; the result says all."""

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
    read: list[FileReport] = field(default_factory=list)
    """Files whose documents are still to be written."""
    restored: set[str] = field(default_factory=set)
    """Documents that a person had deleted, and whose file was asked for again."""
    stopped: bool = False
    reading: float = 0.0


class Stopped(Exception):
    """The ingest was asked to end early."""


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """How an ingest is run, beside what it reads.

    ``progress`` and ``file`` are told how it goes as a whole and file by file; ``stop`` is asked
    often whether to end early. Of what is found, only the sources in ``only`` are ingested.
    ``asked`` is whether a person named the files: then documents of theirs that had been
    deleted come back. ``wait`` is seconds of another writer's work.
    """

    progress: Progress | None = None
    file: Callable[[FileReport], None] | None = None
    stop: Callable[[], bool] | None = None
    only: Collection[str] | None = None
    asked: bool = True
    wait: float = 600.0


class Ingest:
    """One ingest of some paths into one library.

    ``load`` gives the embedder of ``model`` and is called only where a file changed: importing
    what a model runs on takes longer than finding that none did. ``document_prompt`` is what
    the model puts before a text, ``options`` are those of the readers. Call :meth:`run` once.
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
        edits: Edits,
        how: IngestOptions | None = None,
    ) -> None:
        self._library = library
        self._load = load
        self._model = model
        self._embedder: Embedder | None = None
        self._prototype = prototype
        self._chunking = chunking
        self._options = options
        self._store = edits
        self._edits: dict[str, Edit] = {}
        self._unwanted: dict[str, str] = {}
        """Documents that a person deleted, and their content hash."""
        self._how = how or IngestOptions()
        self._report = self._how.progress or (lambda _: None)
        self._file = self._how.file or (lambda _: None)
        self._shape = shape_of(model, chunking, options, document_prompt)
        self._started = time.perf_counter()
        self._run = _Run()
        self._staged = Staging(library, self._loaded, chunking)
        self._chunks_done = 0
        self._unread = 0
        """Bytes of changed files that are still to be read: about the characters they will give."""
        self._embedded = 0
        """Characters of new documents that are embedded."""
        self._files_done = self._files_total = 0

    def run(self, paths: Sequence[Path], *, prune: bool = False) -> IngestResult:
        """Ingest files and folders; ``prune`` removes documents of files that are not among them.

        A file that cannot be read is reported and costs nothing else. Nothing is pruned
        when a path does not exist, or there is no file at all, for that would empty the
        library over a slip. Raises :class:`Stopped` where it was told to while it waited.
        """
        run = self._run
        self._tell("waiting")
        with self._library.writing(waiting=self._waiting, timeout=self._how.wait):
            found = self._found(paths)
            run.failed.extend((*found.failures, *found.sidecar_failures))
            files, unread = hash_files(found, self._shape, self._options.max_bytes)
            run.failed.extend(unread)
            for failure in (*unread, *found.sidecar_failures):
                self._file(FileReport(failure.path.partition(", line ")[0], "failed", 0, failure.error))
            self._library.sweep()
            self._edits, self._unwanted = self._store.all(), self._store.deleted()
            self._staged.load()
            by_source = self._by_source()
            changed = [f for f in files if not f.is_unchanged(by_source.get(f.source, {}))]
            unchanged = {f.source for f in files} - {f.source for f in changed}
            for source in unchanged:
                run.seen.update((i, self._staged.records[i].content_hash) for i in by_source[source])
                self._file(FileReport(source, "unchanged", len(by_source[source])))
            run.counted.update(run.seen)
            run.unchanged = len(run.counted)
            self._files_total, self._files_done = len(files), len(unchanged)
            self._unread = sum(f.size for f in changed)
            if changed:
                self._loaded()  # before anything is marked as changing
                self._mark_changing()
            try:
                for file in changed:
                    self._check_stop()
                    self._ingest_file(file, by_source.get(file.source, {}))
                    self._files_done += 1
                    self._unread -= file.size
                    self._tell("reading", file.source)
                if prune:
                    self._prune({f.source for f in files} | {f.path for f in unread}, found.failures)
                self._flush()
            except Stopped:
                # What is pending was not written, and what it replaces is still there.
                run.stopped = True
                self._staged.load()
            self._finish()
        documents, sections, chunks = totals(self._staged.records.values())
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
                "embed": self._staged.spent.embedding,
                "write": self._staged.spent.writing,
                "total": time.perf_counter() - self._started,
            },
            skipped=found.skipped,
            stopped=run.stopped,
        )

    def _loaded(self) -> Embedder:
        """The embedder, loaded when the first file turns out to have changed."""
        if self._embedder is None:
            self._embedder = self._load()
        return self._embedder

    def _found(self, paths: Sequence[Path]) -> FoundFiles:
        found = find_files(paths, self._options.max_bytes)
        only = self._how.only
        if only is None:
            return found
        named = [(path, source) for path, source in found.files if source in only]
        said = [f for f in found.sidecar_failures if f.path.partition(", line ")[0] in only]
        return replace(found, files=tuple(named), sidecar_failures=tuple(said), skipped=())

    def _waiting(self) -> None:
        self._check_stop()
        self._tell("waiting")

    def _check_stop(self) -> None:
        if self._how.stop is not None and self._how.stop():
            raise Stopped

    # --- what changed ----------------------------------------------------------

    def _by_source(self) -> dict[str, dict[str, SourceFile]]:
        """For each source: the ids of its documents, and what the record says of the file."""
        found: dict[str, dict[str, SourceFile]] = {}
        for record in self._staged.records.values():
            for file in record.files:
                found.setdefault(file.path, {})[record.id] = file
        return found

    # --- one file ----------------------------------------------------------------

    def _ingest_file(self, file: HashedFile, known: Mapping[str, SourceFile]) -> None:
        started = time.perf_counter()
        self._tell("reading", file.source)
        self._file(FileReport(file.source, "running"))
        failed = len(self._run.failed)
        result = self._read(file)
        self._run.reading += time.perf_counter() - started
        self._run.failed.extend(result.failures)
        # Where nothing could be read, what was read of this file before is better than nothing.
        given = self._take(file, result, known) if result.documents or not result.failures else 0
        said = "\n".join(failure.error for failure in self._run.failed[failed:][:_SAID])
        report = FileReport(file.source, "failed" if said and not given else "done", given, said)
        if self._staged.pending:
            self._run.read.append(report)
        else:
            self._file(report)

    def _read(self, file: HashedFile) -> ReadResult:
        if file.size > self._options.max_bytes:
            limit = self._options.max_bytes / 1_000_000
            error = (
                f"It has {file.size / 1_000_000:.0f} MB, and the limit is {limit:g} MB. Split it, or "
                "raise THUMBPRINT_MAX_FILE_MB."
            )
            return ReadResult(failures=(ReadFailure(file.source, error),))
        try:
            data = file.path.read_bytes()
        except OSError as error:
            return ReadResult(failures=(unreadable(file.source, error),))
        return read_bytes(data, file.source, replace(self._options, declared=file.declared))

    def _take(self, file: HashedFile, result: ReadResult, known: Mapping[str, SourceFile]) -> int:
        """Put what was read of a file in line; how many documents it gives."""
        documents = self._accept(result.documents, known)
        # A file of which a part failed is read again next time, so that it is said again.
        distinct = {d.id for d in result.documents} - self._unwanted.keys()
        whole = not result.failures and len(documents) == len(distinct)
        sha256 = file.sha256 if whole else ""
        new_ids = {d.id for d, _ in documents}
        gone = [i for i in given_up(known, result) if i not in new_ids]
        fresh = given = 0
        for document, content in documents:
            member = document.source.removeprefix(file.source).lstrip("/")
            origin = SourceFile(file.source, sha256, len(documents), member)
            record = self._staged.records.get(document.id)
            if record is not None and same_text(record.content_hash, content):
                is_same = record.content_hash == content
                self._run.unchanged += is_same and document.id not in self._run.counted
                self._run.replaced += not is_same
                self._staged.keep(record, origin, document, content)
            elif self._staged.add(document, content, origin):
                fresh += record is None
                self._run.replaced += record is not None
                if self._staged.pending_chunks >= _FLUSH_CHUNKS:
                    self._flush()
            else:
                error = f"“{document.title}” has no words to search."
                self._run.failed.append(ReadFailure(file.source, error))
                continue
            given += 1
            self._run.counted.add(document.id)
        vanished = self._staged.leave(file.source, gone)
        # A new text in the place of an old one replaces it, whatever their ids.
        self._run.replaced += min(fresh, vanished)
        self._run.added += max(0, fresh - vanished)
        self._run.removed += max(0, vanished - fresh)
        return given

    def _accept(self, documents: Sequence[Document], known: Collection[str]) -> list[tuple[Document, str]]:
        """The documents that are wanted, as they were edited, and their content hashes.

        Left out are those whose id was given to something else in this run already.
        """
        hashed = [(document, content_hash(document, self._shape)) for document in documents]
        edits = edited({both[0].id: both for both in hashed}, self._edits, known, self._store)
        accepted: dict[str, tuple[Document, str]] = {}
        for document, content in hashed:
            if document.id in self._unwanted:
                if not self._how.asked and same_words(self._unwanted[document.id], content):
                    continue
                del self._unwanted[document.id]
                self._run.restored.add(document.id)
            if document.id in edits:
                title, metadata = edits[document.id].shown
                document = replace(document, title=title, metadata=metadata)
                content = edited_hash(content, edits[document.id].facts)
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

    def _prune(self, sources: set[str], unseen: Sequence[ReadFailure]) -> None:
        """Remove what files gave that are not there; nothing where that cannot be known."""
        missing = [failure.path for failure in unseen if not Path(failure.path).is_file()]
        if missing:
            self._run.failed.append(
                ReadFailure(missing[0], "As it could not be looked into, nothing was pruned. Mend the path.")
            )
            return
        if not sources and self._staged.records:
            self._run.failed.append(
                ReadFailure(".", "No file was found, so nothing was pruned. Name the folder that holds them.")
            )
            return
        for source, known in self._by_source().items():
            if source not in sources:
                self._run.removed += self._staged.leave(source, list(known))

    # --- writing -------------------------------------------------------------------

    def _flush(self) -> None:
        written = self._staged.flush(self._embedded_some)
        self._embedded = self._staged.queued  # with the gaps between sections
        self._store.restore(self._run.restored)
        self._run.restored.clear()
        for report in self._run.read:
            self._file(report)
        self._run.read.clear()
        self._chunks_done += written
        if written:
            self._tell("embedding")

    def _embedded_some(self, characters: int) -> None:
        self._embedded += characters
        self._tell("embedding")
        self._check_stop()

    def _mark_changing(self) -> None:
        """While the library changes, answers must not claim the version that was there before."""
        version = self._library.index.facts().get("index_version", "")
        if version and not version.endswith("+"):
            self._library.index.set_facts(index_version=f"{version}+")

    def _finish(self) -> None:
        shape = self._shape.digest
        version = version_of(shape, [(r.id, r.content_hash) for r in self._staged.records.values()])
        known = self._library.index.facts()
        if (self._staged.records or known) and known.get("index_version") != version:
            backend = {"backend": self._embedder.backend} if self._embedder else {}
            self._library.index.set_facts(index_version=version, shape=shape, model=self._model, **backend)
            self._library.settle(self._staged.records)

    def _tell(self, stage: str, current: str = "") -> None:
        seconds = time.perf_counter() - self._started
        share = self._embedded / max(1, self._staged.queued + self._unread)
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
