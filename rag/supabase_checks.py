"""Is the Supabase project as it should be: its tables, what its keys may do, which key is where.

Nothing is stored and nothing is changed there. That a table takes rows is seen by offering one
without an id: PostgreSQL refuses it for that alone when everything else is in order (privileges
and columns are looked at first). That the publishable key may do no more is seen by asking it
to, of a row that there is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rag.config import Environment
from rag.errors import StoreError
from rag.store.keys import role_of
from rag.store.refusals import RowRefused, Unavailable
from rag.store.schema import INSERTED, PUBLIC, READ, migration_of
from rag.store.supabase import Supabase

_NOBODY = "00000000-0000-4000-8000-000000000000"
_APPLY = "Apply supabase/migrations/{} to the project, with “supabase db push --remote” or in its SQL editor."


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    message: str


def look(environment: Environment, *, timeout: float = 10.0) -> Iterator[Finding]:
    """Look at the project; says nothing where none is set up."""
    url, key, secret = (
        environment.supabase_url,
        environment.supabase_key,
        environment.supabase_secret_key,
    )
    if not (url or key or secret):
        return
    if not url or not (key or secret):
        lacks = "SUPABASE_URL" if not url else "SUPABASE_KEY"
        yield Finding("supabase", False, f"{lacks} is not set, so nothing is delivered. Set it too.")
        return
    wrong = list(_misplaced(key, secret))
    yield from wrong
    if key and role_of(key)[0] != "secret":
        yield from _public(Supabase(url, key, timeout=timeout), role_of(key)[1])
    if secret and role_of(secret)[0] != "publishable":
        owner = Supabase(url, secret, key_name="SUPABASE_SECRET_KEY", timeout=timeout)
        yield from _owner(owner, role_of(secret)[1])
    elif not secret:
        yield Finding(
            "supabase reading",
            True,
            "There is no SUPABASE_SECRET_KEY here: this machine delivers, and neither reads what others "
            "delivered nor erases in Supabase.",
        )


def _misplaced(key: str | None, secret: str | None) -> Iterator[Finding]:
    if key and role_of(key)[0] == "secret":
        yield Finding(
            "supabase key",
            False,
            f"SUPABASE_KEY holds {role_of(key)[1]}, which passes all of the project's protection by. Move it "
            "to SUPABASE_SECRET_KEY and put the publishable key in its place; if anyone else may have seen "
            "it, make a new one in the project's API keys.",
        )
    if secret and role_of(secret)[0] == "publishable":
        yield Finding(
            "supabase secret key",
            False,
            f"SUPABASE_SECRET_KEY holds {role_of(secret)[1]}, which may not read. Put the project's secret "
            "key there.",
        )


def _public(remote: Supabase, kind: str) -> Iterator[Finding]:
    """What the publishable key may do: insert."""
    try:
        problems = [said for table in PUBLIC if (said := _takes(remote, table))]
        open_to_all = [
            what
            for table in (*PUBLIC, "links", "erased", "response")
            for what in _more_than_insert(remote, table)
        ]
    except Unavailable as error:
        yield Finding("supabase", False, str(error))
        return
    finally:
        remote.close()
    for said in dict.fromkeys(problems):
        yield Finding("supabase tables", False, said)
    if not problems:
        yield Finding("supabase tables", True, f"SUPABASE_KEY is {kind}; {', '.join(PUBLIC)} take its rows.")
    if open_to_all:
        yield Finding(
            "supabase grants",
            False,
            f"With SUPABASE_KEY, anyone can {', '.join(open_to_all)}. "
            + _APPLY.format(migration_of("answers"))
            + " If it is applied, something else gave these rights: revoke them from anon.",
        )
    else:
        yield Finding(
            "supabase grants", True, "SUPABASE_KEY inserts, and can neither read, change nor delete."
        )


def _owner(remote: Supabase, kind: str) -> Iterator[Finding]:
    """What the secret key is for: to read everything, and to insert links and erasures."""
    problems = []
    try:
        for table, columns in READ.items():
            try:
                remote.look(table, columns)
            except Unavailable as error:
                if error.scope != "table":
                    raise
                problems.append(str(error))
        problems += [said for table in INSERTED if (said := _takes(remote, table))]
        for table in ("answers", "links"):
            try:
                remote.delete(table, "id", [_NOBODY])
            except Unavailable as error:
                if error.scope != "table":
                    raise
                problems.append(str(error))
    except Unavailable as error:
        yield Finding("supabase reading", False, str(error))
        return
    finally:
        remote.close()
    for said in dict.fromkeys(problems):
        yield Finding("supabase reading", False, said)
    if not problems:
        yield Finding(
            "supabase reading", True, f"SUPABASE_SECRET_KEY is {kind}; it reads and erases everything."
        )


def _takes(remote: Supabase, table: str) -> str:
    """Why a table does not take rows as this version writes them; empty where it does."""
    key = INSERTED[table][0]
    try:
        remote.insert(table, [dict.fromkeys(INSERTED[table])])
    except RowRefused as error:
        return "" if f'"{key}"' in str(error) else f"The table “{table}” refuses good rows: {error}"
    except Unavailable as error:
        if error.scope != "table":
            raise
        return str(error)
    return f"The table “{table}” takes rows without an id. " + _APPLY.format(migration_of(table))


def _more_than_insert(remote: Supabase, table: str) -> Iterator[str]:
    column = {"erased": "conversation_id", "response": "prototype"}.get(table, "id")
    attempts: dict[str, Callable[[], object]] = {
        "read": lambda: remote.look(table, (column,)),
        "change": lambda: remote.change(table, _NOBODY, column),
        "delete": lambda: remote.delete(table, column, [_NOBODY]),
    }
    for verb, attempt in attempts.items():
        try:
            attempt()
        except Unavailable as error:
            if error.scope != "table":
                raise
        except StoreError:
            pass
        else:
            yield f"{verb} {table}"
