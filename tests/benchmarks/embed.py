"""Tokens per second and milliseconds a question: ONNX Runtime against PyTorch, in one run.

    python tests/benchmarks/embed.py [--texts FILE] [--rounds 5] [--json OUT]

Both embed the same sections late pooled and the same questions, in turn, after a warm-up;
medians are compared within the run. By default the texts are the handbook's articles in
pieces of about a section; FILE is JSON Lines with ``text``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rag.config import Embedding, Environment
from rag.embed import load_embedder

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = (
    "How do I add my own documents?",
    "a red from Portugal for lamb under 20 euros",
    "I was refused. How long do I have to ask for a review?",
)


def sections(path: Path | None) -> list[str]:
    """About a hundred texts."""
    if path:
        return [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()][:200]
    texts = []
    for article in sorted((ROOT / "prototypes" / "handbook" / "articles").glob("*.md")):
        text = article.read_text(encoding="utf-8")
        texts += [text[at : at + 900] for at in range(0, len(text), 900)]
    return texts[:100]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    texts = sections(args.texts)
    spans = [[(0, len(text))] for text in texts]
    with TemporaryDirectory() as home:
        environment = Environment.load({"THUMBPRINT_HOME": home})
        models = {name: load_embedder(Embedding(backend=name), environment) for name in ("onnx", "torch")}
    tokens = sum(models["torch"].count_tokens(texts))
    ingest: dict[str, list[float]] = {name: [] for name in models}
    asking: dict[str, list[float]] = {name: [] for name in models}
    for at in range(args.rounds + 1):
        for name, model in models.items():
            started = time.perf_counter()
            model.embed_sections(texts, spans)
            middle = time.perf_counter()
            for question in QUESTIONS:
                model.embed_query(question)
            if at:  # the first is a warm-up
                ingest[name].append(middle - started)
                asking[name].append((time.perf_counter() - middle) / len(QUESTIONS))
    figures = {}
    for name, model in models.items():
        figures[name] = {
            "tokens per second": tokens / statistics.median(ingest[name]),
            "milliseconds a question": 1000 * statistics.median(asking[name]),
        }
        print(f"{name:6} {model.backend}")
        for label, value in figures[name].items():
            print(f"       {label:26} {value:9.1f}")
    ratios = [a / b for a, b in zip(ingest["torch"], ingest["onnx"], strict=True)]
    figures["onnx to torch"] = {"median of ratios": statistics.median(ratios), "least": min(ratios)}
    print(
        f"onnx is {statistics.median(ratios):.1f} times as fast "
        f"(rounds: {min(ratios):.1f} to {max(ratios):.1f})"
    )
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
