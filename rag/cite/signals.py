"""What is compared of a claim and its source, as numbers that :mod:`rag.cite.support` weighs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.cite.alignment import TokensOf, align
from rag.cite.compare import changed
from rag.cite.flip import flipped
from rag.cite.polarity import odd, turned
from rag.cite.units import MONTHS, ORDINALS, SMALL, TENS, UNITS
from rag.cite.wording import Words, alike
from rag.types import Vectors

EmbedTexts = Callable[[Sequence[str]], Vectors]

FOR = ("cosine", "coverage", "alignment")
"""Signals that speak for a claim: no weight of theirs is negative."""
AGAINST = (
    "number", "number_alone", "unit", "date", "date_alone", "name", "name_alone", "negation", "quantifier",
    "opposite", "added", "odd", "flipped", "novel",
)  # fmt: skip
"""Signals that speak against it: no weight of theirs is positive. ``alone``: the source has no
other one in the place of what it lacks."""

_CLAUSES = re.compile(r",? (?:and|but|while|whereas|which|who|where|because|so that|although)\b|;|, ")
_JOINTS = re.compile(r",? (?:and|but|while|whereas|which|who|where)\b|;|, (?=and|but)")
_VERB = re.compile(r"\b(?:is|are|was|were|can|could|may|must|will|do|does|did|has|have|had)\b", re.IGNORECASE)
_SHORT = 6
"""Sentences up to which figures and dates may come from anywhere in a source."""
_FAR = 0.35
"""Cosine below which a part of a claim without a word in common says something else."""
_KEPT = 0.65
"""Share of its words that a part shares with the source where the claim is no free paraphrase."""
_LOOKED_AT = 6
"""Sentences of a source that are embedded: what bounds the time that a check takes."""
_LEAST_TURN = 0.05
"""Added to how far two texts move when they are turned around, so that a tiny move counts little."""
_TIMES_AND_FIGURES = (
    frozenset(
        "morning afternoon evening night noon half century year month week day long wide high deep tall "
        "old".split()
    )
    | SMALL.keys()
    | TENS.keys()
    | ORDINALS.keys()
    | MONTHS.keys()
    | UNITS.keys()
)


@dataclass(frozen=True, slots=True)
class Compared:
    """The signals by name, what was changed, and the number of the sentence that is nearest."""

    signals: Mapping[str, float]
    reasons: tuple[str, ...]
    at: int


def compare(
    claim: str,
    source: str,
    spans: Sequence[tuple[int, int]],
    embed: EmbedTexts | None,
    tokens: TokensOf | None = None,
) -> Compared:
    """All signals; ``spans`` are the sentences of the source, of which there is at least one.

    Without ``embed`` nearness is that of the words, without ``tokens`` so is alignment.
    """
    texts = [source[a:b] for a, b in spans]
    cover = [coverage(claim, text) for text in texts]
    cosines = _nearest(claim, texts, cover, embed)
    at = max(range(len(spans)), key=lambda n: cosines[n] + cover[n])
    low, high = max(0, at - 1), min(len(spans), at + 2)
    near = source[spans[low][0] : spans[high - 1][1]]
    keep = [
        n for n in range(len(texts)) if low <= n < high or len(texts) <= _SHORT or cover[n] >= 0.6 * cover[at]
    ]
    found = changed(claim, [texts[n] for n in keep], source, texts[at])
    turns = turned(claim, texts[at], [texts[n] for n in keep if n != at and cover[n]])
    aligned = align(claim, source, spans, tokens)
    signals = dict.fromkeys((*FOR, *AGAINST), 0.0)
    signals["cosine"] = _closest(claim, texts, at, cosines, embed)
    signals["coverage"] = max(cover[at], coverage(claim, near))
    signals["alignment"] = aligned.mean
    for finding in found:
        signals[f"{finding.kind}_alone" if not finding.instead and finding.kind != "unit" else finding.kind] = 1.0
    for turn in turns:
        signals[turn] = 1.0
    signals["added"] = float(_added(claim, texts, embed))
    signals["odd"] = float(odd(claim, aligned.clause))
    signals["flipped"] = _turn(claim, texts[at], aligned.clause, embed) if embed else 0.0
    signals["novel"] = aligned.novelty
    return Compared(signals, (*(f.kind for f in found if f.instead), *turns), at)


def coverage(claim: str, text: str) -> float:
    """Share of the claim's content words that the text holds in some form."""
    mine, theirs = set(Words.of(claim).content), Words.of(text).content
    if not mine:
        return 0.0
    return sum(any(alike(w, t) for t in theirs) for w in mine) / len(mine)


