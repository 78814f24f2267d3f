"""From ranked sentences to passages: what fits, what touches, what stands apart."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rag import bm25
from rag.chunk import Chunking, split
from rag.config import Settings
from rag.retrieve import Ranked, best_sections, fill_budget, rank
from rag.types import Chunk, Document, Hit, IndexedChunk, Passage, Section
from rag.weights import SIGNALS
from tests.fakes import FakeEmbedder

MODEL = FakeEmbedder()


class Memory:
    """Both indexes, over documents in memory: cosine by the fake model, BM25 by shared words."""

    def __init__(self, *texts: str, section_tokens: int = 40, knows_sections: bool = False) -> None:
        self.knows_sections = knows_sections
        self.documents = {f"d{n}": text for n, text in enumerate(texts)}
        self.chunks: dict[str, IndexedChunk] = {}
        options = Chunking(section_tokens=section_tokens)
        for key, text in self.documents.items():
            for chunk in split(Document(key, text, f"{key}.txt", key), MODEL.count_tokens, options)[1]:
                self.chunks[chunk.id] = IndexedChunk(chunk, f"{key}.txt", key, {})
        self.rows = {i: MODEL.embed_texts([c.chunk.text])[0] for i, c in self.chunks.items()}

    def vectors(self, chunk_ids: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        return {i: self.rows[i] for i in chunk_ids if i in self.rows}

    def get(self, chunk_ids: Sequence[str]) -> Mapping[str, IndexedChunk]:
        return {i: self.chunks[i] for i in chunk_ids if i in self.chunks}

    def search(self, query: Any, n: int, where: Any = None, field: str = "window") -> list[Hit]:
        if isinstance(query, str):
            hits = [Hit(i, s) for i, s in self.scores(query, list(self.chunks)).items() if s]
        else:
            hits = [Hit(i, float(row @ query)) for i, row in self.rows.items()]
        return sorted(hits, key=lambda hit: -hit.score)[:n]

    def scores(self, question: str, chunk_ids: Sequence[str], field: str = "window") -> dict[str, float]:
        words = set(question.casefold().split())
        return {i: float(len(words & set(self.chunks[i].chunk.text.casefold().split()))) for i in chunk_ids}

    def analyse(self, texts: Sequence[str]) -> list[list[str]]:
        return [text.casefold().replace(".", " ").replace("?", " ").split() for text in texts]

    def idf(self, terms: Sequence[str]) -> Mapping[str, float]:
        return dict.fromkeys(terms, 1.0)

    def numbers(self, found: Sequence[IndexedChunk]) -> list[tuple[bm25.Numbers, bm25.Numbers]]:
        heads = self.analyse([f.title for f in found])
        own = self.analyse([f.chunk.text for f in found])
        return [(bm25.numbers(head), bm25.numbers(text)) for head, text in zip(heads, own, strict=True)]

    def sections(self, chunk_ids: Iterable[str]) -> Mapping[str, range]:
        """The sections, where this fake is told that it knows them."""
        if not self.knows_sections:
            return {}
        known = {}
        for key in chunk_ids:
            own = self.chunks[key].chunk
            section = [c.chunk.n for c in self.chunks.values() if c.chunk.document_id == own.document_id]
            section = [
                n for n in section if self.chunks[f"{own.document_id}:{n}"].chunk.section == own.section
            ]
            known[key] = range(min(section), max(section) + 1)
        return known

    def ranked(
        self, question: str, settings: Settings, weights: Mapping[str, float] | None = None
    ) -> list[Ranked]:
        return rank(question, MODEL.embed_query(question), self, self, settings, weights=weights)

    def passages(self, question: str, **changes: Any) -> list[Passage]:
        chosen = Settings(**changes)
        ranked = self.ranked(question, chosen)
        if chosen.budget:
            return fill_budget(ranked, MODEL.count_tokens, chosen.budget, MODEL.token_offsets)
        vector = MODEL.embed_query(question)
        return best_sections(question, vector, ranked, self, self, MODEL.count_tokens, chosen)


BEES = "Bees make honey. They live in hives. A hive has one queen."
TEA = "Tea is a plant. Green tea is steamed. Black tea is dried."


def test_the_sentence_that_answers_comes_first() -> None:
    ranked = Memory(BEES, TEA).ranked("Is green tea steamed?", Settings())

    assert ranked[0].chunk.text == "Green tea is steamed."
    assert ranked[0].score > ranked[1].score


def test_it_makes_no_difference_whether_the_sections_are_known() -> None:
    documents = (BEES * 4, TEA * 5, "A bee visits flowers. Tea has flowers too.")
    guessed, known = Memory(*documents), Memory(*documents, knows_sections=True)

    for k in (1, 3):
        assert known.passages("Which flowers does a bee visit?", k=k) == guessed.passages(
            "Which flowers does a bee visit?", k=k
        )


def only(name: str) -> dict[str, float]:
    return {signal: float(signal == name) for signal in SIGNALS}


def test_learned_weights_decide_the_order() -> None:
    memory = Memory("It opened in May. It has 30 rooms and a long garden.", BEES)

    by_date = memory.ranked("When was it built?", Settings(), only("date"))
    by_length = memory.ranked("When was it built?", Settings(), only("length"))

    assert (by_date[0].chunk.text, by_date[0].score, by_date[1].score) == ("It opened in May.", 1.0, 0.0)
    assert by_length[0].chunk.text == "It has 30 rooms and a long garden."


def test_a_passage_keeps_the_scores_it_was_ranked_by() -> None:
    memory = Memory(TEA)
    question, chosen = "Is green tea steamed?", Settings(k=1)
    ranked = memory.ranked(question, chosen, dict.fromkeys(SIGNALS, 1.0))
    vector = MODEL.embed_query(question)

    (passage,) = best_sections(
        question, vector, ranked, memory, memory, MODEL.count_tokens, chosen, learned=True
    )

    scores = {r.chunk.start: r.score for r in ranked}
    assert {s.start: s.score for s in passage.sentences} == scores
    assert passage.score == ranked[0].score == max(scores.values())


def test_learned_weights_look_further_into_the_section_than_the_hand_weights() -> None:
    text = "Tea grows. " + " ".join(f"Row {n} is cut." for n in range(9))
    memory = Memory(text, *("Tea." for _ in range(40)), section_tokens=200)

    def looked_at(weights: dict[str, float] | None) -> set[int]:
        found = memory.ranked("tea grows", Settings(), weights)
        return {r.chunk.n for r in found if r.chunk.document_id == "d0"}

    assert looked_at(None) == {0, 1}
    assert looked_at(dict.fromkeys(SIGNALS, 1.0)) == {0, 1, 2, 3}


def test_nothing_is_ranked_where_nothing_is_there() -> None:
    assert Memory().ranked("tea", Settings()) == []
    assert Memory().ranked("tea", Settings(), only("cosine")) == []
    assert Memory().passages("tea") == []
    assert Memory().passages("tea", budget=100) == []


def test_chunks_that_vanish_meanwhile_are_left_out() -> None:
    memory = Memory(BEES, TEA)
    gone = {i for i in memory.chunks if i.startswith("d1")}
    get = memory.get
    memory.get = lambda ids: get([i for i in ids if i not in gone])  # type: ignore[method-assign]

    assert {r.chunk.document_id for r in memory.ranked("green tea", Settings())} == {"d0"}


def test_nothing_is_left_where_all_vanish() -> None:
    memory = Memory(TEA)
    memory.get = lambda ids: {}  # type: ignore[method-assign]

    assert memory.ranked("green tea", Settings()) == []


def test_a_passage_is_the_section_of_a_good_sentence_with_its_scores() -> None:
    first, *_ = Memory(BEES, TEA).passages("Is green tea steamed?", k=1)

    assert (first.document_id, first.text, first.scorer) == ("d1", TEA, "fused")
    assert (first.start, first.end, first.context, first.context_start) == (0, len(TEA), TEA, 0)
    assert [TEA[s.start : s.end] for s in first.sentences] == [
        "Tea is a plant.",
        "Green tea is steamed.",
        "Black tea is dried.",
    ]
    assert max(first.sentences, key=lambda s: s.score).start == TEA.index("Green")


def test_a_passage_is_the_window_of_its_section_that_fits() -> None:
    first, *_ = Memory(TEA).passages("Is green tea steamed?", k=1, passage_tokens=8)

    assert first.text in (
        "Green tea is steamed. Black tea is dried.",
        "Tea is a plant. Green tea is steamed.",
    )
    assert first.context == TEA


def test_a_budget_takes_the_best_sentences_that_fit() -> None:
    passages = Memory(BEES, TEA).passages("Is green tea steamed?", budget=4)

    assert [p.text for p in passages] == ["Green tea is steamed."]


def test_spans_are_merged_where_they_touch() -> None:
    (passage,) = Memory(TEA).passages("tea", budget=100)

    assert (passage.text, passage.start, passage.end) == (TEA, 0, len(TEA))
    assert len(passage.sentences) == 3


def test_a_gap_of_one_sentence_is_bridged() -> None:
    ranked = [_ranked(n, score) for n, score in ((0, 9.0), (2, 8.0), (1, -9.0), (5, 7.0))]

    passages = fill_budget(ranked, MODEL.count_tokens, 8)

    assert [p.text for p in passages] == ["word 0. word 1. word 2.", "word 5."]


def test_a_gap_that_does_not_fit_stays() -> None:
    ranked = [_ranked(n, score) for n, score in ((0, 9.0), (2, 8.0), (1, -9.0))]

    assert [p.text for p in fill_budget(ranked, MODEL.count_tokens, 5)] == ["word 0.", "word 2."]


def _ranked(n: int, score: float) -> Ranked:
    start = n * len("word 0. ")
    section = Section(0, 100)
    chunk = Chunk("d", n, start, start + 7, f"word {n}.", " ", section)
    return Ranked(IndexedChunk(chunk, "d.txt", "D", {}), score, 0.5, 0.5)


def test_where_no_sentence_fits_the_best_one_is_cut() -> None:
    passages = Memory("Seven words stand in this one sentence.").passages("sentence", budget=3)

    assert [p.text for p in passages] == ["Seven words stand"]


def test_tokens_that_grow_when_parts_are_joined_stay_in_the_budget() -> None:
    def count(texts: Sequence[str]) -> list[int]:
        return [len(text.split()) + (3 if " word" in text else 0) for text in texts]

    passages = fill_budget([_ranked(0, 9.0), _ranked(1, 8.0)], count, 4)

    assert [p.text for p in passages] == ["word 0."]


def test_a_passage_whose_parts_make_more_tokens_together_is_shortened() -> None:
    memory = Memory(TEA)

    def count(texts: Sequence[str]) -> list[int]:
        return [len(text.split()) + (5 if ". " in text.strip() else 0) for text in texts]

    chosen = Settings(k=1, passage_tokens=12)
    ranked = memory.ranked("Is green tea steamed?", chosen)
    vector = MODEL.embed_query("Is green tea steamed?")
    (passage,) = best_sections("Is green tea steamed?", vector, ranked, memory, memory, count, chosen)

    assert passage.text == "Green tea is steamed."


WORDS = st.sampled_from(["bee", "tea", "train", "queen", "green", "night", "honey", "42"])
SENTENCE = st.lists(WORDS, min_size=1, max_size=9).map(lambda words: " ".join(words).capitalize() + ".")
TEXT = st.lists(SENTENCE, min_size=1, max_size=25).map(" ".join)
PARAGRAPHS = st.lists(TEXT, min_size=1, max_size=3).map("\n\n".join)
CORPUS = st.lists(PARAGRAPHS, min_size=1, max_size=4, unique=True)


@settings(max_examples=60, deadline=None)
@given(CORPUS, TEXT, st.integers(1, 120))
def test_a_budget_is_never_exceeded(texts: list[str], question: str, budget: int) -> None:
    memory = Memory(*texts)

    passages = memory.passages(question, budget=budget)

    assert sum(MODEL.count_tokens([p.text for p in passages])) <= budget
    assert passages
    check(memory, passages)
    for one, two in itertools.combinations(passages, 2):
        if one.document_id == two.document_id:
            low, high = sorted([one, two], key=lambda p: p.start)
            between = memory.documents[one.document_id][low.end : high.start]
            assert between.strip()  # spans that touch are one


@settings(max_examples=60, deadline=None)
@given(CORPUS, TEXT, st.integers(1, 12), st.integers(20, 60))
def test_k_passages_are_of_different_sections_and_fit(
    texts: list[str], question: str, k: int, limit: int
) -> None:
    memory = Memory(*texts)

    passages = memory.passages(question, k=k, passage_tokens=limit)

    sections = {(c.chunk.document_id, c.chunk.section) for c in memory.chunks.values()}
    assert 1 <= len(passages) <= k
    assert max(MODEL.count_tokens([p.text for p in passages])) <= limit
    held = [
        next(
            (d, s.start) for d, s in sections if d == p.document_id and s.start <= p.start and p.end <= s.end
        )
        for p in passages
    ]
    assert len(set(held)) == len(held)
    check(memory, passages)


def check(memory: Memory, passages: Sequence[Passage]) -> None:
    assert [p.score for p in passages] == sorted((p.score for p in passages), reverse=True)
    taken: set[tuple[str, int]] = set()
    for passage in passages:
        text = memory.documents[passage.document_id]
        assert text[passage.start : passage.end] == passage.text
        assert text[passage.context_start :].startswith(passage.context)
        assert passage.context_start <= passage.start
        places = {(passage.document_id, n) for n in range(passage.start, passage.end)}
        assert not places & taken
        taken |= places
        assert all(passage.start <= s.start < s.end <= passage.end for s in passage.sentences)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_no_more_passages_than_asked_for(k: int) -> None:
    assert len(Memory(*(f"Number {n} is a tea." for n in range(9))).passages("tea", k=k)) == k
