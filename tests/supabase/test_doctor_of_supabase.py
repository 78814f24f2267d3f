"""What doctor says of a project."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rag.config import Environment
from rag.supabase_checks import Finding, look
from tests.supabase.fault_proxy import FaultProxy
from tests.supabase.servers import PUBLISHABLE, SECRET, Api

pytestmark = pytest.mark.slow

At = Callable[..., Environment]


def found(environment: Environment) -> dict[str, Finding]:
    return {finding.name: finding for finding in look(environment, timeout=5)}


def failures(environment: Environment) -> str:
    return "\n".join(finding.message for finding in look(environment, timeout=5) if not finding.ok)


def test_all_is_well(api: Api, at: At) -> None:
    checks = found(at(api.url, owner=True))

    assert {name: check.ok for name, check in checks.items()} == {
        "supabase tables": True,
        "supabase grants": True,
        "supabase reading": True,
    }
    assert checks["supabase tables"].message == (
        "SUPABASE_KEY is a publishable key; answers, feedback, preferences take its rows."
    )
    assert [api.count(table) for table in ("answers", "feedback", "links", "erased")] == [0, 0, 0, 0]


def test_legacy_keys_are_as_good(api: Api, at: At) -> None:
    environment = replace(at(api.url), supabase_key=api.anon, supabase_secret_key=api.service)

    checks = found(environment)

    assert all(check.ok for check in checks.values())
    assert "a legacy anon key" in checks["supabase tables"].message
    assert "a legacy service_role key" in checks["supabase reading"].message


def test_without_the_owners_key_it_says_what_is_not_done(api: Api, at: At) -> None:
    checks = found(at(api.url))

    assert checks["supabase reading"].ok
    assert "this machine delivers, and neither reads" in checks["supabase reading"].message


@pytest.mark.parametrize("secret", ["new", "legacy"])
def test_a_secret_key_in_the_wrong_place(api: Api, at: At, secret: str) -> None:
    key = SECRET if secret == "new" else api.service

    said = failures(replace(at(api.url), supabase_key=key))

    assert "SUPABASE_KEY holds a" in said
    assert "Move it to SUPABASE_SECRET_KEY" in said
    assert key not in said


def test_a_publishable_key_in_the_secret_ones_place(api: Api, at: At) -> None:
    assert "Put the project's secret key there" in failures(
        replace(at(api.url), supabase_secret_key=PUBLISHABLE)
    )


BROKEN = {
    "column": (
        "ALTER TABLE feedback DROP COLUMN reported",
        "ALTER TABLE feedback ADD COLUMN reported jsonb NOT NULL DEFAULT '[]'; "
        "GRANT INSERT (reported) ON feedback TO anon, service_role",
        "Could not find the 'reported' column of 'feedback'",
    ),
    "table": (
        "ALTER TABLE links RENAME TO gone",
        "ALTER TABLE gone RENAME TO links",
        "Apply supabase/migrations/20261126080100_links.sql",
    ),
    "grant": (
        "REVOKE INSERT ON erased FROM service_role",
        "GRANT INSERT (conversation_id) ON erased TO service_role",
        "permission denied for table erased",
    ),
    "policy": (
        'DROP POLICY "anyone may deliver" ON feedback',
        'CREATE POLICY "anyone may deliver" ON feedback FOR INSERT TO anon WITH CHECK (true)',
        "row-level security",
    ),
    "read": (
        "GRANT SELECT ON feedback TO anon",
        "REVOKE SELECT ON feedback FROM anon",
        "anyone can read feedback",
    ),
    "all": (
        "GRANT ALL ON links TO anon",
        "REVOKE ALL ON links FROM anon",
        "anyone can read links, change links, delete links",
    ),
}
"""What was done to the project, what undoes it, and what doctor says meanwhile."""


@pytest.mark.parametrize(("breaks", "mends", "says"), BROKEN.values(), ids=BROKEN)
def test_what_is_missing_or_too_open_is_said(api: Api, at: At, breaks: str, mends: str, says: str) -> None:
    api.sql(breaks)
    try:
        said = failures(at(api.url, owner=True))
    finally:
        api.sql(mends)

    assert says in said
    assert failures(at(api.url, owner=True)) == ""


def test_half_of_a_set_up(at: At) -> None:
    assert "SUPABASE_URL is not set" in failures(replace(at(""), supabase_url=None))
    assert "SUPABASE_KEY is not set" in failures(replace(at("http://127.0.0.1:9"), supabase_key=None))


@pytest.mark.parametrize(
    ("fault", "says"), [("520", "gateway had no good answer"), ("html", "is not Supabase's Data API")]
)
def test_a_project_that_is_not_well(proxy: FaultProxy, at: At, fault: Any, says: str) -> None:
    proxy.choose = lambda: fault

    assert says in failures(at(proxy.url, owner=True))


def test_nobody_there(at: At) -> None:
    assert "cannot be reached" in failures(at("http://127.0.0.1:9"))


def test_nothing_set_up_is_nothing_to_say(at: At) -> None:
    assert found(replace(at(""), supabase_url=None, supabase_key=None)) == {}
