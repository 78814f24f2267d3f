"""What each re-ranker adds, in right top results and in milliseconds.

    python tests/benchmarks/rerank.py DATA [--cross PATH] [--cohere] [--only SET] [--json OUT]
    python tests/benchmarks/rerank.py DATA --set rerank.candidates=20

Every answerable question of ``squad/`` and ``xquad/`` is searched with each re-ranker that can be
had here, one after the other, through the engine. Printed are the share whose first passage is of
the right paragraph, what that is more than without re-ranking (with the 95 % interval of 10,000
bootstrap samples of the questions, paired), and the stage's latency. ``cross`` runs with a model
folder or name, ``cohere`` with --cohere and COHERE_API_KEY; otherwise they are "not measured", as
is one that failed for any question. The weights of ``late`` are fitted by ``python -m rag fit``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from numpy.typing import NDArray

from rag.config import Environment, parse_assignments, with_settings
from rag.engine import Engine
from rag.rerankers import UNAVAILABLE

SETS = {"squad": "questions.jsonl", "xquad": "questions.en.jsonl"}
SAMPLES = 10_000


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def interval(values: NDArray[np.float64], seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of the mean of ``values`` over bootstrap samples."""
    random = np.random.default_rng(seed)
    means = [values[random.integers(0, len(values), len(values))].mean() for _ in range(SAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def measure(
    engine: Engine, name: str, questions: Sequence[dict[str, Any]], rerankers: dict[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Interleaved, so that a busy machine is busy for all of them alike."""
    base = engine.prototype(name).settings
    settings = {r: with_settings(base, {"rerank": r} | changes) for r, changes in rerankers.items()}
    right: dict[str, list[bool]] = {r: [] for r in settings}
    five: dict[str, list[bool]] = {r: [] for r in settings}
    seconds: dict[str, list[float]] = {r: [] for r in settings}
    failed = set()
    for q in questions:
        for reranker, s in settings.items():
            if reranker in failed:
                continue
            found = engine.search(name, q["question"], settings=s)
            if UNAVAILABLE in found.notices:
                failed.add(reranker)
            ids = [p.document_id for p in found.passages]
            right[reranker].append(ids[0] == q["document_id"])
            five[reranker].append(q["document_id"] in ids[:5])
            seconds[reranker].append(found.seconds.get("rerank", 0.0))
    plain = np.array(right["none"], float)
    figures: dict[str, dict[str, Any]] = {}
    for reranker in settings:
        if reranker in failed:
            continue
        values = np.array(right[reranker], float)
        figures[reranker] = {
            "top result right": 100 * float(values.mean()),
            "right in the first five": 100 * float(np.mean(five[reranker])),
        }
        if reranker != "none":
            low, high = interval(100 * (values - plain))
            figures[reranker] |= {
                "more than none": 100 * float((values - plain).mean()),
                "interval": [low, high],
                "median ms": 1000 * float(np.median(seconds[reranker])),
                "p95 ms": 1000 * float(np.percentile(seconds[reranker], 95)),
            }
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cross", metavar="PATH", help="a cross-encoder's folder or name")
    parser.add_argument("--cohere", action="store_true", help="ask Cohere (a request for every question)")
    parser.add_argument("--only", choices=tuple(SETS))
    parser.add_argument("--limit", type=int, help="so many questions of each set, evenly spread")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting to vary")
    parser.add_argument("--home", type=Path, help="keep the indexes here (default: a temporary folder)")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    varied: dict[str, Any] = dict(parse_assignments(args.set))
    rerankers: dict[str, dict[str, Any]] = {"none": {**varied}, "late": {**varied}}
    if args.cross:
        rerankers["cross"] = {**varied, "rerank.model": args.cross}
    if args.cohere and os.environ.get("COHERE_API_KEY"):
        rerankers["cohere"] = {**varied, "rerank.timeout": 30}
    with tempfile.TemporaryDirectory() as temporary:
        engine = Engine(Environment.load({**os.environ, "THUMBPRINT_HOME": str(args.home or temporary)}))
        questions = {}
        for name in [args.only] if args.only else list(SETS):
            engine.ingest(name, [args.data / name / "documents.jsonl"])
            asked = [q for q in read(args.data / name / SETS[name]) if q["answerable"]]
            questions[name] = asked[:: max(1, len(asked) // args.limit)] if args.limit else asked
        figures: dict[str, Any] = {
            name: measure(engine, name, asked, rerankers) for name, asked in questions.items()
        }
        for name, of_set in figures.items():
            for reranker in ("none", "late", "cross", "cohere"):
                of_set.setdefault(reranker, "not measured")
                print_line(name, reranker, of_set[reranker])
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


def print_line(name: str, reranker: str, figures: Any) -> None:
    if isinstance(figures, str):
        print(f"{name:6} {reranker:7} {figures}")
        return
    line = f"{name:6} {reranker:7} top result right {figures['top result right']:5.1f}"
    line += f"  in the first five {figures['right in the first five']:5.1f}"
    if "interval" in figures:
        low, high = figures["interval"]
        line += (
            f"  {figures['more than none']:+5.1f} ({low:+.1f} to {high:+.1f})"
            f"  {figures['median ms']:6.0f} ms, p95 {figures['p95 ms']:6.0f} ms"
        )
    print(line)


if __name__ == "__main__":
    main()
