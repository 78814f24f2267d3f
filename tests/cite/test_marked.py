"""Marks in a claim on what the rules do not find in its source."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.cite.marked import ELSEWHERE, OPPOSITE, OTHER, UNREACHED, marked
from rag.cite.restate import restated


@pytest.mark.parametrize(
    ("claim", "source", "written"),
    [
        ("It costs 20 euros.", "It costs 20 euros.", "It costs 20 euros."),
        ("It takes 30 minutes.", "It takes half an hour.", "It takes half an hour."),
        ("70 acts will play.", "17 acts will play on 3 stages.", "70 ‡ acts will play."),
        ("The two cost 80 euros.", "Each of the two costs 40 euros.", "The two cost 80 euros †."),
        ("It opens on 4 May.", "It opens on 3 May.", "It opens on 4 May †."),
        ("Nora leads Graz.", "Nora leads Linz.", "Nora leads Graz †."),
        ("Dogs may come.", "Dogs must leave.", "Dogs may come ¶."),
        ("See the Titanic's pool.", "See the Olympic's pool.", "See the Titanic's † pool."),
        ("Use version 2.4.1.", "Use version 2.3.1.", "Use version 2.4.1."),
        ("We have higher-paid jobs.", "We have lower-paid jobs.", "We have higher-paid jobs."),
        ("Talk to Ann Brakel.", "Talk to Ann Kuhlmann, mayor of Brakel.", "Talk to Ann Brakel †."),
        ("The zoo has 40 cubs.", "The 12 cubs of the zoo are fed by 40 guards.", "The zoo has 40 § cubs."),
        ("The bus is late.", "", "The bus is late."),
        ("", "The bus is late.", ""),
    ],
)
def test_what_a_source_lacks_or_turns_round_is_marked(claim: str, source: str, written: str) -> None:
    assert marked(claim, source) == written


def test_a_mark_that_a_claim_came_with_says_nothing_else_than_it_does_in_text() -> None:
    assert marked("It costs † 20 euros.", "It costs 20 euros.") == "It costs † 20 euros."


WORDS = st.lists(
    st.sampled_from(
        [
            *(
                "2½",
                "×",
                "10^6",
                "3e5",
                "1/4",
                "½",
                "half",
                "a",
                "million",
                "one-third",
                "of",
                "them",
                "mile",
                "İzmir",
            ),
            *(
                "Ann",
                "Roth",
                "O’Neil's",
                "May",
                "3",
                "pm",
                "not",
                "open",
                "closed",
                ".",
                ",",
                "€5",
                "⁶",
                "٣",
                "-",
                "\u200b",
            ),
        ]
    ),
    max_size=12,
).map(" ".join)


@given(WORDS, WORDS)
def test_marks_are_all_that_is_added(claim: str, source: str) -> None:
    written = marked(claim, source)

    assert re.sub(f" [{OTHER}{UNREACHED}{OPPOSITE}{ELSEWHERE}]", "", written) == restated(claim, source)
