"""A follow-up takes the subject that it leans on; other questions stay as they are."""

from __future__ import annotations

import time

import pytest

from rag.rewrite import leans, names, standalone
from rag.rewritten import taken
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
    tea = Turn("How is green tea brewed?", "At eighty degrees.")

    assert standalone("What do they eat?", [tea, BEES]) == "How long do bees live? What do they eat?"


def test_what_was_named_on_the_way_is_carried_along() -> None:
    assert standalone("What do they eat?", [BEES, QUEEN]) == "How long do bees live? queen What do they eat?"


def test_where_no_question_stood_alone_the_first_one_is_taken() -> None:
    assert standalone("Why?", [Turn("Really?", ""), QUEEN]) == "Really? queen Why?"


def test_a_long_question_does_not_push_out_the_one_that_leans_on_it() -> None:
    """The embedding model reads the first 256 tokens."""
    long = Turn("How long do bees live in " + "these hives " * 5_000 + "?", "Six weeks.")
    between = [Turn(f"And the drones of apiary number{n}?", "No.") for n in range(500)]

    for history in ([long], [long, *between]):
        found = standalone("Why?", history)

        assert found.startswith("How long do bees live in these hives")
        assert found.endswith(" Why?")
        assert len(found) < 1_010
    assert "number499" in found


def test_the_first_question_stays_whatever_it_is() -> None:
    assert standalone("Why?", []) == "Why?"


def test_the_name_that_an_answer_gave_first_comes_along() -> None:
    history = [
        Turn("Which wine goes with lamb?", "The 2016 of Château Brannefort does. So does Clos Tarrabelle.")
    ]

    assert standalone("How long will it keep?", history) == (
        "Which wine goes with lamb? Château Brannefort How long will it keep?"
    )


def test_another_name_takes_the_place_of_the_one_before() -> None:
    history = [Turn("How much is Child Payment for a baby?", "41 crowns.")]

    assert standalone("And the Food Card?", history) == "How much is for a baby? And the Food Card?"


@pytest.mark.parametrize(
    "question",
    [
        "Is there a train to Venice?",
        "Which files were deleted that I had uploaded?",
        "What does a coach do?",
        "What is Vidiano?",
    ],
)
def test_words_that_only_look_like_pointers(question: str) -> None:
    assert not leans(question)


@pytest.mark.parametrize(
    "question", ["How long do I have to apply?", "When will the money come?", "May I study?"]
)
def test_a_question_without_a_subject_of_its_own_leans(question: str) -> None:
    assert leans(question)


def test_names_are_words_with_capitals_that_do_not_only_begin_a_sentence() -> None:
    text = "The Food Card is for groceries. Since April, Château de la Tour takes it. Bring yours."

    assert names(text) == ["Food Card", "Château de la Tour"]


# --- what is used of a model's reply ------------------------------------------

PERMIT = Turn("What does the permit cost?", "24 euros.")


@pytest.mark.parametrize(
    ("reply", "question", "before"),
    [
        ("Is the permit free for residents?", "And for visitors?", "Is the permit free for residents?"),
        ("is the permit free for residents", "Free for visitors?", "Is the permit “free” for residents?"),
    ],
)
def test_an_earlier_question_is_no_rewriting_of_what_is_asked_now(
    reply: str, question: str, before: str
) -> None:
    assert taken(reply, question, [Turn(before, "Yes.")]) is None
    assert taken(reply, before, [Turn(before, "Yes.")]) == reply, "unless it is asked again"


@pytest.mark.parametrize(
    ("reply", "question", "before"),
    [
        (
            "Welche Unterlagen brauche ich für den Angelschein?",
            "Und was brauche ich dafür?",
            Turn("Was kostet der Angelschein?", "37 Euro."),
        ),
        ("钓鱼许可证在哪里买", "在哪里买", Turn("钓鱼许可证多少钱", "三十元")),
        ("釣りはいくらですか", "いくらですか", Turn("釣りは何時からですか", "六時")),
        ("What does Dr. Bell charge?", "And what does he charge?", Turn("Who is Doctor Bell?", "A vet.")),
        ("What costs more, boat vs. car permits?", "And for boat permits against car?", PERMIT),
        ("What does the permit of the Ltd. firm cost?", "And of the Ltd firm?", PERMIT),
        (
            "What did the permit cost in 2023?",
            "And the year before?",
            Turn("What did the permit cost in 2024?", "24 euros."),
        ),
        ("What does the permit cost for 3 children?", "And for three children?", PERMIT),
        ("What is the price of Spanish wine?", "And its price?", Turn("Is there wine of Spain?", "Yes.")),
    ],
)
def test_a_rewriting_may_use_what_was_said_in_other_forms(reply: str, question: str, before: Turn) -> None:
    assert taken(reply, question, [before]) == reply


@pytest.mark.parametrize(
    ("reply", "question", "before"),
    [
        ("What does the permit cost in Canada?", "And what can it cost?", PERMIT),
        ("What does the permit of Thailand cost?", "What does that cost?", PERMIT),
        ("What does the candle cost in Canada?", "And the candle?", PERMIT),
        (
            "Where does Ann Bell of Lodz live?",
            "Where is she?",
            Turn("Is it Ruth Kranz?", "Ruth Kranz it is."),
        ),
        ("What did the permit cost in 2021?", "And before?", Turn("What did the permit cost in 2024?", "")),
        ("What does the permit cost for 4 children?", "And for three children?", PERMIT),
        ("Yes. What does the permit cost?", "And what does it cost?", PERMIT),
    ],
)
def test_a_rewriting_brings_no_name_figure_or_answer_that_nobody_gave(
    reply: str, question: str, before: Turn
) -> None:
    assert taken(reply, question, [before]) is None


def test_a_long_text_of_marks_or_capitals_is_read_in_no_time() -> None:
    began = time.process_time()

    assert taken("*" * 10_000, "And in winter?", [BEES]) is None
    assert names("ACGT" * 5_000) == []
    assert time.process_time() - began < 2
