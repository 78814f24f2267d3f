"""Abstention: questions of one half of the articles, asked of the other half.

    python tests/benchmarks/abstention.py DATA [--fit] [--json OUT]

Every answerable question of ``squad/`` and ``xquad/`` is asked twice: of the library that
holds its article, and of the one that does not. Printed for each set at the threshold in
force: the share refused where the article is missing, and answered where it is there.
``--fit`` also fits the weights of ``rag/confidence.py`` anew and prints them.
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

from rag.confidence import THRESHOLD
from rag.config import Environment
from rag.engine import Engine

SETS = {"squad": "questions.jsonl", "xquad": "questions.en.jsonl"}


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def article(document_id: str) -> str:
    return document_id.rpartition("-")[0]


def halves(documents: list[dict[str, Any]]) -> dict[str, int]:
    """Article -> 0 or 1, every other one in alphabetical order."""
    return {name: n % 2 for n, name in enumerate(sorted({article(d["id"]) for d in documents}))}


def measure(engine: Engine, data: Path, name: str, folder: Path) -> list[tuple[float, float, float, bool]]:
    """Confidence, cosine, coverage, and whether the article was there, for every question and half."""
    documents = read(data / name / "documents.jsonl")
    half = halves(documents)
    rows = []
    for side in (0, 1):
        path = folder / f"{name}-{side}.jsonl"
        kept = [json.dumps(d) for d in documents if half[article(d["id"])] == side]
        path.write_text("\n".join(kept), encoding="utf-8")
        prototype = f"{name}-{side}"
        engine.ingest(prototype, [path])
        for q in read(data / name / SETS[name]):
            if q["answerable"]:
                found = engine.search(prototype, q["question"])
                there = half[article(q["document_id"])] == side
                rows.append((found.confidence, found.cosine, found.coverage, there))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        engine = Engine(Environment(home=Path(temporary)))
        rows = {name: np.array(measure(engine, args.data, name, Path(temporary))) for name in SETS}
    figures = {}
    for name, values in rows.items():
        there, answered = values[:, 3] == 1, values[:, 0] >= THRESHOLD
        figures[name] = {
            "refused where the article is missing": 100 * float(np.mean(~answered[~there])),
            "answered where it is there": 100 * float(np.mean(answered[there])),
        }
        for label, value in figures[name].items():
            print(f"{name:6} {label:38} {value:6.1f}")
    if args.fit:
        from sklearn.linear_model import LogisticRegression

        values = np.vstack(list(rows.values()))
        fitted = LogisticRegression(C=100, max_iter=1000).fit(values[:, 1:3], values[:, 3])
        print("cosine, coverage, bias:", *np.round([*fitted.coef_[0], fitted.intercept_[0]], 2))
        scores = fitted.predict_proba(values[:, 1:3])[:, 1]
        for threshold in np.arange(0.3, 0.81, 0.05):
            line = [f"{threshold:.2f}"]
            at = 0
            for name, part in rows.items():
                mine, there = scores[at : at + len(part)], part[:, 3] == 1
                at += len(part)
                refused = np.mean(mine[~there] < threshold)
                answered = np.mean(mine[there] >= threshold)
                line.append(f"{name}: {100 * refused:.1f} refused, {100 * answered:.1f} answered")
            print("  ".join(line))
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
