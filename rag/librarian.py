"""The owner's side of one library: its documents, their upkeep, and the long work on them.

Cheap to make and without a state of its own: everything is the engine's, or on disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from rag.beside import forget
from rag.doctor import Check, Installation, examine
from rag.edits import Edit, cleaned
from rag.errors import IndexingError, NotFound, ReadError, ThumbprintError, UsageError
from rag.filters import parse
from rag.ingest import IngestOptions
from rag.jobs import Job, JobFile, Jobs, Task, upload_title
from rag.library import Library
from rag.listing import Sort
from rag.live import wish
from rag.prototypes import Prototype
from rag.readers.sidecar import is_sidecar_name
from rag.rebuild import index_wish, rebuild
from rag.shelf import Shelf
from rag.types import DocumentRecord, IngestResult, Metadata, MetaValue, Where
from rag.uploads import Skipped, Uploads, folder_size, safe_name
from rag.versions import edited_hash, reverted_hash

_WAIT = 5.0
"""Seconds that an edit waits for somebody else's writing; a person is waiting for it."""
_PATIENCE = 86_400.0
"""Seconds that a job in the background does; it can be cancelled."""


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document in a list. ``edited`` is whether a person changed its title or metadata;
    ``added`` is Unix seconds, 0 where it is not known."""

    id: str
    title: str
    source: str
    type: str
    metadata: Metadata
    chunks: int
    sections: int
    edited: bool
    added: float = 0.0


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """Some rows of a list, from the ``offset``-th on; ``total`` is how many the whole list has."""

    total: int
    offset: int
    rows: tuple[DocumentRow, ...]


@dataclass(frozen=True, slots=True)
class SectionView:
    """A section's span of the text, its heading path, its page from 1, and the kind of its first chunk."""

    start: int
    end: int
    path: tuple[str, ...]
    page: int | None
    kind: str


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document with its text and the spans of its sections and chunks, in order.

    ``edited`` are the metadata keys that a person changed, and ``title`` where that was.
    """

    record: DocumentRecord
    text: str
    sections: tuple[SectionView, ...]
    chunks: tuple[tuple[int, int], ...]
    edited: frozenset[str]


@dataclass(frozen=True, slots=True)
class Status:
    """What there is and how it fares. ``disk`` is bytes by ``vectors``, ``keywords``, ``uploads``.

    ``outdated`` is whether the settings ask for another index than the one there is, and
    ``wanted`` the embedding model and section tokens of that one.
    """

    documents: int
    sections: int
    chunks: int
    disk: Mapping[str, int]
    index_version: str
    embedding_model: str
    section_tokens: int
    checks: tuple[Check, ...]
    outdated: bool
    wanted: tuple[str, int] | None = None


class Librarian:
    """What the library page calls for one prototype."""

    def __init__(self, installation: Installation, shelf: Shelf, jobs: Jobs, name: str) -> None:
        self._installation = installation
        self._shelf = shelf
        self._jobs = jobs
        self._name = name

    @property
    def _prototype(self) -> Prototype:
        return self._shelf.prototype(self._name)

    @property
    def _library(self) -> Library:
        return self._shelf.library(self._prototype)

    @property
    def _uploads(self) -> Uploads:
        environment = self._shelf.environment
        return Uploads(environment.home / "uploads" / self._name, environment.max_file_bytes)

    # --- documents ---------------------------------------------------------------

    def documents(
        self,
        *,
        query: str = "",
        where: Where | None = None,
        sort: Sort = "title",
        descending: bool = False,
        offset: int = 0,
        limit: int = 25,
    ) -> DocumentPage:
        """Documents whose title, source or metadata hold all words of ``query`` (or words that
        begin so; case and accents do not count), and that the filter ``where`` lets through.

        Raises :class:`rag.errors.UsageError` for a filter that means nothing.
        """
        total, rows = self._shelf.listing(self._name).page(
            query, parse(where), sort, descending, max(0, offset), max(0, limit)
        )
        edits = self._shelf.edits(self._name).all()
        return DocumentPage(
            total,
            max(0, offset),
            tuple(
                DocumentRow(
                    id=row.id,
                    title=row.title,
                    source=row.source,
                    type=row.type,
                    metadata=row.metadata,
                    chunks=row.chunks,
                    sections=row.sections,
                    edited=row.id in edits,
                    added=row.added,
                )
                for row in rows
            ),
        )

    def document(self, document_id: str) -> DocumentView:
        """Raises :class:`rag.errors.NotFound`."""
        index = self._library.index
        record = self._record(document_id)
        chunks = index.document_chunks(document_id)
        sections: dict[tuple[int, int], SectionView] = {}
        for chunk in chunks:
            section = chunk.section
            view = SectionView(section.start, section.end, section.path, section.page, chunk.kind)
            sections.setdefault((section.start, section.end), view)
        edit = self._shelf.edits(self._name).all().get(document_id)
        return DocumentView(
            record=record,
            text=record.lead + "".join(chunk.text + chunk.gap for chunk in chunks),
            sections=tuple(sections.values()),
            chunks=tuple((chunk.start, chunk.end) for chunk in chunks),
            edited=edit.keys if edit else frozenset(),
        )

    def edit(
        self, document_id: str, *, title: str | None = None, metadata: Mapping[str, MetaValue | None]
    ) -> DocumentRecord:
        """Change a document's title and some of its metadata; a value of None takes its key away.

        Raises :class:`rag.errors.NotFound`, and :class:`rag.errors.UsageError` for a value that
        no metadata has.
        """
        said = cleaned(title, metadata)
        store = self._shelf.edits(self._name)
        with self._library.writing(timeout=_WAIT):
            record = self._record(document_id)
            known = store.all().get(document_id) or Edit(
                document_id, record.source, None, {}, record.title, record.metadata, record.content_hash
            )
            changes = {
                key: value
                for key, value in {**known.metadata, **said}.items()
                if value != known.base_metadata.get(key)
                or type(value) is not type(known.base_metadata.get(key))
            }
            named = known.title if title is None else " ".join(title.split())
            edit = replace(known, title=None if named == known.base_title else named, metadata=changes)
            return self._apply(record, edit)

    def revert(self, document_id: str) -> DocumentRecord:
        """Take the edits back: the title and metadata that the file gives. Raises ``NotFound``."""
        with self._library.writing(timeout=_WAIT):
            record = self._record(document_id)
            known = self._shelf.edits(self._name).all().get(document_id)
            return record if known is None else self._apply(record, replace(known, title=None, metadata={}))

    def _apply(self, record: DocumentRecord, edit: Edit) -> DocumentRecord:
        """Write an edit down, and then into the index. The write lock is held."""
        store = self._shelf.edits(self._name)
        if edit.keys:
            store.put([edit])
        title, metadata = edit.shown
        content = reverted_hash(edit.base_content, record.content_hash)
        if edit.keys:
            content = edited_hash(content, edit.facts)
        changed = replace(record, title=title, metadata=metadata, content_hash=content)
        library = self._library
        library.update([changed], visible=[changed.id])
        library.renew(changed=[changed])
        if not edit.keys:
            store.remove([edit.document_id])
        return changed

    def _record(self, document_id: str) -> DocumentRecord:
        record = self._library.index.record(document_id)
        if record is None:
            raise NotFound(f"There is no document “{document_id}” in “{self._name}” any more.")
        return record

    def delete(self, document_ids: Sequence[str]) -> int:
        """Delete documents; how many there were. An uploaded file goes with its last document."""
        if not document_ids:
            return 0
        deleted = self._shelf.delete(self._prototype, document_ids, timeout=_WAIT)
        forget(self._shelf, self._name, [record.id for record in deleted])
        listing, uploads = self._shelf.listing(self._name), self._uploads
        paths = {file.path for record in deleted for file in record.files}
        uploads.remove(path for path in sorted(paths) if uploads.has(path) and not listing.holds(path))
        return len(deleted)

    # --- long work -----------------------------------------------------------------

    def upload(self, files: Iterable[tuple[str, bytes | BinaryIO]]) -> Job:
        """Store files (relative name and content) and index them in the background."""
        uploads = self._uploads
        uploads.sweep(lambda job_id: self._jobs.alive(self._name, job_id))
        task = self._jobs.open(self._name, "upload", "Upload")
        stored: list[str] = []
        try:
            for given, content in files:
                shown = _printable(given)
                try:
                    name = shown = safe_name(given)
                    if name in stored:
                        shown = f"{name} (again)"
                        raise ReadError("Another file of this upload has the same name. Rename one of them.")
                    uploads.store(name, content, task.id)
                except ReadError as error:
                    task.add(
                        JobFile(shown, "skipped" if isinstance(error, Skipped) else "failed", str(error))
                    )
                    continue
                stored.append(name)
                task.journal.add(name)
                task.add(JobFile(name))
            uploads.settle(task.id)
        except BaseException as error:
            # What is stored already is not lost: a retry takes it up.
            said = str(error) if isinstance(error, ThumbprintError) else "The upload broke off."
            task.change(title=upload_title([file.name for file in task.snapshot().files]))
            task.settle("failed", said, None)
            task.journal.close("failed", said, [(name, said) for name in stored])
            raise
        return self._ingest(task, stored)

    def _ingest(self, task: Task, names: Sequence[str]) -> Job:
        task.change(title=upload_title([file.name for file in task.snapshot().files]))
        uploads = self._uploads

        def work(task: Task) -> IngestResult | None:
            if not names:
                return None
            only = set(names)
            for name in names:
                if is_sidecar_name(name):  # it says something of the files beside it
                    only.update(uploads.beside(name))
            how = IngestOptions(
                progress=task.progress, file=task.file, stop=task.stop, only=only, wait=_PATIENCE
            )
            return self._shelf.ingest(self._prototype, [uploads.folder], how=how)

        return self._jobs.start(task, work)

    def retry(self, job_id: str) -> Job:
        """The files of a job that are not indexed yet, or the whole of another job, once more."""
        job = self._jobs.get(self._name, job_id)
        if job.active:
            raise UsageError("This job is still going on. Wait for it, or cancel it.")
        if job.kind == "reindex":
            settings = self._jobs.settings(self._name, job_id)
            self._jobs.dismiss(self._name, job_id)
            return self.reindex(settings)
        if job.kind == "mend":
            self._jobs.dismiss(self._name, job_id)
            return self.mend()
        uploads = self._uploads
        names = [f.name for f in job.files if f.state not in ("done", "unchanged") and uploads.has(f.name)]
        if not names:
            raise UsageError("No file of this job is left to be indexed. Upload those that failed again.")
        task = self._jobs.open(self._name, "upload", job.title)
        for name in names:
            task.journal.add(name)
            task.add(JobFile(name))
        self._jobs.dismiss(self._name, job_id)
        return self._ingest(task, names)

    def reindex(self, settings: Mapping[str, str]) -> Job:
        """Build another index beside the one in force, and put it in its place when it is complete.

        ``settings`` may have ``chunking.section_tokens`` and ``embedding.model``; what it has not
        is as the prototype says. Raises :class:`rag.errors.UsageError` for any other.
        """
        model, tokens = index_wish(self._shelf.wanted(self._name), settings)
        task = self._jobs.open(self._name, "reindex", f"Re-index: {model}, sections of {tokens}", settings)

        def work(task: Task) -> IngestResult:
            return rebuild(
                self._shelf, self._name, model, tokens, progress=task.progress, stop=task.stop, wait=_PATIENCE
            )

        return self._jobs.start(task, work)

    def mend(self) -> Job:
        """Check and mend the indexes in the background."""

        def work(task: Task) -> None:
            bad = [c for c in examine(self._installation, self._name, mend=True) if not c.ok]
            if bad:
                raise IndexingError(" ".join(check.message for check in bad))

        return self._jobs.start(self._jobs.open(self._name, "mend", "Check and mend"), work)

    def jobs(self) -> tuple[Job, ...]:
        """What goes on and what went on lately, newest first."""
        return self._jobs.of(self._name)

    def cancel(self, job_id: str) -> None:
        """End a job early; what is indexed is kept. Nothing where it has ended."""
        self._jobs.cancel(job_id)

    def dismiss(self, job_id: str) -> None:
        """Forget a job that has ended."""
        self._jobs.dismiss(self._name, job_id)

    def status(self, *, checks: bool = True) -> Status:
        """Totals, disk use, the index in force and what the doctor says of it, who only looks.

        The doctor compares every chunk, seconds for a large library; without ``checks`` he is not asked.
        """
        prototype, library = self._prototype, self._library
        said = tuple(examine(self._installation, self._name)) if checks else ()
        documents, sections, chunks = self._shelf.listing(self._name).totals()
        outdated = self._shelf.outdated(self._name)
        return Status(
            documents=documents,
            sections=sections,
            chunks=chunks,
            disk={
                "vectors": library.index.disk(),
                "keywords": folder_size(library.folder),
                "uploads": self._uploads.size(),
            },
            index_version=library.index.facts().get("index_version", ""),
            embedding_model=prototype.settings.embedding_model,
            section_tokens=prototype.settings.section_tokens,
            checks=said,
            outdated=outdated,
            wanted=wish(self._shelf.wanted(self._name).settings) if outdated else None,
        )


def _printable(name: str) -> str:
    """A name that was refused, as it can be shown."""
    return "".join(c if c.isprintable() else "�" for c in name)[:300] or "(no name)"
