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

COSINE_WEIGHT, COVERAGE_WEIGHT, BIAS = 18.63, 9.55, -11.42
"""Logistic regression over SQuAD 2.0 (half of its articles) and XQuAD English together:
the answerable questions of every article, asked once of the half of the articles that
holds theirs and once of the other half. Printed by ``tests/benchmarks/abstention.py``."""

THRESHOLD = 0.5
"""More likely than not. Measured on the same data with
``tests/benchmarks/abstention.py``, one threshold for both sets: of the questions whose
article is missing 97.6 % (SQuAD) and 97.0 % (XQuAD) are refused, of the others 97.3 % and
97.3 % answered (``--fit`` shows how other thresholds trade them). Questions that are on
topic but answered nowhere are not told apart by it, nor by any score that was tried:
that takes a model that reads."""


def coverage(question_terms: Sequence[str], idf: Mapping[str, float], terms: Collection[str]) -> float:
    """Share of the idf of the question's terms that stands in ``terms``, in [0, 1].

    A term of the question counts once. ``idf`` holds every term of the question.
    """
    wanted = set(question_terms)
    total = sum(idf[term] for term in wanted)
    return sum(idf[term] for term in wanted if term in terms) / total if total else 0.0


def confidence(cosine: float, covered: float) -> float:
    """Probability, in [0, 1], that the question's topic is in the documents."""
    score = COSINE_WEIGHT * cosine + COVERAGE_WEIGHT * covered + BIAS
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, score))))


def threshold(setting: str | float) -> float:
    """The confidence below which nothing is answered; ``off`` answers always."""
    if setting == "off":
        return 0.0
    return THRESHOLD if setting == "on" else float(setting)
