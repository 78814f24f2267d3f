"""An answer in the making: read to the end, stopped, failed, or left lying."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answering import checked
from rag.cite import Judgement
from rag.errors import GenerationError
from rag.response import Response
from rag.types import Answer, Citation, Claim, Draft, Passage, Proposed, Provenance

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


def test_what_was_begun_beside_it_is_let_go_once_it_was_asked_for(stored: list[Answer]) -> None:
    offered = Proposed("Tea", {"kind": "tea"}, applied=False)
    done: list[str] = []

    def proposed(seconds: float) -> tuple[Proposed, ...]:
        done.append(f"waited up to {seconds:g} s")
        return (offered,)

    def let_go() -> None:
        done.append("let go")

    response = Response(
        ANSWER, pieces(), stored.append, time.perf_counter(), proposed=proposed, let_go=let_go
    )
    list(response)

    assert done == ["waited up to 3 s", "let go"]
    assert stored[0].proposed == (offered,)


def test_a_draft_that_finishes_the_text_otherwise_counts(stored: list[Answer]) -> None:
    response = Response(ANSWER, iter(["One.", Draft("One. [1]", (ONE,))]), stored.append, time.perf_counter())

    assert response.answer.text == "One. [1]"


# --- stopped before all of it was checked ---------------------------------------------------


def judge(claim: str, source: str) -> Judgement:
    """Only what stands there is supported."""
    at = source.find(claim)
    verdict = "verbatim" if at >= 0 else "unsupported"
    return Judgement(verdict, 1.0, () if at >= 0 else ("number",), max(at, 0), max(at, 0) + len(claim))


FEES = Passage("d", "d.txt", "D", 0, 36, "The fee is 9 euros. The desk is open", 1.0, "fused")


def stopped_after(*pieces: str) -> Answer:
    """What is stored of a model's text that is stopped when it has written so much."""
    kept: list[Answer] = []

    def writes() -> Iterator[str]:
        yield from pieces
        response.close()
        yield " And so on."

    response = Response(ANSWER, checked(writes(), (FEES,), judge), kept.append, time.perf_counter())
    list(response)
    return kept[0]


def doubted(answer: Answer) -> list[str]:
    return [answer.text[c.start : c.end] for c in answer.claims if c.verdict == "unsupported"]


def test_what_was_not_checked_when_it_was_stopped_is_told_apart() -> None:
    answer = stopped_after("The fee is 9 euros [1]. ", "It rises to 12 euros next")

    assert answer.text == "The fee is 9 euros. [1] It rises to 12 euros next"
    assert [(c.start, c.end, c.verdict, c.reasons) for c in answer.claims] == [
        (0, 19, "verbatim", ()),
        (24, 49, "unsupported", ("uncited",)),
    ]
    assert answer.stopped


def test_what_claims_nothing_is_not_doubted_where_it_was_stopped() -> None:
    answer = stopped_after("The fee is 9 euros [1].\n\nIs it more in winter?\n\n", "The desk closes at noon")

    assert doubted(answer) == ["The desk closes at noon"]


def test_a_number_that_is_no_marker_moves_no_mark() -> None:
    text = "The fee is 9 euros. [1] See [1] there: the desk closes at noon"
    draft = Draft(text[:23], (), claims=(Claim(0, 19, "verbatim", 1.0),))
    kept: list[Answer] = []
    response = Response(ANSWER, iter([draft, text, "."]), kept.append, time.perf_counter())
    next(iter(response))

    response.close()

    assert doubted(kept[0]) == ["See [1] there: the desk closes at noon"]


@pytest.mark.parametrize("text", ["", "   ", "I don't know from these documents."])
def test_where_nothing_is_claimed_nothing_is_doubted(text: str) -> None:
    kept: list[Answer] = []
    response = Response(ANSWER, iter([text, "."]), kept.append, time.perf_counter())
    next(iter(response))

    response.close()

    assert kept[0].claims == ()


def test_what_refuses_is_not_doubted() -> None:
    kept: list[Answer] = []
    refusing = replace(ANSWER, abstained=True)
    response = Response(refusing, iter(["No document matches the filters.", ""]), kept.append, 0.0)
    next(iter(response))

    response.close()

    assert (kept[0].stopped, kept[0].claims) == (True, ())


SENTENCES = ("The fee is 9 euros", "It rises to 12 euros", "Cats sleep all day", "Yes", "Why is it so")
ENDS = (". ", ".\n", "? ", " [1]. ", ". [1] ", ", ", ":\n- ", " | ", " ```\n")


@given(
    parts=st.lists(st.tuples(st.sampled_from(SENTENCES), st.sampled_from(ENDS)), min_size=1, max_size=5),
    size=st.integers(1, 12),
    share=st.floats(0, 1),
)
def test_what_would_be_doubted_at_its_end_is_doubted_where_it_is_stopped(
    parts: list[tuple[str, str]], size: int, share: float
) -> None:
    text = "".join(sentence + end for sentence, end in parts)
    text = text[: 3 + int(share * len(text))]
    pieces = [text[at : at + size] for at in range(0, len(text), size)]

    answer = stopped_after(*pieces)

    *_, ended = checked(iter(pieces), (FEES,), judge)
    assert isinstance(ended, Draft)
    shown = {at for c in answer.claims if c.verdict == "unsupported" for at in range(c.start, c.end)}
    for claim in ended.claims:
        if claim.cited and claim is ended.claims[-1]:
            continue  # its marker was not out yet: it is cut as what cites nothing
        if claim.verdict == "unsupported":
            assert set(range(claim.start, min(claim.end, len(answer.text)))) <= shown
