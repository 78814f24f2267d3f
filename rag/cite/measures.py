"""A figure and a date of a text, as :mod:`rag.cite.facts` reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_WORD = 16
"""Characters that hold the word before a figure: a text may hold thousands of figures."""

Hedge = Literal["", "about", "over", "under"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A figure: its value in ``dimension``'s own unit. ``dimension`` is "" where no unit is known,
    "ordinal" for "third", "times" for "twice"."""

    value: float
    dimension: str
    start: int
    end: int
    hedge: Hedge = ""
    working: bool = False
    """Working days, which are no days."""
    figure: float = 0.0
    """The value as it is written, before its unit is brought to the common one."""
    noun: str = ""
    """The word right behind a figure without a known unit: "412 inhabitants"."""
    per: str = ""
    """Of a rate, what it is for: "a month", "per day" give "month" and "day"."""


@dataclass(frozen=True, slots=True)
class When:
    """A date, as far as it is given; a weekday or a time of day has nothing else."""

    start: int
    end: int
    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: str | None = None
    minute: int | None = None
    """Of the day."""
    decade: int | None = None
    """The first year of "the 1980s"."""
    either: bool = False
    """A time of day that may be before noon or after."""

    def says(self, other: When) -> bool:
        """Whether ``other`` holds all that this one says."""
        if self.decade is not None:
            return self.decade == (other.decade if other.year is None else other.year // 10 * 10)
        day = 720 if self.either or other.either else 1440
        mine = (self.year, self.month, self.day, self.weekday, _within(self.minute, day))
        theirs = (other.year, other.month, other.day, other.weekday, _within(other.minute, day))
        return all(a is None or a == b for a, b in zip(mine, theirs, strict=True))


def _within(minute: int | None, day: int) -> int | None:
    return None if minute is None else minute % day


def word_before(text: str, at: int) -> str:
    """The end of what stands before ``at``: as much as a word and its spaces may take."""
    return text[max(0, at - _WORD) : at]
