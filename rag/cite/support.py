"""The fitted weights that make a probability of the signals: a small file beside this module.

Where a model read claim and source together it is one logistic curve, which ``python -m
tests.benchmarks.fit_read`` writes. Else there are two, which ``python -m tests.benchmarks.fit_claims``
writes: ``nearness``, that the source is about what the claim says, and ``change``, that nothing of it
was turned around; and each twice: with a model's token vectors, and for models that give none.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PATH = Path(__file__).with_name("weights.toml")
READ = Path(__file__).with_name("read.toml")


@dataclass(frozen=True, slots=True)
class Curve:
    """``1 / (1 + exp(-(weights . signals + bias)))``; below ``threshold`` it counts as no."""

    weights: Mapping[str, float]
    bias: float
    threshold: float
    sure: float = 0.0
    """Below it hardly any true claim is."""

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


@cache
def fitted_read() -> Curve:
    """The weights in use where a model read claim and source together."""
    return _curve(tomllib.loads(READ.read_text(encoding="utf-8"))["curve"])


def _curve(table: Mapping[str, float]) -> Curve:
    weights = {name: value for name, value in table.items() if name not in ("bias", "threshold", "sure")}
    return Curve(weights, table["bias"], table["threshold"], table.get("sure", 0.0))
