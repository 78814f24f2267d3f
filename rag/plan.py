"""How to find the nearest chunks under a filter.

Chroma walks its graph past what the filter refuses, after it has listed all that it
allows: slow on a large collection, whatever the filter. Two other ways are right as well:
compare the question with every chunk that matches (*exact*: few matches), or take more
chunks than are wanted, without the filter, and drop what it refuses (*oversample*: many
matches; where too few are left, Chroma's own way is gone after all).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal


@dataclass(frozen=True, slots=True)
class Plan:
    """``way`` to go; ``candidates`` are what an oversampling search takes."""

    way: Literal["exact", "oversample", "filtered"]
    candidates: int = 0


EXACT = 2_500
MARGIN = 3.0
MOST_CANDIDATES = 8_000


def choose(matching: int, total: int, n: int) -> Plan:
    """The way to the ``n`` nearest of ``matching`` chunks out of ``total``."""
    if matching <= max(EXACT, n):
        return Plan("exact")
    candidates = ceil(MARGIN * n * total / matching)
    if candidates <= MOST_CANDIDATES:
        return Plan("oversample", candidates)
    return Plan("filtered")
