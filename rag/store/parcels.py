"""Stored rows as Supabase's tables take them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from rag.store.erasing import answer_of
from rag.store.refusals import RowRefused
from rag.store.rows import one, short

MAX_PROMPT = 100_000
"""Characters that Supabase's table takes of a system prompt."""


def answer(connection: sqlite3.Connection, row_id: str) -> Mapping[str, Any] | None:
    """An answer, its whole record included. None where it is gone; raises RowRefused."""
    row = one(connection, "SELECT * FROM answers WHERE id = ?", row_id)
    if row is None:
        return None
    known = one(connection, "SELECT record FROM settings WHERE fingerprint = ?", row["settings"])
    prompt = one(connection, "SELECT system FROM prompts WHERE version = ?", row["prompt_version"])
    return {
        "id": dashed(row["id"]),
        "conversation_id": None if row["conversation_id"] is None else dashed(row["conversation_id"]),
        "replaces": None if row["replaces"] is None else dashed(row["replaces"]),
        "prototype": _text(row["prototype"]),
        "question": _text(row["question"]),
        "text": _text(row["text"]),
        "confidence": row["confidence"],
        "abstained": bool(row["abstained"]),
        "generator": _text(row["generator"]),
        "settings": _text(row["settings"]),
        "settings_values": None if known is None else _json(known["record"]),
        "index_version": _text(row["index_version"]),
        "prompt_version": _text(row["prompt_version"]),
        # Cut rather than refused: the answer matters more than the end of an endless prompt.
        "system_prompt": None if prompt is None else _text(prompt["system"])[:MAX_PROMPT],
        "link": None if row["link"] is None else _text(row["link"]),
        "origin": _text(row["origin"]),
        "seconds": row["seconds"],
        "cost": row["cost"],
        "created": _time(row["created"]),
        "record": _json(row["record"]),
    }


def feedback(connection: sqlite3.Connection, row_id: str) -> Mapping[str, Any] | None:
    """A revision of feedback. None where it is gone; raises RowRefused."""
    row = one(connection, "SELECT * FROM feedback WHERE id = ?", row_id)
    if row is None:
        return None
    return {
        "id": dashed(row["id"]),
        "answer_id": dashed(row["answer_id"]),
        "revision": row["revision"],
        "rating": row["rating"],
        "reasons": _json(row["reasons"]),
        "comment": _text(row["comment"]),
        "correction": _text(row["correction"]),
        "passage": None if row["passage"] is None else _json(row["passage"]),
        "reported": _json(row["reported"]),
        "origin": _text(row["origin"]),
        "created": _time(row["created"]),
    }


def preference(connection: sqlite3.Connection, row_id: str) -> Mapping[str, Any] | None:
    """A revision of a preference. None where it is gone; raises RowRefused."""
    row = one(connection, "SELECT * FROM preferences WHERE id = ?", row_id)
    if row is None:
        return None
    return {
        "id": dashed(row["id"]),
        "pair": _text(row["pair"]),
        "revision": row["revision"],
        "prototype": _text(row["prototype"]),
        "question": _text(row["question"]),
        "left_answer": dashed(row["left_answer"]),
        "right_answer": dashed(row["right_answer"]),
        "left_settings": _text(row["left_settings"]),
        "right_settings": _text(row["right_settings"]),
        "choice": row["choice"],
        "reason": _text(row["reason"]),
        "created": _time(row["created"]),
    }


def link(connection: sqlite3.Connection, row_id: str) -> Mapping[str, Any] | None:
    """A revision of a link. None where it is gone; raises RowRefused."""
    row = one(connection, "SELECT * FROM links WHERE id = ?", row_id)
    if row is None:
        return None
    record = _json(row["record"])
    conversation = record.get("conversation")
    return {
        "id": dashed(row["id"]),
        "link_id": dashed(row["link_id"]),
        "revision": row["revision"],
        "kind": row["kind"],
        "token_hash": row["token_hash"],
        "prototype": _text(row["prototype"]),
        "conversation_id": None if conversation is None else dashed(conversation),
        "record": record,
        "created": _time(row["created"]),
    }


def erase(connection: sqlite3.Connection, row_id: str) -> Mapping[str, Any] | None:
    """A conversation to erase, or an answer that belongs to none; raises RowRefused."""
    return {"conversation_id": dashed(answer_of(row_id) or row_id)}


Reader = Callable[[sqlite3.Connection, str], Mapping[str, Any] | None]
READERS: Mapping[str, Reader] = {
    "answer": answer,
    "feedback": feedback,
    "preference": preference,
    "link": link,
    "erase": erase,
}
TABLES: Mapping[str, str] = {
    "answer": "answers",
    "feedback": "feedback",
    "preference": "preferences",
    "link": "links",
    "erase": "erased",
}
"""The table of each kind of row that is delivered."""


def dashed(id: str) -> str:
    """An id as PostgreSQL writes it. Raises RowRefused for one that is no UUID."""
    try:
        return str(UUID(id))
    except ValueError:
        raise RowRefused(f"The id {short(id)} is no UUID, which is what Supabase's tables take.") from None


def plain(id: str) -> str:
    """An id of PostgreSQL as the local store writes it. Raises ValueError."""
    return UUID(id).hex


def _text(text: str) -> str:
    # PostgreSQL's text holds no NUL. One character takes the place of one, so offsets hold.
    return text.replace("\0", "\ufffd")


def _json(text: str) -> Any:
    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return _text(value)
        if isinstance(value, list):
            return [clean(each) for each in value]
        if isinstance(value, dict):
            return {_text(key): clean(each) for key, each in value.items()}
        return value

    value = json.loads(text)
    return clean(value) if "\\u0000" in text else value


def _time(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
    except (ValueError, OverflowError, OSError):
        raise RowRefused(f"Its time ({seconds!r}) is none that a calendar has.") from None
