"""Spans of days that a question names: "May", "3 March 2026", "2025", "the last 6 months"."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from rag.guess.tokens import Token, number_at

_MONTHS = {name.lower(): n for n, name in enumerate(calendar.month_name) if name}
_MONTHS |= {name.lower(): n for n, name in enumerate(calendar.month_abbr) if name} | {"sept": 9}
_UNITS = {"day": 1, "week": 7, "month": 30, "year": 365}
_ORDINALS = frozenset({"st", "nd", "rd", "th"})


@dataclass(frozen=True, slots=True)
class Span:
    """Days ``first`` to before ``after``, tokens ``start:end``.

    ``rolling`` is true of a stretch up to now (the last 6 months), ``ago`` of a moment
    before now (6 months ago), which ``first`` then is. ``open_year`` is true of a month or
    day without a year: the latest one that has begun.
    """

    first: date
    after: date
    start: int
    end: int
    rolling: bool = False
    ago: bool = False
    open_year: bool = False


def span_at(tokens: Sequence[Token], at: int, today: date) -> Span | None:
    """The span of days whose words begin at a token; None where none does."""
    try:
        return (
            _iso(tokens, at)
            or _day_first(tokens, at, today)
            or _month_first(tokens, at, today)
            or _relative(tokens, at, today)
            or _year(tokens, at)
        )
    except (ValueError, OverflowError):  # the 31st of February, 900 years ago
        return None


def in_year(span: Span, year: int) -> Span:
    """The same days in another year: "between January and March 2026" is of one year."""
    shift = year - span.first.year
    after = span.after.replace(year=span.after.year + shift)
    return Span(span.first.replace(year=year), after, span.start, span.end)


def _word(tokens: Sequence[Token], at: int) -> str:
    return tokens[at].word if 0 <= at < len(tokens) else ""


def _iso(tokens: Sequence[Token], at: int) -> Span | None:
    if at >= len(tokens) or not tokens[at].is_date:
        return None
    parts = [int(part) for part in tokens[at].text.split("-")]
    if len(parts) == 3:
        day = date(*parts)
        return Span(day, day + timedelta(days=1), at, at + 1)
    return _of_month(parts[0], parts[1], at, at + 1)


def _year_at(tokens: Sequence[Token], at: int) -> int | None:
    if 0 <= at < len(tokens) and tokens[at].text.isdecimal() and len(tokens[at].text) == 4:
        value = int(tokens[at].text)
        return value if 1900 <= value <= 2100 else None
    return None


def _year(tokens: Sequence[Token], at: int) -> Span | None:
    year = _year_at(tokens, at)
    return Span(date(year, 1, 1), date(year + 1, 1, 1), at, at + 1) if year is not None else None


def _of_month(year: int, month: int, start: int, end: int, *, open_year: bool = False) -> Span:
    after = date(year + month // 12, month % 12 + 1, 1)
    return Span(date(year, month, 1), after, start, end, open_year=open_year)


def _month_first(tokens: Sequence[Token], at: int, today: date) -> Span | None:
    """May; May 2026; May 3; May 3, 2026."""
    month = _MONTHS.get(_word(tokens, at))
    if month is None:
        return None
    year = _year_at(tokens, at + 1)
    if year is not None:
        return _of_month(year, month, at, at + 2)
    day = _day_at(tokens, at + 1)
    if day is not None:
        number, end = day
        return _with_year(tokens, at, end, month, number, today)
    year = today.year if month <= today.month else today.year - 1
    return _of_month(year, month, at, at + 1, open_year=True)


def _day_first(tokens: Sequence[Token], at: int, today: date) -> Span | None:
    """3 May; 3rd of May 2026; the 3rd of May."""
    start = at
    at += _word(tokens, at) == "the"
    day = _day_at(tokens, at)
    if day is None:
        return None
    number, end = day
    end += _word(tokens, end) == "of"
    month = _MONTHS.get(_word(tokens, end))
    return _with_year(tokens, start, end + 1, month, number, today) if month is not None else None


def _with_year(tokens: Sequence[Token], start: int, end: int, month: int, number: int, today: date) -> Span:
    comma = _word(tokens, end) == ","
    year = _year_at(tokens, end + comma)
    if year is not None:
        day = date(year, month, number)
        return Span(day, day + timedelta(days=1), start, end + comma + 1)
    day = date(today.year, month, number)
    if day > today:
        day = date(today.year - 1, month, number)
    return Span(day, day + timedelta(days=1), start, end, open_year=True)


def _day_at(tokens: Sequence[Token], at: int) -> tuple[int, int] | None:
    """The day of a month in digits, and the token after it."""
    if not 0 <= at < len(tokens) or not tokens[at].text.isdecimal() or len(tokens[at].text) > 2:
        return None
    number, end = int(tokens[at].text), at + 1
    end += _word(tokens, end) in _ORDINALS
    return (number, end) if 1 <= number <= 31 else None


def _relative(tokens: Sequence[Token], at: int, today: date) -> Span | None:
    """today; last month; the last 6 months; 6 months ago."""
    word, tomorrow = _word(tokens, at), today + timedelta(days=1)
    if word == "today":
        return Span(today, tomorrow, at, at + 1)
    if word == "yesterday":
        return Span(today - timedelta(days=1), today, at, at + 1)
    start = at
    the = word == "the"
    at += the
    word = _word(tokens, at)
    unit = _unit(tokens, at + 1)
    if word in ("this", "last", "past", "previous", "current") and unit is not None:
        if word == "past" or (word == "last" and the):  # "in the last year": the twelve months to today
            return Span(_back(today, 1, unit), tomorrow, start, at + 2, rolling=True)
        first, after = _current(today, unit)
        if word in ("last", "previous"):
            first, after = _current(first - timedelta(days=1), unit)
        return Span(first, after, start, at + 2)
    if word in ("last", "past"):
        counted = _count(tokens, at + 1)
        if counted is not None:
            number, unit, end = counted
            return Span(_back(today, number, unit), tomorrow, start, end, rolling=True)
    counted = _count(tokens, start)
    if counted is not None and _word(tokens, counted[2]) == "ago":
        day = _back(today, counted[0], counted[1])
        return Span(day, day + timedelta(days=1), start, counted[2] + 1, ago=True)
    return None


def _count(tokens: Sequence[Token], at: int) -> tuple[int, str, int] | None:
    """6 months; a year; two weeks: the number, the unit, and the token after."""
    if _word(tokens, at) in ("a", "an", "one"):
        number, end = 1.0, at + 1
    else:
        found = number_at(tokens, at)
        if found is None:
            return None
        number, end = found
    unit = _unit(tokens, end)
    return (int(number), unit, end + 1) if unit is not None and 0 < number <= 10_000 else None


def _unit(tokens: Sequence[Token], at: int) -> str | None:
    return tokens[at].stem if 0 <= at < len(tokens) and tokens[at].stem in _UNITS else None


def _back(today: date, number: int, unit: str) -> date:
    """That many days, weeks, months or years before; the last day of a shorter month."""
    if unit in ("day", "week"):
        return today - timedelta(days=number * _UNITS[unit])
    months = today.year * 12 + today.month - 1 - number * (12 if unit == "year" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(today.day, calendar.monthrange(year, month + 1)[1]))


def _current(today: date, unit: str) -> tuple[date, date]:
    """The day, week (from Monday), month or year that a day is in."""
    if unit == "day":
        return today, today + timedelta(days=1)
    if unit == "week":
        first = today - timedelta(days=today.weekday())
        return first, first + timedelta(days=7)
    if unit == "month":
        span = _of_month(today.year, today.month, 0, 0)
        return span.first, span.after
    return date(today.year, 1, 1), date(today.year + 1, 1, 1)
