"""Intervals and quantiles, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rag.metrics import quantile, wilson


def test_a_share_stands_in_its_interval() -> None:
    # p = 0.8, n = 10, z² = 3.841459: centre (0.8 + 0.192073) / 1.384146 = 0.716740,
    # half 1.959964 / 1.384146 · √(0.16 / 10 + 3.841459 / 400) = 0.226577.
    rate = wilson(8, 10)
    assert rate is not None
    assert (rate.value, rate.n) == (0.8, 10)
    assert rate.low == pytest.approx(0.490162, abs=1e-6)
    assert rate.high == pytest.approx(0.943318, abs=1e-6)


def test_none_of_three_is_not_surely_none() -> None:
    # z² / (n + z²) = 3.841459 / 6.841459
    rate = wilson(0, 3)
    assert rate is not None
    assert rate.low == 0.0
    assert rate.high == pytest.approx(0.561497, abs=1e-6)


def test_all_of_three_mirrors_none_of_three() -> None:
    rate = wilson(3, 3)
    assert rate is not None
    assert rate.high == 1.0
    assert rate.low == pytest.approx(1 - 0.561497, abs=1e-6)


def test_another_level_is_another_z() -> None:
    # p = 0.5, n = 4, z = 1: centre 0.5, half 1 / 1.25 · √(0.0625 + 0.015625) = 0.223607.
    rate = wilson(2, 4, z=1.0)
    assert rate is not None
    assert (rate.low, rate.high) == (pytest.approx(0.276393, abs=1e-6), pytest.approx(0.723607, abs=1e-6))


def test_of_nothing_there_is_no_share() -> None:
    assert wilson(0, 0) is None


@pytest.mark.parametrize(("successes", "n"), [(4, 3), (-1, 3), (0, -1)])
def test_what_is_no_share_is_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="is no share"):
        wilson(successes, n)


@pytest.mark.parametrize(
    ("values", "q", "expected"),
    [
        ([3, 1, 2], 0.5, 2.0),
        ([1, 2, 3, 4], 0.5, 2.5),
        ([1, 2, 3, 4], 0.95, 3.85),
        ([7], 0.95, 7.0),
        ([], 0.5, None),
    ],
)
def test_quantiles_lie_between_the_values_beside_them(
    values: list[float], q: float, expected: float | None
) -> None:
    found = quantile(np.array(values, np.float64), q)
    assert found == (None if expected is None else pytest.approx(expected))
