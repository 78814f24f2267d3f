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
        self.engine, self.service = engine, service
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


def is_one_sentence_to_act_on(text: str, act: str) -> bool:
    """Short, of one line, without a key, a page or a traceback; and it ends with what to do."""
    return (
        len(text) < 220
        and "\n" not in text
        and "<" not in text
        and KEY not in text
        and bool(re.search(act, text.rpartition(". ")[2] or text))
    )


def named(text: str, asked: Asked) -> str:
    """The text with what the service is called, and its settings, in place."""
    who, name = ("Cohere", "COHERE") if asked.service == "cohere" else ("The model server", "OPENAI")
    return text.format(who=who, key=f"{name}_API_KEY", model=f"{name}_MODEL")


ADDRESS = "Check the server's address, and ask again."
REFUSED = "{who} refused the request. Check the model's name and its settings."
TROUBLE = "{who} has a problem of its own (error %d). Ask again in a minute."
NOT_FOR_THIS_KEY = "{who} does not let this key use the model. Check {key}, or choose another model."
NOT_FOUND = "{who} does not know the model or the address. Check {model} and the server's address."
FITS_NOT = "The question and its passages are too long for the model. Lower k or budget."
BUSY = "{who} is being asked too much, or its quota is used up. Wait a minute and ask again."
TOO_BIG = "{who} has too little memory for the model. Choose a smaller one."
STOPPED = "{who} stopped with a problem of its own. Ask again in a minute."
UNPAID = "{who} has no credit left for this key. Check the plan and the billing of its account."
NOT_THAT = "{who} refused to answer this question. Ask it in other words."
BROKEN = "{who} broke off before the end of the answer. Ask again."


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (Script(status=400), REFUSED),
        (Script(status=401), "{who} refused the key. Check {key} and try again."),
        (Script(status=402), UNPAID),
        (Script(status=403), NOT_FOR_THIS_KEY),
        (Script(status=404), NOT_FOUND),
        (Script(status=408), "{who} did not answer in time. Ask again in a moment."),
        (Script(status=429), BUSY),
        (Script(status=500), TROUBLE % 500),
        (Script(status=503), TROUBLE % 503),
        (Script(status=529, body=HTML, content_type="text/html"), TROUBLE % 529),
        (Script(status=400, body=TOO_LONG), FITS_NOT),
        (Script(status=413), FITS_NOT),
        (Script(status=422), REFUSED),
        (Script(body="", content_type="text/event-stream"), BROKEN),
        (Script([]), "The model wrote nothing. Ask again, or ask in other words."),
        (Script([], finish=None), BROKEN),
        (Script([], cut=True), BROKEN),
        (Script([], drop=True), "{who} broke off in the middle. Ask again."),
        (Script([], finish="content_filter"), NOT_THAT),
        (Script([], finish="error"), STOPPED),
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
    turned_away = 400 <= script.status < 500 and script.status != 408
    assert answer.cost == (0.0 if turned_away else None)
    assert answer.notices == (UNAVAILABLE + named(says, here),)
    assert is_one_sentence_to_act_on(named(says, here), r"^(Check|Ask|Wait|Lower)\b")


@pytest.mark.parametrize(
    "script",
    [
        Script(body=HTML, content_type="text/html"),
        Script(body=HTML, content_type="text/html; charset=utf-8"),
        Script(body='{"hello": "from another server"}'),
    ],
)
def test_a_page_in_the_place_of_a_stream_points_to_the_address(
    asked: Callable[..., Asked], script: Script
) -> None:
    with serve(script) as server:
        here = asked(server)
        (notice,) = here.ask().answer.notices

    assert notice.startswith(named(f"{UNAVAILABLE}{{who}} sent something that is no answer", here))
    assert notice.endswith(ADDRESS)
    assert is_one_sentence_to_act_on(notice.removeprefix(UNAVAILABLE), "^Check the server's address")


