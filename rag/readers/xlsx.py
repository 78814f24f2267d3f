"""XLSX: a sheet with a header row is a catalogue like a CSV file, any other one a document.

What a formula gives is what the program that saved the workbook found; nothing is
calculated here. Sheets that are hidden are not read: they hold lists for drop-downs.
"""

from __future__ import annotations

import warnings

from rag.errors import ReadError
from rag.readers.decode import has_words
from rag.readers.delimited import Table
from rag.readers.failures import LineFailures
from rag.readers.metadata import file_title, make_document
from rag.readers.office import MALFORMED
from rag.readers.options import ReadOptions, ReadResult
from rag.readers.rows import Origin, RowReader, table_options
from rag.readers.sheets import SheetRow, sheet_text, split_sheet
from rag.readers.workbook import Room, Workbook
from rag.readers.zips import check_unpacked
from rag.types import Document, ReadFailure

MAX_ROWS = 200_000
"""Rows with something in them that are read of one workbook: twice the catalogue that this is
made for, and a bound on the memory that a small file can ask for."""


def read_xlsx(data: bytes, source: str, options: ReadOptions) -> ReadResult:
    """A document for each row under a header, and one for each sheet that has none.

    Each knows its sheet (metadata ``sheet``) and row (``row``, as the program counts them).
    Raises ``ReadError`` for a file that is damaged, too large unpacked, or empty.
    """
    check_unpacked(data, options.max_bytes, "Excel workbook")
    with warnings.catch_warnings():
        # It warns of what it does not know (styles, extensions, dates before there were any).
        warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
        try:
            workbook = Workbook(data)
            sheets = workbook.sheets()
        except MALFORMED as error:
            raise ReadError("The Excel workbook is damaged or cut short and could not be read.") from error
        read = _Reader(workbook, source, options)
        for name, member in sheets:
            read.sheet(name, member)
    return read.result()


class _Reader:
    """Gathers what the sheets of one workbook give."""

    def __init__(self, workbook: Workbook, source: str, options: ReadOptions) -> None:
        self._workbook = workbook
        self._source = source
        self._options = table_options(source, options)
        self._room = Room(MAX_ROWS, options.max_bytes)
        self._documents: list[Document] = []
        self._failures: list[ReadFailure] = []
        self._known: set[str] = set()

    def sheet(self, name: str, member: str) -> None:
        """Add the documents of a sheet; of a damaged one, those of the rows before the damage."""
        rows: list[SheetRow] = []
        try:
            rows.extend(self._workbook.rows(member, self._room))
        except MALFORMED:
            where = f"from row {rows[-1].number + 1} on" if rows else "as a whole"
            self._fail(name, f"The sheet is damaged and could not be read {where}.")
        beside, table = split_sheet(rows)
        if table is not None:
            self._add_table(table, name)
        built = sheet_text(beside, (name,))
        if has_words(built.text):
            document = make_document(
                built.text,
                self._source,
                "xlsx",
                built.blocks,
                {},
                fallback_title=f"{file_title(self._source)}, {name}",
                found={"sheet": name},
            )
            if document.id not in self._known:
                self._known.add(document.id)
                self._documents.append(document)

    def _add_table(self, table: Table, sheet: str) -> None:
        failures = LineFailures(f"{self._source}, {sheet}", "row")
        origin = Origin(self._source, "xlsx", sheet)
        reader = RowReader(table, origin, self._options, failures, self._known)
        self._documents += reader.documents()
        for problem in reader.problems:
            self._fail(sheet, problem)
        self._failures += failures.listed()

    def _fail(self, sheet: str, error: str) -> None:
        self._failures.append(ReadFailure(f"{self._source}, {sheet}", error))

    def result(self) -> ReadResult:
        """Raises ``ReadError`` where there is nothing at all."""
        if not self._documents and not self._failures:
            raise ReadError("The Excel workbook has no text in it.")
        failures = (*(ReadFailure(self._source, note) for note in self._notes()), *self._failures)
        return ReadResult(tuple(self._documents), failures)

    def _notes(self) -> list[str]:
        """What is to be said of the workbook as a whole."""
        notes = []
        unsolved = self._workbook.unsolved
        if unsolved:
            what = "1 formula was" if unsolved == 1 else f"{unsolved:,} formulas were"
            notes.append(
                f"{what} saved without results. Open the workbook in a spreadsheet program and save it."
            )
        if not self._workbook.has_formats:
            notes.append("The formats of its cells are damaged, so its dates were read as numbers.")
        if self._room.is_used_up:
            notes.append(
                f"It has more than {MAX_ROWS:,} rows, or too much text; the rest was not read. Split it."
            )
        return notes
