"""The feedback page in Chromium: charts are drawn, nothing is fetched, work in the background shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from browser_steps import HERE, serving
from playwright.sync_api import BrowserContext, Page, expect

from rag.config import Environment
from rag.engine import Engine
from tests.conftest import FILES, write_files
from tests.fakes import FakeEmbedder

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
QUESTIONS = (
    "How long do workers live in summer?",
    "When does the night train leave Vienna?",
    "Which water brews green tea best?",
)
HOSTILE = "<img src=x onerror=\"fetch('http://127.0.0.1:9/html')\"> ![x](http://127.0.0.1:9/leak) $$x^2$$"
CHART = ".vega-embed svg.marks"


@pytest.fixture(scope="module")
def feedback_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app over a real engine and a fake model, with three answers and a hostile topic."""
    home = tmp_path_factory.mktemp("home")
    engine = Engine(Environment(home=home), load_model=FakeEmbedder)
    engine.ingest("notes", [write_files(tmp_path_factory.mktemp("docs"), FILES)])
    made = [engine.ask("notes", question).answer for question in QUESTIONS]
    engine.store.add_feedback(made[0].id, "up")
    engine.store.add_feedback(made[1].id, "down", reasons=["unsafe", HOSTILE[:60]], comment=HOSTILE)
    model = engine.prototype("notes").settings.embedding_model
    engine.store.topics.replace("notes", model, [(HOSTILE, np.ones(32, np.float32) / 32**0.5, 0.0)])
    (topic,) = engine.store.topics.all()
    engine.store.topics.assign(dict.fromkeys((1, 2, 3), topic.id))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAKE_MODEL", "1")
        with serving(HERE / "fake" / "app.py", home) as address:
            yield address


@pytest.fixture
def feedback(feedback_app: str, new_context: NewContext) -> Callable[..., Page]:
    """``feedback(width=390)`` opens the page in a browser of its own; foreign requests fail the test."""
    foreign: list[str] = []

    def go(**options: object) -> Page:
        page = new_context(**options).new_page()
        page.on("request", lambda r: foreign.append(r.url) if _is_foreign(r.url, feedback_app) else None)
        page.goto(f"{feedback_app}/feedback")
        expect(page.get_by_role("heading", name="Feedback")).to_be_visible()
        return page

    yield go
    assert foreign == []


def _is_foreign(url: str, home: str) -> bool:
    return not url.startswith((home, home.replace("http", "ws"), "data:", "blob:"))


def view(page: Page, name: str) -> None:
    page.locator(".st-key-feedback-view").get_by_text(name, exact=True).click()


def test_a_single_day_stands_in_the_middle(feedback: Callable[..., Page]) -> None:
    page = feedback()
    for number, marks in ((0, ".mark-symbol path"), (1, ".mark-rect path")):
        chart, mark = page.locator(CHART).nth(number), page.locator(CHART).nth(number).locator(marks).first
        expect(mark).to_be_attached()
        whole, part = chart.bounding_box(), mark.bounding_box()
        assert whole is not None
        assert part is not None
        assert 0.35 < (part["x"] + part["width"] / 2 - whole["x"]) / whole["width"] < 0.65


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_charts_are_drawn_at_any_width_and_in_any_light(
    feedback: Callable[..., Page], width: int, scheme: str
) -> None:
    page = feedback(width=width, color_scheme=scheme)
    page.get_by_text("In figures").click()
    expect(page.locator(CHART)).to_have_count(5)
    for number in range(5):
        marks = page.locator(CHART).nth(number).locator(".mark-symbol path, .mark-rect path")
        expect(marks.first).to_be_attached()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for chart in page.locator(CHART).all():
        box = chart.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= width


def test_names_of_topics_and_reasons_are_drawn_and_never_read(feedback: Callable[..., Page]) -> None:
    page = feedback()
    page.locator(".st-key-feedback-by").get_by_text("Topic", exact=True).click()
    expect(page.get_by_text("Topics computed")).to_be_visible()
    page.get_by_text("In figures").click()
    expect(page.get_by_role("cell", name="<img src=x")).to_be_visible()
    chart = page.locator(CHART).nth(2)
    chart.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = chart.bounding_box()
    assert box is not None
    # A point of the chart shows its tooltip, in which Vega puts the name.
    for share in range(20, 100, 2):
        page.mouse.move(box["x"] + box["width"] * share / 100, box["y"] + 9)
        page.wait_for_timeout(40)
        if page.locator("#vg-tooltip-element.visible").count():
            break
    expect(page.locator("#vg-tooltip-element")).to_contain_text("<img src=x")
    assert page.locator("#vg-tooltip-element img").count() == 0


def test_what_is_found_in_the_background_shows_by_itself(feedback: Callable[..., Page]) -> None:
    page = feedback()
    view(page, "Failures")
    expect(page.get_by_text(QUESTIONS[1])).to_be_visible()
    expect(page.get_by_text("The reader says that the answer is unsafe.")).to_be_visible()


def test_an_answer_is_read_noted_and_found_again_by_its_note(feedback: Callable[..., Page]) -> None:
    page = feedback()
    view(page, "Answers")
    page.get_by_role("button", name=QUESTIONS[1]).click()
    expect(page.get_by_text("What the reader said")).to_be_visible()
    expect(page.get_by_text("<img src=x").first).to_be_visible()
    page.get_by_role("textbox", name="Note").fill("Ask the railway.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved")).to_be_visible()
    page.reload()
    expect(page.get_by_role("textbox", name="Note")).to_have_value("Ask the railway.")
    page.get_by_role("button", name="Back").click()
    view(page, "Answers")
    page.get_by_placeholder("Search questions").fill("railway")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 answer", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name=QUESTIONS[1])).to_be_visible()


def test_the_address_of_an_answer_opens_it(feedback: Callable[..., Page]) -> None:
    page = feedback()
    view(page, "Answers")
    page.get_by_role("button", name=QUESTIONS[0]).click()
    expect(page.get_by_role("button", name="Back")).to_be_visible()
    assert "answer=" in page.url
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_text(QUESTIONS[0])).to_be_visible()
    page.go_back()
    expect(page.get_by_text("3 answers", exact=True)).to_be_visible()
