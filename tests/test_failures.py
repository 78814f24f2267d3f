"""Whatever goes wrong with a model ends in a stored record and one sentence that says what to do.

Through the engine and the real SDKs, against a server on the loopback.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from rag import show
from rag.answering import UNAVAILABLE
from rag.asking import same_filter
from rag.config import Environment
from rag.engine import Engine
from rag.errors import GenerationError
from rag.generators.failures import CUT_OFF
from rag.response import BROKE_OFF
from rag.types import Answer, Turn, Where
from tests.chat_servers import ChatServer, Script, serve
from tests.conftest import write_files
from tests.fakes import FakeEmbedder

KEY = "sk-secret-of-the-owner"
QUESTION = "What does the harbour permit cost?"
PERMIT = "The harbour permit costs 24 euros. It is valid for two weeks."
WRITTEN = ["The harbour permit ", "costs 24 euros [1]. ", "It is valid "]
HTML = "<html><body><h1>Log in to the captive portal</h1></body></html>"
TOO_LONG = '{"message": "too many tokens", "error": {"message": "maximum context length is 8192"}}'


SECRET = "s" * 43


class Asked:
    """An engine over one file, with a service at a server's address."""

    def __init__(self, service: str, engine: Engine, server: ChatServer, **changes: Any) -> None:
        address = (
            {"cohere_api_key": KEY, "cohere_base_url": server.url}
            if service == "cohere"
            else {"openai_api_key": KEY, "openai_base_url": f"{server.url}/v1"}
        )
        self.engine = engine
        engine.environment = Environment(home=engine.environment.home, **address)
        self._before = self._ids()
        settings = self.engine.prototype("shelf").settings
        self.settings = replace(settings, model="m", abstain="off", filters_by="rule", **changes)

    def ask(self, *history: Turn) -> Any:
        return self.engine.ask("shelf", QUESTION, settings=self.settings, history=history)

    def stored(self) -> list[Answer]:
        """What was stored since."""
        return [self.engine.store.answer(id) for id in self._ids() - self._before]

    def shown(self, answer: Answer) -> Any:
        """The answer as the command line prints it, in bytes and back."""
        printed = json.dumps(show.ask_json((None, answer)), ensure_ascii=False).encode()
        return json.loads(printed)

    def _ids(self) -> set[str]:
        with closing(sqlite3.connect(self.engine.store.path)) as database:
            return {row[0] for row in database.execute("SELECT id FROM answers")}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = write_files(tmp_path_factory.mktemp("files"), {"fees.txt": PERMIT})
    made = Engine(Environment(home=tmp_path_factory.mktemp("home")), load_model=FakeEmbedder)
    made.ingest("shelf", [folder])
    return made


@pytest.fixture(params=["openai", "cohere"])
def asked(request: pytest.FixtureRequest, engine: Engine) -> Callable[..., Asked]:
    return lambda server, **changes: Asked(request.param, engine, server, **changes)


