"""Budgets in money, through the real SDK: never exceeded, and never the price of an answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rag.answering import BUDGET_SPENT
from rag.config import Environment, Limits
from rag.engine import Engine
from rag.errors import UsageError
from rag.limits import Allowance
from rag.links import Links
from rag.types import LinkCaps
from tests.chat_servers import Script, serve
from tests.conftest import write_files
from tests.fakes import FakeEmbedder

QUESTION = "Where is the spare key?"
PRICE = '[openai]\n"m" = { input = 1, output = 1000 }\n'
"""Dear, so that a few answers are dollars: 30 tokens written are 3 cents."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_files(tmp_path, {"docs/key.md": "# Keys\n\nThe spare key is at the front desk.\n"})
    write_files(tmp_path / "home", {"prices.toml": PRICE})
    return tmp_path / "home"


def engine_of(home: Path, url: str, limits: Limits) -> Engine:
    environment = Environment(
        home=home,
        openai_api_key="sk-x",
        openai_base_url=f"{url}/v1",
        overrides={"model": "m", "abstain": "off", "filters.by": "rule"},
        limits=limits,
    )
    engine = Engine(environment, load_model=FakeEmbedder)
    engine.ingest("desk", [home.parent / "docs"])
    return engine


def test_the_hard_stop_of_a_day(home: Path) -> None:
    reply = Script(["It is at the front desk [1]."], usage=(120, 30))
    with serve(reply) as server:
        engine = engine_of(home, server.url, Limits(dollars_per_day=1.5))
        answers = [engine.ask("desk", QUESTION).answer for _ in range(25)]

    written = [a for a in answers if a.generator == "openai"]
    quoted = [a for a in answers if BUDGET_SPENT in a.notices]
    assert len(written) + len(quoted) == 25
    assert written
    assert quoted
    assert all(a.generator == "extractive" and "front desk" in a.text for a in quoted)
    assert len(server.requests) == len(written)
    assert sum(a.cost or 0 for a in written) == pytest.approx(engine.purse.spent_today())
    assert engine.purse.spent_today() <= 1.5


def test_without_a_budget_everything_is_written(home: Path) -> None:
    with serve(Script(["At the front desk [1]."])) as server:
        engine = engine_of(home, server.url, Limits())
        answers = [engine.ask("desk", QUESTION).answer for _ in range(3)]
    assert [a.generator for a in answers] == ["openai"] * 3
    assert engine.purse.spent_today() == pytest.approx(3 * (120 + 30_000) / 1e6)


def test_an_unknown_price_is_quoted_under_a_budget(home: Path) -> None:
    (home / "prices.toml").unlink()
    with serve(Script(["At the front desk [1]."])) as server:
        engine = engine_of(home, server.url, Limits(dollars_per_day=100))
        answer = engine.ask("desk", QUESTION).answer
    assert (answer.generator, server.requests) == ("extractive", [])
    assert BUDGET_SPENT in answer.notices


def test_the_budget_of_a_link(home: Path) -> None:
    with serve(Script(["At the front desk [1]."])) as server:
        engine = engine_of(home, server.url, Limits())
        links = Links(engine)
        link, token = links.create("desk", caps=LinkCaps(dollars=1.5))
        settings = links.prototype(links.resolve(token, "prototype")).settings
        answers = []
        for _ in range(25):
            allowance = Allowance(link.id, 1.5, links.admit(link, "ann"))
            response = engine.ask("desk", QUESTION, settings=settings, link=link.id, allowance=allowance)
            answers.append(response.answer)
        outside = engine.ask("desk", QUESTION).answer
    (report,) = links.reports()
    assert {a.generator for a in answers} == {"openai", "extractive"}
    assert outside.generator == "openai"
    assert report.figures.dollars == pytest.approx(sum(a.cost or 0 for a in answers))
    assert report.figures.dollars <= 1.5
    assert {a.provenance.settings for a in answers} == {link.terms.fingerprint}


def test_questions_that_fail_do_not_use_the_budget_up(home: Path) -> None:
    with serve(Script(["At the front desk [1]."])) as server:
        engine = engine_of(home, server.url, Limits(dollars_per_day=2.0))
        for _ in range(20):
            with pytest.raises(UsageError):
                engine.ask("desk", QUESTION, where={"$what": 1})
        assert engine.purse.spent_today() == 0
        assert engine.ask("desk", QUESTION).answer.generator == "openai"


def test_a_failing_model_is_not_paid_twice(home: Path) -> None:
    with serve(Script(status=400, body='{"error": {"message": "no"}}')) as server:
        engine = engine_of(home, server.url, Limits(dollars_per_day=2.0))
        answer = engine.ask("desk", QUESTION).answer
    assert answer.generator == "extractive"
    assert replace(answer, notices=()).text
    assert engine.purse.spent_today() <= 2.0
