"""Questions put together by what they mean, over vectors whose clusters are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from rag.topics import FEWEST, nearest, topics
from rag.types import Vectors

SHIPPING = [
    f"Do you ship {what} to {where}?" for what in ("wine", "wines") for where in ("Spain", "Italy", "Malta")
]
CELLAR = [
    f"How long does {what} keep in a cellar?" for what in ("rosé", "port", "sherry", "cava", "red", "white")
]
PRICES = [f"What is the price of {what}?" for what in ("port", "rosé", "cava", "sherry", "tokay", "a magnum")]


def embed(questions: Sequence[str]) -> Vectors:
    """A direction for each of three subjects, and a little of each question's own."""
    rows = np.zeros((len(questions), 40), np.float32)
    for n, question in enumerate(questions):
        rows[n, 0 if "ship" in question else 1 if "keep" in question else 2] = 1
        rows[n, 3 + sum(question.encode()) % 37] = 0.3
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_questions_of_a_subject_come_together_under_words_that_set_it_apart() -> None:
    found = topics([*SHIPPING, *CELLAR, *PRICES], embed)
    assert sorted(cluster.name for cluster in found) == ["cellar, keep, long", "price", "ship, wine, italy"]
    assert all(np.linalg.norm(cluster.centre) == pytest.approx(1, abs=1e-5) for cluster in found)


def test_a_new_question_joins_the_nearest_and_a_stranger_none() -> None:
    found = topics([*SHIPPING, *CELLAR, *PRICES], embed)
    centres, least = np.stack([c.centre for c in found]), [c.least for c in found]
    new = embed(["Do you ship beer to Peru?", "How long does beer keep?"])
    stranger = np.zeros((1, 40), np.float32)
    stranger[0, 39] = 1
    at = nearest(np.concatenate([new, stranger]), centres, least)
    assert "ship" in found[at[0]].name
    assert "cellar" in found[at[1]].name
    assert at[2] == -1


def test_the_same_questions_give_the_same_topics() -> None:
    first, second = (topics([*SHIPPING, *CELLAR, *PRICES], embed) for _ in range(2))
    assert [(c.name, c.least) for c in first] == [(c.name, c.least) for c in second]


def test_few_questions_are_left_alone_however_often_they_are_asked() -> None:
    assert topics(SHIPPING * 40, embed) == []
    assert len({*SHIPPING, *CELLAR}) == FEWEST
    assert topics([*SHIPPING, *CELLAR][: FEWEST - 1], embed) == []


def test_what_one_person_alone_wrote_is_no_name() -> None:
    personal = [*SHIPPING, *CELLAR, "Do you ship to Rumpelstiltskin?"]
    assert "rumpelstiltskin" not in " ".join(c.name for c in topics(personal, embed))


def test_scripts_without_spaces_are_named_too() -> None:
    asked = [f"{what}运费多少" for what in "红白粉甜干酒"] + [
        f"{what}保存多久 keep" for what in "红白粉甜干酒"
    ]

    def by_subject(questions: Sequence[str]) -> Vectors:
        rows = np.array([[1.0, 0.1] if "运费" in q else [0.1, 1.0] for q in questions], np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    assert any("运费" in cluster.name for cluster in topics(asked, by_subject))


def test_identical_vectors_are_no_trouble() -> None:
    found = topics(
        [f"Question number {n} about tea" for n in range(30)], lambda q: np.tile([[1.0, 0.0]], (len(q), 1))
    )
    assert len(found) >= 1
