"""The export as a person uses it: choose, wait, download; and the notice on the chat."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from browser_steps import HERE, Visit, serving
from playwright.sync_api import BrowserContext, Page, expect

from rag.store import Store
from tests.rated import RED, answer

pytestmark = pytest.mark.browser


def fits(page: Page) -> bool:
    """Whether nothing reaches out of the page to the right."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize("width", [1280, 390])
def test_a_file_is_prepared_and_downloaded(
    tmp_path: Path, new_context: Callable[..., BrowserContext], width: int
) -> None:
    store = Store(tmp_path / "store.db")
    store.save_answer(answer("one", "Call 0612345678?", "Yes.", RED))
    with serving(HERE / "fake" / "export.py", tmp_path) as address:
        page = new_context(width).new_page()
        page.goto(address)
        page.get_by_role("combobox", name="Format").click()
        page.get_by_role("option", name="JSON Lines").click()
        expect(page.get_by_text("Everything, one JSON object an answer.")).to_be_visible()
        page.get_by_text("Hide e-mail addresses").click()
        expect(page.get_by_text("1 answer matches")).to_be_visible()
        page.get_by_role("button", name="Prepare the file").click()
        button = page.get_by_role("button", name="Download feedback.jsonl")
        expect(button).to_be_visible()
        assert fits(page)
        with page.expect_download() as download:
            button.click()

        row = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
        assert (row["answer_id"], row["question"]) == ("one", "Call [phone]?")
        assert download.value.suggested_filename == "feedback.jsonl"


@pytest.mark.parametrize("width", [1280, 390])
def test_the_notice_opens_on_the_first_page(
    visit: Visit, new_context: Callable[..., BrowserContext], width: int
) -> None:
    page = visit(new_context(width))

    page.get_by_text("Questions, answers and ratings are stored here").click()

    expect(page.get_by_text("All of it is kept until it is erased")).to_be_visible()
    assert fits(page)
