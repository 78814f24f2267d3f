"""Time of a question, against a bare embedding plus a bare Chroma query in the same run.

    python tests/benchmarks/latency.py [--prototype wine] [--rounds 20] [--json OUT]

Both are asked the same questions in turn, after a warm-up. The bare query embeds the
question with the same model and takes ``n_results=100`` with documents and metadata from
the same collection, which is what a plain retrieval page does.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rag.config import Environment
from rag.engine import Engine
from rag.index import open_client

QUESTIONS = (
    "a red from Portugal for lamb under 20 euros",
    "which wine smells of jasmine?",
    "something sparkling for oysters",
    "which wine comes from the oldest vines?",
    "how cold should champagne be served?",
    "is there a wine from India?",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prototype", default="wine")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        engine = Engine(Environment(home=Path(temporary)))
        prototype = engine.ready(args.prototype)
        model = engine.embedder(prototype.settings.embedding)
        library = engine.library(prototype)
        collection = open_client(Path(temporary)).collection(library.index.name)
        assert collection is not None
        ours: list[float] = []
        bare: list[float] = []
        stages: dict[str, list[float]] = {}
        for at in range(args.rounds + 2):
            for question in QUESTIONS:
                started = time.perf_counter()
                answer = engine.ask(args.prototype, question, origin="batch").answer
                middle = time.perf_counter()
                vector = model.embed_query(question)
                collection.query(
                    query_embeddings=[vector], n_results=100, include=["documents", "metadatas", "distances"]
                )
                ended = time.perf_counter()
                if at >= 2:
                    ours.append(middle - started)
                    bare.append(ended - middle)
                    for name, seconds in answer.seconds.items():
                        stages.setdefault(name, []).append(seconds)
    median = statistics.median
    figures = {
        "question, median ms": 1000 * median(ours),
        "question, 95th percentile ms": 1000 * statistics.quantiles(ours, n=20)[-1],
        "bare embedding and query, median ms": 1000 * median(bare),
        "ratio of medians": median(ours) / median(bare),
        **{f"  {name}, median ms": 1000 * median(values) for name, values in stages.items()},
    }
    for label, value in figures.items():
        print(f"{label:40} {value:8.2f}")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
