"""What a person changed of documents, kept apart from the index so that it outlives it.

An edit says another title, or other metadata, of one document; a deletion says that a
document of a file is not wanted. Both are written here before the index is, so that
whoever writes the index next, an ingest of the file or a re-index, finds them. SQLite in
the data folder, for all prototypes; a connection an operation.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rag.errors import ReadError, StoreError, UsageError
from rag.readers.metadata import RESERVED, clean_metadata
from rag.types import Document, DocumentRecord, Metadata, MetaValue

_SCHEMA = """
CREATE TABLE IF NOT EXISTS edits (
    prototype TEXT NOT NULL, document TEXT NOT NULL, source TEXT NOT NULL,
    title TEXT, metadata TEXT NOT NULL, base_title TEXT NOT NULL, base_metadata TEXT NOT NULL,
    base_content TEXT NOT NULL,
    PRIMARY KEY (prototype, document));
CREATE TABLE IF NOT EXISTS deleted (
    prototype TEXT NOT NULL, document TEXT NOT NULL, content TEXT NOT NULL,
    PRIMARY KEY (prototype, document));
"""


@dataclass(frozen=True, slots=True)
class Edit:
    """What a person says of a document, and what its file says (``base_``).

    ``title`` is None where it is the file's. A value of None in ``metadata`` takes the key away.
    """

    document_id: str
    source: str
    title: str | None
    metadata: Mapping[str, MetaValue | None]
    base_title: str
    base_metadata: Metadata
    base_content: str
    """The document's content hash as its file gives it."""

    @property
    def keys(self) -> frozenset[str]:
        """The metadata keys that it changes, and ``title``."""
        return frozenset(self.metadata) | ({"title"} if self.title is not None else set())

    @property
    def shown(self) -> tuple[str, dict[str, MetaValue]]:
        """The title and metadata as the person wants them."""
        merged = {**self.base_metadata, **self.metadata}
        title = self.base_title if self.title is None else self.title
        return title, {key: value for key, value in merged.items() if value is not None}

    @property
    def facts(self) -> list[object]:
        """What it changes, as JSON has it: part of the document's content hash."""
        return [self.title, dict(sorted(self.metadata.items()))]


class Edits:
    """The edits and deletions of one prototype, in ``path``."""

    def __init__(self, path: Path, prototype: str) -> None:
        self._path = path
        self._prototype = prototype

    def all(self) -> dict[str, Edit]:
        """Every edit, by document."""
        if not self._path.exists():
            return {}
        with self._open() as database:
            rows = database.execute(
                "SELECT document, source, title, metadata, base_title, base_metadata, base_content "
                "FROM edits WHERE prototype = ?",
                (self._prototype,),
            ).fetchall()
        return {
            row[0]: Edit(row[0], row[1], row[2], _load(row[3]), row[4], _load(row[5]), row[6]) for row in rows
        }

    def put(self, edits: Iterable[Edit]) -> None:
        """Keep edits, in the place of those of the same documents."""
        rows = [
            (
                self._prototype,
                edit.document_id,
                edit.source,
                edit.title,
                json.dumps(dict(edit.metadata)),
                edit.base_title,
                json.dumps(dict(edit.base_metadata)),
                edit.base_content,
            )
            for edit in edits
        ]
        if rows:
            with self._open() as database:
                database.executemany("INSERT OR REPLACE INTO edits VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def remove(self, document_ids: Collection[str]) -> None:
        """Forget what was said of documents."""
        self._forget("edits", document_ids)

    def deleted(self) -> dict[str, str]:
        """Documents that a person deleted: their id, and the content hash that they had."""
        if not self._path.exists():
            return {}
        with self._open() as database:
            rows = database.execute(
                "SELECT document, content FROM deleted WHERE prototype = ?", (self._prototype,)
            )
            return dict(rows.fetchall())

    def delete(self, records: Sequence[DocumentRecord]) -> None:
        """Remember that these were deleted, and forget what was said of them."""
        with self._open() as database:
            database.executemany(
                "INSERT OR REPLACE INTO deleted VALUES (?, ?, ?)",
                [(self._prototype, record.id, record.content_hash) for record in records],
            )
        self.remove([record.id for record in records])

    def restore(self, document_ids: Collection[str]) -> None:
        """Forget that these were deleted."""
        self._forget("deleted", document_ids)

    def clear(self) -> None:
        """Forget all edits and deletions."""
        if self._path.exists():
            with self._open() as database:
                for table in ("edits", "deleted"):
                    database.execute(f"DELETE FROM {table} WHERE prototype = ?", (self._prototype,))

    def _forget(self, table: str, document_ids: Collection[str]) -> None:
        if document_ids and self._path.exists():
            with self._open() as database:
                database.executemany(
                    f"DELETE FROM {table} WHERE prototype = ? AND document = ?",
                    [(self._prototype, document_id) for document_id in document_ids],
                )

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(self._path, timeout=30)
            try:
                with database:
                    database.executescript(_SCHEMA)
                    yield database
            finally:
                database.close()
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"The edits of documents could not be read or written ({error}). Check {self._path.name} in "
                "THUMBPRINT_HOME and the free space."
            ) from error


