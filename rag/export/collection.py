"""A test collection for retrieval: queries, corpus, relevance labels, and the run that was.

**Documents** of the corpus are the passages: every span that an answer retrieved or a reader
named, as ``prototype/document:start-end``. **Queries** are questions as they were searched: the same
question, of one prototype and under one filter, is one query however often it was asked, for
evaluation tools refuse a query twice and would count it twice. Its id is a hash of the
three, so that it is the same in every export. **The run** of a query is that of its newest answer.

**Labels** are what people said. A passage is relevant, grade 2, where it holds the whole of a span
that a reader named as what answers the question: the very passage, and wider ones that contain
it. With ``labels="cited"``, grade 1 goes to passages that hold the whole of what an answer
with a thumb up cites, unless the citation is reported or unsupported: an indirect sign, which
favours what was retrieved. Nothing is labelled as not relevant: a thumb down tells of an answer,
a report of a citation, and neither of a passage.

Documents go out as they come; what must be known of all of them (which there are, which query
came when) is kept in a temporary SQLite file, so memory stays bounded.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

from rag.export.source import Source
from rag.store import Rated
from rag.types import Answer

NAMED, CITED = 2, 1
"""Grades."""

_SCHEMA = (
    "CREATE TABLE docs (n INTEGER PRIMARY KEY, id TEXT UNIQUE, digest BLOB, place TEXT, start INT, stop INT)",
    "CREATE TABLE queries "
    "(n INTEGER PRIMARY KEY, id TEXT UNIQUE, text TEXT, prototype TEXT, filter TEXT, answers INT)",
    "CREATE TABLE labels (query INT, place TEXT, start INT, stop INT, grade INT)",
    "CREATE TABLE runs (query INT, rank INT, doc TEXT, score REAL, PRIMARY KEY (query, rank)) WITHOUT ROWID",
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "PRAGMA cache_size = -32000",
)
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Document:
    """A document of the corpus, with where it stands in the documents of the prototype."""

    id: str
    title: str
    text: str
    prototype: str
    document_id: str
    source: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Query:
    """``filter`` is JSON, empty where there was none. ``answers`` counts how often it was answered."""

    id: str
    text: str
    prototype: str
    filter: str
    answers: int


class Collection:
    """Collects one; the corpus goes to ``corpus`` while it does. Open it with :func:`collecting`."""

    def __init__(self, spool: sqlite3.Connection, corpus: Callable[[Document], None]) -> None:
        self._spool, self._corpus = spool, corpus

    def add(self, source: Source) -> None:
        """Take in every answer of the source."""
        cited = source.options.labels == "cited"
        for rated in source.answers():
            self._add(rated, cited=cited)

    def queries(self) -> Iterator[Query]:
        """In the order in which they were first asked."""
        for row in self._spool.execute("SELECT id, text, prototype, filter, answers FROM queries ORDER BY n"):
            yield Query(*row)

    def qrels(self) -> Iterator[tuple[str, str, int]]:
        """Query, document and grade; each pair once."""
        yield from self._spool.execute(
            "SELECT queries.id, docs.id, max(grade) FROM labels JOIN queries ON queries.n = query "
            "JOIN docs USING (place) WHERE docs.start <= labels.start AND docs.stop >= labels.stop "
            "GROUP BY queries.n, docs.n ORDER BY queries.n, docs.n"
        )

    def run(self) -> Iterator[tuple[str, str, int, float]]:
        """Query, document, rank from 1, and a score that falls from rank to rank."""
        yield from self._spool.execute(
            "SELECT queries.id, doc, rank, score FROM runs JOIN queries ON queries.n = query "
            "ORDER BY queries.n, rank"
        )

    def counts(self) -> dict[str, int]:
        def count(sql: str) -> int:
            return int(self._spool.execute(sql).fetchone()[0])

        return {
            "documents": count("SELECT count(*) FROM docs"),
            "queries": count("SELECT count(*) FROM queries"),
            "answers": count("SELECT coalesce(sum(answers), 0) FROM queries"),
        }

    def _add(self, rated: Rated, *, cited: bool) -> None:
        answer, feedback = rated.answer, rated.feedback
        query = self._query(answer)
        prototype = answer.provenance.prototype
        found = [
            self._document(prototype, p.document_id, p.source, p.title, p.start, p.end, p.text)
            for p in answer.passages
        ]
        scores = falling([passage.score for passage in answer.passages])
        ranked = dict(zip(found, scores, strict=True))  # a document stands once in a run
        self._spool.execute("DELETE FROM runs WHERE query = ?", (query,))
        self._spool.executemany(
            "INSERT INTO runs VALUES (?, ?, ?, ?)",
            [(query, rank, doc, score) for rank, (doc, score) in enumerate(ranked.items(), 1)],
        )
        if feedback is None:
            return
        named = feedback.passage
        if named is not None:
            if named.text:
                titles = {p.document_id: p.title for p in answer.passages}
                title = titles.get(named.document_id, "")
                self._document(
                    prototype, named.document_id, named.source, title, named.start, named.end, named.text
                )
            self._label(query, prototype, [(named.document_id, named.start, named.end)], NAMED)
        if cited and feedback.rating == "up":
            kept = [
                c
                for c in answer.citations
                if c.verdict != "unsupported" and c.number not in feedback.reported
            ]
            self._label(query, prototype, [(c.document_id, c.start, c.end) for c in kept], CITED)

    def _query(self, answer: Answer) -> int:
        text = answer.rewritten or answer.question
        prototype = answer.provenance.prototype
        where = "" if answer.where is None else json.dumps(answer.where, sort_keys=True, ensure_ascii=False)
        same = " ".join(text.casefold().split())
        key = f"q-{_hash(prototype, same, where)}"
        self._spool.execute(
            "INSERT INTO queries (id, text, prototype, filter, answers) VALUES (?, ?, ?, ?, 1) "
            "ON CONFLICT (id) DO UPDATE SET answers = answers + 1",
            (key, text, prototype, where),
        )
        return int(self._spool.execute("SELECT n FROM queries WHERE id = ?", (key,)).fetchone()[0])

    def _document(
        self, prototype: str, document_id: str, source: str, title: str, start: int, end: int, text: str
    ) -> str:
        """The id of a passage in the corpus, to which it goes when it is new.

        A document that was changed under its id has other text in the same place: then the id
        says which.
        """
        key = f"{quote(prototype, safe='')}/{quote(document_id, safe=':@._~-')}:{start}-{end}"
        digest = hashlib.sha256(text.encode()).digest()[:8]
        known = self._spool.execute("SELECT digest FROM docs WHERE id = ?", (key,)).fetchone()
        if known is not None and known[0] != digest:
            key = f"{key}~{digest.hex()}"
            known = self._spool.execute("SELECT digest FROM docs WHERE id = ?", (key,)).fetchone()
        if known is None:
            self._spool.execute(
                "INSERT INTO docs (id, digest, place, start, stop) VALUES (?, ?, ?, ?, ?)",
                (key, digest, f"{prototype}\n{document_id}", start, end),
            )
            self._corpus(Document(key, title, text, prototype, document_id, source, start, end))
        return key

    def _label(self, query: int, prototype: str, spans: Iterable[tuple[str, int, int]], grade: int) -> None:
        self._spool.executemany(
            "INSERT INTO labels VALUES (?, ?, ?, ?, ?)",
            [(query, f"{prototype}\n{document}", start, stop, grade) for document, start, stop in spans],
        )


@contextmanager
def collecting(spool: Path, corpus: Callable[[Document], None]) -> Iterator[Collection]:
    """A collection whose notes lie in the file ``spool``, which is removed in the end."""
    try:
        with closing(sqlite3.connect(spool, isolation_level=None)) as connection:
            for statement in _SCHEMA:
                connection.execute(statement)
            connection.execute("CREATE INDEX docs_by_place ON docs (place)")
            connection.execute("BEGIN")
            yield Collection(connection, corpus)
    finally:
        spool.unlink(missing_ok=True)


def falling(scores: list[float]) -> list[float]:
    """The scores where each is below the one before, else one over the rank.

    Evaluation tools order a run by its scores, not by its ranks.
    """
    if all(after < before for before, after in pairwise(scores)):
        return scores
    return [1 / rank for rank in range(1, len(scores) + 1)]


def one_line(text: str) -> str:
    """Text without tabs and line breaks, for formats that separate by them."""
    return _SPACE.sub(" ", text).strip()


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
