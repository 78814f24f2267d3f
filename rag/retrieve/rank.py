"""Rank sentences: two searches, fused, and the windows that hold each sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.config import Settings
from rag.types import Chunk, Hit, IndexedChunk

OWN_WEIGHT = 0.3
"""Chosen on the public data: without it fewer right SQuAD paragraphs come first, with twice
as much the recall of excerpts at 200 tokens falls. To see it: tests/benchmarks/quality.py DATA
--constant rag.retrieve.rank.OWN_WEIGHT=0"""

_WIDEN = 30
"""Windows whose neighbours are looked at when only k passages are wanted."""

CountTokens = Callable[[Sequence[str]], list[int]]


class VectorSearch(Protocol):
    """What retrieval asks of the chunks in Chroma."""

    def search(self, vector: NDArray[np.float32], n: int, where: Any = None) -> list[Hit]: ...
    def vectors(self, chunk_ids: Sequence[str]) -> Mapping[str, NDArray[np.float32]]: ...
    def get(self, chunk_ids: Sequence[str]) -> Mapping[str, IndexedChunk]: ...


class KeywordSearch(Protocol):
    """What retrieval asks of the keyword index."""

    def search(
        self, question: str, n: int, where: Any = None, field: Literal["window", "own"] = "window"
    ) -> list[Hit]: ...
    def scores(
        self, question: str, chunk_ids: Sequence[str], field: Literal["window", "own"] = "window"
    ) -> dict[str, float]: ...


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
) -> list[Ranked]:
    """Sentences that may answer the question, best first; empty where nothing matches ``where``.

    ``vector`` is the question's, shape ``(d,)``. Scores are sums of z-scores over this
    question's candidates: comparable within one question only.
    """
    n = min(1_000, max(settings.candidates, settings.budget // 15))
    widen = n if settings.budget else _WIDEN
    cosine = {hit.chunk_id: hit.score for hit in chunks.search(vector, n, where)}
    bm25 = {hit.chunk_id: hit.score for hit in keywords.search(question, n, where)}
    bm25 |= keywords.scores(question, [i for i in cosine if i not in bm25])
    add_cosines(cosine, [i for i in bm25 if i not in cosine], vector, chunks)
    candidates = [i for i in bm25 if i in cosine]  # one index may be a moment ahead of the other
    if not candidates:
        return []
    fused = settings.dense_weight * z([cosine[i] for i in candidates]) + settings.keyword_weight * z(
        [bm25[i] for i in candidates]
    )
    order = np.argsort(-fused, kind="stable")[:widen]
    windows = {candidates[at]: float(fused[at]) for at in order}
    held = _sentences_held(windows, chunks)
    ids = list(held)
    add_cosines(cosine, [i for i in ids if i not in cosine], vector, chunks)
    ids = [i for i in ids if i in cosine]
    if not ids:
        return []
    own_bm25 = keywords.scores(question, ids, field="own")
    own = settings.dense_weight * z([cosine[i] for i in ids]) + settings.keyword_weight * z(
        [own_bm25[i] for i in ids]
    )
    best = z([held[i][1] for i in ids]) + OWN_WEIGHT * z(own)
    ranked = [
        Ranked(held[i][0], float(score), cosine[i], own_bm25[i]) for i, score in zip(ids, best, strict=True)
    ]
    return sorted(ranked, key=lambda r: (-r.score, r.chunk.id))


def add_cosines(
    cosine: dict[str, float], ids: Sequence[str], vector: NDArray[np.float32], chunks: VectorSearch
) -> None:
    for chunk_id, row in chunks.vectors(ids).items() if ids else ():
        cosine[chunk_id] = float(row @ vector)


def _sentences_held(
    windows: Mapping[str, float], chunks: VectorSearch
) -> dict[str, tuple[IndexedChunk, float]]:
    """Every sentence in the windows, with the score of the best window that holds it."""
    around = {chunk_id: _around(chunk_id) for chunk_id in windows}
    records = chunks.get(list(dict.fromkeys(i for ids in around.values() for i in ids)))
    held: dict[str, tuple[IndexedChunk, float]] = {}
    for chunk_id, score in windows.items():
        centre = records.get(chunk_id)
        if centre is None:
            continue
        for neighbour_id in around[chunk_id]:
            record = records.get(neighbour_id)
            if record is None or record.chunk.section != centre.chunk.section:
                continue
            if neighbour_id not in held or held[neighbour_id][1] < score:
                held[neighbour_id] = (record, score)
    return held


def _around(chunk_id: str, each_side: int = 1) -> list[str]:
    document_id, _, n = chunk_id.rpartition(":")
    low, high = max(0, int(n) - each_side), int(n) + each_side
    return [f"{document_id}:{i}" for i in range(low, high + 1)]


def z(values: Iterable[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    array = np.asarray(list(values), np.float64)
    spread = array.std()
    return (array - array.mean()) / spread if spread > 1e-9 else np.zeros_like(array)


def join(run: Sequence[Chunk]) -> str:
    """The text of consecutive chunks, gaps included."""
    return "".join(chunk.text + chunk.gap for chunk in run[:-1]) + run[-1].text
