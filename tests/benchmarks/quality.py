"""Quality of retrieval, extraction and abstention on public data.

    python tests/benchmarks/quality.py DATA [--only SET] [--fusion auto|learned|hand] [--json OUT]
    python tests/benchmarks/quality.py DATA --rerank late --set rerank.candidates=20
    python tests/benchmarks/quality.py DATA --set embedding.backend=torch
    python tests/benchmarks/quality.py DATA --fusion hand --constant rag.retrieve.rank.OWN_WEIGHT=0

DATA holds ``chunking/``, ``squad/`` and ``xquad/`` (their formats are read below). Each
is ingested into a prototype of its own under a temporary home, and asked through the
engine, as the command line does.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rag.config import Environment, Settings, parse_assignments, with_settings
from rag.engine import Engine

BUDGETS = (200, 400, 800, 1600)


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def covered(spans: Sequence[tuple[int, int]], references: Sequence[Mapping[str, Any]]) -> float:
    """Share of the characters of the references that the spans hold."""
    wanted = {at for r in references for at in range(r["start"], r["end"])}
    held = {at for start, end in spans for at in range(start, end)}
    return len(wanted & held) / len(wanted)


def chunking(engine: Engine, data: Path, changes: Mapping[str, Any]) -> dict[str, float]:
    engine.ingest("chunking", [data / "chunking" / "corpora"])
    questions = read(data / "chunking" / "questions.jsonl")
    base = engine.prototype("chunking").settings
    figures = {}
    for budget in BUDGETS:
        settings = with_settings(base, {**changes, "budget": budget})
        recalls = []
        for q in questions:
            passages = engine.search("chunking", q["question"], settings=settings).passages
            spans = [(p.start, p.end) for p in passages if p.source == q["source"]]
            recalls.append(covered(spans, q["references"]))
        figures[f"recall at {budget} tokens"] = 100 * sum(recalls) / len(recalls)
    return figures


def paragraphs(
    engine: Engine, data: Path, name: str, questions: str, changes: Mapping[str, Any]
) -> dict[str, float]:
    engine.ingest(name, [data / name / "documents.jsonl"])
    answerable = [q for q in read(data / name / questions) if q["answerable"]]
    settings: Settings = with_settings(engine.prototype(name).settings, {**changes, "abstain": "off"})
    first = fifth = quoted = quoted2 = 0
    for q in answerable:
        answer = engine.ask(name, q["question"], settings=settings, origin="batch").answer
        ids = [p.document_id for p in answer.passages]
        first += ids[:1] == [q["document_id"]]
        fifth += q["document_id"] in ids[:5]
        quotes = [c.quote for c in answer.citations[:2]]
        quoted += any(a in quotes[0] for a in q["answers"])
        quoted2 += any(a in quote for a in q["answers"] for quote in quotes)
    share = 100 / len(answerable)
    return {
        "top result right": first * share,
        "right in the first five": fifth * share,
        "first citation holds the answer": quoted * share,
        "first two citations hold the answer": quoted2 * share,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--home", type=Path, help="keep the indexes here (default: a temporary folder)")
    parser.add_argument("--fusion", choices=("auto", "learned", "hand"), default="auto")
    parser.add_argument("--only", choices=("chunking", "squad", "xquad"))
    parser.add_argument("--rerank", metavar="NAME", help="short for --set rerank=NAME")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting to vary")
    parser.add_argument(
        "--constant", action="append", default=[], metavar="MODULE.NAME=VALUE", help="a number to vary"
    )
    args = parser.parse_args()
    for assignment in args.constant:
        path, _, value = assignment.partition("=")
        module, _, name = path.rpartition(".")
        if not hasattr(importlib.import_module(module), name):
            parser.error(f"there is no {path}")
        setattr(importlib.import_module(module), name, float(value))
    changes: dict[str, Any] = parse_assignments(args.set)
    changes["fusion"] = args.fusion
    if args.rerank:
        changes["rerank"] = args.rerank
    with tempfile.TemporaryDirectory() as temporary:
        home = (args.home or Path(temporary)).resolve()
        engine = Engine(Environment(home=home, overrides=parse_assignments(args.set)))
        figures: dict[str, dict[str, float]] = {}
        if args.only in (None, "chunking"):
            figures["chunking"] = chunking(engine, args.data, changes)
        if args.only in (None, "squad"):
            figures["squad"] = paragraphs(engine, args.data, "squad", "questions.jsonl", changes)
        if args.only in (None, "xquad"):
            figures["xquad"] = paragraphs(engine, args.data, "xquad", "questions.en.jsonl", changes)
    for name, values in figures.items():
        for label, value in values.items():
            print(f"{name:9} {label:38} {value:6.1f}")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
