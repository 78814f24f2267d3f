"""The export on a page: what is chosen, what comes of it, what is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from page_steps import run, texts
from streamlit.testing.v1 import AppTest

from rag.errors import StoreError
from rag.export.making import FOLDER, Making, sweep
from rag.store import Rated, Selection, Store
from tests.fakes import FakeEngine
from tests.rated import RED, answer

PAGE = Path(__file__).with_name("export_page.py")


@pytest.fixture
def at(engine: FakeEngine) -> AppTest:
    """The page over a store with two answers of November 2023."""
    engine.store.save_answer(answer("one", "Call 0612345678?", "Yes.", RED))
    engine.store.save_answer(answer("two", "Which red?", "That.", RED, created=1_700_100_000.0))
    engine.store.add_feedback("two", "up")
    at = AppTest.from_file(str(PAGE), default_timeout=20)
    return run(at)


def prepare(at: AppTest) -> Making:
    """Press the button, wait for the file, and draw the page again."""
    at.button("export-start").click()
    run(at)
    making: Making = at.session_state["export-making"]
    assert making.wait(20)
    run(at)
    return making


def test_all_of_it_as_csv_is_one_click_away(at: AppTest) -> None:
    assert "2 answers match" in texts(at)

    making = prepare(at)

    assert making.path is not None
    assert making.path.name == "feedback.csv"
    assert making.path.read_text().count("\n") >= 3
    assert "CSV, " in texts(at)
    assert "2 rows" in texts(at)
    assert at.get("download_button")[0].proto.label == "Download feedback.csv"


def test_choices_reach_the_file(at: AppTest) -> None:
    at.selectbox("export-format").select("jsonl")
    at.selectbox("export-prototype").select("wine")
    at.selectbox("export-rating").select("none")
    at.selectbox("export-ids").select("drop")
    at.date_input("export-until").set_value(date(2023, 11, 14))
    at.toggle("export-redact").set_value(True)
    run(at)
    assert "1 answer matches" in texts(at)

    path = prepare(at).path

    assert path is not None
    assert path.name == "feedback-wine.jsonl"
    row = json.loads(path.read_text())
    assert (row["answer_id"], row["question"]) == ("one", "Call [phone]?")


@pytest.mark.parametrize(
    ("name", "key", "file"),
    [
        ("trec", "export-labels", "feedback-trec.zip"),
        ("kto", "export-prompt", "feedback-kto.jsonl"),
        ("csv", "", ""),
    ],
)
def test_a_format_has_the_choices_that_matter_to_it(at: AppTest, name: str, key: str, file: str) -> None:
    at.selectbox("export-format").select(name)
    run(at)

    shown = {box.key for box in at.selectbox} & {"export-labels", "export-prompt"}
    assert shown == ({key} if key else set())
    if file:
        path = prepare(at).path
        assert path is not None
        assert path.name == file


def test_the_next_file_removes_the_one_before(at: AppTest, engine: FakeEngine) -> None:
    first = prepare(at).path
    second = prepare(at).path

    assert first is not None
    assert second is not None
    assert not first.exists()
    assert second.exists()
    assert len(list((engine.environment.home / FOLDER).iterdir())) == 1


def test_a_long_one_shows_how_far_it_is_and_can_be_stopped(at: AppTest, engine: FakeEngine) -> None:
    going, go_on = threading.Event(), threading.Event()
    whole = engine.store.stream

    def slow(selection: Selection) -> Iterator[Rated]:
        for rated in whole(selection):
            yield rated
            going.set()
            assert go_on.wait(20)

    engine.store.stream = slow  # type: ignore[method-assign]
    at.button("export-start").click()
    run(at)
    making: Making = at.session_state["export-making"]
    assert going.wait(20)
    run(at)
    assert any(button.key == "export-stop" for button in at.button)
    assert at.button("export-start").disabled

    at.button("export-stop").click()
    run(at)
    go_on.set()
    assert making.wait(20)
    run(at)

    assert "was stopped" in at.info[0].value
    assert not any((engine.environment.home / FOLDER).iterdir())


def test_a_failure_is_told_in_its_words(at: AppTest, engine: FakeEngine) -> None:
    def broken(selection: Selection) -> Any:
        raise StoreError("The disk is full.")

    engine.store.stream = broken  # type: ignore[method-assign]
    prepare(at)

    assert "The disk is full" in at.error[0].value


def test_a_file_that_is_gone_is_told(at: AppTest) -> None:
    path = prepare(at).path
    assert path is not None
    path.unlink()
    run(at)

    assert "not there any more" in at.error[0].value


def test_a_large_text_is_packed(tmp_path: Path) -> None:
    import zipfile

    store = Store(tmp_path / "store.db")
    store.save_answer(answer("one", "Which?", "That.", RED))
    from rag.export import Options

    making = Making(store, tmp_path, "jsonl", Options(), large=100)
    making.start()
    assert making.wait(20)

    assert making.path is not None
    assert making.path.name == "feedback.jsonl.zip"
    assert zipfile.ZipFile(making.path).namelist() == ["feedback.jsonl"]
    assert [p.name for p in making.path.parent.iterdir()] == [making.path.name]


def test_what_was_forgotten_is_swept(tmp_path: Path) -> None:
    (tmp_path / FOLDER / "old").mkdir(parents=True)
    made = (tmp_path / FOLDER / "old").stat().st_mtime

    sweep(tmp_path, now=made + 3_600)
    assert (tmp_path / FOLDER / "old").exists()
    sweep(tmp_path, now=made + 90_000)
    assert not (tmp_path / FOLDER / "old").exists()
