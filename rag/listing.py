"""The documents of one collection as a list that pages: SQLite, beside the keyword index.

The vectors know every document's record, but only all of them at once, and reading 100,000
takes a quarter of a minute. The list is written after each write of the index and carries the
stamp of the one that it follows; where that is behind, it is made anew from the records.
Nothing depends on it: one that is lost or damaged is empty.
"""

from __future__ import annotations

import json
import re
import sqlite3
import unicodedata
from array import array
from collections.abc import Collection, Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from rag.errors import IndexingError
from rag.filters import And, Compare, Contains, Filter, Nothing, OneOf, Or, clean, normalise
from rag.types import DocumentRecord, Metadata

Sort: TypeAlias = Literal["title", "source", "type", "chunks", "added"]

_VERSION = 1
"""Grows when the tables change; a list of another version is made anew."""
_WORDS = 32
"""Words of a query that are looked for."""
_RESULTS = 8
"""What queries and filters found is kept of so many: 8 bytes a document each."""
_VARIABLES = 500
"""Values of one statement; SQLite takes 999 at least."""
_ORDER: dict[Sort, str] = {
    "title": "title_key",
    "source": "source_key",
    "type": "type",
    "chunks": "chunks",
    "added": "added",
}
_SCHEMA = """
CREATE TABLE documents (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, source TEXT NOT NULL,
    type TEXT NOT NULL, metadata TEXT NOT NULL, facts TEXT NOT NULL, chunks INTEGER NOT NULL,
    sections INTEGER NOT NULL, added REAL NOT NULL, title_key TEXT NOT NULL, source_key TEXT NOT NULL,
    content TEXT NOT NULL);
CREATE TABLE places (path TEXT NOT NULL, n INTEGER NOT NULL);
CREATE INDEX by_path ON places (path);
CREATE INDEX by_document ON places (n);
CREATE INDEX by_title ON documents (title_key, n);
CREATE INDEX by_source ON documents (source_key, n);
CREATE INDEX by_type ON documents (type, n);
CREATE INDEX by_chunks ON documents (chunks, n);
CREATE INDEX by_added ON documents (added, n);
CREATE VIRTUAL TABLE words USING fts5 (
    text, content='', prefix='1 2 3', tokenize='unicode61 remove_diacritics 2');
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
# Scripts that put no spaces between words: each character is a word, and a word of the query a phrase.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]"
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A document in the list."""

    id: str
    title: str
    source: str
    type: str
    metadata: Metadata
    chunks: int
    sections: int
    added: float


