"""Sidecars: a ``metadata.csv`` or ``metadata.jsonl`` beside files, with metadata for them.

A column ``file``, ``filename``, ``source`` or ``name`` says which file a line describes, by
its path relative to the sidecar. What a sidecar declares wins over what the file itself
does, and that of an inner folder over that of an outer one. It describes every document
that the file gives: each row of a table, each member of an archive. The title is for a
file that is one document; the others keep their titles, and it as ``declared_title``.

A sidecar is no document itself. What is only called so is: a table in which no column
names files, where no file stands beside it; one whose ``source`` or ``name`` names none.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from rag.errors import ReadError
from rag.readers.columns import profile
from rag.readers.decode import decode
from rag.readers.delimited import read_table
from rag.readers.failures import LineFailures
from rag.readers.jsonl import json_lines, parse_line
from rag.readers.metadata import RESERVED, clean_metadata, meta_value, redeclared
from rag.readers.options import ReadResult
from rag.readers.structure import one_line
from rag.types import Metadata, MetaValue, ReadFailure

NAMES = ("metadata.csv", "metadata.jsonl")
"""What a sidecar is called, in any case. Of two in one folder, the second wins."""

_FILE_COLUMNS = ("file", "filename", "source", "name")
_SURE = frozenset({"file", "filename"})
"""Columns that mean nothing but files; the others name people and products too."""
_NO_COLUMN = (
    "No column of it is called file, filename, source or name, so it describes no file. Name the column "
    "with the files so; or call this table otherwise, if it is a document itself."
)


@dataclass(frozen=True, slots=True)
class Sidecars:
    """``declared`` is metadata by path, ``names`` the paths of the sidecars themselves."""

    declared: Mapping[str, Metadata]
    names: frozenset[str]
    failures: tuple[ReadFailure, ...] = ()


@dataclass(frozen=True, slots=True)
class _Entry:
    line: int
    file: str
    metadata: Metadata


def is_sidecar_name(path: str) -> bool:
    return PurePosixPath(path).name.casefold() in NAMES


def read_sidecars(
    paths: Collection[str],
    load: Callable[[str], bytes],
    exists: Callable[[str], bool],
    prefix: str = "",
) -> Sidecars:
    """What the sidecars among some files declare of the others.

    ``paths`` are relative to one folder, with forward slashes. ``load`` gives the bytes of a
    sidecar (and may raise ``ReadError``), ``exists`` tells of any path whether it is there,
    read or not. Failures begin with ``prefix``. A line that is wrong costs nothing but itself.
    """
    sidecars = sorted(filter(is_sidecar_name, paths), key=lambda p: (p.count("/"), p.casefold()))
    declared: dict[str, dict[str, MetaValue]] = {}
    names: set[str] = set()
    whole: list[ReadFailure] = []
    for sidecar in sidecars:
        folder = sidecar.rpartition("/")[0]
        failures = LineFailures(prefix + sidecar)
        beside = {
            path.removeprefix(f"{folder}/"): path
            for path in paths
            if path != sidecar and (not folder or path.startswith(f"{folder}/"))
        }
        try:
            column, entries = _read(sidecar, load(sidecar), failures)
        except ReadError as error:
            names.add(sidecar)
            whole.append(ReadFailure(prefix + sidecar, str(error)))
            continue
        files = _Files(beside)
        found = [files.find(entry.file) for entry in entries]
        if column is None and not any(not is_sidecar_name(path) for path in beside):
            continue
        if column is not None and column not in _SURE and not any(found):
            continue
        names.add(sidecar)
        if column is None:
            whole.append(ReadFailure(prefix + sidecar, _NO_COLUMN))
            continue
        for entry, path in zip(entries, found, strict=True):
            if path is not None:
                declared.setdefault(path, {}).update(entry.metadata)
            elif (problem := _missing(folder, entry.file, exists)) is not None:
                failures.add(entry.line, problem)
        whole += failures.listed()
    return Sidecars({p: d for p, d in declared.items() if p not in names}, frozenset(names), tuple(whole))


def declare(result: ReadResult, source: str, declared: Metadata) -> ReadResult:
    """What was read of a file, with what a sidecar declares of it.

    Documents of another source, members of the file, are left alone: they know already.
    """
    own = sum(document.source == source for document in result.documents)
    documents = tuple(
        redeclared(document, declared, keep_title=own > 1) if document.source == source else document
        for document in result.documents
    )
    return ReadResult(documents, result.failures)


def inherited(declared: Metadata) -> Metadata:
    """What the members of an archive take over from it: all but its title as their own."""
    return {"declared_title" if key == "title" else key: value for key, value in declared.items()}


class _Files:
    """The files that a sidecar may describe, found as spreadsheets and people write their names."""

    def __init__(self, beside: Mapping[str, str]) -> None:
        self._exact = {unicodedata.normalize("NFC", name): path for name, path in beside.items()}
        alike = Counter(name.casefold() for name in self._exact)
        self._folded = {
            name.casefold(): path for name, path in self._exact.items() if alike[name.casefold()] == 1
        }

    def find(self, name: str) -> str | None:
        name = _plain(name)
        return self._exact.get(name) or self._folded.get(name.casefold())


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name.strip().replace("\\", "/")).removeprefix("./")


def _missing(folder: str, file: str, exists: Callable[[str], bool]) -> str | None:
    """Why a line describes nothing; None where its file is there, but is none that is read."""
    name = _plain(file)
    if not name:
        return "The line names no file."
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:", name):
        return f'"{one_line(name, 100)}" is outside of this folder; name files relative to it.'
    if exists(f"{folder}/{name}" if folder else name):
        return None
    return f'There is no file "{one_line(name, 100)}" here; name files relative to this folder.'


# --- the two formats ----------------------------------------------------------


def _read(sidecar: str, data: bytes, failures: LineFailures) -> tuple[str | None, list[_Entry]]:
    """The name of the column with the files, plainly written, and what each line says.

    None and nothing where there is no such column. Raises ``ReadError``.
    """
    text = decode(data).text
    if sidecar.casefold().endswith(".csv"):
        return _read_csv(text, failures)
    return _read_jsonl(text, failures)


def _file_column(names: Iterable[str]) -> tuple[str, str] | None:
    """How the column with the files is meant, and how it is written."""
    written = {re.sub(r"[\s_-]+", "", name).casefold(): name for name in names}
    return next(((meant, written[meant]) for meant in _FILE_COLUMNS if meant in written), None)


def _read_csv(text: str, failures: LineFailures) -> tuple[str | None, list[_Entry]]:
    table = read_table(text)
    column = _file_column(table.columns)
    if column is None:
        return None, []
    for line, problem in table.failures:
        failures.add(line, problem)
    meant, written = column
    at = table.columns.index(written)
    columns = [
        profile(n, name, [row.cells[n] for row in table.rows])
        for n, name in enumerate(table.columns)
        if n != at
    ]
    entries = []
    for row in table.rows:
        metadata: dict[str, MetaValue] = {}
        for one in columns:
            cell = row.cells[one.index]
            is_title = one.name.casefold() == "title"
            value = cell if is_title else one.convert(cell) if cell else None
            if value is not None and value != "":
                metadata["title" if is_title else _key(one.name)] = value
        entries.append(_Entry(row.line, row.cells[at], metadata))
    return meant, entries


def _read_jsonl(text: str, failures: LineFailures) -> tuple[str | None, list[_Entry]]:
    lines: list[tuple[int, Mapping[str, object]]] = []
    for number, line in json_lines(text):
        try:
            record = parse_line(line)
            if not isinstance(record, Mapping):
                raise ReadError("The line is not a JSON object.")
        except ReadError as error:
            failures.add(number, str(error))
            continue
        lines.append((number, record))
    column = _file_column(dict.fromkeys(str(key) for _, record in lines for key in record))
    if column is None:
        return None, []
    meant, written = column
    described: list[tuple[int, str, dict[str, object]]] = []
    for number, record in lines:
        inner = record.get("metadata")
        inner = inner if isinstance(inner, Mapping) else {}
        found = {str(key): value for key, value in {**record, **inner}.items() if key != written}
        if inner:
            found.pop("metadata", None)
        described.append((number, str(record.get(written) or ""), found))
    mixed = _mixed([record for _, _, record in described])
    entries = []
    for number, file, record in described:
        values: dict[object, object] = {
            key: _as_text(value) if key in mixed else value for key, value in record.items()
        }
        try:
            title, metadata = clean_metadata(values)
        except ReadError as error:
            failures.add(number, str(error))
            continue
        kept = {key: str(values[key]) for key in mixed if key in metadata}  # dates among text stay text
        entries.append(_Entry(number, file, {**metadata, **kept, **({"title": title} if title else {})}))
    return meant, entries


def _mixed(records: Sequence[Mapping[str, object]]) -> set[str]:
    """Keys whose values are of several types, so that no filter could compare them."""
    kinds: dict[str, set[type]] = {}
    for record in records:
        for key, value in record.items():
            made = None if isinstance(value, Mapping) else meta_value(value)
            if made is not None and key.casefold() != "title":
                kind = float if isinstance(made, int) and not isinstance(made, bool) else type(made)
                kinds.setdefault(key, set()).add(kind)
    return {key for key, found in kinds.items() if len(found) > 1}


def _as_text(value: object) -> object:
    """A value as text, as the sidecar has it; nothing where it says nothing."""
    if value is None or isinstance(value, (str, Mapping)):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "; ".join(str(_as_text(member)) for member in value)
    return str(value)


def _key(name: str) -> str:
    return f"declared_{name}" if name in RESERVED else name
