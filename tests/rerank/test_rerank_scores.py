"""New scores on old passages."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import best_sentence, passage

from rag.errors import RerankError
from rag.rerank.scores import SPREAD, finite, reordered, shown


def test_passages_come_by_score_and_ties_as_they_stood() -> None:
    found = [passage("a", "One."), passage("b", "Two."), passage("c", "Three.")]

    new = reordered(found, [0.1, 0.7, 0.1], {}, "cross")

    assert [(p.document_id, p.score, p.scorer) for p in new] == [
        ("b", 0.7, "cross"),
        ("a", 0.1, "cross"),
        ("c", 0.1, "cross"),
    ]


def test_evidence_is_spread_and_what_has_none_stands_below_in_its_order() -> None:
    first, second = passage("a", "One.", "Two."), passage("b", "Three.", "Four.", score=9.0)
    low, high = second.sentences
    second = replace(second, sentences=(replace(low, score=8.0), high))

    new = reordered([first, second], [2.0, 1.0], {(0, 0): 0.2, (0, 1): 0.4}, "cohere")

    assert [s.score for s in new[0].sentences] == pytest.approx([-SPREAD, SPREAD])
    assert [s.score for s in new[1].sentences] == pytest.approx([-2 * SPREAD - 1, -2 * SPREAD])
    assert best_sentence(new[0]) == "Two."


def test_without_evidence_sentences_keep_their_scores() -> None:
    (new,) = reordered([passage("a", "One.", score=3.0)], [0.5], {}, "cohere")

    assert [s.score for s in new.sentences] == [3.0]


def test_a_passage_is_shown_under_its_headings_once() -> None:
    under = replace(passage("bees", "They fly."), path=("Bees", "Flight"))
    row = replace(passage("wine", "Alba\nRed."), title="Alba")

    assert shown(under) == "Bees\nFlight\nThey fly."
    assert shown(replace(under, path=())) == "Bees\nThey fly."
    assert shown(row) == "Alba\nRed."


@pytest.mark.parametrize("values", [[1.0], [1.0, float("nan")], [1.0, "2"], [1.0, None], [1.0, True]])
def test_scores_that_are_no_numbers_are_refused(values: list[object]) -> None:
    with pytest.raises(RerankError, match="no numbers"):
        finite(values, 2)
