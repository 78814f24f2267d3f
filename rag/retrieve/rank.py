"""Rank sentences: two searches, fused, and the windows that hold each sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from rag import bm25
from rag.config import Settings
from rag.retrieve.signals import signals, z
from rag.types import Chunk, Hit, IndexedChunk
from rag.weights import SIGNALS

OWN_WEIGHT = 0.3
"""Chosen on the public data: without it fewer right SQuAD paragraphs come first, with twice
as much the recall of excerpts at 200 tokens falls. To see it: tests/benchmarks/quality.py DATA
--fusion hand --constant rag.retrieve.rank.OWN_WEIGHT=0"""

_WIDEN = 30
"""Windows whose neighbours are looked at when only k passages are wanted."""
_REACH = 3
"""Sentences each side of such a window that are candidates under learned weights, which know
from its section what a sentence is about; most sections are no longer than that."""

CountTokens = Callable[[Sequence[str]], list[int]]


class VectorSearch(Protocol):
    """What retrieval asks of the chunks in Chroma."""

    def search(self, vector: NDArray[np.float32], n: int, where: Any = None) -> list[Hit]: ...
    def vectors(self, chunk_ids: Sequence[str]) -> Mapping[str, NDArray[np.float32]]: ...
    def get(self, chunk_ids: Sequence[str]) -> Mapping[str, IndexedChunk]: ...
    def sections(self, chunk_ids: Iterable[str]) -> Mapping[str, range]: ...


class KeywordSearch(Protocol):
    """What retrieval asks of the keyword index."""

    def search(
        self, question: str, n: int, where: Any = None, field: Literal["window", "own"] = "window"
    ) -> list[Hit]: ...
    def scores(
        self, question: str, chunk_ids: Sequence[str], field: Literal["window", "own"] = "window"
    ) -> dict[str, float]: ...
    def analyse(self, texts: Sequence[str]) -> list[list[str]]: ...
    def idf(self, terms: Sequence[str]) -> Mapping[str, float]: ...
    def numbers(self, found: Sequence[IndexedChunk]) -> list[tuple[bm25.Numbers, bm25.Numbers]]: ...


@dataclass(frozen=True, slots=True)
class Ranked:
    """A sentence with its fused score and its own two signals."""

    found: IndexedChunk
    score: float
    cosine: float
    bm25: float

    @property
    def chunk(self) -> Chunk:
        return self.found.chunk


def rank(
    question: str,
    vector: NDArray[np.float32],
    chunks: VectorSearch,
    keywords: KeywordSearch,
    settings: Settings,
    where: Any = None,
    weights: Mapping[str, float] | None = None,
    by_words: Sequence[Hit] | None = None,
) -> list[Ranked]:
    """Sentences that may answer the question, best first; empty where nothing matches ``where``.

    ``vector`` is the question's, shape ``(d,)``. ``weights`` are those of the signals; None
    stands for the hand weights. ``by_words`` are the ``breadth(settings)`` best hits of the keyword
    search under ``where``, where the caller has them already. Scores are sums of z-scores over
    this question's candidates: comparable within one question only.
    """
    reach = _reach(settings, weights)
    found = candidates(question, vector, chunks, keywords, settings, where, reach=reach, by_words=by_words)
    if weights is None:
        own = settings.dense_weight * z(found.cosine) + settings.keyword_weight * z(found.bm25)
        scores = z(found.window) + OWN_WEIGHT * z(own)
    else:
        scores = measure(question, found, keywords) @ np.array([weights[name] for name in SIGNALS])
    ranked = [
        Ranked(f, float(score), cosine, bm25)
        for f, score, cosine, bm25 in zip(found.found, scores, found.cosine, found.bm25, strict=True)
    ]
    return sorted(ranked, key=lambda r: (-r.score, r.chunk.id))


@dataclass(frozen=True, slots=True)
class Candidates:
    """The sentences that are looked at for a question, and their signals before any weight."""

    found: Sequence[IndexedChunk]
    window: Sequence[float]
    """The fused score of the best window that holds each, its own or a neighbour's."""
    cosine: Sequence[float]
    bm25: Sequence[float]


def _reach(settings: Settings, weights: Mapping[str, float] | None) -> int:
    return 1 if weights is None or settings.budget else _REACH


