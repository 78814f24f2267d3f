"""Answers that a model writes, through the engine: checked, rewritten, refused, replaced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rag.answering import DONT_KNOW, UNAVAILABLE
from rag.config import Environment
from rag.engine import Engine
from rag.errors import UsageError
from rag.generators.prompt import load_prompt
from rag.store import Store
from rag.types import Answer, Turn
from tests.chat_servers import ChatServer, Script, serve
from tests.conftest import write_files
from tests.fakes import FakeEmbedder

QUESTION = "What does the harbour permit cost?"
PERMIT = "The harbour permit costs 24 euros. It is valid for two weeks."
Ask = Callable[..., Answer]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """``ask(server, question, *history, key=value)`` asks with the OpenAI generator at that server."""
    tea = "Green tea is grown in the hills. It is picked in spring."
    folder = write_files(tmp_path / "files", {"fees.txt": PERMIT, "tea.txt": tea})
    home = tmp_path / "home"
    Engine(Environment(home=home), load_model=FakeEmbedder).ingest("shelf", [folder])

    def run(server: ChatServer, question: str = QUESTION, *history: Turn, abstain: object = "off") -> Answer:
        url = f"{server.url}/v1"
        environment = Environment(home=home, openai_api_key="sk-x", openai_base_url=url)
        engine = Engine(environment, load_model=FakeEmbedder)
        settings = replace(engine.prototype("shelf").settings, model="m", abstain=abstain)  # type: ignore[arg-type]
        return engine.ask("shelf", question, history=history, settings=settings).answer

    return run


def test_an_answer_is_checked_claim_by_claim(ask: Ask) -> None:
    pieces = ["The harbour permit costs 24 eur", "os [1]. It costs 42 dollars", " a year [1]."]
    with serve(Script(pieces)) as server:
        answer = ask(server)

    assert answer.text == "The harbour permit costs 24 euros. [1] It costs 42 dollars a year."
    assert (answer.generator, answer.abstained, answer.notices) == ("openai", False, ())
    assert [c.verdict for c in answer.claims] == ["verbatim", "unsupported"]
    assert [(c.number, c.quote) for c in answer.citations] == [(1, "The harbour permit costs 24 euros.")]
    assert answer.usage == {"input_tokens": 120, "output_tokens": 30}
    assert answer.quality is not None
    assert (answer.quality.recall, answer.quality.precision) == (0.5, 0.5)
    assert 0 < answer.seconds["first"] <= answer.seconds["total"]
    assert answer.provenance.prompt_version.startswith("cited-1-")


def test_what_the_model_was_told_is_kept_beside_the_answer(ask: Ask, tmp_path: Path) -> None:
    with serve(Script(["It costs 24 euros [1]."])) as server:
        ask(server)

    [parcel] = Store(tmp_path / "home" / "thumbprint.sqlite3").outbox.claim("answer")

    assert parcel.values["system_prompt"] == load_prompt().system


@pytest.mark.parametrize(
    "says",
    [[DONT_KNOW], ["I do", "n’t know from these documents"], ["The passages do not mention this."]],
)
def test_a_model_that_does_not_know_abstains(ask: Ask, says: list[str]) -> None:
    with serve(Script(says)) as server:
        answer = ask(server)

    assert answer.abstained
    assert answer.citations == ()


def test_below_the_threshold_no_model_is_called(ask: Ask) -> None:
    with serve(Script(["never"])) as server:
        answer = ask(server, "Who won the football cup?", abstain=1.0)

    assert (answer.abstained, answer.text) == (True, DONT_KNOW)
    assert server.requests == []


@pytest.mark.parametrize(
    "script",
    [
        Script(status=401),
        Script(status=404),
        Script(body="<html>", content_type="text/html"),
        Script([]),
    ],
)
def test_where_no_model_can_write_the_best_sentences_are_quoted(ask: Ask, script: Script) -> None:
    with serve(script) as server:
        answer = ask(server)

    assert answer.generator == "extractive"
    assert "The harbour permit costs 24 euros." in answer.text
    assert answer.notices[0].startswith(UNAVAILABLE)
    assert {c.verdict for c in answer.citations} == {"verbatim"}


def test_a_follow_up_is_rewritten_by_the_model_and_searched_with(ask: Ask) -> None:
    with serve(Script(["What does the harbour permit cost?"]), Script(["24 euros [1]."])) as server:
        answer = ask(server, "And what does it cost?", Turn("Is there a harbour permit?", "Yes."))

    assert (answer.question, answer.rewritten) == ("And what does it cost?", QUESTION)
    assert "Is there a harbour permit?" in server.requests[0]["messages"][1]["content"]


def test_where_rewriting_fails_the_rule_is_taken(ask: Ask) -> None:
    with serve(Script(status=400), Script(["24 euros [1]."])) as server:
        answer = ask(server, "And what does it cost?", Turn("Is there a harbour permit?", "Yes."))

    assert answer.rewritten == "Is there a harbour permit? And what does it cost?"


def test_a_generator_without_a_key_says_what_is_missing(tmp_path: Path) -> None:
    engine = Engine(Environment(home=tmp_path), load_model=FakeEmbedder)
    engine.ingest("shelf", [write_files(tmp_path / "f", {"a.txt": "Tea is green."})])
    settings = replace(engine.prototype("shelf").settings, generator="cohere")

    with pytest.raises(UsageError, match="COHERE_API_KEY"):
        engine.ask("shelf", "What is green?", settings=settings)
