"""What is compared of a claim and its source, as numbers that :mod:`rag.cite.support` weighs."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.cite.alignment import Alignment, TokensOf, align
from rag.cite.compare import changed
from rag.cite.english import is_english, may_be_english
from rag.cite.evidence import WHOLE, evidence, parts
from rag.cite.marked import marked
from rag.cite.opposites import AGAINST
from rag.cite.parity import contrary, turns
from rag.cite.polarity import is_negative, sweeping, turned
from rag.cite.rows import rows_asked, table_of
from rag.cite.units import MONTHS, ORDINALS, SMALL, TENS, UNITS
from rag.cite.wording import Words, alike, coverage
from rag.types import Change, Vectors

EmbedTexts = Callable[[Sequence[str]], Vectors]
Entails = Callable[[str, str], Mapping[Change, float] | None]
"""A claim and a passage of English to the probability that it follows, and of each change; None where no
model can read them."""

NEARNESS = ("cosine", "coverage", "alignment")
"""Signals that speak for a claim: no weight of theirs is negative."""
CHANGE = (
    "date_alone", "name_alone", "negation", "quantifier", "opposite", "negation_held", "quantifier_held",
    "opposite_held", "added", "sweeping", "denied", "denied_throughout", "novel",
)  # fmt: skip
"""Signals that speak against it: no weight of theirs is positive. ``alone``: the source has no other one
in the place of what it lacks; ``held``: times the share of the claim's words that the source holds."""

IN_WORDS = ("number", "date", "unit", "name", "negation", "opposite")
READ = (
    "entailed", "number", "date", "unit", "name", "negation", "quantifier", "opposite", "contrary",
    "sweeping", "number_unreached", *(f"{kind}_held" for kind in IN_WORDS),
)  # fmt: skip
"""Signals where a model read claim and source together: the log-odds that the claim follows, which speak
for it, and what the rules find, which speaks against it; ``held``: where the claim is otherwise in the
words of the sentence, in which a rule errs less than in a free paraphrase; ``unreached``: where no
reckoning leads to a figure from those of the source."""

_CLAUSES = re.compile(r",? (?:and|but|while|whereas|which|who|where|because|so that|although)\b|;|, ")
_JOINTS = re.compile(r",? (?:and|but|while|whereas|which|who|where)\b|;|, (?=and|but)")
_VERB = re.compile(r"\b(?:is|are|was|were|can|could|may|must|will|do|does|did|has|have|had)\b", re.IGNORECASE)
_NEVER = 1e-4
"""What keeps the log-odds of a model that is sure finite: they are at most 9.2."""
_LONGEST = 450
"""Characters of a claim that is still one sentence."""
_RIVALS, _RIVAL = 3, 0.25
"""How many sentences a claim may rest on, and how near they are in cosine and shared words together."""
_CLEAR, _AHEAD = 0.5, 0.2
"""Share of a claim's words that a sentence has, and how much more than any other, so that it is the one."""
_SHORT = 6
"""Sentences up to which figures and dates may come from anywhere in a source."""
_FAR = 0.35
"""Cosine below which a claim, or a part of it, without a word in common says something else: of 1,195 true
claims of the sets that the reader was not taught with, five."""
_KEPT = 0.65
"""Share of its words that a part shares with the source where the claim is no free paraphrase."""
_HELD = 0.8
"""Share of its words that a claim in the words of a sentence has from there."""
_SURE = ("number", "date", "unit", "opposite")
_OUTVOTED = -1.5
"""Log-odds that a model gives at most to a claim that is otherwise in the sentence's words, where a rule of
``_SURE`` found another figure, date, unit or the opposite: there a rule errs less than the model. Names are
written in more ways than a rule knows. And to any claim with a figure that was surely not drawn from the
source, or a name that the source joins to others: to the model 240,000 and 140,000 are nearly the same."""
_LOOKED_AT = 6
"""Sentences of a source that are embedded: what bounds the time that a check takes."""
_LOOSE = 0.45
"""Similarity up to which the words of a claim and a clause may be about different things."""
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
    """The signals by name, and what they rest on.

    ``wrong`` are figures, units, dates and names that the source lacks, or has others for:
    they need no weighing. ``turned`` are negation, quantifier and opposite, which do. ``at`` is
    the number of the sentence that is nearest.
    """

    signals: Mapping[str, float]
    wrong: tuple[str, ...]
    turned: tuple[str, ...]
    at: int
    aligned: bool
    """Whether a model's token vectors aligned the words."""
    change: Change = "true"
    """What a model that read claim and source together takes for changed, if anything is."""


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
    turned_by = turned(claim, texts[at], [texts[n] for n in keep if n != at and cover[n]])
    aligned = align(claim, source, spans, tokens)
    signals = dict.fromkeys((*NEARNESS, *CHANGE), 0.0)
    signals["cosine"] = _closest(claim, texts, at, cosines, embed)
    signals["coverage"] = max(cover[at], coverage(claim, near))
    signals["alignment"] = aligned.mean
    for finding in found:
        if not finding.instead and finding.kind != "number":
            signals[f"{finding.kind}_alone"] = 1.0
    for turn in turned_by:
        signals[turn] = 1.0
        signals[f"{turn}_held"] = signals["coverage"]
    signals["sweeping"] = float("quantifier" not in turned_by and sweeping(claim, texts[at]))
    signals["added"] = float(_added(claim, texts, embed))
    signals["denied"], signals["denied_throughout"] = _denied(claim, aligned)
    signals["novel"] = aligned.novelty
    wrong = tuple(f.kind for f in found if f.instead or f.kind == "number")
    return Compared(signals, wrong, tuple(turned_by), at, aligned.by_model)


