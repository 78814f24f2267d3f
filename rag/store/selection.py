"""Which answers are meant, and reading them in pages, so that any number goes through bounded memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rag.store.codec import clean_text, decode
from rag.store.database import Database
from rag.store.rows import newest
from rag.store.thumbs import feedback_of
from rag.types import Answer, Feedback, Origin

PAGE = 500
"""Answers read in one transaction."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Some of the answers. Every field that is set must hold; the default is all of them.

    Times are Unix seconds of the answer: ``since`` belongs to it, ``until`` does not. ``rating``:
    ``rated`` is either thumb, ``none`` is no thumb (never given, or taken back).
    """

    prototype: str | None = None
    link: str | None = None
    since: float | None = None
    until: float | None = None
    rating: Literal["up", "down", "rated", "none"] | None = None
    origins: tuple[Origin, ...] = ()
    """None named: all."""


@dataclass(frozen=True, slots=True)
class Rated:
    """A stored answer with what its reader thought of it, where anything was said."""

    n: int
    """Its number: stored later, numbered higher."""
    answer: Answer
    feedback: Feedback | None


RATING = f"(SELECT rating FROM feedback WHERE answer_id = answers.id AND {newest('feedback')})"
"""The thumb that counts, as an expression of a query over ``answers``."""


def condition(selection: Selection) -> tuple[str, dict[str, object]]:
    """The selection as a condition on ``answers`` with named parameters; ``1`` where it is all."""
    parts: list[str] = []
    values: dict[str, object] = {}
    for column in ("prototype", "link"):
        value = getattr(selection, column)
        if value is not None:
            parts.append(f"{column} = :{column}")
            values[column] = clean_text(value)
    if selection.since is not None:
        parts.append("created >= :since")
        values["since"] = selection.since
    if selection.until is not None:
        parts.append("created < :until")
        values["until"] = selection.until
    if selection.origins:
        names = [f":origin{number}" for number in range(len(selection.origins))]
        parts.append(f"origin IN ({', '.join(names)})")
        values |= {name[1:]: origin for name, origin in zip(names, selection.origins, strict=True)}
    match selection.rating:
        case "up" | "down":
            parts.append(f"{RATING} = :rating")
            values["rating"] = selection.rating
        case "rated":
            parts.append(f"{RATING} IS NOT NULL")
        case "none":
            parts.append(f"{RATING} IS NULL")
    return " AND ".join(parts) or "1", values


def count(database: Database, selection: Selection) -> int:
    """How many answers are meant."""
    where, values = condition(selection)
    with database.reading() as connection:
        return int(connection.execute(f"SELECT count(*) FROM answers WHERE {where}", values).fetchone()[0])


def stream(database: Database, selection: Selection) -> Iterator[Rated]:
    """The answers in the order they were stored, each with the feedback that counts.

    A page is one transaction, and nothing is held between two of them: an answer that is stored
    meanwhile comes at the end, one that is erased meanwhile does not come.
    """
    after = 0
    while True:
        page = _page(database, selection, after)
        for row, thumb in page:
            yield Rated(
                row["n"], decode(Answer, row["record"]), None if thumb is None else feedback_of(thumb)
            )
        if len(page) < PAGE:
            return
        after = page[-1][0]["n"]


def _page(
    database: Database, selection: Selection, after: int
) -> list[tuple[sqlite3.Row, sqlite3.Row | None]]:
    where, values = condition(selection)
    with database.reading() as connection:
        rows = connection.execute(
            f"SELECT n, id, record FROM answers WHERE n > :after AND {where} ORDER BY n LIMIT {PAGE}",
            {**values, "after": after},
        ).fetchall()
        if not rows:
            return []
        marks = ", ".join("?" for _ in rows)
        given = connection.execute(
            f"SELECT * FROM feedback WHERE answer_id IN ({marks}) AND {newest('feedback')}",
            [row["id"] for row in rows],
        ).fetchall()
    thumbs = {row["answer_id"]: row for row in given}
    return [(row, thumbs.get(row["id"])) for row in rows]
