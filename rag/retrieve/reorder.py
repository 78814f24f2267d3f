"""What a re-ranker said of passages, carried over to the sentences of the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rag.retrieve.rank import Ranked
from rag.retrieve.signals import z
from rag.types import Passage, Scorer

WEIGHTS: Mapping[Scorer, tuple[float, float, float]] = {
    "late": (1.0, 0.2, 0.2),
    "cross": (0.5, 1.0, 1.0),
    "cohere": (0.5, 1.0, 1.0),
}
"""Of a sentence's fused score, its passage's new score and its own, all as z-scores.

Those of ``late`` were chosen on the data of the chunking report: with them more of the excerpts
is found at 200 and 400 tokens than without re-ranking; with the new scores alone, less at any
budget. ``late`` holds the fused score already. The others judge by reading, so their word
counts more; no weights of theirs were at hand to measure it with."""


def reorder(ranked: Sequence[Ranked], passages: Sequence[Passage]) -> list[Ranked]:
    """The sentences by their fused score and what was said of their passage and of themselves.

    A sentence of no re-ranked passage counts as the last of those that were.
    """
    if not ranked or not passages:
        return list(ranked)
    fused, of_passage, own = WEIGHTS[passages[0].scorer]
    judged = {(p.document_id, s.start): (p.score, s.score) for p in passages for s in p.sentences}
    places = [(r.chunk.document_id, r.chunk.start) for r in ranked]
    known = [judged[place] for place in places if place in judged]
    if not known:
        return list(ranked)
    lowest = (min(score for score, _ in known), min(score for _, score in known))
    found = [judged.get(place, lowest) for place in places]
    scores = (
        fused * z(r.score for r in ranked)
        + of_passage * z(score for score, _ in found)
        + own * z(score for _, score in found)
    )
    new = [replace(r, score=float(score)) for r, score in zip(ranked, scores, strict=True)]
    return sorted(new, key=lambda r: (-r.score, r.chunk.id))
