"""The chunks of a library as a question reads them: from the keyword index's own storage.

Chroma gives 100 records or vectors by id in 4 to 10 ms, and a question needs several such
rounds. The keyword index is a copy of the collection already, so it carries each chunk's
record and its vector (16-bit floats: a cosine changes by less than 0.0001) along: 10
microseconds a chunk, and it knows the chunks that a filter matches. Only the search in the
graph is left to Chroma.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexingError
from rag.filters import Filter, Nothing, clean, to_tantivy
from rag.index import ChunkIndex
from rag.index.layout import decode, encode
from rag.index.reading import batches
from rag.keyword import KeywordIndex
from rag.plan import Plan, choose, instead
from rag.types import Chunk, DocumentRecord, Hit, IndexedChunk, Section, Vectors

_KEPT = 2_000
"""Chunks that are kept as objects, about 2 KB each: what the last questions read."""
_KEPT_ROWS = 8_000
"""Vectors kept for the filters that were used last: 12 MB at 384 dimensions. A conversation
under a filter asks for the same ones again and again."""


_JSON = json.JSONDecoder()
"""``json.loads`` looks for white space before and after, for as long as it takes to read a chunk."""


def pack(chunk: Chunk, record: DocumentRecord) -> bytes:
    """What the keyword index keeps of a chunk: what Chroma would give back."""
    found = decode(encode(chunk, record), clean(chunk.text))
    own, section = found.chunk, found.chunk.section
    place = [own.document_id, own.n, own.start, own.end, own.text, own.gap, own.kind]
    whole = [section.start, section.end, section.path, section.page]
    packed = [*place, *whole, found.source, found.title, dict(found.metadata)]
    return json.dumps(packed, separators=(",", ":")).encode("ascii")


def unpack(packed: bytes) -> IndexedChunk:
    """The chunk of :func:`pack`."""
    fields, _ = _JSON.raw_decode(packed.decode("ascii"))
    document_id, n, at, to, text, gap, kind, start, end, path, page, source, title, metadata = fields
    for key, value in metadata.items():
        if isinstance(value, list):
            metadata[key] = tuple(value)
    chunk = Chunk(document_id, n, at, to, text, gap, Section(start, end, tuple(path), page), kind)
    return IndexedChunk(chunk, source, title, metadata)


def pack_vector(vector: NDArray[np.float32]) -> bytes:
    """A unit vector as 16-bit floats."""
    return vector.astype("<f2").tobytes()


@dataclass(frozen=True, slots=True)
class _Matching:
    """All chunks that a filter matches, with a row for each."""

    ids: tuple[str, ...]
    rows: Vectors


class StoredChunks:
    """Search by vector under any filter, and reading by id. Safe to share between threads.

    ``behind`` says whether the keyword index may lack what the collection holds, as it does
    while another process writes. What it held before goes together, so questions go on from
    that: Chroma's graph and records do not agree in this process then. Only where it holds
    nothing is everything read from Chroma.
    """

    def __init__(self, index: ChunkIndex, keywords: KeywordIndex, behind: Callable[[], bool]) -> None:
        self._index = index
        self._keywords = keywords
        self._behind = behind
        self._lock = threading.Lock()
        self._searcher: object = None
        self._known: OrderedDict[str, IndexedChunk] = OrderedDict()
        self._matching: OrderedDict[str, _Matching] = OrderedDict()

    # --- by vector

    def search(self, vector: NDArray[np.float32], n: int, where: Filter | None = None) -> list[Hit]:
        """The ``n`` chunks of highest cosine similarity to a unit vector, best first.

        Under a filter by whatever way :func:`rag.plan.choose` expects to be the fastest.
        """
        if n < 1 or isinstance(where, Nothing) or self._lost():
            return self._index.search(vector, n, where)
        if where is None:
            return self._nearest(vector, n)
        return self.search_by(self.plan(where, n), vector, n, where)

    def plan(self, where: Filter, n: int) -> Plan:
        """How to find the ``n`` nearest chunks under a filter. Counting what matches takes 0.1 to 1 ms."""
        return choose(self.count(where), self._keywords.count(), n)

    def search_by(self, plan: Plan, vector: NDArray[np.float32], n: int, where: Filter) -> list[Hit]:
        """:meth:`search` by the plan that is given."""
        # While another process writes, only what was kept here goes together.
        if plan.way == "exact" or self._behind():
            return self._exact(vector, n, where)
        if plan.way == "oversample":
            hits = self._nearest(vector, plan.candidates)
            allowed = self._among([hit.chunk_id for hit in hits], where)
            kept = [hit for hit in hits if hit.chunk_id in allowed][:n]
            if len(kept) == n:
                return kept
            # What matches lies further from the question than most: ask for it alone.
            return self.search_by(instead(self.count(where), self.total()), vector, n, where)
        return self._index.search(vector, n, where)

    def _lost(self) -> bool:
        """Whether there is nothing here to read, and nobody to mend it now."""
        return self._behind() and self._keywords.empty

    def _nearest(self, vector: NDArray[np.float32], n: int) -> list[Hit]:
        """What the graph says; while another process writes it may refuse, and all are compared."""
        try:
            return self._index.search(vector, n)
        except IndexingError:
            if not self._behind():
                raise
        hits: list[Hit] = []
        for ids, rows in self.blocks():
            scores = rows @ vector
            hits += [Hit(key, min(1.0, float(score))) for key, score in zip(ids, scores, strict=True)]
            hits = sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))[:n]
        return hits

    def _exact(self, vector: NDArray[np.float32], n: int, where: Filter) -> list[Hit]:
        found = self._all(where)
        if not found.ids:
            return []
        scores = found.rows @ vector
        best = np.argpartition(-scores, n - 1)[:n] if n < len(scores) else np.arange(len(scores))
        hits = [Hit(found.ids[at], min(1.0, float(scores[at]))) for at in best]
        return sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))

    def count(self, where: Filter) -> int:
        """How many chunks a filter matches."""
        import tantivy

        with self._keywords.reading() as (searcher, index):
            query = tantivy.Query.const_score_query(to_tantivy(where, index), 0.0)
            return int(searcher.search(query, 1, count=True).count or 0)

    def _all(self, where: Filter) -> _Matching:
        """The chunks that a filter matches; those of the last filters are kept."""
        import tantivy

        key = repr(where)  # of filters themselves, one for true and one for 1 are equal
        with self._keywords.reading() as (searcher, index):
            with self._lock:
                self._forget_unless(searcher)
                known = self._matching.get(key)
                if known is not None:
                    self._matching.move_to_end(key)
                    return known
            query = tantivy.Query.const_score_query(to_tantivy(where, index), 0.0)
            hits = searcher.search(query, max(1, searcher.num_docs), count=False).hits
            documents = [searcher.doc(address) for _, address in hits]
        rows = np.frombuffer(b"".join(d.get_first("vector") for d in documents), "<f2")
        made = _Matching(
            tuple(d.get_first("id") for d in documents),
            rows.reshape(len(documents), -1 if documents else self._index.dimensions).astype(np.float32),
        )
        with self._lock:
            if self._searcher is searcher:
                self._matching[key] = made
                while sum(len(kept.ids) for kept in self._matching.values()) > _KEPT_ROWS:
                    self._matching.popitem(last=False)
        return made

    def _among(self, chunk_ids: Sequence[str], where: Filter) -> set[str]:
        """Those of these chunks that a filter matches."""
        import tantivy

        if not chunk_ids:
            return set()
        query, must = tantivy.Query, tantivy.Occur.Must
        with self._keywords.reading() as (searcher, index):
            both = query.boolean_query(
                [
                    (must, query.term_set_query(index.schema, "id", list(chunk_ids))),
                    (must, to_tantivy(where, index)),
                ]
            )
            hits = searcher.search(query.const_score_query(both, 0.0), len(chunk_ids), count=False).hits
            return {searcher.doc(address).get_first("id") for _, address in hits}

    # --- all

    def total(self) -> int:
        """How many chunks can be read here."""
        return self._keywords.count()

    def blocks(self, step: int = 1, size: int = 5_000) -> Iterator[tuple[list[str], Vectors]]:
        """Every ``step``-th chunk, in no order: ids and unit rows, ``(size, d)`` at most at a time."""
        import tantivy

        with self._keywords.reading() as (searcher, _):
            hits = searcher.search(tantivy.Query.all_query(), max(1, searcher.num_docs), count=False).hits
            for some in batches(hits[::step], size):
                documents = [searcher.doc(address) for _, address in some]
                rows = np.frombuffer(b"".join(d.get_first("vector") for d in documents), "<f2")
                ids = [d.get_first("id") for d in documents]
                yield ids, rows.reshape(len(ids), -1).astype(np.float32)

    # --- by id

    def get(self, chunk_ids: Sequence[str]) -> dict[str, IndexedChunk]:
        """The chunks of these ids, in their order; ids that are not there are left out."""
        if self._lost():
            return self._index.get(chunk_ids)
        with self._keywords.reading() as (searcher, _):
            with self._lock:
                self._forget_unless(searcher)
                known = {key: self._known[key] for key in chunk_ids if key in self._known}
            lacking = [key for key in chunk_ids if key not in known]
            fresh = {}
            for key, entry in self._keywords.entries(lacking).items() if lacking else ():
                fresh[key] = unpack(entry.record)
        with self._lock:
            if self._searcher is searcher:
                self._known.update(fresh)
                while len(self._known) > _KEPT:
                    self._known.popitem(last=False)
        known |= fresh
        return {key: known[key] for key in chunk_ids if key in known}

    def vectors(self, chunk_ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The unit vectors of these chunks; ids that are not there are left out."""
        if self._lost():
            return self._index.vectors(chunk_ids)
        found = self._keywords.entries(chunk_ids)
        packed = np.frombuffer(b"".join([entry.vector for entry in found.values()]), "<f2")
        rows = packed.reshape(len(found), -1 if found else self._index.dimensions).astype(np.float32)
        return dict(zip(found, rows, strict=True))

    def sections(self, chunk_ids: Iterable[str]) -> dict[str, range]:
        """The numbers of the chunks of each one's section, where they are known."""
        if self._lost():
            return {}
        found = self._keywords.entries(chunk_ids)
        return {key: entry.terms.section for key, entry in found.items() if entry.terms.section}

    def _forget_unless(self, searcher: object) -> None:
        """Forget what was read at another commit. The lock is held."""
        if self._searcher is not searcher:
            self._searcher = searcher
            self._known.clear()
            self._matching.clear()
