"""What waits for Supabase: rows that are stored here, each to be delivered once, in order.

A row is queued in the transaction that stores it (:func:`rag.store.rows.queue`) and leaves the
queue when Supabase has it. What it says is read when it goes, and never changes meanwhile.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag.store.database import Database
from rag.store.parcels import READERS
from rag.store.refusals import RowRefused
from rag.store.rows import Kind

BATCH = 100
"""Most rows of a request."""
BATCH_BYTES = 1_000_000
"""Most bytes of one, unless a single row is larger."""

_PROBLEM = "delivery:problem"

# What belongs to an answer follows it. An answer that was set aside holds back what it has,
# which Supabase would refuse for its sake.
_FREE = {
    "feedback": "NOT EXISTS (SELECT 1 FROM outbox AS a WHERE a.kind = 'answer' AND a.row_id = outbox.thread)",
    "preference": "NOT EXISTS (SELECT 1 FROM outbox AS a JOIN preferences AS p ON p.id = outbox.row_id "
    "WHERE a.kind = 'answer' AND a.row_id IN (p.left_answer, p.right_answer))",
}


@dataclass(frozen=True, slots=True)
class Parcel:
    """A row to deliver. ``n`` is its place in the queue; ``values`` are those of Supabase's table."""

    n: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that was set aside. ``created``: Unix seconds of when it was queued."""

    n: int
    kind: Kind
    row_id: str
    reason: str
    created: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """How the queue stands. Rows that were set aside are no longer among those that wait."""

    rows: int
    """Answers, feedback and preferences."""
    links: int
    erasures: int
    refused: int
    oldest: float | None
    """Unix seconds of when the first of ``rows`` was queued."""
    problem: str | None
    """What the last attempt met; None after one that went well."""
    problem_since: float | None


class Outbox:
    """The queue for delivery. A part of :class:`rag.store.Store`; safe to share as it is."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.changed = database.changed
        """Set by every write of this process to the store."""

    def claim(self, kind: Kind, *, after: int = 0, limit: int = BATCH) -> list[Parcel]:
        """The next rows of a kind, oldest first, noted as attempted; none where none can go.

        ``after``: only those behind this place of the queue. A row that cannot be made one of
        Supabase's is set aside here; one that is gone from the store leaves the queue.
        """
        where = f"kind = :kind AND refused IS NULL AND n > :after AND {_FREE.get(kind, '1')}"
        sql = f"SELECT n, row_id FROM outbox WHERE {where} ORDER BY n LIMIT :limit"
        values = {"kind": kind, "after": after, "limit": limit}
        with self._database.reading() as connection:
            if kind not in READERS or connection.execute(sql, values).fetchone() is None:
                return []
        parcels: list[Parcel] = []
        size = 0
        with self._database.writing() as connection:
            for row in connection.execute(sql, values).fetchall():
                try:
                    found = READERS[kind](connection, row["row_id"])
                except RowRefused as error:
                    connection.execute("UPDATE outbox SET refused = ? WHERE n = ?", (str(error), row["n"]))
                    continue
                if found is None:
                    connection.execute("DELETE FROM outbox WHERE n = ?", (row["n"],))
                    continue
                size += len(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
                if parcels and size > BATCH_BYTES:
                    break
                parcels.append(Parcel(row["n"], found))
            # Noted before it is sent: what was never attempted is certain not to be in Supabase.
            connection.executemany(
                "UPDATE outbox SET attempts = attempts + 1 WHERE n = ?", [(each.n,) for each in parcels]
            )
        return parcels

    def delivered(self, places: Iterable[int]) -> None:
        """Supabase has these rows."""
        with self._database.writing() as connection:
            connection.executemany("DELETE FROM outbox WHERE n = ?", [(n,) for n in places])

    def refuse(self, place: int, reason: str) -> None:
        """Set a row aside, until it is retried."""
        with self._database.writing() as connection:
            connection.execute("UPDATE outbox SET refused = ? WHERE n = ?", (reason, place))

    def retry(self) -> int:
        """Let everything that was set aside wait again; returns how much it was."""
        with self._database.writing() as connection:
            return connection.execute("UPDATE outbox SET refused = NULL WHERE refused IS NOT NULL").rowcount

    def refused(self, most: int = 100) -> Sequence[Refused]:
        """What was set aside, newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM outbox WHERE refused IS NOT NULL ORDER BY n DESC LIMIT ?", (most,)
            ).fetchall()
        return [Refused(row["n"], row["kind"], row["row_id"], row["refused"], row["created"]) for row in rows]

    def waiting(self) -> Waiting:
        """How the queue stands."""
        with self._database.reading() as connection:
            counts = {
                (row["kind"], row["aside"]): row["rows"]
                for row in connection.execute(
                    "SELECT kind, refused IS NOT NULL AS aside, count(*) AS rows FROM outbox GROUP BY 1, 2"
                )
            }
            oldest = connection.execute(
                "SELECT min(created) FROM outbox WHERE refused IS NULL "
                "AND kind IN ('answer', 'feedback', 'preference')"
            ).fetchone()[0]
            noted = connection.execute("SELECT value FROM cursors WHERE name = ?", (_PROBLEM,)).fetchone()
        problem = {} if noted is None else json.loads(noted["value"])
        return Waiting(
            rows=sum(counts.get((kind, 0), 0) for kind in ("answer", "feedback", "preference")),
            links=counts.get(("link", 0), 0),
            erasures=counts.get(("erase", 0), 0),
            refused=sum(rows for (_, aside), rows in counts.items() if aside),
            oldest=oldest,
            problem=problem.get("problem"),
            problem_since=problem.get("since"),
        )

    def note(self, problem: str | None) -> None:
        """Keep what an attempt met, for whoever looks; None after one that went well."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT value FROM cursors WHERE name = ?", (_PROBLEM,)).fetchone()
        if (None if row is None else json.loads(row["value"])["problem"]) == problem:
            return
        with self._database.writing() as connection:
            connection.execute("DELETE FROM cursors WHERE name = ?", (_PROBLEM,))
            if problem is not None:
                value = json.dumps({"problem": problem, "since": time.time()})
                connection.execute("INSERT INTO cursors (name, value) VALUES (?, ?)", (_PROBLEM, value))
