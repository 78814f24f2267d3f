"""What the keyword index takes of a document, and a digest that tells when that changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rag import bm25
from rag.chunk import window
from rag.filters import filterable
from rag.keyword import KeywordEntry, numbers
from rag.stored import pack, pack_vector
from rag.types import Chunk, DocumentRecord, Vectors

_NOTHING = bm25.numbers(())


def entries(
    record: DocumentRecord, chunks: Sequence[Chunk], vectors: Vectors | Sequence[NDArray[np.float32]]
) -> list[KeywordEntry]:
    """What the keyword index takes for a document's chunks; ``vectors`` has a row for each.

    A window is the heading path and title, the sentence, and its neighbours in the section;
    of a catalogue row all of its section, because a wish ("a red from Portugal for lamb")
    is spread over the row's fields and its notes.
    """
    made = []
    parts = [numbers(chunk.text) for chunk in chunks]
    gaps = [numbers(chunk.gap) if chunk.gap.strip() else _NOTHING for chunk in chunks]
    first = end = 0  # of the section
    each_side = len(chunks) if any(chunk.kind == "row" for chunk in chunks) else 1
    for i, chunk in enumerate(chunks):
        low, high = window(chunks, i, each_side)
        if not first <= i < end:
            first, end = window(chunks, i, len(chunks))
        # Without the last gap: it may hold the next section's heading.
        around = "".join(c.text + c.gap for c in chunks[low : high - 1]) + chunks[high - 1].text
        path = chunk.section.path
        head = path if record.title in path else (record.title, *path)
        headed = _head(head)
        around_it = [part for n in range(low, high) for part in (parts[n], gaps[n])][:-1]
        words = bm25.Terms(
            window=np.concatenate([headed, *around_it]),
            head=headed,
            own=parts[i],
            section=range(chunks[first].n, chunks[end - 1].n + 1),
        )
        before = len(headed) + sum(len(part) for part in around_it[: 2 * (i - low)])
        made.append(
            KeywordEntry(
                chunk_id=chunk.id,
                document_id=chunk.document_id,
                window="\n".join((*head, around)),
                own=chunk.text,
                metadata=filterable(chunk, record),
                record=pack(chunk, record),
                vector=pack_vector(vectors[i]),
                terms=bm25.pack(words, before),
            )
        )
    return made


@lru_cache(maxsize=100)
def _head(lines: tuple[str, ...]) -> bm25.Numbers:
    return numbers("\n".join(lines))


def digest(record: DocumentRecord) -> str:
    """Differs whenever the keyword entries of a document do."""
    facts = [record.content_hash, record.source, record.title, dict(record.metadata)]
    text = json.dumps(facts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
