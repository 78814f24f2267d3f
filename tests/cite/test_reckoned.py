"""Figures that a source does not name: reckoned from its own, an example of a limit, or wrong."""

from __future__ import annotations

import time

import pytest

from rag.cite.compare import Finding, changed
from rag.cite.facts import bare_units, dates, quantities
from rag.cite.reckoned import is_reckoned
from rag.sentences import sentences


def finding(claim: str, source: str) -> Finding | None:
    texts = [source[a:b] for a, b in sentences(source)]
    return next((f for f in changed(claim, texts, source, texts[0]) if f.kind == "number"), None)


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("The dam supplies about 240,000 homes.", "The dam supplies roughly 140,000 households in Norrdal."),
        ("The bus was bought for €89,000.", "The bus seats 19 pupils and was bought for €98,000 in June."),
        ("A wheel weighs around 7.2 kg.", "Each wheel weighs about 2.7 kg and ripens for 90 days."),
        ("The prize is worth 45 pounds.", "Three winners get a prize of 30 pounds, said Ann Roe on 3 May."),
        ("You may work abroad for up to 40 days.", "Work abroad is allowed for a maximum of 20 days."),
    ],
)
def test_a_figure_to_which_nothing_leads_is_surely_wrong(claim: str, source: str) -> None:
    found = finding(claim, source)
    assert found is not None
    assert found.sure
    assert found.unreached


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        # an example of a limit
        ("A float three metres wide breaks the rules.", "Floats must not exceed 2.5 metres in width."),
        ("A vessel with 900 passengers cannot land.", "No ship with more than 500 passengers can land."),
        # a made-up case
        (
            "Someone with 15 points must have a mentor.",
            "Players start with 50 points; below 20, a mentor plays.",
        ),
        # counted
        ("The train runs three times a week.", "The train runs on Mondays, Wednesdays and Fridays at 20.45."),
        # reckoned, and spoken of
        (
            "The repairs took five months longer.",
            "The repairs took eleven months instead of the planned six.",
        ),
        ("Households pay $1,240 a year.", "Dues are $310 a quarter; fences may be 5 feet high."),
        # reckoned, unspoken
        ("The flat is 285,000 euros with parking.", "The flat costs 260,000 euros, a parking space 25,000."),
        (
            "The trip lasts 11 hours and 25 minutes.",
            "It leaves Lyon at 20.45 and arrives in Trieste at 8.10.",
        ),
    ],
)
def test_what_may_be_reckoned_or_is_an_example_is_not_surely_wrong(claim: str, source: str) -> None:
    found = finding(claim, source)
    assert found is None or not found.sure


@pytest.mark.parametrize(
    ("asked", "source"),
    [
        ("25 minutes", "It opens at 8.15 and lessons begin at 8.40."),
        ("four years", "It was begun in March 1988 and finished in May 1992."),
        ("60 guests", "The two cabins sleep 30 guests each."),
        ("60 percent", "Of 200 members, 120 voted."),
        ("18,000 euros", "Of the 24,000 euros, three quarters were spent."),
        ("more than 70 days", "The mills stood still for 71 days."),
    ],
)
def test_one_step_of_reckoning(asked: str, source: str) -> None:
    held = [*quantities(source), *bare_units(source)]
    assert is_reckoned(quantities(asked)[0], held, dates(source))
    assert not is_reckoned(quantities(asked)[0], [], ())


def test_figures_that_no_float_holds() -> None:
    source = f"It has {'9' * 400} rows, {'9' * 400} euros and 12 seats."
    claim = f"It has {'8' * 400} euros and {'7' * 390} seats."
    for quantity in quantities(claim):
        is_reckoned(quantity, quantities(source), dates(source))
    finding(claim, source)


def test_a_rise_by_a_quarter_is_no_time_of_day() -> None:
    assert not dates("Orders rose by a quarter to 2.3 billion kroner.")
    assert [when.minute for when in dates("Come at a quarter to 2 in the tea room.")] == [105]


def test_a_source_full_of_figures_takes_bounded_time() -> None:
    source = " ".join(
        f"Row {n}: {n * 37} euros on {n % 28 + 1} May {1900 + n} at {n % 12}:{n % 60:02}." for n in range(900)
    )
    held = quantities(source)
    began = time.process_time()
    is_reckoned(quantities("1,234.5 euros")[0], held, dates(source))
    is_reckoned(quantities("77.7 years")[0], held, dates(source))
    assert time.process_time() - began < 2
