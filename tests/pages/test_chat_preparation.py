"""A prototype that is not ready: shown as it goes on, asked before, failed."""

from __future__ import annotations

from page_steps import OpenApp, run, settle, texts

from pages.ui.preparation import words
from rag.types import IngestProgress
from tests.fakes import FakeEngine, FakePreparation


def reading(**changes: object) -> IngestProgress:
    values = {
        "stage": "reading",
        "files_done": 120,
        "files_total": 240,
        "chunks_done": 900,
        "seconds": 8.0,
        "share": 0.4,
    }
    return IngestProgress(**{**values, **changes})


def test_the_line_says_what_how_far_and_how_long() -> None:
    assert words(reading(seconds_left=8.2, current="a_b.csv")) == (
        "Reading a&#95;b&#46;csv: 120 of 240, about 8 s left."
    )
    assert words(reading(stage="embedding", seconds_left=200.0)) == (
        "Indexing the documents: 40% done, about 3 min left."
    )
    assert words(reading(stage="loading", files_total=0)) == "Loading the language model."


def test_the_page_is_usable_while_documents_are_read(open_app: OpenApp, engine: FakeEngine) -> None:
    engine.preparation = FakePreparation(ready=False, progress=reading())
    at = open_app()
    bar = at.get("progress")[0]
    assert bar.proto.value == 40
    assert "Reading the documents: 120 of 240" in bar.proto.text
    assert len(at.chat_input) == 1


def test_a_question_before_that_waits_visibly_and_is_answered(open_app: OpenApp, engine: FakeEngine) -> None:
    engine.preparation = FakePreparation(ready=False, progress=reading())
    at = open_app()
    at.chat_input[0].set_value("Which wine goes with lamb?")
    run(at)
    run(at)
    (bar,) = at.get("progress")
    assert bar.proto.text.endswith("Your question is next.]")
    engine.preparation.ready = True
    settle(at)
    assert "comes from Portugal" in texts(at)


def test_a_question_stopped_before_it_was_asked_is_given_back(open_app: OpenApp, engine: FakeEngine) -> None:
    engine.preparation = FakePreparation(ready=False)
    at = open_app()
    at.chat_input[0].set_value("Which wine goes with lamb?")
    run(at)
    at.button("stop").click()
    settle(at)
    at.button("change").click()
    run(at)
    assert at.chat_input[0].proto.value == "Which wine goes with lamb?"
    assert engine.asked == []


def test_a_failure_to_prepare_is_told_once_and_can_be_tried_again(
    open_app: OpenApp, engine: FakeEngine
) -> None:
    engine.preparation = FakePreparation(ready=False, error="The model could not be loaded. Install it.")
    at = open_app()
    assert at.error[0].value == "The model could not be loaded&#46; Install it&#46;"
    engine.preparation = FakePreparation()
    at.button("prepare-again").click()
    run(at)
    assert not at.error


def test_a_question_after_a_failure_to_prepare_says_why(open_app: OpenApp, engine: FakeEngine) -> None:
    engine.preparation = FakePreparation(ready=False, error="The model could not be loaded. Install it.")
    at = open_app()
    at.chat_input[0].set_value("Which wine goes with lamb?")
    settle(at)
    assert [e.value for e in at.error] == ["The model could not be loaded&#46; Install it&#46;"]
    engine.preparation = FakePreparation()
    at.button("try-again").click()
    settle(at)
    assert not at.error
    assert "comes from Portugal" in texts(at)
