"""Answers that a model writes, through the engine: checked, rewritten, refused, replaced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rag.answering import DONT_KNOW, UNAVAILABLE, by_model, checked
from rag.cite import judge
from rag.config import Environment
from rag.engine import Engine
from rag.errors import GenerationError, UsageError
from rag.generators.openai import OpenAIGenerator
from rag.generators.prompt import MAX_HISTORY, load_prompt
from rag.rewrite import standalone
from rag.store import Store
from rag.types import Answer, Cited, Draft, Passage, Turn
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
    [
        [DONT_KNOW],
        ["I do", "n’t know from these documents"],
        ["The passages do not mention this."],
        ["I don't know from these documents [1]."],
        ["The documents do not say [1]. Please ask at the desk."],
    ],
)
def test_a_model_that_does_not_know_abstains(ask: Ask, says: list[str]) -> None:
    with serve(Script(says)) as server:
        answer = ask(server)

    assert answer.abstained
    assert answer.citations == ()


def read(source: str, *pieces: str | Cited) -> Draft:
    """What becomes of those pieces of a model, by one source and the rules of the checker."""
    passage = Passage("d", "d.txt", "D", 0, len(source), source, 1.0, "fused")
    drafts = [p for p in checked(iter([*pieces, Draft("", ())]), [passage], judge) if isinstance(p, Draft)]
    return drafts[-1]


@pytest.mark.parametrize(
    "says",
    [
        "The documents do not mention dogs. The permit costs 500 euros.",
        "The permit costs 500 euros. Dogs are not mentioned in the documents.",
        "I don't know from these documents.\n\nHowever, the permit costs 500 euros.",
        "The permit costs 500 euros [7]. The passages do not mention dogs.",
    ],
)
def test_what_is_claimed_beside_a_refusal_is_checked(says: str) -> None:
    draft = read("The permit costs 24 euros.", says)

    [claim] = draft.claims
    assert (draft.abstained, claim.verdict) == (False, "unsupported")
    assert "number" in claim.reasons


def test_what_has_neither_a_letter_nor_a_figure_is_no_answer() -> None:
    with pytest.raises(GenerationError, match="wrote nothing"):
        read("The permit costs 24 euros.", "...")


def test_a_refusal_keeps_what_is_told_about_it() -> None:
    pieces = [DONT_KNOW, Draft("", (), notices=("The model was cut off.",))]
    drafts = [p for p in checked(iter(pieces), [], judge) if isinstance(p, Draft)]

    assert (drafts[-1].abstained, drafts[-1].notices) == (True, ("The model was cut off.",))


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            "You must provide documents before the third day.",
            "You do not need to provide any documents before the third day",
        ),
        ("Travel documents give a right to stay.", "Travel documents do not give a right to stay"),
    ],
)
def test_a_false_claim_that_reads_like_a_refusal_is_a_claim(source: str, says: str) -> None:
    draft = read(source, f"{says} [1].")

    assert (draft.text, draft.citations, draft.abstained) == (f"{says}.", (), False)
    assert [(c.verdict, c.cited, draft.text[c.start : c.end]) for c in draft.claims] == [
        ("unsupported", (0,), f"{says}.")
    ]
    assert draft.quality is not None
    assert draft.quality.recall == 0


THOUGHT = "<think>The user asks about passage [1]. I don't know.\n</think>\n\n"


@pytest.mark.parametrize("size", [1, 3, 7, 1_000])
def test_what_a_model_thought_before_it_wrote_is_no_part_of_the_answer(ask: Ask, size: int) -> None:
    text = f"{THOUGHT}The harbour permit costs 24 euros [1]."
    with serve(Script([text[n : n + size] for n in range(0, len(text), size)])) as server:
        answer = ask(server)

    assert answer.text == "The harbour permit costs 24 euros. [1]"
    assert [(c.start, c.end, c.verdict) for c in answer.claims] == [(0, 34, "verbatim")]
    assert (answer.notices, answer.abstained) == ((), False)


def test_a_refusal_is_known_behind_a_thought(ask: Ask) -> None:
    with serve(Script([THOUGHT, DONT_KNOW])) as server:
        answer = ask(server)

    assert (answer.text, answer.abstained, answer.claims) == (DONT_KNOW, True, ())


def test_what_began_like_a_thought_and_was_none_is_the_answer(ask: Ask) -> None:
    with serve(Script(["<thin"])) as server:
        answer = ask(server)

    assert (answer.text, answer.abstained) == ("<thin", False)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (Script(["<think>Which ", "permit"], finish="length"), "Set max_tokens higher"),
        (Script(["<think>Which ", "permit"]), "wrote nothing"),
        (Script(["<think>Which ", "permit"], finish=None), "broke off"),
    ],
)
def test_a_thought_that_never_ends_is_no_answer(ask: Ask, script: Script, says: str) -> None:
    with serve(script) as server:
        answer = ask(server)

    assert (answer.generator, answer.text) == ("extractive", "“The harbour permit costs 24 euros.” [1]")
    assert answer.notices[0].startswith(UNAVAILABLE)
    assert says in answer.notices[0]


def test_a_citation_beside_the_text_counts_from_before_the_thought() -> None:
    first = f"{THOUGHT}The harbour permit costs 24 euros."
    late = Cited(len(first) - 9, len(first), (0,))
    draft = read(PERMIT, f"{first} ", "The mayor was", late, " elected twice.")

    assert [c.cited for c in draft.claims] == [(), ()]
    draft = read(PERMIT, first, late, " The mayor was elected twice.")
    assert [c.cited for c in draft.claims] == [(0,), ()]


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


def test_a_follow_up_to_a_long_answer_is_rewritten_from_its_question_and_its_beginning(ask: Ask) -> None:
    with serve(Script(["What does the harbour permit cost?"]), Script(["24 euros [1]."])) as server:
        ask(server, "And what does it cost?", Turn("Is there a harbour permit?", "Yes, since May. " * 1_000))

    rewriting, writing = (body["messages"] for body in server.requests)
    assert "Question: Is there a harbour permit?\nAnswer: Yes, since May. " in rewriting[1]["content"]
    assert len(rewriting[1]["content"]) < 2_200
    assert [m["role"] for m in writing] == ["system", "user", "assistant", "user"]
    assert writing[1]["content"] == "Is there a harbour permit?"
    assert len(writing[1]["content"] + writing[2]["content"]) == MAX_HISTORY


@pytest.mark.parametrize(
    "repeated", ["And what does it cost?", '"and what does it cost"', "And what does  it cost ?"]
)
def test_a_model_that_repeats_a_follow_up_leaves_it_to_the_rule(ask: Ask, repeated: str) -> None:
    with serve(Script([repeated]), Script(["24 euros [1]."])) as server:
        answer = ask(server, "And what does it cost?", Turn("Is there a harbour permit?", "Yes."))

    assert answer.rewritten == "Is there a harbour permit? And what does it cost?"


SAID = Turn("Is there a harbour permit?", "Yes, from the office of St. Kranz. It costs 24 euros.")


@pytest.mark.parametrize(
    "reply",
    [
        f"Rewritten question: {QUESTION}",
        f"**Standalone question:** {QUESTION}",
        f"Sure! Here is the rewritten question:\n\n> {QUESTION}",
        f"Question: {SAID.question}\nAnswer: {SAID.text}\nRewritten question: {QUESTION}",
        f"- **{QUESTION}**",
        f"1. “{QUESTION}”",
        f"```\n{QUESTION}\n```",
        f"{QUESTION}\n\nThe last question asks for its price.",
    ],
)
def test_what_stands_around_the_rewriting_of_a_follow_up_is_no_part_of_it(ask: Ask, reply: str) -> None:
    with serve(Script([reply]), Script(["24 euros [1]."])) as server:
        answer = ask(server, "And what does it cost?", SAID)

    assert answer.rewritten == QUESTION


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        ("And what does it cost?", "What does the harbour permit cost"),
        ("And what does it cost?", "Tell me what the harbour permit costs."),
        ("And what does it cost?", "Is the harbour permit of the office of St. Kranz still 24 euros?"),
        ("the price in winter", "price of the harbour permit in winter"),
        ("and in Lodz?", "Is there a harbour permit in Lodz?"),
        ("Was kostet er?", "Was kostet der Harbour Permit?"),
        ("它多少钱？", "harbour permit 多少钱？"),
    ],
)
def test_a_rewriting_needs_no_question_mark_and_may_take_from_the_answers(
    ask: Ask, question: str, reply: str
) -> None:
    with serve(Script([reply]), Script(["24 euros [1]."])) as server:
        answer = ask(server, question, SAID)

    assert answer.rewritten == reply


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        ("And what does it cost?", "It costs 24 euros."),
        ("And what does it cost?", "The harbour permit costs 24 euros"),
        ("And what does it cost?", "The harbour permit costs 24 euros. What else?"),
        ("And what does it cost?", "I don't know from these documents."),
        ("And what does it cost?", "I don't know from these documents. What is the permit?"),
        ("And what does it cost?", "Which permit is not mentioned in the documents?"),
        ("And what does it cost?", "Rewritten question: how much is it?"),
        ("And what does it cost?", "What does the harbour permit cost in 2019?"),
        ("And what does it cost?", "What does the harbour permit of Lodz cost?"),
        ("And what does it cost?", f"{QUESTION}\nWhat is a harbour permit?"),
        ("And what does it cost?", "Which permit do you mean?"),
        ("And what does it cost?", "How can I help you?"),
        ("And what does it cost?", "Rewritten question:"),
        ("And what does it cost?", f"{QUESTION} {'And what then? ' * 30}"),
        ("And what does it cost?", f"{'It asks for the price. ' * 100}\nRewritten question: {QUESTION}"),
        ("And what does it cost?", SAID.question),
        ("and its price", "24 euros"),
        ("and its price", "The price is given by the office."),
        ("and its price", "I cannot help with that"),
    ],
)
def test_a_reply_that_is_no_rewriting_leaves_a_follow_up_to_the_rule(
    ask: Ask, question: str, reply: str
) -> None:
    with serve(Script([reply]), Script(["24 euros [1]."])) as server:
        answer = ask(server, question, SAID)

    assert answer.rewritten == standalone(question, [SAID])


def test_a_model_may_repeat_a_question_that_stands_alone(ask: Ask) -> None:
    with serve(Script([QUESTION]), Script(["24 euros [1]."])) as server:
        answer = ask(server, QUESTION, Turn("Is tea green?", "Yes."))

    assert answer.rewritten == QUESTION


def test_without_a_conversation_no_model_is_asked_to_rewrite() -> None:
    with serve(Script(["never"])) as server:
        url = f"{server.url}/v1"
        model = OpenAIGenerator(key="k", base_url=url, model="m", prompt=load_prompt())
        assert by_model(model, "And what does it cost?", []) is None

    assert server.requests == []


def test_where_rewriting_fails_the_rule_is_taken(ask: Ask) -> None:
    with serve(Script(status=400), Script(["24 euros [1]."])) as server:
        answer = ask(server, "And what does it cost?", Turn("Is there a harbour permit?", "Yes."))

    assert answer.rewritten == "Is there a harbour permit? And what does it cost?"


def test_of_a_follow_up_below_the_threshold_a_model_writes_its_rewriting_alone(ask: Ask) -> None:
    """It must stand alone before anything can be searched; that call is counted with the refusal."""
    with serve(Script([QUESTION])) as server:
        answer = ask(server, "And what does it cost?", SAID, abstain=1.0)

    assert (answer.abstained, answer.text, answer.rewritten) == (True, DONT_KNOW, QUESTION)
    assert [body.get("stream", False) for body in server.requests] == [False]
    assert answer.usage == {"input_tokens": 120, "output_tokens": 30}


def test_a_generator_without_a_key_says_what_is_missing(tmp_path: Path) -> None:
    engine = Engine(Environment(home=tmp_path), load_model=FakeEmbedder)
    engine.ingest("shelf", [write_files(tmp_path / "f", {"a.txt": "Tea is green."})])
    settings = replace(engine.prototype("shelf").settings, generator="cohere")

    with pytest.raises(UsageError, match="COHERE_API_KEY"):
        engine.ask("shelf", "What is green?", settings=settings)
