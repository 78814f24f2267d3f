"""Peak memory and seconds of an export of 100,000 answers, format by format.

    python tests/benchmarks/export.py [--answers 100000] [--formats csv,beir] [--redact] [--home FOLDER]

Makes a store of answers as the wine prototype gives them (five passages of about 500 characters,
three citations; every third with feedback, every tenth compared), then runs ``python -m rag feedback
export`` once a format as a process of its own, and reads its peak memory and its processor time from
the system. ``--home`` keeps the store in a folder, and takes the one that an earlier run left there.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from rag.config import Settings  # noqa: E402
from rag.export import FORMATS  # noqa: E402
from rag.store import Selection, Store  # noqa: E402
from rag.store.codec import encode  # noqa: E402
from rag.store.rows import insert  # noqa: E402
from rag.types import Answer, Citation, Passage, Provenance, Relevant, Sentence  # noqa: E402

WORDS = (
    "amber wine of gentle tannin dried peel honey resin clay jars village brings its own jugs whole white "
    "grapes have lain in them since August sealed with pine as Romans did not quite like any other walnut"
).split()
SETTINGS = Settings()


def text(random_: random.Random, characters: int) -> str:
    words: list[str] = []
    while characters > 0:
        words.append(random_.choice(WORDS))
        characters -= len(words[-1]) + 1
    return " ".join(words).capitalize() + "."


def passage(random_: random.Random, texts: list[str]) -> Passage:
    place = random_.randrange(len(texts))
    body = texts[place]
    return Passage(
        document_id=f"d{place:031d}",
        source="wines.csv",
        title=f"Wine {place}",
        start=0,
        end=len(body),
        text=body,
        score=random_.random() * 6,
        scorer="fused",
        metadata={"country": "Georgia", "price": 22, "style": "orange", "pairs_with": ("pork", "nuts")},
        context=body,
        context_start=0,
        sentences=tuple(Sentence(n * 100, n * 100 + 90, 1.0, 0.5) for n in range(5)),
    )


def answers(count: int) -> Iterator[Answer]:
    random_ = random.Random(7)
    texts = [text(random_, 500) for _ in range(5_000)]
    for n in range(count):
        found = tuple(passage(random_, texts) for _ in range(5))
        written = text(random_, 400)
        yield Answer(
            id=f"{n:032x}",
            question=f"What goes with dish {n // 2}?",
            rewritten=f"What goes with dish {n // 2}?",
            text=written,
            citations=tuple(
                Citation(
                    c + 1, found[c].document_id, "wines.csv", 0, 90, found[c].text[:90], "verbatim", 0, 90, c
                )
                for c in range(3)
            ),
            passages=found,
            confidence=0.9,
            abstained=False,
            generator="extractive",
            usage={},
            seconds={"embed": 0.01, "search": 0.01, "total": 0.05},
            provenance=Provenance("wine", SETTINGS.fingerprint, "v1", "extractive-1"),
            created=1_700_000_000.0 + n,
            conversation_id=None,
        )


def fill(store: Store, count: int) -> None:
    """As ``save_answer`` and the rest would, but a thousand in one transaction."""
    source = answers(count)
    n = 0
    while page := list(islice(source, 1_000)):
        with store._database.writing() as connection:
            for answer in page:
                insert(connection, "answers", _answer(answer))
                if n % 3 == 0:
                    insert(connection, "feedback", _feedback(answer, n))
                if n % 10 == 1:  # the one before asked the same
                    insert(connection, "preferences", _preference(answer, n))
                n += 1
    with store._database.writing() as connection:
        record = json.dumps(SETTINGS.values, sort_keys=True)
        insert(connection, "settings", {"fingerprint": SETTINGS.fingerprint, "record": record})


def _answer(answer: Answer) -> dict[str, object]:
    made_with = answer.provenance
    return {
        "id": answer.id, "prototype": made_with.prototype, "created": answer.created, "origin": "chat",
        "question": answer.question, "text": answer.text, "confidence": answer.confidence, "abstained": False,
        "generator": answer.generator, "settings": made_with.settings, "index_version": "v1",
        "prompt_version": made_with.prompt_version, "record": encode(answer), "seconds": 0.05,
    }  # fmt: skip


def _feedback(answer: Answer, n: int) -> dict[str, object]:
    best = answer.passages[0]
    named = Relevant(best.document_id, best.start, best.end, best.source, best.text, 0)
    return {
        "id": f"f{n:031x}", "answer_id": answer.id, "revision": 1, "rating": "up" if n % 2 else "down",
        "reasons": '["incomplete"]', "comment": "Call +49 30 1234567.",
        "correction": "The other one." if n % 2 else "",
        "origin": "chat", "created": answer.created, "passage": encode(named), "reported": "[]",
    }  # fmt: skip


def _preference(answer: Answer, n: int) -> dict[str, object]:
    return {
        "id": f"c{n:031x}", "pair": f"p{n:031x}", "revision": 1, "prototype": "wine",
        "question": answer.question, "left_answer": f"{n - 1:032x}", "right_answer": answer.id,
        "left_settings": "a", "right_settings": "b",
        "choice": "left", "reason": "", "created": answer.created,
    }  # fmt: skip


def measure(home: Path, name: str, out: Path, *extra: str) -> tuple[dict[str, object], float, float, float]:
    """The command's own summary, seconds, those of the processor, and peak MB (Linux: ru_maxrss in KiB)."""
    command = [
        sys.executable,
        "-m",
        "rag",
        "feedback",
        "export",
        "--format",
        name,
        "--out",
        str(out),
        "--json",
    ]
    started = time.perf_counter()
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(
            [*command, *extra], cwd=ROOT, stdout=printed, env={**os.environ, "THUMBPRINT_HOME": str(home)}
        )
        _, status, usage = os.wait4(process.pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        printed.seek(0)
        summary = json.loads(printed.read())
    seconds = time.perf_counter() - started
    return summary, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    """Fill a store, export it in every format, print a line each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--answers", type=int, default=100_000)
    parser.add_argument("--formats", default=",".join(FORMATS))
    parser.add_argument("--redact", action="store_true")
    parser.add_argument("--home", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = args.home or Path(folder) / "home"
        store = Store(home / "thumbprint.sqlite3")
        if not store.count(Selection()):
            fill(store, args.answers)
        size = store.path.stat().st_size / 1e6
        print(f"{store.count(Selection()):,} answers, a store of {size:,.0f} MB")
        extra = ["--redact", "--ids", "hash"] if args.redact else []
        print(f"{'format':8} {'seconds':>8} {'of CPU':>8} {'peak MB':>8} {'file MB':>8}  counts")
        for name in args.formats.split(","):
            out = Path(folder) / f"out-{name}"
            summary, seconds, cpu, peak = measure(home, name, out, *extra)
            size = float(str(summary["bytes"])) / 1e6
            print(
                f"{name:8} {seconds:8.1f} {cpu:8.1f} {peak:8.0f} {size:8.1f}  {summary['counts']}", flush=True
            )


if __name__ == "__main__":
    main()
