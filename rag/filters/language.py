"""The filter language: its tree, its parser, and its meaning in plain Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from rag.errors import FilterError
from rag.filters.facts import Fact, Scalar, clean, normalise, number_fact, string_fact, typed
from rag.types import Metadata, Where

Comparison: TypeAlias = Literal["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]

MAX_DEPTH = 20
MAX_CONDITIONS = 500
"""Conditions, groups and listed values of one filter. Filters come from links: this bounds their cost
and stays well under SQLite's limits on expressions (depth 1000) and bound values (32,766)."""
MAX_TEXT = 4096
"""Characters of one key or text of a filter."""

_RANGES = ("$gt", "$gte", "$lt", "$lte")
_COMPARISONS = ("$eq", "$ne", *_RANGES)
_OPERATORS = (*_COMPARISONS, "$in", "$nin", "$contains")


@dataclass(frozen=True, slots=True)
class Compare:
    """``key`` stands in relation ``op`` to ``value``."""

    key: str
    op: Comparison
    value: Scalar


@dataclass(frozen=True, slots=True)
class OneOf:
    """``key`` equals one of ``values`` (``$in``), or with ``negated`` none of them (``$nin``)."""

    key: str
    values: tuple[Scalar, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Contains:
    """The list under ``key`` holds ``value``."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more parts."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more parts."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """Matches no record. It stands only at the top: :func:`parse` folds it away inside."""


Filter: TypeAlias = Compare | OneOf | Contains | And | Or | Nothing


def parse(where: Where | None) -> Filter | None:
    """Read a filter; None where it restricts nothing.

    Raises :class:`FilterError`, whose text names the key and says what to write instead.
    """
    if where is None:
        return None
    return _Parser().filter(where, 1)


def combine(a: Filter | None, b: Filter | None) -> Filter | None:
    """Both filters at once (``$and``); None restricts nothing."""
    return _and([part for part in (a, b) if part is not None])


def to_json(filter: Filter | None) -> dict[str, Any]:
    """The filter as JSON that :func:`parse` reads back to an equal one; ``{}`` for None."""
    match filter:
        case None:
            return {}
        case Nothing():
            return {"$or": []}
        case And(parts):
            return {"$and": [to_json(part) for part in parts]}
        case Or(parts):
            return {"$or": [to_json(part) for part in parts]}
        case Contains(key, value):
            return {key: {"$contains": value}}
        case OneOf(key, values, negated):
            return {key: {"$nin" if negated else "$in": list(values)}}
        case Compare(key, op, value):
            return {key: value if op == "$eq" else {op: value}}


class _Parser:
    """One reading of one filter; it counts what was read against the limits."""

    def __init__(self) -> None:
        self.conditions = 0

    def filter(self, where: object, depth: int) -> Filter | None:
        if not isinstance(where, Mapping):
            raise FilterError(f'A filter is an object such as {{"country": "Portugal"}}, not {_show(where)}.')
        if depth > MAX_DEPTH:
            raise FilterError(f"The filter is nested more than {MAX_DEPTH} levels deep; make it flatter.")
        self.count(1 if depth > 1 else 0)
        parts: list[Filter | None] = []
        for key, value in where.items():
            if not isinstance(key, str):
                raise FilterError(f"The keys of a filter are text, not {_show(key)}.")
            if key in ("$and", "$or"):
                if not _is_list(value):
                    raise FilterError(f"{key} takes a list of filters, not {_show(value)}.")
                join = _and if key == "$and" else _or
                parts.append(join([self.filter(part, depth + 1) for part in cast(Sequence[object], value)]))
            elif key in _OPERATORS:
                raise FilterError(f'{key} belongs inside a key: write {{"price": {{"{key}": ...}}}}.')
            elif key.startswith("$"):
                raise FilterError(f"{_show(key)} is no operator of filters; use $and, $or, or a key.")
            else:
                parts.extend(self.key(self.text(key), value))
        return _and(parts)

    def key(self, key: str, value: object) -> list[Filter | None]:
        if not isinstance(value, Mapping):
            if _is_list(value):
                raise FilterError(f'{_show(key)} is compared with a list: write {{"$in": [...]}} instead.')
            self.count()
            return [Compare(key, "$eq", self.scalar(key, value))]
        if not value:
            raise FilterError(f"{_show(key)} has no operator; use one of {', '.join(_OPERATORS)}.")
        return [self.operator(key, operator, operand) for operator, operand in value.items()]

    def operator(self, key: str, operator: object, operand: object) -> Filter | None:
        self.count()
        if operator in ("$in", "$nin"):
            if not _is_list(operand):
                raise FilterError(f"{operator} on {_show(key)} takes a list, not {_show(operand)}.")
            operands = cast(Sequence[object], operand)
            self.count(len(operands))
            listed = [self.scalar(key, value) for value in operands]
            values = tuple({typed(value): value for value in listed}.values())
            negated = operator == "$nin"
            if not values:
                return None if negated else Nothing()
            return OneOf(key, values, negated)
        if operator == "$contains":
            if not isinstance(operand, str):
                raise FilterError(
                    f"$contains on {_show(key)} looks for text in a list, not {_show(operand)}."
                )
            return Contains(key, self.text(operand))
        if operator not in _COMPARISONS:
            raise FilterError(
                f"Unknown operator {_show(operator)} on {_show(key)}; use one of {', '.join(_OPERATORS)}."
            )
        value = self.scalar(key, operand)
        if operator in _RANGES and not isinstance(value, float):
            what = "true and false" if isinstance(value, bool) else "strings"
            raise FilterError(
                f"{operator} on {_show(key)} compares numbers or ISO dates such as 2026-05-01; "
                f"{what} have no ranges."
            )
        return Compare(key, cast(Comparison, operator), value)

    def scalar(self, key: str, value: object) -> Scalar:
        if isinstance(value, bool):
            return value
        if isinstance(value, str):
            return string_fact(self.text(value))
        if isinstance(value, int | float):
            number = number_fact(value)
            if number is None:
                raise FilterError(f"{_show(key)} is compared with a number that is not finite.")
            return number
        raise FilterError(f"{_show(key)} compares with text, a number, true or false, not {_show(value)}.")

    def text(self, text: str) -> str:
        if len(text) > MAX_TEXT:
            raise FilterError(f"A text of the filter is longer than {MAX_TEXT} characters; shorten it.")
        if clean(text) != text:
            raise FilterError(f"{_show(text)} in the filter is not valid Unicode.")
        return text

    def count(self, n: int = 1) -> None:
        self.conditions += n
        if self.conditions > MAX_CONDITIONS:
            raise FilterError(f"The filter has more than {MAX_CONDITIONS} conditions; make it shorter.")


def _and(parts: Sequence[Filter | None]) -> Filter | None:
    kept = [part for part in parts if part is not None]
    if any(isinstance(part, Nothing) for part in kept):
        return Nothing()
    flat = tuple(p for part in kept for p in (part.parts if isinstance(part, And) else (part,)))
    return And(flat) if len(flat) > 1 else flat[0] if flat else None


def _or(parts: Sequence[Filter | None]) -> Filter | None:
    if any(part is None for part in parts):
        return None
    kept = [part for part in parts if part is not None and not isinstance(part, Nothing)]
    flat = tuple(p for part in kept for p in (part.parts if isinstance(part, Or) else (part,)))
    return Or(flat) if len(flat) > 1 else flat[0] if flat else Nothing()


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _show(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return "an object"
    if _is_list(value):
        return "a list"
    try:
        text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    except ValueError:  # an integer of more digits than Python prints
        text = "a very long number"
    return text if len(text) <= 60 else text[:57] + "..."


def matches(filter: Filter | None, metadata: Metadata) -> bool:
    """Whether a record's metadata matches: the meaning that the indexes are held to."""
    return filter is None or _matches(filter, normalise(metadata))


def _matches(filter: Filter, facts: Mapping[str, Fact]) -> bool:
    match filter:
        case Nothing():
            return False
        case And(parts):
            return all(_matches(part, facts) for part in parts)
        case Or(parts):
            return any(_matches(part, facts) for part in parts)
        case Contains(key, value):
            held = facts.get(key)
            return isinstance(held, tuple) and value in held
        case OneOf(key, values, negated):
            found = key in facts and typed(facts[key]) in [typed(value) for value in values]
            return found != negated
        case Compare(key, "$eq", value):
            return key in facts and typed(facts[key]) == typed(value)
        case Compare(key, "$ne", value):
            return key not in facts or typed(facts[key]) != typed(value)
        case Compare(key, op, value):
            held = facts.get(key)
            return type(held) is float and type(value) is float and _RANGE_TESTS[op](held, value)


_RANGE_TESTS: Mapping[str, Callable[[float, float], bool]] = {
    "$gt": lambda held, value: held > value,
    "$gte": lambda held, value: held >= value,
    "$lt": lambda held, value: held < value,
    "$lte": lambda held, value: held <= value,
}
