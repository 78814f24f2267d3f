"""No answer shows a number that was not checked: ten thousand fuzzed streams, and a few of them always."""

from __future__ import annotations

import pytest

from tests.benchmarks.streams import trouble

SEEN_TO_FAIL = (27, 84, 102, 392, 508, 525, 643, 805, 1525, 2213, 2369, 4153, 9885, 27300)

SEEN_TO_FAIL_WITH_CODE = (102491, 103535)


@pytest.mark.parametrize("seed", SEEN_TO_FAIL)
def test_what_failed_once_does_not_fail_again(seed: int) -> None:
    assert trouble(seed) == []


@pytest.mark.parametrize("seed", SEEN_TO_FAIL_WITH_CODE)
def test_what_failed_once_around_code_does_not_fail_again(seed: int) -> None:
    assert trouble(seed, code=True) == []


@pytest.mark.fuzz
@pytest.mark.parametrize("thousand", range(10))
def test_a_thousand_fuzzed_streams(thousand: int) -> None:
    found = [line for seed in range(1_000 * thousand, 1_000 * (thousand + 1)) for line in trouble(seed)]

    assert found == []


@pytest.mark.fuzz
def test_a_thousand_fuzzed_streams_with_code() -> None:
    assert [line for seed in range(1_000) for line in trouble(seed, code=True)] == []
