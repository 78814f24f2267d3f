"""Rows of other replicas: what Supabase has and this store has not, for the owner to look at.

Anyone with the publishable key can insert there, so a row is taken as a stranger's: it is
checked as if it were given here, never replaces what is stored, and never enters a
conversation that began here: neither as an answer nor as what its reader thinks of one, which
is said here and nowhere else. A conversation that comes along with it is a stub that no secret
opens. Nothing that arrives is queued for delivery.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args
from uuid import UUID

from rag.config import Settings, with_settings
from rag.dates import is_moment
from rag.errors import StoreError, ThumbprintError
from rag.filters import parse
from rag.store.codec import decode, encode
from rag.store.database import Database
from rag.store.erasing import alone, erase_conversation, remember_erased, remove_answers
from rag.store.parcels import plain
from rag.store.preferences import check_preference, preference_row
from rag.store.rows import answer_row, insert, next_revision, one
from rag.store.thumbs import LARGEST, check, feedback_row
from rag.types import (
    Answer,
    Citation,
    Claim,
    Feedback,
    MetaValue,
    Origin,
    Passage,
    Preference,
    Scorer,
    Verdict,
)

STUB = "imported"
"""In the place of the hash of a secret; no hash is this."""

_MOST_FACT = 2**63 - 1
"""The highest whole number of a document's facts, which may be anything from a year to a barcode."""
_DEAREST = 1_000_000
"""US dollars of one answer; dearer ones, and those that pay, are made up."""
_AHEAD = 1_000
"""Revisions that may be missing before one. More have not been lost on the way: the number was made
up, to be the highest for good."""

_TABLES = {"answers": "answers", "feedback": "feedback", "preferences": "preferences"}


@dataclass(frozen=True, slots=True)
class Arrived:
    """What became of rows: ``taken`` are stored; ``skipped`` are malformed, or fit nothing here."""

    taken: int = 0
    skipped: int = 0

    def __add__(self, other: Arrived) -> Arrived:
        return Arrived(self.taken + other.taken, self.skipped + other.skipped)


class _Unfit(Exception):
    """A row that is not taken; never leaves this module."""


