"""The owner's notes on answers, append-only: of an answer the highest revision counts."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable
from typing import get_args

from rag.errors import UsageError
from rag.store.codec import clean_text
from rag.store.database import Database
from rag.store.rows import insert, known_answer, newest, next_revision, short
from rag.types import Annotation, Failure

MAX_NOTE = 5_000
"""Characters."""


class Annotations:
    """What the owner says of answers. A part of :class:`rag.store.Store`; safe to share as it is.

    They stay in this store: they are the owner's working notes, not a reader's feedback.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, answer_id: str, failure: Failure | None, note: str = "") -> Annotation:
        """Append what the owner says now. Raises NotFound, UsageError."""
        if failure is not None and failure not in get_args(Failure):
            raise UsageError(
                f"A failure is one of {', '.join(get_args(Failure))}, not {short(str(failure))}."
            )
        if len(note) > MAX_NOTE:
            raise UsageError(f"The note has {len(note):,} characters; shorten it to {MAX_NOTE:,}.")
        with self._database.writing() as connection:
            known = known_answer(connection, answer_id)
            revision = next_revision(connection, "annotations", "answer_id", known)
            kept = Annotation(known, revision, failure, clean_text(note), time.time())
            row = {
                "answer_id": kept.answer_id,
                "revision": kept.revision,
                "failure": kept.failure,
                "note": kept.note,
                "created": kept.created,
            }
            insert(connection, "annotations", row)
        return kept

    def of(self, answer_ids: Iterable[str]) -> dict[str, Annotation]:
        """What counts for each of these answers; those without are left out."""
        ids = json.dumps([clean_text(answer_id) for answer_id in answer_ids])
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM annotations WHERE answer_id IN (SELECT value FROM json_each(?)) "
                f"AND {newest('annotations')}",
                (ids,),
            ).fetchall()
        return {row["answer_id"]: _annotation(row) for row in rows}


def _annotation(row: sqlite3.Row) -> Annotation:
    return Annotation(
        answer_id=row["answer_id"],
        revision=row["revision"],
        failure=row["failure"],
        note=row["note"],
        created=row["created"],
    )
