"""What the benchmarks compute, against values worked out by hand."""

from __future__ import annotations

import pytest

from tests.benchmarks.metrics import fill, hit, interval, locate, merged, ndcg, overlap, reciprocal_rank

# "aa bb cc dd ee": five tokens of two letters, a blank between them.
TOKENS = {"a.md": [(0, 2), (3, 5), (6, 8), (9, 11), (12, 14)], "b.md": [(0, 4), (5, 9)]}


def test_spans_that_overlap_or_touch_become_one() -> None:
    assert merged([(5, 8), (0, 3), (3, 4), (6, 10), (2, 2)]) == [(0, 4), (5, 10)]


def test_places_are_taken_in_rank_order_while_they_fit() -> None:
    assert fill([("b.md", 0, 4), ("a.md", 3, 8)], TOKENS, 3) == [("b.md", 0, 4), ("a.md", 3, 8)]


def test_a_place_that_does_not_fit_is_cut_behind_the_last_token_and_ends_the_context() -> None:
    ranked = [("b.md", 0, 4), ("a.md", 0, 14), ("b.md", 5, 9)]
    assert fill(ranked, TOKENS, 3) == [("b.md", 0, 4), ("a.md", 0, 5)]


def test_a_place_of_which_nothing_fits_is_left_out() -> None:
    assert fill([("b.md", 0, 9), ("a.md", 0, 14)], TOKENS, 2) == [("b.md", 0, 9)]


def test_a_token_that_is_held_costs_nothing_again() -> None:
    # (3, 8) holds tokens 1 and 2; of (0, 14) the new ones are 0, 3 and 4, and two of them fit.
    assert fill([("a.md", 3, 8), ("a.md", 0, 14)], TOKENS, 4) == [("a.md", 0, 11)]


def test_a_cut_place_reaches_over_tokens_that_were_held_before_it() -> None:
    # Token 1 is held; one new token fits (0), and 1 and 2 behind it cost nothing.
    assert fill([("a.md", 3, 8), ("a.md", 0, 14)], TOKENS, 3) == [("a.md", 0, 8)]


def test_a_token_cut_by_a_place_counts_whole() -> None:
    assert fill([("a.md", 1, 4)], TOKENS, 1) == [("a.md", 1, 2)]


def test_recall_precision_and_iou_count_characters() -> None:
    # The context holds 10 characters, the excerpts 8, both 4 of them: 4/8, 4/10, 4/14.
    found = overlap([("a.md", 0, 6), ("b.md", 0, 4)], [("a.md", 2, 10)])
    assert (found.recall, found.precision, found.iou) == (0.5, 0.4, pytest.approx(4 / 14))


def test_excerpts_that_overlap_count_once() -> None:
    assert overlap([("a.md", 0, 4)], [("a.md", 0, 4), ("a.md", 2, 8)]).recall == 0.5


def test_the_same_offsets_of_another_source_are_not_relevant() -> None:
    found = overlap([("b.md", 0, 4)], [("a.md", 0, 4)])
    assert (found.recall, found.precision, found.iou) == (0.0, 0.0, 0.0)


def test_an_empty_context_holds_nothing() -> None:
    found = overlap([], [("a.md", 0, 4)])
    assert (found.recall, found.precision, found.iou) == (0.0, 0.0, 0.0)


def test_a_piece_is_found_verbatim_or_with_other_white_space() -> None:
    text = "One two.\n\nThree  four."
    assert locate(" two.\n\nThree ", text) == (4, 15)
    assert locate("two. Three four.", text) == (4, 22)
    assert locate("five", text) is None


def test_of_several_places_the_closest_counts() -> None:
    assert locate("no", "no yes no yes no") == (0, 2)
    assert locate("no", "no yes no yes no", near=8) == (7, 9)
    assert locate("no  yes", "no yes no yes no", near=9) == (7, 13)


def test_rank_measures_of_one_relevant_document() -> None:
    ranked = ["a", "b", "c", *"defghij", "k"]
    assert (hit(ranked, "b", 1), hit(ranked, "b", 2)) == (0.0, 1.0)
    assert (reciprocal_rank(ranked, "a"), reciprocal_rank(ranked, "c")) == (1.0, pytest.approx(1 / 3))
    assert (ndcg(ranked, "a"), ndcg(ranked, "c")) == (1.0, 0.5)  # 1 / log2(2), 1 / log2(4)
    assert (reciprocal_rank(ranked, "k"), ndcg(ranked, "k"), ndcg(ranked, "z")) == (0.0, 0.0, 0.0)


def test_the_interval_of_a_constant_is_that_constant() -> None:
    assert interval([0.25] * 8) == (0.25, 0.25)


def test_the_interval_is_that_of_the_mean() -> None:
    # Half of 400 questions right: 0.5 +- 1.96 * 0.5 / 20 = 0.451 to 0.549.
    assert interval([0.0, 1.0] * 200) == (pytest.approx(0.451, abs=0.005), pytest.approx(0.549, abs=0.005))
