"""How well the checker of claims tells supported from changed ones, on labelled pairs.

    python -m tests.benchmarks.claims [FILE ...] [--data DATA] [--json FILE] [--wrong] [--words]

Without files: the sets under ``tests/claims``; what was made with which is in the README beside them:
nothing with those of ``APART`` and ``close``, whose authors had not seen the checker. For each set, and
for those of ``APART`` together: the share that is flagged by kind of change, and the share of true claims
that is; the AUROC of the score, true claims against pairs whose passage is unrelated; and milliseconds
per claim, by the clock and of the processor. ``--data`` adds the pairs that
:mod:`tests.benchmarks.derived` makes of ``DATA/xquad``, which nothing was fitted on, and of
``DATA/squad``, of which some was; there ``unrelated near`` means another paragraph of the same article.
``--wrong`` lists what was judged wrongly, ``--words`` leaves the model out that reads claim and source
together, as other languages do.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

from rag.cite.attribution import Judge
from rag.config import Embedding, Environment
from rag.embed import load_embedder
from rag.engine import Engine
from tests.benchmarks.derived import pairs
from tests.benchmarks.labelled import SETS, Row, rows

APART = ("audit5", "audit6", "audit7", "audit8", "audit9", "kept")
"""Sets that took no part in making the checker, whose true claims are paraphrases."""


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
    judged = {name: ask(some, judge, args.wrong) for name, some in sets.items()}
    apart = [name for name in judged if name in APART]
    if len(apart) > 1:
        judged["together"] = [one for name in apart for one in judged[name]]
    figures = {name: summed(name, some) for name, some in judged.items()}
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Judged:
    """A pair's kind, what was made of it, and how long that took: milliseconds by the clock, of the
    processor."""

    kind: str
    flagged: bool
    score: float
    clock: float
    processor: float


def ask(some: Sequence[Row], judge: Judge, wrong: bool) -> list[Judged]:
    judged = []
    for kind, claim, source in some:
        began, busy = time.perf_counter(), time.process_time()
        found = judge(claim, source)
        clock, processor = time.perf_counter() - began, time.process_time() - busy
        flagged = found.verdict == "unsupported"
        judged.append(Judged(kind, flagged, found.score, 1000 * clock, 1000 * processor))
        if wrong and flagged != (kind != "true"):
            print(f"{kind:11} {found.score:.2f} {','.join(found.reasons):18} {claim}\n   | {source}")
    return judged


def summed(name: str, some: Sequence[Judged]) -> dict[str, float]:
    """The figures of a set, printed too."""
    kinds: dict[str, list[Judged]] = defaultdict(list)
    for one in some:
        kinds[one.kind].append(one)
    table = {kind: fmean(one.flagged for one in of) for kind, of in sorted(kinds.items())}
    for kind in ("unrelated", "unrelated near"):
        if kinds["true"] and kinds[kind]:
            table[f"auroc {kind}"] = auroc(*([one.score for one in kinds[k]] for k in ("true", kind)))
    table |= {
        "ms, median": median(one.clock for one in some),
        "ms of processor": median(one.processor for one in some),
        "ms of processor, mean": fmean(one.processor for one in some),
    }
    print(f"\n{name}: {len(some)} pairs; share flagged as unsupported")
    for key, share in table.items():
        count = f" of {len(kinds[key])}" if key in kinds else ""
        print(f"  {key:21} {share:.3f}{count}")
    return table


def auroc(positive: list[float], negative: list[float]) -> float:
    """Share of pairs of which the positive one scores higher; ties count half."""
    wins = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    return wins / (len(positive) * len(negative))


if __name__ == "__main__":
    main()
