"""The owner's side of one library: its documents, their upkeep, and the long work on them.

Cheap to make and without a state of its own: everything is the engine's, or on disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Literal, TypeAlias

from rag.doctor import Check
from rag.jobs import Job
from rag.types import DocumentRecord, Metadata, MetaValue, Where

Sort: TypeAlias = Literal["title", "source", "type", "chunks", "added"]


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

    ``outdated`` is whether the settings ask for another index than the one there is.
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


class Librarian:
    """What the library page calls for one prototype."""

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
        raise NotImplementedError

    def document(self, document_id: str) -> DocumentView:
        """Raises :class:`rag.errors.NotFound`."""
        raise NotImplementedError

    def edit(
        self, document_id: str, *, title: str | None = None, metadata: Mapping[str, MetaValue | None]
    ) -> DocumentRecord:
        """Change a document's title and some of its metadata; a value of None takes its key away.

        Raises :class:`rag.errors.NotFound`, and :class:`rag.errors.UsageError` for a value that
        no metadata has.
        """
        raise NotImplementedError

    def revert(self, document_id: str) -> DocumentRecord:
        """Take the edits back: the title and metadata that the file gives. Raises ``NotFound``."""
        raise NotImplementedError

    def delete(self, document_ids: Sequence[str]) -> int:
        """Delete documents; how many there were. An uploaded file goes with its last document."""
        raise NotImplementedError

    def upload(self, files: Iterable[tuple[str, bytes | BinaryIO]]) -> Job:
        """Store files (relative name and content) and index them in the background."""
        raise NotImplementedError

    def retry(self, job_id: str) -> Job:
        """The files of a job that are not indexed yet, or the whole of another job, once more."""
        raise NotImplementedError

    def reindex(self, settings: Mapping[str, str]) -> Job:
        """Build another index beside the one in force, and put it in its place when it is complete.

        ``settings`` may have ``chunking.section_tokens`` and ``embedding.model``; what it has not
        is as the prototype says. Raises :class:`rag.errors.UsageError` for any other.
        """
        raise NotImplementedError

    def mend(self) -> Job:
        """Check and mend the indexes in the background."""
        raise NotImplementedError

    def jobs(self) -> tuple[Job, ...]:
        """What goes on and what went on lately, newest first."""
        raise NotImplementedError

    def cancel(self, job_id: str) -> None:
        """End a job early; what is indexed is kept. Nothing where it has ended."""
        raise NotImplementedError

    def dismiss(self, job_id: str) -> None:
        """Forget a job that has ended."""
        raise NotImplementedError

    def status(self) -> Status:
        """Totals, disk use, the index in force and what the doctor says of it (nothing is mended)."""
        raise NotImplementedError
