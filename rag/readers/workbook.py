"""A workbook opened with openpyxl, and its rows read one at a time.

Its own way to read a sheet fills every row up to the width and height that the sheet claims
to have, keeps an element of every row that is empty (a million of them take 450 MB), and
refuses the whole workbook for one sheet that is damaged. So its parts are used one by one:
the order of the sheets, the shared texts, the formats that make a number a date, the cells.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from lxml import etree
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.worksheet._reader import CELL_TAG, FORMULA_TAG, ROW_TAG, WorkSheetParser

from rag.readers.decode import clean
from rag.readers.office import MALFORMED
from rag.readers.sheets import SheetRow
from rag.readers.structure import one_line

_RETURN = re.compile("_x000[dD]_")


@dataclass(slots=True)
class Room:
    """What may still be read of a workbook. A text that many cells share costs them all."""

    rows: int
    chars: int
    is_used_up: bool = False


class Workbook:
    """Raises what is in ``rag.readers.office.MALFORMED`` for a file that is no whole workbook."""

    def __init__(self, data: bytes) -> None:
        self._reader = ExcelReader(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        self._reader.read_manifest()
        self._reader.read_strings()
        self._reader.read_workbook()
        self.has_formats = True
        """Whether the formats of cells are known, without which dates are numbers."""
        self.unsolved = 0
        """Formulas, in the rows read so far, that were saved without what they give."""
        try:
            apply_stylesheet(self._reader.archive, self._reader.wb)
        except MALFORMED:
            self.has_formats = False

    def sheets(self) -> list[tuple[str, str]]:
        """Name and member of each sheet that is shown and holds cells."""
        return [
            (one_line(clean(sheet.name or "")) or "sheet", part.target)
            for sheet, part in self._reader.parser.find_sheets()
            if sheet.state == "visible" and "chartsheet" not in part.Type
        ]

    def rows(self, member: str, room: Room) -> Iterator[SheetRow]:
        """The rows of a sheet in which anything stands, in their order."""
        book = self._reader.wb
        with self._reader.archive.open(member) as file:
            parser = _Cells(
                file,
                self._reader.shared_strings,
                data_only=True,
                epoch=book.epoch,
                date_formats=book._date_formats,
                timedelta_formats=book._timedelta_formats,
            )
            for _, element in etree.iterparse(file, tag=ROW_TAG, resolve_entities=False, no_network=True):
                cells = parser.values(element)
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
                self.unsolved += parser.unsolved
                if not cells:
                    continue
                room.rows -= 1
                room.chars -= sum(map(len, cells.values()))
                if room.rows < 0 or room.chars < 0:
                    room.is_used_up = True
                    return
                yield SheetRow(parser.row_counter, cells)


class _Cells(WorkSheetParser):  # type: ignore[misc]
    """openpyxl's reading of cells, for one row at a time."""

    row_counter: int
    unsolved = 0
    """Formulas without a result in the last row."""

    def values(self, row: Any) -> dict[int, str]:
        """The cells of a row that are not blank, as text, by column from 1."""
        number = row.get("r")
        self.row_counter = self.row_counter + 1 if number is None else int(float(number))
        self.col_counter = self.unsolved = 0
        found: dict[int, str] = {}
        for element in row.iterchildren(CELL_TAG):
            cell = self.parse_cell(element)
            if cell["value"] is None:
                self.unsolved += element.find(FORMULA_TAG) is not None
                continue
            text = "" if cell["data_type"] == "e" else _text(cell["value"])
            if text:
                found[cell["column"]] = text
        return found


def _text(value: object) -> str:
    """A value as a CSV file would have it: dates in ISO 8601, numbers with the digits that count."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime):
        value = (value + timedelta(milliseconds=500)).replace(microsecond=0)  # days, as binary fractions
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        hours, seconds = divmod(round(value.total_seconds()), 3600)
        return f"{hours}:{seconds // 60:02}:{seconds % 60:02}"
    return clean(_RETURN.sub("", str(value))).strip()
