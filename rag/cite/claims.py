"""Does a source support a claim? Rules for what is exact, a calibrated nearness for the rest.

A claim is one sentence. Its *evidence* is the sentence of the source that is nearest to it
with what stands around. ``verbatim``: the claim stands in the source as a whole sentence.
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

from rag.cite.facts import Quantity, When, dates, names, quantities
from rag.cite.polarity import Words, alike, turned
from rag.cite.units import MONTHS, ORDINALS, SMALL, TENS
from rag.sentences import sentences
from rag.types import Vectors, Verdict
from rag.words import FUNCTION_WORDS

EmbedTexts = Callable[[Sequence[str]], Vectors]

COSINE_WEIGHT, COVERAGE_WEIGHT, BIAS = 8.0, 6.0, -6.0
"""Logistic weights of the nearest window's cosine and the share of the claim's words that it
holds."""
THRESHOLD = 0.5
"""Least support of a claim that is supported."""
_FLAGGED = 0.25
"""What one changed fact leaves of the score: a flagged claim is below the threshold."""

_SPACE = re.compile(r"\s+")
_QUOTES = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "\u00a0": " "})
_EDGES = " \t\n\"'.,;:!?()[]*_`-"
_SURE = 0.9
"""Support above which the neighbours of the nearest sentence are not looked at."""
_FAR = 0.35
"""Cosine below which a part of a claim without a word in common says something else."""
_JOINTS = re.compile(r",? (?:and|but|while|whereas|which|who|because|so that|although)\b|;|, ")
_VERB = re.compile(r"\b(?:is|are|was|were|can|could|may|must|will|do|does|did|has|have|had)\b", re.IGNORECASE)
_TIMES_AND_FIGURES = (
    frozenset("morning afternoon evening night noon half century year month week day".split())
    | SMALL.keys()
    | TENS.keys()
    | ORDINALS.keys()
    | MONTHS.keys()
)
_LOOKED_AT = 3
"""Sentences of a source that are embedded: what bounds the time that a check takes."""
_ABOUT = 0.06
"""How far "about 1,200" may be off; rounding to two digits is at most 5 %."""


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
    reasons = _changed(claim, source, texts, cover, at)
    reasons += turned(claim, texts[at], [t for n, t in enumerate(texts) if n != at and cover[n]])
    covered, cosine = max(cover[at], coverage(claim, near)), cosines[at]
    if embed and len(texts) > 1 and _support(cosine, covered) < _SURE:
        cosine = max(cosine, _cosines(claim, [near], embed)[0])
    support = _support(cosine, covered)
    if not reasons and (support < THRESHOLD or _added(claim, source, embed)):
        reasons.append("meaning")
    score = (
        support
        if not reasons or (reasons == ["meaning"] and support < THRESHOLD)
        else min(support, 0.49) * _FLAGGED ** (len(reasons) - 1)
    )
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


def _added(claim: str, source: str, embed: EmbedTexts | None) -> bool:
    """Whether a part of the claim, joined on by "and" or the like, is nowhere in the source."""
    parts = [part for part in _JOINTS.split(claim) if _says_something(part)]
    if len(parts) < 2:
        return False
    for part in parts:
        if coverage(part, source) > 0:
            continue
        if (
            embed is None
            or max(_cosines(part, [source[a:b] for a, b in sentences(source)][:8], embed)) < _FAR
        ):
            return True
    return False


def _says_something(part: str) -> bool:
    """Whether a part of a sentence is more than a figure or a time, which are compared by themselves."""
    words = [w for w in Words.of(part).content if not w[0].isdigit() and w not in _TIMES_AND_FIGURES]
    return len(words) > 1 or (bool(words) and _VERB.search(part) is not None)


# --- nearness -------------------------------------------------------------------


def _support(cosine: float, coverage: float) -> float:
    return 1 / (1 + math.exp(-(COSINE_WEIGHT * cosine + COVERAGE_WEIGHT * coverage + BIAS)))


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


# --- facts ----------------------------------------------------------------------


def _changed(claim: str, source: str, texts: Sequence[str], cover: Sequence[float], at: int) -> list[str]:
    """Which kinds of facts of the claim are not in its evidence."""
    best = cover[at]
    keep = [n for n in range(len(texts)) if abs(n - at) <= 1 or cover[n] >= 0.6 * best]
    evidence = [texts[n] for n in keep]
    reasons = []
    reason = _quantities_differ(claim, evidence)
    if reason:
        reasons.append(reason)
    if _dates_differ(claim, evidence, source):
        reasons.append("date")
    if _names_differ(claim, evidence, source, texts[at]):
        reasons.append("name")
    return reasons


def _quantities_differ(claim: str, evidence: Sequence[str]) -> str:
    asked = quantities(claim)
    held = [(q, text) for text in evidence for q in quantities(text)]
    years = {float(w.year) for text in evidence for w in dates(text) if w.year}
    held_when = {float(x) for text in evidence for w in dates(text) for x in (w.day, w.year) if x}
    hours = {float(w.minute // 60 % 12) for text in evidence for w in dates(text) if w.minute is not None}
    for quantity in asked:
        same = [(q, text) for q, text in held if _equal(quantity, q)]
        if not same and quantity.value in (years | held_when) and quantity.dimension in ("", "ordinal"):
            continue
        if not same:
            if quantity.dimension == "ordinal" and not any(q.dimension == "ordinal" for q, _ in held):
                continue  # "first, send the form": an order of speech
            if quantity.dimension == "times" and quantity.value <= 1:
                continue
            if quantity.dimension == "" and quantity.value <= 1 and not held:
                continue
            if quantity.dimension == "" and quantity.value in hours:
                continue  # "five in the morning"
            if quantity.dimension == "ordinal" and _century(claim, quantity, years):
                continue
            return "unit" if any(math.isclose(q.figure, quantity.figure) for q, _ in held) else "number"
        if _bound_elsewhere(quantity, claim, same, held):
            return "number"
    return ""


def _century(claim: str, quantity: Quantity, years: set[float]) -> bool:
    """Whether "the twentieth century" stands for a year that the evidence names."""
    is_century = claim[quantity.end :].lstrip(" -").casefold().startswith("centur")
    return is_century and any(year // 100 + 1 == quantity.value for year in years)


def _equal(claimed: Quantity, held: Quantity) -> bool:
    """Whether the source's figure is the claim's, as far as the claim is exact."""
    if claimed.dimension != held.dimension and claimed.dimension and held.dimension:
        return False
    if claimed.per and held.per and claimed.per != held.per:
        return False
    if claimed.working != held.working and claimed.dimension == held.dimension == "time":
        return False
    a, b = claimed.value, held.value
    if claimed.dimension != held.dimension and "share" in (claimed.dimension, held.dimension) and a != b:
        a, b = (a / 100 if claimed.dimension == "share" else a), (b / 100 if held.dimension == "share" else b)
    if math.isclose(a, b, rel_tol=1e-3):
        return True
    if claimed.hedge == "about" or held.hedge == "about":
        return math.isclose(a, b, rel_tol=_ABOUT)
    if claimed.hedge == "over" and not held.hedge:
        return a < b <= 1.5 * a
    if claimed.hedge == "under" and not held.hedge:
        return 0.6 * a <= b < a
    return False


def _bound_elsewhere(
    quantity: Quantity, claim: str, same: Sequence[tuple[Quantity, str]], held: Sequence[tuple[Quantity, str]]
) -> bool:
    """Whether the claim's words stand by another figure of the same kind than the equal one."""
    around = _context(claim, quantity, 5)
    if len(around) < 2:
        return False
    best = max(_shared(around, _context(text, q, 5)) for q, text in same)
    rivals = [
        _shared(around, _context(text, q, 5))
        for q, text in held
        if q.dimension == quantity.dimension and not any(_equal(quantity, s) and s is q for s, _ in same)
    ]
    return bool(rivals) and max(rivals) >= best + 2


