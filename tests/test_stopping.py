"""Stop before the first word: while a model rewrites a question or reads its filters, and before that.

Through the engine and the real SDKs, against a server on the loopback.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pages.ui.writing import Writing
from rag.config import Environment
from rag.engine import Engine
from rag.response import Response
from rag.types import Answer, Turn
from tests.chat_servers import ChatServer, Script, serve
from tests.conftest import write_files
from tests.fakes import FakeEmbedder, FakePreparation

FOLLOW_UP = "And what does it cost?"
BEFORE = (Turn("Is there a harbour permit?", "Yes."),)
SOON = 3.0
"""Seconds; the server keeps its replies back for ten times as long."""


class Waiting(FakeEmbedder):
    """Embeds a question when it is let."""

    def __init__(self, name: str = "fake") -> None:
        super().__init__(name)
        self.reached, self.go = threading.Event(), threading.Event()
        self.go.set()

    def embed_query(self, text: str) -> NDArray[np.float32]:
        self.reached.set()
        assert self.go.wait(10)
        return super().embed_query(text)


class Asked:
    """A question to a shelf of two files, on a thread of its own, as the page asks it."""

    def __init__(self, home: Path, service: str) -> None:
        self.embedder = Waiting()
        self.engine = Engine(Environment(home=home), load_model=lambda _: self.embedder)
        about = 'title = "Shelf"\n[facets.kind]\nlabel = "Kind"\nkind = "choice"\n'
        write_files(home / "prototypes", {"shelf/prototype.toml": about})
        lines = '{"text": "The harbour permit costs 24 euros.", "metadata": {"kind": "fee"}}\n'
        lines += '{"text": "Green tea is grown in the hills.", "metadata": {"kind": "tea"}}\n'
        self.engine.ingest("shelf", [write_files(home / "files", {"all.jsonl": lines})])
        self._service = service
        self.writing = Writing(FOLLOW_UP, where=None, replaces=None)
        self._thread: threading.Thread | None = None
        self.answers: list[Answer] = []

    def begin(self, server: ChatServer, **changes: Any) -> None:
        ask = partial(self.ask, server, **changes)
        self._thread = threading.Thread(target=self.writing.run, args=(FakePreparation, ask), daemon=True)
        self._thread.start()

    def ask(self, server: ChatServer, **changes: Any) -> Response:
        self.engine.environment = replace(
            self.engine.environment,
            **(
                {"cohere_api_key": "k", "cohere_base_url": server.url}
                if self._service == "cohere"
                else {"openai_api_key": "k", "openai_base_url": f"{server.url}/v1"}
            ),
        )
        settings = replace(self.engine.prototype("shelf").settings, model="m", abstain="off", **changes)
        stopped = self.writing.stopped
        response = self.engine.ask("shelf", FOLLOW_UP, history=BEFORE, settings=settings, stopped=stopped)
        self.answers.append(response.begun)
        return response

    def stop(self) -> Answer:
        """Press Stop; what is stored then."""
        began = time.monotonic()
        self.writing.stop()
        assert self.writing.wait(SOON), "the reader still waits"
        assert time.monotonic() - began < SOON
        return self.engine.store.answer(self.answers[0].id)


@pytest.fixture(params=["openai", "cohere"])
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> Asked:
    return Asked(tmp_path, request.param)


@pytest.fixture
def late() -> Iterator[ChatServer]:
    """A server that keeps whole replies back, and would stream at once."""
    with serve(Script(["24 euros [1]."], whole='{"filters": []}', whole_delay=10 * SOON)) as server:
        yield server
        server.release()


def streamed(server: ChatServer) -> list[dict[str, Any]]:
    return [body for body in server.requests if body.get("stream")]


def test_it_does_not_wait_for_a_follow_up_to_be_rewritten(asked: Asked, late: ChatServer) -> None:
    asked.begin(late)
    assert late.arrived.wait(10)

    answer = asked.stop()

    assert (answer.text, answer.stopped, answer.model) == ("", True, "")
    assert answer.rewritten == "Is there a harbour permit? And what does it cost?"
    assert answer.cost is None, "nobody knows what the call took"
    assert len(late.requests) == 1
    assert streamed(late) == []


def test_it_does_not_wait_for_filters_to_be_read(asked: Asked, late: ChatServer) -> None:
    asked.begin(late, rewrite="rule", filters_guess="on")
    assert late.arrived.wait(10)

    answer = asked.stop()

    assert (answer.text, answer.stopped) == ("", True)
    assert len(late.requests) == 1
    assert streamed(late) == []


def test_while_it_is_searched_no_model_is_asked_afterwards(asked: Asked, late: ChatServer) -> None:
    asked.embedder.reached.clear()
    asked.embedder.go.clear()
    asked.begin(late, rewrite="rule")
    assert asked.embedder.reached.wait(10)
    asked.writing.stop()
    asked.embedder.go.set()

    answer = asked.stop()

    assert (answer.text, answer.stopped, answer.model) == ("", True, "")
    assert answer.cost == 0.0
    time.sleep(0.1)  # a call beside it would have come by now
    assert late.requests == []


@pytest.mark.parametrize("rewrite", ["auto", "rule"])
def test_what_was_turned_away_is_not_asked_again_after_it(asked: Asked, rewrite: str) -> None:
    with serve(Script(status=429, headers={"retry-after": "1"})) as server:
        asked.begin(server, rewrite=rewrite, filters_by="rule")
        assert server.arrived.wait(10)

        answer = asked.stop()

        time.sleep(1.3)  # it would have been asked again by now
    assert (answer.text, answer.stopped) == ("", True)
    assert len(server.requests) == 1


@pytest.mark.parametrize("end", ["closed", "left", "read to its end"])
def test_once_the_answer_is_over_nobody_waits_for_its_filters(
    asked: Asked, late: ChatServer, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr("rag.response._PATIENCE", 0.2)
    late.scripts[0].pieces = ["24 euros [1]. ", "It is valid ", "for two weeks."]
    response = asked.ask(late, rewrite="rule")
    assert late.arrived.wait(10), "the filters are not being read"
    pieces = iter(response)
    next(pieces)
    assert not late.left.is_set()

    if end == "closed":
        response.close()
    elif end == "left":
        del pieces
    else:
        list(pieces)

    assert late.left.wait(SOON), "the call for the filters goes on"
    assert response.answer.cost is None


def test_without_stop_the_same_question_is_written_and_its_filters_are_read(
    asked: Asked, late: ChatServer
) -> None:
    late.release()
    asked.begin(late)
    assert asked.writing.wait(10)

    assert asked.writing.text == "24 euros. [1]"
    assert len(late.requests) == 3
    assert len(streamed(late)) == 1
