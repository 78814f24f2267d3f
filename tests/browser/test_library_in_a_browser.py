"""The library page in Chromium: files dropped, watched, left and found; documents read and edited."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser_steps import HERE, serving
from playwright.sync_api import BrowserContext, Page, expect

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
Library = Callable[..., Page]
HOSTILE = (
    "<img src=x onerror=\"fetch('http://127.0.0.1:9/html')\"> ![x](http://127.0.0.1:9/leak) "
    "[a](javascript:alert(1)) $$x^2$$ :red[x] https://127.0.0.1:9/bare"
)


@pytest.fixture(scope="module")
def slow_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app over the fake engine, where a file takes a tenth of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAKE_DELAY", "0.1")
        with serving(HERE / "fake" / "app.py", tmp_path_factory.mktemp("home")) as address:
            yield address


@pytest.fixture
def library(slow_app: str, new_context: NewContext) -> Library:
    """``library("my-notes")`` opens the page of a new prototype of that name, made there."""

    def go(made: str = "", context: BrowserContext | None = None, prototype: str = "wine") -> Page:
        page = (context or new_context()).new_page()
        page.goto(f"{slow_app}/library?prototype={prototype}")
        expect(page.get_by_role("heading", name="Library")).to_be_visible()
        if made:
            page.get_by_role("button", name="New prototype").click()
            page.get_by_role("textbox", name="Name").fill(made)
            page.get_by_role("button", name="Make it").click()
            expect(page.get_by_text("Drop files or a folder here")).to_be_visible()
        return page

    return go


def notes(folder: Path, count: int, **others: str) -> list[str]:
    """Paths of so many small files, and of others by name and content."""
    texts = {f"note-{n:03}.md": f"# Note {n}\n\nThe number of this note is {n}.\n" for n in range(count)}
    for name, text in {**texts, **others}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return sorted(str(path) for path in folder.iterdir())


def test_thirty_files_with_a_live_count_and_what_failed(library: Library, tmp_path: Path) -> None:
    page = library("Thirty")
    page.locator("#pick-files").set_input_files(notes(tmp_path, 29, **{"bad.md": "x"}))
    expect(page.get_by_text("Upload of 30 files")).to_be_visible()
    count = page.get_by_test_id("stProgress")
    expect(count).to_contain_text(re.compile(r"\b[1-9] of 30 files"))
    expect(count).to_contain_text(re.compile(r"\b(1\d|2\d) of 30 files"))
    expect(page.get_by_text("1 failed · 29 added")).to_be_visible()
    expect(page.get_by_text("bad.md The file is damaged. Save it anew and try again.")).to_be_visible()
    expect(page.get_by_text("1 to 25 of 29 documents")).to_be_visible()
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("1 to 25 of 30 documents")).to_be_visible()


def test_nothing_is_uploaded_twice(library: Library, tmp_path: Path) -> None:
    page = library("Twice")
    page.locator("#pick-files").set_input_files(notes(tmp_path, 2))
    expect(page.get_by_text("2 added")).to_be_visible()
    page.get_by_text("Add files", exact=True).click()
    expect(page.get_by_text("Drop files or a folder here")).to_be_visible()
    page.get_by_text("Documents", exact=True).first.click()
    expect(page.get_by_text("2 documents")).to_be_visible()
    expect(page.get_by_text(re.compile("Upload of"))).to_have_count(1)


def test_a_folder_keeps_its_paths_and_leaves_hidden_files_out(library: Library, tmp_path: Path) -> None:
    for name in ("one/readme.md", "two/readme.md", ".git/config"):
        path = tmp_path / "docs" / name
        path.parent.mkdir(parents=True)
        path.write_text("A sentence.", encoding="utf-8")
    page = library("Folders")
    page.locator("#pick-folder").set_input_files(str(tmp_path / "docs"))
    expect(page.get_by_text("2 documents")).to_be_visible()
    for name in ("one", "two"):
        expect(page.get_by_role("button", name=f"docs/{name}/readme.md")).to_be_visible()


def test_a_file_of_many_megabytes_comes_whole(library: Library, tmp_path: Path) -> None:
    large = tmp_path / "large.md"
    large.write_bytes(b"A sentence of ten words stands in this long file.\n\n" * 200_000)
    page = library("Large")
    page.locator("#pick-files").set_input_files(str(large))
    expect(page.get_by_text("1 added")).to_be_visible(timeout=120_000)
    page.get_by_role("button", name="large.md").click()
    expect(page.get_by_text("10,200,000 characters")).to_be_visible(timeout=120_000)


def test_a_closed_tab_changes_nothing(library: Library, new_context: NewContext, tmp_path: Path) -> None:
    context = new_context()
    page = library("Closed", context)
    page.locator("#pick-files").set_input_files(notes(tmp_path, 30))
    expect(page.get_by_text("Upload of 30 files")).to_be_visible()
    page.close()
    again = library(context=context, prototype="closed")
    expect(again.get_by_text("Upload of 30 files")).to_be_visible()
    expect(again.get_by_text("30 added")).to_be_visible()
    expect(again.get_by_text("1 to 25 of 30 documents")).to_be_visible()


def test_left_for_the_chat_and_found_again_in_another_browser(
    library: Library, new_context: NewContext, tmp_path: Path
) -> None:
    page = library("Left")
    page.locator("#pick-files").set_input_files(notes(tmp_path, 40))
    expect(page.get_by_text("Upload of 40 files")).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Chat").click()
    expect(page.get_by_test_id("stChatInputTextArea")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?prototype=left$"))
    page.get_by_test_id("stSidebar").get_by_role("link", name="Library").click()
    expect(page.get_by_text("Upload of 40 files")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/library\?prototype=left$"))
    other = library(context=new_context(), prototype="left")
    expect(other.get_by_text("40 added")).to_be_visible()


def test_what_documents_and_file_names_say_is_only_text(
    library: Library, new_context: NewContext, tmp_path: Path
) -> None:
    context = new_context()
    requested: list[str] = []
    context.on("request", lambda request: requested.append(request.url))
    page = library("Hostile", context)
    name = "![x](javascript:1) <b>bold.md"
    page.locator("#pick-files").set_input_files(notes(tmp_path, 0, **{name: HOSTILE}))
    expect(page.get_by_text("1 added")).to_be_visible()
    page.get_by_role("button", name=name).click()
    main = page.locator("#stMain")
    expect(main).to_contain_text("[a](javascript:alert(1)) $$x^2$$ :red[x] https://127.0.0.1:9/bare")
    expect(main.locator("img, b, .katex, a[href^=javascript], a[href*='127.0.0.1:9']")).to_have_count(0)
    origin = page.url.split("/library")[0]
    assert [url for url in requested if not url.startswith((origin, "data:", "blob:"))] == []


def test_a_document_is_found_read_edited_and_reverted(library: Library) -> None:
    page = library()
    expect(page.get_by_text("1 to 25 of 240 documents")).to_be_visible()
    page.get_by_label("Search").fill("riesling mosel")
    page.get_by_label("Search").press("Enter")
    expect(page.get_by_text("20 documents")).to_be_visible()
    page.get_by_role("button", name="Quinta 015").click()
    expect(page.get_by_role("heading", name="Quinta 015")).to_be_visible()
    marked = page.locator(".stMarkdownColoredBackground")
    expect(marked.filter(has_text="A wine for lamb.")).to_be_visible()
    page.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Region").fill("Saar")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Region: Saar")).to_be_visible()
    page.get_by_role("button", name="Revert").click()
    expect(page.get_by_text("Region: Mosel")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("20 documents")).to_be_visible()


def test_pages_turn_and_keep_their_place(library: Library) -> None:
    page = library()
    expect(page.get_by_text("documents match")).to_be_visible()
    page.get_by_role("button", name="Next page").click()
    expect(page.get_by_text("26 to 50 of 240 documents")).to_be_visible()
    page.get_by_role("button", name="Quinta 026").click()
    page.get_by_role("button", name="All documents").click()
    expect(page.get_by_text("26 to 50 of 240 documents")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows_a_phone(library: Library, new_context: NewContext, scheme: str) -> None:
    page = library(context=new_context(width=390, height=844, color_scheme=scheme))
    expect(page.get_by_text("1 to 25 of 240 documents")).to_be_visible()
    for view, shown in (("Add files", "Drop files or a folder here"), ("Index", "Build it anew")):
        page.get_by_text(view, exact=True).first.click()
        expect(page.get_by_text(shown)).to_be_visible()
        main = page.locator("#stMain")
        assert main.evaluate("element => element.scrollWidth <= element.clientWidth")


def test_the_zone_is_reached_by_keyboard(library: Library) -> None:
    page = library("Keys")
    page.get_by_role("button", name="Choose files").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Choose a folder")).to_be_focused()