def _context(text: str, quantity: Quantity, reach: int) -> list[str]:
    before = Words.of(text[: quantity.start]).content[-reach:]
    after = Words.of(text[quantity.end :]).content[:reach]
    return [w for w in (*before, *after) if not w[0].isdigit()]


def _shared(mine: Sequence[str], theirs: Sequence[str]) -> int:
    return sum(any(alike(w, t) for t in theirs) for w in mine)


def _dates_differ(claim: str, evidence: Sequence[str], source: str) -> bool:
    asked = dates(claim)
    if not asked:
        return False
    held = [w for text in evidence for w in dates(text)]
    figures = {q.value for text in evidence for q in quantities(text)}
    for when in asked:
        if any(when.says(h) for h in held):
            continue
        if _pieced(when, held):
            continue
        if when.year and not when.month and float(when.year) in figures:
            continue
        return True
    return False


def _pieced(when: When, held: Sequence[When]) -> bool:
    """A day and month in one place, the year in another: together they say it."""
    if when.year and (when.month or when.day):
        without = When(when.start, when.end, None, when.month, when.day)
        return any(h.year == when.year for h in held) and any(
            without.says(h) and h.year in (None, when.year) for h in held
        )
    return False


def _names_differ(claim: str, evidence: Sequence[str], source: str, nearest: str) -> bool:
    there = [m.casefold() for m in re.findall(r"[^\W\d_][\w'’.-]*", source)]
    initials = _initials(source)
    missing = []
    for name in names(claim):
        folded = name.text.casefold().strip(".")
        if folded in FUNCTION_WORDS or len(folded) < 2:
            continue
        parts = [p for p in re.split(r"[-.’']", folded) if len(p) > 1] or [folded]
        if (
            folded in there
            or all(any(_same_name(p, t) for t in there) for p in parts)
            or folded in initials
            or folded.replace(".", "") in initials
        ):
            continue
        if name.text.isupper() and len(name.text) <= 6 and folded in _initials(claim):
            continue
        missing.append(name)
    if any(not name.opens for name in missing) or _titles_differ(claim, source):
        return True
    if not missing:
        return False
    # The first word of a sentence is capitalised whatever it is: it counts as a name where
    # a name of the source is left over.
    said = [m.casefold() for m in re.findall(r"[^\W\d_][\w'’-]*", claim)]
    left = [
        n
        for n in names(nearest)
        if n.text.casefold() not in FUNCTION_WORDS and not any(_same_name(n.text.casefold(), s) for s in said)
    ]
    return any(not n.opens for n in left) or (
        bool(left) and len(Words.of(nearest).content) > 1 and _opens_with_name(nearest, claim)
    )


