"""JSON Lines: a line is a document, ``{"id"?, "title"?, "text", "metadata"?}``.

``_id`` is read as ``id`` (BEIR's corpora have it). Other keys of the object are metadata
too, where ``metadata`` does not name them itself: leaving them out would lose them unseen.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import NoReturn

from rag.errors import ReadError
from rag.readers.decode import clean, decode, has_words
from rag.readers.failures import LineFailures
from rag.readers.metadata import MAX_ID, clean_metadata, file_title, make_document
from rag.readers.options import ReadOptions, ReadResult
from rag.readers.plain import plain_blocks
from rag.readers.structure import bounded, one_line
from rag.types import Document, ReadFailure

_FIELDS = frozenset({"id", "_id", "title", "text", "metadata"})


def read_jsonl(data: bytes, source: str, options: ReadOptions) -> ReadResult:
    """One document for each line; a line that is none is a failure, and the others are read.

    Raises ``ReadError`` for a file that is one JSON value over many lines.
    """
    decoded = decode(data)
    if not has_words(decoded.text):
        raise ReadError("The file has no text in it.")
    failures = LineFailures(source)
    documents: dict[str, Document] = {}
    for number, line in json_lines(decoded.text):
        try:
            document = _document(line, number, source)
        except ReadError as error:
            failures.add(number, str(error))
            continue
        if document.id not in documents:
            documents[document.id] = document
        elif document.named:
            failures.add(number, f'The id "{one_line(document.id, 60)}" comes twice; the line was left out.')
    if not documents or (failures and decoded.text.lstrip("\ufeff \t\r\n").startswith("[")):
        _refuse_whole_json(decoded.text)
    whole = (ReadFailure(source, decoded.notice),) if decoded.notice else ()
    return ReadResult(tuple(documents.values()), (*whole, *failures.listed()))


def json_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, by number from 1. Only ``\\n`` ends one: JSON may hold the others."""
    start, number = int(text.startswith("\ufeff")), 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        number += 1
        line = text[start:end].strip()
        if line:
            yield number, line
        start = end + 1


def _document(line: str, number: int, source: str) -> Document:
    """The document of a line. Raises ``ReadError``."""
    record = parse_line(line)
    if not isinstance(record, Mapping):
        raise ReadError("The line is not a JSON object.")
    text = record.get("text")
    if text is None:
        raise ReadError('The object has no "text".')
    if not isinstance(text, str):
        raise ReadError('"text" is not a string.')
    text = clean(text)
    if not text.strip():
        raise ReadError('"text" is empty.')
    declared = record.get("metadata")
    if declared is not None and not isinstance(declared, Mapping):
        raise ReadError('"metadata" is not an object.')
    extra = {key: value for key, value in record.items() if key not in _FIELDS}
    inner_title, metadata = clean_metadata({**extra, **(declared or {})})
    identity = _identity(record)
    title = _title(record) or inner_title
    return make_document(
        text,
        source,
        "jsonl",
        tuple(bounded(plain_blocks(text))),
        metadata,
        title=title,
        fallback_title=one_line(identity) if identity else f"{file_title(source)}, line {number}",
        id=identity,
    )


def parse_line(line: str) -> object:
    """The JSON value of a line, of standard JSON and finite numbers only. Raises ``ReadError``."""
    try:
        return json.loads(line, parse_constant=_refuse_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise ReadError(f"The line is not valid JSON: {error.msg} at column {error.colno}.") from None
    except RecursionError:
        raise ReadError("The line is nested too deeply.") from None
    except ValueError:  # Python reads no integer of more than 4,300 digits
        raise ReadError("The line holds a number that is too long.") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ReadError(f"{name} is not valid JSON.")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ReadError(f"The number {text[:40]} is too large.")
    return value


def _identity(record: Mapping[str, object]) -> str | None:
    value = record.get("id", record.get("_id"))
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ReadError('"id" is neither a string nor a whole number.')
    identity = str(value)
    if not identity.strip():
        raise ReadError('"id" is empty.')
    if len(identity) > MAX_ID or clean(identity) != identity:
        raise ReadError(f'"id" has more than {MAX_ID} characters, or characters that no text can hold.')
    return identity


def _title(record: Mapping[str, object]) -> str | None:
    value = record.get("title")
    if value is None:
        return None
    if isinstance(value, (bool, list, Mapping)):
        raise ReadError('"title" is not a string.')
    return one_line(clean(str(value))) or None


def _refuse_whole_json(text: str) -> None:
    """Name the usual mistake: one JSON value, indented over many lines, or an array on one."""
    try:
        value = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return
    if isinstance(value, list) or text.strip().count("\n"):
        what = "array" if isinstance(value, list) else "value"
        raise ReadError(f"The file is one JSON {what}, not JSON Lines: write one object on each line.")
