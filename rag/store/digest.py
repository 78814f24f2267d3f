"""Counting, listing and finding answers by what people thought of them, over any number of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from rag.metrics import Rate, quantile, wilson
from rag.store.codec import clean_text
from rag.store.database import Database
from rag.store.rows import newest
from rag.store.selection import Selection, condition
from rag.types import Failure, Origin, Rating

By: TypeAlias = Literal["prototype", "settings", "topic", "generator", "link"]
Kind: TypeAlias = Literal["choice", "list", "date", "range"]
"""Kinds of facts, as :class:`rag.prototypes.Facet` has them."""
Order: TypeAlias = Literal["newest", "oldest", "rated", "slowest", "dearest"]

UNCLEAR: Literal["unclear"] = "unclear"
"""Stands for the failure of an answer of which neither the program nor the owner could say it."""

MAX_WORDS = 8
"""Words of a search; more of them narrow nothing."""

_ORDERS: Mapping[Order, str] = {
    "newest": "created DESC, n DESC",
    "oldest": "created, n",
    "rated": "rated IS NULL, rated DESC, n DESC",
    "slowest": "seconds IS NULL, seconds DESC, n DESC",
    "dearest": "cost IS NULL, cost DESC, n DESC",
}
_COUNTS = (
    "count(*) AS answers, sum(rating = 'up') AS up, sum(rating = 'down') AS down, "
    "sum(abstained) AS abstained, sum(cost) AS cost, count(cost) AS costed"
)
_FACTS = (
    "digest JOIN digest_texts USING (n), json_each(metadata) AS fact,"
    " json_each(CASE fact.type WHEN 'array' THEN fact.value ELSE json_array(fact.value) END) AS item"
)
"""The answers with the facts of the documents that they quote, a row for each item of a list."""
_NAMED = "fact.key = :fact"
_NUMBERS = f"{_NAMED} AND fact.type IN ('integer', 'real')"
_PARTS = 5
"""Ranges of a number."""
_FAILURE = (
    f"coalesce((SELECT failure FROM annotations WHERE answer_id = digest.answer_id AND "
    f"{newest('annotations')}), (SELECT failure FROM triage WHERE answer_id = digest.answer_id))"
)
"""What the owner says, else what the program found."""


@dataclass(frozen=True, slots=True)
class Query:
    """A :class:`rag.store.Selection`, and more that must hold of an answer where it is set.

    ``text``: every word of it stands in the question, the answer, the comment, the correction or the
    owner's note (upper and lower case of ASCII letters are the same). ``topic`` 0: in no topic.
    """

    selection: Selection = field(default_factory=Selection)
    reason: str | None = None
    settings: str | None = None
    topic: int | None = None
    failure: Failure | Literal["unclear"] | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of some answers. ``up`` and ``down`` are by the thumb that counts."""

    answers: int = 0
    up: int = 0
    down: int = 0
    abstained: int = 0
    cost: float | None = None
    """US dollars of those whose cost is known; None where that is none of them."""
    costed: int = 0
    """Answers whose cost is known."""
    median: float | None = None
    """Seconds."""
    slow: float | None = None
    """Seconds: the 95 % quantile."""

    @property
    def rated(self) -> int:
        return self.up + self.down

    @property
    def liked(self) -> Rate | None:
        """Share of thumbs up among the thumbs."""
        return wilson(self.up, self.rated)

    @property
    def responded(self) -> Rate | None:
        """Share of the answers that were rated."""
        return wilson(self.rated, self.answers)

    @property
    def refused(self) -> Rate | None:
        """Share of the answers that say "I don't know"."""
        return wilson(self.abstained, self.answers)


@dataclass(frozen=True, slots=True)
class Row:
    """An answer as a list shows it."""

    n: int
    answer_id: str
    prototype: str
    origin: Origin
    created: float
    question: str
    rating: Rating | None
    reasons: tuple[str, ...]
    abstained: bool
    seconds: float | None
    cost: float | None
    failure: Failure | None
    note: str


