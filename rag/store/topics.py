"""Topics of questions: the clusters, and which of them each answer belongs to."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.store.codec import clean_text
from rag.store.database import Database
from rag.store.rows import insert

_BATCH = 2_000
"""Rows changed in one transaction: some 20 ms, in which nobody else can write."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A cluster of questions. ``centre`` has shape ``(d,)`` and unit length.

    ``least``: a question whose cosine with the centre is below it belongs to no topic.
    ``computed``: Unix seconds. ``id`` is never given twice.
    """

    id: int
    prototype: str
    name: str
    centre: NDArray[np.float32]
    least: float
    model: str
    computed: float


class Topics:
    """The clusters of every prototype. A part of :class:`rag.store.Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, prototype: str | None = None) -> list[Topic]:
        """The topics, of one prototype where it is named."""
        sql = "SELECT * FROM topics WHERE :prototype IS NULL OR prototype = :prototype ORDER BY id"
        with self._database.reading() as connection:
            rows = connection.execute(sql, {"prototype": prototype}).fetchall()
        return [
            Topic(
                id=row["id"],
                prototype=row["prototype"],
                name=row["name"],
                centre=np.frombuffer(row["centre"], "<f4"),
                least=row["least"],
                model=row["model"],
                computed=row["computed"],
            )
            for row in rows
        ]

    def replace(
        self, prototype: str, model: str, made: Sequence[tuple[str, NDArray[np.float32], float]]
    ) -> list[int]:
        """Put other topics (name, centre, least) in the place of a prototype's; their ids, in order.

        No answer belongs to any of them yet: every one counts as not looked at.
        """
        now = time.time()
        with self._database.writing() as connection:
            connection.execute("DELETE FROM topics WHERE prototype = ?", (clean_text(prototype),))
            for name, centre, least in made:
                row = {
                    "prototype": clean_text(prototype),
                    "name": clean_text(name),
                    "centre": centre.astype("<f4").tobytes(),
                    "least": least,
                    "model": clean_text(model),
                    "computed": now,
                }
                insert(connection, "topics", row)
            connection.execute(
                "UPDATE digest SET topic = NULL WHERE prototype = ? AND topic IS NOT NULL",
                (clean_text(prototype),),
            )
        return [topic.id for topic in self.all(prototype)]

    def questions(
        self, prototype: str, *, assigned: bool | None = None, after: int = 0, limit: int = -1
    ) -> list[tuple[int, str]]:
        """Number and question of answers in a chat, oldest first; ``assigned`` False: those without a topic.

        Batches and comparisons ask the same thing over and over, and would shape the topics.
        """
        only = {None: "1", True: "topic IS NOT NULL", False: "topic IS NULL"}[assigned]
        sql = (
            "SELECT n, question FROM digest JOIN digest_texts USING (n) WHERE prototype = :prototype "
            f"AND origin = 'chat' AND n > :after AND {only} ORDER BY n LIMIT :limit"
        )
        values = {"prototype": clean_text(prototype), "after": after, "limit": limit}
        with self._database.reading() as connection:
            return [(row["n"], row["question"]) for row in connection.execute(sql, values)]

    def waiting(self) -> dict[str, int]:
        """By prototype, answers of a chat that belong to no topic yet although there are topics."""
        sql = (
            "SELECT prototype, count(*) AS answers FROM digest WHERE topic IS NULL AND origin = 'chat' "
            "AND prototype IN (SELECT prototype FROM topics) GROUP BY prototype"
        )
        with self._database.reading() as connection:
            return {row["prototype"]: row["answers"] for row in connection.execute(sql)}

    def assign(self, topics: Mapping[int, int]) -> None:
        """Say which topic each answer belongs to: by its number, 0 for none."""
        for batch in _batches([(topic, n) for n, topic in topics.items()]):
            with self._database.writing() as connection:
                connection.executemany("UPDATE digest SET topic = ? WHERE n = ?", batch)


def _batches(rows: Sequence[tuple[int, int]]) -> Iterable[Sequence[tuple[int, int]]]:
    return (rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH))
