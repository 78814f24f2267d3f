"""What a re-ranker said of passages, carried over to the sentences of the search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.retrieve.rank import Ranked, z
from rag.types import Passage

SENTENCE_WEIGHT = 1.0
"""Of a sentence's own new score beside its passage's, both as z-scores."""


def reorder(ranked: Sequence[Ranked], passages: Sequence[Passage]) -> list[Ranked]:
    """The sentences of the re-ranked passages first, by their new scores; then the rest as it stood."""
    scores = {}
    places = [(p, s) for p in passages for s in p.sentences]
    new = z(p.score for p, _ in places) + SENTENCE_WEIGHT * z(s.score for _, s in places)
    for (p, s), score in zip(places, new, strict=True):
        scores[p.document_id, s.start] = float(score)
    first = [r for r in ranked if (r.chunk.document_id, r.chunk.start) in scores]
    rest = [r for r in ranked if (r.chunk.document_id, r.chunk.start) not in scores]
    found = [replace(r, score=scores[r.chunk.document_id, r.chunk.start]) for r in first]
    found.sort(key=lambda r: (-r.score, r.chunk.id))
    if found and rest:
        step = max(0.0, rest[0].score - found[-1].score + 1)
        rest = [replace(r, score=r.score - step) for r in rest]
    return [*found, *rest]