SAID: list[tuple[int, Any, str]] = [
    # llama.cpp
    (
        400,
        {
            "code": 400,
            "message": "request (4390 tokens) exceeds the available context size, try increasing it",
            "type": "exceed_context_size_error",
        },
        FITS_NOT,
    ),
    (400, {"message": "the request exceeds the available context size. try increasing it"}, FITS_NOT),
    (500, {"code": 500, "message": "Context size has been exceeded.", "type": "server_error"}, FITS_NOT),
    # vLLM
    (400, {"message": "This model's maximum context length is 4096 tokens.", "code": 400}, FITS_NOT),
    (400, {"message": "The prompt (length 5000) is longer than the maximum model length of 4096."}, FITS_NOT),
    # OpenAI, and what stands in for Anthropic, Ollama, LM Studio, Gemini
    (400, {"message": "Your input exceeds the limit.", "code": "context_length_exceeded"}, FITS_NOT),
    (400, {"message": "prompt is too long: 210000 tokens > 200000 maximum"}, FITS_NOT),
    (400, {"message": "the input length exceeds the context length"}, FITS_NOT),
    (400, {"message": "The request exceeds the model's context"}, FITS_NOT),
    (400, {"message": "The input token count exceeds the maximum number of tokens allowed."}, FITS_NOT),
    (422, {"message": "too many tokens: size limit exceeded by 300 tokens"}, FITS_NOT),
    (400, "Cannot truncate prompt with n_keep (4107) >= n_ctx (4096)", FITS_NOT),
    (
        429,
        {
            "message": "Request too large for gpt-4o in organization org-x on tokens per min (TPM): "
            "Limit 30000, Requested 35021. The input or output tokens must be reduced.",
            "type": "tokens",
            "code": "rate_limit_exceeded",
        },
        FITS_NOT,
    ),
    # Ollama, llama.cpp
    (500, {"message": "model requires more system memory (5.6 GiB) than is available (3.1 GiB)"}, TOO_BIG),
    (500, {"message": "cudaMalloc failed: out of memory", "type": "api_error"}, TOO_BIG),
    # Anthropic, OpenAI
    (400, {"message": "Your credit balance is too low to access the API."}, UNPAID),
    (400, {"message": "Billing hard limit has been reached", "code": "billing_hard_limit_reached"}, UNPAID),
    # other reasons in words that are alike
    (400, {"message": "The name of the model is too long"}, REFUSED),
    (400, {"message": "max_tokens is too large: 5000. It supports at most 4096 tokens"}, REFUSED),
    (500, {"message": "Traceback: in context_window_of(model)"}, TROUBLE % 500),
    (429, {"message": "Rate limit reached: too many tokens per minute", "type": "tokens"}, BUSY),
    (429, {"message": "Rate limit reached. Raise it at https://example.com/account/billing"}, BUSY),
    (429, {"message": "You exceeded your current quota", "code": "insufficient_quota"}, UNPAID),
    (402, {"message": "Insufficient Balance"}, UNPAID),
    (400, {"message": "The response was filtered", "code": "content_filter", "param": "prompt"}, NOT_THAT),
]


@pytest.mark.parametrize(("status", "error", "says"), SAID)
def test_what_a_server_says_of_a_refusal_gives_the_advice(
    engine: Engine, status: int, error: Any, says: str
) -> None:
    refusal = Script(status=status, body=json.dumps({"error": error}), headers={"retry-after": "60"})
    with serve(refusal) as server:
        here = Asked("openai", engine, server)
        assert here.ask().answer.notices == (UNAVAILABLE + named(says, here),)


