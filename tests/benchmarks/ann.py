"""What the graph's settings and the ways to search under a filter find and cost.

    python tests/benchmarks/ann.py DATA --cache FOLDER [--chunks 20000] [--json OUT]
    python tests/benchmarks/ann.py DATA --cache FOLDER --chunks 100000 --only filters

``graph``: bare Chroma collections of the same vectors (tests/benchmarks/scaled.py) with each
``M``, ``ef_construction`` and ``ef_search``; share of the true 100 nearest found for real
questions, ms a query, seconds to build. ``filters``: each way of rag/plan.py at several
shares of matching chunks, against comparing with every match. ``doctor``: the figure that
``python -m rag doctor`` prints, on the evaluation data itself.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from scaled import NAME, read_questions, scaled_engine

from rag import recall
from rag.config import Environment
from rag.engine import Engine
from rag.filters import parse
from rag.plan import Plan
from rag.types import Vectors

K = 100
SHARES_OF = (
    *(("tenth", 10, width) for width in (5, 2, 1)),
    *(("hundredth", 100, width) for width in (5, 2, 1)),
    ("thousandth", 1000, 1),
)
"""Metadata key, how many values it has, and how many of them a filter lets through."""


def graph(rows: Vectors, questions: Vectors) -> list[dict[str, Any]]:
    """Recall of the 100 nearest under the settings of the graph. Reopened for each ``ef_search``."""
    import chromadb
    from chromadb.config import Settings

    true = np.argsort(-(questions @ rows.T), axis=1)[:, :K]
    found = []

    def opened(folder: Path) -> Any:
        return chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))

    for m, construction in ((8, 100), (16, 100), (16, 200), (32, 200)):
        with tempfile.TemporaryDirectory() as temporary:
            built = Path(temporary) / "built"
            hnsw = {"space": "cosine", "max_neighbors": m, "ef_construction": construction}
            started = time.perf_counter()
            collection = opened(built).create_collection(
                "graph", configuration={"hnsw": {**hnsw, "sync_threshold": 1_000}}, embedding_function=None
            )
            for at in range(0, len(rows), 2_000):
                some = rows[at : at + 2_000]
                collection.upsert(ids=[str(at + n) for n in range(len(some))], embeddings=some)
            seconds_to_build = time.perf_counter() - started
            for search in (100, 200, 400, 800):
                # Chroma takes a new ef_search when it opens the folder, and keeps what it has opened.
                changed, copy = (Path(temporary) / f"{search}-{name}" for name in ("changed", "copy"))
                shutil.copytree(built, changed)
                opened(changed).get_collection("graph").modify(configuration={"hnsw": {"ef_search": search}})
                shutil.copytree(changed, copy)
                collection = opened(copy).get_collection("graph")
                collection.query(query_embeddings=questions[:1], n_results=K, include=[])
                right, seconds = 0, []
                for question, best in zip(questions, true, strict=True):
                    started = time.perf_counter()
                    ids = collection.query(query_embeddings=[question], n_results=K, include=[])["ids"][0]
                    seconds.append(time.perf_counter() - started)
                    right += len({int(i) for i in ids} & set(best.tolist()))
                found.append(
                    {
                        "M": m,
                        "ef_construction": construction,
                        "ef_search": search,
                        "recall": right / true.size,
                        "ms": 1000 * statistics.median(seconds),
                        "seconds to build": seconds_to_build,
                    }
                )
                _say("graph", found[-1])
    return found


def filters(engine: Engine, questions: Vectors) -> list[dict[str, Any]]:
    """Recall and ms of each way at several shares of chunks that match; a filter is new each time."""
    library = engine.library(engine.prototype(NAME))
    library.refresh()
    chunks, total = library.chunks, library.index.count()
    blocks = list(chunks.blocks())
    ids = [i for some, _ in blocks for i in some]
    scores = questions @ np.concatenate([rows for _, rows in blocks]).T
    records = library.index.records()
    found = []
    for key, size, width in SHARES_OF:
        values = np.array([int(str(records[i.rpartition(":")[0]].metadata[key])) for i in ids])
        lows = [n % (size - width + 1) for n in range(len(questions))]
        masks = [(values >= low) & (values < low + width) for low in lows]
        wheres = [parse({key: {"$gte": low, "$lt": low + width}}) for low in lows]
        count = int(statistics.median(int(mask.sum()) for mask in masks))
        row: dict[str, Any] = {"share": width / size, "chunks": count}
        row["planned"] = chunks.plan(wheres[0], K).way if wheres[0] else ""
        for way, margin in (("exact", 0), ("oversample", 1.5), ("oversample", 3), ("filtered", 0)):
            plan = Plan(way, min(total, round(margin * K * total / max(1, count))))
            if plan.candidates > 10_000 or (way == "exact" and count > 10_000):
                continue
            right, wanted, seconds = 0, 0, []
            for n, (vector, where) in enumerate(zip(questions, wheres, strict=True)):
                assert where is not None
                chunks._matching.clear()  # as if each filter were new
                started = time.perf_counter()
                hits = chunks.search_by(plan, vector, K, where)
                seconds.append(time.perf_counter() - started)
                allowed = np.flatnonzero(masks[n])
                best = allowed[np.argsort(-scores[n, allowed])[:K]]
                right += len({hit.chunk_id for hit in hits} & {ids[at] for at in best})
                wanted += len(best)
            name = f"{way} x{margin}" if margin else way
            row[f"{name}, ms"] = 1000 * statistics.median(seconds)
            row[f"{name}, recall"] = right / max(1, wanted)
        found.append(row)
        _say("filters", row)
    return found


def doctor(data: Path, home: Path) -> list[dict[str, Any]]:
    """The figure of doctor on the evaluation data, its questions as if they had been asked."""
    engine = Engine(Environment(home=home))
    engine.ingest("data", sorted([*data.glob("*/documents.jsonl"), *data.glob("*/corpora")]))
    prototype = engine.prototype("data")
    library = engine.library(prototype)
    library.refresh()
    metadata = [{**r.metadata, "source": r.source} for r in library.index.records().values()]
    found = recall.measure(
        library,
        engine.embedder(prototype.settings.embedding_model),
        read_questions(data, recall.QUESTIONS),
        recall.typical_filters(metadata),
    )
    assert found is not None
    row = {"chunks": library.index.count(), "recall": found.plain, "filtered": found.filtered}
    row |= {"questions": found.questions, "seconds": found.seconds}
    _say("doctor", row)
    return [row]


def _say(part: str, row: dict[str, Any]) -> None:
    cells = (f"{k} {v:.4g}" if isinstance(v, float | int) else f"{k} {v}" for k, v in row.items())
    print(f"{part:8}", "  ".join(cells), flush=True)


def _vectors(engine: Engine, texts: Sequence[str]) -> Vectors:
    model = engine.embedder(engine.prototype(NAME).settings.embedding_model)
    return np.stack([model.embed_query(text) for text in texts])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cache", type=Path, required=True, help="where the libraries are kept")
    parser.add_argument("--chunks", type=int, default=20_000)
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--only", choices=("graph", "filters", "doctor"))
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    cache, data = args.cache.resolve(), args.data.resolve()
    figures: dict[str, Any] = {}
    if args.only in (None, "graph", "filters"):
        engine = scaled_engine(args.chunks, cache, data)
        questions = _vectors(engine, read_questions(data, args.questions))
        if args.only in (None, "filters"):
            figures["filters"] = filters(engine, questions)
        if args.only in (None, "graph"):
            library = engine.library(engine.prototype(NAME))
            figures["graph"] = graph(np.concatenate([rows for _, rows in library.chunks.blocks()]), questions)
    if args.only in (None, "doctor"):
        figures["doctor"] = doctor(data, cache / "real")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
