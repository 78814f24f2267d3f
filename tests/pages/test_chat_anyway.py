"""A question below the threshold on the chat page, over a real engine and the wire of a model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from page_steps import SECRET, OpenApp, ask, conversation_id, settle, texts
from streamlit.testing.v1 import AppTest

from pages.ui import resources
from pages.ui.writing import Writings
from rag.answering import DONT_KNOW
from rag.config import Environment
from rag.engine import Engine
from rag.limits import Rates
from rag.links import Links
from rag.types import Answer
from tests.chat_servers import ChatServer, Script, serve
from tests.conftest import FILES, write_files
from tests.fakes import FakeEmbedder

CUP = "Who won the football cup?"
WRITTEN = "The night train leaves Vienna at ten [1]."


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with serve(Script([WRITTEN])) as running:
        yield running


@pytest.fixture
def engine(tmp_path: Path, server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A real engine with three documents and that model, which is never as sure as it should be."""
    environment = Environment(
        home=tmp_path / "home",
        openai_api_key="k",
        openai_base_url=f"{server.url}/v1",
        overrides={"model": "m", "abstain": "0.999"},
    )
    made = Engine(environment, load_model=FakeEmbedder)
    made.ingest("notes", [write_files(tmp_path / "docs", FILES)])
    writings, rates, links = Writings(), Rates(), Links(made)
    monkeypatch.setattr(resources, "engine", lambda: made)
    monkeypatch.setattr(resources, "writings", lambda: writings)
    monkeypatch.setattr(resources, "rates", lambda: rates)
    monkeypatch.setattr(resources, "links", lambda: links)
    return made


def stored(engine: Engine, at: AppTest) -> list[Answer]:
    return [answer for answer, _ in engine.store.conversation_answers(conversation_id(at), SECRET)]


def test_below_the_threshold_the_nearest_passages_are_offered_and_no_model_is_called(
    open_app: OpenApp, engine: Engine, server: ChatServer
) -> None:
    at = ask(open_app(prototype="notes"), CUP)

    assert "I don't know from these documents&#46;" in texts(at)
    assert next(pills for pills in at.pills if pills.label == "Nearest passages").options
    assert [button.label for button in at.button].count("Answer anyway") == 1
    (refused,) = stored(engine, at)
    assert (refused.abstained, refused.text) == (True, DONT_KNOW)
    assert server.requests == []


def test_answer_anyway_has_the_model_answer_in_the_place_of_the_refusal(
    open_app: OpenApp, engine: Engine, server: ChatServer
) -> None:
    at = ask(open_app(prototype="notes"), CUP)

    next(button for button in at.button if button.label == "Answer anyway").click()
    settle(at)

    (written,) = stored(engine, at)
    assert (written.question, written.abstained, written.generator) == (CUP, False, "openai")
    assert "The night train leaves Vienna at ten" in written.text
    assert "The night train leaves Vienna at ten" in texts(at)
    assert "I don't know" not in texts(at)
    assert [message.name for message in at.chat_message] == ["user", "assistant"]
    assert "Answer anyway" not in [button.label for button in at.button]
    (asked,) = [body for body in server.requests if body.get("stream")]
    assert CUP in asked["messages"][-1]["content"]


def test_an_answer_that_was_given_anyway_leaves_the_threshold_as_it_was(
    open_app: OpenApp, server: ChatServer
) -> None:
    at = ask(open_app(prototype="notes"), CUP)
    next(button for button in at.button if button.label == "Answer anyway").click()
    settle(at)

    ask(at, "Who was the first goalkeeper of the football cup?")

    assert "I don't know from these documents&#46;" in texts(at)
    assert [button.label for button in at.button].count("Answer anyway") == 1
    assert sum(bool(body.get("stream")) for body in server.requests) == 1