def is_one_sentence_to_act_on(text: str) -> bool:
    """Short, of one line, without a key, a page or a traceback; and it says what to do."""
    acts = r"\b(Check|Ask|Wait|Lower|Set|Load)\b"
    return (
        len(text) < 220
        and "\n" not in text
        and "<" not in text
        and KEY not in text
        and bool(re.search(acts, text))
    )


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (Script(status=401), "refused the key"),
        (Script(status=403), "does not let this key"),
        (Script(status=404), "does not know the model"),
        (Script(status=429), "asked too much"),
        (Script(status=500), "problem of its own"),
        (Script(status=503), "problem of its own"),
        (Script(status=529, body=HTML, content_type="text/html"), "problem of its own"),
        (Script(status=400, body=TOO_LONG), "too long for the model"),
        (Script(status=413), "too long for the model"),
        (Script(status=422), "refused the request"),
        (Script(body=HTML, content_type="text/html"), ""),
        (Script(body="", content_type="text/event-stream"), "broke off"),
        (Script(body="data: {nonsense\n\n", content_type="text/event-stream"), ""),
        (Script([]), "wrote nothing"),
        (Script([], finish=None), "broke off"),
        (Script([], cut=True), ""),
        (Script([], finish="content_filter"), "refused to answer"),
    ],
)  # fmt: skip
def test_before_the_first_word_the_documents_are_quoted_and_the_reason_told(
    asked: Callable[..., Asked], script: Script, says: str
) -> None:
    with serve(script) as server:
        here = asked(server, timeout=5.0)
        answer = here.ask().answer

    assert here.stored() == [answer]
    assert "“The harbour permit costs 24 euros.” [1]" in answer.text
    assert (answer.generator, answer.model, answer.stopped) == ("extractive", "", False)
    assert {c.verdict for c in answer.citations} == {"verbatim"}
    turned_away = 400 <= script.status < 500
    assert answer.cost == (0.0 if turned_away else None)
    (notice,) = answer.notices
    assert notice.startswith(UNAVAILABLE)
    assert says in notice
    assert is_one_sentence_to_act_on(notice.removeprefix(UNAVAILABLE))


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (Script(WRITTEN, finish=None), "broke off"),
        (Script(WRITTEN, cut=True), ""),
        (Script(WRITTEN, finish="content_filter"), "refused to answer"),
        (Script(WRITTEN, drop=True), "broke off"),
    ],
)
def test_half_way_what_was_written_is_kept_with_its_citations_and_the_reason(
    asked: Callable[..., Asked], script: Script, says: str
) -> None:
    with serve(script) as server:
        here = asked(server)
        response = here.ask()
        with pytest.raises(GenerationError) as caught:
            list(response)

    (answer,) = here.stored()
    assert answer == response.answer
    assert answer.text == "The harbour permit costs 24 euros. [1] It is valid"
    assert [c.number for c in answer.citations] == [1]
    assert answer.stopped
    assert answer.notices == (f"{BROKE_OFF}{caught.value}",)
    assert says in str(caught.value)
    assert is_one_sentence_to_act_on(str(caught.value))


def test_an_answer_that_was_cut_at_its_length_is_kept_and_its_reader_told(
    asked: Callable[..., Asked],
) -> None:
    with serve(Script(WRITTEN, finish="length")) as server:
        here = asked(server, max_tokens=1_200)
        answer = here.ask().answer

    assert here.stored() == [answer]
    assert answer.text == "The harbour permit costs 24 euros. [1] It is valid"
    assert [c.number for c in answer.citations] == [1]
    assert (answer.stopped, answer.abstained) == (False, False)
    assert answer.usage == {"input_tokens": 120, "output_tokens": 30}
    told = "Cut off at 1,200 tokens: raise the setting max_tokens, or ask for less at once."
    assert answer.notices == (f"{CUT_OFF}{told}",)
    assert f"Note: {told}" in show.ask_text((None, answer))


def test_a_model_that_only_thought_until_its_limit_is_told_apart(asked: Callable[..., Asked]) -> None:
    with serve(Script([], finish="length")) as server:
        answer = asked(server).ask().answer

    (notice,) = answer.notices
    assert "before it wrote a word. Set max_tokens higher" in notice
    assert answer.generator == "extractive"
    assert is_one_sentence_to_act_on(notice.removeprefix(UNAVAILABLE))


def test_halves_of_characters_are_joined_or_replaced_and_break_nothing(asked: Callable[..., Asked]) -> None:
    pieces = ["The harbour permit \ud83d", "\ude00 costs 24 euros [1]. ", "It is valid \ude00 for long\ud83d"]
    with serve(Script(pieces)) as server:
        here = asked(server, rewrite="rule")
        answer = here.ask(Turn("A permit \ud83d?", "Yes \udc00, <|im_start|>\u200b.")).answer

    assert answer.text == "The harbour permit 😀 costs 24 euros. [1] It is valid \ufffd for long\ufffd [2]"
    assert here.stored() == [answer]
    assert here.shown(answer)["text"] == answer.text
    assert answer.notices == ()
    said = json.dumps(server.requests[0]["messages"], ensure_ascii=False)
    assert "A permit \ufffd?" in said
    assert "Yes \ufffd, ‹|im_start|>." in said


