"""Follow-ups of written conversations: is the right passage among the first five?

    python -m tests.benchmarks.followups [--half own|kept] [--set KEY=VALUE ...] [--misses]

For each half of ``tests/golden/followups*.jsonl`` apart: with the rule's rewriting, with the
question alone (``rewrite=off``), and with the whole of the question before it in front of every
question. ``kept`` was written by someone who had not read the rule, and the rule was not tuned on it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rag.config import Environment, parse_assignments, with_settings
from rag.engine import Engine
from rag.rewrite import standalone
from rag.types import Turn
from tests.benchmarks.golden import place, share

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
HALVES = {"own": "followups.jsonl", "kept": "followups.kept.jsonl"}
Rewrite = Callable[[str, Sequence[Turn]], str]
WAYS: dict[str, Rewrite] = {
    "rewritten by rule": standalone,
    "as asked": lambda question, history: question,
    "always with the question before": lambda question, history: f"{history[-1].question} {question}",
}


def conversations(half: str) -> list[dict[str, Any]]:
    """The lines of a half, each a follow-up with what went before it."""
    return [json.loads(row) for row in (GOLDEN / HALVES[half]).read_text("utf-8").splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--half", choices=HALVES)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--misses", action="store_true", help="name what the rule misses (of your own half)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        engine = Engine(replace(Environment.load(), home=Path(home)))
        for half in [args.half] if args.half else HALVES:
            lines = conversations(half)
            found: dict[str, list[int | None]] = {way: [] for way in WAYS}
            for line in lines:
                history = [Turn(turn["question"], turn["text"]) for turn in line["history"]]
                settings = engine.ready(line["prototype"]).settings
                settings = with_settings(settings, parse_assignments(args.set))
                for way, rewrite in WAYS.items():
                    wanted = rewrite(line["question"], history)
                    passages = engine.search(
                        line["prototype"], line["question"], settings=settings, rewritten=wanted
                    ).passages
                    at = place(line, [(p.source, p.title) for p in passages])
                    found[way].append(at)
                    if args.misses and rewrite is standalone and (at is None or at > 4):
                        print(f"  {line['id']} {wanted!r}: {[p.title for p in passages[:5]]}")
            turns = {n: sum(len(line["history"]) + 1 == n for line in lines) for n in (2, 3)}
            print(f"{half}: {turns[2]} conversations of two turns, {turns[3]} of three")
            for way, places in found.items():
                first = share([at == 0 for at in places])
                five = share([at is not None and at < 5 for at in places])
                print(f"  {way:32} in the first five {five:5.1f} %   first {first:5.1f} %")


if __name__ == "__main__":
    main()
