"""Claiming, signing in and out, and visits by link, in real browsers with their cookies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser_steps import HERE, ask, serving
from playwright.sync_api import BrowserContext, Page, expect

from rag.access import hash_password

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
LAMB = "Which wine goes with lamb?"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A fresh installation with a password, whose answers take their time, one after the other."""
    monkeypatch.setenv("THUMBPRINT_OWNER_PASSWORD", hash_password("correct horse"))
    monkeypatch.setenv("THUMBPRINT_CONCURRENT", "1")
    monkeypatch.setenv("FAKE_GUARD", "1")
    with serving(HERE / "fake" / "app.py", tmp_path / "home") as address:
        yield address


def opened(page: Page) -> None:
    expect(page.get_by_text("240 documents").first).to_be_visible()


def locked(page: Page) -> None:
    expect(page.get_by_role("heading", name="For the owner")).to_be_visible()


def test_the_first_browser_claims_and_another_needs_the_password(app: str, new_context: NewContext) -> None:
    first = new_context().new_page()
    first.goto(f"{app}/library")
    opened(first)
    first.reload()
    opened(first)

    context = new_context()
    other = context.new_page()
    other.goto(f"{app}/library?document=w001")
    locked(other)
    expect(other.get_by_text("Quinta")).to_have_count(0)
    other.get_by_label("Password").first.fill("wrong password")
    other.get_by_role("button", name="Open").click()
    expect(other.get_by_text("That is not the password.")).to_be_visible()
    expect(other.get_by_label("Password").first).to_have_value("")
    other.get_by_label("Password").first.fill("correct horse")
    other.get_by_role("button", name="Open").click()
    expect(other.get_by_text("Quinta 001").first).to_be_visible()
    other.reload()
    expect(other.get_by_text("Quinta 001").first).to_be_visible()
    other.get_by_role("button", name="Sign out").click()
    locked(other)
    other.reload()
    locked(other)


def test_a_link_from_the_page_to_its_visitor_and_back(app: str, new_context: NewContext) -> None:
    owner = new_context().new_page()
    owner.goto(f"{app}/links")
    owner.get_by_label("Label").fill("For the tasting circle")
    owner.get_by_role("button", name="Make the link").click()
    url = owner.get_by_test_id("stCode").first.inner_text().strip()
    assert url.startswith(f"{app}/?link=")

    context = new_context()
    visitor = context.new_page()
    visitor.goto(url)
    ask(visitor, LAMB)
    expect(visitor.get_by_test_id("stPageLink")).to_have_count(0)
    visitor.reload()
    expect(visitor.get_by_text(LAMB, exact=True).last).to_be_visible()
    visitor.goto(f"{app}/links")
    locked(visitor)

    owner.get_by_role("button", name="Done").click()
    expect(owner.get_by_text("1 question ·")).to_be_visible()
    owner.get_by_role("button", name="Revoke").click()
    owner.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(owner.get_by_text("Ended, 1")).to_be_visible()
    visitor.goto(url)
    expect(visitor.get_by_text("This link was taken back.")).to_be_visible()


def test_a_question_waits_its_turn_and_says_so(app: str, new_context: NewContext) -> None:
    first, second = new_context().new_page(), new_context().new_page()
    for page in (first, second):
        page.goto(app)
        box = page.get_by_test_id("stChatInputTextArea")
        box.fill("slow, with lamb?")
        box.press("Enter")
        expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(second.get_by_text("Others are being answered.")).to_be_visible()
    first.get_by_role("button", name="Stop").click()
    expect(second.get_by_text("Quinta da Pedra").first).to_be_visible()


def test_a_shared_conversation(app: str, new_context: NewContext) -> None:
    author = new_context().new_page()
    author.goto(app)
    ask(author, LAMB)
    author.get_by_role("button", name="Edit").click()
    author.get_by_text("Share", exact=True).click()
    author.get_by_role("button", name="Make a link").click()
    url = author.get_by_role("dialog").get_by_test_id("stCode").inner_text().strip()

    reader = new_context().new_page()
    reader.goto(url)
    expect(reader.get_by_text(LAMB, exact=True)).to_be_visible()
    expect(reader.get_by_test_id("stChatInputTextArea")).to_have_count(0)
    with reader.expect_download() as download:
        reader.get_by_role("button", name="Download as Markdown").click()
    assert "Which wine goes with lamb?" in Path(download.value.path()).read_text("utf-8")
