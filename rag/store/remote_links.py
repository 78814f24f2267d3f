"""The table of links in Supabase, read with the owner's key."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from datetime import datetime

from rag.errors import StoreError
from rag.store.codec import decode
from rag.store.parcels import plain
from rag.store.supabase import Row, Supabase
from rag.types import LinkRow, LinkTerms

TIMEOUT = 3.0
"""Seconds: a visitor's page waits for it."""
_COLUMNS = ("n", "id", "link_id", "revision", "kind", "token_hash", "prototype", "record", "created")


class RemoteLinks:
    """All revisions of links that any replica delivered. Safe to share between threads.

    Raises :class:`StoreError` where Supabase cannot be reached or gives what is no link.
    """

    def __init__(self, url: str, secret_key: str, *, timeout: float = TIMEOUT) -> None:
        self._remote = Supabase(url, secret_key, key_name="SUPABASE_SECRET_KEY", timeout=timeout)
        self._turn = threading.Lock()
        """The client is for one thread at a time."""

    def by_token(self, token_hash: str) -> Sequence[LinkRow]:
        """All revisions of the link of a token."""
        with self._turn:
            return [_link(row) for row in self._remote.matching("links", _COLUMNS, "token_hash", token_hash)]

    def all(self) -> Sequence[LinkRow]:
        """All revisions of all links."""
        found: list[Row] = []
        with self._turn:
            while page := self._remote.page("links", _COLUMNS, after=found[-1]["n"] if found else 0):
                found += page
        return [_link(row) for row in found]

    def close(self) -> None:
        """Close the connection. It is opened again when it is needed."""
        with self._turn:
            self._remote.close()


def _link(row: Row) -> LinkRow:
    try:
        return LinkRow(
            id=plain(row["id"]),
            link_id=plain(row["link_id"]),
            revision=int(row["revision"]),
            kind=row["kind"],
            token_hash=str(row["token_hash"]),
            prototype=str(row["prototype"]),
            terms=decode(LinkTerms, json.dumps(row["record"])),
            created=datetime.fromisoformat(row["created"]).timestamp(),
        )
    except (KeyError, TypeError, ValueError):
        raise StoreError("Supabase gave a link that cannot be read. Look at its table “links”.") from None
