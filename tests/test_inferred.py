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
from rag.types import Answer, Proposed, Turn
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


def row(key: str, op: str, *values: object, words: str = "Portuguese") -> dict[str, object]:
    """A filter that a model names; by default for words that stand in QUESTION and in ASKED."""
    return {"key": key, "op": op, "values": list(values), "words": words}


def read(
    *rows: dict[str, object], question: str = QUESTION, rewritten: str | None = None
) -> list[tuple[str, Any]]:
    found = read_inferred(json.dumps({"filters": rows}), FACETS, question, rewritten)
    return [(p.label, p.where) for p in found or ()]


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
        (
            row("country", "is", "portugal", words="Portuguese"),
            "Country: Portugal",
            {"country": {"$in": ["Portugal"]}},
        ),
        (
            row("country", "is not", "Spain", words="not from Spain"),
            "Country: not Spain",
            {"country": {"$nin": ["Spain"]}},
        ),
        (row("dish", "has", "lamb", words="with lamb"), "Goes with: lamb", {"dish": {"$contains": "lamb"}}),
        (
            row("dish", "has", "lamb", "stew", words="lamb or stew"),
            "Goes with: lamb or stew",
            {"$or": [{"dish": {"$contains": "lamb"}}, {"dish": {"$contains": "stew"}}]},
        ),
        (row("price", "under", "15", words="under 15"), "Price under 15 €", {"price": {"$lt": 15.0}}),
        (row("price", "at least", 9, words="from 9"), "Price 9 € or more", {"price": {"$gte": 9.0}}),
        (row("year", "over", "2015", words="after 2015"), "Vintage after 2015", {"year": {"$gt": 2015.0}}),
        (
            row("added", "since", "1970-05-01", words="since May 1970"),
            "Added since 1 May 1970",
            {"added": {"$gte": 10_368_000}},
        ),
    ],
)
def test_what_fits_is_proposed(given: dict[str, object], label: str, where: Any) -> None:
    question = (
        "Which Portuguese wine, not from Spain, from 9 and under 15, after 2015 and since May 1970, "
        "goes with lamb or stew?"
    )

    assert read(given, question=question) == [(label, where)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("Under 15", "under 15"),
        ("“under  15”", "under 15"),
        ("under 15?", "under 15"),
        ("'good value'", "good” value"),
        ("good\nvalue", "good” value"),
        ("wein der GRÖSSE", "Wein der Größe"),
    ],
)
def test_the_words_of_the_question_are_found_in_it(words: str, said: str) -> None:
    question = "Which “good” value is under 15, İzmir’s Wein der Größe?"
    reply = json.dumps({"filters": [row("price", "under", "15", words=words)]})

    (found,) = read_inferred(reply, FACETS, question) or ()

    assert question[found.start : found.end] == said


@pytest.mark.parametrize(
    ("words", "question"),
    [
        ("", QUESTION),
        ("  ", QUESTION),
        ("“”", QUESTION),
        ("cheap", QUESTION),
        ("Spanish", QUESTION),
        ("goes lamb", QUESTION),
        ("which", QUESTION),
        ("red", "Who hundred wines?"),
        ("20", "What was made in 2015?"),
        ("15", "What was made in 2015?"),
    ],
)
def test_a_filter_for_words_that_nobody_said_is_none(words: str, question: str) -> None:
    assert read(row("price", "under", "15", words=words), question=question) == []
    reply = json.dumps({"filters": [row("price", "under", "15", words=words)]})
    assert read_inferred(reply, FACETS, question) is None, "the rule is asked"
    both = [row("price", "under", "15", words=question), row("country", "is", "Spain", words=words)]
    assert read(*both, question=question) == [], "and nor is what stands beside it"


FOLLOW_UP = "What about the cheaper ones from 2015?"
ALONE = "Which wines of Spain from 2015 are cheaper than 15 euros?"


