"""What a caller may ask of a reader, and what it gets back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rag.types import Document, Metadata, ReadFailure

MAX_BYTES = 50_000_000
"""Default of ``ReadOptions.max_bytes``: above a book with pictures, below what parsing could
make of the memory of a small machine (a tree of XML takes some ten times its file)."""


@dataclass(frozen=True, slots=True)
class CsvOptions:
    """Which columns of a table are what; what is not declared here is guessed.

    ``text`` columns become paragraphs, ``metadata`` columns filterable values. If one of the
    two is declared and the other is not, the other is guessed from the remaining columns; if
    both are, the remaining columns are left out. ``labels`` are the names that readers see
    in a row's text, by column.
    """

    text: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    title: str | None = None
    id: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """``csv`` maps the name or source path of a table or workbook, or a glob of either, to its options;
    the first match wins.

    ``declared`` is metadata that a sidecar gives the file. ``within`` are the kinds of the
    containers that the file was taken out of, outermost first.
    """

    max_bytes: int = MAX_BYTES
    csv: Mapping[str, CsvOptions] = field(default_factory=dict)
    declared: Metadata = field(default_factory=dict)
    within: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadResult:
    """The documents of one file, and what of it could not be read."""

    documents: tuple[Document, ...] = ()
    failures: tuple[ReadFailure, ...] = ()
