"""A running app and a browser to look at it with."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from browser_steps import FLAGS, HERE, PATIENCE, Visit, serving
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright


@pytest.fixture(scope="module")
def fake_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app over the fake engine."""
    with serving(HERE / "fake" / "app.py", tmp_path_factory.mktemp("home")) as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def new_context(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """``new_context(width=390)`` is another browser: its own cookies, nothing kept."""
    opened: list[BrowserContext] = []

    def make(width: int = 1280, height: int = 900, **options: object) -> BrowserContext:
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(PATIENCE)
        opened.append(context)
        return context

    yield make
    for context in opened:
        context.close()


@pytest.fixture
def visit(fake_app: str, new_context: Callable[..., BrowserContext]) -> Visit:
    """``visit()`` opens the app in a browser of its own; ``visit(context, "?x=y")`` in that one."""

    def go(context: BrowserContext | None = None, address: str = "") -> Page:
        page = (context or new_context()).new_page()
        page.goto(fake_app + address)
        expect(page.get_by_test_id("stChatInputTextArea")).to_be_visible()
        return page

    return go