def test_half_a_character_at_the_end_of_what_broke_off_is_kept(asked: Callable[..., Asked]) -> None:
    with serve(Script([*WRITTEN, "for\ud83d"], cut=True)) as server:
        here = asked(server)
        with pytest.raises(GenerationError):
            list(here.ask())

    (answer,) = here.stored()
    assert "It is valid for\ufffd" in answer.text


def test_a_server_that_says_nothing_is_not_waited_for_longer_than_set(asked: Callable[..., Asked]) -> None:
    began = time.monotonic()
    with serve(Script(["late"], delay=30.0)) as server:
        here = asked(server, timeout=1.0)
        answer = here.ask().answer
        server.release()

    assert answer.generator == "extractive"
    assert is_one_sentence_to_act_on(answer.notices[0].removeprefix(UNAVAILABLE))
    assert time.monotonic() - began < 15
    assert here.stored() == [answer]


def test_a_server_that_drips_is_left_after_a_while_with_what_it_gave(asked: Callable[..., Asked]) -> None:
    began = time.monotonic()
    with serve(Script(["word "] * 200, delay=0.1)) as server:
        here = asked(server, timeout=0.3)
        with pytest.raises(GenerationError, match="too long for one answer"):
            list(here.ask())

    assert time.monotonic() - began < 12  # it drips for twenty
    (answer,) = here.stored()
    assert answer.text.startswith("word word")
    assert answer.notices[0].startswith(BROKE_OFF)


def test_a_server_that_never_ends_is_cut_off_with_what_it_gave(asked: Callable[..., Asked]) -> None:
    with serve(Script([*WRITTEN, *["and so on " * 1_000] * 1_000])) as server:  # ten million characters
        here = asked(server)
        with pytest.raises(GenerationError, match="far more than it was asked for"):
            list(here.ask())

        (answer,) = here.stored()
    assert 0 < len(answer.text) < 60_000
    assert [c.number for c in answer.citations] == [1]


def test_nobody_listens(asked: Callable[..., Asked]) -> None:
    here = asked(ChatServer([], url="http://127.0.0.1:9"))
    answer = here.ask().answer

    assert "cannot be reached" in answer.notices[0]
    assert answer.cost == 0.0
    assert "“The harbour permit costs 24 euros.” [1]" in answer.text
    assert here.stored() == [answer]


@pytest.mark.parametrize("status", [429, 502, 503])
def test_what_may_pass_is_tried_again_and_nothing_is_told(asked: Callable[..., Asked], status: int) -> None:
    with serve(Script(status=status), Script(["It is valid for two weeks [1]."])) as server:
        answer = asked(server).ask().answer

    assert answer.text == "It is valid for two weeks. [1]"
    assert answer.notices == ()
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 404, 408, 500, 504])
def test_what_will_not_pass_or_may_be_at_work_is_asked_once(asked: Callable[..., Asked], status: int) -> None:
    with serve(Script(status=status)) as server:
        assert asked(server).ask().answer.generator == "extractive"

    assert len(server.requests) == 1


def test_a_stream_that_has_begun_is_never_asked_for_again(asked: Callable[..., Asked]) -> None:
    with serve(Script(WRITTEN, cut=True)) as server, pytest.raises(GenerationError):
        list(asked(server).ask())

    assert len(server.requests) == 1


def test_stopping_keeps_what_was_written_and_closes_the_connection(asked: Callable[..., Asked]) -> None:
    with serve(Script([*WRITTEN, *["and so on "] * 500], delay=0.01)) as server:
        here = asked(server)
        response = here.ask()
        read = ""
        for piece in response:
            read += piece
            if "[1]" in read:
                response.close()

        (answer,) = here.stored()
        assert answer.stopped
        assert answer.text == read
        assert [c.number for c in answer.citations] == [1]
        assert answer.notices == ()
        assert server.left.wait(5), "the server writes to nobody"


