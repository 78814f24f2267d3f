"""Records as an index keeps them, made without an index: read from files, or written out."""

from __future__ import annotations

from rag.prototypes import Prototype
from rag.readers import CsvOptions, ReadOptions, read_file
from rag.readers.files import find_files
from rag.types import DocumentRecord, Metadata, SourceFile


def record(title: str, source: str, metadata: Metadata) -> DocumentRecord:
    """A document with that metadata."""
    return DocumentRecord(source, (SourceFile(source, ""),), "", title, metadata, 1, 1)


def records(*metadata: Metadata) -> list[DocumentRecord]:
    """One document for each metadata."""
    return [record(f"Document {n}", f"{n}.md", values) for n, values in enumerate(metadata)]


def records_of(prototype: Prototype) -> list[DocumentRecord]:
    """What ingesting the documents of a ready-made prototype keeps of them."""
    csv = {
        name: CsvOptions(**{k: tuple(v) if isinstance(v, list) else v for k, v in table.items()})
        for name, table in prototype.csv.items()
    }
    return [
        record(document.title, document.source, document.metadata)
        for file, source in find_files(prototype.document_paths).files
        for document in read_file(file, source, ReadOptions(csv=csv)).documents
    ]
