"""Has it changed? Hashes of files, of documents, and of all that an index holds.

``shape`` everywhere is a text that names what shapes an index beside the files: the
model, the cutting, the options of the readers. Whatever changes it changes every hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rag.readers import FoundFiles
from rag.types import Document, DocumentRecord, Metadata, ReadFailure, SourceFile

_HALF = 16
"""Hexadecimal digits of each half of a content hash."""


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A file on disk under the source that it is known by; ``size`` in bytes.

    ``declared`` is what a sidecar says of it.
    """

    path: Path
    source: str
    size: int
    sha256: str
    declared: Metadata = field(default_factory=dict)

    def is_unchanged(self, known: Mapping[str, SourceFile]) -> bool:
        """Whether all documents that it gave are there, as it is now."""
        return bool(known) and all(
            k.sha256 == self.sha256 and k.documents == len(known) for k in known.values()
        )


def hash_files(found: FoundFiles, shape: str, max_bytes: int) -> tuple[list[HashedFile], list[ReadFailure]]:
    """The files with their hashes, and those that could not be read.

    Of a file over ``max_bytes`` nothing is read: it will be refused. A sidecar changes the
    hashes of the files it describes only, and only where it says something else of them.
    """
    hashed, failures = [], []
    for path, source in found.files:
        declared = found.declared.get(source, {})
        try:
            size = path.stat().st_size
            digest = hashlib.sha256(shape.encode())
            if declared:
                digest.update(_json(dict(declared)))
            if size <= max_bytes:
                with open(path, "rb") as file:
                    while block := file.read(1 << 20):
                        digest.update(block)
        except OSError as error:
            failures.append(unreadable(source, error))
            continue
        hashed.append(HashedFile(path, source, size, digest.hexdigest(), declared))
    return hashed, failures


def content_hash(document: Document, shape: str) -> str:
    """32 hex digits: two documents of one id are the same where these are.

    The first half is of what chunks and vectors are made of, the second of what only stands
    beside them. An id that was not given is that of the content already. A title that is
    taken from the file's name is no part of that, so the same text under two names is one
    document.
    """
    text: list[object] = [shape, document.id]
    beside: list[object] = []
    if document.named:
        text += [document.text, [asdict(block) for block in document.blocks]]
        beside = [document.title, dict(document.metadata)]
    return "".join(hashlib.sha256(_json(half)).hexdigest()[:_HALF] for half in (text, beside))


def same_text(one: str, two: str) -> bool:
    """Whether two content hashes of one id are of the same text in the same blocks."""
    return one[:_HALF] == two[:_HALF]


def index_version(shape: str, records: Iterable[DocumentRecord]) -> str:
    """Twelve hex digits that differ whenever the documents, their cutting or the model do."""
    digest = hashlib.sha256(shape.encode())
    for record in sorted(records, key=lambda r: r.id):
        digest.update(f"\n{record.id} {record.content_hash}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:12]


def unreadable(source: str, error: OSError) -> ReadFailure:
    """A file that the disk did not give, in a sentence."""
    reason = error.strerror or "the disk refused"
    return ReadFailure(source, f"It could not be read ({reason}). Check that it exists and may be read.")


def _json(value: object) -> bytes:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")
