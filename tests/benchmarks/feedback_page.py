"""The feedback page over 100,000 answers: how long it takes to open, to turn a page, and to search.

    python tests/benchmarks/feedback_page.py [--answers 100000] [--home DIR] [--visits 6]

The answers are invented: three prototypes over a year, each record several kilobytes with five
passages, as the engine writes them; one in eight was rated. They are put into a store through its
real schema (kept in ``--home``, or made anew). The real app is served and opened in Chromium.

Opening counts from the navigation until the first chart is painted, in a server that has just
started, and then in further visits in turn with a store without answers, which is what Streamlit
takes by itself on that machine. The measure asks for 2 s. Memory is the server's resident set.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser"), str(Path(__file__).parent)]

from browser_steps import serving  # noqa: E402
from library_page import chromium, new_page  # noqa: E402
from playwright.sync_api import Browser  # noqa: E402

from rag.config import Settings, with_settings  # noqa: E402
from rag.store import Store  # noqa: E402
from rag.store.codec import encode  # noqa: E402
from rag.triage import RULES  # noqa: E402
from rag.types import Answer, Citation, Failure, Passage, Provenance, Sentence  # noqa: E402

CHART = ".vega-embed svg.marks"
DAY = 86_400.0
_ASKED = {
    "wine": (
        "Which {a} goes with {b}?|A {a} for {b} under {n} euros?|How long does a {a} keep in the cellar?|"
        "Do you ship {a} to {c}?|Tell me about {a} from {c}|What does the {a} from {c} cost?",
        "red white rosé sparkling sweet dry".split(),
        "lamb fish cheese stew asparagus pizza".split(),
        "Portugal Spain France Germany Italy Austria".split(),
    ),
    "handbook": (
        "How do I {a} {b}?|Where are my {b} stored?|Can I {a} {b} from the command line?|"
        "Why does it not {a} {b}?|What happens when I {a} {b}?",
        "delete export ingest filter rate back up".split(),
        "documents answers conversations prototypes thumbs settings".split(),
        ["here"],
    ),
    "benefits": (
        "How much {a} do I get {b}?|When is the {a} paid {b}?|Can I keep my {a} {b}?|"
        "Who decides about {a}?|How do I appeal a decision on {a}?",
        "housing benefit|child money|disability money|unemployment money|heating grant".split("|"),
        "with two children|when I work part time|if I live alone|after six months".split("|"),
        ["Skarrow"],
    ),
}  # fmt: skip
_REASONS = ("wrong", "incomplete", "not-in-sources", "bad-citation", "out-of-date", "off-topic")
_WORDS = (
    "the cellar keeps bottles lying down because a cork that dries lets air in and the wine turns flat "
    "within months while a screw cap does not mind and stands as well as it lies so that the choice of "
    "closure says more about the price of cork than about the quality of what is in the bottle"
).split()


def answers(count: int, now: float, seed: int = 7) -> Iterator[tuple[Answer, str, tuple[str, ...], str]]:
    """Invented answers, oldest first: each with its rating ("" for none), reasons and comment."""
    choose = random.Random(seed)
    variants = [with_settings(Settings(), change) for change in ({}, {"rerank": "late"}, {"k": 8})]
    liked = {"wine": 0.82, "handbook": 0.68, "benefits": 0.74}
    for n in range(count):
        prototype = choose.choices(list(_ASKED), (5, 3, 2))[0]
        # More and more people ask, and more on weekdays than on Sundays.
        created = now - 365 * DAY * (1 - ((n + choose.random()) / count) ** 0.7)
        settings = variants[0 if n < count * 0.5 else choose.choice((0, 1, 1, 2))]
        abstained = choose.random() < 0.09
        answer = _answer(choose, f"{n:032x}", prototype, created, settings, abstained=abstained)
        rating, reasons, comment = "", (), ""
        if choose.random() < 0.125:
            better = 0.06 * (settings.rerank == "late") - 0.5 * abstained
            rating = "up" if choose.random() < liked[prototype] + better else "down"
        if rating == "down" and choose.random() < 0.7:
            reasons = tuple(
                sorted(set(choose.choices(_REASONS, (5, 4, 2, 2, 1, 1), k=choose.choice((1, 1, 2)))))
            )
            comment = "The price list of this spring says otherwise." if choose.random() < 0.3 else ""
        yield answer, rating, reasons, comment


def _answer(
    choose: random.Random, key: str, prototype: str, created: float, settings: Settings, *, abstained: bool
) -> Answer:
    forms, first, second, third = _ASKED[prototype]
    facts = dict(zip("abc", (choose.choice(first), choose.choice(second), choose.choice(third)), strict=True))
    question = choose.choice(forms.split("|")).format(n=choose.choice((10, 15, 25)), **facts)
    passages = tuple(_passage(choose, prototype, n, facts) for n in range(5))
    quote = passages[0].text[: passages[0].sentences[0].end - passages[0].start]
    text = "I don't know from these documents." if abstained else f"{quote} [1]"
    cited = (Citation(1, passages[0].document_id, passages[0].source, passages[0].start,
                      passages[0].start + len(quote), quote, "verbatim", 0, len(quote), 0),)  # fmt: skip
    return Answer(
        id=key,
        question=question,
        rewritten=question,
        text=text,
        citations=() if abstained else cited,
        passages=passages,
        confidence=choose.uniform(0.05, 0.45) if abstained else choose.uniform(0.55, 0.99),
        abstained=abstained,
        generator="extractive",
        usage={},
        seconds={
            "retrieve": 0.02,
            "total": choose.lognormvariate(-3.2, 0.5) + 0.08 * (settings.rerank == "late"),
        },
        provenance=Provenance(prototype, settings.fingerprint, "1d3f", "extractive-1"),
        created=created,
        cost={"wine": 0.0, "handbook": choose.uniform(1e-4, 9e-4)}.get(prototype),
        origin="chat" if choose.random() < 0.97 else "batch",
    )


def _passage(choose: random.Random, prototype: str, n: int, facts: dict[str, str]) -> Passage:
    at, document = 400 * choose.randrange(20), choose.randrange(200)
    words = [choose.choice(_WORDS) for _ in range(60)]
    text = " ".join(words).capitalize() + "."
    start = at + 80
    sentences = tuple(
        Sentence(start + 90 * s, start + 90 * s + 80, 1.0 - 0.1 * s, 0.6 - 0.05 * s) for s in range(3)
    )
    metadata = {
        "type": "csv",
        "country": facts["c"],
        "price": 6 + document % 60,
        "pairs_with": (facts["b"], "stew"),
    }
    return Passage(
        document_id=f"{prototype}-{document}",
        source=f"{prototype}/{document}.md",
        title=f"Document {document}",
        start=start,
        end=start + len(text),
        text=text,
        score=0.9 - 0.1 * n,
        scorer="fused",
        metadata=metadata if prototype == "wine" else {"type": "md", "topic": facts["b"]},
        path=("Cellar", f"Shelf {document % 12}"),
        context=" ".join(choose.choice(_WORDS) for _ in range(14)) + "\n" + text,
        context_start=at,
        sentences=sentences,
    )


def build(path: Path, count: int, now: float | None = None) -> None:
    """A store with that many answers, made by its own schema; rows go in one transaction."""
    now = time.time() if now is None else now
    store = Store(path)
    for change in ({}, {"rerank": "late"}, {"k": 8}):
        # Settings are told with an answer; the first of each is saved as the engine does it.
        settings = with_settings(Settings(), change)
        example = replace(next(answers(1, now))[0], created=now - 365 * DAY)
        made_with = replace(example.provenance, settings=settings.fingerprint)
        key = f"settings-{settings.fingerprint}"
        store.save_answer(
            replace(example, id=key, origin="command", provenance=made_with), settings=settings.values
        )
    with store._database.writing() as connection:
        for answer, rating, reasons, comment in answers(count, now):
            made_with = answer.provenance
            connection.execute(
                "INSERT INTO answers (id, prototype, created, origin, question, text, confidence, abstained,"
                " generator, settings, index_version, prompt_version, record, seconds, cost)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (answer.id, made_with.prototype, answer.created, answer.origin, answer.question, answer.text,
                 answer.confidence, answer.abstained, answer.generator, made_with.settings,
                 made_with.index_version, made_with.prompt_version, encode(answer), answer.seconds["total"],
                 answer.cost),
            )  # fmt: skip
            if rating:
                connection.execute(
                    "INSERT INTO feedback (id, answer_id, revision, rating, reasons, comment, correction,"
                    " origin, created) VALUES (?, ?, 1, ?, ?, ?, '', 'chat', ?)",
                    (f"f{answer.id[1:]}", answer.id, rating, _json(reasons), comment, answer.created + 30),
                )

    _computed_before(store, now)


def _computed_before(store: Store, now: float) -> None:
    """Topics and triage, as the work behind the page leaves them."""
    choose = random.Random(11)
    for prototype in _ASKED:
        store.topics.replace(prototype, Settings().embedding_model, [
            (f"topic {n} of {prototype}", np.eye(384, dtype=np.float32)[n], 0.3) for n in range(10)
        ])  # fmt: skip
        known = [topic.id for topic in store.topics.all(prototype)]
        store.topics.assign({n: choose.choice([0, *known]) for n, _ in store.topics.questions(prototype)})
    failures = [*get_args(Failure), None]
    with store._database.writing() as connection:
        for row in connection.execute("SELECT answer_id FROM digest WHERE rating = 'down'").fetchall():
            connection.execute(
                "INSERT INTO triage VALUES (?, 1, ?, ?, 'guess', 'Invented.', ?)",
                (row["answer_id"], RULES, choose.choice(failures), now),
            )


def _json(reasons: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{reason}"' for reason in reasons) + "]"


# --- in a browser --------------------------------------------------------------


def measure(home: Path, count: int, visits: int) -> None:
    """Open the page over the store in ``home`` and over an empty one, and print what it took."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary,
        chromium() as browser,
        serving(ROOT / "app.py", home) as address,
    ):
        first = _opening(browser, address)
        print(f"first chart over {count:,} answers in a new server: {first:.2f} s", flush=True)
        with serving(ROOT / "app.py", Path(temporary)) as empty:
            _opening(browser, empty, empty=True)
            pairs = [
                (_opening(browser, address), _opening(browser, empty, empty=True)) for _ in range(visits)
            ]
        large, none = (statistics.median(took) for took in zip(*pairs, strict=True))
        print(f"then {large:.2f} s, median of {visits} visits in turn with an empty store: {none:.2f} s")
        before, pid = _cpu(_server(address)), _server(address)
        _opening(browser, address)
        print(f"of which the server computes {_cpu(pid) - before:.2f} s", flush=True)
        _steps(browser, address)
        print(f"resident: {_resident(_server(address)):.0f} MB")


