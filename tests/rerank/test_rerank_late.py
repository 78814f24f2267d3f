"""Late interaction over vectors that can be added up by hand."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
import pytest
from conftest import best_sentence, passage

from rag.errors import RerankError
from rag.rerank.late import FUNCTION_WEIGHT, LateReranker, max_sim
from rag.types import TokenVectors
from rag.weights import LATE

WORDS = {"bees": 0, "honey": 1, "make": 2, "the": 3}
IDF = {"bees": 3.0, "honey": 1.0, "make": 1.0, "the": 4.0}


def vectors(texts: Sequence[str]) -> list[TokenVectors]:
    """A direction of its own for each known word, one for all others, none for punctuation."""
    made = []
    for text in texts:
        tokens = list(re.finditer(r"\w+|[?.]", text))
        offsets = np.array([t.span() for t in tokens], np.int64).reshape(-1, 2)
        rows = np.zeros((len(tokens), 6), np.float32)
        for row, token in zip(rows, tokens, strict=True):
            row[WORDS.get(token[0].casefold(), 5 if token[0] in "?." else 4)] = 1
        made.append(TokenVectors(offsets, rows))
    return made


def late() -> LateReranker:
    return LateReranker(
        vectors, lambda word: [word.casefold()], lambda terms: {t: IDF.get(t, 2.0) for t in terms}
    )


def test_max_sim_adds_the_best_match_of_each_token() -> None:
    sims = np.array([[0.5, 1.0], [0.25, 0.0]], np.float32)

    assert max_sim(np.array([0.8, 0.2]), sims) == pytest.approx(0.8 * 1.0 + 0.2 * 0.25)
    assert max_sim(np.array([0.8, 0.2]), sims[:, :0]) == 0.0


def test_a_token_weighs_what_its_word_does_and_punctuation_nothing() -> None:
    (tokens,) = vectors(["The bees make?"])

    found = late().weights("The bees make?", tokens)

    total = 4.0 * FUNCTION_WEIGHT + 3.0 + 1.0
    assert found == pytest.approx([4.0 * FUNCTION_WEIGHT / total, 3.0 / total, 1.0 / total, 0.0])


def test_a_question_without_words_weighs_all_tokens_alike() -> None:
    (tokens,) = vectors(["??"])

    assert late().weights("??", tokens) == pytest.approx([0.5, 0.5])


def test_the_rarer_word_of_the_question_decides() -> None:
    found = [passage("a", "They make honey."), passage("b", "We saw bees.")]

    new = late().rerank("bees make honey", found)

    assert [p.document_id for p in new] == ["b", "a"]  # 3/5 of the idf against 2/5
    assert {p.scorer for p in new} == {"late"}


def learned(**weights: float) -> LateReranker:
    return late().weighed(dict.fromkeys(LATE, 0.0) | weights)


def test_learned_weights_mix_the_sentences_and_a_passage_is_its_best_one() -> None:
    found = [passage("a", "Tea.", "bees."), passage("b", "honey.")]
    (first, second), (third,) = ([s.score for s in p.sentences] for p in found)

    new = learned(fused=2.0, sentence=1.0).rerank("bees", found)

    # MaxSims are 0, 1 and 0, so their z-scores -0.707, 1.414 and -0.707.
    scores = {p.document_id: [s.score for s in p.sentences] for p in new}
    assert scores["a"] == pytest.approx([2 * first - 0.7071, 2 * second + 1.4142], abs=1e-3)
    assert scores["b"] == pytest.approx([2 * third - 0.7071], abs=1e-3)
    assert {p.document_id: p.score for p in new} == {key: max(own) for key, own in scores.items()}


def test_the_section_and_its_best_sentence_count_for_all_its_sentences() -> None:
    found = [passage("a", "Tea.", "bees."), passage("b", "Tea.", "Water.")]

    for name in ("section", "best"):
        new = learned(**{name: 1.0}).rerank("bees", found)
        assert [[s.score for s in p.sentences] for p in new] == [[1.0, 1.0], [-1.0, -1.0]]


def test_scores_are_the_mix_of_three_z_scores() -> None:
    found = [passage("a", "Tea.", score=2.0), passage("b", "bees.", score=1.0)]

    new = late().rerank("bees", found)

    # z-scores of two values are 1 and -1: fused for a (0.8), both MaxSims for b (1 + 1).
    assert [(p.document_id, p.score) for p in new] == [
        ("b", pytest.approx(-0.8 + 1 + 1)),
        ("a", pytest.approx(0.8 - 1 - 1)),
    ]


def test_the_fused_score_breaks_the_tie_of_equal_words() -> None:
    found = [passage("a", "bees.", score=1.0), passage("b", "bees.", score=2.0)]

    assert [p.document_id for p in late().rerank("bees", found)] == ["b", "a"]


def test_the_sentence_with_the_words_carries_the_evidence() -> None:
    (new,) = late().rerank("honey", [passage("a", "One two.", "make honey.", "Three.")])

    assert best_sentence(new) == "make honey."


def test_a_sentence_beyond_the_models_window_has_no_match() -> None:
    cut = passage("a", "honey.", "honey honey.")

    def first_token_only(texts: Sequence[str]) -> list[TokenVectors]:
        return [TokenVectors(t.offsets[:1], t.vectors[:1]) for t in vectors(texts)]

    reranker = LateReranker(first_token_only, lambda word: [word], lambda terms: dict.fromkeys(terms, 1.0))

    assert best_sentence(reranker.rerank("honey", [cut])[0]) == "honey."


def test_one_passage_and_none() -> None:
    (only,) = late().rerank("bees", [passage("a", "Tea.")])

    assert (only.score, only.scorer) == (0.0, "late")
    assert math.isfinite(only.sentences[0].score)
    assert late().rerank("bees", []) == []


def test_a_model_without_token_vectors_is_said() -> None:
    reranker = LateReranker(lambda texts: None, lambda word: [word], lambda terms: {})

    with pytest.raises(RerankError, match="token vectors"):
        reranker.rerank("bees", [passage("a", "Bees.")])
