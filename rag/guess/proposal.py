"""A filter that a question proposes, and how it reads on a chip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from rag.prototypes import Facet


@dataclass(frozen=True, slots=True)
class Proposal:
    """One condition that a question names.

    ``where`` is a filter of :mod:`rag.filters`, ``label`` its words (``Price under 15 €``).
    ``start:end`` is what the question says, in characters. ``negated`` is true where it
    says what the reader does not want.
    """

    key: str
    where: Mapping[str, Any]
    label: str
    start: int
    end: int
    negated: bool = False


def value_label(facet: Facet, values: Sequence[str], *, negated: bool, together: bool) -> str:
    """``Country: Spain or Portugal``, ``Style: not red``, ``Goes with: lamb and stew``."""
    shown = list(values) if len(values) <= 4 else [*values[:3], f"{len(values) - 3} more"]
    words = (" and " if together else " or ").join(shown)
    return f"{facet.label}: not {words}" if negated else f"{facet.label}: {words}"


def range_label(facet: Facet, bounds: Mapping[str, float], *, is_year: bool) -> str:
    """``Price under 15 €``, ``Rating 92 or more``, ``Vintage 2015–2019``."""
    unit = f" {facet.unit}" if facet.unit else ""
    shown = {op: f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}" for op, value in bounds.items()}
    if set(bounds) == {"$gte", "$lte"}:
        return f"{facet.label} {shown['$gte']}–{shown['$lte']}{unit}"
    ((op, number),) = shown.items()
    words = {
        "$lt": "before {}" if is_year else "under {}",
        "$lte": "up to {}",
        "$gt": "after {}" if is_year else "over {}",
        "$gte": "from {}" if is_year else "{} or more",
        "$eq": "{}",
        "$ne": "not {}",
    }
    if op == "$gte" and not is_year:
        return f"{facet.label} {number}{unit} or more"
    return f"{facet.label} {words[op].format(number)}{unit}"


def date_label(facet: Facet, first: date | None, after_last: date | None) -> str:
    """``Updated since 1 May 2026``, ``Updated before 1 January 2025``, ``Updated in 2025``."""
    if first is None:
        assert after_last is not None
        return f"{facet.label} before {_day(after_last)}"
    if after_last is None:
        return f"{facet.label} since {_day(first)}"
    last = after_last - timedelta(days=1)
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31):
        years = str(first.year) if first.year == last.year else f"{first.year}–{last.year}"
        return f"{facet.label} in {years}"
    if first == last:
        return f"{facet.label} on {_day(first)}"
    return f"{facet.label} {_day(first)} – {_day(last)}"


def today(now: float | datetime) -> date:
    """The day (UTC) of a moment: a datetime, or Unix seconds."""
    if isinstance(now, datetime):
        return now.astimezone(UTC).date() if now.tzinfo else now.date()
    return datetime.fromtimestamp(now, UTC).date()


def _day(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"
