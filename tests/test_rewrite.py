"""A follow-up takes the subject that it leans on; other questions stay as they are."""

from __future__ import annotations

import pytest

from rag.rewrite import standalone
from rag.types import Turn

BEES = Turn("How long do bees live?", "Six weeks.")
QUEEN = Turn("And the queen?", "Years.")


@pytest.mark.parametrize(
    "question",
    [
        "What do they eat?",
        "And in winter?",
        "Why?",
        "What about drones and wasps in the same hive?",
        "Which of those sting?",
        "Is this true of the others?",
        "IT DIES?",
    ],
)
def test_a_question_that_points_back_takes_the_subject(question: str) -> None:
    assert standalone(question, [BEES]) == f"How long do bees live? {question}"


@pytest.mark.parametrize(
    "question", ["How is green tea brewed?", "Where does the night train go?", "Wie lange leben Bienen?"]
)
def test_a_question_that_stands_alone_stays(question: str) -> None:
    assert standalone(question, [BEES]) == question


def test_the_subject_is_that_of_the_last_question_that_stood_alone() -> None:
    assert standalone("What do they eat?", [BEES, QUEEN]) == "How long do bees live? What do they eat?"


def test_where_no_question_stood_alone_the_last_one_is_taken() -> None:
    assert standalone("Why?", [Turn("Really?", ""), QUEEN]) == "And the queen? Why?"


def test_the_first_question_stays_whatever_it_is() -> None:
    assert standalone("Why?", []) == "Why?"