@pytest.mark.parametrize(
    ("given", "question", "own"),
    [
        (row("year", "is", "2015", words="from 2015"), FOLLOW_UP, "from 2015"),
        (row("country", "is", "Spain", words="of Spain"), FOLLOW_UP, ""),
        (row("country", "is", "Spain", words="of Spain"), "And Spanish ones?", "Spanish"),
        (row("country", "is", "Spain", words="of Spain"), "Spare me the dearer ones?", ""),
        (row("country", "is", "Spain", words="Spain"), "And from Spain?", "Spain"),
        (row("price", "under", "15", words="cheaper than 15 euros"), "And under 15?", "15"),
        (row("price", "under", "15", words="cheaper than 15 euros"), "And under 150?", ""),
    ],
)
def test_what_makes_a_follow_up_stand_alone_may_say_it_too(
    given: dict[str, object], question: str, own: str
) -> None:
    (found,) = read_inferred(json.dumps({"filters": [given]}), FACETS, question, ALONE) or ()

    assert question[found.start : found.end] == own
    assert read(row("country", "is", "Portugal"), question=question, rewritten=ALONE) == []


GRAMMAR = [
    FacetValues(
        Facet("by", "By", "choice"),
        (("US", 1), ("IT", 1), ("WHO", 1), ("White", 1), ("Canada", 1), ("full-bodied", 1)),
        documents=3,
    ),
    FACETS[-1],
]


def named(question: str, rewritten: str | None, *rows: dict[str, object]) -> list[tuple[str, str]] | None:
    """The labels that are proposed of GRAMMAR, and the words of the question that each holds by."""
    found = read_inferred(json.dumps({"filters": rows}), GRAMMAR, question, rewritten)
    return found and [(p.label, question[p.start : p.end]) for p in found]


@pytest.mark.parametrize(
    ("value", "words", "question", "said"),
    [
        ("US", "from the us", "What is from the US?", "from the US"),
        ("IT", "IT", "Which rules of IT?", "IT"),
        ("WHO", "by WHO", "What was said by WHO?", "by WHO"),
        ("full-bodied", "full-bodied", "Which are full\u2011bodied?", "full\u2011bodied"),
    ],
)
def test_a_value_may_be_spelt_like_a_word_of_grammar_or_with_other_marks(
    value: str, words: str, question: str, said: str
) -> None:
    assert named(question, None, row("by", "is", value, words=words)) == [(f"By: {value}", said)]
    assert named("Who does it for us?", None, row("by", "is", value, words=words.lower())) is None


def test_may_is_a_month() -> None:
    found = named("What came before May?", None, row("added", "before", "1970-05-01", words="before May"))

    assert found == [("Added before 1 May 1970", "before May")]
    assert named("What may come?", None, row("added", "since", "1970-05-01", words="may")) is None


@pytest.mark.parametrize(
    ("value", "question", "own"),
    [
        ("White", "Which are cheaper?", ""),
        ("Canada", "Can I have cheaper ones?", ""),
        ("Canada", "And the Canadian ones?", "Canadian"),
    ],
)
def test_a_question_says_a_value_of_its_rewriting_by_a_word_that_is_not_grammar(
    value: str, question: str, own: str
) -> None:
    found = named(question, f"Are those of {value} cheaper?", row("by", "is", value, words=value))

    assert found == [(f"By: {value}", own)]


@pytest.mark.parametrize(
    ("op", "value", "question"),
    [
        ("under", "15000", "under 15,000"),
        ("under", "15000", "under 15 000"),
        ("under", "15000", "unter 15.000"),
        ("under", "12.5", "under 12.50 euros"),
        ("under", "12.5", "unter 12,50 Euro"),
        ("under", "15", "under fifteen euros"),
        ("under", "1500000", "under 1.5 million"),
        ("at most", "15", "no more than 15"),
        ("at least", "9", "from 9 up to 15"),
        ("at most", "15", "from 9 up to 15"),
        ("at most", "15", "2 bottles for at most 15 euros"),
    ],
)
def test_the_number_of_a_filter_is_one_of_its_words(op: str, value: str, question: str) -> None:
    assert len(read(row("price", op, value, words=question), question=question)) == 1


