"""Supabase's Data API, as far as it is needed: insert, read in pages, delete.

Over the real client, told what its defaults get wrong here. Rows are inserted without being
returned, which a key that may not read would be refused. Nothing is retried inside, for the
queue does that. An answer counts as success by its exact status: the client takes a page of
HTML with status 200 for one as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rag.store.refusals import Unavailable, refusal, unreachable

if TYPE_CHECKING:
    from supabase import Client

TIMEOUT = 10.0
"""Seconds to wait for an answer, or a part of one. The database itself ends a statement of the
publishable key after 3 seconds; the client would wait 120."""

Row = Mapping[str, Any]


class Supabase:
    """One project, with one key. For one thread: each makes its own.

    Raises :class:`Unavailable`, :class:`RowRefused`, :class:`AlreadyThere` (:mod:`rag.store.refusals`).
    """

    def __init__(
        self, url: str, key: str, *, key_name: str = "SUPABASE_KEY", timeout: float = TIMEOUT
    ) -> None:
        self.url = url.rstrip("/")
        self.key_name = key_name
        self._key = key
        self._timeout = timeout
        self._made: Client | None = None
        self._status = 0

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        """Insert all of the rows or none of them."""
        self._run(lambda c: c.table(table).insert(list(rows), returning="minimal"), table, (201,))

    def page(self, table: str, columns: Sequence[str], *, after: int = 0, limit: int = 1_000) -> list[Row]:
        """Rows in the order in which they came, from the one after number ``after``.

        The project may give fewer than ``limit``; only an empty page is the last.
        """
        return self._run(
            lambda c: c.table(table).select(*columns).gt("n", after).order("n").limit(limit),
            table,
            (200, 206),
        )

    def rows(self, table: str, columns: Sequence[str], ids: Sequence[str]) -> list[Row]:
        """The rows of these ids (with dashes), in the order in which they came."""
        return self._run(
            lambda c: c.table(table).select(*columns).in_("id", ids).order("n"), table, (200, 206)
        )

    def look(self, table: str, columns: Sequence[str]) -> list[Row]:
        """One row, or none: can these columns be read?"""
        return self._run(lambda c: c.table(table).select(*columns).limit(1), table, (200, 206))

    def matching(self, table: str, columns: Sequence[str], column: str, value: str) -> list[Row]:
        """The rows that have this value in a column, in the order in which they came."""
        return self._run(
            lambda c: c.table(table).select(*columns).eq(column, value).order("n"), table, (200, 206)
        )

    def delete(self, table: str, column: str, values: Sequence[str]) -> None:
        """Delete the rows that have one of these values in a column."""
        self._run(
            lambda c: c.table(table).delete(returning="minimal").in_(column, values),
            table,
            (200, 204),
        )

    def change(self, table: str, value: str, column: str) -> None:
        """Set a column of the row of this id to what it is; for doctor, to see it refused."""
        self._run(
            lambda c: c.table(table).update({column: value}, returning="minimal").eq(column, value),
            table,
            (200, 204),
        )

    def close(self) -> None:
        """Close the connection. It is opened again when it is needed."""
        if self._made is not None:
            made, self._made = self._made, None
            http = made.options.httpx_client
            if http is not None:
                http.close()

    def _run(self, build: Any, table: str, expected: tuple[int, ...]) -> list[Row]:
        import httpx
        from postgrest.exceptions import APIError

        client = self._client()
        self._status = 0
        try:
            data = build(client).execute().data
        except APIError as error:
            readable = bool(error.message) and not (error.details and "<html" in str(error.details).lower())
            # Where the answer was no JSON, the client makes up an error whose code is the status.
            readable = readable and error.code != str(self._status)
            raise refusal(
                self._status,
                error.code,
                error.message,
                table=table,
                key_name=self.key_name,
                readable=readable,
            ) from None
        except httpx.HTTPError as error:
            self.close()  # what is left of the answer must not be read as the next one
            # Without a name and a password, which stand before an @.
            where = urlsplit(self.url).netloc.rpartition("@")[2]
            raise unreachable(error, where, self._timeout) from None
        except (httpx.InvalidURL, ValueError):
            raise Unavailable("SUPABASE_URL is no address that can be called.") from None
        if self._status not in expected or not isinstance(data, list):
            raise refusal(self._status, None, None, table=table, key_name=self.key_name, readable=False)
        return data

    def _client(self) -> Client:
        if self._made is None:
            import httpx
            from supabase import create_client
            from supabase.lib.client_options import SyncClientOptions

            if urlsplit(self.url).scheme not in ("http", "https") or not urlsplit(self.url).netloc:
                raise Unavailable(
                    "SUPABASE_URL is no address. It looks like https://YOUR-PROJECT.supabase.co; copy it "
                    "from the project's settings."
                )
            # HTTP/1.1: simpler to give up on, and as fast for one request at a time.
            http = httpx.Client(timeout=self._timeout, event_hooks={"response": [self._saw]})
            options = SyncClientOptions(
                httpx_client=http,
                postgrest_client_retry=False,
                auto_refresh_token=False,
                persist_session=False,
            )
            try:
                self._made = create_client(self.url, self._key, options)
            except Exception as error:  # the client's own checks of address and key
                http.close()
                raise Unavailable(
                    f"Supabase's client refuses SUPABASE_URL or {self.key_name} ({error})."
                ) from None
        return self._made

    def _saw(self, response: Any) -> None:
        self._status = response.status_code
