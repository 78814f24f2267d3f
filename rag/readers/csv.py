"""CSV and TSV: a row is a document (see :mod:`rag.readers.rows`)."""

from __future__ import annotations

from rag.errors import ReadError
from rag.readers.decode import decode, has_words
from rag.readers.delimited import read_table
from rag.readers.failures import LineFailures
from rag.readers.options import ReadOptions, ReadResult
from rag.readers.rows import Origin, RowReader, table_options
from rag.types import ReadFailure


def read_csv(data: bytes, source: str, options: ReadOptions) -> ReadResult:
    """One document for each row. Raises ``ReadError`` for what holds no table.

    Rows with the same content are one document; a second row of a declared id is a failure.
    """
    decoded = decode(data)
    if not has_words(decoded.text):
        raise ReadError("The file has no text in it.")
    table = read_table(decoded.text, tabs=source.lower().endswith(".tsv"))
    failures = LineFailures(source)
    whole = [ReadFailure(source, decoded.notice)] if decoded.notice else []
    for line, problem in table.failures:
        failures.add(line, problem)
    if not table.rows and not table.failures:
        raise ReadError("The table has a header, but no rows under it.")
    rows = RowReader(table, Origin(source, "csv"), table_options(source, options), failures, set())
    whole += [ReadFailure(source, problem) for problem in rows.problems]
    return ReadResult(tuple(rows.documents()), (*whole, *failures.listed()))
