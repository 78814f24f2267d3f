"""The rows of a table as documents, one each, whether the table is a file or a sheet.

The text of a row is its title, a line of its fields, and a paragraph for every text column:

    Château Rosé 2015
    Region: Loire; Price: 12.50; Grapes: Gamay, Grolleau.

    Pale and dry, with ...
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from rag.readers.columns import Column, Roles, assign, label, profile
from rag.readers.decode import clean
from rag.readers.delimited import Row, Table
from rag.readers.failures import LineFailures
from rag.readers.metadata import MAX_ID, RESERVED, file_title, make_document
from rag.readers.options import CsvOptions, ReadOptions
from rag.readers.structure import TextBuilder, one_line
from rag.types import Document, Metadata, MetaValue

_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a table stands: its file, the kind of that, and the sheet if it has any.

    The rows of a sheet know its name and their number in it, as metadata of their own.
    """

    source: str
    kind: str
    sheet: str = ""

    @property
    def reserved(self) -> frozenset[str]:
        """Names of columns that are kept as ``declared_<name>``."""
        return RESERVED | {"sheet", "row"} if self.sheet else RESERVED

    def title(self, line: int) -> str:
        """What a row without a title of its own is called."""
        name = file_title(self.source)
        return f"{name}, {self.sheet}, row {line}" if self.sheet else f"{name}, line {line}"

    def found(self, line: int) -> Metadata:
        return {"sheet": self.sheet, "row": line} if self.sheet else {}


class RowReader:
    """Makes documents of the rows of one table.

    ``problems`` are sentences about what was declared in vain. What is wrong with a row goes
    to ``failures``. A row whose id is among ``known`` makes no document; ids are added to it.
    """

    def __init__(
        self, table: Table, origin: Origin, options: CsvOptions, failures: LineFailures, known: set[str]
    ) -> None:
        self._table = table
        self._origin = origin
        self._failures = failures
        self._known = known
        self._columns = [
            profile(n, name, [row.cells[n] for row in table.rows]) for n, name in enumerate(table.columns)
        ]
        self._labels = [label(column.name, options.labels) for column in self._columns]
        self._roles: Roles = assign(self._columns, options)

    @property
    def problems(self) -> tuple[str, ...]:
        return self._roles.problems

    def documents(self) -> Iterator[Document]:
        """One for each row. Equal rows are one; a second row of a declared id is a failure."""
        for row in self._table.rows:
            identity = None
            if self._roles.id is not None:
                identity = self._identity(row, self._roles.id)
                if identity is None:
                    continue
            document = self._document(row, identity)
            if document is None:
                self._failures.add(row.line, "The row has nothing in its title, text and metadata columns.")
            elif document.id not in self._known:
                self._known.add(document.id)
                yield document

    def _identity(self, row: Row, column: int) -> str | None:
        identity = clean(row.cells[column])
        if not identity or len(identity) > MAX_ID:
            fault = "is empty" if not identity else f"has more than {MAX_ID} characters"
            self._failures.add(row.line, f"The id {fault}; the row was left out.")
            return None
        if identity in self._known:
            self._failures.add(
                row.line, f'The id "{one_line(identity, 60)}" comes twice; the row was left out.'
            )
            return None
        return identity

    def _document(self, row: Row, identity: str | None) -> Document | None:
        roles, columns = self._roles, self._columns
        title = "" if roles.title is None else " ".join(row.cells[roles.title].split())
        name = one_line(title)
        path = (name,) if name else ()
        shown = (
            (self._labels[n], _shown(row.cells[n], columns[n])) for n in roles.metadata if n != roles.title
        )
        fields = "; ".join(f"{name}: {value}" for name, value in shown if value)
        if fields and not fields.endswith((".", "!", "?")):
            fields += "."
        built = TextBuilder()
        built.add("\n".join(part for part in (title, fields) if part), "row", path)
        for n in roles.text:
            cell = row.cells[n].replace("\r\n", "\n").replace("\r", "\n")
            for paragraph in _PARAGRAPH.split(cell):
                built.add(paragraph, "prose", path)
        if not built.text:
            return None
        return make_document(
            built.text,
            self._origin.source,
            self._origin.kind,
            built.blocks,
            self._metadata(row),
            title=name or None,
            fallback_title=self._origin.title(row.line),
            id=identity,
            found=self._origin.found(row.line),
        )

    def _metadata(self, row: Row) -> Metadata:
        metadata: dict[str, MetaValue] = {}
        for n in self._roles.metadata:
            name = self._columns[n].name
            value = self._columns[n].convert(row.cells[n]) if row.cells[n] else None
            if value is not None and not (n == self._roles.title and name.casefold() == "title"):
                metadata[f"declared_{name}" if name in self._origin.reserved else name] = value
        return metadata


def table_options(source: str, options: ReadOptions) -> CsvOptions:
    """What is declared of the columns of this table: by name, source path, or a glob of either."""
    name = PurePosixPath(source).name
    for pattern, declared in options.csv.items():
        if name == pattern or fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(source, pattern):
            return declared
    return CsvOptions()


def _shown(cell: str, column: Column) -> str:
    """A cell in the line of fields: on one line, a list with commas, nothing for "n/a" among numbers."""
    value = column.convert(cell) if cell else None
    if value is None:
        return ""
    return ", ".join(value) if isinstance(value, tuple) else " ".join(cell.split())
