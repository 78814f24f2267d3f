"""Statements from questions, for the benchmark of the checker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks.derived import pairs, statement


@pytest.mark.parametrize(
    ("question", "answer", "said"),
    [
        ("Who was the Norse leader?", "Rollo", "The Norse leader was Rollo."),
        ("When was the Duchy of Normandy founded?", "911", "The Duchy of Normandy was founded in 911."),
        ("When did the embargo end?", "in March 1974", "It was in March 1974 that the embargo end."),
        ("How many settlers were there in town?", "390", "390 settlers were there in town."),
        ("Who ruined the plans?", "A storm", "A storm ruined the plans."),
        ("What is France a region of?", "Europe", None),
        ("Why is the sky blue?", "Scattering", None),
    ],
)
def test_a_question_becomes_a_statement(question: str, answer: str, said: str | None) -> None:
    assert statement(question, answer) == said


def test_pairs_are_true_changed_and_unrelated_and_the_same_each_time(tmp_path: Path) -> None:
    documents = [
        {"id": "a0", "title": "A", "text": "The tower was built in 1911. Later Oslo bought it."},
        {"id": "a1", "title": "A", "text": "Bergen has a harbour."},
        {"id": "b0", "title": "B", "text": "Honey is sweet."},
    ]
    questions = [
        {"question": "When was the tower built?", "document_id": "a0", "answers": ["1911"]},
        {"question": "When was the bridge built?", "document_id": "a0", "answers": []},
    ]
    for name, rows in (("documents", documents), ("questions", questions)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")

    made = list(pairs(tmp_path))

    assert [(p.kind, p.source[:6]) for p in made] == [
        ("true", "The to"),
        ("unrelated near", "Bergen"),
        ("unrelated", "Honey "),
        ("date", "The to"),
        ("negation", "The to"),
    ]
    assert made[0].claim == "The tower was built in 1911."
    assert made[3].claim != made[0].claim
    assert made[4].claim == "The tower was not built in 1911."
    assert made == list(pairs(tmp_path))
