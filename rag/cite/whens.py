"""Whether the dates of a claim are those of its source, or follow from them."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Sequence

from rag.cite.facts import dates, quantities
from rag.cite.measures import Quantity, When, word_before

_AT = re.compile(r"(?:\b(?:from|at|until|till|to|between|by|opens?|closes?) |[-–] ?)$", re.IGNORECASE)
_UNTIL = re.compile(r"\b(?:by|until|till|to|before) $", re.IGNORECASE)
_END_OF = re.compile(r"\bend of $", re.IGNORECASE)
_NO_LEAP_YEAR = 2025
_OTHER_YEAR = re.compile(
    r"\b(?:the )?(?:year before|previous year|year after|next year|following year|year earlier|year later)\b",
    re.I,
)


def dates_differ(claim: str, evidence: Sequence[str]) -> bool | None:
    """Whether the evidence has another date in the place of one that it lacks; None where it lacks none."""
    return next((instead for _, instead in dates_lacking(claim, evidence)), None)


def dates_lacking(claim: str, evidence: Sequence[str]) -> Iterator[tuple[When, bool]]:
    """The dates and times of a claim that the evidence lacks, and whether it has another in their place."""
    asked = dates(claim)
    if not asked:
        return
    held = [w for text in evidence for w in dates(text)]
    found = [q for text in evidence for q in quantities(text)]
    figures = {q.value for q in found}
    years = {w.year for w in held if w.year}
    # A year and a span of years give another: "in 2009", "within six years".
    later = {
        y + s * round(q.value / 12) for y in years for q in found if q.dimension == "months" for s in (-1, 1)
    }
    # A year and an age do too: "born in 1902", "took her doctorate at 24".
    ages = [float(m[1]) for text in evidence for m in re.finditer(r"\b(?:at|aged|age) (\d\d)\b", text)]
    later |= {y + round(age) for y in years for age in ages}
    if any(_OTHER_YEAR.search(text) for text in evidence):
        later |= {y + s for y in years for s in (-1, 1)}
    for when in asked:
        if any(when.says(h) for h in held) or _pieced(when, held):
            continue
        if when.year and not when.month and (float(when.year) in figures or when.year in later):
            continue
        if when.month and not when.day and _in_half(when, " ".join(evidence)):
            continue
        if any(hour_without_half(when, text) or end_of_month(when, claim, text) for text in evidence):
            continue
        if _is_example(when, claim, evidence):
            continue
        yield when, any(_same_kind(when, h) for h in held)


def hour_without_half(when: When, text: str) -> Quantity | None:
    """The figure of a text that is the full hour ``when``: "from 10 to 5, and until 8 on Thursdays"."""
    if when.minute is None or when.minute % 60:
        return None
    hours = (when.minute // 60, (when.minute // 60 - 1) % 12 + 1)
    return next(
        (
            q
            for q in quantities(text)
            if not q.dimension and not q.noun and q.value in hours and _AT.search(word_before(text, q.start))
        ),
        None,
    )


def end_of_month(when: When, claim: str, text: str) -> When | None:
    """The month of a text whose end ``when`` is, where it bounds: "by 30 April", "by the end of April"."""
    if not (when.month and when.day and _UNTIL.search(word_before(claim, when.start))):
        return None
    last = calendar.monthrange(when.year or _NO_LEAP_YEAR, when.month)[1]
    months = [held for held in dates(text) if held.month == when.month and not held.day]
    return next((m for m in months if when.day == last and _END_OF.search(word_before(text, m.start))), None)


def _same_kind(a: When, b: When) -> bool:
    """Whether two dates give something in common, which may differ."""
    pairs = ((a.year, b.year), (a.month, b.month), (a.weekday, b.weekday), (a.minute, b.minute))
    return any(x is not None and y is not None for x, y in pairs)


def _is_example(when: When, claim: str, evidence: Sequence[str]) -> bool:
    """Whether "finished in 2018" or "on a Wednesday" is an instance of what the evidence limits."""
    before = claim[: when.start]
    if when.weekday:
        denied = re.search(r"\b(?:not|no|never|closed|nothing)\b|n['’]t\b", claim, re.I)
        limits = any(re.search(r"\b(?:only|except|closed)\b", text) for text in evidence)
        held = [h.weekday for text in evidence for h in dates(text)]
        return bool(denied) and when.weekday not in held and (limits or len(set(held) - {None}) > 1)
    if not when.year or not re.search(r"\b(?:an?|one|someone|anyone|anybody)\b.*\bin $", before, re.I):
        return False
    bound = r"\b(?:after|before|since|until|from|later than|earlier than) (?:the )?(?:end of )?$"
    return any(
        re.search(bound, text[: held.start]) and held.year for text in evidence for held in dates(text)
    )


def _in_half(when: When, text: str) -> bool:
    """Whether a month bounds the half of a year that the evidence names."""
    bounds = {"first": (1, 6), "second": (7, 12)}
    return any(
        when.month in bounds[m[1].casefold()] for m in re.finditer(r"\b(first|second) half of\b", text, re.I)
    )


def _pieced(when: When, held: Sequence[When]) -> bool:
    """A day and month in one place, the year in another: together they say it."""
    if when.year and (when.month or when.day):
        without = When(when.start, when.end, None, when.month, when.day)
        return any(h.year == when.year for h in held) and any(
            without.says(h) and h.year in (None, when.year) for h in held
        )
    return False
