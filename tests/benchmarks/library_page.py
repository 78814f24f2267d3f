"""The library page in Chromium: an upload against the command line, and 100,000 documents.

    python tests/benchmarks/library_page.py [--files 1000] [--rounds 2] [--documents 100000] [--home DIR]

Upload: small files, from the moment they are chosen on the page until the page says that all are
added, and ``python -m rag ingest`` of the same, from its start to its end, in turn, each into an
empty prototype. The model of the page is loaded while it opens; the command loads its own. The
measure asks for at most 1.2 times.

Documents: a library of invented ones as ``library.py`` makes it, over a fake model (kept in
``--home``, or made anew). Opening counts from the navigation until the rows are there, in a
server that has just started, and then in further visits in turn with an empty library, which is
what Streamlit takes by itself on that machine; paging from the click until the other rows are
there. The measures ask for 2 s and 300 ms. ``--files 0`` or ``--documents 0`` leaves a half out.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser"), str(HERE)]

from browser_steps import FLAGS, serving  # noqa: E402
from library import build, sentences  # noqa: E402
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from rag.prototypes import create_prototype  # noqa: E402

PATIENCE = 1_800_000
"""Milliseconds: on a busy machine a benchmark is slow, not wrong."""


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


def new_page(browser: Browser) -> Page:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    return context.new_page()


# --- uploads -----------------------------------------------------------------------


def uploads(count: int, rounds: int) -> None:
    choose = random.Random(7)
    ratios = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        docs = Path(temporary) / "docs"
        docs.mkdir()
        for n in range(count):
            (docs / f"{n:04}.txt").write_text(sentences(choose), encoding="utf-8")
        for at in range(rounds):
            ways = [("command", command), ("page", on_the_page)]
            took = {
                name: way(docs, Path(temporary) / f"{name}-{at}")
                for name, way in (ways if at % 2 == 0 else reversed(ways))
            }
            ratios.append(took["page"] / took["command"])
            print(f"{count} files: page {took['page']:.1f} s, ", end="")
            print(f"command {took['command']:.1f} s, ratio {ratios[-1]:.2f}")
    print(f"upload on the page / ingest by the command, median ratio {statistics.median(ratios):.2f}")


def command(docs: Path, home: Path) -> float:
    line = [sys.executable, "-m", "rag", "ingest", str(docs), "--prototype", "shelf", "--quiet", "--json"]
    begun = time.perf_counter()
    subprocess.run(
        line,
        cwd=ROOT,
        env={**os.environ, "THUMBPRINT_HOME": str(home)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - begun


def on_the_page(docs: Path, home: Path) -> float:
    files = sorted(str(path) for path in docs.iterdir())
    folder = home / "prototypes" / "shelf"
    folder.mkdir(parents=True)
    (folder / "prototype.toml").write_text('title = "Shelf"\n', encoding="utf-8")
    with serving(ROOT / "app.py", home) as address, chromium() as browser:
        page = new_page(browser)
        page.goto(f"{address}/library?prototype=shelf")
        zone = page.locator("#pick-files")
        zone.wait_for(state="attached")
        page.get_by_test_id("stProgress").wait_for(state="detached")  # the model is loaded
        page.get_by_text("Drop files or a folder here").wait_for()
        begun = time.perf_counter()
        zone.set_input_files(files)
        page.get_by_text(f"Upload of {len(files):,} files").wait_for()
        sent = time.perf_counter() - begun
        page.get_by_text(f"{len(files):,} added").wait_for()
        took = time.perf_counter() - begun
        print(f"  on the page, all files were sent and stored after {sent:.1f} s", flush=True)
    return took


# --- many documents ------------------------------------------------------------------


def documents(count: int, home: Path | None) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        place = home or Path(temporary)
        if not (place / "prototypes" / "large").is_dir():
            build(place, count)
        create_prototype("empty", place)
        os.environ["FAKE_MODEL"] = "1"
        with serving(ROOT / "tests" / "browser" / "fake" / "app.py", place) as address, chromium() as browser:
            first = opening(browser, address, "large")
            turns = paging(browser, address, count)  # it waits for the filters
            visits = [
                (opening(browser, address, "large"), opening(browser, address, "empty")) for _ in range(6)
            ]
            large, empty = (statistics.median(took) for took in zip(*visits, strict=True))
            print(f"opening {count:,} documents: {first:.2f} s in a new server, then {large:.2f} s")
            print(f"  (median of {len(visits)} visits in turn with an empty library: {empty:.2f} s)")
            print(f"paging: median {1_000 * statistics.median(turns):.0f} ms, {len(turns)} turns, ", end="")
            print(f"slowest {1_000 * max(turns):.0f} ms")


def opening(browser: Browser, address: str, prototype: str) -> float:
    page = new_page(browser)
    begun = time.perf_counter()
    page.goto(f"{address}/library?prototype={prototype}", wait_until="commit")
    if prototype == "empty":
        page.get_by_text("Drop files or a folder here").wait_for()
    else:
        page.locator("[class*=st-key-library-open-24]").wait_for()
    took = time.perf_counter() - begun
    page.context.close()
    return took


def paging(browser: Browser, address: str, count: int) -> list[float]:
    page = new_page(browser)
    page.goto(f"{address}/library?prototype=large")
    rows_are_there(page, 1, count)
    page.get_by_text("documents match").wait_for()  # the filters: nothing else is on its way
    page.wait_for_timeout(2_000)
    turns = []
    for n in range(1, 16):
        before = page.locator("[class*=st-key-library-open-24]").inner_text()
        begun = time.perf_counter()
        page.get_by_role("button", name="Next page").click()
        rows_are_there(page, 25 * n + 1, count)
        page.wait_for_function(
            "was => document.querySelector('[class*=st-key-library-open-24]').innerText !== was", arg=before
        )
        turns.append(time.perf_counter() - begun)
    return turns


def rows_are_there(page: Page, first: int, count: int) -> None:
    page.get_by_text(f"{first:,} to {first + 24:,} of {count:,} documents").wait_for()
    page.locator("[class*=st-key-library-open-24]").wait_for()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--home", type=Path, help="where the library of many documents is kept")
    args = parser.parse_args()
    if args.files:
        uploads(args.files, args.rounds)
    if args.documents:
        documents(args.documents, args.home)
