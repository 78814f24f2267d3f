"""How soon a first visit is usable: from the server's first response to the input box, in Chromium.

    python tests/benchmarks/first_visit.py

A new home and a new browser each time, so models load and the catalogue is read behind
the page. The measure asks for less than 2 s on a warm disk.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser")]

from browser_steps import FLAGS, serving  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402


def visit() -> tuple[float, float]:
    """Seconds from the first response until the input box is there, and until the greeting is."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home,
        serving(ROOT / "app.py", Path(home)) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_page()
        first: list[float] = []
        page.on("response", lambda _: first.append(time.perf_counter()))
        page.goto(address, wait_until="commit")
        page.locator("h1").wait_for()
        greeted = time.perf_counter()
        page.get_by_test_id("stChatInputTextArea").wait_for()
        usable = time.perf_counter()
        browser.close()
    return usable - first[0], greeted - first[0]


if __name__ == "__main__":
    for n in range(3):
        usable, greeted = visit()
        print(f"visit {n + 1}: input after {usable:.2f} s, greeting after {greeted:.2f} s")
