"""Libraries of any size, made of real chunks: for benchmarks that ask how things grow.

The real documents are ingested once as any other. Each further document copies a few
sections of a real one: its sentences with one word in five taken from elsewhere in the
collection, its vectors turned part of the way towards another real sentence's. So words keep
their frequencies, and the vectors stay where the model puts sentences, which noise in all
dimensions would not do. Everything is drawn with a fixed seed.

Metadata to filter by: ``tenth``, ``hundredth`` and ``thousandth`` are numbers below 10, 100
and 1000, drawn for each document, so that equality takes that share of them.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rag.config import Environment
from rag.engine import Engine
from rag.library import Item
from rag.prototypes import create_prototype
from rag.types import Chunk, DocumentRecord, Section, SourceFile, Vectors

NAME = "scaled"
SHARES = {"10 %": "tenth", "1 %": "hundredth", "0.1 %": "thousandth"}
"""The key whose every value stands in this share of the documents."""
READY_MADE = ("wine", "benefits", "handbook")

_SWAPPED = 0.2
_TURN = 0.7
"""How far a vector goes towards another: at 0.7 the cosine with the real one is about 0.85."""
_BATCH = 2_000


def read_questions(data: Path | None, most: int = 100) -> list[str]:
    """Real questions: of ``*/questions*.jsonl`` under ``data``, else the ready-made suggestions."""
    if data is None:
        engine = Engine()
        return [s for name in READY_MADE for s in engine.prototype(name).suggestions]
    found = [
        [json.loads(line)["question"] for line in path.read_text(encoding="utf-8").splitlines() if line]
        for path in sorted(data.glob("*/questions*.jsonl"))
        if ".es." not in path.name
    ]
    rng = np.random.default_rng(5)
    each = -(-most // max(1, len(found)))
    return [some[at].strip() for some in found for at in rng.permutation(len(some))[:each]][:most]


def scaled_engine(chunks: int, cache: Path, data: Path | None = None) -> Engine:
    """An engine whose prototype :data:`NAME` holds so many chunks; made once, then kept in ``cache``."""
    home = cache / f"{chunks}"
    done = home / "complete"
    engine = Engine(Environment(home=home))
    if not done.exists():
        shutil.rmtree(home, ignore_errors=True)
        real, vectors = _real(cache, data)
        prototype = create_prototype(NAME, home)
        library = engine.library(prototype)
        with library.writing():
            for items in _documents(real, vectors, chunks):
                library.write(items)
                print(f"\r{library.index.count():>8} of {chunks} chunks", end="", file=sys.stderr)
            print(file=sys.stderr)
            library.index.set_facts(index_version="scaled")
            library.settle(library.index.records())
        done.touch()
    return engine


def _real(cache: Path, data: Path | None) -> tuple[list[list[Chunk]], Vectors]:
    """Runs of consecutive chunks of real documents, and their vectors: rows in the same order."""
    engine = Engine(Environment(home=cache / "real"))
    names = ("data",) if data else READY_MADE
    if data:
        texts = [*data.glob("*/documents.jsonl"), *data.glob("*/corpora")]
        engine.ingest("data", sorted(texts))
    runs: list[list[Chunk]] = []
    rows: list[NDArray[np.float32]] = []
    for name in names:
        index = engine.library(engine.ready(name)).index
        for document_id in sorted(index.records()):
            chunks = index.document_chunks(document_id)
            for _, run in groupby(chunks, key=lambda c: c.section.start // 3_000):
                runs.append(list(run))
                found = index.vectors([c.id for c in runs[-1]])
                rows += [found[c.id] for c in runs[-1]]
    return runs, np.stack(rows)


def _documents(real: Sequence[Sequence[Chunk]], vectors: Vectors, wanted: int) -> Iterator[list[Item]]:
    rng = np.random.default_rng(7)
    starts = np.cumsum([0, *(len(run) for run in real)])
    words = [word for run in real for chunk in run for word in chunk.text.split()]
    batch: list[Item] = []
    made = n = 0
    while made < wanted:
        at = int(rng.integers(len(real)))
        run, rows = real[at][: wanted - made], vectors[starts[at] : starts[at + 1]]
        turned = rows[: len(run)] + _TURN * vectors[rng.integers(len(vectors), size=len(run))]
        turned /= np.linalg.norm(turned, axis=1, keepdims=True)
        batch.append(_document(n, run, np.asarray(turned, np.float32), words, rng))
        made, n = made + len(run), n + 1
        if sum(len(chunks) for _, chunks, _ in batch) >= _BATCH or made == wanted:
            yield batch
            batch = []


def _document(
    n: int, run: Sequence[Chunk], rows: Vectors, words: Sequence[str], rng: np.random.Generator
) -> Item:
    document_id = f"{n:08x}"
    metadata = {
        key: int(rng.integers(size)) for key, size in zip(SHARES.values(), (10, 100, 1000), strict=True)
    }
    texts = []
    for chunk in run:
        own = chunk.text.split(" ")
        for place in np.flatnonzero(rng.random(len(own)) < _SWAPPED):
            own[place] = words[rng.integers(len(words))]
        texts.append(" ".join(own))
    # Where each section of the real run begins and ends, in the new text.
    edges = [0]
    for text, chunk in zip(texts, run, strict=True):
        edges.append(edges[-1] + len(text) + len(chunk.gap))
    spans: dict[Section, list[int]] = {}
    for place, chunk in enumerate(run):
        spans.setdefault(chunk.section, []).append(place)
    sections = {
        old: Section(edges[places[0]], edges[places[-1] + 1], old.path, old.page)
        for old, places in spans.items()
    }
    chunks = [
        Chunk(
            document_id, at, edges[at], edges[at] + len(text), text, old.gap, sections[old.section], old.kind
        )
        for at, (text, old) in enumerate(zip(texts, run, strict=True))
    ]
    files = (SourceFile(f"scaled/{document_id}.txt", document_id),)
    title = run[0].section.path[-1] if run[0].section.path else " ".join(texts[0].split()[:4])
    record = DocumentRecord(document_id, files, document_id, title, metadata, len(chunks), len(sections))
    return record, chunks, rows


if __name__ == "__main__":
    scaled_engine(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)
