"""Cold process to first answer, and resident memory after questions, by backend.

    python tests/benchmarks/start.py [--prototype wine] [--questions 100] [--rounds 3]
                                     [--home FOLDER] [--json OUT]

Each figure is of a new process. "First visit" has neither index nor prepared model; "start"
has both. ``--home`` measures a prototype that is there already (of any size) in place of a
ready-made one, which is prepared in a temporary folder. Memory is resident (Linux).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BACKENDS = ("onnx", "torch")

CHILD = """
import json, sys, time
begun = float(sys.argv[1])
from dataclasses import replace
from rag.config import Environment, with_settings
from rag.engine import Engine

def megabytes():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024

name, backend, questions = sys.argv[2], sys.argv[3], int(sys.argv[4])
environment = replace(Environment.load(), overrides={"embedding.backend": backend, "abstain": "off"})
engine = Engine(environment)
asked = ["which wine smells of jasmine?", "how do I add my own documents?", "what is there for lamb?"]
answer = engine.ask(name, asked[0], origin="batch").answer
first, early = time.time() - begun, megabytes()
for n in range(questions - 1):
    engine.ask(name, f"{asked[n % 3]} {n}", origin="batch").answer
model = engine.embedder(engine.prototype(name).settings.embedding)
heavy = [m for m in ("torch", "chromadb", "pandas") if m in sys.modules]
found = {"first": first, "early": early, "late": megabytes(), "backend": model.backend, "heavy": heavy}
print(json.dumps(found))
"""


def run(home: Path, name: str, backend: str, questions: int) -> Mapping[str, Any]:
    """One process: seconds to its first answer, and megabytes then and after the questions."""
    env = {**os.environ, "THUMBPRINT_HOME": str(home)}
    command = [sys.executable, "-c", CHILD, str(time.time()), name, backend, str(questions)]
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, check=True)
    found: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prototype", default="wine")
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    figures: dict[str, dict[str, float]] = {}
    for backend in BACKENDS:
        with TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
            home = (args.home or Path(temporary)).resolve()
            figures[backend] = {}
            if args.home is None:
                figures[backend]["first visit: seconds to the first answer"] = run(
                    home, args.prototype, backend, 1
                )["first"]
            starts = [run(home, args.prototype, backend, 1)["first"] for _ in range(args.rounds)]
            long = run(home, args.prototype, backend, args.questions)
        figures[backend] |= {
            "start: seconds to the first answer, median": statistics.median(starts),
            "start: the quickest": min(starts),
            "megabytes after the first question": long["early"],
            f"megabytes after {args.questions} questions": long["late"],
        }
        print(f"{backend}: {long['backend']}; loaded: {', '.join(long['heavy']) or 'nothing heavy'}")
        for label, value in figures[backend].items():
            print(f"  {label:44} {value:8.2f}")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
