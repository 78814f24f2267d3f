"""The figures that follow from those of a source by one step that a claim's words speak of."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise, permutations

from rag.cite.facts import quantities
from rag.cite.measures import Quantity

FEW = 10
"""Up to which a figure in words may count what the source names one by one."""
_COMBINED = 30
"""Figures of a source that are combined with each other: what bounds the time."""
_EXACT = 0.01
"""How far off a share of a figure may be that a claim gives as an estimate."""
_DIFFERENCE = re.compile(
    r"\b(?:(?:less|fewer|more|longer|older|younger)(?! than [\w€$£])|(?:less|more) than the|save\w*|"
    r"(?:increas\w*|decreas\w*|rose|risen|grew|grown|fell|fallen|dropped|cut|reduced|went (?:up|down)) by|"
    r"dropped out|extra|difference|other|rest|remain\w*|left|without|"
    r"no|none|not|another|additional)\b|n['’]t\b",
    re.IGNORECASE,
)
_FOLD = re.compile(r"\b(?:doubl\w*|tripl\w*|twice|halv\w*|half|times as)\b", re.IGNORECASE)
_TOTAL = re.compile(r"\b(?:together|total|altogether|both|in all|combined|overall)\b", re.IGNORECASE)
_ESTIMATE = re.compile(r"\b(?:about|around|roughly|approximately|nearly|almost|some|circa)\b", re.IGNORECASE)


def following(
    claim: str, held: Sequence[Quantity], years: set[float], texts: Sequence[str]
) -> Iterator[Quantity]:
    """The figures that follow from those of the evidence by one step that the claim's words speak of."""
    counted = [q for q in held if q.dimension not in ("share", "times", "ordinal")][:_COMBINED]
    pairs = [
        (a, b) for a in counted for b in counted if b.dimension in (a.dimension, "") and a.value > b.value > 0
    ]
    if _DIFFERENCE.search(claim):
        for whole, part in pairs:
            left = whole.value - part.value
            yield Quantity(left, whole.dimension, 0, 0, figure=left, per=whole.per)
    for whole, part in pairs if _FOLD.search(claim) else ():
        ratio = whole.value / part.value
        yield Quantity(ratio, "times", 0, 0, figure=ratio)
        yield Quantity(100 / ratio, "share", 0, 0, figure=100 / ratio)
    if _TOTAL.search(claim):
        for one, other in permutations(counted, 2):
            if one.dimension == other.dimension:
                total = one.value + other.value
                yield Quantity(total, one.dimension, 0, 0, figure=total, per=one.per)
            if other.dimension == "" and 1 < other.value <= FEW:
                total = one.value * other.value
                yield Quantity(total, one.dimension, 0, 0, figure=total, noun=one.noun)
    for a in sorted(years):
        for b in sorted(years):
            if b > a:
                yield Quantity(12 * (b - a), "months", 0, 0, figure=b - a)
    if any(re.search(r"\b(?:majority|most|mostly)\b", text, re.I) for text in texts):
        yield Quantity(51, "share", 0, 0, figure=51)
    for q in held:
        if q.dimension == "share":
            yield Quantity(100 - q.value, "share", 0, 0, q.hedge and "about", figure=100 - q.value)
    shares = [q.value / 100 for q in held if q.dimension == "share" and 0 < q.value < 100]
    for q in counted if _ESTIMATE.search(claim) else ():
        if q.value >= FEW:
            for share in shares:
                for value in (q.value * share, q.value * (1 - share), q.value * (1 + share)):
                    if any(math.isclose(value, asked.value, rel_tol=_EXACT) for asked in quantities(claim)):
                        yield Quantity(value, q.dimension, 0, 0, figure=q.value, per=q.per)
    for sentence in texts:
        for m in re.finditer(r"\b(\w+) other\b", sentence):
            for q in quantities(m[1]):
                yield Quantity(q.value + 1, "", 0, 0, figure=q.value + 1)
        figures = quantities(sentence)
        twofold = any((q.dimension, q.value, q.per) in (("share", 50, ""), ("times", 2, "")) for q in figures)
        scaled = [q for q in figures if twofold and q.dimension not in ("share", "times", "ordinal")]
        for q in scaled:
            for value in (q.value / 2, q.value * 2):
                yield Quantity(value, q.dimension, 0, 0, q.hedge, figure=value, per=q.per)
        counts = [
            q
            for q in figures
            if q.dimension == "" and re.match(r" of (?:them|these|which)\b", sentence[q.end :])
        ]
        for part in counts:
            for q in figures:
                if q.dimension == "" and q.value > part.value:
                    yield Quantity(q.value - part.value, "", 0, 0, figure=q.value - part.value)
    for some, of in _parts(texts):
        if 0 < some < of:
            yield Quantity(of - some, "", 0, 0, figure=of - some)
            yield Quantity(100 * some / of, "share", 0, 0, figure=100 * some / of)


def _parts(texts: Sequence[str]) -> Iterator[tuple[float, float]]:
    """The figures of "two of 312 samples", "nine patients in ten"."""
    for text in texts:
        plain = [q for q in quantities(text) if q.dimension == ""]
        for some, whole in pairwise(plain):
            if _PART_OF.fullmatch(text[some.end : whole.start]):
                yield some.value, whole.value


_PART_OF = re.compile(r" (?:\w+ )?(?:out )?(?:of|in) (?:the |every )?", re.IGNORECASE)