def _nearest(
    claim: str, texts: Sequence[str], cover: Sequence[float], embed: EmbedTexts | None
) -> list[float]:
    """Cosines of the sentences that share most words with the claim; the others count as far."""
    best = sorted(range(len(texts)), key=lambda n: -cover[n])[:_LOOKED_AT]
    found = _cosines(claim, [texts[n] for n in best], embed)
    cosines = [-1.0] * len(texts)
    for n, cosine in zip(best, found, strict=True):
        cosines[n] = cosine
    return cosines


def _closest(
    claim: str, texts: Sequence[str], at: int, cosines: Sequence[float], embed: EmbedTexts | None
) -> float:
    """Cosine of the nearest sentence, or of a clause of the one that counts as nearest."""
    clauses = [clause for clause in _CLAUSES.split(texts[at]) if len(clause.split()) > 2]
    if embed is None or len(clauses) < 2:
        return max(cosines)
    return max(*cosines, *_cosines(claim, clauses[:4], embed))


def _cosines(claim: str, texts: Sequence[str], embed: EmbedTexts | None) -> list[float]:
    if embed is None:
        return [coverage(claim, text) for text in texts]
    # One text at a time: vectors of a quantised model depend slightly on their batch.
    rows = np.vstack([embed([text]) for text in (claim, *texts)])
    return [float(c) for c in rows[1:] @ rows[0]]


def _turn(claim: str, sentence: str, clause: str, embed: EmbedTexts) -> float:
    """How much nearer the claim comes when one of the two is turned around, in about [-1, 1].

    The cosines of the pair as it is and of both turned, against those with one turned, over how
    far the turns move the two: what a turn does by itself cancels out. The greater of sentence
    and clause.
    """
    return max(_turned_cosines(claim, text, embed) for text in dict.fromkeys((sentence, clause)))


def _turned_cosines(claim: str, text: str, embed: EmbedTexts) -> float:
    a, a2, b, b2 = (embed([t])[0] for t in (claim, flipped(claim), text, flipped(text)))
    gain = float((a2 - a) @ (b - b2))
    return gain / (float(np.linalg.norm(a2 - a) * np.linalg.norm(b2 - b)) + _LEAST_TURN)


def _added(claim: str, texts: Sequence[str], embed: EmbedTexts | None) -> bool:
    """Whether a part of the claim, joined on by "and" or the like, is nowhere in the source.

    Only beside a part that keeps the source's words: of a free paraphrase no part does.
    """
    source = " ".join(texts)
    parts = [(part, coverage(part, source)) for part in _JOINTS.split(claim) if _says_something(part)]
    if len(parts) < 2 or max(covered for _, covered in parts) < _KEPT:
        return False
    return any(
        embed is None or max(_cosines(part, texts[:_LOOKED_AT], embed)) < _FAR
        for part, covered in parts[1:]
        if covered == 0
    )


def _says_something(part: str) -> bool:
    """Whether a part of a sentence is more than a figure or a time, which are compared by themselves."""
    words = [w for w in Words.of(part).content if not w[0].isdigit() and w not in _TIMES_AND_FIGURES]
    return len(words) > 1 or (bool(words) and _VERB.search(part) is not None)
