"""Measures as pure functions: numbers in, numbers out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution: two-sided 95 %."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share in [0, 1] of ``n`` trials, with the bounds of its interval."""

    value: float
    low: float
    high: float
    n: int


def wilson(successes: int, n: int, z: float = Z95) -> Rate | None:
    """The share ``p = successes / n`` with its Wilson score interval; None where ``n`` is 0.

        centre = (p + z²/2n) / (1 + z²/n)
        half   = z / (1 + z²/n) · √(p(1 − p)/n + z²/4n²)

    Wilson (1927), "Probable inference, the law of succession, and statistical inference", J. Am.
    Stat. Assoc. 22; recommended for small ``n`` by Brown, Cai and DasGupta (2001), "Interval
    estimation for a binomial proportion", Stat. Sci. 16. Unlike p ± z·√(p(1 − p)/n), it stays in
    [0, 1] and does not shrink to nothing at 0 of 3. Raises ValueError unless 0 ≤ successes ≤ n.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no share: give 0 ≤ successes ≤ n.")
    if n == 0:
        return None
    p, square = successes / n, z * z
    centre = (p + square / (2 * n)) / (1 + square / n)
    half = z / (1 + square / n) * math.sqrt(p * (1 - p) / n + square / (4 * n * n))
    # At the ends the bound is exactly the end; rounding would leave 1e-17 beside it.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Rate(p, low, high, n)


def quantile(values: NDArray[np.float64], q: float) -> float | None:
    """The ``q`` quantile, ``q`` in [0, 1], of values in any order, shape ``(n,)``; None of none.

    Between two values it is interpolated linearly: type 7 of Hyndman and Fan (1996), "Sample
    quantiles in statistical packages", Am. Stat. 50, the default of NumPy and R.
    """
    return float(np.quantile(values, q)) if len(values) else None