def read(
    claim: str, source: str, spans: Sequence[tuple[int, int]], embed: EmbedTexts | None, entails: Entails
) -> Compared | None:
    """The signals ``READ``; None where the model does not read these texts: it knows English, and sentences
    of some content that are no longer than sentences are."""
    if len(claim) > _LONGEST or not Words.of(claim).content or not is_english(claim):
        return None
    pieces = parts(source, spans)
    asked = rows_asked(claim, [source[a:b] for a, b in pieces])
    pieces = [pieces[n] for n in asked]
    texts = [source[a:b] for a, b in pieces]
    cover = [coverage(claim, text) for text in texts]
    at = _clearest(cover)
    worth = cover
    if at is None or pieces[-1][1] - pieces[0][0] > WHOLE:
        cosines = _nearest(claim, texts, cover, embed)
        worth = [cosine + share for cosine, share in zip(cosines, cover, strict=True)]
    best = evidence(source, pieces, worth)
    if not Words.of(best).content or not may_be_english(best):
        return None
    follows = entails(marked(claim, best), best)
    if follows is None:
        return None
    if embed is not None and max(worth) < _FAR:
        # Taught beside whole passages, the model may take for true what "See page 12" says nothing of.
        follows = {**dict.fromkeys(follows, 0.0), "unrelated": 1.0}
    nearest = _supporting(claim, texts, worth, follows["true"], entails) if at is None else at
    table = table_of(texts, nearest)
    keep = [
        n for n in range(len(texts)) if len(texts) <= _SHORT or n in table or cover[n] >= 0.6 * cover[nearest]
    ]
    found = changed(claim, [texts[n] for n in keep], source, texts[nearest])
    turned_by = turned(claim, texts[nearest], [texts[n] for n in keep if n != nearest and cover[n]])
    wrong = tuple(f.kind for f in found if f.instead or f.kind == "number")
    signals = dict.fromkeys(READ, 0.0)
    signals["entailed"] = math.log((follows["true"] + _NEVER) / (1 - follows["true"] + _NEVER))
    signals |= dict.fromkeys((*wrong, *turned_by), 1.0)
    signals["number_unreached"] = float(any(f.unreached for f in found))
    signals["contrary"] = float(contrary(claim, texts[nearest]))
    in_words = _in_words(claim, texts[nearest])
    if in_words:
        signals |= {f"{kind}_held": signals[kind] for kind in IN_WORDS}
    if any(f.sure for f in found) or (in_words and any(signals[kind] for kind in _SURE)):
        signals["entailed"] = min(signals["entailed"], _OUTVOTED)
    if signals["contrary"] and "opposite" not in turned_by:
        turned_by.append("opposite")
    signals["sweeping"] = float("quantifier" not in turned_by and sweeping(claim, texts[nearest]))
    change = max((kind for kind in follows if kind != "true"), key=lambda kind: follows[kind])
    sentence = next(n for n, (_, end) in enumerate(spans) if pieces[nearest][1] <= end)
    return Compared(signals, wrong, tuple(turned_by), sentence, False, change)


def _in_words(claim: str, text: str) -> bool:
    """Whether the claim is in the words of a text, its figures, units, months and turns aside."""
    theirs = Words.of(text).content
    mine = {
        w
        for w in Words.of(claim).content
        if not w[0].isdigit()
        and w not in _TIMES_AND_FIGURES
        and not is_negative(w)
        and AGAINST.get(w, frozenset()).isdisjoint(theirs)
    }
    return bool(mine) and sum(any(alike(w, t) for t in theirs) for w in mine) >= _HELD * len(mine)


def _supporting(
    claim: str, texts: Sequence[str], worth: Sequence[float], follows: float, entails: Entails
) -> int:
    """The sentence that the claim rests on, where words and meaning leave two or three: the one from which
    alone it follows most. Of a claim that does not follow, the nearest."""
    ranked = sorted(range(len(texts)), key=lambda n: -worth[n])
    near = [n for n in ranked[:_RIVALS] if worth[ranked[0]] - worth[n] < _RIVAL]
    if len(near) < 2 or follows < 0.5:
        return ranked[0]
    alone = {n: entails(marked(claim, texts[n]), texts[n]) for n in near}
    return max(near, key=lambda n: (alone[n] or {}).get("true", 0.0))


def _clearest(cover: Sequence[float]) -> int | None:
    """The sentence that shares by far the most words with the claim, where there is one: it need not be
    looked for by meaning, which takes as long as all else."""
    best = max(range(len(cover)), key=lambda n: cover[n])
    second = max((share for n, share in enumerate(cover) if n != best), default=0.0)
    return best if cover[best] >= _CLEAR and cover[best] - second >= _AHEAD else None


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
    rows = embed([claim, *texts])
    return [float(c) for c in rows[1:] @ rows[0]]


def _denied(claim: str, aligned: Alignment) -> tuple[float, float]:
    """How surely the claim denies its nearest clause, or is denied by it, in [0, 1]: by that clause alone,
    and by the share of the clauses close behind that agree.

    As sure as the rest of the claim, without the words that turn it, is near to the clause's words.
    """
    if not aligned.clauses:
        return 0.0, 0.0
    best = turns(claim, aligned.clauses[0].text)
    if not best.odd:
        return 0.0, 0.0
    kept = np.array([word not in best.words for word in aligned.words])
    # A clause may have its subject in the sentence before it: "They are encrypted".
    near = (aligned.clauses[0].near + aligned.near) / 2
    rest = float((near[kept] if kept.any() else near).mean())
    sure = min(1.0, max(0.0, rest - _LOOSE) / (1 - _LOOSE))
    others = [turns(claim, clause.text).odd for clause in aligned.clauses[1:]]
    return sure, sure * (sum(others) / len(others) if others else 1.0)


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
