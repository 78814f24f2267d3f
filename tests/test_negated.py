"""A claim denied, or no longer denied, by rule."""

from __future__ import annotations

import pytest

from tests.benchmarks.negated import negated


@pytest.mark.parametrize(
    ("claim", "other"),
    [
        ("Outsiders may help with costumes.", "Outsiders may not help with costumes."),
        ("The price covers two firings.", "The price does not cover two firings."),
        ("Dr Lang brought the complaint.", "Dr Lang did not bring the complaint."),
        ("The jury admired the text.", "The jury did not admire the text."),
        ("The ferry stopped at noon.", "The ferry did not stop at noon."),
        ("The office replied at once.", "The office did not reply at once."),
        ("The museum opened in 1907.", "The museum did not open in 1907."),
        ("Coaches have to stay outside.", "Coaches do not have to stay outside."),
        ("Entry has to be paid.", "Entry does not have to be paid."),
        ("In winter, the pass is closed.", "In winter, the pass is not closed."),
        ("If the key is lost, the lock is changed.", "If the key is lost, the lock is not changed."),
        ("It was Anna who found the key.", "It was not Anna who found the key."),
        ("She can swim.", "She cannot swim."),
    ],
)
def test_the_main_verb_is_denied(claim: str, other: str) -> None:
    assert negated(claim) == other


@pytest.mark.parametrize(
    ("claim", "other"),
    [
        ("They may not be worn under water.", "They may be worn under water."),
        ("Players cannot be bought outright.", "Players can be bought outright."),
        ("They can't be bought outright.", "They can be bought outright."),
        ("He won’t return.", "He will return."),
        ("The room isn't heated.", "The room is heated."),
        ("The courts no longer follow it.", "The courts still follow it."),
        ("The topper is never turned.", "The topper is turned."),
        ("There is no ban on peat.", "There is ban on peat."),
    ],
)
def test_what_denies_no_longer_does(claim: str, other: str) -> None:
    assert negated(claim) == other


@pytest.mark.parametrize(
    "claim",
    [
        "Nobody was hurt.",
        "Entries are written in ink, never in pencil.",
        "The fee is not refunded unless the course is cancelled.",
        "The ferry does not run until May.",
        "No dog is admitted without a lead, and none is not barked at.",
        "If you do not pay, the bicycle is locked.",
        "Those who are late must wait.",
        "Neither the stage nor the piano may be moved.",
        "Two museums founded in 1907 merged in 1950.",
        "Is the bath warm?",
        "",
    ],
)
def test_where_the_scope_of_a_denial_is_unsure_there_is_none(claim: str) -> None:
    assert negated(claim) is None
