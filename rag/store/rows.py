"""What the parts of the store share: reading and writing rows, ids, and the queue for delivery."""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Mapping
from typing import Literal

from rag.errors import NotFound
from rag.store.codec import clean_text
from rag.types import Answer

Kind = Literal["answer", "feedback", "preference", "link", "erase"]


def new_id() -> str:
    """A new identity for anything that is stored: a random UUID in hexadecimal.

    Made by the caller, so that saving or delivering the same thing twice is recognised.
    """
    return uuid.uuid4().hex


def one(connection: sqlite3.Connection, sql: str, key: str) -> sqlite3.Row | None:
    """The first row of a query with one parameter."""
    row: sqlite3.Row | None = connection.execute(sql, (clean_text(key),)).fetchone()
    return row


def insert(connection: sqlite3.Connection, table: str, row: Mapping[str, object]) -> None:
    """Insert a row whose keys are the columns."""
    columns, values = ", ".join(row), ", ".join(f":{name}" for name in row)
    connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({values})", row)


def answer_row(answer: Answer, record: str, replaces: str | None, place: int | None) -> dict[str, object]:
    """An answer as a row of the table; ``record`` is it as JSON."""
    made_with = answer.provenance
    return {
        "id": answer.id,
        "conversation_id": answer.conversation_id,
        "replaces": replaces,
        "place": place,
        "prototype": made_with.prototype,
        "created": answer.created,
        "origin": answer.origin,
        "question": answer.question,
        "text": answer.text,
        "confidence": answer.confidence,
        "abstained": answer.abstained,
        "generator": answer.generator,
        "settings": made_with.settings,
        "index_version": made_with.index_version,
        "prompt_version": made_with.prompt_version,
        "link": made_with.link,
        "record": record,
        "seconds": answer.seconds.get("total"),
        "cost": answer.cost,
    }


def queue(connection: sqlite3.Connection, kind: Kind, row_id: str, thread: str) -> None:
    """Queue a row for delivery, in the transaction that writes it.

    It is queued whether Supabase is set up or not, so that setting it up later loses nothing.
    """
    row = {"kind": kind, "row_id": row_id, "thread": thread, "created": time.time()}
    insert(connection, "outbox", row)


def newest(table: str, key: str = "answer_id") -> str:
    """The condition that a row of an append-only table is the one that counts."""
    return f"revision = (SELECT max(revision) FROM {table} AS other WHERE other.{key} = {table}.{key})"


def next_revision(connection: sqlite3.Connection, table: str, key: str, value: str) -> int:
    """The revision that comes after the highest one, counted from 1."""
    row = one(connection, f"SELECT max(revision) AS revision FROM {table} WHERE {key} = ?", value)
    return ((row["revision"] if row else None) or 0) + 1


def short(text: str) -> str:
    """An id as shown in an error: one line of bounded length, whatever came in."""
    shown = " ".join(clean_text(text).split())
    return repr(shown if len(shown) <= 60 else shown[:59] + "…")


def known_answer(connection: sqlite3.Connection, answer_id: str) -> str:
    """The id as stored. Raises NotFound."""
    row = one(connection, "SELECT id FROM answers WHERE id = ?", answer_id)
    if row is None:
        raise no_answer(answer_id)
    return str(row["id"])


def no_answer(answer_id: str) -> NotFound:
    """What is said of an unknown answer."""
    return NotFound(f"No answer is stored under the id {short(answer_id)}. Check the id, or ask again.")
