"""Figures and times that are read together."""

from __future__ import annotations

import pytest

from rag.cite.facts import dates, quantities


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("It takes 30 to 60 minutes.", [(1800, "time"), (3600, "time")]),
        ("between two and three hours", [(7200, "time"), (10800, "time")]),
        ("It costs €5-10.", [(5, "€"), (10, "€")]),
        ("8 to 14 points", [(8, "points"), (14, "points")]),
        ("rooms 2 and 3 metres apart", [(2, ""), (3, "length")]),
        ("1 hour 30 minutes", [(5400, "time")]),
        ("2 years and 6 months", [(30, "months")]),
        ("30 minutes, 2 hours", [(1800, "time"), (7200, "time")]),
        ("25 or more hours a week", [(90000, "time")]),
        ("25+ hours", [(90000, "time")]),
        ("75 centilitres", [(0.75, "volume")]),
        ("½ cup, a½ b", [(0.5, "cup")]),
        ("1 400 crowns", [(1400, "crown")]),
        ("The grant is 1500 crowns.", [(1500, "crown")]),
        ("It seats 1800 visitors.", [(1800, "visitors")]),
        ("€1500 is due", [(1500, "€")]),
        ("The 1990 elections were held in 1991.", []),
        ("It takes one to two weeks.", [(604_800, "time"), (1_209_600, "time")]),
        ("No one came to the two.", [(2, "")]),
        ("an hour and 30 minutes", [(5400, "time")]),
        ("2 days, 3 hours and 20 minutes", [(184_800, "time")]),
        ("a year, 6 months or 1 month", [(6, "months"), (1, "months")]),
        ("two hours, 30 minutes longer than the first", [(7200, "time"), (1800, "time"), (1, "ordinal")]),
        ("Room 5 - 10 minutes from the entrance", [(5, ""), (600, "time")]),
        ("12 000 inhabitants, 12 000.", [(12_000, "inhabitants"), (12_000, "")]),
        ("2 500 ml bottles", [(2, ""), (0.5, "volume")]),
    ],
)
def test_figures_take_the_unit_of_their_range(text: str, figures: list[tuple[float, str]]) -> None:
    found = quantities(text)

    assert [q.value for q in found] == pytest.approx([value for value, _ in figures])
    assert [q.dimension or q.noun for q in found] == [kind for _, kind in figures]


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("from 1 to 3 p.m.", [13 * 60, 15 * 60]),
        ("11-2 pm", [11 * 60, 14 * 60]),
        ("between nine and eleven a.m.", [9 * 60, 11 * 60]),
        ("rooms 2 and 3 p.m.", [15 * 60]),
        ("10-2 a.m.", [22 * 60, 2 * 60]),
        ("at 3 in the afternoon", [15 * 60]),
    ],
)
def test_half_of_the_day_stands_by_the_second_time_alone(text: str, minutes: list[int]) -> None:
    assert [when.minute for when in dates(text)] == minutes


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("on 30/09/2026", (2026, 9, 30)),
        ("30.9.2026", (2026, 9, 30)),
        ("09/30/2026", (2026, 9, 30)),
        ("By 30/9 at the latest", (None, 9, 30)),
    ],
)
def test_days_in_figures_are_dates(text: str, date: tuple[int | None, int, int]) -> None:
    assert [(when.year, when.month, when.day) for when in dates(text)] == [date]


@pytest.mark.parametrize(
    "text",
    [
        "from 1/2 to 3/4 cup",
        "on 31/31",
        "10.20.30.40",
        "99/99/2026",
        "It is 24/7",
        "It fell by 2/3",
        "It is 4/5",
        "10.12.2024.1",
    ],
)
def test_other_figures_with_slashes_are_none(text: str) -> None:
    assert not any(when.month for when in dates(text))


def test_days_between_two_weekdays_are_held() -> None:
    days = {when.weekday for when in dates("Open Monday to Thursday, closed on Sunday.")}

    assert days == {"monday", "tuesday", "wednesday", "thursday", "sunday"}
    assert {when.weekday for when in dates("Friday to Monday")} == {"friday", "saturday", "sunday", "monday"}


def test_a_day_that_was_moved_to_another_holds_none_between() -> None:
    assert {when.weekday for when in dates("It was moved from Tuesday to Thursday.")} == {
        "tuesday",
        "thursday",
    }
