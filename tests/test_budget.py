"""Budgets in money, through the real SDK: never exceeded, and never the price of an answer."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from rag.answering import BUDGET_SPENT
from rag.config import Environment, Limits
from rag.engine import Engine
from rag.errors import GenerationError, LimitError, UsageError
from rag.limits import Allowance
from rag.links import Links
from rag.types import LinkCaps, Turn
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


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 429])
def test_what_a_service_turned_away_is_given_back(home: Path, status: int) -> None:
    with serve(Script(status=status)) as server:
        engine = engine_of(home, server.url, Limits(dollars_per_day=2.0))
        answers = [engine.ask("desk", QUESTION).answer for _ in range(5)]
        assert engine.purse.spent_today() == 0
        server.scripts[:] = [Script(["At the front desk [1]."])]
        assert engine.ask("desk", QUESTION).answer.generator == "openai"

    assert [(a.generator, a.cost, a.model, a.usage) for a in answers] == [("extractive", 0.0, "", {})] * 5


def test_what_never_reached_a_service_is_given_back(home: Path) -> None:
    engine = engine_of(home, "http://127.0.0.1:9", Limits(dollars_per_day=2.0))
    answer = engine.ask("desk", QUESTION).answer

    assert (answer.generator, answer.cost) == ("extractive", 0.0)
    assert engine.purse.spent_today() == 0


@pytest.mark.parametrize("script", [Script(status=500), Script(["At the "], cut=True), Script(body="<html>")])
def test_what_may_have_been_paid_stays_set_aside(home: Path, script: Script) -> None:
    with serve(script) as server:
        engine = engine_of(home, server.url, Limits(dollars_per_day=2.0))
        response = engine.ask("desk", QUESTION)
        with suppress(GenerationError):
            list(response)

    assert response.answer.cost is None
    assert engine.purse.spent_today() > 0.5


def test_a_follow_up_that_was_rewritten_is_paid_though_its_answer_was_turned_away(home: Path) -> None:
    with serve(Script(["Where is the spare key?"], usage=(100, 10)), Script(status=401)) as server:
        engine = engine_of(home, server.url, Limits(dollars_per_day=4.0))
        answer = engine.ask("desk", "And where is it?", history=[Turn("A spare key?", "Yes.")]).answer

    assert answer.generator == "extractive"
    assert answer.cost == pytest.approx((100 + 10_000) / 1e6)
    assert engine.purse.spent_today() == pytest.approx(answer.cost)


def test_a_model_that_thought_until_its_limit_is_paid_what_it_took(home: Path) -> None:
    with serve(Script(["<think>Hm. Which key"], finish="length")) as server:
        engine = engine_of(home, server.url, Limits(dollars_per_day=2.0))
        answer = engine.ask("desk", QUESTION).answer

    assert (answer.generator, answer.cost) == ("extractive", pytest.approx((120 + 30_000) / 1e6))


@pytest.mark.parametrize(
    "counts", [{"total_tokens": 900}, {"prompt_tokens": None, "completion_tokens": None, "total_tokens": 9}]
)
def test_tokens_that_were_not_counted_are_no_free_answer(home: Path, counts: dict[str, int]) -> None:
    with serve(Script(["At the front desk [1]."], counts=counts)) as server:
        engine = engine_of(home, server.url, Limits(dollars_per_day=2.0))
        answer = engine.ask("desk", QUESTION).answer

    assert (answer.usage, answer.cost) == ({}, None)
    assert engine.purse.spent_today() > 0.5


def test_a_written_answer_stays_where_the_budget_has_no_other_one(home: Path) -> None:
    secret = "s" * 43
    with serve(Script(["It is at the front desk [1]."])) as server:
        written = engine_of(home, server.url, Limits())
        talk = written.store.start_conversation(secret, "desk").id
        first = written.ask("desk", QUESTION, conversation_id=talk).answer
        engine = engine_of(home, server.url, Limits(dollars_per_day=0.0))
        with pytest.raises(LimitError, match="budget for answers by a model is used up"):
            engine.ask("desk", QUESTION, conversation_id=talk, replaces=first.id)
        quoted = engine.ask("desk", "Where is it?", conversation_id=talk).answer

    assert [answer for answer, _ in engine.store.conversation_answers(talk, secret)] == [first, quoted]
    assert BUDGET_SPENT in quoted.notices
