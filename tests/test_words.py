"""Function words, and the kind of answer that a question asks for."""

from __future__ import annotations

import pytest

from rag.words import content, expected


def test_content_leaves_out_function_words() -> None:
    assert content("Is there a wine from India?") == "wine India"


def test_content_keeps_figures_and_names_whole() -> None:
    assert content("Is C++ at version 3.5?") == "C++ version 3.5"


def test_a_question_of_function_words_alone_is_kept() -> None:
    assert content("Who are you?") == "Who are you?"


@pytest.mark.parametrize(
    ("question", "sentence", "fits"),
    [
        ("When was it built?", "It was built in 1911.", True),
        ("When was it built?", "It was built of stone.", False),
        ("How many bottles are left?", "There are 12 bottles left.", True),
        ("How many bottles are left?", "There are a few bottles left.", False),
        ("Who planted it?", "It was planted by Ana Sousa.", True),
        ("Who planted it?", "Nobody remembers.", False),
    ],
)
def test_a_sentence_fits_the_kind_of_question(question: str, sentence: str, fits: bool) -> None:
    kind = expected(question)

    assert kind is not None
    assert bool(kind.answers.search(sentence)) is fits


def test_other_questions_expect_nothing_in_particular() -> None:
    assert expected("Why is the sky blue?") is None
