"""What re-rankers share: the text that a model reads, and passages under new scores."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rag.errors import RerankError
from rag.types import Passage, Scorer

Place = tuple[int, int]
"""A passage, and a sentence in it, both from 0."""

SPREAD = 3.2
"""Standard deviation that the sentences' scores of one answer are given: about that of the fused
ones on SQuAD and XQuAD, in whose units the extractive answer says how far behind is too far."""


def shown(passage: Passage) -> str:
    """The passage as a model that reads pairs is given it: title and headings, then the text."""
    return heading(passage) + passage.text


def heading(passage: Passage) -> str:
    """Title and headings of a passage, a line each, where its text does not begin with them."""
    head = passage.path if passage.title in passage.path else (passage.title, *passage.path)
    return "".join(f"{line}\n" for line in head if line and not passage.text.startswith(line))


def sentence_text(passage: Passage, at: int) -> str:
    sentence = passage.sentences[at]
    return passage.text[sentence.start - passage.start : sentence.end - passage.start]


def finite(values: Iterable[object], count: int) -> list[float]:
    """``values`` as ``count`` finite numbers; raises :class:`RerankError` where they are not."""
    found = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(found) != count or not all(math.isfinite(v) for v in found):
        raise RerankError("The re-ranker gave scores that are no numbers. Choose another rerank.model.")
    return found


def reordered(
    passages: Sequence[Passage],
    scores: Sequence[float],
    evidence: Mapping[Place, float],
    scorer: Scorer,
) -> list[Passage]:
    """The passages by ``scores``, and their sentences by ``evidence`` in units of ``SPREAD``.

    Sentences that ``evidence`` leaves out stand below all that it holds, in the order that they
    had.
    """
    given = dict(zip(evidence, (SPREAD * z(evidence.values())).tolist(), strict=True))
    old = {
        (at, n): sentence.score
        for at, passage in enumerate(passages)
        for n, sentence in enumerate(passage.sentences)
        if (at, n) not in given
    }
    if given and old:
        step = max(old.values()) - min(given.values()) + SPREAD
        old = {place: score - step for place, score in old.items()}
    return with_scores(passages, scores, given | old, scorer)


def with_scores(
    passages: Sequence[Passage],
    scores: Sequence[float],
    evidence: Mapping[Place, float],
    scorer: Scorer,
) -> list[Passage]:
    """The passages with these scores and those of their sentences; best first, ties as they stood."""
    return [
        replace(
            passages[at],
            score=float(scores[at]),
            scorer=scorer,
            sentences=tuple(
                replace(sentence, score=evidence[at, n]) for n, sentence in enumerate(passages[at].sentences)
            ),
        )
        for at in sorted(range(len(passages)), key=lambda at: -scores[at])
    ]


def z(values: Iterable[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """The z-scores of ``values``; zeros where they are all alike."""
    array = np.asarray(list(values), np.float64)
    spread = array.std() if array.size else 0.0
    return (array - array.mean()) / spread if spread > 1e-9 else np.zeros_like(array)
