"""Time of an upload against the command line's ingest, and of the list of many documents.

    python tests/benchmarks/library.py [--files 1000] [--rounds 2] [--documents 100000] [--json OUT]

Upload: small files through ``Librarian.upload`` (storing them, and indexing in the
background until the last is found) and through ``Engine.ingest``, which is what
``python -m rag ingest`` calls, in turn, each time into an empty library, with one model that
is loaded before. The measure asks for at most 1.2 times.

List: a library of one-line documents with invented metadata and random vectors of 32
numbers, made by writing into its indexes. A process of its own then opens it and asks for the
first page and for others. ``--files 0`` or ``--documents 0`` leaves a half out.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from rag.config import DEFAULT_MODEL, Environment  # noqa: E402
from rag.embed import SentenceTransformerEmbedder  # noqa: E402
from rag.engine import Engine  # noqa: E402
from rag.types import Chunk, DocumentRecord, Section, SourceFile  # noqa: E402
from tests.fakes import FakeEmbedder  # noqa: E402

WORDS = "amber brook cedar delta ember fjord grove heath inlet jetty knoll larch marsh north".split()
COUNTRIES = ("Portugal", "Spain", "France", "Italy", "Austria", "Chile", "Georgia", "Hungary")
BATCH = 1_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--list", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.list:
        print(json.dumps(time_list(args.list)))
        return
    figures: dict[str, float] = {}
    if args.files:
        figures |= time_uploads(args.files, args.rounds)
    if args.documents:
        figures |= time_large(args.documents)
    for label, value in figures.items():
        print(f"{label:48} {value:10.2f}")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


# --- uploads -----------------------------------------------------------------------


def time_uploads(count: int, rounds: int) -> dict[str, float]:
    choose = random.Random(7)
    texts = {f"{n:04}.txt": sentences(choose).encode() for n in range(count)}
    model = SentenceTransformerEmbedder(DEFAULT_MODEL)
    model.embed_query("warm up")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:  # imports and first opening
        engine = Engine(Environment(home=Path(temporary) / "home"), load_model=lambda name: model)
        ingest(engine, Path(temporary), dict(list(texts.items())[:5]))
    ingested: list[float] = []
    uploaded: list[float] = []
    for at in range(rounds):
        both = [(ingested, ingest), (uploaded, upload)]
        for took, way in both if at % 2 == 0 else reversed(both):
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
                engine = Engine(Environment(home=Path(temporary) / "home"), load_model=lambda name: model)
                took.append(way(engine, Path(temporary), texts))
    return {
        f"ingest of {count} files, s": statistics.median(ingested),
        f"upload of {count} files, s": statistics.median(uploaded),
        "upload / ingest, ratio of medians": statistics.median(uploaded) / statistics.median(ingested),
    }


def sentences(choose: random.Random) -> str:
    return " ".join(f"{' '.join(choose.choices(WORDS, k=12)).capitalize()}." for _ in range(3))


def ingest(engine: Engine, folder: Path, texts: dict[str, bytes]) -> float:
    for name, content in texts.items():
        (folder / "docs").mkdir(exist_ok=True)
        (folder / "docs" / name).write_bytes(content)
    engine.ingest("shelf", [])
    begun = time.perf_counter()
    result = engine.ingest("shelf", [folder / "docs"])
    took = time.perf_counter() - begun
    assert result.documents == len(texts), result.failed
    return took


def upload(engine: Engine, folder: Path, texts: dict[str, bytes]) -> float:
    engine.ingest("shelf", [])
    librarian = engine.librarian("shelf")
    begun = time.perf_counter()
    librarian.upload(texts.items())
    while librarian.jobs()[0].active:
        time.sleep(0.25)  # as often as a page looks
    took = time.perf_counter() - begun
    (job,) = librarian.jobs()
    assert job.counts == {"done": len(texts)}, job.counts
    return took


# --- the list ----------------------------------------------------------------------------


def time_large(count: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        home = Path(temporary)
        begun = time.perf_counter()
        build(home, count)
        built = time.perf_counter() - begun
        command = [sys.executable, __file__, "--list", str(home)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {f"building {count} documents, s": built, **json.loads(done.stdout)}


def build(home: Path, count: int) -> None:
    """Write a library of ``count`` documents into its indexes."""
    choose, numbers = random.Random(7), np.random.default_rng(7)
    engine = Engine(Environment(home=home), load_model=FakeEmbedder)
    engine.ingest("large", [])
    library = engine.library(engine.prototype("large"))
    with library.writing():
        for start in range(0, count, BATCH):
            items = []
            for n in range(start, min(start + BATCH, count)):
                text = f"{' '.join(choose.choices(WORDS, k=8)).capitalize()}."
                record = DocumentRecord(
                    id=f"{n:032x}",
                    files=(SourceFile(f"{n % 997:03}/{n}.txt", "0" * 64),),
                    content_hash=f"{n:040x}",
                    title=f"{choose.choice(WORDS).capitalize()} {choose.choice(WORDS)} {n}",
                    metadata={
                        "country": choose.choice(COUNTRIES),
                        "price": choose.randint(5, 90),
                        "tags": tuple(choose.sample(WORDS, 2)),
                        "updated": 1_600_000_000 + 86_400 * choose.randint(0, 2_000),
                        "type": "text",
                    },
                    chunks=1,
                    sections=1,
                    added=1_700_000_000.0 + n,
                )
                section = Section(0, len(text))
                chunk = Chunk(record.id, 0, 0, len(text), text, "", section)
                vector = numbers.standard_normal((1, 32)).astype(np.float32)
                items.append((record, [chunk], vector / np.linalg.norm(vector)))
            library.write(items)
        library.index.set_facts(index_version="benchmark", shape="0" * 16)
        library.settle(library.index.records())


def time_list(home: Path) -> dict[str, float]:
    engine = Engine(Environment(home=home), load_model=FakeEmbedder)
    librarian = engine.librarian("large")

    def once(call: Callable[[], Any]) -> float:
        begun = time.perf_counter()
        call()
        return 1_000 * (time.perf_counter() - begun)

    total = [0]

    def first() -> None:
        total[0] = librarian.documents().total

    found = {"first page of a new process, ms": once(first)}
    offsets = [25, 50, 75, 1_000, total[0] // 2, total[0] - 25]

    def pages(label: str, **options: Any) -> None:
        took = [once(partial(librarian.documents, offset=offset, **options)) for offset in offsets]
        if options:
            found[f"{label}: first page, ms"] = took[0]
        found[f"{label}: next pages, median ms"] = statistics.median(took[1:])

    pages("everything")
    pages("newest first", sort="added", descending=True)
    pages("query “heath 4”", query="heath 4")
    pages("query “a”", query="a")
    pages("filter of a country", where={"country": "Portugal"})
    pages("filter of price and tag", where={"price": {"$lt": 15}, "tags": {"$contains": "cedar"}})
    row = librarian.documents(offset=total[0] // 2).rows[0]
    found["one document, median ms"] = statistics.median(
        once(lambda: librarian.document(row.id)) for _ in range(5)
    )
    found["status without the doctor, ms"] = once(lambda: librarian.status(checks=False))
    found["an edit, ms"] = once(lambda: librarian.edit(row.id, metadata={"country": "Malta"}))
    found["the page after it, ms"] = once(lambda: librarian.documents(query="malta"))
    return found


if __name__ == "__main__":
    main()
