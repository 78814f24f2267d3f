"""Two signals make a probability; a threshold makes "I don't know"."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.confidence import THRESHOLD, confidence, coverage, threshold
from rag.weights import Calibration

IDF = {"bee": 3.0, "honey": 1.0}


@pytest.mark.parametrize(
    ("terms", "expected"),
    [({"bee", "honey"}, 1.0), ({"bee"}, 0.75), ({"honey", "tea"}, 0.25), (set(), 0.0)],
)
def test_coverage_is_the_share_of_idf(terms: set[str], expected: float) -> None:
    assert coverage(["bee", "honey"], IDF, terms) == expected


def test_a_term_counts_once() -> None:
    assert coverage(["bee", "honey", "honey", "honey"], IDF, {"bee"}) == 0.75


def test_a_question_without_terms_covers_nothing() -> None:
    assert coverage([], {}, {"bee"}) == 0.0


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1))
def test_confidence_grows_with_both_signals(a: float, b: float, c: float, d: float) -> None:
    low = confidence(min(a, b), min(c, d))
    high = confidence(max(a, b), max(c, d))

    assert 0 <= low <= high <= 1


def test_a_calibration_of_another_scorer_gives_its_own_probability_and_threshold() -> None:
    other = Calibration(cosine=2.0, coverage=0.0, bias=-1.0, threshold=0.3)

    assert confidence(0.5, 1.0, other) == 0.5
    assert threshold("on", other) == 0.3
    assert threshold("off", other) == 0.0
    assert threshold(0.7, other) == 0.7


def test_evidence_tells_the_sure_from_the_hopeless() -> None:
    assert confidence(0.7, 1.0) > 0.99
    assert confidence(0.1, 0.0) < 0.01


@pytest.mark.parametrize(
    ("setting", "expected"), [("on", THRESHOLD), ("off", 0.0), (0.25, 0.25), ("0.25", 0.25), (0.0, 0.0)]
)
def test_thresholds(setting: str | float, expected: float) -> None:
    assert threshold(setting) == expected
