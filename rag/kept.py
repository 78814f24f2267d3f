"""What the keyword index keeps of its chunks: read once, and held for the next look.

Reading a stored document takes Tantivy 6 microseconds, finding it by its chunk's id as long
again, and a question looks at some of them four times: as a hit, for its vector, for its
terms, for its text. So what was read is held here, by id and by address, for one commit.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any

from rag.bm25 import Terms, unpack

_HELD = 4_000
"""Chunks that are held at most, 2 to 4 KB each: those of the last dozen questions."""


_FEW = 200
"""Ids that are looked up one by one, rather than as a set."""


class Entry:
    """A stored chunk; its parts are taken out of it when they are asked for."""

    __slots__ = ("_document", "_terms", "address", "id")

    def __init__(self, document: Any, address: tuple[int, int]) -> None:
        self.id: str = document.get_first("id")
        self.address = address
        self._document = document
        self._terms: Terms | None = None

    @property
    def record(self) -> bytes:
        record: bytes = self._document.get_first("record")
        return record

    @property
    def vector(self) -> bytes:
        """The unit vector as 16-bit floats."""
        vector: bytes = self._document.get_first("vector")
        return vector

    @property
    def terms(self) -> Terms:
        """Its terms as numbers."""
        if self._terms is None:
            self._terms = unpack(self._document.get_first("terms"))
        return self._terms


class _Generation:
    """Chunks that were looked at in one stretch of time, found both ways."""

    __slots__ = ("by_address", "by_id")

    def __init__(self) -> None:
        self.by_id: dict[str, Entry] = {}
        self.by_address: dict[tuple[int, int], Entry] = {}


class Kept:
    """A ``tantivy`` searcher and the chunks that were read with it. Safe to share between threads.

    What is held are two generations: chunks that are looked at go into the young one, and where
    that is full it becomes the old one, and the old one goes. To move each chunk to the end of a
    queue when it is looked at would cost as much as reading half of them anew.
    """

    def __init__(self, searcher: Any, schema: Any) -> None:
        self.searcher = searcher
        self._schema = schema
        self._lock = threading.Lock()
        self._held = (_Generation(), _Generation())
        self._averages: dict[str, float] = {}
        self._frequencies: dict[tuple[str, str], int] = {}

    def at(self, addresses: Sequence[Any]) -> list[Entry]:
        """The chunks at these addresses of the searcher, in their order."""
        places = [(address.segment_ord, address.doc) for address in addresses]
        young, old = (generation.by_address for generation in self._held)
        found, fresh = [], []
        for address, place in zip(addresses, places, strict=True):
            entry = young.get(place)
            if entry is None:
                entry = old.get(place) or Entry(self.searcher.doc(address), place)
                fresh.append(entry)
            found.append(entry)
        if fresh:
            self._hold(fresh)
        return found

    def get(self, chunk_ids: Iterable[str]) -> dict[str, Entry]:
        """The chunks of these ids, in no order; ids that are not there are left out."""
        young, old = (generation.by_id for generation in self._held)
        found: dict[str, Entry] = {}
        again, lacking = [], []
        for key in chunk_ids:
            entry = young.get(key)
            if entry is None:
                entry = old.get(key)
                if entry is None:
                    lacking.append(key)
                    continue
                again.append(entry)
            found[key] = entry
        if again:
            self._hold(again)
        if lacking:
            lacking = list(dict.fromkeys(lacking))
            hits = self.searcher.search(self._of(lacking), len(lacking), count=False).hits
            found.update((entry.id, entry) for entry in self.at([address for _, address in hits]))
        return found

    def _of(self, chunk_ids: list[str]) -> Any:
        """The query for these chunks. To find 70 ids one by one takes two thirds of the time of a set."""
        from tantivy import Occur, Query

        if len(chunk_ids) > _FEW:
            return Query.term_set_query(self._schema, "id", chunk_ids)
        terms = (Query.term_query(self._schema, "id", key, "basic") for key in chunk_ids)
        return Query.boolean_query([(Occur.Should, term) for term in terms])

    def average(self, field: str) -> float:
        """The mean length, in terms, of the chunks' ``window`` or ``own`` text."""
        import tantivy

        if field not in self._averages:
            asked = {"mean": {"avg": {"field": f"{field}_length"}}}
            mean = self.searcher.aggregate(tantivy.Query.all_query(), asked)["mean"]["value"]
            self._averages[field] = float(mean or 0.0)
        return self._averages[field]

    def frequency(self, field: str, term: str) -> int:
        """How many chunks hold the term."""
        key = (field, term)
        known = self._frequencies.get(key)
        if known is None:
            if len(self._frequencies) > _HELD:
                self._frequencies.clear()
            known = self._frequencies[key] = int(self.searcher.doc_freq(field, term))
        return known

    def _hold(self, entries: Sequence[Entry]) -> None:
        with self._lock:
            young, _ = self._held
            if len(young.by_id) + len(entries) > _HELD // 2:
                young, _ = self._held = _Generation(), young
            young.by_id.update((entry.id, entry) for entry in entries[-_HELD // 2 :])
            young.by_address.update((entry.address, entry) for entry in entries[-_HELD // 2 :])
