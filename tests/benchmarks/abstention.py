"""Abstention: questions of one half of the articles, asked of the other half.

    python tests/benchmarks/abstention.py DATA [--fusion auto|learned|hand] [--json OUT]

Every answerable question of ``squad/`` and ``xquad/`` is asked twice: of the library that
holds its article, and of the one that does not. Printed for each set at the threshold in
force: the share refused where the article is missing, and answered where it is there.
How sure it is, and how reliable that is, is fitted and printed by ``python -m rag fit``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from rag.confidence import HAND
from rag.config import Environment, with_settings
from rag.engine import Engine
from rag.weights import in_force

SETS = {"squad": "questions.jsonl", "xquad": "questions.en.jsonl"}


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def article(document_id: str) -> str:
    return document_id.rpartition("-")[0]


def halves(documents: list[dict[str, Any]]) -> dict[str, int]:
    """Article -> 0 or 1, every other one in alphabetical order."""
    return {name: n % 2 for n, name in enumerate(sorted({article(d["id"]) for d in documents}))}


def measure(engine: Engine, data: Path, name: str, folder: Path, fusion: str) -> list[tuple[float, bool]]:
    """Confidence, and whether the article was there, for every question and half."""
    documents = read(data / name / "documents.jsonl")
    half = halves(documents)
    rows = []
    for side in (0, 1):
        path = folder / f"{name}-{side}.jsonl"
        kept = [json.dumps(d) for d in documents if half[article(d["id"])] == side]
        path.write_text("\n".join(kept), encoding="utf-8")
        prototype = f"{name}-{side}"
        engine.ingest(prototype, [path])
        settings = with_settings(engine.prototype(prototype).settings, {"fusion": fusion})
        for q in read(data / name / SETS[name]):
            if q["answerable"]:
                found = engine.search(prototype, q["question"], settings=settings)
                there = half[article(q["document_id"])] == side
                rows.append((found.confidence, there))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--fusion", choices=("auto", "learned", "hand"), default="auto")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        engine = Engine(Environment(home=Path(temporary)))
        rows = {
            name: np.array(measure(engine, args.data, name, Path(temporary), args.fusion)) for name in SETS
        }
    weights = in_force(args.fusion)
    threshold = (weights.calibration if weights else HAND).threshold
    figures = {}
    for name, values in rows.items():
        there, answered = values[:, 1] == 1, values[:, 0] >= threshold
        figures[name] = {
            "refused where the article is missing": 100 * float(np.mean(~answered[~there])),
            "answered where it is there": 100 * float(np.mean(answered[there])),
        }
        for label, value in figures[name].items():
            print(f"{name:6} {label:38} {value:6.1f}")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
