"""Declared metadata made uniform, and the document that it belongs to.

Whatever a file declares (front matter, columns, a JSON object, the properties of a PDF)
ends as a flat mapping of short strings, finite numbers, booleans and lists of strings.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import PurePosixPath
from types import MappingProxyType

from rag.dates import datetime_to_seconds, iso_to_seconds
from rag.errors import ReadError
from rag.readers.decode import clean
from rag.readers.structure import one_line
from rag.types import Block, Document, Metadata, MetaValue

RESERVED = frozenset({"source", "title", "type", "page", "section"})
"""Keys that Thumbprint fills itself; a declared one is kept as ``declared_<key>``."""

MAX_ID = 500
"""Most characters of a declared id."""
MAX_STRING = 2_000
"""Most characters of a string in the metadata; the text keeps what is cut here."""
_MAX_KEY = 100
_MAX_VALUES = 1_000
_MAX_DEPTH = 20
_EXACT = 2**53
"""Whole numbers above this are kept as text: floats, which the filters compare with, merge them."""

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def clean_metadata(raw: Mapping[object, object]) -> tuple[str | None, dict[str, MetaValue]]:
    """The declared title (or None) and the flat metadata.

    Nested mappings become keys with dots; null, empty and non-finite values are dropped; ISO
    dates become Unix seconds; members of lists become strings. Raises ``ReadError`` for more
    than 1,000 values or 20 levels.
    """
    title: str | None = None
    metadata: dict[str, MetaValue] = {}
    for n, (path, value) in enumerate(_flatten(raw, (), 0)):
        if n >= _MAX_VALUES:
            raise ReadError(f"The metadata has more than {_MAX_VALUES:,} values.")
        if value is None:
            continue
        key = ".".join(path)[:_MAX_KEY].strip()
        if key.casefold() == "title" and title is None:
            title = one_line(_as_string(value)) or None
            continue
        made = meta_value(value)
        if not key or made is None:
            continue
        metadata.setdefault(f"declared_{key}" if key in RESERVED else key, made)
    return title, metadata


def meta_value(value: object) -> MetaValue | None:
    """One value as metadata; None where it says nothing."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _EXACT else _as_string(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date):  # a datetime is one too
        moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
        seconds = datetime_to_seconds(moment)
        return value.isoformat() if seconds is None else seconds
    if isinstance(value, (list, tuple, set, frozenset)):
        members = dict.fromkeys(_as_string(member) for member in value if member is not None)
        return tuple(member for member in members if member)[:_MAX_VALUES] or None
    if value is None:
        return None
    text = _as_string(value)
    seconds = iso_to_seconds(text)
    return (text or None) if seconds is None else seconds


def document_id(text: str, title: str | None, metadata: Metadata) -> str:
    """The identity of content: 32 hex digits of SHA-256 over text, declared title and metadata.

    Where the file lies, and what it is called, is not part of it.
    """
    facts = json.dumps([title, metadata], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(facts.encode())
    digest.update(b"\0")
    digest.update(text.encode())
    return digest.hexdigest()[:32]


def make_document(
    text: str,
    source: str,
    kind: str,
    blocks: Sequence[Block],
    metadata: Metadata,
    *,
    title: str | None = None,
    fallback_title: str | None = None,
    id: str | None = None,
    found: Metadata = MappingProxyType({}),
) -> Document:
    """A document with its automatic metadata (``type``, and what is in ``found``) and its id.

    ``title`` is what the file declares; ``fallback_title`` (default: the file's name without
    suffix) is shown where it declares none. Neither that nor automatic metadata is part of
    the identity.
    """
    shown = title or fallback_title or file_title(source)
    return Document(
        id=id if id is not None else document_id(text, title, metadata),
        text=text,
        source=source,
        title=shown,
        metadata={**metadata, **found, "type": kind},
        blocks=tuple(blocks),
        named=id is not None,
    )


def redeclared(document: Document, declared: Metadata, *, keep_title: bool) -> Document:
    """The document with metadata that something beside its file declares, which wins over its own.

    Such metadata is part of an identity that was not given, as if the file itself declared it. A ``title`` is
    kept as ``declared_title`` where the document has to keep its own (``keep_title``).
    """
    metadata = dict(declared)
    title = None
    if "title" in metadata:
        title = one_line(_as_string(metadata.pop("title"))) or None
        if title is not None and keep_title:
            metadata["declared_title"], title = title, None
    identity = document.id
    if not document.named:
        facts = [identity, title, metadata]
        text = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        identity = hashlib.sha256(text.encode()).hexdigest()[:32]
    return replace(
        document,
        id=identity,
        title=title or document.title,
        metadata={**document.metadata, **metadata},
    )


def file_title(source: str) -> str:
    """The file's name without its suffix."""
    return one_line(PurePosixPath(source).stem) or source


def _flatten(value: object, path: tuple[str, ...], depth: int) -> Iterator[tuple[tuple[str, ...], object]]:
    if not isinstance(value, Mapping):
        yield path, value
        return
    if depth >= _MAX_DEPTH:
        raise ReadError(f"The metadata is nested more than {_MAX_DEPTH} levels deep.")
    for key, inner in value.items():
        name = _UNPRINTABLE.sub(" ", clean(str(key))).strip()
        yield from _flatten(inner, (*path, name), depth + 1)


def _as_string(value: object) -> str:
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, (Mapping, list, tuple, set, frozenset)):
        # A list inside a list, a mapping inside a list: kept readable, not searched as a value.
        text = _as_json(value)
    elif isinstance(value, date):
        text = value.isoformat()
    else:
        text = str(value)
    return clean(text[:MAX_STRING]).strip()


def _as_json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError) as error:  # a list that holds itself
        raise ReadError("The metadata has a list that cannot be written as JSON.") from error
