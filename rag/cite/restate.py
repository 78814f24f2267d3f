"""A claim with its figures and times written as its source writes them.

A small model that reads both together takes "within 30 minutes" for something else than "half an hour",
and "1pm" for another time than 13:00. The rules know that they are the same, so it is told.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rag.cite.facts import bare_units, dates, quantities
from rag.cite.measures import Quantity, When, word_before
from rag.cite.units import CURRENCIES, OF_CENTS
from rag.cite.whens import end_of_month, hour_without_half
from rag.cite.wording import alike

_ONE = re.compile(r"\b(?:an?|one) $", re.IGNORECASE)
_BARE = re.compile(r"[\d.,\s]+|[a-z]+", re.IGNORECASE)
"""A figure whose unit stands elsewhere, at the other end of a range."""
_RANGE = re.compile(r" (?:to|or|till|and|until) | ?[-–—] ?")
_WOVEN = re.compile(r"(?:every|halv\w+|one [a-z]+ in)\b|.* (?:in|out of) |half$", re.IGNORECASE)
"""What is no figure with a unit but a part of the sentence: "every other day", "one in four"."""
_SIGN = re.compile(r"(?:[€$£¥]|\b(?:EUR|USD|GBP|JPY)) ?$")
_PENCE = re.compile(r"penn|pence|\dp\b", re.IGNORECASE)
_HALF_OF_DAY = re.compile(r" ?(?:in the|at) (?:morning|afternoon|evening|night)\b", re.IGNORECASE)
_HALF = re.compile(r"\b[ap]\. ?m\.$", re.IGNORECASE)
_HOUR = re.compile(r"\d\d?|[a-z]+", re.IGNORECASE)
_NAMED_HOURS = frozenset(("noon", "midnight"))
_SAME = 1e-6

Swap = tuple[int, int, str]
"""Where something of the claim starts and ends, and what the source writes for it."""


def restated(claim: str, evidence: str) -> str:
    """``claim`` with each figure, time and date that ``evidence`` has in another notation in that one.

    Only where they are exactly the same, unit, rate and what is counted included; and both ends of a range
    or none, where one has its unit from the other.
    """
    swaps = sorted({*_figures(claim, evidence), *_times(claim, evidence)}, reverse=True)
    alone = list(_ends_alone(claim, swaps)) if swaps else []
    written, behind = claim, len(claim)
    for start, end, text in swaps:
        if end <= behind and not any(start <= at < end for at in alone):
            written, behind = f"{written[:start]}{text}{written[end:]}", start
    return written


def _ends_alone(claim: str, swaps: Sequence[Swap]) -> Iterator[int]:
    """Where the ends of ranges start of which one would be written otherwise, and one stands bare."""
    found: list[Quantity | When] = [*quantities(claim), *dates(claim)]
    ends = sorted((x.start, x.end) for x in found)
    for (a, b), (c, d) in pairwise(ends):
        if _RANGE.fullmatch(claim[b:c]) and (_BARE.fullmatch(claim[a:b]) or _BARE.fullmatch(claim[c:d])):
            swapped = [any(start <= at < end for start, end, _ in swaps) for at in (a, c)]
            if any(swapped) and not all(swapped):
                yield from (a, c)


def _figures(claim: str, evidence: str) -> Iterator[Swap]:
    held = [(q, evidence[slice(*_span(evidence, q))]) for q in quantities(evidence)]
    held = [
        (q, text)
        for q, text in held
        if not (q.dimension and _BARE.fullmatch(text)) and not _WOVEN.match(text)
    ]
    mine = [(*_span(claim, q), q) for q in quantities(claim) if q.dimension not in ("ordinal", "times")]
    for q in bare_units(claim):
        one = _ONE.search(word_before(claim, q.start))
        if one:
            mine.append((q.start - len(one[0]), q.end, q))
    for start, end, q in mine:
        said = claim[start:end]
        woven = _WOVEN.match(said) is not None and not (
            q.dimension == "share" and claim[end:].startswith(" of")
        )
        same = [] if woven else [text for other, text in held if _same(q, said, other, text)]
        if same and said.casefold() not in map(str.casefold, same):
            yield start, end, same[0]


def _times(claim: str, evidence: str) -> Iterator[Swap]:
    theirs = dates(evidence)
    for when in dates(claim):
        held = [h for h in theirs if when.says(h) and h.says(when)]
        if not held:
            yield from _otherwise(claim, when, evidence)
            continue
        if when.weekday or _HALF_OF_DAY.match(claim, when.end):
            continue
        if when.either and len({h.minute for h in held}) > 1:
            continue  # of two times it may be either
        same = [_written(evidence, h) for h in held]
        mine = said(claim, when)
        if mine.casefold() not in map(str.casefold, same):
            yield when.start, when.start + len(mine), same[0]


def _otherwise(claim: str, when: When, evidence: str) -> Iterator[Swap]:
    """A full hour that is a bare figure there, and the last day of a month that is its end there."""
    end = when.start + len(said(claim, when))
    hour, month = hour_without_half(when, evidence), end_of_month(when, claim, evidence)
    if hour is not None:
        yield when.start, end, evidence[hour.start : hour.end]
    elif month is not None:
        yield when.start, end, f"the end of {said(evidence, month)}"


def said(text: str, when: When) -> str:
    """What a text has for a date or time, without the full stop of the sentence."""
    written = text[when.start : when.end].rstrip()
    # It may be that of "p.m." as well.
    return written.removesuffix(".") if when.start + len(written) == len(text.rstrip()) else written


def _written(text: str, when: When) -> str:
    """As the text has it; an hour that has its half of the day from the other end of a range, with that."""
    found = text[when.start : when.end].strip()
    if not _HALF.search(found):
        found = found.removesuffix(".")  # that of a sentence
    if when.minute is None or found.casefold() in _NAMED_HOURS or not _HOUR.fullmatch(found):
        return found
    return f"{found} {'p.m.' if when.minute >= 720 else 'a.m.'}"


def _span(text: str, q: Quantity) -> tuple[int, int]:
    """Where it stands, with the sign of its currency."""
    sign = _SIGN.search(text[max(0, q.start - 4) : q.start]) if q.dimension in CURRENCIES else None
    return q.start - (len(sign[0]) if sign else 0), q.end


def _same(claimed: Quantity, said: str, held: Quantity, written: str) -> bool:
    if claimed.working != held.working or (claimed.per and held.per and claimed.per != held.per):
        return False
    a, b = claimed.value, held.value
    kinds = {claimed.dimension, held.dimension}
    if "cent" in kinds and kinds & OF_CENTS:
        if ("£" in kinds) != bool(_PENCE.search(said + written)):
            return False
        a, b = (q.value / 100 if q.dimension == "cent" else q.value for q in (claimed, held))
    elif len(kinds) == 2:
        return False
    if kinds == {""} and (claimed.noun or held.noun) and not alike(claimed.noun, held.noun):
        return False
    return math.isclose(a, b, rel_tol=_SAME)
