"""Which word of a source each word of a claim is nearest to, by a model's token vectors in context.

*MaxSim* (Khattab and Zaharia, ColBERT, 2020) over words: a word's vector is the mean of its
tokens'. Without token vectors a word is near where it stands in some form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.cite.turning import NEGATORS
from rag.cite.wording import alike
from rag.types import TokenVectors
from rag.words import FUNCTION_WORDS

TokensOf = Callable[[str], TokenVectors | None]

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_MODAL = frozenset("must can may should".split())
_CLAUSE_END = re.compile(
    r"[;:,.!?()](?= )| (?:but|while|whereas|although|because|unless|if|which|who|where|since|except|when|"
    r"after|before|until|so that|so) | and "
    r"(?=\w+ (?:is|are|was|were|can|must|may|do|does|has|have|not|never)\b)",
    re.IGNORECASE,
)
_SHARED_BACK = 0.5
"""What it counts that a clause says nothing else, beside 1 for what it holds of the claim."""
_CLOSE_BEHIND = 0.15
"""How much less a clause may say of the claim than the best one to be looked at too."""
_CLAUSES = 4
"""Clauses that are looked at."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause of a source; ``near[i]`` is the similarity of the claim's word ``i`` to its nearest there."""

    text: str
    near: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Alignment:
    """The claim's content ``words``: ``near[i]`` is the similarity of one to its nearest word of the source,
    ``held[i]`` whether the source has it in some form. ``clauses`` say most of the claim, the best one first.
    """

    words: tuple[str, ...]
    near: NDArray[np.float32]
    held: NDArray[np.bool_]
    clauses: tuple[Clause, ...]
    by_model: bool

    @property
    def mean(self) -> float:
        """Similarity of the claim's content words to the source's, in [-1, 1]; 0 where it has none."""
        return float(self.near.mean()) if len(self.near) else 0.0

    @property
    def novelty(self) -> float:
        """How far from the source the farthest word is that it does not hold, where it holds the others.

        Of a free paraphrase it is small, for few words are held.
        """
        if not len(self.held) or self.held.all():
            return 0.0
        return float(self.held.mean() * (1 - self.near[~self.held].min()))


def align(claim: str, source: str, spans: Sequence[tuple[int, int]], tokens: TokensOf | None) -> Alignment:
    """The claim's content words beside the source's; ``spans`` are the source's sentences."""
    mine = [found for found in _words(claim) if _is_content(found[0])]
    theirs = [found for found in _words(source) if _is_content(found[0])]
    if not mine or not theirs:
        return Alignment((), np.zeros(0, np.float32), np.zeros(0, np.bool_), (), tokens is not None)
    same = np.array([[alike(word, other) for other, *_ in theirs] for word, *_ in mine])
    held = np.asarray(same.any(axis=1), np.bool_)
    left, right = (tokens(claim), tokens(source)) if tokens else (None, None)
    if left is None or right is None:
        near = same.astype(np.float32)
    else:
        near = _vectors(mine, left) @ _vectors(theirs, right).T
    ranked = []
    for start, end in _clauses(source, spans):
        inside = [n for n, (_, a, _) in enumerate(theirs) if start <= a < end]
        if inside:
            part = near[:, inside]
            worth = float(part.max(axis=1).mean() + _SHARED_BACK * part.max(axis=0).mean())
            ranked.append((worth, Clause(source[start:end].strip(" ,;:"), part.max(axis=1))))
    ranked.sort(key=lambda found: -found[0])
    clauses = tuple(clause for worth, clause in ranked[:_CLAUSES] if worth > ranked[0][0] - _CLOSE_BEHIND)
    return Alignment(tuple(word for word, *_ in mine), near.max(axis=1), held, clauses, left is not None)


def _is_content(word: str) -> bool:
    return word not in FUNCTION_WORDS and word not in NEGATORS and word not in _MODAL


def _words(text: str) -> list[tuple[str, int, int]]:
    return [(m[0].casefold(), *m.span()) for m in _WORD.finditer(text)]


def _vectors(words: Sequence[tuple[str, int, int]], tokens: TokenVectors) -> NDArray[np.float32]:
    """A unit row for each word; a word beyond the model's window has a row of zeros."""
    starts, ends = tokens.offsets[:, 0], tokens.offsets[:, 1]
    sums = np.vstack([np.zeros((1, tokens.vectors.shape[1]), np.float32), np.cumsum(tokens.vectors, axis=0)])
    first = np.searchsorted(ends, [a for _, a, _ in words], side="right")
    last = np.maximum(first, np.searchsorted(starts, [b for *_, b in words], side="left"))
    rows = sums[last] - sums[first]
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


def _clauses(source: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The sentences and their clauses, as spans of the source."""
    found = list(spans)
    for start, end in spans:
        at = start
        for m in _CLAUSE_END.finditer(source, start, end):
            if len(source[at : m.start()].split()) > 1:
                found.append((at, m.end()))
                at = m.end()
        if start < at < end:
            found.append((at, end))
    return found
