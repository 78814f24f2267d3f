"""Chips and filters in Chromium: the keyboard, a narrow screen, a reload, the way back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browser_steps import Visit, ask
from playwright.sync_api import BrowserContext, Locator, Page, expect

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
QUESTION = "What is there from Portugal under 10 euros?"
FULL = "A wine from Portugal, not from Spain, that goes with lamb or stew, between 5 and 20 euros"


def chip(page: Page, label: str) -> Locator:
    return page.get_by_test_id("stChatMessage").first.get_by_role("button", name=label, exact=True)


def test_a_chip_is_applied_and_taken_back_by_keyboard(visit: Visit) -> None:
    page = visit()
    ask(page, QUESTION)
    answer = page.get_by_test_id("stChatMessage").last
    expect(answer).to_contain_text("comes from Spain.")

    chip(page, "Country: Portugal 2").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_text("Filtered by")).to_be_visible()
    expect(answer).not_to_contain_text("comes from Spain.")
    expect(chip(page, "Country: Portugal")).to_be_enabled()  # not while it is being answered
    chip(page, "Country: Portugal").focus()
    page.keyboard.press("Space")
    expect(answer).to_contain_text("comes from Spain.")
    expect(page.get_by_text("Filtered by")).to_have_count(0)
    expect(page.get_by_test_id("stChatMessage")).to_have_count(2)


def test_a_pinned_chip_is_in_the_sidebar_and_survives_a_reload(visit: Visit) -> None:
    page = visit()
    ask(page, QUESTION)
    chip(page, "Country: Portugal 2").click()
    chip(page, "Pin").click()
    in_sidebar = page.get_by_test_id("stSidebar").get_by_role("button", name="Portugal 2", pressed=True)
    expect(chip(page, "Pinned")).to_be_visible()
    expect(in_sidebar).to_be_visible()

    page.reload()

    expect(chip(page, "Pinned")).to_be_visible()
    expect(chip(page, "Price under 10 € 1")).to_be_visible()
    expect(in_sidebar).to_be_visible()
    expect(page.get_by_text("2 of 5 documents match")).to_be_visible()


def test_the_way_back_undoes_a_filter(visit: Visit) -> None:
    page = visit()
    sidebar = page.get_by_test_id("stSidebar")
    sidebar.get_by_role("button", name="Portugal").click()
    expect(page.get_by_text("2 of 5 documents match")).to_be_visible()
    sidebar.get_by_role("button", name="Spain").click()
    expect(page.get_by_text("3 of 5 documents match")).to_be_visible()

    page.go_back()
    expect(page.get_by_text("2 of 5 documents match")).to_be_visible()
    page.go_forward()
    expect(page.get_by_text("3 of 5 documents match")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_chips_wrap_inside_the_question(visit: Visit, new_context: NewContext, width: int) -> None:
    page = visit(new_context(width=width))
    ask(page, FULL)
    expect(page.get_by_text("Narrow to")).to_be_visible()
    page.get_by_role("button", name="Apply all").click()
    expect(page.get_by_role("button", name="Remove all")).to_be_visible()

    frame = page.get_by_test_id("stChatMessage").first.bounding_box()
    assert frame is not None
    buttons = page.locator(".st-key-chips button:visible")
    assert buttons.count() >= 7
    for button in buttons.all():
        box = button.bounding_box()
        assert box is not None
        assert frame["x"] <= box["x"]
        assert box["x"] + box["width"] <= frame["x"] + frame["width"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
