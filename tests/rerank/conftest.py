"""Passages to put in another order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rerank_server import FakeCohere, serve

from rag.types import Passage, Sentence


def passage(name: str, *texts: str, score: float = 0.0, start: int = 100) -> Passage:
    """The document ``name``, its sentences with a space between them, each as good as the passage."""
    sentences, at = [], start
    for text in texts:
        sentences.append(Sentence(at, at + len(text), score, 0.5))
        at += len(text) + 1
    whole = " ".join(texts)
    return Passage(
        name, f"{name}.txt", name.title(), start, start + len(whole), whole, score, "fused",
        context=whole, context_start=start, sentences=tuple(sentences),
    )  # fmt: skip


def best_sentence(passage: Passage) -> str:
    """The text of the sentence that carries the evidence."""
    best = max(passage.sentences, key=lambda sentence: sentence.score)
    return passage.text[best.start - passage.start : best.end - passage.start]


@pytest.fixture
def cohere() -> Iterator[FakeCohere]:
    with serve(FakeCohere()) as fake:
        yield fake
