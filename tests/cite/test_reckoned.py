"""Figures that a source does not name: reckoned from its own, an example of a limit, or wrong."""

from __future__ import annotations

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
        # in another notation, or rounded
        ("Take 7.5 mg.", "Take 7,5 mg with water; never more than 20 mg."),
        ("The fund holds 2.5 million euros.", "The fund holds 2,5 Mio. Euro and pays 300 euros."),
        ("The limit is 500 mcg.", "The limit is 0.5mg; a tablet has 20 mg."),
        ("The film is 50 µm thick.", "The film is 0.05 mm thick and 30 mm wide."),
        ("It carries 3,300 V.", "It carries 3.3 kV, the branch 230 V."),
        ("The town has 83.2 million people.", "Population in millions: 83.2. It covers 357 people per km."),
        ("The trail is 1,200 km long.", "The trail is 1,187 km long, 40 km of it paved."),
        ("67 percent agreed.", "Two-thirds agreed; 12 percent did not."),
        ("The film runs 148 minutes.", "Runtime: 2:28. A trailer of 3 minutes comes first."),
        ("Bake at 356 degrees Fahrenheit.", "Bake at 180 °C, not at 90 degrees Fahrenheit."),
        ("The plot has 150 square metres.", "The plot is 10 m by 15 m; the house has 90 square metres."),
        (
            "The team has 27 engineers.",
            "12 engineers are in Oslo, 8 engineers in Rome, 5 engineers in Lima, 2 engineers in Bonn.",
        ),
    ],
)
def test_what_is_reckoned_rewritten_or_an_example_is_not_surely_wrong(claim: str, source: str) -> None:
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


def test_only_so_many_figures_of_a_source_are_combined() -> None:
    rows = [f"Row {n}: {n * n * 37} euros." for n in range(100, 1000)]
    asked = quantities(f"{999 * 999 * 37 + 998 * 998 * 37} euros")[0]
    assert is_reckoned(asked, quantities(" ".join(rows[-2:])), ())
    assert not is_reckoned(asked, quantities(" ".join(rows)), ())


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Open Monday to Fr\u0131day.", "Open Monday to Friday."),
        ("Open MONDAY TO FR\u0130DAY.", "Open MONDAY TO FRIDAY."),
        ("Come on 3 Apr\u0131l.", "Come on 3 April."),
        ("Come at f\u0131ve o'clock.", "Come at five o'clock."),
        ("Th\u0131rty in ninety came.", "Thirty in ninety came."),
        ("It is half a m\u0131le away, or a m\u0131le.", "It is half a mile away, or a mile."),
        ("It takes s\u0131x wee\u212as.", "It takes six weeks."),
    ],
)
def test_letters_that_are_near_to_others_are_read_as_those(text: str, plain: str) -> None:
    assert dates(text) == dates(plain)
    assert quantities(text) == quantities(plain)
    assert changed(text, [plain], plain, plain) == []


def test_a_name_with_such_a_letter_stays_a_name() -> None:
    source = "She was born in \u0130stanbul."
    assert [f.kind for f in changed("She was born in \u0130zmir.", [source], source, source)] == ["name"]