class Listing:
    """The list in the file ``path``. Safe to share between threads and processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._found: dict[Hashable, array[int]] = {}

    @property
    def stamp(self) -> str:
        """The write of the index that the list follows; empty where there is no list."""
        if not self.path.exists():
            return ""
        try:
            with self._open() as database:
                return self._settled(database)
        except IndexingError:
            return ""

    def write(self, records: Iterable[DocumentRecord], deleted: Collection[str], stamp: str) -> None:
        """Take documents in, or take their changes in, and others out: one transaction."""
        with self._open() as database:
            found = list(records)
            self._delete(database, [*deleted, *(record.id for record in found)])
            self._insert(database, found)
            self._settle(database, stamp)

    def settle(self, stamp: str) -> None:
        """Note that the list follows this write as well, which changed none of it."""
        with self._open() as database:
            self._settle(database, stamp)

    def rebuild(self, records: Collection[DocumentRecord], stamp: str) -> None:
        """Make the list anew; whoever reads it meanwhile sees the old one."""
        with self._open() as database:
            database.execute("BEGIN IMMEDIATE")
            _create(database)
            self._insert(database, sorted(records, key=lambda record: (record.added, record.source)))
            self._settle(database, stamp)

    def page(
        self, query: str, where: Filter | None, sort: Sort, descending: bool, offset: int, limit: int
    ) -> tuple[int, list[Listed]]:
        """How many documents match, and those from the ``offset``-th on.

        What a query or filter matches is kept until the list changes, so that only its first page
        looks at every document.
        """
        way = "DESC" if descending else "ASC"
        order = f"ORDER BY {_ORDER[sort]} {way}, n {way}"
        with self._open() as database:
            database.execute("BEGIN")  # all that is read is of one moment
            conditions, values = _conditions(query, where)
            if conditions:
                key = (self._settled(database), query, repr(where), sort, descending)  # True == 1.0
                found = self._found.get(key)
                if found is None:
                    # Not along the index of the order, whose rows lie all over the file: with the plus
                    # the file is read once from end to end, five times as fast over 100,000 documents.
                    whole = f"ORDER BY +{_ORDER[sort]} {way}, n {way}"
                    sql = f"SELECT n FROM documents WHERE {' AND '.join(conditions)} {whole}"
                    found = self._keep(key, array("q", (row[0] for row in database.execute(sql, values))))
                total, chosen = len(found), list(found[offset : offset + limit])
            else:
                total = database.execute("SELECT count(*) FROM documents").fetchone()[0]
                sql = f"SELECT n FROM documents {order} LIMIT ? OFFSET ?"
                chosen = [row[0] for row in database.execute(sql, (limit, offset))]
            rows = {}
            for start in range(0, len(chosen), _VARIABLES):
                some = chosen[start : start + _VARIABLES]
                for row in database.execute(
                    "SELECT n, id, title, source, type, metadata, chunks, sections, added FROM documents "
                    f"WHERE n IN ({', '.join('?' * len(some))})",
                    some,
                ):
                    n, id, title, source, kind, metadata, chunks, sections, added = row
                    rows[n] = Listed(id, title, source, kind, _metadata(metadata), chunks, sections, added)
        return int(total), [rows[n] for n in chosen if n in rows]

    def _keep(self, key: Hashable, found: array[int]) -> array[int]:
        while len(self._found) >= _RESULTS:
            self._found.pop(next(iter(self._found)), None)
        self._found[key] = found
        return found

    def totals(self) -> tuple[int, int, int]:
        """Documents, sections and chunks."""
        with self._open() as database:
            row = database.execute(
                "SELECT count(*), coalesce(sum(sections), 0), coalesce(sum(chunks), 0) FROM documents"
            ).fetchone()
        return int(row[0]), int(row[1]), int(row[2])

    def contents(self) -> list[tuple[str, str]]:
        """The id and content hash of every document."""
        with self._open() as database:
            return database.execute("SELECT id, content FROM documents").fetchall()

    def holds(self, path: str) -> bool:
        """Whether a document came from that file, wherever else it came from."""
        with self._open() as database:
            found = database.execute("SELECT 1 FROM places WHERE path = ? LIMIT 1", (clean(path),))
            return found.fetchone() is not None

    # inside

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection in a transaction. A damaged file is put aside: the next caller finds an empty one."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(self.path, timeout=30)
            try:
                if not _is_made(database):
                    database.execute("PRAGMA journal_mode = WAL")
                    with database:
                        database.execute("BEGIN IMMEDIATE")
                        if not _is_made(database):  # by another process meanwhile
                            _create(database)
                database.execute("PRAGMA synchronous = NORMAL")
                with database:
                    yield database
            finally:
                database.close()
        except (sqlite3.Error, OSError) as error:
            if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
                self.discard()
            raise IndexingError(
                f"The list of documents could not be read or written ({error}). Try again; if it stays so, "
                "check the free space and the rights of THUMBPRINT_HOME."
            ) from error

    def discard(self) -> None:
        """Delete the file."""
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    @staticmethod
    def _insert(database: sqlite3.Connection, records: Collection[DocumentRecord]) -> None:
        for record in records:
            kind = record.metadata.get("type")
            title, source = clean(record.title), clean(record.source)
            metadata = clean(json.dumps(dict(record.metadata), ensure_ascii=False))
            facts = {
                _name(key): value
                for key, value in normalise(
                    {**record.metadata, "source": record.source, "title": record.title}
                ).items()
            }
            found = database.execute(
                "INSERT INTO documents VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    record.id,
                    title,
                    source,
                    kind if isinstance(kind, str) else "",
                    metadata,
                    json.dumps(facts, ensure_ascii=False),
                    record.chunks,
                    record.sections,
                    record.added,
                    _fold(title),
                    _fold(source),
                    record.content_hash,
                ),
            )
            places = [(clean(file.path), found.lastrowid) for file in record.files]
            database.executemany("INSERT INTO places VALUES (?, ?)", places)
            database.execute(
                "INSERT INTO words (rowid, text) VALUES (?, ?)",
                (found.lastrowid, _searched(title, source, record.metadata)),
            )

    @staticmethod
    def _delete(database: sqlite3.Connection, document_ids: Iterable[str]) -> None:
        for document_id in document_ids:
            row = database.execute(
                "SELECT n, title, source, metadata FROM documents WHERE id = ?", (document_id,)
            ).fetchone()
            if row is not None:
                # The words keep no text of their own and are told what to forget.
                database.execute(
                    "INSERT INTO words (words, rowid, text) VALUES ('delete', ?, ?)",
                    (row[0], _searched(row[1], row[2], _metadata(row[3]))),
                )
                database.execute("DELETE FROM places WHERE n = ?", (row[0],))
                database.execute("DELETE FROM documents WHERE n = ?", (row[0],))

    @staticmethod
    def _settled(database: sqlite3.Connection) -> str:
        row = database.execute("SELECT value FROM facts WHERE name = 'stamp'").fetchone()
        return str(row[0]) if row else ""

    @staticmethod
    def _settle(database: sqlite3.Connection, stamp: str) -> None:
        database.execute("INSERT OR REPLACE INTO facts VALUES ('stamp', ?)", (stamp,))


def _is_made(database: sqlite3.Connection) -> bool:
    return bool(database.execute("PRAGMA user_version").fetchone()[0] == _VERSION)


def _create(database: sqlite3.Connection) -> None:
    """Empty tables in the place of whatever there is."""
    for name in database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'words!_%' ESCAPE '!'"
    ).fetchall():
        database.execute(f'DROP TABLE "{name[0]}"')
    for statement in _SCHEMA.split(";"):
        if statement.strip():
            database.execute(statement)
    database.execute(f"PRAGMA user_version = {_VERSION}")


def _fold(text: str) -> str:
    """How a list is sorted: case and accents do not count, numbers count by their value."""
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()
    return re.sub(r"[0-9]+", lambda digits: digits[0].lstrip("0").rjust(12, "0"), plain)


def _searched(title: str, source: str, metadata: Metadata) -> str:
    """What a query looks in: title, source and the words of the metadata."""
    values = [
        member
        for value in metadata.values()
        for member in (value if isinstance(value, tuple) else (value,))
        if not isinstance(member, bool)
    ]
    return _spaced(" ".join((title, source, *(clean(str(value)) for value in values))))


def _spaced(text: str) -> str:
    return _UNSPACED.sub(lambda character: f" {character[0]} ", text)


def _conditions(query: str, where: Filter | None) -> tuple[list[str], list[object]]:
    conditions: list[str] = []
    values: list[object] = []
    match = _match(query)
    if match is not None:
        conditions.append("n IN (SELECT rowid FROM words WHERE words MATCH ?)")
        values.append(match)
    if where is not None:
        condition, operands = _sql(where)
        conditions.append(condition)
        values.extend(operands)
    return conditions, values


def _match(query: str) -> str | None:
    """The query in the language of FTS5: every word, the last part of each open to the right."""
    found = []
    for word in query.split()[:_WORDS]:
        # Between the quotes the words are cut as the text was: a path, a date, a price are phrases.
        plain = "".join(c if c.isalnum() or unicodedata.combining(c) else " " for c in _spaced(clean(word)))
        if plain.strip():
            found.append(f'"{" ".join(plain.split())}" *')
    if query.strip() and not found:
        found = ['""']  # nothing but signs, which are in no text
    return " ".join(found) or None


def _name(key: str) -> str:
    """A key in SQLite's paths, which cannot quote every one."""
    return f"k{key.encode().hex()}"


