"""Removing what was said: a conversation, or everything that is older than a time.

What goes takes all that hangs on it along: every answer (replaced ones too), feedback,
preferences, the owner's notes, topics, and what waits for delivery. For what was delivered, an
erasure is queued, and for what another replica still holds, the table ``erased`` remembers
that it must not come back. In both, a conversation stands under its id, and an answer that is
erased by itself under :func:`alone`.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rag.errors import StoreError
from rag.store.codec import clean_text
from rag.store.database import Database
from rag.store.rows import queue

_PAGE = 500
"""Answers erased in one transaction, so that no other writer waits long."""
_ALONE = "answer:"
_THESE = "(SELECT value FROM json_each(:answers))"


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows of each kind an erasure removed."""

    conversations: int = 0
    answers: int = 0
    feedback: int = 0

    def __add__(self, other: Erased) -> Erased:
        return Erased(
            self.conversations + other.conversations,
            self.answers + other.answers,
            self.feedback + other.feedback,
        )


def alone(answer_id: str) -> str:
    """How an answer is named that is erased without a whole conversation."""
    return f"{_ALONE}{answer_id}"


def answer_of(name: str) -> str | None:
    """The answer's id of :func:`alone`; None where a conversation is named."""
    return name.removeprefix(_ALONE) if name.startswith(_ALONE) else None


def erase_conversation(connection: sqlite3.Connection, conversation_id: str) -> Erased:
    """Remove a conversation with everything in it, and have Supabase erase it too."""
    of = (conversation_id,)
    ids = [row["id"] for row in connection.execute("SELECT id FROM answers WHERE conversation_id = ?", of)]
    removed = remove_answers(connection, ids)
    gone = connection.execute("DELETE FROM conversations WHERE id = ?", of).rowcount
    remember_erased(connection, [conversation_id])
    return Erased(gone, removed.answers, removed.feedback)


def erase_before(database: Database, until: float) -> Erased:
    """Remove every answer made before ``until`` (Unix seconds), and the conversations left empty.

    An answer that stood in the place of an erased one takes that place itself.
    """
    done = Erased()
    while True:
        with database.writing() as connection:
            rows = connection.execute(
                f"SELECT id FROM answers WHERE created < ? ORDER BY created, n LIMIT {_PAGE}", (until,)
            ).fetchall()
            ids = [row["id"] for row in rows]
            done += remove_answers(connection, ids)
            remember_erased(connection, [alone(answer_id) for answer_id in ids])
        if len(ids) < _PAGE:
            break
    with database.writing() as connection:
        empty = connection.execute(
            "SELECT id FROM conversations WHERE updated < ? AND created < ? "
            "AND id NOT IN (SELECT conversation_id FROM answers WHERE conversation_id IS NOT NULL)",
            (until, until),
        ).fetchall()
        for row in empty:
            done += erase_conversation(connection, row["id"])
    if done != Erased():
        scrub(database)
    return done


def count_before(database: Database, until: float) -> Erased:
    """What :func:`erase_before` would remove."""
    with database.reading() as connection:
        row = connection.execute(
            """
            SELECT
                (SELECT count(*) FROM answers WHERE created < :until) AS answers,
                (SELECT count(*) FROM feedback WHERE answer_id IN
                    (SELECT id FROM answers WHERE created < :until)) AS feedback,
                (SELECT count(*) FROM conversations WHERE updated < :until AND created < :until
                    AND id NOT IN (SELECT conversation_id FROM answers
                                   WHERE conversation_id IS NOT NULL AND created >= :until)) AS conversations
            """,
            {"until": until},
        ).fetchone()
    return Erased(row["conversations"], row["answers"], row["feedback"])


def scrub(database: Database) -> None:
    """Empty the log of what was erased; where that cannot be now, SQLite does it later."""
    with contextlib.suppress(StoreError):
        database.scrub()


def remove_answers(connection: sqlite3.Connection, answer_ids: Sequence[str]) -> Erased:
    """Remove answers and all that refers to them; what was delivered is the caller's to have erased."""
    if not answer_ids:
        return Erased()
    these = {"answers": json.dumps([clean_text(answer_id) for answer_id in answer_ids])}
    compared = f"left_answer IN {_THESE} OR right_answer IN {_THESE}"
    connection.execute(
        f"DELETE FROM outbox WHERE thread IN {_THESE} "
        f"OR thread IN (SELECT pair FROM preferences WHERE {compared})",
        these,
    )
    connection.execute(f"DELETE FROM preferences WHERE {compared}", these)
    connection.execute(f"DELETE FROM annotations WHERE answer_id IN {_THESE}", these)
    feedback = connection.execute(f"DELETE FROM feedback WHERE answer_id IN {_THESE}", these).rowcount
    _take_places(connection, these)
    answers = connection.execute(f"DELETE FROM answers WHERE id IN {_THESE}", these).rowcount
    return Erased(answers=answers, feedback=feedback)


def _take_places(connection: sqlite3.Connection, these: dict[str, str]) -> None:
    """Let what replaced these answers stand by itself, in one place where it was in one."""
    left = connection.execute(
        "SELECT DISTINCT conversation_id, place, place IN (SELECT n FROM answers WHERE id IN "
        f"{_THESE}) AS lost FROM answers WHERE replaces IN {_THESE} AND id NOT IN {_THESE}",
        these,
    ).fetchall()
    if not left:
        return
    connection.execute(
        f"UPDATE answers SET replaces = NULL WHERE replaces IN {_THESE} AND id NOT IN {_THESE}", these
    )
    for row in left:
        if row["lost"]:
            group = {**these, "conversation": row["conversation_id"], "place": row["place"]}
            first = connection.execute(
                "SELECT min(n) AS n FROM answers WHERE conversation_id IS :conversation AND place = :place "
                f"AND id NOT IN {_THESE}",
                group,
            ).fetchone()["n"]
            connection.execute(
                "UPDATE answers SET place = CASE WHEN n = :first THEN NULL ELSE :first END "
                "WHERE conversation_id IS :conversation AND place = :place",
                {**group, "first": first},
            )


def remember_erased(connection: sqlite3.Connection, names: Sequence[str], *, tell: bool = True) -> None:
    """Note what must not come back, and unless it is known there, ``tell`` Supabase."""
    now = time.time()
    for name in names:
        connection.execute(
            "INSERT OR IGNORE INTO erased (conversation_id, created) VALUES (?, ?)", (name, now)
        )
        # Again, where what was erased came back from another replica.
        connection.execute("DELETE FROM outbox WHERE kind = 'erase' AND row_id = ?", (name,))
        if tell:
            queue(connection, "erase", name, name)