def edited(
    documents: Mapping[str, tuple[Document, str]],
    edits: dict[str, Edit],
    known: Collection[str],
    store: Edits,
) -> dict[str, Edit]:
    """The edits that hold for what was read of a file now, by document; ``edits`` are kept up to date.

    ``documents`` come with their content hashes.

    An edit follows its document. Where a file gives a new document (none of ``known``) in the
    place of an edited one, the edit passes to that: of a file of one document to it, of another
    to the one of the same title. What the file says now is noted, to be gone back to.
    """
    if not edits:
        return {}
    found: dict[str, Edit] = {}
    moved: list[str] = []
    for edit in list(edits.values()):
        if edit.document_id in documents:
            document, content = documents[edit.document_id]
        else:
            alike = [both for both in documents.values() if both[0].source == edit.source]
            if len(alike) != 1:
                alike = [both for both in alike if both[0].title == edit.base_title]
            if len(alike) != 1 or alike[0][0].id in known or alike[0][0].id in edits:
                continue
            document, content = alike[0]
            moved.append(edit.document_id)
            del edits[edit.document_id]
        found[document.id] = replace(
            edit,
            document_id=document.id,
            source=document.source,
            base_title=document.title,
            base_metadata=document.metadata,
            base_content=content,
        )
    store.put(edit for document_id, edit in found.items() if edits.get(document_id) != edit)
    store.remove(moved)
    edits.update(found)
    return found


def cleaned(title: str | None, metadata: Mapping[str, MetaValue | None]) -> dict[str, MetaValue | None]:
    """The changes as metadata is kept. Raises :class:`UsageError`."""
    if title is not None and not title.strip():
        raise UsageError("A document needs a title. Write one, or leave it as it is.")
    for key in metadata:
        if not key.strip():
            raise UsageError("A metadata key needs a name. Write one.")
        if key.strip() in RESERVED:
            raise UsageError(f"“{key}” is what the file says of itself and cannot be edited here.")
    metadata = {key.strip(): value for key, value in metadata.items()}
    try:
        _, kept = clean_metadata({key: value for key, value in metadata.items() if value is not None})
    except ReadError as error:
        raise UsageError(str(error)) from None
    lost = [k for k, v in metadata.items() if v is not None and k not in kept]
    if lost:
        raise UsageError(
            f"“{lost[0]}” cannot be kept so: a value is text, a number, yes or no, or a list of texts, and "
            "not empty. Mend it, or take the key away."
        )
    return {**kept, **{key: None for key, value in metadata.items() if value is None}}


def _load(text: str) -> dict[str, Any]:
    values = json.loads(text)
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
