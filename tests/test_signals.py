"""What is known of a sentence before it is weighed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from rag import bm25
from rag.retrieve.signals import signals, z
from rag.types import Chunk, IndexedChunk, Section
from rag.weights import SIGNALS

IDF = {"green": 3.0, "tea": 1.0, "is": 0.5}


class Words:
    """Terms are words; those that are not in IDF weigh 2."""

    def analyse(self, texts: Sequence[str]) -> list[list[str]]:
        return [text.casefold().replace(".", "").replace("?", "").split() for text in texts]

    def idf(self, terms: Sequence[str]) -> Mapping[str, float]:
        return {term: IDF.get(term, 2.0) for term in terms}

    def numbers(self, found: Sequence[IndexedChunk]) -> list[tuple[bm25.Numbers, bm25.Numbers]]:
        heads = self.analyse([" ".join((f.title, *f.chunk.section.path)) for f in found])
        own = self.analyse([f.chunk.text for f in found])
        return [(bm25.numbers(head), bm25.numbers(text)) for head, text in zip(heads, own, strict=True)]


def sentences(*texts: str, title: str = "", document: str = "d", per_section: int = 99) -> list[IndexedChunk]:
    return [
        IndexedChunk(
            Chunk(
                document, n, 10 * n, 10 * n + 9, text, " ", Section(n // per_section, n // per_section + 1)
            ),
            "d.txt",
            title,
            {},
        )
        for n, text in enumerate(texts)
    ]


def column(name: str, question: str, found: Sequence[IndexedChunk]) -> list[float]:
    flat = [0.0] * len(found)
    matrix = signals(question, found, flat, flat, flat, Words())
    assert matrix.shape == (len(found), len(SIGNALS))
    return [float(value) for value in matrix[:, SIGNALS.index(name)].round(3)]


def test_z_scores_have_mean_0_and_spread_1() -> None:
    assert z([1.0, 3.0]).tolist() == [-1.0, 1.0]
    assert z([2.0, 2.0]).tolist() == [0.0, 0.0]
    assert z([]).tolist() == []
    assert z(np.array([[1.0, 3.0], [2.0, 2.0]])).tolist() == [[-1.0, 1.0], [0.0, 0.0]]


def test_near_counts_the_neighbours_and_section_all_of_it() -> None:
    found = [*sentences("Green leaves.", "Tea.", "Hot.", "Cold."), *sentences("Rain.", document="e")]

    # Shares of the idf of "green tea": 1, 1, 1/4 and nothing beside it; the whole section has all.
    assert column("near", "Is green tea hot?", found) == pytest.approx(
        z([4 / 6, 6 / 6, 3 / 6, 2 / 6, 0.0]).round(3)
    )
    assert column("section", "Is green tea hot?", found) == pytest.approx(z([1.0, 1, 1, 1, 0]).round(3))


def test_neighbours_of_another_section_do_not_count() -> None:
    found = sentences("Green.", "Rain.", per_section=1)

    assert column("near", "green", found) == [1.0, -1.0]


def test_title_and_headings_count() -> None:
    found = [*sentences("Leaves.", title="Green tea"), *sentences("Rain.", document="e", title="Weather")]

    assert column("near", "green tea", found) == [1.0, -1.0]


def test_words_of_one_beginning_cover_each_other() -> None:
    found = [*sentences("A greenish leaf."), *sentences("A grey leaf.", document="e")]

    assert column("near", "green", found) == [1.0, -1.0]


def test_pairs_must_stand_together() -> None:
    found = [*sentences("Green tea."), *sentences("Tea, always green.", document="e")]

    assert column("pairs", "green tea", found) == [1.0, -1.0]


@pytest.mark.parametrize(
    ("question", "signal", "flags"),
    [
        ("When was it built?", "date", [1.0, 0.0]),
        ("How many trees are there?", "figure", [1.0, 0.0]),
        ("Who planted it in 1911?", "date", [0.0, 0.0]),  # asks for a name, not for a date
        ("When, if not in 1911?", "date", [0.0, 0.0]),  # the question gives it already
        ("Is it old?", "figure", [0.0, 0.0]),
    ],
)
def test_what_the_question_asks_for(question: str, signal: str, flags: list[float]) -> None:
    assert column(signal, question, sentences("It was 1911.", "It was old.")) == flags


@pytest.mark.parametrize("question", ["?!", "😀", "is it the"])
def test_a_question_that_says_nothing_still_gives_numbers(question: str) -> None:
    found = sentences("Green tea.", "Rain.")
    flat = [0.0, 0.0]

    assert np.isfinite(signals(question, found, flat, flat, flat, Words())).all()


def test_nothing_found_gives_no_rows() -> None:
    assert signals("tea", [], [], [], [], Words()).shape == (0, len(SIGNALS))
