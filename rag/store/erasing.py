"""Removing what was said: a conversation, with all that hangs on its answers.

For what was delivered, an erasure is queued, and for what another replica still holds, the table
``erased`` remembers that it must not come back. In both, a conversation stands under its id, and
an answer that is erased by itself under :func:`alone`.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rag.store.rows import queue

_ALONE = "answer:"
_THESE = "(SELECT value FROM json_each(:answers))"


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows of each kind an erasure removed."""

    conversations: int = 0
    answers: int = 0
    feedback: int = 0


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


def remove_answers(connection: sqlite3.Connection, answer_ids: Sequence[str]) -> Erased:
    """Remove answers and all that refers to them; what was delivered is the caller's to have erased."""
    these = {"answers": json.dumps(list(answer_ids))}
    compared = f"left_answer IN {_THESE} OR right_answer IN {_THESE}"
    connection.execute(
        f"DELETE FROM outbox WHERE thread IN {_THESE} "
        f"OR thread IN (SELECT pair FROM preferences WHERE {compared})",
        these,
    )
    connection.execute(f"DELETE FROM preferences WHERE {compared}", these)
    for table in ("annotations", "topics"):
        connection.execute(f"DELETE FROM {table} WHERE answer_id IN {_THESE}", these)
    feedback = connection.execute(f"DELETE FROM feedback WHERE answer_id IN {_THESE}", these).rowcount
    connection.execute(f"UPDATE answers SET replaces = NULL WHERE replaces IN {_THESE}", these)
    answers = connection.execute(f"DELETE FROM answers WHERE id IN {_THESE}", these).rowcount
    return Erased(answers=answers, feedback=feedback)


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
