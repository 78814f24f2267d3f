"""Claims beside their denials, for what the checker is taught with."""

from __future__ import annotations

import random

from tests.benchmarks.denied import denied
from tests.benchmarks.labelled import Row

SOURCE = "The pool is open all year. Dogs stay outside. The sauna is shut."
TRUE: Row = ("true", "The pool is open in January.", SOURCE)
FALSE: Row = ("negation", "Visitors may bring dogs.", SOURCE)


def test_a_true_claim_becomes_false_and_a_false_one_true() -> None:
    assert denied([TRUE, FALSE], random.Random(1), 5) == [
        TRUE,
        ("negation", "The pool is not open in January.", SOURCE),
        FALSE,
        ("true", "Visitors may not bring dogs.", SOURCE),
    ]


def test_of_one_kind_there_are_no_more_than_of_the_other_so_that_not_tells_nothing() -> None:
    more: list[Row] = [TRUE, ("true", "The sauna is closed.", SOURCE), FALSE]
    denying: Row = ("true", "The sauna is not open.", SOURCE)  # no false claim denies

    made = denied([*more, denying], random.Random(1), 5)

    assert sorted(kind for kind, *_ in made) == ["negation", "negation", "true", "true"]
    assert denying not in made
    assert len(denied(more * 3, random.Random(1), 2)) == 8


def test_a_false_claim_makes_no_true_one_where_something_else_in_it_may_be_false() -> None:
    unsure = [
        "Visitors must bring dogs.",
        "Most visitors may bring dogs.",
        "Visitors may bring dogs and cats.",
        "Visitors may bring dogs by 9.",
    ]

    for claim in unsure:
        assert denied([TRUE, ("negation", claim, SOURCE)], random.Random(1), 5) == []


def test_of_a_number_that_are_so_others_may_not_be() -> None:
    for claim in ("Two pools are open.", "Of 9 pools 3 are open.", "Two pools are not open."):
        false: Row = ("negation", "Visitors may not swim.", SOURCE)
        assert denied([("true", claim, SOURCE), FALSE, false], random.Random(1), 5) == []


def test_a_number_behind_the_denial_is_no_such_number() -> None:
    made = denied([("true", "The pool opens at 9.", SOURCE), FALSE], random.Random(1), 5)

    assert ("negation", "The pool does not open at 9.", SOURCE) in made


def test_kinds_that_are_false_for_another_reason_are_left_out() -> None:
    assert denied([TRUE, ("name", "The Lido is open.", SOURCE)], random.Random(1), 5) == []
