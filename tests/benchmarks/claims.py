"""How well the checker of claims tells supported from changed ones, on labelled pairs.

    python -m tests.benchmarks.claims [FILE ...] [--data DATA] [--json FILE] [--wrong] [--words]

Without files: the sets under ``tests/claims``; what was made with which is in the README beside them:
nothing with ``audit3``, ``audit4`` and ``kept``, whose authors had not seen the checker. For each set:
the share that is flagged by kind of change, and the share of true paraphrases that is; the AUROC of the
score, true paraphrases against pairs whose passage is unrelated; and milliseconds per claim, by the
clock and of the processor. ``--data`` adds the pairs that :mod:`tests.benchmarks.derived` makes of
``DATA/xquad``, which nothing was fitted on, and of ``DATA/squad``, of which some was; there
``unrelated near`` means another paragraph of the same article. ``--wrong`` lists what was judged
wrongly, ``--words`` leaves the model out that reads claim and source together, as other languages do.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median

from rag.cite.stream import Judge
from rag.config import Embedding, Environment
from rag.embed import load_embedder
from rag.engine import Engine
from tests.benchmarks.derived import pairs
from tests.benchmarks.labelled import SETS, Row, rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--wrong", action="store_true")
    parser.add_argument("--words", action="store_true")
    args = parser.parse_args()
    sets: dict[str, list[Row]] = {}
    for path in args.files or sorted(SETS.glob("*.jsonl")):
        sets[path.stem] = list(rows(path))
    for name in ("xquad", "squad") if args.data else ():
        sets[name] = [(p.kind, p.claim, p.source) for p in pairs(args.data / name)]
    environment = Environment.load()
    # An engine that is given its embedding model has no other one.
    given = (lambda name: load_embedder(Embedding(model=name), environment)) if args.words else None
    judge = Engine(environment, given).judge("handbook")
    judge("warm up", "The model loads.")
    figures = {name: measure(name, some, judge, args.wrong) for name, some in sets.items()}
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


def measure(name: str, some: Sequence[Row], judge: Judge, wrong: bool) -> dict[str, float]:
    """The figures of a set, printed too."""
    flagged: dict[str, list[bool]] = defaultdict(list)
    scores: dict[str, list[float]] = defaultdict(list)
    clock, processor = [], []
    for kind, claim, source in some:
        began, busy = time.perf_counter(), time.process_time()
        found = judge(claim, source)
        clock.append(time.perf_counter() - began)
        processor.append(time.process_time() - busy)
        flagged[kind].append(found.verdict == "unsupported")
        scores[kind].append(found.score)
        if wrong and (found.verdict == "unsupported") != (kind != "true"):
            print(f"{kind:11} {found.score:.2f} {','.join(found.reasons):18} {claim}\n   | {source}")
    table: dict[str, float] = {kind: sum(f) / len(f) for kind, f in sorted(flagged.items())}
    for kind in ("unrelated", "unrelated near"):
        if scores["true"] and scores[kind]:
            table[f"auroc {kind}"] = auroc(scores["true"], scores[kind])
    table |= {
        "ms, median": 1000 * median(clock),
        "ms of processor": 1000 * median(processor),
        "ms of processor, mean": 1000 * fmean(processor),
    }
    print(f"\n{name}: {len(some)} pairs; share flagged as unsupported")
    for key, share in table.items():
        count = f" of {len(flagged[key])}" if key in flagged else ""
        print(f"  {key:21} {share:.3f}{count}")
    return table


def auroc(positive: list[float], negative: list[float]) -> float:
    """Share of pairs of which the positive one scores higher; ties count half."""
    wins = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    return wins / (len(positive) * len(negative))


if __name__ == "__main__":
    main()