@pytest.mark.parametrize(
    ("given", "question"),
    [
        (row("price", "under", "1500", words="under 15 euros"), "under 15 euros"),
        (row("price", "under", "15", words="under 15"), "under 15,000"),
        (row("price", "under", "15", words="under 15"), "under 15 000"),
        (row("price", "under", "15", words="under 15,000"), "under 15,000"),
        (row("price", "under", "5", words="5 euros"), "under 1.5 euros"),
        (row("price", "under", "15", words="over 15"), "over 15"),
        (row("price", "at most", "15", words="more than 15"), "more than 15"),
        (row("price", "under", "15", words="above fifteen"), "above fifteen"),
        (row("price", "at most", "15", words="at least 15"), "at least 15"),
        (row("price", "over", "15", words="under 15"), "under 15"),
        (row("price", "at least", "15", words="no more than 15"), "no more than 15"),
        (row("price", "is", "15", words="under 15"), "under 15"),
        (row("price", {}, "15", words="under 15"), "under 15"),
        (row("country", "is", "Spain", words="not from Spain"), "Wine not from Spain"),
        (row("country", "is", "Spain", words="from Spain"), "Wine not from Spain"),
        (row("country", "is", "Spain", words="except Spain"), "Wine of anywhere except Spain"),
        (row("dish", "has", "lamb", words="without lamb"), "Wine that goes without lamb"),
        (row("dish", "has", "lamb", words="no lamb"), "Wine for no lamb"),
    ],
)
def test_a_filter_that_says_otherwise_than_its_words_is_none(given: dict[str, Any], question: str) -> None:
    assert read(given, question=question) == []


def test_marks_between_the_words_make_no_difference() -> None:
    given = row("country", "is", "Spain", "Portugal", words="Spain or Portugal")

    assert read(given, question="Of Spain, or Portugal?")[0][0] == "Country: Spain or Portugal"


def test_what_a_follow_up_denies_is_not_proposed_for_its_rewriting() -> None:
    of_spain = row("country", "is", "Spain", words="of Spain")

    assert read(of_spain, question="And not the Spanish?", rewritten=ALONE) == []


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
                {**row("country", "is", "Portugal"), "key": ["country"]},
                {**row("country", "is", "Portugal"), "values": "Portugal"},
                {**row("country", "is", "Portugal"), "op": {}},
                {**row("country", "is", "Portugal"), "words": ["Portuguese"]},
                {"key": "country", "op": "is", "values": ["Portugal"]},
            )
        ),
    ],
)
def test_a_reply_that_is_not_as_it_should_be_proposes_nothing(reply: str) -> None:
    assert read_inferred(reply, FACETS, QUESTION) is None
    assert read_inferred('{"filters": []}', FACETS, QUESTION) == []


def test_json_may_stand_in_a_fence() -> None:
    named = json.dumps({"filters": [row("country", "is", "Portugal")]})

    found = read_inferred(f"Here it is:\n```json\n{named}\n```", FACETS, QUESTION)

    assert [p.label for p in found or ()] == ["Country: Portugal"]


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
    """``ask(server, key=value)`` asks ASKED with that service at that server.

    With ``after``, ``question`` follows that turn; in a ``talk`` the answer belongs to a conversation.
    """
    folder = write_files(tmp_path / "files", {"wines.csv": WINES})
    home = tmp_path / "home"
    about = 'title = "Shelf"\n[facets.country]\nlabel = "Country"\nkind = "choice"\n'
    write_files(home / "prototypes", {"shelf/prototype.toml": about})
    Engine(Environment(home=home), load_model=FakeEmbedder).ingest("shelf", [folder])

    def run(
        server: ChatServer,
        proposed: tuple[Proposed, ...] | None = None,
        accepted: Any = None,
        *,
        question: str = ASKED,
        after: Turn | None = None,
        talk: bool = False,
        **changes: Any,
    ) -> Answer:
        address = (
            {"cohere_api_key": "k", "cohere_base_url": server.url}
            if request.param == "cohere"
            else {"openai_api_key": "k", "openai_base_url": f"{server.url}/v1"}
        )
        engine = Engine(Environment(home=home, **address), load_model=FakeEmbedder)
        settings = replace(engine.prototype("shelf").settings, model="m", abstain="off", **changes)
        return engine.ask(
            "shelf",
            question,
            history=(after,) if after else (),
            settings=settings,
            conversation_id=engine.store.start_conversation("s" * 43, "shelf").id if talk else None,
            proposed=proposed,
            accepted=accepted,
        ).answer

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
    ("reply", "labels"),
    [
        ('{"filters": []}', []),
        ("no idea", ["Country: Portugal"]),
        (json.dumps({"filters": [row("x", "is", 1)]}), ["Country: Portugal"]),
    ],
)
@pytest.mark.parametrize("guess", ["on", "off"])
def test_an_empty_reply_proposes_nothing_and_an_invalid_one_leaves_it_to_the_rule(
    ask: Ask, reply: str, labels: list[str], guess: str
) -> None:
    with serve(script(reply)) as server:
        answer = ask(server, filters_guess=guess)

    assert [p.label for p in answer.proposed] == labels
    assert (answer.where is None) == (not labels or guess == "off")
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


