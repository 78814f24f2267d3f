"""CSV for spreadsheets and pandas: RFC 4180, UTF-8, one row an answer.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, which may
fetch and send (OWASP, "CSV Injection"), and a stranger may have written the cell. So text that
begins with one of them, or with a tab, a line break or an apostrophe, gets an apostrophe in
front. To have the very text back, remove one apostrophe from the front of a cell that begins
with one. Control characters, which no spreadsheet reads, become U+FFFD.
"""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

from rag.export.formats import Counts, Format
from rag.export.rows import COLUMNS, row, without_text
from rag.export.source import Source
from rag.export.writing import opened

# The full-width forms are read like the plain ones by spreadsheets of East Asian locales.
_FORMULA = tuple("=+-@\t\r\n'＝＋－＠")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def cell(value: Any) -> str | int | float:
    """A value as a cell: numbers as they are, ``true`` and ``false``, nothing for None."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return value
        case str():
            text = _CONTROL.sub("�", value)
            return f"'{text}" if text.startswith(_FORMULA) else text
    return _CONTROL.sub("�", json.dumps(value, ensure_ascii=False, allow_nan=False))


def write(source: Source, path: Path) -> Counts:
    count = 0
    with opened(path) as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for rated in source.answers():
            values = row(rated, source)
            values["passages"] = without_text(values["passages"])
            writer.writerow([cell(values[column]) for column in COLUMNS])
            count += 1
    return {"rows": count}


CSV = Format(
    "csv", "CSV", "For spreadsheets and pandas: one row an answer, without the texts of the passages.",
    ".csv", write,
)  # fmt: skip