def measure(question: str, found: Candidates, keywords: KeywordSearch) -> NDArray[np.float64]:
    """The signals of candidates, shape ``(sentences, signals)``: what weights are fitted on."""
    return signals(question, found.found, found.window, found.cosine, found.bm25, keywords)


def breadth(settings: Settings) -> int:
    """How many chunks each of the two searches contributes."""
    return min(1_000, max(settings.candidates, settings.budget // 15))


def candidates(
    question: str,
    vector: NDArray[np.float32],
    chunks: VectorSearch,
    keywords: KeywordSearch,
    settings: Settings,
    where: Any = None,
    reach: int = _REACH,
    by_words: Sequence[Hit] | None = None,
) -> Candidates:
    """Both searches, put together, and the sentences ``reach`` each side of the best windows."""
    n = breadth(settings)
    if by_words is None:
        by_words = keywords.search(question, n, where)
    widen = n if settings.budget else _WIDEN
    cosine = {hit.chunk_id: hit.score for hit in chunks.search(vector, n, where)}
    bm25 = {hit.chunk_id: hit.score for hit in by_words}
    bm25 |= keywords.scores(question, [i for i in cosine if i not in bm25])
    add_cosines(cosine, [i for i in bm25 if i not in cosine], vector, chunks)
    both = [i for i in bm25 if i in cosine]  # one index may be a moment ahead of the other
    if not both:
        return Candidates((), (), (), ())
    fused = settings.dense_weight * z([cosine[i] for i in both]) + settings.keyword_weight * z(
        [bm25[i] for i in both]
    )
    order = np.argsort(-fused, kind="stable")[:widen]
    windows = {both[at]: float(fused[at]) for at in order}
    held = _sentences_held(windows, chunks, reach)
    ids = list(held)
    add_cosines(cosine, [i for i in ids if i not in cosine], vector, chunks)
    ids = [i for i in ids if i in cosine]
    own_bm25 = keywords.scores(question, ids, field="own") if ids else {}
    return Candidates(
        found=[held[i][0] for i in ids],
        window=[held[i][1] for i in ids],
        cosine=[cosine[i] for i in ids],
        bm25=[own_bm25[i] for i in ids],
    )


def add_cosines(
    cosine: dict[str, float], ids: Sequence[str], vector: NDArray[np.float32], chunks: VectorSearch
) -> None:
    found = chunks.vectors(ids) if ids else {}
    if found:
        cosine.update(zip(found, (np.stack(list(found.values())) @ vector).tolist(), strict=True))


def _sentences_held(
    windows: Mapping[str, float], chunks: VectorSearch, reach: int
) -> dict[str, tuple[IndexedChunk, float]]:
    """Every sentence in the windows, with the score of the best window that holds it.

    A sentence that is further off than its neighbours has the lowest of the scores.
    """
    known = chunks.sections(windows)
    around = {chunk_id: _around(chunk_id, reach, known.get(chunk_id)) for chunk_id in windows}
    lowest = min(windows.values())
    records = chunks.get(list(dict.fromkeys(i for ids in around.values() for i in ids)))
    held: dict[str, tuple[IndexedChunk, float]] = {}
    for chunk_id, score in windows.items():
        found = records.get(chunk_id)
        if found is None:
            continue
        centre = found.chunk
        for neighbour_id in around[chunk_id]:
            record = records.get(neighbour_id)
            # Sections of a document do not overlap: those that begin at one place are one.
            if record is None or record.chunk.section.start != centre.section.start:
                continue
            here = score if -1 <= record.chunk.n - centre.n <= 1 else lowest
            before = held.get(neighbour_id)
            if before is None or before[1] < here:
                held[neighbour_id] = (record, here)
    return held


def _around(chunk_id: str, each_side: int, section: range | None) -> list[str]:
    document_id, _, n = chunk_id.rpartition(":")
    low, end = max(0, int(n) - each_side), int(n) + each_side + 1
    if section is not None:
        low, end = max(low, section.start), min(end, section.stop)
    return [f"{document_id}:{i}" for i in range(low, end)]


def join(run: Sequence[Chunk]) -> str:
    """The text of consecutive chunks, gaps included."""
    return "".join(chunk.text + chunk.gap for chunk in run[:-1]) + run[-1].text
