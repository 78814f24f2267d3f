"""A cross-encoder with random weights: what it is given, and what becomes of its scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import best_sentence, passage

from rag.errors import RerankError
from rag.rerank import CrossEncoderReranker
from rag.rerank.scores import sentence_text, shown

FOUND = [
    passage("a", "bees make honey .", "is tea green ?"),
    passage("b", "they live in hives !", "green bees .", "honey ?"),
    passage("c", "tea .", "is honey green ?"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """``folder(2)`` is a small random BERT that gives two scores to a pair."""

    def make(labels: int = 1) -> Path:
        import torch
        from sentence_transformers import CrossEncoder
        from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

        place = tmp_path_factory.mktemp("cross")
        words = "[PAD] [UNK] [CLS] [SEP] [MASK] bees make honey . they live in hives ! is tea green ?"
        (place / "vocab.txt").write_text("\n".join(words.split()))
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=20,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            max_position_embeddings=64,
            num_labels=labels,
            initializer_range=1.0,  # so that the scores differ
        )
        BertForSequenceClassification(config).save_pretrained(place / "bert")
        BertTokenizerFast(str(place / "vocab.txt")).save_pretrained(place / "bert")
        CrossEncoder(str(place / "bert"), num_labels=labels).save(str(place / "model"))
        return place / "model"

    return make


@pytest.fixture(scope="module")
def reranker(folder: Any) -> CrossEncoderReranker:
    return CrossEncoderReranker(str(folder()))


def logits(reranker: CrossEncoderReranker, question: str, texts: list[str]) -> list[float]:
    """By the library itself: its default for one label is the logit's sigmoid."""
    found = reranker._model.predict([(question, text) for text in texts])
    return [float(np.log(p / (1 - p))) for p in np.asarray(found, np.float64)]


def test_passages_come_by_the_models_score(reranker: CrossEncoderReranker) -> None:
    expected = logits(reranker, "do bees make honey ?", [shown(p) for p in FOUND])

    new = reranker.rerank("do bees make honey ?", FOUND)

    order = np.argsort(-np.array(expected))
    assert [p.document_id for p in new] == [FOUND[at].document_id for at in order]
    assert [p.score for p in new] == pytest.approx(sorted(expected, reverse=True), abs=1e-3)
    assert {p.scorer for p in new} == {"cross"}


def test_the_best_sentence_by_itself_carries_the_evidence(reranker: CrossEncoderReranker) -> None:
    for found in reranker.rerank("is tea green ?", FOUND):
        texts = [sentence_text(found, n) for n in range(len(found.sentences))]
        own = logits(reranker, "is tea green ?", texts)
        assert best_sentence(found) == texts[int(np.argmax(own))]


def test_no_passages_give_none(reranker: CrossEncoderReranker) -> None:
    assert reranker.rerank("bees", []) == []


def test_a_folder_that_is_no_model_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RerankError, match="could not be loaded"):
        CrossEncoderReranker(str(tmp_path))


def test_a_model_of_several_scores_is_refused(folder: Any) -> None:
    with pytest.raises(RerankError, match="no numbers"):
        CrossEncoderReranker(str(folder(3))).rerank("bees", FOUND)
