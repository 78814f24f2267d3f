"""Facets of a prototype: the values that its documents have, and how many of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rag.facets.table import Table
from rag.filters import parse
from rag.prototypes import Facet
from rag.types import Where


@dataclass(frozen=True, slots=True)
class FacetValues:
    """A facet and what can be chosen of it.

    ``values``: each value and its number of documents, the most frequent first (choice,
    list). ``low`` and ``high``: the range of all documents (range, date).
    """

    facet: Facet
    values: tuple[tuple[str, int], ...] = ()
    low: float | None = None
    high: float | None = None
    documents: int = 0


def facet_values(facets: Sequence[Facet], table: Table, where: Where | None) -> list[FacetValues]:
    """The values of each facet that has any, counted under the filters of the other facets.

    A value that the other filters leave no document of is kept, with a count of 0, so
    that a choice does not vanish under the reader's hand.
    """
    found = []
    everything = table.mask(None)
    for facet in facets:
        column, rows = table.column(facet.key), table.mask(parse(without(where, facet.key)))
        if facet.kind in ("range", "date"):
            given = ~np.isnan(column.numbers)
            if given.any():
                low, high = float(column.numbers[given].min()), float(column.numbers[given].max())
                found.append(FacetValues(facet, (), low, high, int((given & rows).sum())))
            continue
        everywhere = column.counts(everything)
        if everywhere:
            here = column.counts(rows)
            ordered = sorted(everywhere, key=lambda value: (-everywhere[value], value))
            values = tuple((value, here[value]) for value in ordered)
            found.append(FacetValues(facet, values, documents=sum(here.values())))
    return found


def count_matching(table: Table, where: Where | None) -> int:
    """How many documents match the filter."""
    return int(table.mask(parse(where)).sum())


def without(where: Where | None, key: str) -> dict[str, Any] | None:
    """The filter without the conditions that are about ``key`` alone."""
    if not where:
        return None
    kept: dict[str, Any] = {}
    for name, condition in where.items():
        if name == key or (name == "$or" and _keys(condition) == {key}):
            continue
        if name == "$and" and isinstance(condition, list):
            inner = [w for w in (without(part, key) for part in condition) if w]
            if inner:
                kept[name] = inner
            continue
        kept[name] = condition
    return kept or None


def _keys(condition: Any) -> set[str]:
    found: set[str] = set()
    for part in condition if isinstance(condition, list) else []:
        if isinstance(part, Mapping):
            for name, inner in part.items():
                found |= _keys(inner) if name in ("$and", "$or") else {name}
    return found