ASKS = "What is a context window? It is out of memory: my credit balance is too low"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        # FastAPI, and what it is made of by Mistral and vLLM
        (422, {"detail": [{"type": "missing", "loc": ["body"], "msg": "Field required", "input": ASKS}]}),
        (422, {"message": {"detail": [{"msg": "Field required", "input": {"content": ASKS}}]}}),
        (400, {"message": f"[{{'type': 'missing', 'msg': 'Field required', 'input': {{'a': '{ASKS}'}}}}]"}),
        (400, {"message": f"1 validation error [type=missing, input_value='{ASKS}', input_type=str]"}),
        (400, {"message": "No such setting", "request": {"messages": [ASKS]}}),
        (400, {"message": [[[[[[[[[[ASKS]]]]]]]]]]}),
    ],
)  # fmt: skip
def test_what_a_server_repeats_of_the_question_is_no_reason(
    asked: Callable[..., Asked], status: int, body: dict[str, Any]
) -> None:
    with serve(Script(status=status, body=json.dumps(body))) as server:
        here = asked(server)
        assert here.ask().answer.notices == (UNAVAILABLE + named(REFUSED, here),)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        *[(error, says) for status, error, says in SAID if status in (402, 429)],
        ({"message": "maximum context length is 8192", "code": "context_length_exceeded"}, FITS_NOT),
        ({"code": 500, "message": "Context size has been exceeded.", "type": "server_error"}, FITS_NOT),
        ({"code": 400, "message": "request (4390 tokens) exceeds the available context size"}, FITS_NOT),
        ({"code": 429, "message": "slow down"}, BUSY),
        ({"code": "429", "message": "slow down"}, BUSY),
        ("Rate limit exceeded", BUSY),
        ({"code": 402, "message": "pay"}, UNPAID),
        ({"code": 503, "message": "loading"}, TROUBLE % 503),
        (
            {"message": "The server had an error", "type": "server_error", "code": None},
            "{who} has a problem of its own. Ask again in a minute.",
        ),
        ({"message": "filtered", "code": "content_filter"}, NOT_THAT),
        ({"message": "hm"}, f"{{who}} sent something that is no answer (APIError). {ADDRESS}"),
    ],
)
@pytest.mark.parametrize("written", [[], WRITTEN], ids=["at once", "half way"])
def test_an_error_within_a_stream_gives_the_advice_of_its_kind(
    engine: Engine, error: Any, says: str, written: list[str]
) -> None:
    with serve(Script(written, fails=error)) as server:
        here = Asked("openai", engine, server)
        response = here.ask()
        if written:
            with pytest.raises(GenerationError):
                list(response)
        answer = response.answer

    assert answer.notices == ((BROKE_OFF if written else UNAVAILABLE) + named(says, here),)
    assert answer.cost is None, "the model may have been at work"


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (Script(WRITTEN, finish=None), BROKEN),
        (Script(WRITTEN, cut=True), BROKEN),
        (Script(WRITTEN, finish="content_filter"), NOT_THAT),
        (Script(WRITTEN, finish="content_filter: SAFETY"), NOT_THAT),
        (Script(WRITTEN, finish="abort"), STOPPED),
        (Script(WRITTEN, finish="insufficient_system_resource"), STOPPED),
        (Script(WRITTEN, drop=True), "{who} broke off in the middle. Ask again."),
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
    assert str(caught.value) == named(says, here)
    assert is_one_sentence_to_act_on(str(caught.value), "^Ask (again|it in other words)")


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


def test_an_answer_that_was_cut_where_the_model_is_full_says_what_to_lower(
    asked: Callable[..., Asked],
) -> None:
    with serve(Script(WRITTEN, finish="model_length")) as server:
        answer = asked(server).ask().answer

    assert answer.text == "The harbour permit costs 24 euros. [1] It is valid"
    told = "Cut off where the model could take no more: lower k or budget, or ask for less."
    assert answer.notices == (f"{CUT_OFF}{told}",)


def test_a_model_that_only_thought_until_its_limit_is_told_apart(asked: Callable[..., Asked]) -> None:
    with serve(Script([], finish="length")) as server:
        answer = asked(server).ask().answer

    (notice,) = answer.notices
    assert "before it wrote a word. Set max_tokens higher" in notice
    assert answer.generator == "extractive"
    assert is_one_sentence_to_act_on(notice.removeprefix(UNAVAILABLE), "^Set max_tokens higher")


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
    said = named("{who} did not answer in time. Ask again in a moment.", here)
    assert answer.notices == (UNAVAILABLE + said,)
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


@pytest.mark.parametrize("drip", [": keep-alive\n\n", "x"], ids=["comments", "half an event"])
def test_what_was_written_before_a_server_only_drips_is_kept(asked: Callable[..., Asked], drip: str) -> None:
    began = time.monotonic()
    with serve(Script(WRITTEN, drip=drip)) as server:
        here = asked(server, timeout=0.2)
        with pytest.raises(GenerationError) as caught:
            list(here.ask())
        took = time.monotonic() - began
        assert server.left.wait(5), "the connection is still open"

    assert str(caught.value) == named("{who} took too long for one answer. Ask again.", here)
    assert took < 6, "five times the timeout is a second"
    (answer,) = here.stored()
    assert answer.text == "The harbour permit costs 24 euros. [1] It is valid"
    assert [c.number for c in answer.citations] == [1]
    assert answer.notices == (f"{BROKE_OFF}{caught.value}",)


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
