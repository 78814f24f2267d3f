"""Which passages support a claim: those that it cites, what else of them is needed, or another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from rag.cite.claims import Judgement
from rag.cite.wording import coverage
from rag.types import CitationQuality, Claim, Passage

Judge = Callable[[str, str], Judgement]
"""A claim and a source: does it support it?"""

_ELSEWHERE = 2
"""Passages that are looked through, by words in common, for one that supports a claim."""
_AS_NEAR = 0.6
"""Share of the most words in common with the claim that such a passage has to have: what the nearest passage
contradicts is not supported by one that is about something else."""
_ABOUT = 0.5
"""Share of the words of a claim without a citation that such a passage has where both are about the same."""
_CHANGED = frozenset({"number", "date", "unit", "name", "negation", "opposite"})
"""What such a claim may say otherwise than the passage."""


class Attribution:
    """Of one answer: each claim with the passages that support it, and ALCE's counts over all of them."""

    def __init__(self, passages: Sequence[Passage], judge: Judge) -> None:
        self._passages = passages
        self._judge = judge
        self._recalled = self._cited = self._precise = 0

    def __call__(
        self, text: str, start: int, end: int, cited: tuple[int, ...]
    ) -> tuple[Claim, list[tuple[int, Judgement]]]:
        """The claim with its verdict, and the passages that support it."""
        judged = {n: self._judge(text, self._passages[n].text) for n in cited}
        good = [(n, j) for n, j in judged.items() if j.verdict != "unsupported"]
        together = bool(good)
        if not good and len(cited) > 1:
            together = self._support(text, cited)
            if together:  # none alone: each that is needed gives a part
                needed = self._needed(text, sorted(cited, key=lambda n: judged[n].score))
                good = [(n, j) for n, j in judged.items() if n in needed and j.end > j.start]
        self._count(cited, judged, together, text)
        attributed = False
        otherwise: Judgement | None = None
        if not good:
            near = [coverage(text, passage.text) for passage in self._passages]
            least = _AS_NEAR * max(near, default=0.0)
            others = [n for n in range(len(self._passages)) if n not in cited and near[n] >= least]
            others.sort(key=lambda n: -near[n])
            about = []
            for n in others[:_ELSEWHERE]:
                judgement = self._judge(text, self._passages[n].text)
                if judgement.verdict != "unsupported":
                    good, attributed = [(n, judgement)], True
                    break
                if near[n] >= _ABOUT:
                    about.append(judgement)
            otherwise = max(about, key=lambda j: j.score, default=None)
        best = max((j for _, j in good), key=lambda j: j.score, default=None)
        if best is None:
            nearest = max(judged.values(), key=lambda j: j.score, default=None)
            if nearest is None:  # what it says otherwise than the sources is wrong with a citation or without
                changed = [r for r in otherwise.reasons if r in _CHANGED] if otherwise else []
                return Claim(start, end, "unsupported", 0.0, ("uncited", *changed), ()), []
            return Claim(start, end, "unsupported", nearest.score, nearest.reasons, cited), []
        return Claim(start, end, told_of(best), best.score, (), cited, attributed), good

    def _support(self, text: str, passages: Sequence[int]) -> bool:
        """Whether passages support a claim together."""
        joined = "\n\n".join(self._passages[n].text for n in passages)
        return self._judge(text, joined).verdict != "unsupported"

    def _needed(self, text: str, cited: Sequence[int]) -> list[int]:
        """Of passages that support a claim together those without which the others do not, the first ones
        left out first."""
        needed = list(cited)
        for n in cited:
            rest = [m for m in needed if m != n]
            if len(rest) > 1 and self._support(text, sorted(rest)):
                needed = rest
        return needed

    def _count(
        self, cited: tuple[int, ...], judged: Mapping[int, Judgement], together: bool, text: str
    ) -> None:
        """ALCE's counts for one claim."""
        self._recalled += together
        self._cited += len(cited)
        if not together:
            return
        for n in cited:
            if judged[n].verdict != "unsupported":
                self._precise += 1
                continue
            rest = [m for m in cited if m != n]
            self._precise += not rest or not self._support(text, rest)

    def also(
        self, last: Claim, text: str, cited: tuple[int, ...]
    ) -> tuple[Claim, list[tuple[int, Judgement]]]:
        """The last claim, which is ``text``, with what a marker behind it cites too; what was found of it is
        not taken back."""
        new = tuple(n for n in cited if n not in last.cited)
        if last.verdict == "unsupported":
            self._cited -= len(last.cited)  # all of them are judged anew, also together
            return self(text, last.start, last.end, (*last.cited, *new))
        judged = {n: self._judge(text, self._passages[n].text) for n in new}
        good = [(n, j) for n, j in judged.items() if j.verdict != "unsupported"]
        self._cited += len(new)
        self._precise += len(good)
        return replace(last, cited=(*last.cited, *new)), good

    def quality(self, claims: int, unknown: int) -> CitationQuality:
        """Citation recall and precision (ALCE: Gao and others, 2023) of an answer of so many claims."""
        return CitationQuality(
            recall=self._recalled / claims if claims else None,
            precision=self._precise / self._cited if self._cited else None,
            unknown=unknown,
        )


def told_of(best: Judgement) -> Literal["verbatim", "supported"]:
    """What is told of a claim that its passages support, together if not alone."""
    return "verbatim" if best.verdict == "verbatim" else "supported"
