"""The feedback page over a real engine and a fake model: figures, lists, one answer, notes."""

from __future__ import annotations

from pathlib import Path

import pytest
from page_steps import SECRET, OpenApp, address, keys, run, texts
from streamlit.testing.v1 import AppTest

from pages.ui import resources
from pages.ui.writing import Writings
from rag.config import Environment
from rag.engine import Engine
from rag.insights import Insights
from rag.prototypes import create_prototype
from rag.types import Answer
from tests.conftest import FILES, write_files
from tests.fakes import FakeEmbedder

ROOT = Path(__file__).parents[2]
QUESTIONS = (
    "How long do workers live in summer?",
    "When does the night train leave Vienna?",
    "Which water brews green tea best?",
)


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A real engine with three documents, in the place of the fake one under the page."""
    made = Engine(Environment(home=tmp_path / "home"), load_model=FakeEmbedder)
    made.ingest("notes", [write_files(tmp_path / "docs", FILES)])
    insights, writings = Insights(made), Writings()
    monkeypatch.setattr(resources, "engine", lambda: made)
    monkeypatch.setattr(resources, "writings", lambda: writings)
    monkeypatch.setattr(resources, "insights", lambda: insights)
    return made


@pytest.fixture
def answers(notes: Engine) -> list[Answer]:
    """Three answers: liked, not liked for two reasons, not rated; and one of a batch."""
    made = [notes.ask("notes", question).answer for question in QUESTIONS]
    notes.ask("notes", QUESTIONS[0], origin="batch").answer  # noqa: B018
    notes.store.add_feedback(made[0].id, "up")
    notes.store.add_feedback(
        made[1].id,
        "down",
        reasons=["wrong", "bad-citation"],
        comment="It leaves at <b>eleven</b>.",
        correction="It leaves at eleven. $x$",
        reported=[1],
    )
    return made


@pytest.fixture
def open_feedback(notes: Engine) -> OpenApp:
    def visit(view: str = "", **address: str) -> AppTest:
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=20)
        at.session_state["browser-secret"] = SECRET
        if view:
            at.session_state["feedback-view"] = view
        at.switch_page("pages/feedback.py")
        for name, value in address.items():
            at.query_params[name] = value
        return run(at)

    return visit


def rows(at: AppTest) -> list[str]:
    """The questions of the list, each kept to itself where it is written from right to left."""
    labels = [b.label for b in at.button if str(b.key).startswith("feedback-open-")]
    isolated = [label.split("**")[1] for label in labels]
    assert all(text[0] + text[-1] == "\u2068\u2069" for text in isolated)
    return [text[1:-1] for text in isolated]


def test_without_answers_it_says_what_to_do(open_feedback: OpenApp) -> None:
    at = open_feedback()
    assert "No answers yet" in texts(at)
    assert "Ask a first question" in texts(at)


def test_without_ratings_it_says_where_they_come_from(notes: Engine, open_feedback: OpenApp) -> None:
    notes.ask("notes", QUESTIONS[0]).answer  # noqa: B018
    at = open_feedback()
    assert "Nobody has rated an answer yet" in at.info[0].value


def test_the_figures_are_those_of_the_chat(answers: list[Answer], open_feedback: OpenApp) -> None:
    told = texts(open_feedback())
    assert ":small[:gray[Answers]]\n### 3\n:small[:gray[2 rated]]" in told
    # Wilson for 1 of 2, and for 2 of 3.
    assert ":small[:gray[Thumbs up]]\n### 50%\n:small[:gray[9 to 91%]]" in told
    assert ":small[:gray[Response rate]]\n### 66.7%\n:small[:gray[20.8 to 93.9%]]" in told
    assert ":small[:gray[Cost]]\n### &#36;0\n:small[:gray[known of all]]" in told
    assert "Not counted here: 1 answer of batches" in told


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ([None, None, None], "–\n:small[:gray[not known]]"),
        ([0.5, None, None], "&#36;0.5000\n:small[:gray[known of 1]]"),
        ([1_000.0, 234.5, 0.0], "&#36;1,234.50\n:small[:gray[known of all]]"),
    ],
)
def test_a_cost_that_is_not_known_is_not_guessed(
    answers: list[Answer], notes: Engine, open_feedback: OpenApp, known: list[float | None], told: str
) -> None:
    with notes.store._database.writing() as connection:
        for answer, cost in zip(answers, known, strict=True):
            connection.execute("UPDATE answers SET cost = ? WHERE id = ?", (cost, answer.id))
    assert f":small[:gray[Cost]]\n### {told}" in texts(open_feedback())


@pytest.mark.parametrize("by", ["Settings", "Topic", "Model", "Link"])
def test_each_breakdown_has_its_table(answers: list[Answer], open_feedback: OpenApp, by: str) -> None:
    at = open_feedback()
    at.button_group("feedback-by").set_value(by)
    run(at)
    (table,) = [m.value for m in at.markdown if m.value.startswith("|  | Answers")]
    assert "| 3 | 2 | 66.7% | 50% (9 to 91%) | 0% |" in table


def test_facts_are_offered_once_a_prototype_is_chosen(answers: list[Answer], open_feedback: OpenApp) -> None:
    at = open_feedback()
    assert "Facts" not in at.button_group("feedback-by").options
    at.selectbox("feedback-prototype").set_value("notes")
    run(at)
    assert "Facts" in at.button_group("feedback-by").options
    at.button_group("feedback-by").set_value("Facts")
    run(at)


@pytest.mark.parametrize("line", ["Response", "“I don't know”", "Seconds"])
def test_each_line_over_time_is_drawn(answers: list[Answer], open_feedback: OpenApp, line: str) -> None:
    at = open_feedback()
    at.button_group("feedback-line").set_value(line)
    run(at)
    assert "Over time" in texts(at)


def test_topics_are_found_on_demand_and_dated(notes: Engine, open_feedback: OpenApp) -> None:
    for what in "bees drones workers larvae eggs mites wasps".split():
        notes.ask("notes", f"How many {what} live in the hive of a queen?").answer  # noqa: B018
        notes.ask("notes", f"Which water brews {what} tea best?").answer  # noqa: B018
    at = open_feedback()
    at.button_group("feedback-by").set_value("Topic")
    run(at)
    assert "not been put together by topic yet" in texts(at)
    at.button("feedback-regroup").click()
    run(at)
    deadline = 600
    while resources.insights().work.running and deadline:
        deadline -= 1
        run(at)
    assert "Topics computed" in texts(run(at))
    assert at.button("feedback-regroup").label == "Compute anew"


def test_the_list_is_searched_and_filtered(answers: list[Answer], open_feedback: OpenApp) -> None:
    at = open_feedback("Answers")
    assert len(rows(at)) == 4
    at.text_input("feedback-text").set_value("eleven TRAIN")
    run(at)
    assert rows(at) == [QUESTIONS[1]]
    at.text_input("feedback-text").set_value("")
    at.selectbox("feedback-rating").set_value("up")
    run(at)
    assert rows(at) == [QUESTIONS[0]]
    at.selectbox("feedback-rating").set_value("any")
    at.selectbox("feedback-origin").set_value("batch")
    run(at)
    assert rows(at) == [QUESTIONS[0]]
    at.selectbox("feedback-origin").set_value(None)
    at.selectbox("feedback-reason").set_value("bad-citation")
    run(at)
    assert rows(at) == [QUESTIONS[1]]
    assert "More filters · 1 set" in [e.label for e in at.expander]
    at.text_input("feedback-text").set_value("beer")
    run(at)
    assert "**Nothing matches.**" in texts(at)


def test_a_period_without_answers_is_told(
    answers: list[Answer], notes: Engine, open_feedback: OpenApp
) -> None:
    with notes.store._database.writing() as connection:
        connection.execute("UPDATE digest SET created = 1000000000")
    at = open_feedback()
    at.selectbox("feedback-period").set_value("Last 7 days")
    run(at)
    assert "No answers in this period" in texts(at)
    at.selectbox("feedback-period").set_value("Between two days")
    run(at)
    assert "No answers in this period" in texts(at)


def test_pages_of_25(notes: Engine, open_feedback: OpenApp) -> None:
    one = notes.ask("notes", QUESTIONS[0]).answer
    from dataclasses import replace

    for n in range(29):
        notes.store.save_answer(
            replace(one, id=f"{n:032x}", question=f"Question {n}?", created=one.created + n + 1)
        )
    at = open_feedback("Answers")
    assert "1 to 25 of 30 answers" in texts(at)
    assert rows(at)[0] == "Question 28?"
    at.session_state["feedback-page-answers"] = 2
    run(at)
    assert rows(at)[-1] == QUESTIONS[0]
    at.selectbox("feedback-order").set_value("oldest")
    run(at)
    assert rows(at)[0] == QUESTIONS[0]


def test_an_answer_is_read_in_full_and_left_again(answers: list[Answer], open_feedback: OpenApp) -> None:
    at = open_feedback("Answers")
    at.selectbox("feedback-rating").set_value("down")
    run(at)
    at.button("feedback-open-0").click()
    run(at)
    assert address(at, "answer") == answers[1].id
    told = texts(at)
    assert "The night train leaves Vienna at ten" in told
    assert ":orange-badge[Wrong] :orange-badge[Bad citation]" in told
    assert "<b>" not in told, "what a reader writes is never markup"
    assert "eleven" in told
    assert "$x$" not in told
    assert any(e.label.startswith("Everything it was made from") for e in at.expander)
    assert "extractive" in told
    at.button("feedback-back").click()
    run(at)
    assert "answer" not in at.query_params
    assert rows(at) == [QUESTIONS[1]]


def test_an_answer_that_is_not_there_is_told(notes: Engine, open_feedback: OpenApp) -> None:
    at = open_feedback(answer="nothing")
    assert "No answer is stored under the id" in at.error[0].value
    assert "feedback-back" in keys(at)


def test_what_the_owner_notes_is_kept_and_counts(
    answers: list[Answer], notes: Engine, open_feedback: OpenApp
) -> None:
    Insights(notes).triage(lambda *_: None)
    at = open_feedback(answer=answers[1].id)
    assert ":orange-badge[Not in the corpus]" in texts(at)
    at.selectbox(f"annotate-failure-{answers[1].id}").set_value("ranked-low")
    at.text_area(f"annotate-note-{answers[1].id}").set_value("The new timetable is not in here.")
    next(b for b in at.button if b.label == "Save").click()
    run(at)
    assert "Saved" in texts(at)
    kept = notes.store.annotations.of([answers[1].id])[answers[1].id]
    assert (kept.failure, kept.note) == ("ranked-low", "The new timetable is not in here.")
    again = open_feedback("Failures")
    assert ":orange-badge[Ranked too low]" in texts(again)
    assert "Corrected by you" in texts(again)


def test_a_note_that_cannot_be_saved_is_told(
    answers: list[Answer], notes: Engine, open_feedback: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rag.errors import StoreError

    def full(*_: object) -> None:
        raise StoreError("The disk is full. Free some space.")

    at = open_feedback(answer=answers[0].id)
    monkeypatch.setattr(notes.store.annotations, "add", full)
    next(b for b in at.button if b.label == "Save").click()
    run(at)
    assert "This was not saved" in at.error[0].value


def test_failures_are_listed_with_what_was_found(
    answers: list[Answer], notes: Engine, open_feedback: OpenApp
) -> None:
    Insights(notes).triage(lambda *_: None)
    at = open_feedback("Failures")
    assert rows(at) == [QUESTIONS[1]]
    told = texts(at)
    assert ":orange-badge[Not in the corpus] :small[:gray[Nothing in the library holds" in told


def test_opening_the_page_begins_to_look_at_what_waits(
    answers: list[Answer], notes: Engine, open_feedback: OpenApp
) -> None:
    assert notes.store.findings.waiting(1) == 1
    at = open_feedback("Failures")
    deadline = 600
    while notes.store.findings.waiting(1) and deadline:
        deadline -= 1
        run(at)
    assert notes.store.findings.waiting(1) == 0


def test_the_names_of_prototypes_and_reasons_are_never_markup(notes: Engine, open_feedback: OpenApp) -> None:
    made = create_prototype("odd", notes.environment.home)
    toml = made.folder / "prototype.toml"
    toml.write_text('title = "<img src=x> $x$ | [a](b)"\nicon = "📄"\n', encoding="utf-8")
    from dataclasses import replace

    one = notes.ask("notes", QUESTIONS[0]).answer
    odd = replace(one, id="o" * 32, provenance=replace(one.provenance, prototype="odd"))
    notes.store.save_answer(odd)
    notes.store.add_feedback("o" * 32, "down", reasons=["<script>|"])
    told = texts(open_feedback()) + texts(open_feedback("Answers")) + texts(open_feedback("Failures"))
    assert "<img" not in told
    assert "<script>" not in told
    assert "[a](b)" not in told
