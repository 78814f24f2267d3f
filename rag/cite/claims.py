"""Does a source support a claim? Rules for what is exact, a calibrated nearness for the rest.

A claim is one sentence. Its *evidence* is a short source as a whole, of a longer one the sentence
that is nearest to the claim with what stands around. ``verbatim``: the claim stands in the
source as a whole sentence.
``supported``: its figures, dates and names are in the evidence, no negation, quantifier or
opposite turns it around, and its meaning is near enough. Anything else is ``unsupported``.

The rules read English; of other languages the figures, dates and names are compared, and
the nearness is that of the embedding model.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rag.cite.compare import changed
from rag.cite.polarity import turned
from rag.cite.turning import EXCLUSIVE, NEGATIVE, NEGATORS
from rag.cite.units import MONTHS, ORDINALS, SMALL, TENS, UNITS
from rag.cite.wording import Words, alike
from rag.sentences import sentences
from rag.types import Vectors, Verdict

EmbedTexts = Callable[[Sequence[str]], Vectors]

COSINE_WEIGHT, COVERAGE_WEIGHT, BIAS = 12.0, 5.0, -4.4
"""Logistic weights of the cosine of the nearest sentence or clause, and of the share of the claim's
words that stand around it. Near those of a logistic regression over the labelled pairs that are
true or unrelated and over questions with their answers against their own and a neighbouring
paragraph (the cosine's came out at 8 to 14, the share's at 4 to 6); the bias is set so that few
paraphrases are lost."""
THRESHOLD = 0.5
"""Least support of a claim that is supported."""
_PER_REASON = 1.5
"""What a changed fact takes from the logit of the score."""

_CLAUSES = re.compile(r",? (?:and|but|while|whereas|which|who|where|because|so that|although)\b|;|, ")
_CANNOT = re.compile(r"\bcan(?:not |['’]t )", re.IGNORECASE)
_NOT = re.compile(
    r" (?:does|do|did)(?: not|n['’]t) | not | never | no longer | no |n['’]t |\bnone of |\bnobody ",
    re.IGNORECASE,
)
_NEARER = 0.09
"""Gain in cosine from which a negation that is left out was the only difference."""
_SPACE = re.compile(r"\s+")
_QUOTES = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "\u00a0": " "})
_EDGES = " \t\n\"'.,;:!?()[]*_`-"
_SHORT = 6
"""Sentences up to which figures and dates may come from anywhere in a source."""
_FAR = 0.35
"""Cosine below which a part of a claim without a word in common says something else."""
_KEPT = 0.65
"""Share of its words that a part shares with the source where the claim is no free paraphrase."""
_JOINTS = re.compile(r",? (?:and|but|while|whereas|which|who|where)\b|;|, (?=and|but)")
_VERB = re.compile(r"\b(?:is|are|was|were|can|could|may|must|will|do|does|did|has|have|had)\b", re.IGNORECASE)
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
_LOOKED_AT = 6
"""Sentences of a source that are embedded: what bounds the time that a check takes."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """``score`` is the support in [0, 1], comparable between claims; ``reasons`` name what was changed:
    number, date, unit, name, negation, quantifier, opposite, or ``meaning``. ``start:end`` is the
    nearest sentence of the source."""

    verdict: Verdict
    score: float
    reasons: tuple[str, ...]
    start: int
    end: int


def judge(claim: str, source: str, embed: EmbedTexts | None = None) -> Judgement:
    """Whether ``source`` supports ``claim``; ``embed`` (texts -> unit rows) measures nearness of meaning.

    Without ``embed`` the nearness is that of the words alone.
    """
    spans = sentences(source)
    claim = claim.strip()
    if not spans or not any(c.isalnum() for c in claim):
        return Judgement("unsupported", 0.0, ("meaning",), 0, 0)
    whole = _standing(claim, source, spans)
    if whole is not None:
        return Judgement("verbatim", 1.0, (), *whole)
    texts = [source[a:b] for a, b in spans]
    cover = [coverage(claim, text) for text in texts]
    cosines = _nearest(claim, texts, cover, embed)
    at = max(range(len(spans)), key=lambda n: cosines[n] + cover[n])
    low, high = max(0, at - 1), min(len(spans), at + 2)
    near = source[spans[low][0] : spans[high - 1][1]]
    keep = [
        n for n in range(len(texts)) if low <= n < high or len(texts) <= _SHORT or cover[n] >= 0.6 * cover[at]
    ]
    reasons = [f.kind for f in changed(claim, [texts[n] for n in keep], source, texts[at])]
    reasons += turned(claim, texts[at], [texts[n] for n in keep if n != at and cover[n]])
    if "negation" not in reasons and embed and _denied_in_other_words(claim, texts[at], cosines[at], embed):
        reasons.append("negation")
    nearness = _logit(_closest(claim, texts, at, cosines, embed), max(cover[at], coverage(claim, near)))
    support = _sigmoid(nearness)
    if not reasons and (support < THRESHOLD or _added(claim, texts, embed)):
        reasons.append("meaning")
    score = _sigmoid(nearness - _PER_REASON * len(reasons)) if support >= THRESHOLD else support
    return Judgement("unsupported" if reasons else "supported", score, tuple(reasons), *spans[at])


def _plain(text: str) -> str:
    return _SPACE.sub(" ", text.translate(_QUOTES)).strip(_EDGES).casefold()


def _standing(claim: str, source: str, spans: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """The span of whole sentences that the claim repeats word for word."""
    wanted = _plain(claim)
    if len(wanted) < 2 or wanted not in _plain(source):
        return None
    for first in range(len(spans)):
        for last in range(first, min(len(spans), first + 4)):
            start, end = spans[first][0], spans[last][1]
            if _plain(source[start:end]) == wanted:
                return start, end
    return None


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


def _denied_in_other_words(claim: str, nearest: str, cosine: float, embed: EmbedTexts) -> bool:
    """Whether the claim is much nearer to a sentence that denies nothing once its own "not" is left out."""
    plain = _NOT.sub(" ", _CANNOT.sub("can ", claim))
    if plain == claim or any(w in NEGATORS or w in NEGATIVE or w in EXCLUSIVE for w in Words.of(nearest).all):
        return False
    return _cosines(plain, [nearest], embed)[0] - cosine > _NEARER


def _says_something(part: str) -> bool:
    """Whether a part of a sentence is more than a figure or a time, which are compared by themselves."""
    words = [w for w in Words.of(part).content if not w[0].isdigit() and w not in _TIMES_AND_FIGURES]
    return len(words) > 1 or (bool(words) and _VERB.search(part) is not None)


# --- nearness -------------------------------------------------------------------


def _logit(cosine: float, coverage: float) -> float:
    return COSINE_WEIGHT * cosine + COVERAGE_WEIGHT * coverage + BIAS


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


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


def coverage(claim: str, text: str) -> float:
    """Share of the claim's content words that the text holds in some form."""
    mine, theirs = set(Words.of(claim).content), Words.of(text).content
    if not mine:
        return 0.0
    return sum(any(alike(w, t) for t in theirs) for w in mine) / len(mine)
