"""Figures and names of a claim that its source has in another place."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.cite.nearer import out_of_place

POOL = "The pool has 3 lanes and a depth of 2 metres. Ann Brook coaches the juniors, Tom Hale the seniors."


def found(claim: str, source: str) -> list[str]:
    """What of the claim is in another place, each by its last word."""
    return [claim[:end].split()[-1] for end in out_of_place(claim, source)]


@pytest.mark.parametrize(
    ("claim", "source", "words"),
    [
        ("The herd has 40 cubs.", "There are 40 adults and 12 cubs in the herd.", ["40"]),
        ("The herd has 12 cubs.", "There are 40 adults and 12 cubs in the herd.", []),
        ("Adults pay 5 euros.", "The fare is 5 euros for children, 9 euros for adults.", ["euros"]),
        ("Adults pay nine euros.", "The fare is 5 euros for children, 9 euros for adults.", []),
        ("Children pay 9, adults 5 euros.", "The fare is 5 for children, 9 euros for adults.", []),
        ("Children pay 7 euros.", "The fare is 5 euros for children, 9 euros for adults.", []),
        ("Hale coaches the juniors.", POOL, ["Hale"]),
        ("Brook coaches the juniors.", POOL, []),
        ("Ann Brook coaches the juniors.", POOL, []),
        ("The pool has a depth of 2 metres.", POOL, []),
        ("The pool has 3 lanes.", "", []),
        ("", POOL, []),
    ],
)
def test_what_another_one_of_its_kind_is_nearer_to_is_out_of_place(
    claim: str, source: str, words: list[str]
) -> None:
    assert found(claim, source) == words


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("The depth is 2 metres.", "2 metres: the depth of the pool, which has 3 lanes."),
        (
            "After an hour of heating, it rests for 2 hours.",
            "It heats for an hour, then it rests for 2 hours.",
        ),
        ("Ann Brook is the head coach of the juniors.", "Ann Brook is Head Coach of the juniors."),
        ("Ferries run all day.", "Ferries run from Port Dorrick, where buses run all day."),
        ("Jean-Luc sings.", "Jean-Luc sings and Maria dances."),
        ("Ann coaches juniors.", "Ann Maria Brook coaches juniors."),
        ("Brook's juniors swim.", "Brook's juniors swim. Hale watches."),
    ],
)
def test_what_is_no_other_one_of_its_kind_is_no_rival(claim: str, source: str) -> None:
    assert found(claim, source) == []


def test_a_mark_between_clauses_is_no_word_of_the_claim() -> None:
    source = "The charge: dogs, 9 euros; visitors to the hall 5 euros."

    assert found("In winter, visitors are charged 5 euros.", source) == []


def test_what_the_claim_says_anywhere_is_no_rival() -> None:
    claim = "A 9, B 9, " + "9, " * 22 + "the hall has 40 cubs and 12 adults."

    assert "9," not in found(claim, "9 rooms. There are 40 adults and 12 cubs in the hall.")


@settings(deadline=None)
@given(st.text(max_size=120), st.text(max_size=300))
def test_any_text_is_read(claim: str, source: str) -> None:
    assert all(0 < end <= len(claim) for end in out_of_place(claim, source))


@pytest.mark.parametrize("clause", re.split("[.,]", POOL)[:-2])
def test_what_the_source_says_itself_is_in_its_place(clause: str) -> None:
    assert found(clause.strip() + ".", POOL) == []
