"""BM25 from the terms as numbers: the same as the index's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rag import bm25
from rag.keyword import KeywordEntry, KeywordIndex, numbers

TEXTS = [
    "The tower opened in 1889.",
    "Tower, tower, and again the tower: " + "and so on " * 30,
    "Paris is a city. " * 9 + "Its tower is iron.",
    "Iron is a metal.",
]


def test_scores_are_those_that_a_search_gives(tmp_path: Path) -> None:
    index = KeywordIndex(tmp_path / "keyword")
    index.write([KeywordEntry(f"d{n}:0", f"d{n}", f"On Paris\n{t}", t, {}) for n, t in enumerate(TEXTS)])

    for question in ("When was the iron tower opened?", "Paris", "and so on"):
        for field in ("window", "own"):
            searched = {hit.chunk_id: hit.score for hit in index.search(question, 9, field=field)}  # type: ignore[arg-type]
            scored = index.scores(question, list(searched), field=field)  # type: ignore[arg-type]
            assert searched
            assert scored == pytest.approx(searched, rel=1e-5)


def test_lengths_are_exact_up_to_forty_and_then_rounded_down() -> None:
    assert bm25.LENGTHS[:41].tolist() == list(range(41))
    assert bm25.LENGTHS[41:52].tolist() == [42, 44, 46, 48, 50, 52, 54, 56, 60, 64, 68]
    assert len(bm25.LENGTHS) == 256


def test_terms_that_begin_alike_share_a_stem() -> None:
    norman, normandy, north = bm25.stems(bm25.numbers(["norman", "normandy", "north"]))
    assert norman == normandy != north
    assert bm25.number("norman") != bm25.number("normandy")


@pytest.mark.parametrize("at", [2, None])
def test_terms_come_back_as_they_were_packed(at: int | None) -> None:
    window = numbers("heading then the text itself")
    own = window[2:4] if at is not None else numbers("something else")
    packed = bm25.pack(bm25.Terms(window, window[:1], own, range(7, 9)), at)

    found = bm25.unpack(packed)

    assert (found.window == window).all()
    assert (found.head == window[:1]).all()
    assert (found.own == own).all()
    assert found.section == range(7, 9)


def test_a_question_without_known_terms_scores_nothing() -> None:
    assert bm25.scores({}, [numbers("a b")], 2.0).tolist() == [0.0]
    assert bm25.scores({"a": 1.0}, [], 2.0).tolist() == []
    assert bm25.scores({"x": 1.0}, [numbers(""), numbers("a")], 1.0).tolist() == [0.0, 0.0]


def test_occurrences_count_each_term_in_each_text() -> None:
    asked = np.sort(bm25.numbers(["red", "wine"]))
    found = bm25.occurrences(
        asked, [bm25.numbers(["red", "red"]), bm25.numbers(["tea"]), bm25.numbers(["wine"])]
    )
    assert found.max(axis=1).tolist() == [2, 0, 1]
    assert found.sum(axis=1).tolist() == [2, 0, 1]
