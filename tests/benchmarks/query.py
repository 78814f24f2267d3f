"""A question by stage as the collection grows, against a bare embedding plus a bare Chroma query.

    python tests/benchmarks/query.py DATA --cache FOLDER [--json OUT]
    python tests/benchmarks/query.py --cache FOLDER --sizes 1000 10000 --questions 30
    python tests/benchmarks/query.py DATA --cache FOLDER --sizes 1000000

DATA is a folder with ``*/documents.jsonl``, ``*/corpora`` and ``*/questions*.jsonl``; without
it the ready-made prototypes give the documents and their suggestions the questions. The
libraries are made of them (tests/benchmarks/scaled.py) and kept in FOLDER: 7 KB a chunk, a
minute or two for each 50,000.

The bare query embeds the question with the same model and takes ``n_results=100`` with
documents and metadata from the same collection, at the same ``ef_search``. Both are asked
the same questions in turn. ``index only`` is the ratio without the embedding on either side.
The keyword search runs while the model does. Each size runs in a process of its own. The resident
memory (Linux) is that of one more process, which asks our questions alone: after those without a
filter, and after those under every filter too.
``--vectors`` embeds all questions before and lets the model go out of the timing, to see what the
index alone costs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from scaled import NAME, SHARES, read_questions, scaled_engine

from rag.filters import parse
from rag.filters.translate import to_chroma

SIZES = (1_000, 10_000, 100_000)
BARE = ("documents", "metadatas", "distances")


class Clock:
    """Seconds that the stages of one question took: methods are wrapped to add theirs."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def wrap(self, thing: Any, method: str, stage: str) -> None:
        inner = getattr(thing, method)

        def timed(*args: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return inner(*args, **named)
            finally:
                spent = time.perf_counter() - started
                self.seconds[stage] = self.seconds.get(stage, 0.0) + spent

        setattr(thing, method, timed)


def measure(chunks: int, cache: Path, data: Path | None, most: int, precomputed: bool) -> dict[str, Any]:
    """All figures of one size, in milliseconds; ratios are of medians."""
    engine = scaled_engine(chunks, cache, data)
    questions = read_questions(data, most)
    prototype = engine.prototype(NAME)
    model = engine.embedder(prototype.settings.embedding_model)
    if precomputed:
        # The engine embeds on its first question, so these are ready when the clock runs.
        known = {question: model.embed_query(question) for question in questions}
        model.embed_query = known.__getitem__
    library = engine.library(prototype)
    collection = library.index._client.collection(library.index.name)
    clock = Clock()
    clock.wrap(library.chunks, "search", "dense")
    clock.wrap(library.keywords, "search", "keyword")
    clock.wrap(model, "embed_query", "embed")
    figures: dict[str, Any] = {"chunks": library.index.count(), "documents": engine.totals(NAME)[0]}
    for label in ("none", *SHARES):
        rows: list[dict[str, float]] = []
        for at, question in enumerate([*questions[:5], *questions]):
            where = None if label == "none" else {SHARES[label]: at % 7}
            row = _one(engine, clock, collection, question, where)
            if at >= 5:
                rows.append(row)
        figures[f"filter {label}"] = _summary(rows)
    answered = [engine.ask(NAME, question, origin="batch").answer.seconds for question in questions[:40]]
    figures["answer"] = _spread([s["total"] - s["embed"] - s["retrieve"] - s["widen"] for s in answered])
    return figures


def weigh(chunks: int, cache: Path, data: Path | None, most: int) -> dict[str, float]:
    """Resident memory, in MB, of a process that asks questions and does nothing else."""
    engine = scaled_engine(chunks, cache, data)
    questions = read_questions(data, most)
    for question in questions:
        engine.search(NAME, question)
    plain = _resident()
    for key in SHARES.values():
        for at, question in enumerate(questions):
            engine.search(NAME, question, where={key: at % 7})
    return {"resident MB, no filter": plain, "resident MB": _resident()}


def _one(engine: Any, clock: Clock, collection: Any, question: str, where: Any) -> dict[str, float]:
    def bare() -> tuple[float, float]:
        started = time.perf_counter()
        vector = engine.embedder(engine.prototype(NAME).settings.embedding_model).embed_query(question)
        middle = time.perf_counter()
        parsed = parse(where)
        collection.query(
            query_embeddings=[vector],
            n_results=100,
            include=list(BARE),
            where=None if parsed is None else to_chroma(parsed),
        )
        ended = time.perf_counter()
        return ended - started, ended - middle

    before = bare()
    clock.seconds.clear()
    started = time.perf_counter()
    found = engine.search(NAME, question, where=where)
    total = time.perf_counter() - started
    stages = dict(clock.seconds)
    after = bare()
    return {
        "embed": stages["embed"],
        "dense": stages["dense"],
        "keyword": stages["keyword"],
        "fuse": found.seconds["retrieve"] - stages["dense"],
        "widen": found.seconds["widen"],
        "question": total,
        # Once before and once after: what else the machine does falls on both.
        "bare": (before[0] + after[0]) / 2,
        "bare query": (before[1] + after[1]) / 2,
        "question, index only": total - stages["embed"],
    }


def _summary(rows: Sequence[dict[str, float]]) -> dict[str, Any]:
    summary: dict[str, Any] = {stage: _spread([row[stage] for row in rows]) for stage in rows[0]}
    summary["ratio"] = summary["question"]["median"] / summary["bare"]["median"]
    summary["ratio, index only"] = summary["question, index only"]["median"] / summary["bare query"]["median"]
    return summary


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    return {
        "median": 1000 * statistics.median(seconds),
        "p95": 1000 * statistics.quantiles(seconds, n=20)[-1],
    }


def _resident() -> float:
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    found = [line for line in lines if line.startswith("VmRSS")]
    return int(found[0].split()[1]) / 1024 if found else float("nan")


def report(
    sizes: Sequence[int], figures: Sequence[dict[str, Any]], say: Callable[[str], None] = print
) -> None:
    """The table: medians and 95th percentiles in ms, and how the medians grow from the first size."""
    say(f"{'':26}" + "".join(f"{size:>20,}" for size in sizes) + f"{'growth':>9}")

    def line(name: str, values: Sequence[dict[str, float]]) -> None:
        cells = "".join(f"{v['median']:>11.2f} /{v['p95']:>7.2f}" for v in values)
        growth = values[-1]["median"] / values[0]["median"] if values[0]["median"] else float("nan")
        say(f"{name:26}{cells}{growth:>9.1f}")

    for label in ("none", *SHARES) if "answer" in figures[0] else ():
        say(f"filter: {label} (ms, median / 95th percentile)")
        rows = [f[f"filter {label}"] for f in figures]
        for stage in rows[0]:
            if not stage.startswith("ratio"):
                line(f"  {stage}", [row[stage] for row in rows])
        for name in ("ratio", "ratio, index only"):
            say(f"  {name:24}" + "".join(f"{row[name]:>20.2f}" for row in rows))
    if "answer" in figures[0]:
        line("answer", [f["answer"] for f in figures])
    for name in ("resident MB, no filter", "resident MB"):
        say(f"{name:26}" + "".join(f"{f[name]:>20.0f}" for f in figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--cache", type=Path, required=True, help="where the libraries are kept")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--vectors", action="store_true", help="leave the model out of the timing")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--weigh", action="store_true", help="only the resident memory")
    args = parser.parse_args()
    cache, data = args.cache.resolve(), args.data and args.data.resolve()
    if args.one:
        size, most = args.sizes[0], args.questions
        figures = (
            weigh(size, cache, data, most) if args.weigh else measure(size, cache, data, most, args.vectors)
        )
        args.one.write_text(json.dumps(figures), encoding="utf-8")
        return
    found = []
    with tempfile.TemporaryDirectory() as temporary:
        for size in args.sizes:
            # Made, or mended, in this process: it is the other one whose memory is measured.
            made = scaled_engine(size, cache, data)
            made.library(made.prototype(NAME)).refresh()
            out = Path(temporary) / "figures.json"
            command = [sys.executable, __file__, *([str(data)] if data else []), "--cache", str(cache)]
            command += ["--sizes", str(size), "--questions", str(args.questions), "--one", str(out)]
            figures: dict[str, Any] = {}
            timed = [] if args.weigh else [["--vectors"] if args.vectors else []]
            for mode in [*timed, ["--weigh"]]:
                subprocess.run([*command, *mode], check=True)
                figures |= json.loads(out.read_text(encoding="utf-8"))
            found.append(figures)
    report(args.sizes, found)
    if args.json:
        args.json.write_text(
            json.dumps(dict(zip(map(str, args.sizes), found, strict=True)), indent=1), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
