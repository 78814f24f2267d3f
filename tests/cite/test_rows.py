"""Which rows of a table a claim is about."""

from __future__ import annotations

from rag.cite.evidence import parts
from rag.cite.rows import rows_asked, table_of
from rag.sentences import sentences

SOURCE = """Where to call.

| Line | Number | Hours |
|---|---|---|
| Helpline | 555-0100 | 8:00 to 18:00 |
| Employer line | 555-0163 | 8:00 to 17:00 |
| Pensions line | 555-0136 | 9:00 to 16:00 |

Lines are closed on holidays."""
ROWS = [SOURCE[a:b] for a, b in parts(SOURCE, sentences(SOURCE))]
HEAD = next(n for n, text in enumerate(ROWS) if "--" in text)


def test_rows_about_something_else_go_and_the_head_stays() -> None:
    pensions, helpline = (
        [ROWS[n] for n in rows_asked(claim, ROWS)]
        for claim in ("The Pensions line closes at 4 p.m.", "The helpline is open until six.")
    )

    assert [text for text in ROWS if text not in pensions] == ROWS[HEAD + 1 : HEAD + 3]
    assert [text for text in ROWS if text not in helpline] == ROWS[HEAD + 2 : HEAD + 4]


def test_all_stay_where_no_row_is_named_or_several_are_summed_up() -> None:
    everything = list(range(len(ROWS)))

    assert rows_asked("All lines open at eight.", ROWS) == everything
    assert rows_asked("The Pensions line has the shortest hours.", ROWS) == everything
    assert rows_asked("The helpline opens at 8, as the second, and 1 hour before the third of 3.", ROWS) == (
        everything
    )
    assert rows_asked("Bars | are | no table", ["One | two, three.", "Four."]) == [0, 1]


def test_a_table_is_all_rows_around_one() -> None:
    first = next(n for n, text in enumerate(ROWS) if "|" in text)

    assert table_of(ROWS, HEAD + 1) == range(first, HEAD + 4)
    assert not table_of(ROWS, 0)
