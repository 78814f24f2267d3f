"""The migrations on PostgreSQL itself, role by role, and what each key may do over the API."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from rag.store.refusals import StoreError
from rag.store.schema import INSERTED, PUBLIC, READ, migration_of
from rag.store.supabase import Supabase
from tests.supabase.servers import (
    CLI,
    MIGRATIONS,
    PUBLISHABLE,
    SECRET,
    Api,
    Postgres,
    migrations,
    postgres,
    why_no_cli,
    why_no_postgres,
)

pytestmark = pytest.mark.slow

ROLES = """
CREATE ROLE anon NOLOGIN NOINHERIT;
CREATE ROLE authenticated NOLOGIN NOINHERIT;
CREATE ROLE service_role NOLOGIN NOINHERIT BYPASSRLS;
GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;
"""
GIVEN_TO_ALL = """
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON SEQUENCES TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON FUNCTIONS TO anon, authenticated, service_role;
"""
"""As Supabase's projects were until the end of October 2026; newer ones give new tables to nobody."""

A, B, F, P, C = (f"00000000-0000-4000-8000-00000000000{n}" for n in range(1, 6))
VALUES: Mapping[str, Mapping[str, Any]] = {
    "answers": {
        "id": A, "conversation_id": C, "replaces": None, "prototype": "wine", "question": "Which?",
        "text": "That.", "confidence": 0.5, "abstained": False, "generator": "openai", "settings": "5e77",
        "settings_values": {"k": 5}, "index_version": "1d3", "prompt_version": "p1",
        "system_prompt": "Be brief.", "link": None, "origin": "chat", "seconds": 0.1, "cost": None,
        "created": "2026-01-01T00:00:00Z", "record": {"a": 1},
    },
    "feedback": {
        "id": F, "answer_id": A, "revision": 1, "rating": "up", "reasons": [], "comment": "",
        "correction": "", "passage": None, "reported": [], "origin": "chat",
        "created": "2026-01-01T00:00:00Z",
    },
    "preferences": {
        "id": P, "pair": "p", "revision": 1, "prototype": "wine", "question": "Which?", "left_answer": A,
        "right_answer": A, "left_settings": "a", "right_settings": "b", "choice": "left", "reason": "",
        "created": "2026-01-01T00:00:00Z",
    },
    "links": {
        "id": P, "link_id": A, "revision": 1, "kind": "prototype", "token_hash": "h", "prototype": "wine",
        "conversation_id": C, "record": {}, "created": "2026-01-01T00:00:00Z",
    },
    "erased": {"conversation_id": B},
}  # fmt: skip
"""A good row of each table, every column that a client sets."""
LONGEST: Mapping[str, Mapping[str, int]] = {
    "answers": {"question": 20_000, "text": 400_000, "prototype": 200, "link": 200},
    "feedback": {"comment": 5_000, "correction": 20_000},
    "preferences": {"reason": 5_000, "question": 20_000},
}


def insertion(table: str, **changes: Any) -> str:
    """The statement that PostgREST makes of a row."""
    row = {**VALUES[table], **changes}
    names = ", ".join(row)
    text = json.dumps([row]).replace("'", "''")
    return (
        f"INSERT INTO {table} ({names}) SELECT {names} FROM json_populate_recordset(null::{table}, '{text}')"
    )


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    if why_no_postgres():
        pytest.skip(why_no_postgres())
    with postgres() as server:
        server.sql(ROLES)
        yield server


DEFAULTS = {"given_to_all": GIVEN_TO_ALL, "given_to_nobody": ""}


@pytest.fixture(scope="module")
def templates(server: Postgres) -> None:
    """A database with the migrations applied, under either of Supabase's defaults."""
    for name, defaults in DEFAULTS.items():
        server.create(name)
        usage = "GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;"
        server.sql(usage + defaults, database=name)
        for path in migrations():
            assert server.sql(path.read_text(encoding="utf-8"), database=name) == ""


