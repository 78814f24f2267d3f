"""Work in the background: how far it is, what failed and why, retry, stop, dismiss."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace

from page_steps import OpenApp, keys, run, texts
from streamlit.testing.v1 import AppTest

from pages.ui.library_jobs import listed
from rag.jobs import Job, JobFile
from rag.types import IngestProgress
from tests.fakes import FakeEngine


def job(state: str = "running", *files: JobFile, **changes: object) -> Job:
    made = Job("j1", "handbook", "upload", "3 files", state, 1_000.0, files=files)
    return replace(made, counts=Counter(f.state for f in files), **changes)


FILES = (
    JobFile("a.md", "done", documents=1),
    JobFile("b<b>.pdf", "failed", "It is encrypted. Save it without a password."),
    JobFile("c.csv", "waiting"),
)


def ended(at: AppTest) -> AppTest:
    """Run until nothing goes on any more, as the page does by itself."""
    deadline = time.monotonic() + 15
    run(at)
    while any(key.startswith("cancel-") for key in keys(at)):
        assert time.monotonic() < deadline, "the job still goes on"
        time.sleep(0.02)
        run(at)
    return run(at)


def test_a_running_job_says_how_far_it_is_and_how_long(open_library: OpenApp, engine: FakeEngine) -> None:
    progress = IngestProgress("reading", 2, 3, 8, 2.0, seconds_left=8.2, share=0.66)
    engine.librarian("handbook").put(job("running", *FILES, progress=progress))
    at = open_library(prototype="handbook")
    bar = at.get("progress")[0].proto
    assert (bar.value, bar.text) == (66, ":small[**2** of 3 files · :red[1 failed] · about 8 s left]")


def test_what_failed_and_why_stands_before_what_is_done(open_library: OpenApp, engine: FakeEngine) -> None:
    engine.librarian("handbook").put(job("running", *FILES))
    drawn = texts(open_library(prototype="handbook"))
    assert "b&#60;b&#62;&#46;pdf  :gray[It is encrypted&#46; Save it without a password&#46;]" in drawn
    assert drawn.index("b&#60;b") < drawn.index("c&#46;csv") < drawn.index("a&#46;md")


def test_one_that_has_ended_shows_its_failures(open_library: OpenApp, engine: FakeEngine) -> None:
    engine.librarian("handbook").put(job("done", *FILES[:2], ended=1_012.0))
    at = open_library(prototype="handbook")
    assert ":small[:red[1 failed] · 1 added · took 12 s]" in texts(at)
    assert "a&#46;md" not in texts(at)
    assert at.button("retry-j1").label == "Retry"


def test_the_list_can_be_narrowed() -> None:
    assert [f.name for f in listed(job("done", *FILES), "failed")] == ["b<b>.pdf"]
    assert [f.name for f in listed(job("done", *FILES), None)] == ["b<b>.pdf", "c.csv", "a.md"]


def test_an_upload_goes_on_behind_the_page_and_is_retried(open_library: OpenApp, engine: FakeEngine) -> None:
    librarian = engine.librarian("handbook")
    librarian.upload([("good.md", b"One. Two."), ("bad.md", b"x")])
    at = ended(open_library(prototype="handbook"))
    assert "1 failed" in texts(at)
    assert "1 document" in texts(at)
    retry = next(key for key in keys(at) if key.startswith("retry-"))
    at.button(retry).click()
    at = ended(at)
    assert "mended.md" in librarian.rows


def test_work_that_goes_on_shows_in_every_visit(open_library: OpenApp, engine: FakeEngine) -> None:
    librarian = engine.librarian("handbook")
    librarian.hold.clear()
    librarian.upload([("good.md", b"One.")])
    for at in (open_library(prototype="handbook"), open_library(prototype="handbook")):
        assert "**Upload of 1 files**" in texts(at)
    librarian.hold.set()


def test_other_prototypes_have_their_own(open_library: OpenApp, engine: FakeEngine) -> None:
    engine.librarian("handbook").put(job("running", *FILES))
    assert "Upload of" not in texts(open_library(prototype="wine"))


def test_it_is_stopped_and_dismissed(open_library: OpenApp, engine: FakeEngine) -> None:
    librarian = engine.librarian("handbook")
    librarian.delay = 0.05
    librarian.upload([(f"{n}.md", b"One.") for n in range(200)])
    at = open_library(prototype="handbook")
    at.button(next(key for key in keys(at) if key.startswith("cancel-"))).click()
    at = ended(at)
    assert "Stopped&" not in texts(at)
    assert "Stopped. What was indexed by then is kept" in texts(at)
    at.button(next(key for key in keys(at) if key.startswith("dismiss-"))).click()
    run(at)
    assert librarian.jobs() == ()


def test_one_that_the_server_was_stopped_in_can_go_on(open_library: OpenApp, engine: FakeEngine) -> None:
    engine.librarian("handbook").put(job("interrupted", *FILES))
    at = open_library(prototype="handbook")
    assert at.button("retry-j1").label == "Go on"
    assert "Nothing is lost" in texts(at)


def test_a_job_that_failed_as_a_whole_says_why(open_library: OpenApp, engine: FakeEngine) -> None:
    engine.librarian("handbook").put(job("failed", error="The disk is full. Make room."))
    at = open_library(prototype="handbook")
    assert at.error[0].value == "The disk is full&#46; Make room&#46;"


def test_many_files_are_paged(open_library: OpenApp, engine: FakeEngine) -> None:
    files = [JobFile(f"note-{n:04}.md", "done") for n in range(1_000)]
    engine.librarian("handbook").put(job("done", *files, ended=1_100.0))
    at = open_library(prototype="handbook")
    assert "note&#45;0009" in texts(at)
    assert "note&#45;0010" not in texts(at)
