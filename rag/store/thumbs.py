"""Feedback as rows: what is taken from a reader, appended, and read back."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

from rag.errors import UsageError
from rag.store.codec import clean_text, decode, encode
from rag.store.rows import insert, known_answer, new_id, newest, next_revision, one, queue, short
from rag.types import Feedback, Origin, Rating, Relevant

MAX_REASONS = 20
MAX_REASON = 64
MAX_COMMENT = 5_000
MAX_CORRECTION = 20_000
MAX_QUOTE = 20_000
MAX_REPORTED = 100
"""Longest texts and lists taken from a reader: ample for a person, no room for a flood."""
LARGEST = 2**31 - 1
"""The highest offset and number of a citation that is taken: what every format of an export holds. No
document is as long."""


def append(connection: sqlite3.Connection, wanted: Feedback) -> Feedback:
    """Append feedback under the next revision of its answer, and queue it for delivery.

    ``revision``, ``created`` and ``id`` of what is given do not matter. Raises NotFound for an
    unknown answer, UsageError for a rating that is none, a text that is too long, or a report of a
    citation that the answer does not have.
    """
    cited = _cited(connection, wanted.answer_id) if wanted.reported else ()
    wanted = _without_leftovers(connection, wanted, cited)
    check(wanted)
    answer_id = known_answer(connection, wanted.answer_id)
    _check_reported(wanted.reported, cited)
    kept = replace(
        wanted,
        answer_id=answer_id,
        revision=next_revision(connection, "feedback", "answer_id", answer_id),
        reasons=tuple(dict.fromkeys(clean_text(reason) for reason in wanted.reasons)),
        comment=clean_text(wanted.comment),
        correction=clean_text(wanted.correction),
        created=time.time(),
        reported=tuple(sorted(set(wanted.reported))),
        id=new_id(),
    )
    row = feedback_row(kept)
    insert(connection, "feedback", row)
    queue(connection, "feedback", kept.id, kept.answer_id)
    return replace(kept, passage=None if kept.passage is None else decode(Relevant, str(row["passage"])))


def feedback_row(kept: Feedback) -> dict[str, object]:
    """Feedback as a row of the table."""
    return {
        "id": kept.id,
        "answer_id": kept.answer_id,
        "revision": kept.revision,
        "rating": kept.rating,
        "reasons": json.dumps(kept.reasons, ensure_ascii=False),
        "comment": kept.comment,
        "correction": kept.correction,
        "origin": kept.origin,
        "created": kept.created,
        "passage": None if kept.passage is None else encode(kept.passage),
        "reported": json.dumps(kept.reported),
    }


def feedback_of(row: sqlite3.Row) -> Feedback:
    """The feedback of a row of the table."""
    return Feedback(
        answer_id=row["answer_id"],
        revision=row["revision"],
        rating=row["rating"],
        reasons=tuple(json.loads(row["reasons"])),
        comment=row["comment"],
        correction=row["correction"],
        created=row["created"],
        origin=row["origin"],
        passage=None if row["passage"] is None else decode(Relevant, row["passage"]),
        reported=tuple(json.loads(row["reported"])),
        id=row["id"],
    )


def _cited(connection: sqlite3.Connection, answer_id: str) -> tuple[int, ...]:
    """The numbers of an answer's citations, each once."""
    rows = connection.execute(
        "SELECT DISTINCT json_extract(value, '$.number') AS number "
        "FROM answers, json_each(answers.record, '$.citations') WHERE answers.id = ? ORDER BY number",
        (clean_text(answer_id),),
    )
    return tuple(row["number"] for row in rows)


def _without_leftovers(connection: sqlite3.Connection, wanted: Feedback, cited: Sequence[int]) -> Feedback:
    """What is wanted without what the newest revision already says and would be refused today.

    A page repeats all of that with what is new: who turns a thumb must not be told of a number
    that was taken when any was.
    """
    if not wanted.reported and wanted.passage is None:
        return wanted
    counting = f"SELECT * FROM feedback WHERE answer_id = ? AND {newest('feedback')}"
    row = one(connection, counting, wanted.answer_id)
    if row is None:
        return wanted
    before = feedback_of(row)
    passage = wanted.passage
    if passage is not None and passage == before.passage and passage.end > LARGEST:
        passage = None
    reported = tuple(n for n in wanted.reported if n in cited or n not in before.reported)
    return replace(wanted, passage=passage, reported=reported)


def _check_reported(reported: Sequence[int], cited: Sequence[int]) -> None:
    strange = sorted(set(reported).difference(cited))
    if strange:
        numbers = f"has the citations {', '.join(map(str, cited))}" if cited else "cites nothing"
        raise UsageError(f"The answer has no citation {strange[0]} to report: it {numbers}.")


def check(given: Feedback) -> None:
    """Raises UsageError for a rating that is none, a text or list that is too long, or a number too high."""
    _check(given.rating, given.reasons, given.comment, given.correction, given.origin)
    _check_evidence(given.passage, given.reported)


def _check(
    rating: Rating | None, reasons: Sequence[str], comment: str, correction: str, origin: Origin
) -> None:
    if rating is not None and rating not in get_args(Rating):
        raise UsageError(f"A rating is up, down or none, not {short(str(rating))}.")
    if origin not in get_args(Origin):
        raise UsageError(f"Feedback comes from {', '.join(get_args(Origin))}, not {short(str(origin))}.")
    if isinstance(reasons, str) or not all(isinstance(r, str) and r.strip() for r in reasons):
        raise UsageError("Reasons are a list of short texts, none of them empty.")
    if len(reasons) > MAX_REASONS or any(len(reason) > MAX_REASON for reason in reasons):
        raise UsageError(f"Give at most {MAX_REASONS} reasons of at most {MAX_REASON} characters each.")
    for name, text, most in (("comment", comment, MAX_COMMENT), ("correction", correction, MAX_CORRECTION)):
        if len(text) > most:
            raise UsageError(f"The {name} has {len(text):,} characters; shorten it to {most:,}.")


def _check_evidence(passage: Relevant | None, reported: Sequence[int]) -> None:
    if passage is not None:
        if not passage.document_id or not 0 <= passage.start < passage.end:
            raise UsageError("A passage needs its document and a span of at least one character.")
        if passage.end > LARGEST:
            raise UsageError(f"The passage ends beyond character {LARGEST:,}, where no document has any.")
        if len(passage.text) > MAX_QUOTE:
            raise UsageError(f"The passage has {len(passage.text):,} characters, at most {MAX_QUOTE:,} go.")
    whole = all(
        isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= LARGEST
        for number in reported
    )
    if not whole or len(reported) > MAX_REPORTED:
        raise UsageError(
            f"Reported citations are at most {MAX_REPORTED} numbers, counted from 1 to {LARGEST:,} at most."
        )
