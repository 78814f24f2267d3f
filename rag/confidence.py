"""How sure an answer is, and when to say "I don't know".

Two signals, both about the best sentence found: its cosine with the question, and the
share of the question's content words, weighed by idf, that its section holds. A word
of the question that stands nowhere near the evidence is what gives a wrong topic away.
Function words say nothing of the topic, and in a catalogue, where hardly a row asks or
tells, their idf would drown the words that do.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from rag.weights import Calibration

THRESHOLD = 0.5
"""More likely than not; what a threshold gives is printed by ``tests/benchmarks/abstention.py``.
Questions that are on topic but answered nowhere are not told apart by it, nor by any score
that was tried: that takes a model that reads."""

HAND = Calibration(cosine=18.63, coverage=9.55, bias=-11.42, threshold=THRESHOLD)
"""For the order of the hand weights; that of learned weights comes with them
(:mod:`rag.weights`). Logistic regression over SQuAD 2.0 (half of its articles) and XQuAD English together:
the answerable questions of every article, asked once of the half of the articles that
holds theirs and once of the other half."""


def coverage(question_terms: Sequence[str], idf: Mapping[str, float], terms: Collection[str]) -> float:
    """Share of the idf of the question's terms that stands in ``terms``, in [0, 1].

    A term of the question counts once. ``idf`` holds every term of the question.
    """
    wanted = set(question_terms)
    total = sum(idf[term] for term in wanted)
    return sum(idf[term] for term in wanted if term in terms) / total if total else 0.0


def confidence(cosine: float, covered: float, by: Calibration = HAND) -> float:
    """Probability, in [0, 1], that the question's topic is in the documents."""
    score = by.cosine * cosine + by.coverage * covered + by.bias
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, score))))


def threshold(setting: str | float, by: Calibration = HAND) -> float:
    """The confidence below which nothing is answered; ``off`` answers always."""
    if setting == "off":
        return 0.0
    return by.threshold if setting == "on" else float(setting)
