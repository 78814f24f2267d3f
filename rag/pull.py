"""The owner's copy of what other replicas delivered: read from Supabase in pages, only what is new.

Rows are read by their number of arrival, and a number is given before its row can be seen: a
row that was long in coming may appear behind one that was read. So the place up to which
everything was read lies ``SETTLED`` seconds behind the newest row seen, by the server's own
times, or at it, when it was seen that long ago. What lies between is asked for again, but only
its ids. The database ends a statement of the publishable key after 3 seconds, others after 8.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from rag.store import Store
from rag.store.arrivals import Arrived
from rag.store.schema import READ
from rag.store.supabase import Row, Supabase

SETTLED = 60.0
"""Seconds after which no row can appear any more before one that is there."""
_ROWS = 50
"""Whole rows of a request: an answer is some 20 kB, and its id stands in the address."""
_TABLES = ("answers", "feedback", "preferences")


class Puller:
    """Copies what Supabase has and the store has not. For one thread.

    Erasures come first, so that nothing is copied only to be erased. A row that is malformed or
    fits nothing here is counted and passed over (:mod:`rag.store.arrivals`).
    """

    def __init__(
        self, store: Store, remote: Supabase, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``remote`` has the secret key; ``clock`` is one that never goes back."""
        self._store = store
        self._remote = remote
        self._clock = clock
        self._seen: dict[str, tuple[int, float]] = {}

    def pull(self) -> Iterator[Arrived]:
        """One round; yields after each request, so that a caller may do something else between.

        Raises :class:`rag.store.refusals.Unavailable`, StoreError. What was read is kept.
        """
        yield from self._read("erased", self._erase)
        for table in _TABLES:
            yield from self._read(table, lambda page, table=table: self._copy(table, page))  # type: ignore[misc]

    def _read(self, table: str, use: Callable[[Sequence[Row]], Iterator[Arrived]]) -> Iterator[Arrived]:
        arrivals = self._store.arrivals
        after = arrivals.cursor(table)
        n, since = self._seen.get(table, (0, 0.0))
        if n > after and self._clock() - since >= SETTLED:
            arrivals.move(table, n)
            after = n
        settled, newest = after, None
        columns = ("conversation_id", "n", "received") if table == "erased" else ("id", "n", "received")
        recent: list[tuple[int, datetime]] = []
        while True:
            page = self._remote.page(table, columns, after=after)
            if not page:
                break
            yield from use(page)
            times = [(int(row["n"]), datetime.fromisoformat(row["received"])) for row in page]
            after = times[-1][0]
            newest = max(time for _, time in times) if newest is None else max(newest, *(t for _, t in times))
            recent = [*recent, *times]
            until = newest - timedelta(seconds=SETTLED)
            old = [n for n, time in recent if time <= until]
            recent = [(n, time) for n, time in recent if time > until]
            if old and max(old) > settled:
                settled = max(old)
                arrivals.move(table, settled)
        if self._seen.get(table, (0, 0.0))[0] != after:
            self._seen[table] = (after, self._clock())

    def _erase(self, page: Sequence[Row]) -> Iterator[Arrived]:
        self._store.arrivals.erase([row["conversation_id"] for row in page])
        yield Arrived()

    def _copy(self, table: str, page: Sequence[Row]) -> Iterator[Arrived]:
        unknown = self._store.arrivals.unknown(table, [row["id"] for row in page])
        yield Arrived()
        for start in range(0, len(unknown), _ROWS):
            rows = self._remote.rows(table, READ[table], unknown[start : start + _ROWS])
            if table != "answers":
                yield self._answers_of(rows)
            yield self._store.arrivals.take(table, rows)

    def _answers_of(self, rows: Sequence[Row]) -> Arrived:
        """Answers that came between the reading of their table and of this one."""
        names = ("answer_id", "left_answer", "right_answer")
        named: list[Any] = [row[name] for row in rows for name in names if name in row]
        absent = self._store.arrivals.absent(named)
        if not absent:
            return Arrived()
        came = Arrived()
        for start in range(0, len(absent), _ROWS):
            answers = self._remote.rows("answers", READ["answers"], absent[start : start + _ROWS])
            came += self._store.arrivals.take("answers", answers)
        return Arrived(came.taken)  # those that are not taken are counted where their own table is read
