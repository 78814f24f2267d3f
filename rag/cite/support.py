"""The fitted weights that make a probability of the signals: a small file beside this module.

``python -m tests.benchmarks.fit_claims`` writes it. It holds two logistic curves: ``nearness``,
that the source is about what the claim says, and ``change``, that nothing of it was turned
around; and each twice: with a model's token vectors, and for models that give none.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PATH = Path(__file__).with_name("weights.toml")


@dataclass(frozen=True, slots=True)
class Curve:
    """``1 / (1 + exp(-(weights . signals + bias)))``; below ``threshold`` it counts as no."""

    weights: Mapping[str, float]
    bias: float
    threshold: float

    def probability(self, signals: Mapping[str, float]) -> float:
        logit = self.bias + sum(weight * signals[name] for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-max(-500.0, min(500.0, logit))))


@dataclass(frozen=True, slots=True)
class Support:
    nearness: Curve
    change: Curve


@cache
def fitted(tokens: bool) -> Support:
    """The weights in use, for a model with or without token vectors."""
    table = tomllib.loads(PATH.read_text(encoding="utf-8"))["tokens" if tokens else "words"]
    return Support(_curve(table["nearness"]), _curve(table["change"]))


def _curve(table: Mapping[str, float]) -> Curve:
    weights = {name: value for name, value in table.items() if name not in ("bias", "threshold")}
    return Curve(weights, table["bias"], table["threshold"])