@pytest.fixture(params=DEFAULTS)
def database(server: Postgres, templates: None, request: pytest.FixtureRequest) -> Iterator[str]:
    """A copy of one of the templates."""
    server.create("copy", template=request.param)
    yield "copy"
    server.drop("copy")


def test_each_role_may_do_what_is_its_to_do(server: Postgres, database: str) -> None:
    def run(statement: str, role: str = "anon") -> str:
        return server.sql(statement, role=role, database=database)

    for table in PUBLIC:
        assert run(insertion(table)) == ""
    for table in ("answers", "feedback", "preferences", "links", "erased"):
        for role in ("anon", "authenticated"):
            denied = "ERROR 42501: permission denied for table " + table
            assert run(f"SELECT count(*) FROM {table}", role) == denied
            assert run(f"SELECT 1 FROM {table} LIMIT 1", role) == denied
            assert run(f"DELETE FROM {table}", role) == denied
            assert run(f"UPDATE {table} SET received = now()", role) == denied
            assert run(f"TRUNCATE {table}", role) == denied
            if table not in PUBLIC or role == "authenticated":
                assert run(insertion(table), role) == denied
    assert run("SELECT * FROM response") == "ERROR 42501: permission denied for view response"

    for table in ("links", "erased"):
        assert run(insertion(table), "service_role") == ""
    for table, columns in READ.items():
        assert (
            run(f"SELECT count(*) FROM (SELECT {', '.join(columns)} FROM {table}) AS r", "service_role")
            == "1"
        )
    assert run("SELECT reaction FROM response", "service_role") == "up"
    assert run("UPDATE feedback SET comment = 'x'", "service_role").startswith("ERROR 42501")
    assert run("UPDATE answers SET text = 'x'", "service_role").startswith("ERROR 42501")
    assert run("DELETE FROM erased", "service_role").startswith("ERROR 42501")
    assert run(f"DELETE FROM answers WHERE conversation_id = '{C}'", "service_role") == ""
    assert (
        run("SELECT (SELECT count(*) FROM feedback) + (SELECT count(*) FROM preferences)", "service_role")
        == "0"
    )


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table in PUBLIC for column in ("n", "received")]
)
def test_what_the_server_sets_cannot_be_forged(
    server: Postgres, database: str, table: str, column: str
) -> None:
    forged = insertion(table, **{column: 7 if column == "n" else "2020-01-01T00:00:00Z"})

    for role in ("anon", "service_role"):
        assert server.sql(forged, role=role, database=database) == (
            'ERROR 428C9: cannot insert a non-DEFAULT value into column "n"'
            if column == "n"
            else f"ERROR 42501: permission denied for table {table}"
        )


def test_texts_have_a_longest(server: Postgres, database: str) -> None:
    assert server.sql(insertion("answers", id=B), role="anon", database=database) == ""
    for table, lengths in LONGEST.items():
        parents = {"answer_id": B} if table == "feedback" else {}
        parents = {"left_answer": B, "right_answer": B} if table == "preferences" else parents
        for number, (column, most) in enumerate(lengths.items()):
            fits, not_fits = (
                insertion(table, **parents, id=A[:-2] + f"{number:x}a", **{column: "x" * (most + more)})
                for more in (0, 1)
            )
            said = server.sql(not_fits, role="anon", database=database)
            assert said.startswith("ERROR 23514: ")
            assert f'violates check constraint "{table}_{column}_check"' in said
            assert server.sql(fits, role="anon", database=database) == ""
    huge = {"record": {"text": "x" * 4_000_001}}
    assert "answers_record_check" in server.sql(insertion("answers", **huge), role="anon", database=database)
    passage = {"answer_id": B, "passage": {"text": "x" * 200_001}}
    assert "feedback_passage_check" in server.sql(
        insertion("feedback", **passage), role="anon", database=database
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"rating": "sideways"}, {"revision": 0}, {"reasons": {"a": 1}}, {"reported": "1"},
        {"id": None}, {"origin": "x" * 41}, {"answer_id": B},
    ],
    ids=str,
)  # fmt: skip
def test_feedback_that_means_nothing_is_refused(
    server: Postgres, database: str, changes: dict[str, Any]
) -> None:
    server.sql(insertion("answers"), role="anon", database=database)

    assert server.sql(insertion("feedback", **changes), role="anon", database=database).startswith("ERROR 23")