def _opening(browser: Browser, address: str, *, empty: bool = False) -> float:
    page = new_page(browser)
    begun = time.perf_counter()
    page.goto(f"{address}/feedback", wait_until="commit")
    if empty:
        page.get_by_text("No answers yet").wait_for()
    else:
        page.locator(CHART).first.wait_for()
    took = time.perf_counter() - begun
    page.context.close()
    return took


def _steps(browser: Browser, address: str) -> None:
    """What a person does next: another breakdown, the list, a page of it, a search."""
    page = new_page(browser)
    page.goto(f"{address}/feedback")
    page.locator(CHART).nth(2).wait_for()
    for name, told in (("Settings", "rerank="), ("Topic", "topic ")):
        begun = time.perf_counter()
        page.locator(".st-key-feedback-by").get_by_text(name, exact=True).click()
        page.locator(CHART).nth(2).get_by_text(told).first.wait_for()
        print(f"broken down by {name.lower()}: {1_000 * (time.perf_counter() - begun):.0f} ms")
    begun = time.perf_counter()
    page.locator(".st-key-feedback-view").get_by_text("Answers", exact=True).click()
    page.locator("[class*=st-key-feedback-open-24]").wait_for()
    print(f"list of answers: {1_000 * (time.perf_counter() - begun):.0f} ms")
    begun = time.perf_counter()
    page.get_by_role("button", name="Next page").click()
    page.get_by_text("26 to 50 of").wait_for()
    print(f"next page: {1_000 * (time.perf_counter() - begun):.0f} ms")
    begun = time.perf_counter()
    page.get_by_placeholder("Search questions").fill("lamb cheese")
    page.keyboard.press("Enter")
    page.get_by_text("26 to 50 of").wait_for(state="detached")
    print(f"search: {1_000 * (time.perf_counter() - begun):.0f} ms")
    page.context.close()


def _server(address: str) -> int:
    """The process that listens at the address."""
    port = address.rpartition(":")[2]
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                if f"--server.port\0{port}\0" in (folder / "cmdline").read_text():
                    return int(folder.name)
    raise RuntimeError(f"no server at {address}")


def _cpu(pid: int) -> float:
    """Seconds of a processor that a process has used: what it takes, whatever else goes on."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1_000


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=100_000)
    parser.add_argument("--visits", type=int, default=6)
    parser.add_argument("--home", type=Path, help="where the store of many answers is kept")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as made:
        place = args.home or Path(made)
        if not (place / "thumbprint.sqlite3").exists():
            begun = time.perf_counter()
            build(place / "thumbprint.sqlite3", args.answers)
            print(f"made {args.answers:,} answers in {time.perf_counter() - begun:.0f} s", flush=True)
        measure(place, args.answers, args.visits)
