"""What the store keeps of access: keys, failed tries of a password, and what was used up."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from rag.store.database import Database
from rag.store.rows import insert, new_id, one


@dataclass(frozen=True, slots=True)
class Used:
    """Questions and dollars that count against a link or a day."""

    questions: int
    dollars: float


@dataclass(frozen=True, slots=True)
class LinkUse:
    """What was asked under one link: in all, on this day, and by one visitor."""

    total: Used
    today: int
    visitor: int


class Gate:
    """A part of :class:`rag.store.Store`; safe to share as it is, between processes too."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- keys -----------------------------------------------------------------

    def key(self, name: str) -> str | None:
        """The value kept under a name."""
        with self._database.reading() as connection:
            row = one(connection, "SELECT value FROM keys WHERE name = ?", name)
        return None if row is None else str(row["value"])

    def claim_key(self, name: str, value: str) -> str:
        """Keep ``value`` where nothing is kept under the name yet; what is kept now."""
        with self._database.writing() as connection:
            row = one(connection, "SELECT value FROM keys WHERE name = ?", name)
            if row is not None:
                return str(row["value"])
            insert(connection, "keys", {"name": name, "value": value, "created": time.time()})
        return value

    def set_key(self, name: str, value: str) -> None:
        """Keep ``value`` under the name, whatever was kept there."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO keys (name, value, created) VALUES (?, ?, ?)",
                (name, value, time.time()),
            )

    def signing_key(self) -> str:
        """The key of this installation, made on the first call."""
        return self.key("signing") or self.claim_key("signing", secrets.token_hex(32))

    def forget_keys(self, *names: str) -> int:
        """Remove them; how many there were."""
        with self._database.writing() as connection:
            return sum(
                connection.execute("DELETE FROM keys WHERE name = ?", (name,)).rowcount for name in names
            )

    # --- tries ----------------------------------------------------------------

    def failures(self, who: str, since: float) -> tuple[int, float]:
        """Failed tries that count, and when the last one was. Those before ``since`` are forgotten."""
        with self._database.reading() as connection:
            row = one(connection, "SELECT * FROM attempts WHERE who = ?", who)
        return (0, 0.0) if row is None or row["last"] < since else (row["failures"], row["last"])

    @contextmanager
    def trying(self) -> Iterator[Tries]:
        """A transaction in which tries are read and counted as one, so that none is free."""
        with self._database.writing() as connection:
            yield Tries(connection)

    # --- what was used up -----------------------------------------------------

    def used_today(self, now: float) -> Used:
        """What counts on this day, everything together."""
        with self._database.reading() as connection:
            return _used(connection, "day = :day", {"day": day_of(now)})

    def link_use(self, link: str, visitor: str, now: float) -> LinkUse:
        """What counts against a link."""
        with self._database.reading() as connection:
            return _link_use(connection, link, visitor, now)

    def visitors(self) -> Mapping[str, int]:
        """How many visitors asked under each link."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT link, count(DISTINCT visitor) AS count FROM uses WHERE link IS NOT NULL GROUP BY link"
            ).fetchall()
        return {row["link"]: row["count"] for row in rows}

    @contextmanager
    def using(self) -> Iterator[Uses]:
        """A transaction in which what was used is read and a use is added as one."""
        with self._database.writing() as connection:
            yield Uses(connection)

    def settle(self, use: str, dollars: float) -> None:
        """What a use came to in the end, in the place of the most that it could have."""
        with self._database.writing() as connection:
            connection.execute("UPDATE uses SET cost = ? WHERE id = ?", (dollars, use))

    def give_back(self, use: str) -> None:
        """Take a use back: nothing came of it. One that cost something stays."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM uses WHERE id = ? AND cost = 0", (use,))


class Tries:
    """Failed tries inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def failures(self, who: str, since: float) -> tuple[int, float]:
        """As :meth:`Gate.failures`."""
        row = one(self._connection, "SELECT * FROM attempts WHERE who = ?", who)
        return (0, 0.0) if row is None or row["last"] < since else (row["failures"], row["last"])

    def count(self, who: str, failures: int, now: float) -> None:
        """Set how many there are."""
        self._connection.execute(
            "INSERT OR REPLACE INTO attempts (who, failures, last) VALUES (?, ?, ?)", (who, failures, now)
        )

    def clear(self, who: str) -> None:
        """Forget them: one was right."""
        self._connection.execute("DELETE FROM attempts WHERE who = ?", (who,))

    def forget_before(self, when: float) -> None:
        """Remove what is too old to count for anyone."""
        self._connection.execute("DELETE FROM attempts WHERE last < ?", (when,))


class Uses:
    """Uses inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def today(self, now: float) -> Used:
        """What counts on this day."""
        return _used(self._connection, "day = :day", {"day": day_of(now)})

    def of_link(self, link: str, visitor: str, now: float) -> LinkUse:
        """What counts against a link."""
        return _link_use(self._connection, link, visitor, now)

    def add(self, link: str | None, visitor: str, dollars: float, now: float) -> str:
        """Add one; its id."""
        use = new_id()
        row = {
            "id": use,
            "day": day_of(now),
            "link": link,
            "visitor": visitor,
            "cost": dollars,
            "created": now,
        }
        insert(self._connection, "uses", row)
        return use

    def raise_to(self, use: str, dollars: float) -> None:
        """Have it count for so many dollars."""
        self._connection.execute("UPDATE uses SET cost = ? WHERE id = ?", (dollars, use))


def day_of(now: float) -> str:
    """The date in UTC of a moment in Unix seconds."""
    return datetime.fromtimestamp(now, UTC).date().isoformat()


def _used(connection: sqlite3.Connection, condition: str, values: Mapping[str, object]) -> Used:
    row = connection.execute(
        f"SELECT count(*) AS questions, coalesce(sum(cost), 0) AS dollars FROM uses WHERE {condition}", values
    ).fetchone()
    return Used(row["questions"], row["dollars"])


def _link_use(connection: sqlite3.Connection, link: str, visitor: str, now: float) -> LinkUse:
    values = {"link": link, "visitor": visitor, "day": day_of(now)}
    return LinkUse(
        _used(connection, "link = :link", values),
        _used(connection, "link = :link AND day = :day", values).questions,
        _used(connection, "link = :link AND visitor = :visitor", values).questions,
    )
