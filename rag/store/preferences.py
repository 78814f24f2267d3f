"""Preferences between two answers, append-only: of a pair the highest revision counts."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from typing import get_args

from rag.errors import NotFound, UsageError
from rag.store.codec import clean_text, decode
from rag.store.database import Database
from rag.store.rows import insert, known_answer, new_id, newest, next_revision, one, queue, short
from rag.store.selection import Selection, condition
from rag.types import Answer, Choice, Preference

MAX_PREFERENCE_REASON = 5_000
"""Characters."""
_PAGE = 200
"""Comparisons read in one transaction, each with two whole answers."""


class Preferences:
    """What readers preferred. A part of :class:`rag.store.Store`; safe to share as it is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, pair: str, left: str, right: str, choice: Choice | None, *, reason: str = "") -> Preference:
        """Append which of two stored answers to one question was preferred; None takes it back.

        ``left`` and ``right`` are their ids, as they stood on the page; ``pair`` is an id of the
        caller's (:func:`rag.store.new_id`), the same for every revision. On disk when this
        returns. Raises NotFound for an unknown answer; UsageError for a choice that is none, a
        reason that is too long, answers to two questions, or a pair that has other answers.
        """
        check_preference(pair, choice, reason)
        pair = clean_text(pair)
        with self._database.writing() as connection:
            sides = [_side(connection, side) for side in (left, right)]
            if sides[0]["question"] != sides[1]["question"] or sides[0]["prototype"] != sides[1]["prototype"]:
                raise UsageError("Only two answers to the same question of one prototype can be compared.")
            known = one(connection, "SELECT * FROM preferences WHERE pair = ?", pair)
            ids = (sides[0]["id"], sides[1]["id"])
            if known is not None and (known["left_answer"], known["right_answer"]) != ids:
                raise UsageError("This comparison has other answers. Begin a new one.")
            kept = Preference(
                id=new_id(),
                pair=pair,
                revision=next_revision(connection, "preferences", "pair", pair),
                prototype=sides[0]["prototype"],
                question=sides[0]["question"],
                left=ids[0],
                right=ids[1],
                left_settings=sides[0]["settings"],
                right_settings=sides[1]["settings"],
                choice=choice,
                reason=clean_text(reason),
                created=time.time(),
            )
            insert(connection, "preferences", preference_row(kept))
            queue(connection, "preference", kept.id, pair)
        return kept

    def of(self, pair: str) -> Preference:
        """What counts for a pair. Raises NotFound where nobody has chosen yet."""
        with self._database.reading() as connection:
            row = one(
                connection,
                f"SELECT * FROM preferences WHERE pair = ? AND {newest('preferences', 'pair')}",
                pair,
            )
        if row is None:
            raise NotFound(f"No comparison is stored under the id {short(pair)}.")
        return _preference(row)

    def all(self, prototype: str | None = None) -> Sequence[Preference]:
        """What counts for every pair that was not taken back, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM preferences WHERE choice IS NOT NULL "
                f"AND (:prototype IS NULL OR prototype = :prototype) AND {newest('preferences', 'pair')} "
                "ORDER BY n",
                {"prototype": prototype},
            ).fetchall()
        return [_preference(row) for row in rows]

    def stream(self, selection: Selection) -> Iterator[tuple[Preference, Answer, Answer]]:
        """What counts for the pairs of which both answers are meant, oldest first, in bounded memory.

        With the left and the right answer. Those that were taken back do not come.
        """
        where, values = condition(selection)
        meant = f"IN (SELECT id FROM answers WHERE {where})"
        sql = (
            "SELECT preferences.*, lefts.record AS left_record, rights.record AS right_record "
            "FROM preferences JOIN answers AS lefts ON lefts.id = left_answer "
            "JOIN answers AS rights ON rights.id = right_answer "
            "WHERE preferences.n > :after AND choice IS NOT NULL "
            f"AND {newest('preferences', 'pair')} AND left_answer {meant} AND right_answer {meant} "
            f"ORDER BY preferences.n LIMIT {_PAGE}"
        )
        after = 0
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(sql, {**values, "after": after}).fetchall()
            for row in rows:
                yield (
                    _preference(row),
                    decode(Answer, row["left_record"]),
                    decode(Answer, row["right_record"]),
                )
            if len(rows) < _PAGE:
                return
            after = rows[-1]["n"]


def check_preference(pair: str, choice: Choice | None, reason: str) -> None:
    """Raises UsageError for a choice that is none, a reason that is too long, a blank id."""
    if choice is not None and choice not in get_args(Choice):
        raise UsageError(f"A choice is left, right, tie or neither, not {short(str(choice))}.")
    if len(reason) > MAX_PREFERENCE_REASON:
        raise UsageError(f"The reason has {len(reason):,} characters; shorten it to 5,000.")
    if not pair.strip():
        raise UsageError("A comparison needs an id before it can be saved.")


def _side(connection: sqlite3.Connection, answer_id: str) -> sqlite3.Row:
    known = known_answer(connection, answer_id)
    row = one(connection, "SELECT id, question, prototype, settings FROM answers WHERE id = ?", known)
    assert row is not None  # read in this transaction
    return row


def preference_row(kept: Preference) -> dict[str, object]:
    """A preference as a row of the table."""
    return {
        "id": kept.id,
        "pair": kept.pair,
        "revision": kept.revision,
        "prototype": kept.prototype,
        "question": kept.question,
        "left_answer": kept.left,
        "right_answer": kept.right,
        "left_settings": kept.left_settings,
        "right_settings": kept.right_settings,
        "choice": kept.choice,
        "reason": kept.reason,
        "created": kept.created,
    }


def _preference(row: sqlite3.Row) -> Preference:
    return Preference(
        id=row["id"],
        pair=row["pair"],
        revision=row["revision"],
        prototype=row["prototype"],
        question=row["question"],
        left=row["left_answer"],
        right=row["right_answer"],
        left_settings=row["left_settings"],
        right_settings=row["right_settings"],
        choice=row["choice"],
        reason=row["reason"],
        created=row["created"],
    )
