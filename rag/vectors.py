"""The vectors of documents that were cut: sections to the model, in slices of like length.

Both an ingest and a re-index embed so; it stands apart from either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from rag.types import Chunk, Embedder, Vectors

Cut: TypeAlias = tuple[Sequence[Chunk], str]
"""A document's chunks, and its text."""

_SLICE = 64
"""Sections embedded between two reports of progress: a second or two."""


def embed_documents(
    embedder: Embedder, documents: Sequence[Cut], report: Callable[[int], None]
) -> list[Vectors]:
    """For each document one unit row for each of its chunks.

    ``report`` is called after each slice with the characters in it, and may raise to end it all.
    """
    import numpy as np

    texts: list[str] = []
    spans: list[list[tuple[int, int]]] = []
    owners: list[int] = []
    for at, (chunks, text) in enumerate(documents):
        previous = None
        for chunk in chunks:
            if chunk.section != previous:
                previous = chunk.section
                texts.append(text[previous.start : previous.end])
                spans.append([])
                owners.append(at)
            spans[-1].append((chunk.start - chunk.section.start, chunk.end - chunk.section.start))
    # In slices of about the same length, so that the progress moves and little is padded.
    vectors: dict[int, Vectors] = {}
    order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
    for start in range(0, len(order), _SLICE):
        part = order[start : start + _SLICE]
        rows_of = embedder.embed_sections([texts[at] for at in part], [spans[at] for at in part])
        vectors.update(zip(part, rows_of, strict=True))
        report(sum(len(texts[at]) for at in part))
    per_document: list[list[Vectors]] = [[] for _ in documents]
    for at, owner in enumerate(owners):
        per_document[owner].append(vectors[at])
    return [np.vstack(rows) for rows in per_document]
