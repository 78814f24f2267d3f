"""A click in an earlier answer while another one is written, 200 tokens a second, in Chromium.

    PYTHONPATH=tests/browser python -m tests.benchmarks.streaming_page [--speed 200] [--rounds 7]

The real app and engine over a fake embedding model; the model that writes is a server on the
loopback. Printed: the time from a click on "Details" of the answer before to its table on the screen,
with nothing else going on and while an answer grows, and from a click on "Stop" to the stored answer.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from browser_steps import FLAGS, HERE, ask, serving
from playwright.sync_api import Page, expect, sync_playwright

from rag.config import Environment
from rag.engine import Engine
from tests.chat_servers import Script, serve
from tests.conftest import write_files
from tests.fakes import FakeEmbedder

FACT = "The harbour permit costs 24 euros."
QUESTION = "What does the harbour permit cost?"
_LONG = 20_000
"""Tokens of the answer that grows: more than the clicks take."""


def clicked(page: Page, rounds: int) -> list[float]:
    """Milliseconds from each click to the table that it opens."""
    took: list[float] = []
    for _ in range(rounds):
        button = page.get_by_role("button", name="Details").first
        began = time.perf_counter()
        button.click()
        expect(page.get_by_text("Written by").first).to_be_visible(timeout=120_000)
        took.append(1_000 * (time.perf_counter() - began))
        page.keyboard.press("Escape")
        expect(page.get_by_text("Written by")).to_have_count(0, timeout=120_000)
    return took


def told(name: str, took: list[float]) -> None:
    median, longest = statistics.median(took), max(took)
    print(f"  {name:34} median {median:6.0f} ms   longest {longest:6.0f} ms", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--speed", type=float, default=200.0)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--chromium", default=os.environ.get("CHROMIUM", "/usr/bin/chromium"))
    args = parser.parse_args()
    words = [*FACT.split(" "), "[1]."]
    grows = Script([f"{words[n % len(words)]} " for n in range(_LONG)], delay=1 / args.speed)
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Script([f"{FACT} [1]"])) as model,
        sync_playwright() as playwright,
    ):
        home = Path(folder, "home")
        about = 'title = "Harbour"\n[settings]\nabstain = "off"\n'
        write_files(home, {"prototypes/harbour/prototype.toml": about})
        engine = Engine(Environment(home=home), load_model=FakeEmbedder)
        engine.ingest("harbour", [write_files(Path(folder, "files"), {"fees.md": f"{FACT}\n"})])
        os.environ |= {"FAKE_MODEL": "1", "OPENAI_API_KEY": "k", "OPENAI_MODEL": "m"}
        os.environ["OPENAI_BASE_URL"] = f"{model.url}/v1"
        with serving(HERE / "fake" / "app.py", home) as address:
            browser = playwright.chromium.launch(executable_path=args.chromium, args=FLAGS)
            page = browser.new_page()
            page.goto(f"{address}/?prototype=harbour")
            expect(page.get_by_test_id("stChatInputTextArea")).to_be_visible(timeout=60_000)
            ask(page, QUESTION)
            told("Details, nothing else goes on", clicked(page, args.rounds))
            model.scripts[:] = [grows]
            box = page.get_by_test_id("stChatInputTextArea")
            box.fill("And now?")
            began = time.perf_counter()
            box.press("Enter")
            answer = page.get_by_test_id("stChatMessage").nth(3)
            expect(answer).to_contain_text("harbour", timeout=60_000)
            told("first words on the screen", [1_000 * (time.perf_counter() - began)])
            for seconds in (2, 15, 30):
                time.sleep(max(0.0, began + seconds - time.perf_counter()))
                shown = len(answer.inner_text())
                told(f"Details, {shown:,} characters written", clicked(page, args.rounds))
            began = time.perf_counter()
            page.get_by_role("button", name="Stop").click()
            expect(page.get_by_text("Stopped before its end")).to_be_visible(timeout=120_000)
            told("Stop", [1_000 * (time.perf_counter() - began)])
            browser.close()


if __name__ == "__main__":
    main()
