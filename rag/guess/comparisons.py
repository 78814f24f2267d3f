"""The words that compare: before a number ("no more than"), after one ("or less"), and units."""

from __future__ import annotations

from typing import Literal, cast, get_args

from rag.facets import UNITS
from rag.guess.vocabulary import Concept

Op = Literal["$lt", "$lte", "$gt", "$gte", "~", "..", "="]
"""``~`` is around a number, ``..`` between two, ``=`` the number itself."""

_BEFORE = """
$lt  | any     | under, below, beneath, <, less than, fewer than, lower than
$lt  | money   | cheaper than, less expensive than
$lt  | year    | older than, earlier than, before, from before
$lte | any     | at most, up to, no more than, not more than, no higher than, not exceeding, max, maximum,
               maximum of, ≤
$lte | money   | budget of, budget is, spend
$gt  | any     | over, above, >, more than, greater than, higher than, exceeding
$gt  | money   | dearer than, pricier than, more expensive than
$gt  | rating  | better than
$gt  | percent | stronger than
$gt  | year    | newer than, younger than, later than, after, from after
$gte | any     | at least, no less than, not less than, no fewer than, min, minimum, minimum of,
               starting at, ≥
$gte | year    | no older than, since
~    | any     | around, about, roughly, approximately, approx, circa, close to, ~
"""
_AFTER = """
$lte | or less, or under, or below, or cheaper, or lower, or fewer, and less, and under, and below, max,
     maximum, tops, at most, or older, or earlier
$gte | or more, or above, or over, or higher, or better, or up, or stronger, and more, and above, and over,
     and up, at least, +, plus, upwards, onwards, onward, on, or later, or newer, or younger
"""


def _rows(table: str) -> list[list[str]]:
    joined = table.strip().replace(",\n", ", ")
    return [[cell.strip() for cell in row.split("|")] for row in joined.splitlines()]


def _phrases(cell: str) -> list[tuple[str, ...]]:
    return [tuple(phrase.split()) for phrase in cell.split(",")]


def _op(cell: str) -> Op:
    assert cell in get_args(Op)
    return cast(Op, cell)


BEFORE: dict[tuple[str, ...], tuple[Op, Concept | None]] = {
    phrase: (_op(op), cast(Concept, concept) if concept in get_args(Concept) else None)
    for op, concept, cell in _rows(_BEFORE)
    for phrase in _phrases(cell)
}
"""What a phrase before a number means, and the kind of number that it implies."""

AFTER: dict[tuple[str, ...], Op] = {
    phrase: _op(op) for op, cell in _rows(_AFTER) for phrase in _phrases(cell)
}
"""What a phrase after a number means."""

LOOSE = frozenset({("before",), ("after",), ("since",)})
"""Before a year these are about documents only where one is named right before."""

FLIPPED: dict[Op, Op] = {"$lt": "$gte", "$lte": "$gt", "$gt": "$lte", "$gte": "$lt"}
"""What a comparison means when it is denied."""

CURRENCY_SIGNS = {"€": "€", "$": "$", "£": "£", "¥": "¥", "eur": "€", "usd": "$", "gbp": "£", "chf": "CHF"}
"""What stands before an amount of money."""

UNIT_WORDS = {**UNITS, "quid": "£", "bucks": "$", "abv": "%", "vol": "%"}
"""Words after a number, and the unit that they are."""
