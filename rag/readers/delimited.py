"""Delimited text to rows: which delimiter, whether there is a header, which rows are broken."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rag.dates import iso_to_seconds
from rag.readers.structure import one_line

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_CHARS = 64_000
SAMPLE_ROWS = 200
_RECOVERIES = 50
"""How often reading starts anew behind a quote that nothing closes; each may cost the whole file."""
_HEADER_CHARS = 100

_NUMBER = re.compile(r"[-+]?[$€£¥]?\s?\d[\d.,\s]*\s?[%$€£¥]?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_ADDRESS = re.compile(r"https?://\S+|\S+@\S+\.\S+")


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row, stripped, and the line (from 1) of the file that it starts on."""

    line: int
    cells: list[str]


@dataclass(slots=True)
class Table:
    """Named columns, rows that fit them, and ``(line, sentence)`` for those that do not."""

    columns: list[str]
    rows: list[Row]
    failures: list[tuple[int, str]] = field(default_factory=list)


def read_table(text: str, tabs: bool = False) -> Table:
    """Parse delimited text. ``tabs``: the file's name says that tabs separate.

    A row with more or fewer cells than the first one is a failure; empty cells too many at
    its end are dropped. Without a header the columns are called "column 1" and so on.
    """
    text = text.removeprefix("\ufeff")
    delimiter = _declared(text) or _delimiter(text, tabs)
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    table = Table([], [])
    rows: list[Row] = []
    for row, problem in _rows(text, delimiter):
        width = len(rows[0].cells) if rows else len(row.cells)
        if problem is None and len(row.cells) > width and not any(row.cells[width:]):
            row = Row(row.line, row.cells[:width])
        if problem is not None:
            table.failures.append((row.line, problem))
        else:
            rows.append(row)
    if not rows:
        return table
    header = has_header([row.cells for row in rows[:SAMPLE_ROWS]])
    table.columns = column_names(rows[0].cells if header else [""] * len(rows[0].cells))
    table.rows = rows[header:]
    return table


def _declared(text: str) -> str | None:
    """The delimiter of a first line ``sep=;``, which spreadsheets write."""
    match = re.match(r"sep=([,;\t|])\r?\n", text)
    return match.group(1) if match else None


def _delimiter(text: str, tabs: bool) -> str:
    """The delimiter under which most rows are as wide as the first one."""
    sample = text[:_SAMPLE_CHARS]
    if len(sample) < len(text):
        sample = sample[: sample.rfind("\n") + 1] or sample
    if tabs and "\t" in sample:
        return "\t"
    best, best_score = ",", (0.0, 0)
    for delimiter in _DELIMITERS:
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, skipinitialspace=True)
        widths: list[int] = []
        try:
            for row in reader:
                widths += [len(row)] if row else []
                if len(widths) >= SAMPLE_ROWS:
                    break
        except csv.Error:  # a cell over the limit: this is not the delimiter
            continue
        if not widths or widths[0] < 2:
            continue
        score = (sum(width == widths[0] for width in widths) / len(widths), widths[0])
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _rows(text: str, delimiter: str) -> Iterator[tuple[Row, str | None]]:
    """Each row that is not blank, with a sentence about it where it is broken.

    A quote that nothing closes swallows the lines behind it. A broken row of several lines
    is therefore given up with its first line only, and reading goes on with the second.
    """
    lines = list(io.StringIO(text, newline=""))
    begin = 1 if _declared(text) else 0
    width = 0
    recoveries = 0
    while begin < len(lines):
        reader = csv.reader(lines[begin:], delimiter=delimiter, skipinitialspace=True)
        seen = 0
        again: int | None = None
        for cells in reader:
            first, seen = begin + seen, reader.line_num
            after = begin + seen
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            problem = None
            width = width or len(cells)
            if after == len(lines) and _is_open(lines[first:after], delimiter):
                problem = "A quoted cell is not closed; the row was left out."
            elif len(cells) < width or any(cells[width:]):
                was, has = _count(len(cells)), _count(width)
                problem = f"The row has {was}, but the first row has {has}; it was left out."
            yield Row(first + 1, cells), problem
            if problem is not None and after - first > 1 and recoveries < _RECOVERIES:
                recoveries += 1
                again = first + 1
                break
        if again is None:
            return
        begin = again


def _count(cells: int) -> str:
    return "1 cell" if cells == 1 else f"{cells} cells"


def _is_open(lines: Sequence[str], delimiter: str) -> bool:
    """Whether the last row ends inside a quoted cell."""
    try:
        for _ in csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True):
            pass
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: assumed, unless it looks like the others.

    It does where one of its cells is a number, a date or an address, is long, or comes again
    further down in its own column. A run of years is taken for names.
    """
    first, body = rows[0], rows[1:]
    years = [int(cell) for cell in first if _YEAR.fullmatch(cell)]
    is_pivot = len(years) > 1 and all(a < b for a, b in itertools.pairwise(years))
    for n, cell in enumerate(first):
        if is_pivot and _YEAR.fullmatch(cell):
            continue
        if len(cell) > _HEADER_CHARS or _is_value(cell):
            return False
        below = Counter(row[n] for row in body)
        if cell and below[cell] > 0:
            return False
    return True


def _is_value(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell) or _ADDRESS.fullmatch(cell)) or iso_to_seconds(cell) is not None


def column_names(cells: Sequence[str]) -> list[str]:
    """Column names: made up where empty, numbered where they come again."""
    names: list[str] = []
    taken: set[str] = set()
    for n, cell in enumerate(cells, 1):
        base = one_line(cell, 100) or f"column {n}"
        name, again = base, 2
        while name in taken:
            name, again = f"{base} ({again})", again + 1
        taken.add(name)
        names.append(name)
    return names
