"""The golden sets of the ready-made prototypes, asked: for regression, no evidence of quality.

    python tests/benchmarks/golden.py [--set KEY=VALUE ...] [--json OUT]

For each set under ``tests/golden`` the share of answerable questions whose article (of a
table, whose row) comes first, or among the first five, and that are answered, and the share of
the others that are refused. The translations of ``benefits`` show how weak the default model,
which knows English, is in other languages.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rag.config import Environment, parse_assignments, with_settings
from rag.engine import Engine

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
SETS = ("wine", "handbook", "benefits", "benefits.es", "benefits.fr", "benefits.zh")


def place(line: dict[str, Any], found: list[tuple[str, str]]) -> int | None:
    """Where the first right passage stands, from 0; ``found`` are sources and titles."""
    sources = {line["source"], *line.get("also", ())}
    for at, (source, title) in enumerate(found):
        if source in sources and (source != "wines.csv" or title == line["document"]):
            return at
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as home:
        engine = Engine(Environment(home=Path(home)))
        for name in SETS:
            prototype = name.partition(".")[0]
            settings = with_settings(engine.ready(prototype).settings, parse_assignments(args.set))
            lines = [json.loads(row) for row in (GOLDEN / f"{name}.jsonl").read_text("utf-8").splitlines()]
            places, answered, refused = [], [], []
            for line in lines:
                answer = engine.ask(prototype, line["question"], settings=settings, origin="batch").answer
                if line["answerable"]:
                    places.append(place(line, [(p.source, p.title) for p in answer.passages]))
                    answered.append(not answer.abstained)
                else:
                    refused.append(answer.abstained)
            figures[name] = {
                "first": share([at == 0 for at in places]),
                "in the first five": share([at is not None and at < 5 for at in places]),
                "answered": share(answered),
                "refused": share(refused),
            }
            row = "  ".join(f"{label} {value:5.1f}" for label, value in figures[name].items())
            print(f"{name:12} {len(lines):3} questions  {row}")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


def share(values: list[bool]) -> float:
    """Percent that are true; NaN of none."""
    return 100 * sum(values) / len(values) if values else float("nan")


if __name__ == "__main__":
    main()