def test_stopping_does_not_wait_for_a_server_that_says_nothing(asked: Callable[..., Asked]) -> None:
    with serve(Script(["late"], delay=30.0)) as server:
        here = asked(server)
        response = here.ask()
        reader = threading.Thread(target=lambda: list(response), daemon=True)
        reader.start()
        assert server.arrived.wait(5)
        began = time.monotonic()
        response.close()

        assert time.monotonic() - began < 2
        assert here.stored() == [response.answer]
        reader.join(10)  # before the server has said a word
        assert not reader.is_alive(), "the thread still waits for the server"
    assert (response.answer.text, response.answer.stopped) == ("", True)


# --- written anew --------------------------------------------------------------------------


class Anew:
    """A conversation of one answer, to be written again when the service does not answer."""

    def __init__(self, here: Asked, **first: Any) -> None:
        self._here = here
        self.id = here.engine.store.start_conversation(SECRET, "shelf").id
        self.first = self.ask(None, **first).answer

    def ask(self, replaces: Answer | None, **changes: Any) -> Any:
        return self._here.engine.ask(
            "shelf",
            QUESTION,
            conversation_id=self.id,
            replaces=replaces.id if replaces else None,
            **{"settings": self._here.settings, **changes},
        )

    def shown(self) -> list[Answer]:
        answers = self._here.engine.store.conversation_answers(self.id, SECRET)
        return [answer for answer, _ in answers]


def test_a_quotation_does_not_take_the_place_of_a_written_answer(asked: Callable[..., Asked]) -> None:
    with serve(Script(["It costs 24 euros [1]."]), Script(status=401)) as server:
        here = asked(server)
        anew = Anew(here)
        response = anew.ask(anew.first)
        with pytest.raises(GenerationError, match="refused the key"):
            list(response)

    assert anew.shown() == [anew.first]
    assert anew.first.text == "It costs 24 euros. [1]"
    failed = response.answer
    assert failed in here.stored()
    assert (failed.text, failed.stopped) == ("", True)
    assert failed.notices[0].startswith(BROKE_OFF)


def test_stopped_before_its_first_word_the_answer_before_is_shown(asked: Callable[..., Asked]) -> None:
    with serve(Script(["It costs 24 euros [1]."])) as server:
        here = asked(server)
        anew = Anew(here)
        response = anew.ask(anew.first)
        response.close()

    assert anew.shown() == [anew.first]
    assert response.answer in here.stored()


def test_what_quotes_or_does_not_know_is_quoted_anew(asked: Callable[..., Asked]) -> None:
    with serve(Script(status=401)) as server:
        anew = Anew(asked(server))
        second = anew.ask(anew.first).answer
    assert anew.first.generator == second.generator == "extractive"
    assert anew.shown() == [second]

    with serve(Script(["I don't know from these documents."]), Script(status=401)) as server:
        anew = Anew(asked(server))
        second = anew.ask(anew.first).answer
    assert anew.first.abstained
    assert anew.shown() == [second]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (None, None, True),
        (None, {"a": 1}, False),
        ({"a": 1}, {"b": 1}, False),
        ({"a": 1, "b": {"$gt": 2}}, {"$and": [{"b": {"$gt": 2}}, {"a": {"$eq": 1}}]}, True),
        ({"b": {"$gt": 2}}, {"b": {"$gt": 3}}, False),
    ],
)
def test_filters_are_the_same_in_any_form(one: Where | None, other: Where | None, same: bool) -> None:
    assert same_filter(one, other) == same_filter(other, one) == same


def test_under_another_filter_what_no_model_could_write_is_quoted(asked: Callable[..., Asked]) -> None:
    with serve(Script(["It costs 24 euros [1]."]), Script(status=401)) as server:
        anew = Anew(asked(server))
        second = anew.ask(anew.first, where={"type": "text"}).answer

    assert second.generator == "extractive"
    assert anew.shown() == [second]


def test_who_chose_to_have_it_quoted_gets_the_quotation(asked: Callable[..., Asked]) -> None:
    with serve(Script(["It costs 24 euros [1]."])) as server:
        here = asked(server)
        anew = Anew(here)
        second = anew.ask(anew.first, settings=replace(here.settings, generator="extractive")).answer

    assert anew.shown() == [second]
