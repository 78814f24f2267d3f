"""One command erases a conversation here and in Supabase, where the owner's key is there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rag import cli
from rag.config import Environment
from rag.engine import Engine
from tests.supabase.servers import PUBLISHABLE, SECRET, Api

pytestmark = pytest.mark.slow


@pytest.fixture
def engine(api: Api, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The engine of the command line on a machine that delivers, with the publishable key alone."""
    for name, value in (
        ("THUMBPRINT_HOME", str(tmp_path)),
        ("SUPABASE_URL", api.url),
        ("SUPABASE_KEY", PUBLISHABLE),
    ):
        monkeypatch.setenv(name, value)
    return Engine(Environment.load())


def ask(engine: Engine, make_answer: Any, **more: Any) -> str:
    """An answer in a conversation, rated and delivered; the conversation's id."""
    conversation = engine.store.start_conversation("secret", "wine").id
    answer = make_answer(conversation_id=conversation, **more)
    engine.store.save_answer(answer)
    engine.store.add_feedback(answer.id, "down", comment="No.")
    engine.delivery.deliver()
    return conversation


def test_erase_reaches_supabase_with_the_owner_s_key(
    engine: Engine, api: Api, make_answer: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    gone, kept = ask(engine, make_answer), ask(engine, make_answer)
    assert (api.count("answers"), api.count("feedback")) == (2, 2)

    assert cli.main(["feedback", "erase", gone]) == 1
    assert "1 erasure waits: set SUPABASE_SECRET_KEY" in capsys.readouterr().out
    assert api.count("answers") == 2

    monkeypatch.setenv("SUPABASE_SECRET_KEY", SECRET)
    assert cli.main(["feedback", "erase", kept, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["waiting"] == 0
    assert (api.count("answers"), api.count("feedback")) == (0, 0)


def test_the_retention_period_reaches_supabase(
    engine: Engine, api: Api, make_answer: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("SUPABASE_SECRET_KEY", SECRET)
    ask(engine, make_answer, created=1_000_000_000.0)
    ask(engine, make_answer, created=4_000_000_000.0)

    assert cli.main(["feedback", "retain", "--older-than", "30"]) == 0

    assert "Supabase has erased it too" in capsys.readouterr().out
    assert (api.count("answers"), api.count("feedback")) == (1, 1)
