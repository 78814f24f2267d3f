"""What the program found of each thumb down, kept so that nobody waits for it."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable

from rag.store.codec import clean_text, decode
from rag.store.database import Database
from rag.store.rows import known_answer, newest
from rag.store.thumbs import feedback_of
from rag.types import Answer, Feedback, Finding

_WAITING = (
    "digest.rating = 'down' AND NOT EXISTS (SELECT 1 FROM triage WHERE triage.answer_id = digest.answer_id"
    " AND triage.rules = :rules AND triage.revision ="
    " (SELECT max(revision) FROM feedback WHERE feedback.answer_id = digest.answer_id))"
)


class Findings:
    """What :mod:`rag.triage` found. A part of :class:`rag.store.Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, rules: int) -> int:
        """Thumbs down that nobody has looked at under this version of the rules, as they stand now."""
        with self._database.reading() as connection:
            sql = f"SELECT count(*) FROM digest WHERE {_WAITING}"
            return int(connection.execute(sql, {"rules": rules}).fetchone()[0])

    def next(self, rules: int, limit: int, after: int = 0) -> list[tuple[int, Answer, Feedback]]:
        """Some of them in the order of the answers' numbers, those above ``after``."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT n, answer_id FROM digest WHERE n > :after AND {_WAITING} ORDER BY n LIMIT :limit",
                {"rules": rules, "after": after, "limit": limit},
            ).fetchall()
            found = []
            for row in rows:
                record = connection.execute("SELECT record FROM answers WHERE n = ?", (row["n"],)).fetchone()
                thumb = connection.execute(
                    f"SELECT * FROM feedback WHERE answer_id = ? AND {newest('feedback')}",
                    (row["answer_id"],),
                ).fetchone()
                found.append((row["n"], decode(Answer, record["record"]), feedback_of(thumb)))
        return found

    def put(self, finding: Finding, revision: int, rules: int) -> None:
        """Keep what was found for that revision of the feedback. Raises NotFound."""
        with self._database.writing() as connection:
            known = known_answer(connection, finding.answer_id)
            found = (finding.failure, finding.basis, clean_text(finding.why))
            connection.execute(
                "INSERT OR REPLACE INTO triage VALUES (?, ?, ?, ?, ?, ?, ?)",
                (known, revision, rules, *found, time.time()),
            )

    def of(self, answer_ids: Iterable[str]) -> dict[str, Finding]:
        """What was found for each of these answers; those that were not looked at are left out."""
        ids = json.dumps([clean_text(answer_id) for answer_id in answer_ids])
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM triage WHERE answer_id IN (SELECT value FROM json_each(?))", (ids,)
            ).fetchall()
        return {row["answer_id"]: _finding(row) for row in rows}


def _finding(row: sqlite3.Row) -> Finding:
    return Finding(row["answer_id"], row["failure"], row["basis"], row["why"])
