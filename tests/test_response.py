"""An answer in the making: read to the end, stopped, failed, or left lying."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator

import pytest

from rag.errors import GenerationError
from rag.response import Response
from rag.types import Answer, Citation, Draft, Passage, Provenance

PASSAGE = Passage("d", "d.txt", "D", 0, 9, "One. Two.", 1.0, "fused")
ANSWER = Answer(
    "a1",
    "?",
    "?",
    "",
    (),
    (PASSAGE,),
    0.9,
    False,
    "fake",
    {},
    {"retrieve": 0.5},
    Provenance("p", "", "", ""),
    0.0,
)
ONE = Citation(1, "d", "d.txt", 0, 4, "One.", "unsupported", 0, 4, 0)
TWO = Citation(2, "d", "d.txt", 5, 9, "Tow.", "verbatim", 9, 13, 0)


def pieces() -> Iterator[str | Draft]:
    yield Draft("One. [1]", (ONE,))
    yield "One. [1]"
    yield Draft("One. [1] Two. [2]", (TWO, ONE), {"output": 4})
    yield " Two. [2]"


class Stop(BaseException):
    """What Streamlit ends a script with is no Exception."""


@pytest.fixture
def stored() -> list[Answer]:
    return []


@pytest.fixture
def response(stored: list[Answer]) -> Response:
    return Response(ANSWER, pieces(), stored.append, time.perf_counter())


def test_it_is_read_for_its_text_and_then_for_its_facts(response: Response, stored: list[Answer]) -> None:
    assert list(response) == ["One. [1]", " Two. [2]"]

    answer = response.answer
    assert stored == [answer]
    assert (answer.text, answer.stopped, answer.usage) == ("One. [1] Two. [2]", False, {"output": 4})
    assert [(c.number, c.verdict) for c in answer.citations] == [(2, "unsupported"), (1, "verbatim")]
    assert set(answer.seconds) == {"retrieve", "generate", "first", "total"}


def test_asking_for_the_answer_reads_it_to_the_end(response: Response, stored: list[Answer]) -> None:
    assert response.answer.text == "One. [1] Two. [2]"
    assert list(response) == []
    assert len(stored) == 1


def test_an_exception_in_the_loop_stores_what_there_is(response: Response, stored: list[Answer]) -> None:
    with pytest.raises(Stop):
        _stop_at_the_first(response)
    gc.collect()

    assert (stored[0].text, stored[0].stopped) == ("One. [1]", True)
    assert [(c.number, c.verdict) for c in stored[0].citations] == [(1, "verbatim")]
    assert response.answer == stored[0]


def _stop_at_the_first(response: Response) -> None:
    for _ in response:
        raise Stop


def test_closing_the_iterator_stores_what_there_is(response: Response, stored: list[Answer]) -> None:
    iterator = iter(response)
    next(iterator)

    iterator.close()  # type: ignore[attr-defined]

    assert (stored[0].text, stored[0].stopped) == ("One. [1]", True)


def test_closing_the_response_ends_it_for_who_still_reads(response: Response, stored: list[Answer]) -> None:
    iterator = iter(response)
    next(iterator)

    response.close()
    response.close()

    assert list(iterator) == []
    assert [(a.text, a.stopped) for a in stored] == [("One. [1]", True)]


def test_closing_before_anything_was_read_stores_an_empty_answer(
    response: Response, stored: list[Answer]
) -> None:
    response.close()

    assert (stored[0].text, stored[0].citations, stored[0].stopped) == ("", (), True)
    assert list(response) == []


def test_an_iterator_left_lying_is_stored(response: Response, stored: list[Answer]) -> None:
    iterator = iter(response)
    next(iterator)

    del iterator
    gc.collect()

    assert stored[0].stopped


def test_closing_after_the_end_changes_nothing(response: Response, stored: list[Answer]) -> None:
    list(response)

    response.close()

    assert [a.stopped for a in stored] == [False]


def test_a_generator_that_fails_leaves_what_it_wrote(stored: list[Answer]) -> None:
    def failing() -> Iterator[str | Draft]:
        yield "One."
        raise GenerationError("The line was cut.")

    response = Response(ANSWER, failing(), stored.append, time.perf_counter())

    with pytest.raises(GenerationError, match="cut"):
        list(response)

    assert (stored[0].text, stored[0].stopped) == ("One.", True)


def test_the_generator_is_closed_when_the_answer_is(stored: list[Answer]) -> None:
    closed: list[bool] = []

    def watched() -> Iterator[str | Draft]:
        try:
            yield "One."
            yield "Two."
        finally:
            closed.append(True)

    response = Response(ANSWER, watched(), stored.append, time.perf_counter())
    next(iter(response))

    response.close()

    assert closed == [True]


def test_a_draft_that_finishes_the_text_otherwise_counts(stored: list[Answer]) -> None:
    response = Response(ANSWER, iter(["One.", Draft("One. [1]", (ONE,))]), stored.append, time.perf_counter())

    assert response.answer.text == "One. [1]"
