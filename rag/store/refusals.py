"""What it means that Supabase did not take a row: is it the row, or is it Supabase?

    Unavailable   nothing is wrong with the row: it waits. ``scope`` says how much waits with it
    RowRefused    it will never be taken as it is: it is set aside, with the reason
    AlreadyThere  it was delivered before, and only the answer to that was lost

The statuses and codes are those of PostgREST (https://docs.postgrest.org/en/stable/references/errors.html),
of PostgreSQL (https://www.postgresql.org/docs/current/errcodes-appendix.html), and of Supabase's gateway
(https://supabase.com/docs/guides/troubleshooting/http-status-codes).
"""

from __future__ import annotations

from typing import Literal

from rag.errors import StoreError
from rag.store.schema import migration_of

Scope = Literal["row", "table", "service"]


class Unavailable(StoreError):
    """Supabase took nothing, for a reason that passes or that the owner mends.

    ``scope``: ``service`` where nothing else would be taken either, ``table`` where the table is at
    fault, ``row`` where it cannot be told whether it is this request alone: a fault, a cut.
    """

    def __init__(self, message: str, scope: Scope = "service") -> None:
        super().__init__(message)
        self.scope = scope


class RowRefused(StoreError):
    """Supabase will not take this row as it is."""


class AlreadyThere(StoreError):
    """A row of that id is in Supabase."""


_GATEWAY = {
    402: "The Supabase project is restricted, because a quota is used up or a bill unpaid.",
    429: "Supabase has had too many requests for now.",
    520: "Supabase's gateway had no good answer from the project.",
    521: "Supabase's gateway could not reach the project.",
    522: "Supabase's gateway could not reach the project in time.",
    524: "The project did not answer Supabase's gateway in time.",
    525: "Supabase's gateway could not speak to the project securely.",
    540: "The Supabase project is paused. Restore it in Supabase's dashboard.",
    544: "The database of the Supabase project did not answer in time.",
}
_CERTAIN = (402, 429, 540)
_OF_THE_ROW = ("21", "22", "23", "44")
"""SQLSTATE classes that say something of the values: cardinality, data, constraints, view checks."""


def refusal(
    status: int, code: str | None, message: str | None, *, table: str, key_name: str, readable: bool
) -> StoreError:
    """What an answer other than success means.

    ``code`` and ``message`` are those of its JSON; ``readable`` is False where it was none (a page
    of HTML, an empty body). ``key_name`` is the environment's name of the key that was used.
    """
    code, said = code or "", _line(message)
    if status == 413:
        return RowRefused("It is larger than Supabase takes in one request.")
    if status in _GATEWAY:
        return Unavailable(_GATEWAY[status], "service" if status in _CERTAIN else "row")
    if not readable:
        return Unavailable(
            f"What answers at SUPABASE_URL is not Supabase's Data API (status {status}, not JSON). That is "
            "usual while a project pauses or restarts; otherwise check the address.",
            "row",
        )
    if code == "23505" and f"{table}_pkey" in said:
        return AlreadyThere("It was delivered before.")
    if code == "23503":
        return RowRefused("The answer that it belongs to is not in Supabase.")
    if code == "23514" or code[:2] == "54":
        return RowRefused(f"It is longer or other than Supabase takes: {said}.")
    if code == "P0001":
        return RowRefused(f"Supabase refused it: {said}.")
    if code[:2] in _OF_THE_ROW:
        return RowRefused(f"Supabase refused its values: {said}.")
    if code == "42501":
        return Unavailable(
            f"Supabase does not let the key in {key_name} do this with “{table}” ({said}). Apply "
            f"supabase/migrations/{migration_of(table)} to the project; “python -m rag doctor” says more.",
            "table",
        )
    if code in ("PGRST204", "PGRST205", "PGRST200", "PGRST202") or code[:2] == "42":
        return Unavailable(
            f"The tables in Supabase are behind this version ({said}). Apply "
            f"supabase/migrations/{migration_of(table)} to the project, with “supabase db push --remote” or "
            "in its SQL editor.",
            "table",
        )
    if status in (401, 403):
        return Unavailable(
            f"Supabase refuses the key in {key_name} ({said or f'status {status}'}). Copy it anew from the "
            "project's API keys."
        )
    if status >= 500 or code[:2] in ("08", "40", "53", "55", "57", "58", "XX") or code.startswith("PGRST0"):
        return Unavailable(
            f"Supabase has a fault (status {status}{_and(code)}: {said or 'nothing said'}).", "row"
        )
    return Unavailable(
        f"Supabase refuses the request (status {status}{_and(code)}: {said or 'nothing said'}).", "row"
    )


def unreachable(error: Exception, host: str, seconds: float) -> Unavailable:
    """What an error of the connection means; ``error`` is one of httpx."""
    kind = type(error).__name__
    if kind.endswith("Timeout"):
        return Unavailable(f"Supabase ({host}) did not answer within {seconds:g} seconds.", "row")
    if kind == "ConnectError":
        return Unavailable(
            f"Supabase cannot be reached at {host} ({_line(str(error)) or 'no connection'}). Check the "
            "network and SUPABASE_URL. A project that was paused for long has no address until it is "
            "restored."
        )
    return Unavailable(f"The connection to Supabase ({host}) broke off ({_line(str(error)) or kind}).", "row")


def _and(code: str) -> str:
    return f", {code}" if code else ""


def _line(text: str | None) -> str:
    """A remote message, which nobody vouches for, as one line of bounded length."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text or "").split())
    return (line if len(line) <= 200 else line[:199] + "…").rstrip(".")
