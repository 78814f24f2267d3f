"""How much the approximate search misses: its answers against those of an exact one.

The graph in Chroma is compared with all vectors, one block after another, as they are kept
for questions (:mod:`rag.stored`), so a vector that the graph lost counts as missed. A large
library is sampled: every so many chunks are compared, and of them those that are surely
among the nearest are looked for.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from rag.filters import Filter, parse
from rag.library import Library
from rag.types import Embedder, Where

ENOUGH = 0.98
"""Below this share found, something is wrong: with the settings of :mod:`rag.index` 99 % and
more are found (tests/benchmarks/ann.py)."""
NEAREST = 100
QUESTIONS = 30
CHUNKS = 200_000
"""Vectors that one comparison reads: about three seconds."""
_LONGEST = 300
_TIE = 1e-4
"""Cosines that differ by less may change places: vectors are kept as 16-bit floats."""


@dataclass(frozen=True, slots=True)
class Recall:
    """Shares in [0, 1] of the nearest chunks that were found; ``filtered`` is None without a filter."""

    plain: float
    filtered: float | None
    questions: int
    stored: bool
    """Whether the questions are ones that people asked, rather than sentences of the documents."""
    deleted: float
    """Share of the graph that replaced or deleted chunks still take up; 0 where it is not known."""
    seconds: float

    @property
    def good(self) -> bool:
        return min(self.plain, 1.0 if self.filtered is None else self.filtered) >= ENOUGH


def measure(
    library: Library,
    embedder: Embedder,
    asked: Sequence[str] = (),
    filters: Sequence[Where] = (),
    *,
    nearest: int = NEAREST,
    most: int = CHUNKS,
) -> Recall | None:
    """The recall of ``nearest`` for real questions; None where there are no chunks.

    Without any ``asked``, sentences of the documents stand in for questions. Every filter
    is tried with every question; those that match nothing are passed over. The two indexes
    agree (:meth:`rag.library.Library.compare`).
    """
    started = time.perf_counter()
    count = library.chunks.total()
    if not count:
        return None
    questions = list(dict.fromkeys(asked))[:QUESTIONS] or _sentences(library)
    vectors = np.stack([embedder.embed_query(question) for question in questions])
    step = ceil(count / most)
    parsed = [(f, library.index.matching(f)) for where in filters if (f := parse(where)) is not None]
    allowed: list[tuple[Filter | None, set[str] | None]] = [
        (None, None),
        *((f, ids) for f, ids in parsed if ids),
    ]
    nearby = _exact(library, vectors, [ids for _, ids in allowed], nearest, step)
    shares = []
    for (filter, ids), best in zip(allowed, nearby, strict=True):
        right = wanted = 0
        for vector, (scores, names) in zip(vectors, best, strict=True):
            hits = library.chunks.search(vector, nearest, filter)
            found = {hit.chunk_id for hit in hits}
            # What stands within a rounding of the last that was found might have been it.
            edge = hits[-1].score + _TIE if len(hits) == nearest else -2.0
            due = [name for name, score in zip(names, scores, strict=True) if name in found or score > edge]
            right += sum(name in found for name in due)
            wanted += len(due)
            if ids is not None:
                wanted += sum(hit.chunk_id not in ids for hit in hits)  # found, and not allowed
        shares.append(right / wanted if wanted else 1.0)
    return Recall(
        plain=shares[0],
        filtered=min(shares[1:]) if len(shares) > 1 else None,
        questions=len(questions),
        stored=bool(asked),
        deleted=library.index.deleted_share(),
        seconds=time.perf_counter() - started,
    )


def _exact(
    library: Library,
    vectors: NDArray[np.float32],
    allowed: Sequence[set[str] | None],
    nearest: int,
    step: int,
) -> list[list[tuple[NDArray[np.float32], list[str]]]]:
    """For each filter and question the nearest chunks of every ``step``-th: scores and ids."""
    # One in ``step`` of the nearest stands in the sample, give or take: half of that surely does.
    kept = nearest if step == 1 else max(1, nearest // (2 * step))
    best: list[list[tuple[NDArray[np.float32], list[str]]]] = [
        [(np.zeros(0, np.float32), []) for _ in vectors] for _ in allowed
    ]
    for ids, rows in library.chunks.blocks(step):
        scores = vectors @ rows.T
        for at, only in enumerate(allowed):
            places = np.arange(len(ids)) if only is None else np.flatnonzero([i in only for i in ids])
            if not len(places):
                continue
            for question in range(len(vectors)):
                before, names = best[at][question]
                own = scores[question, places]
                top = np.argpartition(-own, kept - 1)[:kept] if len(own) > kept else np.arange(len(own))
                merged = np.concatenate([before, own[top]])
                called = names + [ids[places[n]] for n in top]
                order = np.argsort(-merged, kind="stable")[:kept]
                best[at][question] = merged[order], [called[n] for n in order]
    return best


def _sentences(library: Library) -> list[str]:
    """Sentences of the documents, the same ones each time."""
    ids = sorted(library.keywords.chunk_ids())
    some = random.Random(11).sample(ids, min(QUESTIONS, len(ids)))
    return [found.chunk.text[:_LONGEST] for found in library.chunks.get(some).values()]


def typical_filters(metadata: Sequence[Mapping[str, object]]) -> list[Where]:
    """Up to two filters of the documents' own: a value about one document in ten has, one in a hundred."""
    counts: dict[tuple[str, object], int] = {}
    for values in metadata:
        for key, value in values.items():
            if isinstance(value, str | bool | int | float) and not (
                isinstance(value, str) and len(value) > 100
            ):
                counts[key, value] = counts.get((key, value), 0) + 1
    found: list[Where] = []
    for share in (0.1, 0.01):
        near = [
            (abs(np.log(n / (share * len(metadata)))), key, repr(value), value)
            for (key, value), n in counts.items()
            if n > 1
        ]
        if near:
            _, key, _, value = min(near, key=lambda one: one[:3])
            if {key: value} not in found:
                found.append({key: value})
    return found
