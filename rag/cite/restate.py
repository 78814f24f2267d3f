"""A claim with its figures and times written as its source writes them.

A small model that reads both together takes "within 30 minutes" for something else than "half an hour",
and "1pm" for another time than 13:00. The rules know that they are the same, so it is told.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from rag.cite.facts import bare_units, dates, quantities
from rag.cite.measures import Quantity
from rag.cite.units import CURRENCIES, OF_CENTS
from rag.cite.wording import alike

_ONE = re.compile(r"\b(?:an?|one) $", re.IGNORECASE)
_BARE = re.compile(r"[\d.,\s]+|[a-z]+", re.IGNORECASE)
"""A figure whose unit stands elsewhere, at the other end of a range."""
_SAME = 1e-6

Swap = tuple[int, int, str]
"""Where something of the claim starts and ends, and what the source writes for it."""


def restated(claim: str, evidence: str) -> str:
    """``claim`` with each figure, time and date that ``evidence`` has in another notation in that one.

    Only where they are exactly the same, unit, rate and what is counted included.
    """
    swaps = sorted({*_figures(claim, evidence), *_times(claim, evidence)}, reverse=True)
    written, behind = claim, len(claim)
    for start, end, text in swaps:
        if end <= behind:
            written, behind = f"{written[:start]}{text}{written[end:]}", start
    return written


def _figures(claim: str, evidence: str) -> Iterator[Swap]:
    held = [(q, evidence[slice(*_span(evidence, q))]) for q in quantities(evidence)]
    held = [(q, text) for q, text in held if not (q.dimension and _BARE.fullmatch(text))]
    mine = [(*_span(claim, q), q) for q in quantities(claim) if q.dimension not in ("ordinal", "times")]
    for q in bare_units(claim):
        one = _ONE.search(claim[: q.start])
        if one:
            mine.append((one.start(), q.end, q))
    for start, end, q in mine:
        same = [text for other, text in held if _same(q, other)]
        if same and claim[start:end].casefold() not in map(str.casefold, same):
            yield start, end, same[0]


def _times(claim: str, evidence: str) -> Iterator[Swap]:
    theirs = dates(evidence)
    for when in dates(claim):
        same = [evidence[h.start : h.end].strip() for h in theirs if when.says(h) and h.says(when)]
        said = claim[when.start : when.end].rstrip()
        if when.start + len(said) == len(claim.rstrip()):
            said = said.removesuffix(".")  # of the sentence, as well as of "p.m."
        if same and not when.weekday and said.casefold() not in map(str.casefold, same):
            yield when.start, when.start + len(said), same[0]


def _span(text: str, q: Quantity) -> tuple[int, int]:
    """Where it stands, with the sign of its currency."""
    before = q.dimension in CURRENCIES and text[: q.start].endswith(q.dimension)
    return q.start - before, q.end


def _same(claimed: Quantity, held: Quantity) -> bool:
    if claimed.working != held.working or (claimed.per and held.per and claimed.per != held.per):
        return False
    a, b = claimed.value, held.value
    kinds = {claimed.dimension, held.dimension}
    if "cent" in kinds and kinds & OF_CENTS:
        a, b = (q.value / 100 if q.dimension == "cent" else q.value for q in (claimed, held))
    elif len(kinds) == 2:
        return False
    if kinds == {""} and (claimed.noun or held.noun) and not alike(claimed.noun, held.noun):
        return False
    return math.isclose(a, b, rel_tol=_SAME)
