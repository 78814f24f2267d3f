"""The work behind the feedback page: topics found, kept and completed; in the background and by command."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rag import cli
from rag.config import with_settings
from rag.engine import Engine
from rag.errors import PrototypeError, StoreError
from rag.insights import Insights
from rag.types import Answer

BEES = [
    f"How many {what} live in the hive of a queen?"
    for what in "bees drones workers larvae eggs mites".split()
]
TEA = [f"Which water brews {what} tea best?" for what in "green black white red cold iced".split()]


@pytest.fixture
def asked(engine: Engine, folder: Path) -> Engine:
    """Two subjects, six questions each, asked in a chat."""
    engine.ingest("notes", [folder])
    for question in [*BEES, *TEA]:
        ask(engine, question)
    return engine


def ask(engine: Engine, question: str, **how: object) -> Answer:
    return engine.ask("notes", question, **how).answer  # type: ignore[arg-type]


def quiet(_what: str, _done: int, _total: int) -> None:
    pass


def wait(insights: Insights) -> None:
    deadline = time.monotonic() + 30
    while insights.work.running:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def topics_of(engine: Engine) -> dict[str, int]:
    return dict(Insights(engine).topics("notes"))


def test_topics_are_found_and_every_question_has_one(asked: Engine) -> None:
    assert Insights(asked).group("notes", quiet) == 2
    found = topics_of(asked)
    assert sorted(found.values()) == [6, 6]
    assert any("hive" in name for name in found)
    assert any("tea" in name for name in found)


def test_new_questions_join_the_nearest_without_new_topics(asked: Engine) -> None:
    insights = Insights(asked)
    insights.group("notes", quiet)
    before = [topic.id for topic in asked.store.topics.all()]
    ask(asked, "How many wasps live in the hive of a queen?")
    ask(asked, "zzz yyy xxx")
    insights.catch_up()
    wait(insights)
    assert [topic.id for topic in asked.store.topics.all()] == before
    assert sorted(topics_of(asked).values()) == [6, 7]
    assert asked.store.topics.waiting() == {}


def test_batches_shape_no_topic(asked: Engine) -> None:
    for _ in range(30):
        ask(asked, "Which train leaves for Venice?", origin="batch")
    Insights(asked).group("notes", quiet)
    assert not any("train" in name for name in topics_of(asked))


def test_of_too_few_questions_there_are_no_topics(engine: Engine, folder: Path) -> None:
    engine.ingest("notes", [folder])
    ask(engine, BEES[0])
    assert Insights(engine).group("notes", quiet) == 0
    assert engine.store.topics.waiting() == {}


def test_a_prototype_that_is_not_there_is_told(engine: Engine) -> None:
    with pytest.raises(PrototypeError):
        Insights(engine).group("nowhere", quiet)


def test_where_nothing_waits_nothing_is_begun(asked: Engine) -> None:
    insights = Insights(asked)
    assert not insights.catch_up().running
    assert not any(thread.name == "insights" for thread in threading.enumerate())


def test_in_the_background_thumbs_down_are_looked_at(asked: Engine) -> None:
    answer = ask(asked, "How long do workers live in summer?")
    asked.store.add_feedback(answer.id, "down", reasons=["unsafe"])
    insights = Insights(asked)
    insights.catch_up()
    wait(insights)
    assert insights.work.error is None
    assert asked.store.findings.of([answer.id])[answer.id].failure == "should-refuse"


def test_a_failure_is_told_and_the_work_left_alone_for_a_while(
    asked: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = ask(asked, "How long do workers live in summer?")
    asked.store.add_feedback(answer.id, "down")
    insights = Insights(asked)

    def full(*_: object) -> None:
        raise StoreError("The disk is full. Free some space.")

    monkeypatch.setattr(asked.store.findings, "put", full)
    insights.catch_up()
    wait(insights)
    assert insights.work.error == "The disk is full. Free some space."
    assert not insights.catch_up().running
    monkeypatch.undo()
    monkeypatch.setattr("rag.insights.AGAIN", 0.0)
    insights.catch_up()
    wait(insights)
    assert insights.work.error is None
    assert asked.store.findings.waiting(1) == 0


def test_topics_of_another_model_are_not_added_to(asked: Engine, home: Path) -> None:
    Insights(asked).group("notes", quiet)
    ask(asked, "How many wasps live in the hive of a queen?")
    asked.store.topics.replace("notes", "another/model", [])
    assert not Insights(asked).catch_up().running


def test_an_answer_of_other_settings_is_searched_for_under_them(asked: Engine) -> None:
    settings = with_settings(asked.prototype("notes").settings, {"retrieval.candidates": 11})
    answer = ask(asked, "How long do workers live in summer?", settings=settings)
    asked.store.add_feedback(answer.id, "down")
    assert Insights(asked).triage(quiet) == 1


def test_the_commands_do_the_same(
    asked: Engine,
    new_engine: Callable[[], Engine],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = ask(asked, "How long do workers live in summer?")
    asked.store.add_feedback(answer.id, "down", reasons=["unsafe"])
    monkeypatch.setattr(cli, "Engine", lambda *_: new_engine())
    assert cli.main(["feedback", "topics", "--prototype", "notes", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["prototype"] == "notes"
    assert sum(row["answers"] for row in found["topics"]) == 13 - len(asked.store.topics.waiting())
    assert cli.main(["feedback", "triage", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"looked_at": 1, "failures": {"should-refuse": 1}}
    assert cli.main(["feedback", "triage"]) == 0
    assert "1  should-refuse" in capsys.readouterr().out
    assert cli.main(["feedback", "triage", "--prototype", "notes"]) == 0
    assert "1  should-refuse" in capsys.readouterr().out
    assert cli.main(["feedback", "triage", "--prototype", "nots"]) == 1
    said = capsys.readouterr()
    assert (said.out, "no prototype “nots”" in said.err) == ("", True)