@pytest.mark.parametrize(
    "unreadable", ["9" * 5_000, "-1" + "0" * 400, "[" * 1_000 + "]" * 1_000, '{"a":' * 100 + "1" + "}" * 100]
)
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("answers", "record"), ("answers", "settings_values"),
        ("feedback", "passage"), ("feedback", "reasons"), ("feedback", "reported"),
    ],
)  # fmt: skip
def test_json_that_a_program_cannot_read_back_is_refused(
    server: Postgres, database: str, table: str, column: str, unreadable: str
) -> None:
    def inserted(value: str) -> str:
        row = insertion(table, **{column: ["VALUE"]})
        return server.sql(row.replace('"VALUE"', value), role="anon", database=database)

    if table == "feedback":
        server.sql(insertion("answers"), role="anon", database=database)

    said = inserted(unreadable)
    assert said.startswith("ERROR 23514: ")
    assert "_readable" in said or "_reported_check" in said  # which takes 5,000 bytes
    assert inserted('["a", 1.5, 1e300, null]') == ""


def test_a_second_delivery_is_told_by_the_primary_key(server: Postgres, database: str) -> None:
    server.sql(insertion("answers"), role="anon", database=database)

    assert server.sql(insertion("answers"), role="anon", database=database) == (
        'ERROR 23505: duplicate key value violates unique constraint "answers_pkey"'
    )


def test_what_was_erased_is_refused_and_no_function_can_be_called(server: Postgres, database: str) -> None:
    server.sql(insertion("erased", conversation_id=C), role="service_role", database=database)

    for role in ("anon", "service_role"):
        assert server.sql(insertion("answers"), role=role, database=database) == (
            "ERROR P0001: this conversation was erased"
        )
    functions = server.sql(
        "SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
        "WHERE n.nspname = 'public'",
        database=database,
    ).splitlines()
    assert functions == ["refuse_erased_answer()"]
    for role in ("anon", "authenticated", "service_role"):
        for function in functions:
            assert server.sql(f"SELECT {function}", role=role, database=database).startswith("ERROR 42501")


def test_the_table_of_the_first_prototype_is_kept_and_shown(server: Postgres) -> None:
    server.create("seed")
    try:
        server.sql("GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role", database="seed")
        server.sql(
            GIVEN_TO_ALL + "CREATE TABLE response (id bigserial PRIMARY KEY, system_prompt text, "
            "user_prompt text, response text, prototype text, reaction text); "
            "INSERT INTO response (system_prompt, user_prompt, response, prototype, reaction) "
            "VALUES ('s', 'u', 'r', 'p', 'up')",
            database="seed",
        )
        for path in migrations():
            assert server.sql(path.read_text(encoding="utf-8"), database="seed") == ""
        server.sql(insertion("answers"), role="anon", database="seed")

        assert server.sql("TABLE response", role="service_role", database="seed").splitlines() == [
            "s|u|r|p|up",
            "Be brief.|Which?|That.|wine|",
        ]
        for table in ("response", "response_before"):
            assert server.sql(f"TABLE {table}", role="anon", database="seed").startswith("ERROR 42501")
    finally:
        server.drop("seed")


def test_supabases_own_command_line_applies_them(server: Postgres, tmp_path: Path) -> None:
    if why_no_cli():
        pytest.skip(why_no_cli())
    shutil.copytree(MIGRATIONS, tmp_path / "supabase" / "migrations")
    server.create("pushed")
    try:
        server.sql("GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role", database="pushed")
        address = f"postgresql://postgres@127.0.0.1:{server.port}/pushed?sslmode=disable"

        done = subprocess.run(
            [str(CLI), "db", "push", f"--remote={address}", "--yes"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "SUPABASE_TELEMETRY_DISABLED": "1"},
            capture_output=True,
            text=True,
            timeout=120,
        )

        assert done.returncode == 0, done.stderr
        assert server.sql(
            "SELECT name FROM supabase_migrations.schema_migrations ORDER BY version", database="pushed"
        ).splitlines() == ["feedback", "links", "readable"]
        assert server.sql(insertion("answers"), role="anon", database="pushed") == ""
        assert server.sql("TABLE answers", role="anon", database="pushed").startswith("ERROR 42501")
    finally:
        server.drop("pushed")


