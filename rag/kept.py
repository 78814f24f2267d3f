"""What the keyword index keeps of its chunks: read once, and held for the next look.

Reading a stored document takes Tantivy 6 microseconds, finding it by its chunk's id as long
again, and a question looks at some of them four times: as a hit, for its vector, for its
terms, for its text. So what was read is held here, by id and by address, for one commit.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.bm25 import Terms, unpack

_HELD = 4_000
"""Chunks that are held, 2 to 4 KB each: those of the last dozen questions."""


class Entry:
    """A stored chunk; its parts are taken out of it when they are asked for."""

    __slots__ = ("_document", "_terms", "_vector", "address", "id")

    def __init__(self, document: Any, address: tuple[int, int]) -> None:
        self.id: str = document.get_first("id")
        self.address = address
        self._document = document
        self._vector: NDArray[np.float32] | None = None
        self._terms: Terms | None = None

    @property
    def record(self) -> bytes:
        record: bytes = self._document.get_first("record")
        return record

    @property
    def vector(self) -> NDArray[np.float32]:
        """The unit vector that was kept as 16-bit floats: shape ``(d,)``."""
        if self._vector is None:
            self._vector = np.frombuffer(self._document.get_first("vector"), "<f2").astype(np.float32)
        return self._vector

    @property
    def terms(self) -> Terms:
        """Its terms as numbers."""
        if self._terms is None:
            self._terms = unpack(self._document.get_first("terms"))
        return self._terms


class Kept:
    """A ``tantivy`` searcher and the chunks that were read with it. Safe to share between threads."""

    def __init__(self, searcher: Any, schema: Any) -> None:
        self.searcher = searcher
        self._schema = schema
        self._lock = threading.Lock()
        self._by_id: OrderedDict[str, Entry] = OrderedDict()
        self._by_address: dict[tuple[int, int], Entry] = {}
        self._averages: dict[str, float] = {}
        self._frequencies: dict[tuple[str, str], int] = {}

    def at(self, addresses: Sequence[Any]) -> list[Entry]:
        """The chunks at these addresses of the searcher, in their order."""
        places = [(address.segment_ord, address.doc) for address in addresses]
        known = self._by_address
        found = [known.get(place) for place in places]
        fresh = []
        for at, entry in enumerate(found):
            if entry is None:
                entry = Entry(self.searcher.doc(addresses[at]), places[at])
                found[at] = entry
                fresh.append(entry)
        if fresh:
            self._hold(fresh)
        return [entry for entry in found if entry is not None]

    def get(self, chunk_ids: Iterable[str]) -> dict[str, Entry]:
        """The chunks of these ids, in no order; ids that are not there are left out."""
        import tantivy

        wanted = dict.fromkeys(chunk_ids)
        found: dict[str, Entry] = {}
        with self._lock:
            for key in wanted:
                entry = self._by_id.get(key)
                if entry is not None:
                    self._by_id.move_to_end(key)
                    found[key] = entry
        lacking = [key for key in wanted if key not in found]
        if lacking:
            query = tantivy.Query.term_set_query(self._schema, "id", lacking)
            hits = self.searcher.search(query, len(lacking), count=False).hits
            found.update((entry.id, entry) for entry in self.at([address for _, address in hits]))
        return found

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
            for entry in entries:
                self._by_id[entry.id] = entry
                self._by_address[entry.address] = entry
            while len(self._by_id) > _HELD:
                _, old = self._by_id.popitem(last=False)
                self._by_address.pop(old.address, None)
