"""Removing what was said: a conversation, or everything that is older than a time.

What goes takes all that hangs on it along: every answer (replaced ones too), feedback,
preferences, the owner's notes, topics, and what waits for delivery. For what was delivered, an
erasure is queued, and for what another replica still holds, the table ``erased`` remembers
that it must not come back. In both, a conversation stands under its id, and an answer that is
erased by itself under :func:`alone`. A conversation that is left without the question that named
it is named by the first one that is left.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rag.errors import StoreError
from rag.shorten import shortened
from rag.store.codec import clean_text
from rag.store.database import Database
from rag.store.rows import queue

_PAGE = 500
"""Answers erased in one transaction, so that no other writer waits long."""
_ALONE = "answer:"
_THESE = "(SELECT value FROM json_each(:answers))"
_OLD = "created < :until AND (:prototype IS NULL OR prototype = :prototype)"
"""Of answers and of conversations: those before a time, of one prototype or of all."""
_TITLE = 60
"""Characters of a question that make a title; the chat begins conversations with as many."""
_TOLD_OTHERWISE = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffd-\uffff]"
)
"""What a title leaves out of its question, or has in another form: spaces, marks of direction, and what
no page can show."""


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


def erase_before(database: Database, until: float, prototype: str | None = None) -> Erased:
    """Remove every answer made before ``until`` (Unix seconds), and the conversations left empty.

    Those of one prototype, or of all of them. An answer that stood in the place of an erased one
    takes that place itself.
    """
    done, meant = Erased(), _meant(until, prototype)
    while True:
        with database.writing() as connection:
            rows = connection.execute(
                f"SELECT id FROM answers WHERE {_OLD} ORDER BY created, n LIMIT {_PAGE}", meant
            ).fetchall()
            ids = [row["id"] for row in rows]
            done += remove_answers(connection, ids)
            remember_erased(connection, [alone(answer_id) for answer_id in ids])
        if len(ids) < _PAGE:
            break
    with database.writing() as connection:
        empty = connection.execute(
            f"SELECT id FROM conversations WHERE updated < :until AND {_OLD} "
            "AND id NOT IN (SELECT conversation_id FROM answers WHERE conversation_id IS NOT NULL)",
            meant,
        ).fetchall()
        for row in empty:
            done += erase_conversation(connection, row["id"])
    if done != Erased():
        scrub(database)
    return done


def count_before(database: Database, until: float, prototype: str | None = None) -> Erased:
    """What :func:`erase_before` would remove."""
    with database.reading() as connection:
        row = connection.execute(
            f"""
            SELECT
                (SELECT count(*) FROM answers WHERE {_OLD}) AS answers,
                (SELECT count(*) FROM feedback WHERE answer_id IN
                    (SELECT id FROM answers WHERE {_OLD})) AS feedback,
                (SELECT count(*) FROM conversations WHERE updated < :until AND {_OLD}
                    AND id NOT IN (SELECT conversation_id FROM answers
                                   WHERE conversation_id IS NOT NULL AND NOT ({_OLD}))) AS conversations
            """,
            _meant(until, prototype),
        ).fetchone()
    return Erased(row["conversations"], row["answers"], row["feedback"])


def _meant(until: float, prototype: str | None) -> dict[str, object]:
    return {"until": until, "prototype": None if prototype is None else clean_text(prototype)}


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
    _take_titles(connection, these)
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


def _take_titles(connection: sqlite3.Connection, these: dict[str, str]) -> None:
    """Name conversations anew whose titles are the questions of these answers, which go as well.

    A title that is not the beginning of such a question was given by a reader, and stays.
    """
    going = connection.execute(
        "SELECT conversation_id, title, question FROM answers "
        f"JOIN conversations ON conversations.id = conversation_id WHERE answers.id IN {_THESE}",
        these,
    ).fetchall()
    for conversation in {row["conversation_id"] for row in going if _names(row["title"], row["question"])}:
        first = connection.execute(
            "SELECT question FROM answers WHERE conversation_id = :conversation "
            f"AND id NOT IN {_THESE} ORDER BY n LIMIT 1",
            {**these, "conversation": conversation},
        ).fetchone()
        title = "" if first is None else shortened(first["question"], _TITLE)
        connection.execute("UPDATE conversations SET title = ? WHERE id = ?", (title, conversation))


def _names(title: str, question: str) -> bool:
    """Whether the title was made of the question, whoever cut it and at whatever length.

    A short one that is only the beginning of the question, and does not say that it was cut, is a reader's.
    """
    named, asked = _TOLD_OTHERWISE.sub("", title.removesuffix("…")), _TOLD_OTHERWISE.sub("", question)
    was_cut = title.endswith("…") or len(title) >= _TITLE
    return bool(named) and (named == asked or (was_cut and asked.startswith(named)))


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
