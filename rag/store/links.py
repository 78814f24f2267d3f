"""Links as rows, append-only: made by the first revision, revoked by another one."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rag.errors import NotFound
from rag.store.codec import clean_text, decode, encode
from rag.store.database import Database
from rag.store.rows import insert, new_id, newest, next_revision, queue
from rag.types import Answer, LinkKind, LinkRow, LinkTerms


@dataclass(frozen=True, slots=True)
class LinkFigures:
    """What came of a link: its answers, their thumbs and cost, and what index they were found in."""

    answers: int = 0
    up: int = 0
    down: int = 0
    abstained: int = 0
    dollars: float = 0.0
    """Of the answers whose cost is known."""
    last: float | None = None
    """Unix seconds of the last answer."""
    index_versions: tuple[str, ...] = ()
    """Of its answers, each once, the newest last."""


class Links:
    """A part of :class:`rag.store.Store`; safe to share as it is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def make(self, kind: LinkKind, token_hash: str, prototype: str, terms: LinkTerms) -> LinkRow:
        """Keep a new link under the hash of its token, and queue it for delivery."""
        row = LinkRow(new_id(), new_id(), 1, kind, token_hash, clean_text(prototype), terms, time.time())
        with self._database.writing() as connection:
            _insert(connection, row)
        return row

    def revoke(self, made: LinkRow) -> LinkRow:
        """Append a revision of a link that revokes it; one that is revoked already stays as it is.

        ``made`` is any revision of it: it may be known from elsewhere than this file.
        """
        with self._database.writing() as connection:
            known = _rows(
                connection, f"link_id = :link AND {newest('links', 'link_id')}", {"link": made.link_id}
            )
            if known and known[0].terms.revoked is not None:
                return known[0]
            revision = max(made.revision + 1, next_revision(connection, "links", "link_id", made.link_id))
            now = time.time()
            row = replace(
                made, id=new_id(), revision=revision, terms=replace(made.terms, revoked=now), created=now
            )
            _insert(connection, row)
        return row

    def by_token(self, token_hash: str) -> list[LinkRow]:
        """All revisions of the link of a token, oldest first; none where there is no such link."""
        with self._database.reading() as connection:
            return _rows(connection, "token_hash = :hash", {"hash": token_hash})

    def all(self) -> list[LinkRow]:
        """All revisions of all links, oldest first."""
        with self._database.reading() as connection:
            return _rows(connection, "1", {})

    def of_conversation(self, conversation_id: str) -> list[LinkRow]:
        """All revisions of the links to a conversation, oldest first."""
        with self._database.reading() as connection:
            return _rows(
                connection,
                "kind = 'conversation' AND json_extract(record, '$.conversation') = :conversation",
                {"conversation": clean_text(conversation_id)},
            )

    def shared(self, conversation_id: str, answer_ids: Sequence[str]) -> list[Answer]:
        """Those answers of a conversation that are still there, in the order of the ids.

        For who holds a link to them: it needs no secret of a browser.
        """
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT id, record FROM answers WHERE conversation_id = ?", (clean_text(conversation_id),)
            ).fetchall()
        records = {row["id"]: row["record"] for row in rows}
        return [decode(Answer, records[answer_id]) for answer_id in answer_ids if answer_id in records]

    def figures(self) -> Mapping[str, LinkFigures]:
        """What came of each link that anything was asked under."""
        thumb = f"(SELECT rating FROM feedback WHERE answer_id = answers.id AND {newest('feedback')})"
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT link, count(*) AS answers, "
                f"sum({thumb} = 'up') AS up, sum({thumb} = 'down') AS down, "
                "sum(abstained) AS abstained, sum(cost) AS dollars, max(created) AS last "
                "FROM answers WHERE link IS NOT NULL GROUP BY link"
            ).fetchall()
            versions = connection.execute(
                "SELECT link, index_version FROM answers WHERE link IS NOT NULL "
                "GROUP BY link, index_version ORDER BY max(n)"
            ).fetchall()
        return {
            row["link"]: LinkFigures(
                answers=row["answers"],
                up=row["up"] or 0,
                down=row["down"] or 0,
                abstained=row["abstained"],
                dollars=row["dollars"] or 0.0,
                last=row["last"],
                index_versions=tuple(v["index_version"] for v in versions if v["link"] == row["link"]),
            )
            for row in rows
        }

    def row(self, row_id: str) -> LinkRow:
        """One revision by its own id, for delivery. Raises NotFound."""
        with self._database.reading() as connection:
            found = _rows(connection, "id = :id", {"id": clean_text(row_id)})
        if not found:
            raise NotFound("There is no such revision of a link.")
        return found[0]


def _insert(connection: sqlite3.Connection, row: LinkRow) -> None:
    values = {
        "id": row.id,
        "link_id": row.link_id,
        "revision": row.revision,
        "kind": row.kind,
        "token_hash": row.token_hash,
        "prototype": row.prototype,
        "record": encode(row.terms),
        "created": row.created,
    }
    insert(connection, "links", values)
    queue(connection, "link", row.id, row.link_id)


def _rows(connection: sqlite3.Connection, condition: str, values: Mapping[str, object]) -> list[LinkRow]:
    rows = connection.execute(f"SELECT * FROM links WHERE {condition} ORDER BY n", values).fetchall()
    return [
        LinkRow(
            id=row["id"],
            link_id=row["link_id"],
            revision=row["revision"],
            kind=row["kind"],
            token_hash=row["token_hash"],
            prototype=row["prototype"],
            terms=decode(LinkTerms, row["record"]),
            created=row["created"],
        )
        for row in rows
    ]
