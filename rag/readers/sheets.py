"""The rows of a sheet: where a table stands among them, and the text of those beside it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rag.readers.delimited import SAMPLE_ROWS, Row, Table, column_names, has_header
from rag.readers.structure import TextBuilder

_HEADER_WITHIN = 20
"""Rows among which the header is looked for: above it stand titles and remarks, not pages."""
_HEADER_SHARE = 0.75
"""Share of the columns that rows fill as a rule which a header names at least."""
_MAX_CELLS = 20_000_000
"""A table of more cells, empty ones counted, is a few values scattered over a sheet."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row that is not empty: its number from 1, and its cells that are not, by column."""

    number: int
    cells: dict[int, str]


def split_sheet(rows: Sequence[SheetRow]) -> tuple[Sequence[SheetRow], Table | None]:
    """The rows beside a table, and the table, None where no row names at least two columns.

    A header is the first row that fills most of the columns in use, if what stands in it are
    names; everything above is beside the table, everything below is of it.
    """
    for n, row in enumerate(rows[:_HEADER_WITHIN]):
        below = rows[n + 1 : n + 1 + SAMPLE_ROWS]
        if not below:
            break
        usual = statistics.median_low(len(other.cells) for other in below)
        if len(row.cells) >= max(2.0, _HEADER_SHARE * usual):
            table = _table(row, rows[n + 1 :])
            return (rows, None) if table is None else (rows[:n], table)
    return rows, None


def _table(header: SheetRow, rows: Sequence[SheetRow]) -> Table | None:
    columns = sorted({column for row in (header, *rows) for column in row.cells})
    if len(columns) * len(rows) > _MAX_CELLS:
        return None
    names = _cells(header, columns)
    if any(name.endswith((":", "：")) for name in names):  # a form: names and values side by side
        return None
    if not has_header([names, *(_cells(row, columns) for row in rows[: SAMPLE_ROWS - 1])]):
        return None
    # A column without a name is called by its place in the sheet, not among those in use.
    names = [name or f"column {column}" for name, column in zip(names, columns, strict=True)]
    return Table(column_names(names), [Row(row.number, _cells(row, columns)) for row in rows])


def _cells(row: SheetRow, columns: Sequence[int]) -> list[str]:
    return [row.cells.get(column, "") for column in columns]


def sheet_text(rows: Sequence[SheetRow], path: tuple[str, ...]) -> TextBuilder:
    """Rows that are no catalogue, as they stand: a table up to each empty row, lone cells as prose."""
    built = TextBuilder()
    lines: list[str] = []
    last = 0
    for row in rows:
        alone = len(row.cells) == 1
        if lines and (alone or row.number > last + 1):
            built.add("\n".join(lines), "table", path)
            lines.clear()
        last = row.number
        text = [" ".join(row.cells[column].split()) for column in sorted(row.cells)]
        if alone:
            built.add(row.cells[next(iter(row.cells))], "prose", path)
        else:
            lines.append(" | ".join(text))
    built.add("\n".join(lines), "table", path)
    return built