# --- follow-ups --------------------------------------------------------------

OF_SPAIN = Turn("Which wines of Spain are there?", "Salina.")
CHEAPER = "What about the cheaper ones?"
SPANISH = "Which wines of Spain are cheaper?"
SPAIN = {"country": {"$in": ["Spain"]}}


def rewriting(question: str, filters: str) -> tuple[Script, Script]:
    """The scripts of a server that makes a follow-up stand alone, and then reads those filters from it."""
    return Script(whole=question), script(filters)


def of_spain(words: str) -> str:
    return json.dumps({"filters": [row("country", "is", "Spain", words=words)]})


def test_the_filters_of_a_follow_up_are_read_from_what_makes_it_stand_alone(ask: Ask) -> None:
    with serve(*rewriting(SPANISH, of_spain("Spain"))) as server:
        answer = ask(server, question=CHEAPER, after=OF_SPAIN, filters_guess="on")

    assert (answer.question, answer.rewritten, answer.where) == (CHEAPER, SPANISH, SPAIN)
    assert {p.metadata["country"] for p in answer.passages} == {"Spain"}
    rewrite, read, write = server.requests
    assert [body.get("stream", False) for body in (rewrite, read, write)] == [False, False, True]
    assert f"Question: {SPANISH}" in read["messages"][1]["content"]


@pytest.mark.parametrize("guess", ["on", "off"])
def test_in_a_conversation_what_only_earlier_questions_named_is_offered(ask: Ask, guess: str) -> None:
    """Its reader may have removed it there."""
    with serve(*rewriting(SPANISH, of_spain("Spain"))) as server:
        answer = ask(server, question=CHEAPER, after=OF_SPAIN, talk=True, filters_guess=guess)

    assert answer.proposed == (Proposed("Country: Spain", SPAIN, applied=False),)
    assert answer.where is None
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("question", "alone", "words"),
    [
        ("And in Spain?", "Which wines of Spain are there?", "Spain"),
        ("And the Spanish ones?", "Which wines of Spain are there?", "Spain"),
        ("And in Spain?", "Which Spanish wines are there?", "Spanish"),
    ],
)
def test_what_a_follow_up_names_itself_holds_at_once(ask: Ask, question: str, alone: str, words: str) -> None:
    before = Turn("Which wines of Portugal are there?", "Pedra and Velho.")
    with serve(*rewriting(alone, of_spain(words))) as server:
        answer = ask(server, question=question, after=before, talk=True, filters_guess="on")

    assert (answer.rewritten, answer.where) == (alone, SPAIN)
    assert answer.proposed == (Proposed("Country: Spain", SPAIN, applied=True),)


def test_what_was_removed_from_a_follow_up_stays_removed(ask: Ask) -> None:
    removed = Proposed("Country: Spain", SPAIN, applied=False)
    with serve(*rewriting(SPANISH, of_spain("Spain"))) as server:
        answer = ask(server, (removed,), [], question=CHEAPER, after=OF_SPAIN, talk=True, filters_guess="on")

    assert (answer.proposed, answer.where) == ((removed,), None)
    assert len(server.requests) == 2, "nothing is read anew"


def test_a_filter_that_the_model_made_up_never_holds(ask: Ask) -> None:
    with serve(script(of_spain("Spanish"))) as server:
        answer = ask(server, filters_guess="on")

    assert [p.label for p in answer.proposed] == ["Country: Portugal"], "by rule"
    assert answer.where == {"country": "Portugal"}


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