def test_the_schema_that_is_written_is_the_one_that_is_applied(server: Postgres, database: str) -> None:
    for table, columns in INSERTED.items():
        granted = server.sql(
            "SELECT column_name FROM information_schema.column_privileges "
            f"WHERE grantee = 'service_role' AND privilege_type = 'INSERT' AND table_name = '{table}'",
            database=database,
        )
        assert set(granted.splitlines()) == set(columns)
        assert set(VALUES[table]) == set(columns)
        [file] = [path for path in migrations() if path.name == migration_of(table)]
        assert f"create table public.{table} " in file.read_text(encoding="utf-8")


def test_what_the_publishable_key_may_do_as_a_table(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    """Over HTTP, with the client: insert works, and everything else is refused."""
    table: dict[str, str] = {}
    owner = Supabase(api.url, SECRET)
    for name, key in (("publishable key", PUBLISHABLE), ("legacy anon key", api.anon)):
        api.empty()
        remote = Supabase(api.url, key)

        def attempt(what: str, call: Any, remote: Supabase = remote, name: str = name) -> None:
            try:
                call(remote)
                table[f"{name}: {what}"] = "done"
            except StoreError as error:
                said = re.search(r"\((.*?)\)[ .]|: (.*)\.", str(error))
                table[f"{name}: {what}"] = f"refused: {said[1] or said[2] if said else error}"

        for one in PUBLIC:
            attempt(f"insert into {one}", lambda r, one=one: r.insert(one, [VALUES[one]]))
        for one in ("links", "erased"):
            attempt(f"insert into {one}", lambda r, one=one: r.insert(one, [VALUES[one]]))
        for one in ("answers", "feedback", "preferences", "links", "erased", "response"):
            column = {"erased": "conversation_id", "response": "prototype"}.get(one, "id")
            attempt(f"select from {one}", lambda r, one=one, column=column: r.look(one, (column,)))
            if one != "response":
                attempt(f"update {one}", lambda r, one=one, column=column: r.change(one, A, column))
                attempt(f"delete from {one}", lambda r, one=one, column=column: r.delete(one, column, [A]))
        for one in PUBLIC:
            forged = {**VALUES[one], "id": B, "received": "2020-01-01T00:00:00Z"}
            attempt(
                f"insert into {one} with a forged arrival",
                lambda r, one=one, row=forged: r.insert(one, [row]),
            )
            forged = {**VALUES[one], "id": B, "n": 1}
            attempt(
                f"insert into {one} with a forged number", lambda r, one=one, row=forged: r.insert(one, [row])
            )
            column, most = next(iter(LONGEST[one].items()))
            long = {**VALUES[one], "id": B, column: "x" * (most + 1)}
            attempt(
                f"insert into {one} with a text too long", lambda r, one=one, row=long: r.insert(one, [row])
            )
        for function in api.sql(
            "SELECT proname AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
            "AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')"
        ):
            attempt(
                f"call {function['name']}",
                lambda r, f=function: r._run(lambda c: c.rpc(f["name"]), f["name"], (200,)),
            )
        remote.close()
        assert [len(owner.page(one, ("id",))) for one in PUBLIC] == [1, 1, 1]
    owner.close()

    with capsys.disabled():
        print()
        for what, came in table.items():
            print(f"  {what:58} {came}")
    allowed = [what for what, came in table.items() if came == "done"]
    assert allowed == [
        f"{name}: insert into {one}" for name in ("publishable key", "legacy anon key") for one in PUBLIC
    ]
    assert len(table) == 2 * (5 + 16 + 9 + 1)
