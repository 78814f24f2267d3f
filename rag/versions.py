"""Has it changed? Hashes of files, of documents, and of all that an index holds.

A :class:`Shape` names what shapes an index beside the files. Whatever changes it changes
every hash; but each hash says the cutting apart, as its last eight digits, so that an index
that was cut anew from another keeps the knowledge of which files it was made from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rag.chunk import Chunking
from rag.readers import FoundFiles, ReadOptions, ReadResult
from rag.types import Document, Metadata, ReadFailure, SourceFile

VERSION = "3"
"""Grows when the readers give other documents, or the vectors other values, than before."""

_HALF = 16
"""Hexadecimal digits of each half of a content hash."""
_MARK = 8
"""Hexadecimal digits of the cutting at the end of every hash."""


@dataclass(frozen=True, slots=True)
class Shape:
    """``reading`` names the options and version of the readers, ``cutting`` model and chunking."""

    reading: str
    cutting: str

    @property
    def mark(self) -> str:
        return hashlib.sha256(self.cutting.encode()).hexdigest()[:_MARK]

    @property
    def digest(self) -> str:
        """Sixteen hex digits: the reading, then the cutting."""
        return hashlib.sha256(self.reading.encode()).hexdigest()[:_MARK] + self.mark


def shape_of(model: str, chunking: Chunking, options: ReadOptions, document_prompt: str = "") -> Shape:
    """What shapes an index beside the files.

    What computes the vectors is no part of it: those of all backends mix (:mod:`rag.embed`).
    """
    csv = {pattern: asdict(columns) for pattern, columns in options.csv.items()}
    return Shape(
        reading=json.dumps([VERSION, csv], sort_keys=True),
        cutting=json.dumps([model, asdict(chunking), *([document_prompt] if document_prompt else [])]),
    )


def given_up(known: Mapping[str, SourceFile], result: ReadResult) -> list[str]:
    """The documents of a file that it may not hold any more.

    Of a member that failed, as of a whole file, what was read before is kept.
    """
    read = {document.source for document in result.documents}
    failed = {failure.path for failure in result.failures}

    def is_lost(source: str) -> bool:
        holders = (source[:n] for n, letter in enumerate(source) if letter == "/")
        return source not in read and (source in failed or any(holder in failed for holder in holders))

    return [i for i, place in known.items() if not is_lost(place.source)]


def recut(hash: str, mark: str) -> str:
    """A hash as it is when the same files are cut another way; an empty one stays empty."""
    return hash[:-_MARK] + mark if hash else ""


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


def hash_files(found: FoundFiles, shape: Shape, max_bytes: int) -> tuple[list[HashedFile], list[ReadFailure]]:
    """The files with their hashes, and those that could not be read.

    Of a file over ``max_bytes`` nothing is read: it will be refused. A sidecar changes the
    hashes of the files it describes only, and only where it says something else of them.
    """
    hashed, failures = [], []
    for path, source in found.files:
        declared = found.declared.get(source, {})
        try:
            size = path.stat().st_size
            digest = hashlib.sha256(shape.reading.encode())
            if declared:
                digest.update(_json(dict(declared)))
            if size <= max_bytes:
                with open(path, "rb") as file:
                    while block := file.read(1 << 20):
                        digest.update(block)
        except OSError as error:
            failures.append(unreadable(source, error))
            continue
        whole = digest.hexdigest()[:-_MARK] + shape.mark
        hashed.append(HashedFile(path, source, size, whole, declared))
    return hashed, failures


def content_hash(document: Document, shape: Shape) -> str:
    """40 hex digits: two documents of one id are the same where these are.

    The first 16 are of what chunks and vectors are made of, the next 16 of what only stands
    beside them, the last of the cutting. An id that was not given is that of the content already.
    A title that is taken from the file's name is no part of that, so the same text under two
    names is one document.
    """
    text: list[object] = [shape.reading, document.id]
    beside: list[object] = []
    if document.named:
        text += [document.text, [asdict(block) for block in document.blocks]]
        beside = [document.title, dict(document.metadata)]
    return "".join(hashlib.sha256(_json(half)).hexdigest()[:_HALF] for half in (text, beside)) + shape.mark


def edited_hash(content: str, edits: object) -> str:
    """The content hash of a document that a person said something else of (``edits`` as JSON has it)."""
    beside = hashlib.sha256(content[_HALF : 2 * _HALF].encode() + _json(edits)).hexdigest()[:_HALF]
    return content[:_HALF] + beside + content[2 * _HALF :]


def reverted_hash(base: str, present: str) -> str:
    """The content hash of a document whose edits were taken back: ``base`` is that before them."""
    return base[: 2 * _HALF] + present[2 * _HALF :]


def same_words(one: str, two: str) -> bool:
    """Whether two content hashes of one id are of the same text, however it is cut."""
    return one[:_HALF] == two[:_HALF]


def same_text(one: str, two: str) -> bool:
    """Whether two content hashes of one id are of the same text in the same blocks, cut alike."""
    return one[:_HALF] == two[:_HALF] and one[2 * _HALF :] == two[2 * _HALF :]


def unreadable(source: str, error: OSError) -> ReadFailure:
    """A file that the disk did not give, in a sentence."""
    reason = error.strerror or "the disk refused"
    return ReadFailure(source, f"It could not be read ({reason}). Check that it exists and may be read.")


def _json(value: object) -> bytes:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")
