"""Quality of retrieval, against LangChain, LlamaIndex and Haystack on the same model and Chroma.

    python tests/benchmarks/retrieval.py DATA [--only SET] [--contender NAME] [--questions N] [--json OUT]

Install what it compares with first: pip install -r tests/benchmarks/requirements.txt

``chunking``: recall, precision and intersection over union of the characters of the relevant
excerpts, at equal budgets of unique context tokens. One scorer for all: the texts of each
contender are located in their source (by the offset it gives, else by search), taken in its
own order, what overlaps counted once, until the budget of tokens of the embedding model is
full; the text that does not fit any more is cut there. ``squad`` and ``xquad`` (English):
the rank of the paragraph that answers.

Behind each mean stands its 95 % bootstrap interval over the questions; the second table of
each set is this project's lead, by question, with its interval.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import corpora
from corpora import Question
from metrics import MEASURES, Place, fill, interval, locate, overlap
from peers import NAMES, Contender, Corpus, Found, contender, token_spans

BUDGETS = (200, 400, 800, 1600)
ASKED = {
    "langchain-recursive": (18.0, 14.0, 10.0, 7.0),
    "best of all peers": (9.0, 6.0, 4.0, 1.5),
}
"""Points of recall that this project is to lead by, at each budget."""
PACKAGES = (
    "chromadb",
    "haystack-ai",
    "langchain-classic",
    "langchain-chroma",
    "llama-index-core",
    "sentence-transformers",
    "torch",
)

Scores = dict[str, list[float]]
"""Measure -> one value a question, in [0, 1]."""


def places(found: Sequence[Found], texts: Mapping[str, str]) -> list[Place]:
    """Where the retrieved texts stand in their documents, in order. Raises LookupError."""
    ranked = []
    for piece in found:
        span = locate(piece.text, texts[piece.document_id], piece.near)
        if span is None:
            raise LookupError(f"not in {piece.document_id}: {piece.text[:200]!r}")
        ranked.append((piece.document_id, *span))
    return ranked


def score_excerpts(one: Contender, corpus: Corpus, questions: Sequence[Question]) -> Scores:
    texts = {text.id: text.text for text in corpus.texts}
    tokens = {text.id: token_spans(text.text) for text in corpus.texts}
    scores: Scores = {f"{m}@{b}": [] for b in BUDGETS for m in ("recall", "precision", "IoU")}
    for question in questions:
        ranked: list[Place] = []
        for budget in BUDGETS:
            if one.uses_budget or not ranked:
                ranked = places(one.search(question.text, budget), texts)
            found = overlap(fill(ranked, tokens, budget), question.excerpts)
            scores[f"recall@{budget}"].append(found.recall)
            scores[f"precision@{budget}"].append(found.precision)
            scores[f"IoU@{budget}"].append(found.iou)
    return scores


def score_documents(one: Contender, questions: Sequence[Question]) -> Scores:
    scores: Scores = {measure: [] for measure in MEASURES}
    for question in questions:
        ranked = list(dict.fromkeys(found.document_id for found in one.search(question.text, 0)))
        for measure, formula in MEASURES.items():
            scores[measure].append(formula(ranked, question.document_id))
    return scores


def run(name: str, corpus: Corpus, questions: Sequence[Question], folder: Path) -> Scores:
    started = time.perf_counter()
    one = contender(name)
    one.load(folder)
    one.ingest(corpus)
    is_excerpts = bool(questions[0].excerpts)
    scores = score_excerpts(one, corpus, questions) if is_excerpts else score_documents(one, questions)
    figures = ", ".join(f"{m} {100 * mean(v):.1f}" for m, v in scores.items() if not m.startswith("IoU"))
    print(f"{corpus.name}: {name}, {time.perf_counter() - started:.0f} s: {figures}", file=sys.stderr)
    return scores


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def cell(values: Sequence[float]) -> str:
    low, high = interval(values)
    return f"{100 * mean(values):5.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def table(title: str, rows: Mapping[str, Sequence[str]], columns: Sequence[str]) -> None:
    width = max(map(len, rows), default=0)
    widths = [max(len(column), *(len(row[at]) for row in rows.values())) for at, column in enumerate(columns)]
    print(f"\n{title}")
    print(" " * width, *(f"{c:>{w}}" for c, w in zip(columns, widths, strict=True)), sep="  ")
    for name, row in rows.items():
        print(f"{name:{width}}", *(f"{c:>{w}}" for c, w in zip(row, widths, strict=True)), sep="  ")


def report(name: str, found: Mapping[str, Scores]) -> dict[str, object]:
    """Print the tables of one set; the same as JSON."""
    ours, *peers = found
    measures = list(found[ours])
    groups = [[m for m in measures if m.startswith(g)] for g in ("recall", "precision", "IoU")]
    for group in [g for g in groups if g] or [measures]:
        table(f"{name}, %", {one: [cell(s[m]) for m in group] for one, s in found.items()}, group)
    leads = {
        peer: {
            m: [a - b for a, b in zip(found[ours][m], found[peer][m], strict=True)]
            for m in measures
            if not m.startswith(("precision", "IoU"))
        }
        for peer in peers
    }
    if peers:
        rows = {f"over {peer}": [cell(v) for v in leads[peer].values()] for peer in peers}
        table(f"{name}: {ours} leads by, points", rows, list(leads[peers[0]]))
    made: dict[str, object] = {
        "questions": len(found[ours][measures[0]]),
        "percent": {
            one: {m: {"mean": 100 * mean(v), "interval": _percent(v)} for m, v in scores.items()}
            for one, scores in found.items()
        },
        "lead": {
            peer: {m: {"mean": 100 * mean(v), "interval": _percent(v)} for m, v in differences.items()}
            for peer, differences in leads.items()
        },
    }
    if name == "chunking" and peers:
        made["asked"] = verdict(found)
    return made


def _percent(values: Sequence[float]) -> list[float]:
    return [100 * bound for bound in interval(values)]


def verdict(found: Mapping[str, Scores]) -> dict[str, object]:
    """The leads in recall that are asked for, beside those that were found."""
    ours, *peers = found
    rows: dict[str, list[str]] = {}
    made: dict[str, object] = {}
    for against, asked in ASKED.items():
        leads = []
        for budget in BUDGETS:
            measure = f"recall@{budget}"
            theirs = [mean(found[p][measure]) for p in ([against] if against in found else peers)]
            leads.append(100 * (mean(found[ours][measure]) - max(theirs)))
        if against in found or against.startswith("best"):
            rows[f"over {against}"] = [
                f"{lead:.1f} of {wanted:g}{'' if lead >= wanted else ' SHORT'}"
                for lead, wanted in zip(leads, asked, strict=True)
            ]
            made[against] = {"lead": leads, "asked": asked}
    table("chunking: lead in recall, points, of what is asked", rows, [f"{b} tokens" for b in BUDGETS])
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", action="append", choices=("chunking", "squad", "xquad"))
    parser.add_argument("--contender", action="append", choices=NAMES, help="default: all")
    parser.add_argument("--questions", type=int, help="ask so many of each set, drawn at random")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    sets = {"chunking": corpora.chunking(args.data)} | {
        name: corpora.paragraphs(args.data, name) for name in ("squad", "xquad")
    }
    names = [n for n in NAMES if n == NAMES[0] or n in (args.contender or NAMES)]
    figures: dict[str, object] = {
        "versions": {package: _version(package) for package in PACKAGES},
        "not measured": {},
    }
    missing: dict[str, str] = {}
    for name in args.only or sets:
        corpus, questions = sets[name]
        if args.questions and args.questions < len(questions):
            questions = random.Random(0).sample(questions, args.questions)
        found: dict[str, Scores] = {}
        for one in names:
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                try:
                    found[one] = run(one, corpus, questions, Path(folder))
                except ImportError as error:
                    missing[one] = str(error)
        figures[name] = report(name, found)
        if args.json:
            args.json.write_text(json.dumps(figures | {"not measured": missing}, indent=1), encoding="utf-8")
    for one, why in missing.items():
        print(f"\n{one}: not measured ({why}); pip install -r tests/benchmarks/requirements.txt")


def _version(package: str) -> str:
    try:
        return version(package)
    except ImportError:
        return ""


if __name__ == "__main__":
    main()
