"""The app as it is shipped, in Chromium: from the first visit to an answer, with the real engine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser_steps import ROOT, ask, serving
from playwright.sync_api import BrowserContext, expect

from rag.config import DEFAULT_PROTOTYPE
from rag.prototypes import load_prototype

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
_INGESTS = 300_000
"""Milliseconds: a model is loaded and a catalogue read, on a machine that may be busy."""
HOSTILE = (
    "# Seals\n\nThe great seal of the abbey is kept in a walnut box "
    '<img src="http://127.0.0.1:9/html" onerror="fetch(1)"> ![x](http://127.0.0.1:9/leak) '
    "[a](javascript:alert(1)) $$x^2$$ :red[x] https://127.0.0.1:9/bare beside the chapel door.\n"
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app over a new home, in which a prototype holds a document that tries everything."""
    home = tmp_path_factory.mktemp("home")
    (home / "seals.md").write_text(HOSTILE, encoding="utf-8")
    ingest = (
        "import pathlib, sys; from rag.config import Environment; from rag.engine import Engine; "
        "home = pathlib.Path(sys.argv[1]); "
        "Engine(Environment(home=home)).ingest('seals', [home / 'seals.md'])"
    )
    subprocess.run([sys.executable, "-c", ingest, str(home)], cwd=ROOT, check=True, timeout=300)
    with serving(ROOT / "app.py", home) as address:
        yield address


def test_a_newcomer_gets_a_cited_answer(app: str, new_context: NewContext) -> None:
    prototype = load_prototype(DEFAULT_PROTOTYPE, Path("nowhere"))
    page = new_context().new_page()
    page.goto(app)
    expect(page.get_by_test_id("stChatInputTextArea")).to_be_visible()
    expect(page.get_by_role("heading", name=prototype.title)).to_be_visible()
    expect(page.get_by_test_id("stProgress").first).to_be_visible()
    page.get_by_role("button", name=prototype.suggestions[1]).click()
    expect(page.get_by_test_id("stProgress").first).to_be_visible()
    expect(page.get_by_role("button", name="Regenerate")).to_be_visible(timeout=_INGESTS)
    expect(page.locator(".stMarkdownBadge").first).to_have_text("1")
    page.get_by_role("radiogroup", name="See the evidence").get_by_role("radio").first.click()
    expect(page.get_by_text("quoted word for word")).to_be_visible()
    expect(page.get_by_text("documents match")).to_be_visible()


def test_what_a_document_says_is_only_text(app: str, new_context: NewContext) -> None:
    context = new_context()
    requested: list[str] = []
    context.on("request", lambda request: requested.append(request.url))
    page = context.new_page()
    page.goto(f"{app}/?prototype=seals")
    ask(page, "Where is the great seal of the abbey kept?")
    page.get_by_role("radiogroup", name="See the evidence").get_by_role("radio").first.click()
    expect(page.get_by_test_id("stChatMessage").last).to_contain_text("![x](http://127.0.0.1:9/leak)")
    expect(page.get_by_test_id("stChatMessage").last.locator("a, img, .katex")).to_have_count(0)
    assert [url for url in requested if not url.startswith((app, "data:", "blob:"))] == []
