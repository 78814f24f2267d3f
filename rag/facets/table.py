"""The metadata of all documents as columns, so that a filter over 100,000 of them takes milliseconds.

A column is made when it is first asked for. It holds the facts that filters compare
(:func:`rag.filters.normalise`), and :meth:`Table.mask` means what
:func:`rag.filters.matches` means, document by document.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rag.filters import And, Compare, Contains, Fact, Filter, Nothing, OneOf, Or, normalise
from rag.types import DocumentRecord, MetaValue

Mask: TypeAlias = NDArray[np.bool_]
_RANGES = {"$gt": np.greater, "$gte": np.greater_equal, "$lt": np.less, "$lte": np.less_equal}


@dataclass(frozen=True, slots=True)
class Column:
    """One key of every document: shape ``(n,)`` each, but for the members of lists.

    ``numbers`` is NaN and ``texts``, ``truths`` are -1 where the value is of another kind
    or lacking. ``texts`` are places in ``names``. Lists are pairs: the document
    ``member_rows[i]`` holds ``names[members[i]]``.
    """

    numbers: NDArray[np.float64]
    texts: NDArray[np.int64]
    truths: NDArray[np.int8]
    member_rows: NDArray[np.int64]
    members: NDArray[np.int64]
    names: tuple[str, ...]
    places: dict[str, int]

    @property
    def present(self) -> Mask:
        """Which documents have the key."""
        found: Mask = ~np.isnan(self.numbers) | (self.texts >= 0) | (self.truths >= 0)
        found[self.member_rows] = True
        return found

    @property
    def listed(self) -> Mask:
        """Which documents have a list under the key."""
        found: Mask = np.zeros(len(self.numbers), dtype=bool)
        found[self.member_rows] = True
        return found

    def equal(self, value: str | float | bool) -> Mask:
        """Which documents have this very value, of this very type."""
        if isinstance(value, bool):
            return np.asarray(self.truths == int(value))
        if isinstance(value, float):
            return np.asarray(self.numbers == value)
        return np.asarray(self.texts == self.places.get(value, -2))

    def counts(self, rows: Mask) -> dict[str, int]:
        """Documents of ``rows`` for each text and each member of a list, 0 included."""
        held = np.bincount(self.texts[rows & (self.texts >= 0)], minlength=len(self.names))
        held = held + np.bincount(self.members[rows[self.member_rows]], minlength=len(self.names))
        return dict(zip(self.names, held.tolist(), strict=True))


class Table:
    """Columns over the records, in their order."""

    def __init__(self, records: Iterable[DocumentRecord]) -> None:
        self.records: Sequence[DocumentRecord] = tuple(records)
        self._columns: dict[str, Column] = {}
        self._keys: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.records)

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key of the metadata, in the order in which documents declare them."""
        if self._keys is None:
            self._keys = tuple(dict.fromkeys(key for record in self.records for key in record.metadata))
        return self._keys

    def column(self, key: str) -> Column:
        """The column of a key; ``source`` and ``title`` are keys too."""
        found = self._columns.get(key)
        if found is None:
            found = self._columns[key] = self._read(key)
        return found

    def mask(self, filter: Filter | None) -> Mask:
        """Which documents match the filter."""
        n = len(self.records)
        match filter:
            case None:
                return np.ones(n, dtype=bool)
            case Nothing():
                return np.zeros(n, dtype=bool)
            case And(parts):
                return np.asarray(np.logical_and.reduce([self.mask(part) for part in parts]))
            case Or(parts):
                return np.asarray(np.logical_or.reduce([self.mask(part) for part in parts]))
            case Contains(key, value):
                column, found = self.column(key), np.zeros(n, dtype=bool)
                found[column.member_rows[column.members == column.places.get(value, -1)]] = True
                return found
            case OneOf(key, values, negated):
                any_of: Mask = np.logical_or.reduce([self.column(key).equal(value) for value in values])
                return ~any_of if negated else any_of
            case Compare(key, "$eq", value):
                return self.column(key).equal(value)
            case Compare(key, "$ne", value):
                return ~self.column(key).equal(value)
            case Compare(key, op, value):
                return np.asarray(_RANGES[op](self.column(key).numbers, value))

    def _read(self, key: str) -> Column:
        n = len(self.records)
        numbers, truths = np.full(n, np.nan), np.full(n, -1, dtype=np.int8)
        texts = np.full(n, -1, dtype=np.int64)
        rows: list[int] = []
        members: list[int] = []
        places: dict[str, int] = {}
        known: dict[tuple[type, MetaValue], Fact] = {}  # by type, too: False == 0
        for row, record in enumerate(self.records):
            value = (
                record.source
                if key == "source"
                else record.title
                if key == "title"
                else record.metadata.get(key)
            )
            if value is None:
                continue
            if type(value) is float and math.isfinite(value):  # most of a large table, so no detour
                numbers[row] = value
                continue
            fact = known.get((type(value), value))
            if fact is None:
                fact = known[type(value), value] = normalise({key: value}).get(key, ())
            if isinstance(fact, bool):
                truths[row] = fact
            elif isinstance(fact, float):
                numbers[row] = fact
            elif isinstance(fact, str):
                texts[row] = places.setdefault(fact, len(places))
            elif isinstance(fact, tuple):
                for member in fact:
                    rows.append(row)
                    members.append(places.setdefault(member, len(places)))
        return Column(
            numbers=numbers,
            texts=texts,
            truths=truths,
            member_rows=np.asarray(rows, dtype=np.int64),
            members=np.asarray(members, dtype=np.int64),
            names=tuple(places),
            places=places,
        )