def _metadata(text: str) -> Metadata:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(text).items()}


def _sql(filter: Filter) -> tuple[str, list[object]]:
    """The filter over the column ``facts``; means what :func:`rag.filters.matches` means."""
    match filter:
        case Nothing():
            return "0", []
        case And(parts) | Or(parts):
            made = [_sql(part) for part in parts]
            joint = " AND " if isinstance(filter, And) else " OR "
            return f"({joint.join(sql for sql, _ in made)})", [v for _, values in made for v in values]
        case Contains(key, value):
            path = f"$.{_name(key)}"
            return (
                "(json_type(facts, ?) IS 'array' AND EXISTS "
                "(SELECT 1 FROM json_each(facts, ?) AS member WHERE member.value = ?))",
                [path, path, value],
            )
        case OneOf(key, values, negated):
            made = [_equal(key, value) for value in values]
            sql = f"({' OR '.join(sql for sql, _ in made)})"
            return f"NOT {sql}" if negated else sql, [v for _, operands in made for v in operands]
        case Compare(key, "$eq" | "$ne" as op, value):
            sql, operands = _equal(key, value)
            return f"NOT {sql}" if op == "$ne" else sql, operands
        case Compare(key, op, value):
            sign = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}[op]
            path = f"$.{_name(key)}"
            return f"(json_type(facts, ?) IS 'real' AND json_extract(facts, ?) {sign} ?)", [path, path, value]


def _equal(key: str, value: str | float | bool) -> tuple[str, list[object]]:
    path = f"$.{_name(key)}"
    if isinstance(value, bool):
        return "(json_type(facts, ?) IS ?)", [path, "true" if value else "false"]
    kind = "real" if isinstance(value, float) else "text"
    return f"(json_type(facts, ?) IS '{kind}' AND json_extract(facts, ?) = ?)", [path, path, value]
