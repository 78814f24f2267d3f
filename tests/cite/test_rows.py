"""Which rows of a table a claim is about."""

from __future__ import annotations

from rag.cite.rows import rows_asked, table_of

ROWS = [
    "Where to call.",
    "| Line | Number | Hours |",
    "|---|---|---|\n| Helpline | 555-0100 | 8:00 to 18:00 |",
    "| Employer line | 555-0163 | 8:00 to 17:00 |",
    "| Pensions line | 555-0136 | 9:00 to 16:00 |",
    "Lines are closed on holidays.",
]


def test_rows_about_something_else_go() -> None:
    assert rows_asked("The Pensions line closes at 4 p.m.", ROWS) == [0, 1, 4, 5]
    assert rows_asked("The helpline is open until six.", ROWS) == [0, 1, 2, 5]


def test_all_stay_where_no_row_is_named_or_several_are_summed_up() -> None:
    everything = list(range(len(ROWS)))

    assert rows_asked("All lines open at eight.", ROWS) == everything
    assert rows_asked("The Pensions line has the shortest hours.", ROWS) == everything
    assert rows_asked("The helpline opens at 8, as the second, and 1 hour before the third of 3.", ROWS) == (
        everything
    )
    assert rows_asked("Bars | are | no table", ["One | two, three.", "Four."]) == [0, 1]


def test_a_first_cell_is_that_of_the_row_and_not_of_the_line_behind_it() -> None:
    rows = ["| Thing | Price |", "| Book | 5 |\n| Pen | 2 |", "| Ink | 3 |"]

    assert rows_asked("A book costs 5.", rows) == [0, 1]


def test_a_table_is_all_rows_around_one() -> None:
    assert table_of(ROWS, 3) == range(1, 5)
    assert table_of(ROWS, 0) == range(0)
