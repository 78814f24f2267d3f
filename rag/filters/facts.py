"""What filters compare: the metadata of a record, as the two indexes store it."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from rag.dates import iso_to_seconds
from rag.types import Chunk, DocumentRecord

Scalar: TypeAlias = str | float | bool
Fact: TypeAlias = str | float | bool | tuple[str, ...]

PATH_SEPARATOR = " > "


def filterable(chunk: Chunk, record: DocumentRecord) -> dict[str, Fact]:
    """The facts of a chunk: its document's metadata, ``source``, ``title``, ``page``, ``section``.

    ``section`` is the heading path joined by " > ". ``page`` and ``section`` are lacking
    where the chunk has none; the document's own metadata of that name then shows through.
    """
    facts: dict[str, object] = {**record.metadata, "source": record.source, "title": record.title}
    if chunk.section.page is not None:
        facts["page"] = chunk.section.page
    if chunk.section.path:
        facts["section"] = PATH_SEPARATOR.join(chunk.section.path)
    return normalise(facts)


def normalise(metadata: Mapping[str, object]) -> dict[str, Fact]:
    """A record's metadata as it is stored and compared: floats, booleans, text, tuples of text.

    ISO dates in text become numbers. Numbers that are not finite and empty lists are
    left out, for nothing compares with them.
    """
    facts: dict[str, Fact] = {}
    for key, value in metadata.items():
        key = clean(key)
        if isinstance(value, bool):
            facts[key] = value
        elif isinstance(value, str):
            facts[key] = string_fact(clean(value))
        elif isinstance(value, int | float):
            number = number_fact(value)
            if number is not None:
                facts[key] = number
        elif isinstance(value, Sequence) and value:
            facts[key] = tuple(dict.fromkeys(clean(str(item)) for item in value))
    return facts


def string_fact(text: str) -> str | float:
    """``text``, or its Unix seconds where it is an ISO date."""
    seconds = iso_to_seconds(text) if text[:1].isdigit() else None
    return text if seconds is None else float(seconds)


def number_fact(value: int | float) -> float | None:
    """``value`` as a float, None where it is not finite. -0.0 becomes 0.0: one term for both."""
    try:
        number = float(value)
    except OverflowError:
        return None
    return number + 0.0 if math.isfinite(number) else None


def clean(text: str) -> str:
    """``text`` with lone surrogates (no valid Unicode; no index stores them) as U+FFFD.

    One character becomes one, so offsets stay true.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text)
    return text


def typed(value: Fact) -> tuple[type, Fact]:
    """A key equal only for equal facts: Python itself holds that ``True == 1.0``."""
    return type(value), value


# In Chroma a fact is a metadata value under its key.


def chroma_key(key: str) -> str:
    """The name of a metadata key in Chroma.

    Names that begin with ``_`` are the index's own, and Chroma refuses an empty name and
    those that begin with ``$``, ``#`` or ``chroma:``; such keys get the prefix ``_:``.
    """
    return f"_:{key}" if not key or key[0] in "_$#" or key.startswith("chroma:") else key


def plain_key(name: str) -> str:
    """The key that :func:`chroma_key` gave this name."""
    return name.removeprefix("_:")


# In Tantivy a fact is one untokenised term, "<hash of the key><type><value>", of one
# text field. Keys may then hold any character, no value can be of a wrong type at commit,
# and a range of numbers is a range of terms, for their 16 digits sort as the numbers do.


def fact_terms(facts: Mapping[str, Fact]) -> list[str]:
    """The terms that stand for a record's facts in Tantivy."""
    terms = []
    for key, value in facts.items():
        if isinstance(value, tuple):
            terms += [fact_term(key, item, kind="l") for item in value]
        else:
            terms.append(fact_term(key, value))
    return terms


def fact_term(key: str, value: Scalar, kind: str = "s") -> str:
    """The term of one fact; ``kind`` is ``l`` for an item of a list."""
    if isinstance(value, bool):
        return f"{key_hash(key)}b{int(value)}"
    if isinstance(value, float):
        return f"{key_hash(key)}n{_sortable(value)}"
    if len(value) > 200:  # a term holds 65,530 bytes at most
        value = "\0" + hashlib.sha256(value.encode()).hexdigest()
    return f"{key_hash(key)}{kind}{value}"


def key_hash(key: str) -> str:
    """What the terms of a key begin with: letters and digits of a fixed length."""
    return "k" + hashlib.blake2b(key.encode(), digest_size=10).hexdigest()


def _sortable(number: float) -> str:
    """Sixteen hexadecimal digits that sort as the numbers do (IEEE 754 bits, sign mended)."""
    bits: int = struct.unpack(">Q", struct.pack(">d", number))[0]
    return f"{bits ^ 0xFFFF_FFFF_FFFF_FFFF if bits >> 63 else bits | 1 << 63:016x}"
