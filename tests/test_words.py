"""Function words, and the kind of answer that a question asks for."""

from __future__ import annotations

import pytest

from rag.words import content, expected, given_by, has_content


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


@pytest.mark.parametrize(
    ("question", "sentence", "gives"),
    [
        ("When did the siege of 1453 end?", "The siege began in 1453.", False),
        ("When did the siege of 1453 end?", "It ended in May 1453.", True),
        ("How many of the 12 monks left?", "Two of them left.", True),
        ("How many of the 12 monks left?", "All 12 stayed.", False),
        ("Who succeeded Harold?", "Then Harold fell.", False),
        ("Who succeeded Harold?", "Then William was crowned.", True),
    ],
)
def test_what_the_question_gives_is_no_answer(question: str, sentence: str, gives: bool) -> None:
    kind = expected(question)
    known = {word.strip("?").casefold() for word in question.split()}

    assert kind is not None
    assert given_by(kind, sentence, known) is gives


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is it?", False),
        ("?!", False),
        ("😀", False),
        ("What is tea?", True),
        ("茶?", True),
        ("42", True),
    ],
)
def test_content_is_a_word_beyond_grammar(question: str, expected: bool) -> None:
    assert has_content(question) is expected


def test_other_questions_expect_nothing_in_particular() -> None:
    assert expected("Why is the sky blue?") is None
