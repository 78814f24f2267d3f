"""Comparing in Chromium: blind before the vote, told after it, kept over a reload."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from browser_steps import HERE, serving
from playwright.sync_api import BrowserContext, Locator, Page, expect

from rag.store import Store

pytestmark = pytest.mark.browser
LAMB = "Which wine goes with lamb?"
TELLING = ("fake", "Re-ranker:", "Passages:", "0.02 s", "confidence", "Found by", "score")
NewContext = Callable[..., BrowserContext]


def sides(page: Page) -> list[Locator]:
    return [page.locator(f".st-key-side-{name}") for name in ("left", "right")]


def open_page(address: str, context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto(f"{address}/compare?prototype=wine")
    expect(page.get_by_text("What differs")).to_be_visible()
    return page


def vary_passages(page: Page, one: int, other: int) -> None:
    """Compare two numbers of passages, and nothing else."""
    pills = page.locator(".st-key-compare-wine-varied")
    pills.get_by_text("Re-ranker", exact=True).click()
    pills.get_by_text("Passages", exact=True).click()
    boxes = page.get_by_role("spinbutton", name="Passages")
    expect(boxes).to_have_count(2)
    for box, value in ((boxes.first, one), (boxes.last, other)):
        box.fill(str(value))
        box.press("Enter")
        expect(box).to_have_value(str(value))


def test_a_comparison_is_blind_until_the_vote_and_counts(tmp_path: Path, new_context: NewContext) -> None:
    with serving(HERE / "fake" / "app.py", tmp_path) as address:
        page = open_page(address, new_context())
        vary_passages(page, 1, 2)
        page.get_by_role("button", name=LAMB).click()
        expect(page.get_by_text("Which answer is better?")).to_be_visible()
        for side in sides(page):
            side.get_by_role("radio").first.click()
            expect(side.locator(".stMarkdownColoredBackground")).to_be_visible()
            words = side.inner_text() + side.inner_html()
            assert not [word for word in TELLING if word in words]
        page.reload()  # the draw is on disk: the same answers stand on the same sides
        expect(page.get_by_text("Which answer is better?")).to_be_visible()
        pair = page.url.rpartition("pair=")[2]
        preferences = Store(tmp_path / "store.db").preferences
        before = preferences.of(pair)
        assert before.choice is None
        page.get_by_text("Right is better").click()
        expect(page.get_by_text("Saved")).to_be_visible()
        after = preferences.of(pair)
        assert (after.choice, after.left, after.right) == ("right", before.left, before.right)
        settings = Store(tmp_path / "store.db").settings
        for side, fingerprint in zip(sides(page), (after.left_settings, after.right_settings), strict=True):
            expect(side).to_contain_text(f"Passages: {settings(fingerprint)['k']}")
            expect(side).to_contain_text("fake · 0.02 s")
        expect(page.get_by_text("1 vote on 1 question")).to_be_visible()
        expect(page.get_by_text("Nobody is ahead yet")).to_be_visible()
        page.get_by_label("Why?").fill("It says more.")
        page.get_by_label("Why?").press("Enter")
        expect(page.get_by_text("Saved")).to_be_visible()
        page.get_by_text("Right is better").click()
        expect(page.get_by_text("Nothing has been voted on yet")).to_be_visible()
        last = preferences.of(pair)
        assert (last.choice, last.reason) == (None, "It says more.")
        page.get_by_role("button", name="Skip it").click()
        expect(page.get_by_label("Question")).to_be_visible()


def test_a_failure_costs_nothing_and_can_be_tried_again(tmp_path: Path, new_context: NewContext) -> None:
    with serving(HERE / "fake" / "app.py", tmp_path) as address:
        page = open_page(address, new_context())
        page.get_by_label("Question").fill("break it")
        page.get_by_role("button", name="Compare", exact=True).click()
        expect(page.get_by_text("Under A: The model did not answer.")).to_be_visible()
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_text("Under A: The model did not answer.")).to_be_visible()
        page.get_by_role("button", name="Drop it").click()
        expect(page.get_by_label("Question")).to_be_visible()
        assert Store(tmp_path / "store.db").preferences.all() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone(fake_app: str, new_context: NewContext, scheme: str) -> None:
    page = open_page(fake_app, new_context(width=390, height=844, color_scheme=scheme))
    page.get_by_label("Question").fill(f"Tell me about Spain, {scheme}")
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_text("Equally good").click()
    expect(page.get_by_text(re.compile(r"[12] ties? ")).first).to_be_visible()
    main = page.locator("#stMain")
    assert main.evaluate("element => element.scrollWidth <= element.clientWidth")
