"""Delivery by command, where there is no project, and where nobody answers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag import cli
from rag.config import Environment
from rag.delivery import Delivery
from rag.engine import Engine
from rag.pull import Puller
from rag.store import Store, new_id
from rag.store.arrivals import Arrived
from tests.fakes import FakeEmbedder
from tests.store.conftest import ANSWER

Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``run(engine, "status")`` is the command's exit code and its JSON."""

    def command(engine: Engine, *arguments: str) -> tuple[int, Any]:
        monkeypatch.setattr(cli, "Engine", lambda environment: engine)
        code = cli.main(["feedback", *arguments, "--json"])
        out = capsys.readouterr().out
        return code, json.loads(out) if out else None

    return command


@pytest.fixture
def engine(home: Path) -> Engine:
    engine = Engine(Environment(home=home), load_model=FakeEmbedder)
    engine.store.save_answer(replace(ANSWER, id=new_id()))
    return engine


def test_without_a_project_everything_waits(engine: Engine, run: Run) -> None:
    assert run(engine, "status") == (
        0,
        {
            "configured": False, "waiting": 1, "links": 0, "erasures": 0, "refused": 0, "problem": None,
            "set_aside": [],
        },
    )  # fmt: skip
    assert run(engine, "deliver") == (2, None)
    assert run(engine, "pull") == (2, None)
    assert run(engine, "retry") == (0, {"again": 0})


def test_with_nobody_there_it_gives_up_and_says_why(home: Path, engine: Engine, run: Run) -> None:
    away = Engine(
        Environment(home=home, supabase_url="http://127.0.0.1:9", supabase_key="sb_publishable_x"),
        load_model=FakeEmbedder,
    )

    code, said = run(away, "deliver")

    assert code == 1
    assert (said["delivered"], said["waiting"]) == (0, 1)
    assert "cannot be reached at 127.0.0.1:9" in said["problem"]
    assert "cannot be reached" in run(away, "status")[1]["problem"]


def test_what_fails_in_copying_is_told_and_does_not_slow_down_delivery(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pull(puller: Puller) -> Iterator[Arrived]:
        raise LookupError("a row that nobody thought of")

    monkeypatch.setattr(Puller, "pull", pull)
    store = Store(home / "store.db")
    environment = Environment(
        home=home,
        supabase_url="http://127.0.0.1:9",
        supabase_key="sb_publishable_x",
        supabase_secret_key="sb_secret_x",
    )
    delivery = Delivery(lambda: store, environment)

    delivery.start()
    end = time.monotonic() + 20
    while store.outbox.waiting().problem is None and time.monotonic() < end:
        time.sleep(0.01)
    delivery.stop()

    assert store.outbox.waiting().problem == "Delivery met what it should not have (LookupError)."
    assert delivery._failures == 0  # the next row goes at once
    assert delivery._owners_failures == 1


def test_the_words_for_a_person(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "Engine", lambda environment: engine)

    assert cli.main(["feedback", "status"]) == 0

    assert capsys.readouterr().out == "Saved here. No Supabase project is set up to deliver to.\n"


def test_keys_are_read_from_the_environment_and_never_shown() -> None:
    environment = Environment.load(
        {
            "SUPABASE_URL": " https://p.supabase.co ",
            "SUPABASE_KEY": "sb_publishable_1",
            "SUPABASE_SECRET_KEY": "sb_secret_2",
        }
    )

    assert environment.supabase_url == "https://p.supabase.co"
    assert (environment.supabase_key, environment.supabase_secret_key) == ("sb_publishable_1", "sb_secret_2")
    assert "sb_" not in repr(environment)
    assert Environment.load({"SUPABASE_URL": " "}).supabase_url is None
