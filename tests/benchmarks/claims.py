"""How well the checker of claims tells supported from changed ones, on labelled pairs.

    python -m tests.benchmarks.claims [FILE ...] [--json FILE] [--wrong]

Without files: the sets under ``tests/claims``. For each: the share that is flagged by kind of
change, the share of true paraphrases that is flagged, the AUROC of the score on pairs whose
passage is unrelated, and milliseconds per claim. ``--wrong`` lists what was judged wrongly.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path
from statistics import median

from rag.config import Environment
from rag.engine import Engine

SETS = Path(__file__).resolve().parent.parent / "claims"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--wrong", action="store_true")
    args = parser.parse_args()
    judge = Engine(Environment.load()).judge("handbook")
    judge("warm up", "The model loads.")
    figures = {}
    for path in args.files or sorted(SETS.glob("*.jsonl")):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        flagged: dict[str, list[bool]] = defaultdict(list)
        scores: dict[str, list[float]] = defaultdict(list)
        seconds = []
        for row in rows:
            began = time.perf_counter()
            found = judge(row["claim"], row["source"])
            seconds.append(time.perf_counter() - began)
            flagged[row["kind"]].append(found.verdict == "unsupported")
            scores[row["kind"]].append(found.score)
            wrong = (found.verdict == "unsupported") != (row["label"] == "unsupported")
            if args.wrong and wrong:
                reasons = ",".join(found.reasons)
                print(f"{row['kind']:11} {found.score:.2f} {reasons:18} {row['claim']}\n   | {row['source']}")
        table: dict[str, float] = {kind: sum(f) / len(f) for kind, f in sorted(flagged.items())}
        if scores["true"] and scores["unrelated"]:
            table["auroc_unrelated"] = auroc(scores["true"], scores["unrelated"])
        table["ms_median"] = 1000 * median(seconds)
        figures[path.stem] = table
        print(f"\n{path.name}: {len(rows)} pairs; share flagged as unsupported")
        for kind, share in table.items():
            count = f" of {len(flagged[kind])}" if kind in flagged else ""
            print(f"  {kind:18} {share:.3f}{count}")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


def auroc(positive: list[float], negative: list[float]) -> float:
    """Share of pairs of which the positive one scores higher; ties count half."""
    wins = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    return wins / (len(positive) * len(negative))


if __name__ == "__main__":
    main()