class Digest:
    """What can be counted and listed of the answers. A part of :class:`rag.store.Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def total(self, query: Query) -> Tally:
        """All of them as one."""
        return self._tallies(query, "1").get(1, Tally())

    def over_time(self, query: Query, step: int, shift: float = 0.0) -> dict[float, Tally]:
        """By spans of ``step`` seconds; the keys are the Unix seconds of their beginnings, in order.

        ``shift``: seconds by which the clock of the spans is ahead of UTC, so that days are those
        of the place. Spans without an answer are left out.
        """
        # A cast cuts towards zero, which is down for every time since 1970.
        by = f"CAST((created + {float(shift)}) / {int(step)} AS INTEGER)"
        found = self._tallies(query, by)
        return {span * int(step) - shift: found[span] for span in sorted(found)}

    def by(self, query: Query, column: By) -> dict[Any, Tally]:
        """By the values of a column; of ``topic`` by its number."""
        return self._tallies(query, column)

    def by_fact(self, query: Query, key: str, kind: Kind = "choice") -> dict[Any, Tally]:
        """By a fact of the document that was quoted; answers whose document lacks it are left out.

        The keys are the fact's values, of a list each of its items, of a ``date`` the year, and of a
        ``range`` bounds ``(low, high)`` between which about as many answers lie as between the others.
        """
        values: dict[str, object] = {"fact": clean_text(key)}
        if kind == "date":
            by = "CAST(strftime('%Y', item.value, 'unixepoch') AS INTEGER)"
            return self._tallies(query, by, _FACTS, _NUMBERS, values)
        if kind != "range":
            return self._tallies(query, "item.value", _FACTS, _NAMED, values)
        where, named = _condition(query)
        with self._database.reading() as connection:
            sql = f"SELECT item.value FROM {_FACTS} WHERE {where} AND {_NUMBERS} ORDER BY 1"
            numbers = [row[0] for row in connection.execute(sql, {**named, **values})]
        bounds = _bounds(numbers)
        if len(bounds) < 2:
            return {}
        case = " ".join(f"WHEN item.value <= :bound{n} THEN {n}" for n in range(1, len(bounds)))
        values |= {f"bound{n}": bound for n, bound in enumerate(bounds) if n}
        found = self._tallies(query, f"CASE {case} END", _FACTS, _NUMBERS, values)
        return {(bounds[n - 1], bounds[n]): found[n] for n in sorted(found)}

    def reasons(self, query: Query) -> dict[str, int]:
        """How many thumbs down have each reason, the commonest first."""
        only = replace(query, selection=replace(query.selection, rating="down"))
        where, values = _condition(only)
        sql = (
            f"SELECT given.value AS reason, count(*) AS times FROM digest, json_each(reasons) AS given "
            f"WHERE {where} GROUP BY reason ORDER BY times DESC, reason"
        )
        with self._database.reading() as connection:
            return {row["reason"]: row["times"] for row in connection.execute(sql, values)}

    def failures(self, query: Query) -> dict[Failure | None, int]:
        """How many thumbs down went wrong where; None: not clear, or not looked at yet."""
        only = replace(query, selection=replace(query.selection, rating="down"))
        where, values = _condition(only)
        sql = f"SELECT {_FAILURE} AS failure, count(*) AS times FROM digest WHERE {where} GROUP BY 1"
        with self._database.reading() as connection:
            return {row["failure"]: row["times"] for row in connection.execute(sql, values)}

    def values(self, column: By) -> list[str]:
        """Every value of a column, in order; those that are NULL are left out."""
        sql = f"SELECT DISTINCT {column} AS value FROM digest WHERE {column} IS NOT NULL ORDER BY 1"
        with self._database.reading() as connection:
            return [row["value"] for row in connection.execute(sql)]

    def span(self) -> tuple[float, float] | None:
        """Unix seconds of the first and the last answer; None where there is none."""
        with self._database.reading() as connection:
            first, last = connection.execute("SELECT min(created), max(created) FROM digest").fetchone()
        return None if first is None else (first, last)

    def count(self, query: Query) -> int:
        """How many answers are meant."""
        where, values = _condition(query)
        with self._database.reading() as connection:
            sql = f"SELECT count(*) FROM digest WHERE {where}"
            return int(connection.execute(sql, values).fetchone()[0])

    def page(self, query: Query, order: Order = "newest", offset: int = 0, limit: int = 25) -> list[Row]:
        """Some rows of the list."""
        where, values = _condition(query)
        sql = (
            f"SELECT digest.*, {_FAILURE} AS failure, "
            "(SELECT question FROM digest_texts WHERE digest_texts.n = digest.n) AS question, "
            f"(SELECT note FROM annotations WHERE answer_id = digest.answer_id AND {newest('annotations')})"
            f" AS note FROM digest WHERE {where} ORDER BY {_ORDERS[order]} LIMIT :limit OFFSET :offset"
        )
        with self._database.reading() as connection:
            rows = connection.execute(sql, {**values, "limit": limit, "offset": offset}).fetchall()
        return [_row(row) for row in rows]

    def _tallies(
        self,
        query: Query,
        by: str,
        source: str = "digest",
        only: str = "1",
        more: Mapping[str, object] | None = None,
    ) -> dict[Any, Tally]:
        where, values = _condition(query)
        values |= more or {}
        chosen = f"FROM {source} WHERE {where} AND {only}"
        with self._database.reading() as connection:
            counted = connection.execute(
                f"SELECT {by} AS part, {_COUNTS} {chosen} GROUP BY part", values
            ).fetchall()
            took = connection.execute(
                f"SELECT {by} AS part, seconds {chosen} AND seconds IS NOT NULL", values
            ).fetchall()
        seconds: dict[object, list[float]] = {}
        for part, each in took:
            seconds.setdefault(part, []).append(each)
        return {row["part"]: _tally(row, seconds.get(row["part"], [])) for row in counted}


def _condition(query: Query) -> tuple[str, dict[str, object]]:
    """The query as a condition on ``digest`` with named parameters."""
    rating = query.selection.rating
    where, values = condition(replace(query.selection, rating=None))
    parts = [where]
    match rating:
        case "up" | "down":
            parts.append(f"rating = '{rating}'")
        case "rated":
            parts.append("rating IS NOT NULL")
        case "none":
            parts.append("rating IS NULL")
    if query.settings is not None:
        parts.append("settings = :settings")
        values["settings"] = clean_text(query.settings)
    if query.topic is not None:
        parts.append("topic = :topic" if query.topic else "coalesce(topic, 0) = :topic")
        values["topic"] = query.topic
    if query.reason is not None:
        parts.append("EXISTS (SELECT 1 FROM json_each(reasons) AS said WHERE said.value = :reason)")
        values["reason"] = clean_text(query.reason)
    if query.failure is not None:
        parts.append(f"rating = 'down' AND {_FAILURE} IS :failure")
        values["failure"] = None if query.failure == UNCLEAR else query.failure
    for number, word in enumerate(clean_text(query.text).split()[:MAX_WORDS]):
        parts.append(_holding(f"word{number}"))
        values[f"word{number}"] = f"%{word.translate(_LIKE)}%"
    return " AND ".join(parts), values


_LIKE = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


def _holding(name: str) -> str:
    def like(*columns: str) -> str:
        return " OR ".join(f"{column} LIKE :{name} ESCAPE '\\'" for column in columns)

    return (
        f"(n IN (SELECT n FROM digest_texts WHERE {like('question', 'text')})"
        f" OR answer_id IN (SELECT answer_id FROM feedback WHERE ({like('comment', 'correction')})"
        f" AND {newest('feedback')})"
        f" OR answer_id IN (SELECT answer_id FROM annotations WHERE ({like('note')})"
        f" AND {newest('annotations')}))"
    )


def _tally(row: sqlite3.Row, seconds: Sequence[float]) -> Tally:
    return Tally(
        answers=row["answers"],
        up=row["up"] or 0,
        down=row["down"] or 0,
        abstained=row["abstained"] or 0,
        cost=row["cost"],
        costed=row["costed"],
        median=quantile(seconds, 0.5),
        slow=quantile(seconds, 0.95),
    )


def _row(row: sqlite3.Row) -> Row:
    return Row(
        n=row["n"],
        answer_id=row["answer_id"],
        prototype=row["prototype"],
        origin=row["origin"],
        created=row["created"],
        question=row["question"],
        rating=row["rating"],
        reasons=tuple(json.loads(row["reasons"] or "[]")),
        abstained=bool(row["abstained"]),
        seconds=row["seconds"],
        cost=row["cost"],
        failure=row["failure"],
        note=row["note"] or "",
    )


def _bounds(numbers: Sequence[float]) -> list[float]:
    """Bounds of at most :data:`_PARTS` ranges of ordered numbers, about as many in each; [] of none."""
    if not numbers:
        return []
    inner = {numbers[round(part * (len(numbers) - 1) / _PARTS)] for part in range(1, _PARTS)}
    return sorted({numbers[0], *inner, numbers[-1]}) if numbers[0] != numbers[-1] else [numbers[0]] * 2
