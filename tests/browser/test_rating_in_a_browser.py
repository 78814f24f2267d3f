"""Rating in Chromium: from a thumb down to a relevance label, and while another answer streams."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from browser_steps import HERE, Visit, ask, serving
from playwright.sync_api import BrowserContext, Page, expect

from rag.store import Selection, Store
from rag.types import Feedback

pytestmark = pytest.mark.browser
LAMB = "Which wine goes with lamb?"
NewContext = Callable[..., BrowserContext]


def stored(home: Path) -> list[Feedback | None]:
    return [rated.feedback for rated in Store(home / "store.db").stream(Selection())]


def open_page(address: str, context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto(address)
    expect(page.get_by_test_id("stChatInputTextArea")).to_be_visible()
    return page


def test_a_thumb_down_becomes_a_label_that_a_reload_and_a_second_tab_show(
    tmp_path: Path, new_context: NewContext
) -> None:
    with serving(HERE / "fake" / "app.py", tmp_path) as address:
        context = new_context()
        page = open_page(address, context)
        ask(page, LAMB)
        page.get_by_role("radio", name="Thumbs down").click()
        expect(page.get_by_text("Saved")).to_be_visible()
        assert stored(tmp_path)[0].rating == "down"  # type: ignore[union-attr]
        page.get_by_text("Not in the sources", exact=True).click()
        expect(page.get_by_text("Saved")).to_be_visible()
        page.get_by_label("Comment").fill("It is sold out.")
        page.get_by_label("What should it have said?").fill("Weingut Sonnberg.")
        search = page.get_by_label("None of these? Search the documents")
        search.fill("germany")
        search.press("Enter")
        page.get_by_text("Weingut Sonnberg 2022 is kept in the cellar.").first.click()
        expect(page.get_by_role("button", name="None of these")).to_be_visible()
        page.get_by_role("button", name="Done").click()
        summary = re.compile("Not in the sources · “It is sold out.” · should say “Weingut Sonnberg.” · answ")
        expect(page.get_by_text(summary)).to_be_visible()
        (found,) = stored(tmp_path)
        assert found is not None
        assert (found.reasons, found.comment) == (("not-in-sources",), "It is sold out.")
        assert found.correction == "Weingut Sonnberg."
        assert found.passage is not None
        assert (found.passage.document_id, found.passage.retrieved) == ("d14", None)
        page.reload()
        expect(page.get_by_text(summary)).to_be_visible()
        second = context.new_page()
        second.goto(page.url)
        expect(second.get_by_text(summary)).to_be_visible()
        expect(second.get_by_role("radio", name="Thumbs down")).to_be_checked()


def test_everything_is_taken_back_by_the_thumb(visit: Visit) -> None:
    page = visit()
    ask(page, LAMB)
    down = page.get_by_role("radio", name="Thumbs down")
    down.click()
    page.get_by_text("Off topic", exact=True).click()
    expect(page.get_by_text("Saved")).to_be_visible()
    down.click()
    expect(page.get_by_text("What was wrong with it?")).to_have_count(0)
    page.reload()
    expect(down).not_to_be_checked()
    expect(page.get_by_text("Off topic")).to_have_count(0)


def test_rating_in_full_while_another_answer_streams_leaves_it_whole(visit: Visit) -> None:
    page = visit()
    ask(page, LAMB)
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill("slow please")
    box.press("Enter")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.get_by_role("radio", name="Thumbs down").first.click()
    page.get_by_text("Incomplete", exact=True).click()
    page.get_by_label("Comment").press_sequentially("Half of it is missing.", delay=30)
    page.get_by_text("Viña Salina 2018 comes from Spain.").last.scroll_into_view_if_needed()
    page.locator("[class*=st-key-right-]").get_by_text("South").first.click()
    expect(page.get_by_role("button", name="None of these")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(page.get_by_role("button", name="Regenerate")).to_be_visible()
    expect(page.get_by_text("Stopped before its end")).to_have_count(0)
    expect(page.get_by_label("Comment")).to_have_value("Half of it is missing.")
    whole = page.get_by_test_id("stChatMessage").last.get_by_test_id("stMarkdown").first
    assert whole.inner_text().count("Viña Salina 2018 comes from Spain.") == 10
    page.reload()
    expect(page.get_by_text("Incomplete · “Half of it is missing.” · answered by")).to_be_visible()


def test_a_citation_is_reported_where_it_is_read(visit: Visit) -> None:
    page = visit()
    ask(page, LAMB)
    page.get_by_role("radio", name="3 South").click()
    page.get_by_role("button", name="Report this citation").click()
    expect(page.get_by_text("citation 3 reported")).to_be_visible()
    page.reload()
    expect(page.get_by_text("citation 3 reported")).to_be_visible()
    page.get_by_role("radio", name="3 South").click()
    page.get_by_role("button", name="Reported. Take it back").click()
    expect(page.get_by_text("citation 3 reported")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_fields_fit_a_phone(visit: Visit, new_context: NewContext, scheme: str) -> None:
    page = visit(new_context(width=390, height=844, color_scheme=scheme))
    ask(page, "wax")
    page.get_by_role("radio", name="Thumbs down").click()
    expect(page.get_by_text("What was wrong with it?")).to_be_visible()
    main = page.locator("#stMain")
    assert main.evaluate("element => element.scrollWidth <= element.clientWidth")