class Arrivals:
    """What was pulled from Supabase. A part of :class:`rag.store.Store`; safe to share as it is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def cursor(self, table: str) -> int:
        """The number in Supabase's table up to which everything was read."""
        with self._database.reading() as connection:
            row = one(connection, "SELECT value FROM cursors WHERE name = ?", f"pull:{table}")
        return 0 if row is None else int(row["value"])

    def move(self, table: str, n: int) -> None:
        """Everything up to this number was read."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO cursors (name, value) VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (f"pull:{table}", str(n)),
            )

    def unknown(self, table: str, ids: Iterable[str]) -> list[str]:
        """Those of the ids (with dashes) that are neither stored here nor were erased here."""
        by_local = {plain(id): id for id in ids}
        sql = (
            f"SELECT value FROM json_each(?) WHERE value NOT IN (SELECT id FROM {_TABLES[table]}) "
            "AND 'answer:' || value NOT IN (SELECT conversation_id FROM erased)"
        )
        with self._database.reading() as connection:
            found = connection.execute(sql, (json.dumps(list(by_local)),)).fetchall()
        return [by_local[row["value"]] for row in found]

    def absent(self, answer_ids: Iterable[str]) -> list[str]:
        """Those answers, named by feedback or preferences, that are not here and were not erased."""
        return self.unknown("answers", [id for id in set(answer_ids) if _is_uuid(id)])

    def take(self, table: str, rows: Sequence[Mapping[str, Any]]) -> Arrived:
        """Store rows of a table, each by itself: one that does not fit keeps no other out."""
        one_of = {"answers": _answer, "feedback": _feedback, "preferences": _preference}[table]
        taken = 0
        with self._database.writing() as connection:
            for row in rows:
                connection.execute("SAVEPOINT arrival")
                try:
                    one_of(connection, row)
                    taken += 1
                except (_Unfit, ThumbprintError, sqlite3.IntegrityError, ArithmeticError, LookupError,
                        OSError, TypeError, ValueError, RecursionError):  # fmt: skip
                    connection.execute("ROLLBACK TO arrival")
                connection.execute("RELEASE arrival")
        return Arrived(taken, len(rows) - taken)

    def erase(self, ids: Sequence[str]) -> int:
        """Erase what was erased in Supabase; returns how many of them were here.

        An id (with dashes) is that of a conversation, or of an answer that went by itself. What
        began here goes too: only the owner's key can have said so.
        """
        erased = 0
        with self._database.writing() as connection:
            for id in map(plain, ids):
                if one(connection, "SELECT 1 FROM conversations WHERE id = ?", id) is not None:
                    erase_conversation(connection, id)
                elif one(connection, "SELECT 1 FROM answers WHERE id = ?", id) is not None:
                    remove_answers(connection, [id])
                else:
                    continue
                erased += 1
                remember_erased(connection, [id, alone(id)], tell=False)
        if erased:
            with contextlib.suppress(StoreError):
                self._database.scrub()
        return erased


def _answer(connection: sqlite3.Connection, row: Mapping[str, Any]) -> None:
    answer = decode(Answer, json.dumps(row["record"]))
    if not _same(answer.id, row["id"]) or not _same(answer.conversation_id, row["conversation_id"]):
        raise _Unfit
    if answer.id != plain(row["id"]) or not _sound(answer):
        raise _Unfit
    for where in (answer.where, *(each.where for each in answer.proposed)):
        parse(where)  # raises where it means nothing
    conversation = answer.conversation_id
    if one(connection, "SELECT 1 FROM erased WHERE conversation_id = ?", alone(answer.id)) is not None:
        raise _Unfit
    if conversation is not None:
        if one(connection, "SELECT 1 FROM erased WHERE conversation_id = ?", conversation) is not None:
            raise _Unfit
        known = one(connection, "SELECT secret_hash FROM conversations WHERE id = ?", conversation)
        if known is None:
            stub = {
                "id": conversation,
                "secret_hash": STUB,
                "prototype": answer.provenance.prototype,
                "title": " ".join(answer.question.split())[:80],
                "created": answer.created,
                "updated": answer.created,
            }
            insert(connection, "conversations", stub)
        elif known["secret_hash"] != STUB:
            raise _Unfit  # it began here, and whoever inserted this is not its reader
    replaced = None
    if row["replaces"] is not None:
        replaced = connection.execute(
            "SELECT id, n, place FROM answers WHERE id = ? AND conversation_id IS ?",
            (plain(row["replaces"]), conversation),
        ).fetchone()
    place = None if replaced is None else replaced["place"] or replaced["n"]
    kept = answer_row(answer, encode(answer), None if replaced is None else replaced["id"], place)
    insert(connection, "answers", kept)
    values = row.get("settings_values")
    if isinstance(values, dict) and _explains(values, answer.provenance.settings):
        connection.execute(
            "INSERT OR IGNORE INTO settings (fingerprint, record) VALUES (?, ?)",
            (answer.provenance.settings, json.dumps(values, ensure_ascii=False, sort_keys=True)),
        )


def _sound(answer: Answer) -> bool:
    """Whether it is what an answer can be: a page draws it and an export writes it without a look."""
    return (
        0 <= answer.confidence <= 1
        and is_moment(answer.created)
        and answer.origin in get_args(Origin)
        and (answer.cost is None or 0 <= answer.cost <= _DEAREST)
        and all(0 <= tokens <= LARGEST for tokens in answer.usage.values())
        and all(map(_sound_passage, answer.passages))
        and all(_sound_citation(citation, answer) for citation in answer.citations)
        and all(_sound_claim(claim, answer) for claim in answer.claims)
    )


def _sound_passage(passage: Passage) -> bool:
    return (
        passage.scorer in get_args(Scorer)
        and _is_span(passage.start, passage.end)
        and 0 <= passage.context_start <= LARGEST
        and (passage.page is None or 1 <= passage.page <= LARGEST)
        and all(_is_span(each.start, each.end) for each in passage.sentences)
        and all(map(_sound_fact, passage.metadata.values()))
    )


def _sound_citation(citation: Citation, answer: Answer) -> bool:
    return (
        citation.verdict in get_args(Verdict)
        and 1 <= citation.number <= LARGEST
        and 0 <= citation.passage < len(answer.passages)
        and _is_span(citation.start, citation.end)
        and _is_span(citation.answer_start, citation.answer_end)
    )


def _sound_claim(claim: Claim, answer: Answer) -> bool:
    return (
        claim.verdict in get_args(Verdict)
        and _is_span(claim.start, claim.end)
        and all(0 <= n < len(answer.passages) for n in claim.cited)
    )


def _sound_fact(value: MetaValue) -> bool:
    return not isinstance(value, int) or -_MOST_FACT <= value <= _MOST_FACT


def _is_span(start: int, end: int) -> bool:
    return 0 <= start <= end <= LARGEST


def _explains(values: Mapping[str, Any], fingerprint: str) -> bool:
    """Whether the fingerprint is that of these values, as far as this version can tell."""
    return with_settings(Settings(), values).fingerprint == fingerprint


def _feedback(connection: sqlite3.Connection, row: Mapping[str, Any]) -> None:
    values = {
        "id": plain(row["id"]),
        "answer_id": plain(row["answer_id"]),
        "revision": row["revision"],
        "rating": row["rating"],
        "reasons": row["reasons"],
        "comment": row["comment"],
        "correction": row["correction"],
        "passage": row["passage"],
        "reported": row["reported"],
        "origin": row["origin"],
        "created": _seconds(row["created"]),
    }
    given = decode(Feedback, json.dumps(values))
    check(given)
    place = None if given.passage is None else given.passage.retrieved
    if place is not None and not 0 <= place <= LARGEST:
        raise _Unfit
    if _began_here(connection, given.answer_id):
        raise _Unfit  # whoever inserted this is not its reader
    if given.revision > next_revision(connection, "feedback", "answer_id", given.answer_id) + _AHEAD:
        raise _Unfit
    insert(connection, "feedback", feedback_row(given))


def _began_here(connection: sqlite3.Connection, answer_id: str) -> bool:
    """Whether the answer is of a conversation that a browser opens here."""
    sql = (
        "SELECT secret_hash FROM answers JOIN conversations ON conversations.id = conversation_id "
        "WHERE answers.id = ?"
    )
    conversation = one(connection, sql, answer_id)
    return conversation is not None and conversation["secret_hash"] != STUB


def _preference(connection: sqlite3.Connection, row: Mapping[str, Any]) -> None:
    values = {
        "id": plain(row["id"]),
        "pair": row["pair"],
        "revision": row["revision"],
        "prototype": row["prototype"],
        "question": row["question"],
        "left": plain(row["left_answer"]),
        "right": plain(row["right_answer"]),
        "left_settings": row["left_settings"],
        "right_settings": row["right_settings"],
        "choice": row["choice"],
        "reason": row["reason"],
        "created": _seconds(row["created"]),
    }
    given = decode(Preference, json.dumps(values))
    check_preference(given.pair, given.choice, given.reason)
    known = one(connection, "SELECT left_answer, right_answer FROM preferences WHERE pair = ?", given.pair)
    if known is not None and (known["left_answer"], known["right_answer"]) != (given.left, given.right):
        raise _Unfit
    if given.revision > next_revision(connection, "preferences", "pair", given.pair) + _AHEAD:
        raise _Unfit
    insert(connection, "preferences", preference_row(given))


def _seconds(time: str) -> float:
    seconds = datetime.fromisoformat(time).timestamp()
    if not is_moment(seconds):
        raise _Unfit
    return seconds


def _same(local: str | None, remote: str | None) -> bool:
    return (local is None and remote is None) or (
        local is not None and remote is not None and plain(local) == plain(remote)
    )


def _is_uuid(id: object) -> bool:
    try:
        UUID(str(id))
    except ValueError:
        return False
    return True
