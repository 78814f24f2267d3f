"""Counting, listing and finding answers by what people thought of them, over any number of them."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

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

Outcome: TypeAlias = Failure | Literal["unclear", "waiting"]
"""Where a thumb down went wrong; ``unclear``: neither the program nor the owner could say,
``waiting``: nobody has looked yet."""

MAX_WORDS = 8
"""Words of a search; more of them narrow nothing."""

_ORDERS: Mapping[Order, str] = {
    "newest": "created DESC, n DESC",
    "oldest": "created, n",
    "rated": "rating IS NULL, rated DESC, n DESC",
    "slowest": "seconds IS NULL, seconds DESC, n DESC",
    "dearest": "cost IS NULL, cost DESC, n DESC",
}
_COUNTS = (
    "count(*) AS answers, sum(rating = 'up') AS up, sum(rating = 'down') AS down, "
    "sum(abstained) AS abstained, sum(cost) AS cost, count(cost) AS costed, "
    # All values in one text: a row for each of 100,000 takes four times as long.
    "group_concat(round(seconds, 4)) AS seconds"
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
    f"{newest('annotations')}), (SELECT coalesce(failure, 'unclear') FROM triage"
    " WHERE answer_id = digest.answer_id), 'waiting')"
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
    failure: Outcome | None = None
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
    failure: Outcome
    """Means something of a thumb down only."""
    note: str


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Counts of some answers in all, by spans of time, and by the values of a column.

    The keys of ``series`` are the Unix seconds at which spans begin, in order; spans without an
    answer are left out.
    """

    total: Tally
    series: Mapping[float, Tally]
    groups: Mapping[Any, Tally]


class Digest:
    """What can be counted and listed of the answers. A part of :class:`rag.store.Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def breakdown(self, query: Query, by: By, step: int, shift: float = 0.0) -> Breakdown:
        """The answers in all, over time and by a column, in one pass.

        ``step``: seconds of a span of time. ``shift``: seconds by which the clock of the spans is
        ahead of UTC, so that days are those of the place.
        """
        # A cast cuts towards zero, which is down for every time since 1970.
        span = f"CAST((created + {float(shift)}) / {int(step)} AS INTEGER)"
        cells = self._cells(query, span, by)
        series = _grouped(cells, lambda cell: cell.span)
        return Breakdown(
            total=_sum(cells),
            series={number * int(step) - shift: series[number] for number in sorted(series)},
            groups=_grouped(cells, lambda cell: cell.part),
        )

    def by_fact(self, query: Query, key: str, kind: Kind = "choice") -> dict[Any, Tally]:
        """By a fact of the document that was quoted; answers whose document lacks it are left out.

        The keys are the fact's values, of a list each of its items, of a ``date`` the year, and of a
        ``range`` bounds ``(low, high)`` between which about as many answers lie as between the others.
        """
        values: dict[str, object] = {"fact": clean_text(key)}
        if kind == "date":
            by = "CAST(strftime('%Y', item.value, 'unixepoch') AS INTEGER)"
            return self._by_item(query, by, _NUMBERS, values)
        if kind != "range":
            return self._by_item(query, "item.value", _NAMED, values)
        where, named = _condition(query)
        with self._database.reading() as connection:
            sql = f"SELECT item.value FROM {_FACTS} WHERE {where} AND {_NUMBERS} ORDER BY 1"
            numbers = [row[0] for row in connection.execute(sql, {**named, **values})]
        bounds = _bounds(numbers)
        if len(bounds) < 2:
            return {}
        case = " ".join(f"WHEN item.value <= :bound{n} THEN {n}" for n in range(1, len(bounds)))
        values |= {f"bound{n}": bound for n, bound in enumerate(bounds) if n}
        found = self._by_item(query, f"CASE {case} END", _NUMBERS, values)
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

    def failures(self, query: Query) -> dict[Outcome, int]:
        """How many thumbs down went wrong where."""
        only = replace(query, selection=replace(query.selection, rating="down"))
        where, values = _condition(only)
        sql = f"SELECT {_FAILURE} AS failure, count(*) AS times FROM digest WHERE {where} GROUP BY 1"
        with self._database.reading() as connection:
            return {row["failure"]: row["times"] for row in connection.execute(sql, values)}

    def values(self, column: Literal["prototype", "settings"]) -> list[str]:
        """Every value of a column, in order."""
        # From one value to the next in the index; DISTINCT would walk over every answer.
        sql = (
            f"WITH RECURSIVE found (value) AS (SELECT min({column}) FROM digest UNION ALL "
            f"SELECT (SELECT min({column}) FROM digest WHERE {column} > found.value) FROM found "
            "WHERE found.value IS NOT NULL) SELECT value FROM found WHERE value IS NOT NULL"
        )
        with self._database.reading() as connection:
            return [row["value"] for row in connection.execute(sql)]

    def span(self) -> tuple[float, float] | None:
        """Unix seconds of the first and the last answer; None where there is none."""
        with self._database.reading() as connection:
            sql = "SELECT (SELECT min(created) FROM digest), (SELECT max(created) FROM digest)"
            first, last = connection.execute(sql).fetchone()
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

    def _by_item(self, query: Query, part: str, only: str, more: Mapping[str, object]) -> dict[Any, Tally]:
        return _grouped(self._cells(query, "0", part, _FACTS, only, more), lambda cell: cell.part)

    def _cells(
        self,
        query: Query,
        span: str,
        part: str,
        source: str = "digest",
        only: str = "1",
        more: Mapping[str, object] | None = None,
    ) -> list[_Cell]:
        where, values = _condition(query)
        sql = (
            f"SELECT {span} AS span, {part} AS part, {_COUNTS} FROM {source} "
            f"WHERE {where} AND {only} GROUP BY 1, 2"
        )
        with self._database.reading() as connection:
            return [_cell(row) for row in connection.execute(sql, {**values, **(more or {})})]


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
        parts.append(f"rating = 'down' AND {_FAILURE} = :failure")
        values["failure"] = query.failure
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


@dataclass(frozen=True, slots=True)
class _Cell:
    """The answers of one part in one span of time; ``seconds`` has shape ``(n,)``."""

    span: int
    part: Any
    answers: int
    up: int
    down: int
    abstained: int
    cost: float | None
    costed: int
    seconds: NDArray[np.float64]


def _cell(row: sqlite3.Row) -> _Cell:
    return _Cell(
        span=row["span"],
        part=row["part"],
        answers=row["answers"],
        up=row["up"] or 0,
        down=row["down"] or 0,
        abstained=row["abstained"] or 0,
        cost=row["cost"],
        costed=row["costed"],
        seconds=np.fromstring(row["seconds"], sep=",") if row["seconds"] else np.empty(0),
    )


def _grouped(cells: Sequence[_Cell], key: Callable[[_Cell], Any]) -> dict[Any, Tally]:
    groups: dict[Any, list[_Cell]] = {}
    for cell in cells:
        groups.setdefault(key(cell), []).append(cell)
    return {name: _sum(group) for name, group in groups.items()}


def _sum(cells: Sequence[_Cell]) -> Tally:
    seconds = np.concatenate([np.empty(0), *(cell.seconds for cell in cells)])
    costed = sum(cell.costed for cell in cells)
    return Tally(
        answers=sum(cell.answers for cell in cells),
        up=sum(cell.up for cell in cells),
        down=sum(cell.down for cell in cells),
        abstained=sum(cell.abstained for cell in cells),
        cost=math.fsum(cell.cost or 0.0 for cell in cells) if costed else None,
        costed=costed,
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
