"""Cost of ingesting a folder, against LangChain, LlamaIndex and Haystack with PyTorch, and the bare model.

    python tests/benchmarks/ingest.py DATA [--repeat N] [--contender NAME]... [--json OUT]

Install what it compares with first: pip install -r tests/benchmarks/requirements.txt

The folder holds the documents of ``chunking/`` and each paragraph of ``squad/`` as a file. Every
contender indexes it in a process of its own, into an empty Chroma on disk. The clock runs from
the call with imports done and the model loaded; the peers get the texts already read, this
project reads, hashes and remembers the files. Rounds are interleaved; figures are medians over
the rounds, and ratios medians of the ratios within a round. CPU seconds are those of all threads,
and tell more than the clock on a machine that does other work.

``bare``: the same sections of text as this project reads through the same model (the embedder's
plain vectors, in one call), and one Chroma upsert of the same vectors, texts and metadata in
batches as large as Chroma takes. ``again``: a second ingest of the unchanged folder in a new
process; ``changed``: after a sentence was added to every hundredth file. (The peers have no
counterpart without a record manager of the user's own: they index everything again.)
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import corpora
from peers import NAMES, Corpus, Text, contender

ASKED_BARE = 1.25
ASKED_AGAIN = 0.03
ASKED_PEER = 2.5
EVERY = 100
"""One file in so many is changed."""

Figures = dict[str, float]


# --- in the child process


def measure(load: Callable[[], object], work: Callable[[], int], home: Path) -> Figures:
    """What ``work`` costs after ``load``; it returns how many vectors there are."""
    load()
    started, busy = time.perf_counter(), time.process_time()
    vectors = work()
    return {
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - busy,
        "vectors": vectors,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "disk": sum(file.stat().st_size for file in home.rglob("*") if file.is_file()),
    }


def child(name: str, files: Path, home: Path) -> Figures:
    if name == "bare":
        return bare(home)
    paths = sorted(files.iterdir())
    corpus = Corpus("files", [files], [Text(path.name, path.read_bytes().decode()) for path in paths])
    one = contender(name)
    return measure(lambda: one.load(home), lambda: one.ingest(corpus), home)


def bare(home: Path) -> Figures:
    """The model and Chroma alone, on what the library in ``home`` holds."""
    import chromadb

    from rag.config import DEFAULT_MODEL, Environment
    from rag.engine import Engine

    engine = Engine(Environment(home=home))
    library = engine.library(engine.prototype("files"))
    library.refresh()
    found = next(c for c in chroma(home).list_collections() if c.name == library.index.name)
    rows = found.get(include=["embeddings", "documents", "metadatas"])
    ids = rows["ids"]
    texts = {i: library.index.document_text(i) for i in library.index.records()}
    sections = {
        (c.chunk.document_id, c.chunk.section.start, c.chunk.section.end)
        for batch in library.index.iter_chunks()
        for c in batch
    }
    read = [texts[document][start:end] for document, start, end in sorted(sections)]
    model = engine.embedder(DEFAULT_MODEL)
    target = home.with_name(f"{home.name}-bare")
    seconds: dict[str, float] = {}

    def work() -> int:
        started = time.perf_counter()
        model.embed_texts(read)
        seconds["model"] = time.perf_counter() - started
        client = chromadb.PersistentClient(str(target))
        collection = client.create_collection("bare", embedding_function=None)
        for at in range(0, len(ids), client.get_max_batch_size()):
            part = slice(at, at + client.get_max_batch_size())
            collection.upsert(
                ids=ids[part],
                embeddings=rows["embeddings"][part],
                documents=rows["documents"][part],
                metadatas=rows["metadatas"][part],
            )
        seconds["upsert"] = time.perf_counter() - started - seconds["model"]
        return len(ids)

    return {**measure(lambda: None, work, target), **seconds}


def chroma(home: Path) -> Any:
    from rag.index import open_client

    return open_client(home).chroma


# --- in the parent


def prepared(data: Path, folder: Path) -> Path:
    """The folder that is ingested: the documents as files."""
    files = folder / "files"
    files.mkdir()
    for path in sorted((data / "chunking" / "corpora").glob("*.md")):
        shutil.copy(path, files)
    for text in corpora.paragraphs(data, "squad")[0].texts:
        (files / f"{text.id}.txt").write_text(text.text, encoding="utf-8")
    return files


def changed(files: Path, folder: Path) -> Path:
    """A copy with a sentence added to every hundredth file."""
    copy = folder / "changed"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(files, copy)
    for path in sorted(copy.glob("*.txt"))[::EVERY]:
        with path.open("a", encoding="utf-8") as file:
            file.write(" One more sentence was added.")
    return copy


def spawn(name: str, files: Path, home: Path) -> Figures:
    """Run one contender in a process of its own; ImportError where its packages are not there."""
    command = [sys.executable, __file__, "--child", name, str(files), str(home)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        if last.startswith(("ImportError", "ModuleNotFoundError")):
            raise ImportError(last)
        raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
    figures: Figures = json.loads(done.stdout.strip().splitlines()[-1])
    print(f"{name}: {figures['seconds']:.1f} s, CPU {figures['cpu']:.1f} s", file=sys.stderr)
    return figures


def one_round(names: list[str], files: Path, folder: Path, missing: dict[str, str]) -> dict[str, Figures]:
    found: dict[str, Figures] = {}
    for name in [n for n in names if n not in missing]:
        home = folder / name
        shutil.rmtree(home, ignore_errors=True)
        try:
            found[name] = spawn(name, files, home)
        except ImportError as error:
            missing[name] = str(error)
            continue
        if name == NAMES[0]:
            found["bare"] = spawn("bare", files, home)
            found["again"] = spawn(name, files, home)
            found["changed"] = spawn(name, changed(files, folder), home)
            shutil.rmtree(home.with_name(f"{home.name}-bare"))
    return found


def ratios(rounds: list[dict[str, Figures]], over: str, under: str, what: str) -> float:
    return statistics.median(r[over][what] / r[under][what] for r in rounds)


def report(rounds: list[dict[str, Figures]], characters: int, files: int) -> Mapping[str, object]:
    """Print the tables; the same as JSON."""
    ours = NAMES[0]
    names = list(rounds[0])
    rows = {
        name: {what: statistics.median(r[name][what] for r in rounds) for what in rounds[0][name]}
        for name in names
    }
    print(f"{files} files, {characters:,} characters; {len(rounds)} rounds\n")
    head = ("seconds", "CPU s", "chars/s", "vectors", "peak MB", "disk MB", f"of {ours}", "by CPU")
    print(f"{'':22}", *(f"{h:>9}" if at < 6 else f"{h:>14}" for at, h in enumerate(head)))
    for name in names:
        row = rows[name]
        of = (ratios(rounds, name, ours, "seconds"), ratios(rounds, name, ours, "cpu"))
        print(
            f"{name:22} {row['seconds']:9.2f} {row['cpu']:9.2f} {characters / row['seconds']:9.0f} "
            f"{row['vectors']:9.0f} {row['memory'] / 1e6:9.0f} {row['disk'] / 1e6:9.1f} "
            f"{of[0]:14.3f} {of[1]:14.3f}"
        )
    peers = [n for n in names if n in NAMES[1:]]
    figures: dict[str, object] = {"files": files, "characters": characters, "rounds": rounds, "median": rows}
    asked: dict[str, tuple[float, float, str]] = {
        "times the bare model and upsert, at most": (
            ratios(rounds, ours, "bare", "seconds"),
            ASKED_BARE,
            "most",
        ),
        "unchanged folder again, share of the first, below": (
            ratios(rounds, "again", ours, "seconds"),
            ASKED_AGAIN,
            "most",
        ),
    }
    if peers:
        fastest = min(peers, key=lambda name: rows[name]["seconds"])
        asked[f"times as fast as the fastest peer ({fastest}), at least"] = (
            ratios(rounds, fastest, ours, "seconds"),
            ASKED_PEER,
            "least",
        )
    print()
    for label, (value, wanted, kind) in asked.items():
        short = value > wanted if kind == "most" else value < wanted
        print(f"{label:70} {value:6.3f} of {wanted:g}{' SHORT' if short else ''}")
    figures["asked"] = {
        label: {"measured": value, "asked": wanted} for label, (value, wanted, _) in asked.items()
    }
    return figures


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        _, _, name, files, home = sys.argv
        print(json.dumps(child(name, Path(files), Path(home))))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--contender", action="append", choices=NAMES, help="default: all")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    names = [n for n in NAMES if n == NAMES[0] or n in (args.contender or NAMES)]
    missing: dict[str, str] = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        files = prepared(args.data, Path(temporary))
        rounds = [one_round(names, files, Path(temporary), missing) for _ in range(args.repeat)]
        paths = list(files.iterdir())
        characters = sum(len(path.read_bytes().decode()) for path in paths)
    figures = report(rounds, characters, len(paths))
    for name, why in missing.items():
        print(f"\n{name}: not measured ({why}); pip install -r tests/benchmarks/requirements.txt")
    if args.json:
        args.json.write_text(json.dumps({**figures, "not measured": missing}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
