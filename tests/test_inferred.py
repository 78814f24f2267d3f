"""Filters that a model reads from a question: what it is asked, and what is taken of its reply."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag.config import Environment
from rag.engine import Engine
from rag.facets import FacetValues
from rag.guess.inferred import facet_sheet, read_inferred, schema
from rag.prototypes import Facet
from rag.types import Answer, Proposed
from tests.chat_servers import ChatServer, Script, serve
from tests.conftest import write_files
from tests.fakes import FakeEmbedder

FACETS = [
    FacetValues(Facet("country", "Country", "choice"), (("Portugal", 2), ("Spain", 1)), documents=3),
    FacetValues(Facet("dish", "Goes with", "list"), (("lamb", 2), ("stew", 1)), documents=3),
    FacetValues(Facet("price", "Price", "range", unit="€"), low=9.0, high=38.0, documents=3),
    FacetValues(Facet("year", "Vintage", "range"), low=1998.0, high=2023.0, documents=3),
    FacetValues(Facet("added", "Added", "date"), low=0.0, high=86_400.0 * 365, documents=3),
]
QUESTION = "Which Portuguese wine under 15 goes with lamb?"


def row(key: str, op: str, *values: object, words: str = "") -> dict[str, object]:
    return {"key": key, "op": op, "values": list(values), "words": words}


def read(*rows: dict[str, object]) -> list[tuple[str, Any]]:
    found = read_inferred(json.dumps({"filters": rows}), FACETS, QUESTION)
    return [(p.label, p.where) for p in found]


def test_a_model_is_told_the_facets_and_their_values() -> None:
    assert facet_sheet(FACETS).splitlines() == [
        '- country (Country): one value of "Portugal", "Spain"',
        '- dish (Goes with): a list of "lamb", "stew"',
        "- price (Price): a number from 9 to 38 €",
        "- year (Vintage): a number from 1998 to 2023",
        "- added (Added): a date from 1970-01-01 to 1971-01-01",
    ]
    item = schema(FACETS)["properties"]["filters"]["items"]
    assert item["properties"]["key"]["enum"] == ["country", "dish", "price", "year", "added"]
    assert item["additionalProperties"] is False
    assert item["required"] == ["key", "op", "values", "words"]


@pytest.mark.parametrize(
    ("given", "label", "where"),
    [
        (row("country", "is", "portugal"), "Country: Portugal", {"country": {"$in": ["Portugal"]}}),
        (row("country", "is not", "Spain"), "Country: not Spain", {"country": {"$nin": ["Spain"]}}),
        (row("dish", "has", "lamb"), "Goes with: lamb", {"dish": {"$contains": "lamb"}}),
        (
            row("dish", "has", "lamb", "stew"),
            "Goes with: lamb or stew",
            {"$or": [{"dish": {"$contains": "lamb"}}, {"dish": {"$contains": "stew"}}]},
        ),
        (row("price", "under", "15"), "Price under 15 €", {"price": {"$lt": 15.0}}),
        (row("price", "at least", 15), "Price 15 € or more", {"price": {"$gte": 15.0}}),
        (row("year", "over", "2015"), "Vintage after 2015", {"year": {"$gt": 2015.0}}),
        (row("added", "since", "1970-05-01"), "Added since 1 May 1970", {"added": {"$gte": 10_368_000}}),
    ],
)
def test_what_fits_is_proposed(given: dict[str, object], label: str, where: Any) -> None:
    assert read(given) == [(label, where)]


def test_the_words_of_the_question_are_found_in_it() -> None:
    reply = json.dumps({"filters": [row("price", "under", "15", words="Under 15")]})

    (found,) = read_inferred(reply, FACETS, QUESTION)

    assert QUESTION[found.start : found.end] == "under 15"


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "I would filter by country.",
        "{",
        "[]",
        '{"filters": {}}',
        '{"filters": [3]}',
        '{"where": {"country": "Portugal"}}',
        '{"filters": ' + json.dumps([row("country", "is", "Portugal")] * 50) + "}",
        "{" * 5_000 + "}" * 5_000,
        *(
            json.dumps({"filters": [row("country", "is", "Portugal"), bad]})
            for bad in (
                row("colour", "is", "red"),
                row("country", "is", "Atlantis"),
                row("country", "under", "Portugal"),
                row("country", "is"),
                row("dish", "is not", "lamb"),
                row("price", "under", "cheap"),
                row("price", "under", "nan"),
                row("price", "under", "1e999"),
                row("price", "under", True),
                row("price", "under", "9", "10"),
                row("added", "since", "yesterday"),
                row("added", "is", "1970-05-01"),
                {"key": ["country"], "op": "is", "values": ["Portugal"]},
                {"key": "country", "op": "is", "values": "Portugal"},
                {"key": "country", "op": {}, "values": ["Portugal"]},
            )
        ),
    ],
)
def test_a_reply_that_is_not_as_it_should_be_proposes_nothing(reply: str) -> None:
    assert read_inferred(reply, FACETS, QUESTION) == []


def test_json_may_stand_in_a_fence() -> None:
    reply = 'Here it is:\n```json\n{"filters": [{"key": "country", "op": "is", "values": ["Spain"]}]}\n```'

    assert [p.label for p in read_inferred(reply, FACETS, QUESTION)] == ["Country: Spain"]


# --- through the engine, over a socket ---------------------------------------

WINES = (
    "name,country,price,notes\n"
    "Pedra,Portugal,14,Pedra is a red wine that goes with lamb and stew.\n"
    "Salina,Spain,22,Salina is a red wine that goes with lamb and cheese.\n"
    "Velho,Portugal,9,Velho is a red wine that goes with pizza.\n"
)
ASKED = "Which Portuguese red wine goes with lamb?"
PORTUGAL = json.dumps({"filters": [row("country", "is", "Portugal", words="Portuguese")]})
Ask = Callable[..., Answer]


@pytest.fixture(params=["openai", "cohere"])
def ask(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ask]:
    """``ask(server, key=value)`` asks ASKED with that service at that server."""
    folder = write_files(tmp_path / "files", {"wines.csv": WINES})
    home = tmp_path / "home"
    about = 'title = "Shelf"\n[facets.country]\nlabel = "Country"\nkind = "choice"\n'
    write_files(home / "prototypes", {"shelf/prototype.toml": about})
    Engine(Environment(home=home), load_model=FakeEmbedder).ingest("shelf", [folder])

    def run(
        server: ChatServer, proposed: tuple[Proposed, ...] | None = None, accepted: Any = None, **changes: Any
    ) -> Answer:
        address = (
            {"cohere_api_key": "k", "cohere_base_url": server.url}
            if request.param == "cohere"
            else {"openai_api_key": "k", "openai_base_url": f"{server.url}/v1"}
        )
        engine = Engine(Environment(home=home, **address), load_model=FakeEmbedder)
        settings = replace(engine.prototype("shelf").settings, model="m", abstain="off", **changes)
        return engine.ask("shelf", ASKED, settings=settings, proposed=proposed, accepted=accepted).answer

    return run


def script(reply: str) -> Script:
    """An answer to what streams, and ``reply`` to what is asked beside it."""
    return Script(["Pedra goes with lamb [1]."], whole=reply)


def test_filters_are_offered_as_chips_while_the_answer_is_written(ask: Ask) -> None:
    with serve(script(PORTUGAL)) as server:
        answer = ask(server)

    where = {"country": {"$in": ["Portugal"]}}
    assert answer.proposed == (Proposed("Country: Portugal", where, applied=False),)
    assert answer.where is None
    (asked,) = [body for body in server.requests if not body.get("stream")]
    text = json.dumps(asked)
    assert "json_schema" in text
    assert "Portugal" in text
    assert ASKED in text


@pytest.mark.parametrize(("delay", "known"), [(0.0, True), (30.0, False)])
def test_filters_that_come_after_the_answer_leave_its_cost_unknown(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, delay: float, known: bool
) -> None:
    monkeypatch.setattr("rag.response._PATIENCE", 1.0)
    prices = "".join(f"[{service}]\nm = {{ input = 1, output = 1 }}\n" for service in ("openai", "cohere"))
    write_files(tmp_path / "home", {"prices.toml": prices})
    with serve(replace(script(PORTUGAL), whole_delay=delay)) as server:
        answer = ask(server)
        server.release()

    assert answer.generator != "extractive"
    assert answer.cost == (pytest.approx(2 * 150 / 1e6) if known else None)


def test_where_they_are_to_hold_the_passages_are_found_under_them(ask: Ask) -> None:
    with serve(script(PORTUGAL)) as server:
        answer = ask(server, filters_guess="on")

    assert [p.applied for p in answer.proposed] == [True]
    assert {p.metadata["country"] for p in answer.passages} == {"Portugal"}


@pytest.mark.parametrize(
    "reply", ['{"filters": []}', "no idea", json.dumps({"filters": [row("x", "is", 1)]})]
)
@pytest.mark.parametrize("guess", ["on", "off"])
def test_an_empty_or_invalid_reply_proposes_nothing(ask: Ask, reply: str, guess: str) -> None:
    with serve(script(reply)) as server:
        answer = ask(server, filters_guess=guess)

    assert (answer.proposed, answer.where) == ((), None)
    assert answer.text.startswith("Pedra")


def test_the_chips_of_a_question_that_is_asked_again_are_those_that_it_had(ask: Ask) -> None:
    chip = Proposed("Country: Spain", {"country": "Spain"}, applied=True)
    with serve(script(PORTUGAL)) as server:
        answer = ask(server, (chip,), [chip.where])

    assert answer.proposed == (chip,)
    assert all(body.get("stream") for body in server.requests)
    assert {p.metadata["country"] for p in answer.passages} == {"Spain"}


def test_by_rule_no_model_is_asked(ask: Ask) -> None:
    with serve(script(PORTUGAL)) as server:
        answer = ask(server, filters_by="rule")

    assert all(body.get("stream") for body in server.requests)
    assert [p.label for p in answer.proposed] == ["Country: Portugal"]


def test_where_the_model_cannot_be_asked_the_rule_proposes(ask: Ask) -> None:
    with serve(Script(["Pedra goes with lamb [1]."], whole_status=500)) as server:
        answer = ask(server)

    assert [p.label for p in answer.proposed] == ["Country: Portugal"]


@pytest.mark.parametrize("guess", ["on", "off"])
def test_a_model_is_not_told_what_the_filter_that_always_holds_leaves_out(ask: Ask, guess: str) -> None:
    spain = json.dumps({"filters": [row("country", "is", "Spain", words="Portuguese")]})
    with serve(script(spain)) as server:
        answer = ask(server, where={"country": "Portugal"}, filters_guess=guess)

    assert answer.proposed == ()
    (asked,) = [body for body in server.requests if not body.get("stream")]
    assert "Spain" not in json.dumps(asked)


def test_a_server_without_schemas_is_asked_without() -> None:
    from rag.generators.openai import OpenAIGenerator
    from rag.generators.prompt import load_prompt

    with serve(Script(whole="{}", no_schema=True)) as server:
        generator = OpenAIGenerator(
            key="k", base_url=f"{server.url}/v1", model="m", prompt=load_prompt(), retries=0
        )
        values = {"facets": "f", "today": "t", "question": "q"}
        for _ in range(2):
            assert generator.complete(load_prompt("filters-1"), values, schema=schema(FACETS)) == "{}"

    assert ["response_format" in body for body in server.requests] == [True, False, False]
