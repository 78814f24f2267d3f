"""Calls to a paid service, through the real SDKs: made again where that is safe, ended on Stop, counted."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import GenerationError
from rag.generators.calls import counted, retry_after
from rag.generators.cohere import CohereGenerator
from rag.generators.openai import OpenAIGenerator
from rag.generators.prompt import load_prompt
from tests.chat_servers import ChatServer, Script, serve

TURNED_AWAY = (400, 401, 402, 403, 404, 413, 422, 429)
SOON = 2.0
"""Seconds; what is slow here is so for a multiple of it."""
SLOW = 5 * SOON


def make(name: str, url: str, **options: Any) -> Any:
    options = {"key": "k", "model": "m", "prompt": load_prompt(), "timeout": SLOW, **options}
    if name == "cohere":
        return CohereGenerator(base_url=url, **options)
    return OpenAIGenerator(base_url=f"{url}/v1", **options)


def written(model: Any) -> str:
    return "".join(p for p in model.generate("What does it cost?", (), ()) if isinstance(p, str))


def completed(model: Any) -> str:
    return str(model.complete(load_prompt("standalone-1"), {"history": "h", "question": "q"}))


WAYS = {"streamed": written, "short": completed}


@pytest.fixture(params=["openai", "cohere"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=list(WAYS))
def way(request: pytest.FixtureRequest) -> Any:
    return WAYS[request.param]


def failed(script: Script, name: str, way: Any, **options: Any) -> tuple[ChatServer, Any, GenerationError]:
    """The server that was asked, the model, and how it failed."""
    with serve(script) as server:
        model = make(name, server.url, **options)
        with pytest.raises(GenerationError) as caught:
            way(model)
        server.release()
    return server, model, caught.value


@contextmanager
def asking(way: Any, model: Any) -> Iterator[threading.Thread]:
    """A thread that asks, and may fail."""

    def ask() -> None:
        with suppress(GenerationError):
            way(model)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    yield thread
    thread.join(SOON)
    assert not thread.is_alive(), "it still asks"


# --- again ----------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 502, 503])
def test_a_service_that_turns_away_for_now_is_asked_again(name: str, way: Any, status: int) -> None:
    with serve(Script(status=status), Script(["fine"])) as server:
        assert way(make(name, server.url)) == "fine"

    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 404, 408, 409, 500, 504, 529])
def test_any_other_error_is_final(name: str, way: Any, status: int) -> None:
    server, _, _ = failed(Script(status=status), name, way)

    assert len(server.requests) == 1


def test_so_often_and_no_more(name: str, way: Any) -> None:
    server, _, _ = failed(Script(status=503), name, way, retries=2)

    assert len(server.requests) == 3


def test_a_service_that_is_slow_to_begin_is_asked_once(name: str, way: Any) -> None:
    server, _, error = failed(Script(["late"], silent=SLOW), name, way, timeout=0.3)

    assert "in time" in str(error)
    assert len(server.requests) == 1


def test_a_connection_that_could_not_be_made_is_tried_again(name: str, way: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    found: list[str] = []
    model = make(name, f"http://127.0.0.1:{port}", retries=4)
    thread = threading.Thread(target=lambda: found.append(way(model)))
    thread.start()
    time.sleep(0.2)  # it has been refused by now
    with serve(Script(["fine"]), port=port):
        thread.join(SLOW)

    assert found == ["fine"]


def test_the_pause_is_what_the_service_asks_for(name: str, way: Any) -> None:
    began = time.monotonic()
    with serve(Script(status=503, headers={"retry-after": "1"}), Script(["fine"])) as server:
        assert way(make(name, server.url)) == "fine"

    assert 1 <= time.monotonic() - began < 1 + SOON


@pytest.mark.parametrize("headers", [{"retry-after": "3600"}, {"x-should-retry": "false"}])
def test_a_service_that_is_not_to_be_asked_soon_is_not(name: str, way: Any, headers: dict[str, str]) -> None:
    began = time.monotonic()
    server, _, error = failed(Script(status=429, headers=headers), name, way)

    assert "Wait a minute" in str(error)
    assert len(server.requests) == 1
    assert time.monotonic() - began < SOON


def test_one_request_that_is_too_large_for_its_limit_is_not_made_again(name: str, way: Any) -> None:
    said = "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 35021."
    body = json.dumps({"message": said, "error": {"message": said, "code": "rate_limit_exceeded"}})
    server, _, error = failed(Script(status=429, body=body), name, way)

    assert "too long for the model" in str(error)
    assert len(server.requests) == 1


KEY = "{key} holds a character that no key has. Copy the key again."
ADDRESS = "its address, or a proxy's, is none. Check that it begins with http:// or https://."
SOCKS = "a SOCKS proxy cannot be used here. Check ALL_PROXY and HTTPS_PROXY."


@pytest.mark.parametrize(
    ("key", "url", "proxy", "says"),
    [
        ("sk-a\nb", None, "", KEY),
        ("sk-ab\r", None, "", KEY),
        ("sk-“ab”", None, "", KEY),
        ("k", "localhost:1", "", ADDRESS),
        ("k", "http://localhost:port", "", ADDRESS),
        ("k", None, "http://localhost:port", ADDRESS),
        ("k", None, "socks5://127.0.0.1:9", SOCKS),
    ],
)
def test_what_cannot_be_sent_is_told_at_once_and_costs_nothing(
    monkeypatch: pytest.MonkeyPatch, name: str, way: Any, key: str, url: str | None, proxy: str, says: str
) -> None:
    monkeypatch.setattr("rag.generators.calls._FIRST_PAUSE", SLOW)
    monkeypatch.setenv("ALL_PROXY", proxy)
    began = time.monotonic()
    with serve(Script(["never"])) as server:
        model = make(name, url or server.url, key=key)
        with pytest.raises(GenerationError) as caught:
            way(model)

    who = "Cohere" if name == "cohere" else "The model server"
    assert str(caught.value) == f"{who} was not asked: {says.format(key=f'{name.upper()}_API_KEY')}"
    assert (caught.value.charged, model.spent, server.requests) == (False, [], [])
    assert time.monotonic() - began < SOON, "it was tried again"


def test_no_pause_goes_beyond_the_deadline(name: str, way: Any) -> None:
    began = time.monotonic()
    server, _, _ = failed(Script(status=503, headers={"retry-after": "3"}), name, way, deadline=1.0)

    assert len(server.requests) == 1
    assert time.monotonic() - began < SOON


# --- Stop -----------------------------------------------------------------------


def test_stop_ends_a_pause_and_nothing_is_asked_after_it(name: str, way: Any) -> None:
    with serve(Script(status=429, headers={"retry-after": "9"})) as server:
        model = make(name, server.url)
        with asking(way, model):
            assert server.arrived.wait(SLOW)
            time.sleep(0.2)  # it waits to ask again
            model.hang_up()

    assert len(server.requests) == 1


def test_after_stop_a_call_that_fails_is_not_made_again(name: str, way: Any) -> None:
    with serve(Script(status=503, silent=SLOW)) as server:
        model = make(name, server.url)
        with asking(way, model):
            assert server.arrived.wait(SLOW)
            model.hang_up()
            server.release()

    assert len(server.requests) == 1


def test_after_stop_a_stream_that_begins_is_hung_up(name: str) -> None:
    with serve(Script(["late"], silent=0.5, delay=SLOW)) as server:
        model = make(name, server.url)
        with asking(written, model):
            assert server.arrived.wait(SLOW)
            model.hang_up()
        server.release()


def test_once_stopped_nothing_is_asked_at_all(name: str, way: Any) -> None:
    stopped = threading.Event()
    stopped.set()
    server, model, error = failed(Script(["never"]), name, way, stopped=stopped)

    assert server.requests == []
    assert not error.charged
    assert model.spent == []


def test_whoever_sets_the_signal_ends_the_pause(name: str, way: Any) -> None:
    stopped = threading.Event()
    with (
        serve(Script(status=503, headers={"retry-after": "9"})) as server,
        asking(way, make(name, server.url, stopped=stopped)),
    ):
        assert server.arrived.wait(SLOW)
        stopped.set()

    assert len(server.requests) == 1


# --- too late -------------------------------------------------------------------

STREAM = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
WHOLE = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DRIPS = {
    "headers": Script(opening="HTTP/1.1 200 OK\r\nX-Slow: ", drip="x"),
    "interim replies": Script(opening="", drip="HTTP/1.1 102 Processing\r\n\r\n"),
    "comments": Script(opening=f"{STREAM}\r\n", drip=": keep-alive\n\n"),
    "half an event": Script(opening=f"{STREAM}\r\ndata: ", drip="x"),
    "half an event of a length": Script(opening=f"{STREAM}Content-Length: 9999\r\n\r\ndata: ", drip="x"),
    "chunks": Script(opening=f"{STREAM}Transfer-Encoding: chunked\r\n\r\n", drip="1\r\n:\r\n"),
    "an error": Script(opening="HTTP/1.1 400 Bad Request\r\n\r\n{", drip=" "),
}
"""Each resets the timeout of a read for ever: something comes every twentieth of a second."""
WHOLE_DRIPS = {
    "half a reply": Script(opening=f"{WHOLE}\r\n{{", drip=" "),
    "half a reply of a length": Script(opening=f"{WHOLE}Content-Length: 9999\r\n\r\n{{", drip=" "),
}


@pytest.mark.parametrize("script", DRIPS.values(), ids=DRIPS)
def test_what_drips_ends_at_the_deadline(name: str, way: Any, script: Script) -> None:
    ends_at_the_deadline(script, name, way)


@pytest.mark.parametrize("script", WHOLE_DRIPS.values(), ids=WHOLE_DRIPS)
def test_a_short_reply_that_drips_ends_at_the_deadline(name: str, script: Script) -> None:
    ends_at_the_deadline(script, name, completed)


def ends_at_the_deadline(script: Script, name: str, way: Any) -> None:
    began = time.monotonic()
    with serve(script) as server:
        model = make(name, server.url, timeout=0.3, deadline=0.6)
        with pytest.raises(GenerationError) as caught:
            way(model)
        took = time.monotonic() - began
        assert server.left.wait(SLOW), "the connection is still open"

    assert str(caught.value).endswith("took too long for one answer. Ask again.")
    assert 0.5 < took < 0.6 + SLOW
    assert caught.value.charged, "it may have been at work"
    assert len(server.requests) == 1


def test_a_stop_ends_what_drips_at_once(name: str, way: Any) -> None:
    with serve(DRIPS["headers"]) as server:
        model = make(name, server.url)
        with asking(way, model):
            assert server.arrived.wait(SLOW)
            time.sleep(0.2)
            model.hang_up()
        assert server.left.wait(SOON)

    assert len(server.requests) == 1


def test_a_list_of_models_that_drips_charges_nothing(way: Any) -> None:
    with serve(Script(["fine"], models=["m"] * 10, listing_drips=True)) as server:
        model = make("openai", server.url, model="", timeout=0.4, deadline=0.8)
        with pytest.raises(GenerationError, match="took too long for one answer") as caught:
            way(model)

    assert not caught.value.charged
    assert server.requests == []


def test_a_call_that_is_late_leaves_the_others_alone(name: str) -> None:
    """A doubted claim is shown to the model while its answer is still being written."""
    with serve(Script(["one ", "two"]), WHOLE_DRIPS["half a reply"]) as server:
        model = make(name, server.url, deadline=1.0)
        pieces = model.generate("What does it cost?", (), ())
        assert next(pieces) == "one "
        model._deadline = 0.3
        with pytest.raises(GenerationError, match="took too long"):
            completed(model)
        assert next(pieces) == "two"


# --- what it took ---------------------------------------------------------------


@pytest.mark.parametrize("status", TURNED_AWAY)
def test_what_was_turned_away_is_not_charged(name: str, way: Any, status: int) -> None:
    _, model, error = failed(Script(status=status), name, way, retries=0)

    assert not error.charged
    assert model.spent == []
    assert model.refused == (way is written)


def test_what_never_arrived_is_not_charged(name: str, way: Any) -> None:
    model = make(name, "http://127.0.0.1:9", retries=0)
    with pytest.raises(GenerationError) as caught:
        way(model)

    assert not caught.value.charged
    assert model.spent == []


@pytest.mark.parametrize(
    "script",
    [
        Script(status=500),
        Script(status=503),
        Script(["late"], silent=SLOW),
        Script(status=200, body="<html>"),
    ],
)
def test_what_may_have_been_at_work_may_be_charged(name: str, way: Any, script: Script) -> None:
    _, model, error = failed(script, name, way, retries=0, timeout=0.5)

    assert error.charged
    assert not model.refused
    assert model.spent == ([{}] if way is completed else [])


def test_a_first_try_that_may_have_been_paid_is_not_forgotten(name: str, way: Any) -> None:
    with serve(Script(status=502), Script(["fine"], usage=(7, 3))) as server:
        model = make(name, server.url)
        way(model)

    assert {} in model.spent


def test_a_server_that_cannot_list_its_models_charges_nothing(way: Any) -> None:
    """It is asked for them by a request of its own, before anything is written."""
    with serve(Script(["fine"], listing=500)) as server:
        model = make("openai", server.url, model="")
        with pytest.raises(GenerationError) as caught:
            way(model)
        assert not caught.value.charged
        assert model.spent == []
        server.scripts[:] = [Script(["fine"])]
        assert way(model) == "fine"

    assert server.paths[0] == "/v1/models"
    assert [body["model"] for body in server.requests] == ["local-model"]


def test_a_short_call_is_unknown_until_it_ends(name: str) -> None:
    with serve(Script(["fine"], usage=(7, 3), whole_delay=SLOW)) as server:
        model = make(name, server.url)
        with asking(completed, model):
            assert server.arrived.wait(SLOW)
            assert model.spent == [{}]
            server.release()

    assert model.spent == [{"input_tokens": 7, "output_tokens": 3}]


def usage_of(model: Any, way: Any) -> Any:
    """What the model counted of one call."""
    if way is completed:
        completed(model)
        return model.spent[-1]
    return list(model.generate("What does it cost?", (), ()))[-1].usage


def test_cohere_bills_fewer_tokens_than_it_processes(way: Any) -> None:
    counts = {
        "billed_units": {"input_tokens": 100.0, "output_tokens": 20.0},
        "tokens": {"input_tokens": 620.0, "output_tokens": 22.0},
    }
    with serve(Script(["fine"], counts=counts)) as server:
        found = usage_of(make("cohere", server.url), way)

    assert found == {"input_tokens": 100, "output_tokens": 20}


@pytest.mark.parametrize("billed", [{}, {"search_units": 1.0}, {"input_tokens": None, "output_tokens": 20.0}])
def test_where_it_does_not_say_what_it_bills_what_it_processed_counts(
    way: Any, billed: dict[str, float]
) -> None:
    counts = {"billed_units": billed, "tokens": {"input_tokens": 620.0, "output_tokens": 22.0}}
    with serve(Script(["fine"], counts=counts)) as server:
        found = usage_of(make("cohere", server.url), way)

    assert found == {"input_tokens": 620, "output_tokens": 22}


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("openai", {"total_tokens": 900}),
        ("openai", {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None}),
        ("openai", {"prompt_tokens": 800, "completion_tokens": None, "total_tokens": 900}),
        ("openai", {"prompt_tokens": "many", "completion_tokens": 5, "total_tokens": 900}),
        ("openai", {}),
        ("cohere", {"tokens": {"input_tokens": None, "output_tokens": None}}),
        ("cohere", {"tokens": {"input_tokens": 800.0}}),
        ("cohere", {"billed_units": {}, "tokens": {}}),
        ("cohere", {}),
    ],
)
def test_what_was_not_counted_is_unknown(way: Any, name: str, counts: dict[str, Any]) -> None:
    with serve(Script(["fine"], counts=counts)) as server:
        assert usage_of(make(name, server.url), way) == {}


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3)))
def test_whatever_stands_for_a_number_of_tokens_is_one_or_unknown(value: object) -> None:
    found = counted(value, 5)

    assert found in ({}, {"input_tokens": found.get("input_tokens"), "output_tokens": 5})
    assert 0 <= found.get("input_tokens", 0) <= 10**9


# --- Retry-After ----------------------------------------------------------------

NOW = 1_445_412_420.0
"""Wed, 21 Oct 2015 07:27:00 GMT."""


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 60.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:20:00 GMT"}, 0.0),
        ({"retry-after": "in a moment"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
        ({"retry-after": "inf"}, float("inf")),
    ],
)
def test_what_a_service_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@given(
    st.dictionaries(
        st.sampled_from(["retry-after", "retry-after-ms"]),
        st.one_of(
            st.text(max_size=20),
            st.floats().map(str),
            st.builds(
                "{}, {} Oct {} {}:28:00 {}".format, st.just("Wed"), *[st.integers(-9, 99_999)] * 3, st.text()
            ),
        ),
    )
)
def test_no_header_breaks_it(headers: dict[str, str]) -> None:
    seconds = retry_after(headers, NOW)

    assert seconds is None or seconds >= 0