def _titles_differ(claim: str, source: str) -> bool:
    """Whether a title stands before another name than in the source: roles were exchanged."""
    pairs = re.compile(r"\b([A-Z][a-z]+\.?) ([A-Z][\w’'-]+)")
    theirs = {(a.casefold(), b.casefold()) for a, b in pairs.findall(source)}
    titles, called = {a for a, _ in theirs}, {b for _, b in theirs}
    mine = {(a.casefold(), b.casefold()) for a, b in pairs.findall(claim)}
    return any((a, b) not in theirs and a in titles and b in called and a not in called for a, b in mine)


def _opens_with_name(nearest: str, claim: str) -> bool:
    """Whether both sentences go on alike after their first word: then it is the first that was changed."""
    mine, theirs = Words.of(claim).content[1:4], Words.of(nearest).content[1:5]
    return bool(mine) and sum(any(alike(w, t) for t in theirs) for w in mine) >= min(2, len(mine))


def _same_name(a: str, b: str) -> bool:
    if a == b:
        return True
    shorter, longer = sorted((a, b), key=len)
    if (
        longer.removesuffix("s") == shorter
        or longer.removesuffix("'s") == shorter
        or longer.removesuffix("’s") == shorter
    ):
        return True
    common = 0
    for x, y in zip(shorter, longer, strict=False):
        if x != y:
            break
        common += 1
    # "Portugal" and "Portuguese", "Spain" and "Spanish": the nation's word begins alike.
    return (
        common >= 4
        and common >= len(shorter) - 2
        and longer[common:] in _DEMONYM | {longer[common:]}
        and len(longer) - common <= 4
        and common >= 0.6 * len(longer)
    )


_DEMONYM = frozenset("an ian ese ish uese ic i n s es er".split())


def _initials(text: str) -> set[str]:
    """The acronyms of runs of capitalised words: "World Health Organization" gives "who"."""
    found = set()
    words = re.findall(r"[^\W\d_][\w'’-]*", text)
    for at in range(len(words)):
        letters = ""
        for word in words[at : at + 7]:
            if word[0].isupper():
                letters += word[0].casefold()
            elif word.casefold() not in ("of", "the", "and", "for", "in"):
                break
            if len(letters) >= 2:
                found.add(letters)
    return found
