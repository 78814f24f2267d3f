"""How chunks and documents are laid out in a Chroma collection.

One record a chunk, under the chunk's id, its text as Chroma's document. Metadata:

- each fact that filters see, under its own name (:func:`rag.filters.chroma_key`);
- ``_doc``: the document's id;
- ``_chunk``: the rest of the chunk as JSON;
- on chunk 0 only, ``_head: True`` and ``_record``: the document's record as JSON. It is
  written last, so a document that has it is whole.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from rag.filters import chroma_key, clean, filterable, plain_key
from rag.types import Chunk, DocumentRecord, IndexedChunk, MetaValue, Section, SourceFile

HEADS: dict[str, Any] = {"_head": True}
"""Chroma's ``where`` for the chunks that carry a document's record."""


def collection_name(prototype: str, model: str) -> str:
    """The collection of a prototype under an embedding model: a slug of both and a short hash.

    Chroma takes 3 to 512 of ``[a-zA-Z0-9._-]``; the hash keeps apart what slugs merge.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", f"{prototype} {model.rpartition('/')[2]}".lower()).strip("-")[:60]
    digest = hashlib.sha256(f"{prototype}\0{model}".encode()).hexdigest()[:10]
    return f"{slug}-{digest}".lstrip("-")


def is_of(collection: str, prototype: str, model: str) -> bool:
    """Whether a collection bears the name of a prototype under a model, or one that was made of that name.

    A re-index and a side index put something after it (:mod:`rag.rebuild`, :mod:`rag.beside`).
    """
    name = collection_name(prototype, model)
    return collection == name or collection.startswith(f"{name}-")


def encode(chunk: Chunk, record: DocumentRecord) -> dict[str, Any]:
    """What Chroma keeps of a chunk beside its text and vector."""
    facts = filterable(chunk, record)
    declared = {**record.metadata, "source": record.source, "title": record.title}
    same = {key for key, value in declared.items() if key in facts and facts[key] == value}
    integers = [key for key in same if type(declared[key]) is int]
    # What the facts do not give back as it was declared: dates in text, shadowed names, ...
    order = sorted(record.metadata)
    mend = {
        "order": [order.index(key) for key in record.metadata] if order != list(record.metadata) else [],
        "drop": [key for key in facts if key not in declared],
        "int": integers,
        "set": {
            key: value
            for key, value in declared.items()
            if key not in same or (type(facts[key]) is not type(value) and key not in integers)
        },
    }
    section = chunk.section
    packed: list[Any] = [chunk.n, chunk.start, chunk.end, clean(chunk.gap), chunk.kind]
    packed += [section.start, section.end, section.path, section.page]
    if any(mend.values()):
        packed.append({name: value for name, value in mend.items() if value})
    stored: dict[str, Any] = {
        chroma_key(key): list(value) if isinstance(value, tuple) else value for key, value in facts.items()
    }
    return {**stored, "_doc": record.id, "_chunk": _dump(packed)}


def encode_head(chunk: Chunk, record: DocumentRecord) -> dict[str, Any]:
    """The same for chunk 0, with the record that says that the document is whole."""
    return {**encode(chunk, record), "_head": True, "_record": pack_record(record)}


def pack_record(record: DocumentRecord) -> str:
    """A document's record as chunk 0 carries it."""
    fields = {
        "id": record.id,
        "files": [
            [file.path, file.sha256, file.documents, *([file.member] if file.member else [])]
            for file in record.files
        ],
        "hash": record.content_hash,
        "title": record.title,
        "metadata": dict(record.metadata),
        "chunks": record.chunks,
        "sections": record.sections,
        "lead": clean(record.lead),
        **({"added": record.added} if record.added else {}),
    }
    return _dump(fields)


def decode_record(stored: Mapping[str, Any]) -> DocumentRecord:
    """The record that chunk 0 carries."""
    fields = json.loads(stored["_record"])
    return DocumentRecord(
        id=fields["id"],
        files=tuple(SourceFile(*file) for file in fields["files"]),
        content_hash=fields["hash"],
        title=fields["title"],
        metadata=_tuples(fields["metadata"]),
        chunks=fields["chunks"],
        sections=fields["sections"],
        lead=fields["lead"],
        added=fields.get("added", 0.0),
    )


def decode_chunk(stored: Mapping[str, Any], text: str) -> Chunk:
    """The chunk of a record with this metadata and text."""
    return _chunk(stored, json.loads(stored["_chunk"]), text)


def decode(stored: Mapping[str, Any], text: str) -> IndexedChunk:
    """The chunk with its document's metadata as it was declared."""
    packed = json.loads(stored["_chunk"])
    mend = packed[9] if len(packed) > 9 else {}
    dropped = mend.get("drop", ())
    found: dict[str, Any] = {}
    for name, value in stored.items():
        if name not in ("_doc", "_chunk", "_head", "_record"):
            key = plain_key(name)
            if key not in dropped:
                found[key] = value
    for key in mend.get("int", ()):
        found[key] = int(found[key])
    metadata = _tuples({**found, **mend.get("set", {})})
    source, title = str(metadata.pop("source")), str(metadata.pop("title"))
    order = sorted(metadata)
    metadata = {order[at]: metadata[order[at]] for at in mend.get("order", range(len(order)))}
    return IndexedChunk(_chunk(stored, packed, text), source, title, metadata)


def _chunk(stored: Mapping[str, Any], packed: list[Any], text: str) -> Chunk:
    n, start, end, gap, kind, section_start, section_end, path, page = packed[:9]
    section = Section(section_start, section_end, tuple(path), page)
    return Chunk(stored["_doc"], n, start, end, text, gap, section, kind)


def _tuples(values: Mapping[str, Any]) -> dict[str, MetaValue]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}


def _dump(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Escapes keep a lone surrogate, which is no valid Unicode, as it was.
    return text if clean(text) == text else json.dumps(value, separators=(",", ":"))
