"""The sentences of a search under what a re-ranker said of their passages."""

from __future__ import annotations

from collections.abc import Mapping

from rag.retrieve import Ranked, reorder
from rag.types import Chunk, IndexedChunk, Passage, Scorer, Section, Sentence


def ranked(**scores: float) -> list[Ranked]:
    """One sentence of the document ``a`` for each name, ten characters apart, best first."""
    found = []
    for n, (name, score) in enumerate(scores.items()):
        chunk = Chunk("a", n, 10 * n, 10 * n + 9, name, " ", Section(0, 100))
        found.append(Ranked(IndexedChunk(chunk, "a.txt", "A", {}), score, 0.5, 1.0))
    return sorted(found, key=lambda r: -r.score)


def judged(scores: Mapping[int, tuple[float, float]], scorer: Scorer = "cross") -> list[Passage]:
    """A passage for the sentence at each start, with the passage's score and the sentence's."""
    return [
        Passage(
            "a", "a.txt", "A", start, start + 9, "", of_passage, scorer,
            sentences=(Sentence(start, start + 9, own, 0.5),),
        )
        for start, (of_passage, own) in scores.items()
    ]  # fmt: skip


def texts(found: list[Ranked]) -> list[str]:
    return [r.chunk.text for r in found]


def test_what_a_model_that_reads_says_counts_more_than_the_search() -> None:
    found = ranked(one=3.0, two=2.0, three=1.0)

    new = reorder(found, judged({0: (-1.0, -1.0), 10: (0.0, 0.0), 20: (5.0, 5.0)}))

    assert texts(new)[0] == "three"
    assert [r.score for r in new] == sorted((r.score for r in new), reverse=True)


def test_late_interaction_moves_what_the_search_finds_about_as_good() -> None:
    found = ranked(one=3.0, two=2.9, far=-4.0)

    new = reorder(found, judged({0: (0.0, 0.0), 10: (1.0, 1.0), 20: (2.0, 2.0)}, "late"))

    assert texts(new) == ["two", "one", "far"]


def test_a_sentence_of_no_re_ranked_passage_counts_as_the_last() -> None:
    found = ranked(one=1.0, two=1.0, other=1.0)

    new = reorder(found, judged({0: (1.0, 1.0), 10: (9.0, 9.0)}))

    assert texts(new) == ["two", "one", "other"]
    assert new[1].score == new[2].score


def test_nothing_to_go_by_changes_nothing() -> None:
    found = ranked(one=2.0, two=1.0)

    assert reorder(found, []) == found
    assert reorder(found, judged({500: (1.0, 1.0)})) == found
    assert reorder([], judged({0: (1.0, 1.0)})) == []
