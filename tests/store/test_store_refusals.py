"""What an answer of Supabase means for a row: it waits, it is set aside, or it was there."""

from __future__ import annotations

import base64
import json

import httpx
import pytest

from rag.store.keys import role_of
from rag.store.refusals import AlreadyThere, RowRefused, Unavailable, refusal, unreachable


def meaning(
    status: int, code: str | None, message: str | None = "it said so", *, readable: bool = True
) -> Exception:
    return refusal(status, code, message, table="feedback", key_name="SUPABASE_KEY", readable=readable)


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (400, "23514", 'violates check constraint "feedback_comment_check"'),
        (400, "23502", "null value in column"),
        (409, "23503", "violates foreign key constraint"),
        (409, "23505", 'unique constraint "feedback_other_key"'),
        (400, "22P02", "invalid input syntax for type uuid"),
        (400, "22P05", "unsupported Unicode escape sequence"),
        (500, "54000", "index row size 3000 exceeds maximum"),
        (400, "P0001", "this conversation was erased"),
        (413, None, None),
    ],
)
def test_a_row_that_will_never_be_taken(status: int, code: str | None, message: str | None) -> None:
    assert isinstance(meaning(status, code, message), RowRefused)


def test_a_row_that_is_there() -> None:
    said = 'duplicate key value violates unique constraint "feedback_pkey"'

    assert isinstance(meaning(409, "23505", said), AlreadyThere)


@pytest.mark.parametrize(
    ("status", "code", "says", "scope"),
    [
        (401, None, "refuses the key in SUPABASE_KEY (it said so)", "service"),
        (401, "PGRST301", "refuses the key in SUPABASE_KEY", "service"),
        (401, "42501", "does not let the key in SUPABASE_KEY do this with “feedback”", "table"),
        (400, "PGRST204", "Apply supabase/migrations/20261126080000_feedback.sql", "table"),
        (404, "PGRST205", "Apply supabase/migrations/20261126080000_feedback.sql", "table"),
        (404, "42P01", "are behind this version", "table"),
        (503, "PGRST001", "has a fault (status 503, PGRST001", "row"),
        (500, "57014", "has a fault", "row"),
        (429, None, "too many requests", "service"),
        (402, None, "quota", "service"),
        (540, None, "is paused. Restore it", "service"),
        (520, None, "gateway", "row"),
        (400, "PGRST999", "refuses the request (status 400, PGRST999", "row"),
    ],
)
def test_what_passes_or_is_mended_waits(status: int, code: str | None, says: str, scope: str) -> None:
    error = meaning(status, code)

    assert isinstance(error, Unavailable)
    assert says in str(error)
    assert error.scope == scope


@pytest.mark.parametrize("status", [200, 201, 301, 403, 404, 500, 503])
def test_a_page_in_the_place_of_an_answer_waits(status: int) -> None:
    error = meaning(status, None, None, readable=False)

    assert isinstance(error, Unavailable)
    assert f"is not Supabase's Data API (status {status}, not JSON)" in str(error)


def test_a_remote_message_is_one_short_line() -> None:
    assert "\n" not in str(meaning(400, "22000", "a\nb\x1b[31m" + "x" * 1_000))
    assert len(str(meaning(400, "22000", "x" * 1_000))) < 300


@pytest.mark.parametrize(
    ("error", "says", "scope"),
    [
        (httpx.ConnectError("[Errno -2] Name or service not known"), "has no address until", "service"),
        (httpx.ReadTimeout("timed out"), "did not answer within 10 seconds", "row"),
        (httpx.RemoteProtocolError("Server disconnected"), "broke off", "row"),
    ],
)
def test_what_goes_wrong_on_the_way_waits(error: Exception, says: str, scope: str) -> None:
    said = unreachable(error, "project.supabase.co", 10.0)

    assert says in str(said)
    assert said.scope == scope


def token(**claims: str) -> str:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{part}.c2ln"


@pytest.mark.parametrize(
    ("key", "role"),
    [
        ("sb_publishable_abc", "publishable"),
        ("sb_secret_abc", "secret"),
        (token(role="anon"), "publishable"),
        (token(role="service_role"), "secret"),
        (token(role="authenticated"), "unknown"),
        ("a.b.c", "unknown"),
        ("a.[].c", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_key_is_told_by_its_looks(key: str, role: str) -> None:
    assert role_of(key)[0] == role
