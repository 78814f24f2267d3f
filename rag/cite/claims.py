"""Does a source support a claim? Rules for what is exact, fitted weights for the rest.

A claim is one sentence. ``verbatim``: it stands in the source as a whole sentence.
``supported``: it follows, for a model that reads the two together, weighed with what the rules
find; or, without that model, its figures, dates and names are in the source, its meaning is
near enough, and nothing turns it around: no negation, quantifier or opposite. Anything else
is ``unsupported``.

The rules read English, and so does the model that reads claim and source together, where there is
one; of other languages the figures, dates and names are compared, and the nearness is that of
the embedding model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.cite.alignment import TokensOf
from rag.cite.signals import Compared, EmbedTexts, Entails, compare, read
from rag.cite.support import fitted, fitted_read
from rag.cite.wording import UNSPACED, coverage
from rag.sentences import sentences
from rag.types import Verdict

__all__ = ["EmbedTexts", "Entails", "Judgement", "TokensOf", "judge"]

_WRONG = 0.7
"""What is left of a score for each kind of fact that is wrong."""
_TURNED = 0.3
"""Power of the probability that nothing turns the claim around. Both are mild: rules err on true
paraphrases, which should still score above what another passage says. On the labelled sets but the
kept one the milder score parts true from unrelated pairs at least as well as the plain product."""
_SAID, _FEW_WORDS, _BARE = 0.9, 4, 2
"""Score of a fragment that the source holds as it is, how many words one has at most, and how many so
that it is no sentence for sure."""
_VERB = re.compile(
    r"\b(?:is|are|was|were|can|may|must|will|do|does|did|has|have|had)\b|n['’]t\b", re.IGNORECASE
)
_DENIES = re.compile(
    r"\b(?:not?|never|none|neither|nor|without|cannot|except|unless)\b|n['’]t\b", re.IGNORECASE
)
_ANSWER = re.compile(r"^(?:yes|no)[,.:;!–—-]+ (?!\d)(?=\S+ \S+ )", re.IGNORECASE)
"""What answers the question; the claim is what follows, with a negation of its own where it has one."""
_SPACE = re.compile(r"\s+")
_HALF = re.compile("[\ud800-\udfff]")
_QUOTES = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "\u00a0": " "})
_EDGES = " \t\n\"'.,;:!?()[]*_`-"


@dataclass(frozen=True, slots=True)
class Judgement:
    """``score`` is the support in [0, 1], comparable between claims; ``reasons`` name what was changed:
    number, date, unit, name, negation, quantifier, opposite; ``unsaid``: the source does not say it; or
    ``meaning``: it seems not to. ``start:end`` is the nearest sentence of the source."""

    verdict: Verdict
    score: float
    reasons: tuple[str, ...]
    start: int
    end: int


def judge(
    claim: str,
    source: str,
    embed: EmbedTexts | None = None,
    tokens: TokensOf | None = None,
    entails: Entails | None = None,
) -> Judgement:
    """Whether ``source`` supports ``claim``; ``embed`` (texts -> unit rows) measures nearness of meaning.

    ``entails`` reads the two together. Without it, ``tokens`` (a text -> its token vectors, or None)
    aligns the words; without ``embed`` the nearness is that of the words alone.
    """
    written, source = _whole(claim.strip()), _whole(source)
    claim = _ANSWER.sub("", written)
    spans = sentences(source)
    if not spans or not any(c.isalnum() for c in claim):
        return Judgement("unsupported", 0.0, ("meaning",), 0, 0)
    whole = _standing(written, source, spans) or _standing(claim, source, spans)
    if whole is not None:
        return Judgement("verbatim", 1.0, (), *whole)
    if _fragment(claim):
        said = _said(claim, source, spans)
        if said is not None:
            return Judgement("supported", _SAID, (), *said)
        if (
            len(claim.split()) <= _BARE
            and not coverage(claim, source)
            and not any(c.isdigit() for c in claim)
        ):
            return Judgement("unsupported", 0.0, ("meaning",), *spans[0])
    together = read(claim, source, spans, embed, entails) if entails else None
    if together is not None:
        return _read(together, spans)
    found = compare(claim, source, spans, embed, tokens)
    support = fitted(found.aligned)
    near = support.nearness.probability(found.signals)
    unchanged = support.change.probability(found.signals)
    reasons = list(found.wrong)
    if unchanged < support.change.threshold:
        reasons += found.turned or ("meaning",)
    if near < support.nearness.threshold:
        reasons.append("meaning")
    score = near * unchanged**_TURNED * _WRONG ** len(found.wrong)
    verdict: Verdict = "unsupported" if reasons else "supported"
    return Judgement(verdict, score, tuple(dict.fromkeys(reasons)), *spans[found.at])


def _read(found: Compared, spans: Sequence[tuple[int, int]]) -> Judgement:
    curve = fitted_read()
    score = curve.probability(found.signals)
    if score >= curve.threshold:
        return Judgement("supported", score, (), *spans[found.at])
    reasons: tuple[str, ...] = found.wrong or found.turned
    if not reasons:
        # What no rule names is only said where hardly any true claim scores as low. Figures, dates and names
        # the rules have compared: what the model takes for changed among them is not there in other ways.
        sure = found.change if found.change in ("negation", "quantifier") else "unsaid"
        reasons = (sure if score < curve.sure else "meaning",)
    return Judgement("unsupported", score, reasons, *spans[found.at])


def _whole(text: str) -> str:
    """As long, and without halves of characters, which no model takes."""
    return _HALF.sub("\ufffd", text)


def _plain(text: str) -> str:
    return _SPACE.sub(" ", text.translate(_QUOTES)).strip(_EDGES).casefold()


def _fragment(claim: str) -> bool:
    """Whether it is no sentence but a name, a figure or a few words: "Geneva.", "9 to 17".

    Such an answer says by itself too little for a model that was taught with sentences.
    """
    return len(claim.split()) <= _FEW_WORDS and not _VERB.search(claim) and not UNSPACED.search(claim)


def _said(claim: str, source: str, spans: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """The first sentence that holds the fragment, word for word and not denied."""
    wanted = re.compile(rf"(?<![\w-])(?<!\d[.,]){re.escape(_plain(claim))}(?!\w|[.,]\d)")
    for start, end in spans:
        text = source[start:end]
        if wanted.search(_plain(text)) and (not _DENIES.search(text) or _DENIES.search(claim)):
            return start, end
    return None


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
