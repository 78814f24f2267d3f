"""Long conversations: cut to a budget, oldest first, and the question always goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.config import Settings
from rag.generators.cohere import CohereGenerator
from rag.generators.openai import OpenAIGenerator
from rag.generators.prompt import MAX_HISTORY, history_within, load_prompt, visible
from rag.types import Turn
from tests.chat_servers import Script, serve

QUESTION = "And what does it cost in winter?"
PROMPT = load_prompt(Settings().prompt)


def openai(url: str) -> OpenAIGenerator:
    return OpenAIGenerator(key="k", base_url=f"{url}/v1", model="m", prompt=PROMPT)


def cohere(url: str) -> CohereGenerator:
    return CohereGenerator(key="k", base_url=url, model="m", prompt=PROMPT)


MAKERS: list[Callable[[str], OpenAIGenerator | CohereGenerator]] = [openai, cohere]


def conversation(turns: int) -> list[Turn]:
    """Turns of 100 characters each."""
    return [Turn(f"Question {n:03}".ljust(40, "?"), f"Answer {n:03}".ljust(60, ".")) for n in range(turns)]


def test_the_newest_turns_that_fit_are_kept_in_their_order() -> None:
    history = conversation(5)

    assert history_within(history, 250) == history[3:]
    assert history_within(history, 300) == history[2:]
    assert history_within(history, 100) == history[4:]


@pytest.mark.parametrize(
    ("budget", "asked", "text"), [(99, 40, 59), (54, 40, 14), (40, 30, 10), (7, 6, 1), (1, 1, 0)]
)
def test_of_the_newest_turn_there_is_what_fits_and_the_question_first(
    budget: int, asked: int, text: int
) -> None:
    """What follows leans on it: without, "it" is nothing. A quarter is left to the answer."""
    *_, newest = history = conversation(5)

    assert history_within(history, budget) == [Turn(newest.question[:asked], newest.text[:text])]


@pytest.mark.parametrize("turns", [[Turn("q" * 50_000, "a")], [Turn("Why?", "x"), Turn("q" * 50_000, "a")]])
def test_a_question_beyond_the_budget_is_cut(turns: list[Turn]) -> None:
    assert history_within(turns, 2_000) == [Turn("q" * 1_999, "a")]
    assert history_within([*turns, Turn("And then?", "Nothing.")], 2_000) == [Turn("And then?", "Nothing.")]


def test_without_a_budget_nothing_is_kept() -> None:
    assert history_within(conversation(3), 0) == []


@given(
    st.lists(st.builds(Turn, st.text("ab<｜|>\u200b", max_size=9), st.text("ab<｜|>\u200b", max_size=9))),
    st.integers(0, 40),
)
def test_whatever_was_said_the_newest_turns_are_there_within_the_budget(
    history: list[Turn], budget: int
) -> None:
    seen = [Turn(visible(turn.question), visible(turn.text)) for turn in history]

    kept = history_within(history, budget)

    assert sum(len(turn.question) + len(turn.text) for turn in kept) <= budget
    assert bool(kept) == bool(history and budget)
    assert kept[:-1] == seen[len(seen) - len(kept) : -1]
    if kept:
        assert seen[-1].question.startswith(kept[-1].question)
        assert len(kept[-1].question) >= min(len(seen[-1].question), budget * 3 // 4)
        assert kept[-1].text == seen[-1].text[: budget - len(kept[-1].question)]


def test_what_stands_before_a_turn_that_does_not_fit_goes_too() -> None:
    """A conversation with a hole would answer what nobody asked."""
    short, long, newest = Turn("a", "b"), Turn("c", "d" * 500), Turn("e", "f")

    assert history_within([short, long, newest], 100) == [newest]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("turns", [0, 1, 200])
def test_a_long_conversation_keeps_its_question(make: Any, turns: int) -> None:
    history = conversation(turns)
    with serve(Script(["Ten euros."])) as server:
        list(make(server.url).generate(QUESTION, (), history))

    system, *said, last = server.requests[0]["messages"]
    kept = history[-MAX_HISTORY // 100 :]
    assert system["role"] == "system"
    assert QUESTION in last["content"]
    assert [m["content"] for m in said] == [text for turn in kept for text in (turn.question, turn.text)]
    assert [m["role"] for m in said] == ["user", "assistant"] * len(kept)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    ("turn", "kept"),
    [
        (Turn("Why?", "x" * 2 * MAX_HISTORY), ("Why?", "x" * (MAX_HISTORY - 4))),
        (Turn("x" * 50_000, "Because."), ("x" * (MAX_HISTORY - 8), "Because.")),
    ],
)
def test_one_turn_beyond_the_budget_is_cut_and_the_question_is_not(
    make: Any, turn: Turn, kept: tuple[str, str]
) -> None:
    with serve(Script(["Ten euros."])) as server:
        list(make(server.url).generate(QUESTION, (), [turn]))

    system, asked, said, last = server.requests[0]["messages"]
    assert [m["role"] for m in (system, asked, said, last)] == ["system", "user", "assistant", "user"]
    assert (asked["content"], said["content"]) == kept
    assert QUESTION in last["content"]
