"""What the chat says of what is recorded, and the server that keeps its promise."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from page_steps import OpenApp, ask, texts

from pages.ui import resources
from rag.retention import DAY
from rag.store import Selection, Store
from tests.fakes import FakeEngine
from tests.rated import RED, answer


def notice(at: object) -> list[str]:
    return [e.label for e in at.expander if "stored here" in e.label]  # type: ignore[attr-defined]


def test_the_notice_is_on_the_first_page_and_beside_a_conversation(open_app: OpenApp) -> None:
    at = open_app(prototype="wine")
    assert notice(at) == ["Questions, answers and ratings are stored here"]
    assert "kept until it is erased" in texts(at)

    ask(at, "Which red?")

    assert len(notice(at)) == 1
    assert any("stored here" in e.label for e in at.sidebar.expander)


def test_the_owner_s_words_and_period_are_shown_as_they_are(open_app: OpenApp, engine: FakeEngine) -> None:
    engine.environment = replace(engine.environment, notice="*Ask* <b>Ann</b>.", retention_days=30.0)

    told = texts(open_app(prototype="wine"))

    assert "erased after 30 days" in told
    assert "<b>" not in told
    assert "&#42;Ask" in told


def test_the_server_erases_what_is_past_the_period(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "thumbprint.sqlite3")
    store.save_answer(answer("old", "Then?", "x", RED, created=time.time() - 3 * DAY))
    store.save_answer(answer("new", "Now?", "x", RED, created=time.time()))
    monkeypatch.setenv("THUMBPRINT_HOME", str(tmp_path))
    monkeypatch.setenv("THUMBPRINT_RETENTION_DAYS", "2")

    resources.engine.clear()
    resources.engine()

    deadline = time.monotonic() + 10
    while store.count(Selection()) > 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    resources.engine.clear()
    assert [rated.answer.id for rated in store.stream(Selection())] == ["new"]
