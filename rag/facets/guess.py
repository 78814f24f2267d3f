"""Facets for documents whose prototype declares none, from what their metadata holds."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from rag.facets.names import Name, read_name
from rag.facets.table import Column, Table
from rag.prototypes import Facet, FacetKind

MOST = 8
"""Facets that are guessed at most: what a sidebar shows without becoming a form."""
_PRESENT = 0.2
"""Share of the documents that have the key. Folders mix kinds of files, each with its own keys."""
_PURE = 0.95
"""Share of a key's values that are of one type; the rest never matches a filter on it."""
_VALUES = 100
"""Values of a choice or a list: more are found by searching, not by choosing."""
_REPEATS = 3.0
"""Documents for each value on average. A key with fewer tells documents apart instead of grouping them."""
_LARGEST = 0.98
"""Share of the documents that one value may have: above it there is nothing to choose."""
_LENGTH = 40
"""Mean characters of a value: longer is text."""
_WORDS = 5.0
_DAY = 86_400
_FIRST, _LAST = -2_208_988_800, 4_102_444_800
"""1900-01-01 and 2100-01-01 in Unix seconds."""
_NEAR_EPOCH = 366 * _DAY
_SHOWN: Mapping[FacetKind, int] = {"choice": 0, "date": 1, "range": 2, "list": 3}


def guess_facets(table: Table, labels: Mapping[str, str] | None = None) -> tuple[Facet, ...]:
    """At most eight facets: choices with the fewest values first, then dates, numbers and lists.

    ``labels`` are names that people see for keys (a CSV's ``Price €``). A key becomes

    - a **choice** where its values are short texts, at most 100 different ones, each in
      three documents or more on average, the commonest in at most 98 % of them;
    - a **list** where its values are lists whose members are so;
    - a **date** where its values are numbers that ISO dates become: from 1900 to 2100 in
      Unix seconds and each a midnight (UTC); or, where the key's name speaks of time
      (``updated_at``), moments of any hour, but none in 1969-71, for that is what years
      and counts would be as seconds;
    - a **range** where its values are other numbers.

    Left out are keys that fewer than a fifth of the documents have, constants, booleans (no
    facet shows them), identifiers and free text by name or by form, and numbers that
    count the rows. Of more than eight, those are kept that split the most documents.
    """
    found: list[tuple[float, int, int, Facet]] = []
    least = max(2, math.ceil(_PRESENT * len(table)))
    for place, key in enumerate(table.keys):
        name = read_name(key, (labels or {}).get(key, ""))
        column = table.column(key)
        present = int(column.present.sum())
        if present < least or name.is_id:
            continue
        kind = _kind(column, present, name)
        if kind is not None:
            use = _usefulness(column, kind, len(table))
            facet = Facet(key, name.label, kind, name.unit if kind == "range" else "")
            found.append((use, len(column.names), place, facet))
    best = sorted(found, key=lambda guess: -guess[0])[:MOST]
    shown = sorted(best, key=lambda g: (_SHOWN[g[3].kind], g[1] if g[3].kind == "choice" else 0, g[2]))
    return tuple(facet for *_, facet in shown)


def _kind(column: Column, present: int, name: Name) -> FacetKind | None:
    numbers = column.numbers[~np.isnan(column.numbers)]
    if len(numbers) >= _PURE * present:
        return _number_kind(numbers, name)
    texts = column.texts[column.texts >= 0]
    if len(texts) >= _PURE * present and not name.is_text:
        return "choice" if _groups(texts, column, present) else None
    if int(column.listed.sum()) >= _PURE * present:
        return "list" if _groups(column.members, column, present) else None
    return None


def _number_kind(numbers: np.ndarray[tuple[int], np.dtype[np.float64]], name: Name) -> FacetKind | None:
    different = np.unique(numbers)
    if len(different) < 2:
        return None
    if different[0] >= _FIRST and different[-1] < _LAST:
        if not (different % _DAY).any():
            return "date"
        if name.is_date and (np.abs(different) >= _NEAR_EPOCH).all():
            return "date"
    whole = not (different % 1).any()
    if whole and len(different) == len(numbers) >= 10 and different[-1] - different[0] == len(numbers) - 1:
        return None  # 1, 2, 3, ...: the number of the row
    return "range"


def _groups(values: np.ndarray[tuple[int], np.dtype[np.int64]], column: Column, present: int) -> bool:
    """Whether these values sort documents into groups."""
    counts = np.bincount(values, minlength=len(column.names))
    names = [name for name, count in zip(column.names, counts, strict=True) if count]
    if not 2 <= len(names) <= _VALUES or counts.sum() < _REPEATS * len(names):
        return False
    if counts.max() > _LARGEST * present:
        return False
    length = sum(map(len, names)) / len(names)
    return length <= _LENGTH and sum(len(name.split()) for name in names) / len(names) <= _WORDS


def _usefulness(column: Column, kind: FacetKind, documents: int) -> float:
    """Share of the documents that have the key, times how evenly its values split them (0 to 1).

    Evenness is Shannon's entropy over its maximum; numbers are counted in ten bins between
    their ends.
    """
    if kind in ("choice", "list"):
        counts = np.bincount(column.texts[column.texts >= 0], minlength=len(column.names))
        counts = counts + np.bincount(column.members, minlength=len(column.names))
    else:
        counts, _ = np.histogram(column.numbers[~np.isnan(column.numbers)], bins=10)
    shares = counts[counts > 0] / counts.sum()
    evenness = float(-(shares * np.log(shares)).sum() / math.log(max(len(counts), 2)))
    return int(column.present.sum()) / documents * evenness
