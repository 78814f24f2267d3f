"""Figures and times that are read together: "30 to 60 minutes", "1 hour 30 minutes", "1-3 p.m."."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from rag.cite.measures import Quantity, When, word_before
from rag.cite.units import CURRENCIES, GLUED_SCALES, SCALES, SMALL, WEEKDAYS

_RANGE = re.compile(r" (?:to|or|till) | ?[-–—] ?")
_BETWEEN = re.compile(r"\bbetween \S+(?: \S+)?$", re.IGNORECASE)
_NUMBERED = re.compile(
    r"\b(?:rooms?|bus|line|gate|platform|page|chapter|no\.?|number|option|route|tram|step|level|grade) $",
    re.IGNORECASE,
)
"""Behind these a figure is a name: "Room 5 - 10 minutes from the entrance"."""
_APART = re.compile(
    r",? or |, \d| (?:longer|shorter|less|more|fewer|earlier|later|before|after|of which|is|are)\b",
    re.IGNORECASE,
)
"""Behind the second of two times that are no one time: "a year, 6 months or 1 month"."""
_SCALED = re.compile(rf"({'|'.join(SCALES)}|(?<=\d)(?:{'|'.join(GLUED_SCALES)}))\b", re.IGNORECASE)
_BESIDE = re.compile(r" (?:and )?|, |")
_HOUR = rf"(?:{'|'.join(word for word, n in SMALL.items() if 1 <= n <= 12)}|1[0-2]|[1-9])"
_HOURS = re.compile(
    rf"(?<![\d.,:/-])\b(?P<first>{_HOUR})(?P<to> ?[-–] ?| to | till | until | and )"
    rf"(?P<last>{_HOUR}) ?(?P<half>[ap])\.?m\b\.?",
    re.IGNORECASE,
)
_AT = re.compile(r"\b(?:at|by|till|until|before|after) $", re.IGNORECASE)
_OF_PARTS = ("is ", "by ", "on ")
_BOUND = "is by on until before after".split()
_SLASHED = re.compile(
    r"(?<![\d/.])(?P<first>\d{1,2})(?P<mark>[/.])(?P<second>\d{1,2})(?P=mark)(?P<year>\d{4})(?![\d/]|\.\d)|(?<![\d/.])(?:"
    + "|".join(rf"(?<=\b{word} )" for word in _BOUND)
    + r")(?!24/7)(?P<day>[0-3]?\d)/(?P<month>[01]?\d)(?![\d/])",
    re.IGNORECASE,
)
_MOVED = re.compile(
    r"\b(?:mov|chang|shift|postpon|delay|reschedul|brought|put (?:back|off))\w*\b[^.;]*$", re.IGNORECASE
)
_TO = re.compile(r"s?(?: to | through | till | until | ?[-–] ?)", re.IGNORECASE)


def ranged(found: Sequence[Quantity], text: str) -> list[Quantity]:
    """Each with the unit that stands by the other end of its range: "30 to 60 minutes", "€5-10"."""
    read = list(found)
    for n in range(len(read) - 2, -1, -1):
        low, high = read[n], read[n + 1]
        between = text[low.end : high.start]
        spans = between == " and " and _BETWEEN.search(text[max(0, low.start - 10) : low.end])
        if not (spans or _RANGE.fullmatch(between)):
            continue
        before = text[max(0, low.start - 12) : low.start]
        bare = not low.dimension and not low.noun and not _NUMBERED.search(before)
        if bare and high.figure and high.dimension not in ("", "ordinal", "times"):
            factor = high.value / high.figure
            scaled = _SCALED.search(text[high.start : high.end])
            if scaled and low.figure < 1_000 <= high.figure:
                factor *= SCALES.get(scaled[1].casefold()) or GLUED_SCALES[scaled[1].casefold()]
            read[n] = replace(
                low, value=low.figure * factor, dimension=high.dimension, per=high.per, working=high.working
            )
        elif bare and high.noun:
            read[n] = replace(low, noun=high.noun, per=high.per)
        elif low.dimension in CURRENCIES and not high.dimension and not high.noun:
            read[n + 1] = replace(high, dimension=low.dimension)
    return read


def joined(found: Sequence[Quantity], text: str) -> list[Quantity]:
    """With "1 hour 30 minutes" as one figure."""
    read: list[Quantity] = []
    for quantity in found:
        last = read[-1] if read else None
        if (
            last is not None
            and last.dimension == quantity.dimension
            and last.dimension in ("time", "months")
            and last.figure
            and quantity.figure
            and last.value / last.figure > quantity.value / quantity.figure
            and not last.per
            and _BESIDE.fullmatch(text[last.end : quantity.start])
            and not _APART.match(text, quantity.end)
        ):
            total, unit = last.value + quantity.value, quantity.value / quantity.figure
            read[-1] = replace(last, value=total, figure=total / unit, end=quantity.end, per=quantity.per)
        else:
            read.append(quantity)
    return read


def between_hours(text: str) -> list[When]:
    """Both times of "1-3 p.m.", of which the half of the day stands by the second alone."""
    found = []
    for m in _HOURS.finditer(text):
        before, minutes = word_before(text, m.start()), m["first"].casefold() in ("five", "ten")
        if m["to"] == " and " and not before.casefold().endswith("between "):
            continue
        if m["to"] == " to " and minutes and _AT.search(before):
            continue  # "at ten to three p.m."
        first, last = (_number(m[end]) % 12 for end in ("first", "last"))
        late = 12 if m["half"].casefold() == "p" else 0
        found.append(When(*m.span("first"), minute=60 * (first + (late if first <= last else 12 - late))))
        found.append(When(m.start("last"), m.end(), minute=60 * (last + late)))
    return found


def slashed(text: str) -> list[When]:
    """Days such as 30/09/2026 and 30.09.2026; 30/9 only behind a word that dates have before them.

    The day comes first, as in most of the world, unless only the other order makes a date.
    """
    found = []
    for m in _SLASHED.finditer(text):
        day, month = int(m["first"] or m["day"]), int(m["second"] or m["month"])
        if m["day"] and day <= month and word_before(text, m.start()).casefold().endswith(_OF_PARTS):
            continue  # "fell by 2/3", "is 4/5"
        if month > 12:
            day, month = month, day
        if 1 <= month <= 12 and 1 <= day <= 31:
            found.append(When(*m.span(), int(m["year"]) if m["year"] else None, month, day))
    return found


def between_weekdays(text: str, found: Sequence[When]) -> Iterator[When]:
    """The days between the two of "Monday to Friday"."""
    days = sorted((when for when in found if when.weekday), key=lambda when: when.start)
    for first, last in pairwise(days):
        start, end = str(first.weekday), str(last.weekday)
        if _MOVED.search(text[max(0, first.start - 60) : first.start]):
            continue
        if _TO.fullmatch(text[first.start + len(start) : last.start]):
            at = WEEKDAYS.index(start) + 1
            while WEEKDAYS[at % 7] != end:
                yield When(first.start, last.end, weekday=WEEKDAYS[at % 7])
                at += 1


def _number(hour: str) -> int:
    return int(hour) if hour.isdigit() else SMALL[hour.casefold()]
