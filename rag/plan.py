"""How to find the nearest chunks under a filter.

Chroma lists all chunks that a filter allows and then walks its graph past the others: on
100,000 chunks that takes longer than anything else a question does, whatever the filter.
Two other ways are right as well: compare the question with every chunk that matches
(*exact*), or take more chunks than are wanted without the filter and drop what it refuses
(*oversample*). Where too few are left of those, what matches lies far from the question, and
the question goes one of the other two ways.

The costs are of one chunk, relative to each other: milliseconds for 100,000 chunks, 8
questions, filters that let 50 % to 0.1 % through, on a machine with other work, as printed by

    python tests/benchmarks/ann.py DATA --cache FOLDER --chunks 100000 --only filters
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


EXACT_COST = 0.10
"""Of a chunk that matches: read, and compared (0.02 to 0.15)."""
CANDIDATE_COST = 0.065
"""Of a chunk that is taken and looked at (0.05 to 0.10)."""
FILTERED_COST = 0.02
"""Of a chunk of the collection, when Chroma filters (0.015 to 0.033)."""
MARGIN = 1.5
"""Candidates for each that would do if what matches lay anywhere; how often it is too few was not
counted, only that the median question at 5 % to 50 % was far quicker than by the other ways."""
LEAST_CANDIDATES = 1_000
"""The graph is searched as widely as candidates are taken, and the last of them are found less
surely: of the nearest 100, 98.5 % with 750 candidates, 99.4 % with 1,500 (at a share of 20 %)."""


def choose(matching: int, total: int, n: int) -> Plan:
    """The cheapest way to the ``n`` nearest of ``matching`` chunks out of ``total``."""
    if matching <= n:
        return Plan("exact")
    candidates = min(total, max(LEAST_CANDIDATES, ceil(MARGIN * n * total / matching)))
    other = instead(matching, total)
    cost = matching * EXACT_COST if other.way == "exact" else total * FILTERED_COST
    return Plan("oversample", candidates) if candidates * CANDIDATE_COST < cost else other


def instead(matching: int, total: int) -> Plan:
    """The cheaper of the ways that need no luck."""
    return Plan("exact") if matching * EXACT_COST <= total * FILTERED_COST else Plan("filtered")
