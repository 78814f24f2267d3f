"""The library page as a whole: whose documents, empty, adding, the index, the ways in and out."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from page_steps import OpenApp, address, ask, keys, run, texts
from streamlit.testing.v1 import AppTest

from pages.ui.library_drop import Incoming, distinct
from pages.ui.library_making import slug
from pages.ui.library_words import duration, size
from rag.doctor import Check
from tests.fakes import FakeEngine, FakePreparation


def show(at: AppTest, view: str) -> AppTest:
    at.button_group("library-view").set_value(view)
    return run(at)


# --- whose documents -----------------------------------------------------------


def test_the_address_says_whose_documents(open_library: OpenApp) -> None:
    at = open_library(prototype="handbook")
    assert at.selectbox("library-prototype").value == "handbook"
    at.selectbox("library-prototype").set_value("wine")
    run(at)
    assert address(at, "prototype") == "wine"
    assert "240 documents" in texts(at)


@pytest.mark.parametrize(
    ("typed", "name"),
    [("Café notes", "cafe-notes"), ("  2026: trips!", "2026-trips"), ("日本", ""), ("a_b", "a-b")],
)
def test_slug(typed: str, name: str) -> None:
    assert slug(typed) == name


def make(at: AppTest, name: str) -> AppTest:
    at.text_input("library-new").set_value(name)
    next(b for b in at.button if b.label == "Make it").click()
    return run(at)


def test_a_new_prototype_is_made_by_its_name_and_is_empty(open_library: OpenApp, engine: FakeEngine) -> None:
    at = make(open_library(), "My notes")
    assert address(at, "prototype") == "my-notes"
    assert "What is read:" in texts(at)
    assert (engine.environment.home / "prototypes" / "my-notes" / "prototype.toml").is_file()


def test_what_an_earlier_one_of_the_name_left_is_told(open_library: OpenApp, engine: FakeEngine) -> None:
    engine.told = "There was a prototype “my-notes” before. Its files were moved to uploads/my-notes.old."
    at = make(open_library(), "My notes")
    assert "There was a prototype" in at.info[0].value
    assert address(at, "prototype") == "my-notes"


def test_a_name_that_is_taken_is_opened(open_library: OpenApp) -> None:
    at = make(open_library(), "Handbook")
    assert address(at, "prototype") == "handbook"
    assert "already" in at.info[0].value


def test_a_name_without_letters_is_refused_in_a_sentence(open_library: OpenApp) -> None:
    at = make(open_library(), "日本")
    assert at.error[0].value.startswith("A prototype needs a name")


def test_a_ready_made_prototype_is_read_before_it_is_called_empty(
    open_library: OpenApp, engine: FakeEngine
) -> None:
    engine.preparation = FakePreparation(ready=False)
    at = open_library(prototype="handbook")
    assert len(at.get("progress")) == 1


# --- ways in and out -------------------------------------------------------------


def links(at: AppTest) -> dict[str, str]:
    return {link.proto.label: link.proto.query_string for link in at.get("page_link")}


def test_the_menu_keeps_the_prototype(open_app: OpenApp, open_library: OpenApp) -> None:
    assert links(open_app(prototype="handbook"))["Library"] == "prototype=handbook"
    assert links(open_library(prototype="handbook"))["Chat"] == "prototype=handbook"


def test_from_the_chat_and_back_into_its_conversation(open_app: OpenApp) -> None:
    at = ask(open_app(prototype="wine"), "Which wine goes with lamb?")
    opened = address(at, "conversation")
    at.switch_page("pages/library.py")
    at.query_params.clear()
    at.query_params["prototype"] = "wine"
    run(at)
    assert "conversation" not in at.query_params
    assert f"conversation={opened}" in links(at)["Chat"]


# --- adding ----------------------------------------------------------------------


def parcel(number: int, *pieces: tuple[str, str, bytes], last: bool = True) -> dict[str, object]:
    return {
        "number": number,
        "first": number == 1,
        "last": last,
        "pieces": [{"name": n, "state": s, "length": len(c)} for n, s, c in pieces],
        "content": base64.b64encode(b"".join(c for _, _, c in pieces)).decode(),
    }


def contents(incoming: Incoming) -> list[tuple[str, bytes]]:
    found = []
    for name, file in incoming.hand_over():
        with file:
            found.append((name, file.read()))
    return found


def test_small_files_come_in_one_parcel() -> None:
    incoming = Incoming()
    assert incoming.take(parcel(1, ("a.md", "whole", b"A"), ("b.md", "whole", b"")), limit=10)
    assert contents(incoming) == [("a.md", b"A"), ("b.md", b"")]


def test_a_large_file_comes_in_several() -> None:
    incoming = Incoming()
    assert not incoming.take(parcel(1, ("a.md", "part", b"one "), last=False), limit=10)
    assert incoming.take(parcel(2, ("a.md", "whole", b"two")), limit=10)
    assert contents(incoming) == [("a.md", b"one two")]


def test_a_parcel_that_comes_again_changes_nothing() -> None:
    incoming = Incoming()
    incoming.take(parcel(1, ("a.md", "whole", b"A"), last=False), limit=10)
    assert not incoming.take(parcel(1, ("a.md", "whole", b"A")), limit=10)
    assert contents(incoming) == [("a.md", b"A")]


def test_a_file_that_is_too_large_is_told_and_costs_the_others_nothing() -> None:
    incoming = Incoming()
    pieces = [("big.pdf", "large", b""), ("a.md", "whole", b"A")]
    assert incoming.take(parcel(1, *pieces), limit=50_000_000)
    assert incoming.told == [
        "“big.pdf” was not sent: it has 0 bytes, and the limit is 50 MB. "
        "Split it, or raise THUMBPRINT_MAX_FILE_MB."
    ]
    assert contents(incoming) == [("a.md", b"A")]


def test_a_file_that_breaks_off_is_told_and_costs_the_others_nothing() -> None:
    incoming = Incoming()
    incoming.take(parcel(1, ("a.md", "part", b"one"), last=False), limit=10)
    assert incoming.take(parcel(2, ("a.md", "unreadable", b""), ("b.md", "whole", b"B")), limit=10)
    assert contents(incoming) == [("b.md", b"B")]
    assert incoming.told == ["“a.md” could not be read by the browser. Drop it again."]


def test_what_came_whole_before_the_page_was_left_is_handed_over() -> None:
    incoming = Incoming()
    incoming.take(parcel(1, ("a.md", "whole", b"A"), ("b.md", "part", b"B"), last=False), limit=10)
    assert incoming.sending
    rest = {"number": 2, "first": True, "last": True, "pieces": [], "content": ""}
    assert incoming.take(rest, limit=10)
    assert not incoming.sending
    assert contents(incoming) == [("a.md", b"A")]


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="ASCII"):
        Incoming().take({"number": 1, "first": True, "last": True, "pieces": [], "content": "é"}, limit=10)


def test_files_of_one_name_are_told_apart() -> None:
    named = distinct([("a/x.md", None), ("x.md", None), ("x.md", None), ("x (2).md", None)])
    assert [name for name, _ in named] == ["a/x.md", "x.md", "x (2).md", "x (2) (2).md"]


def test_adding_to_a_ready_made_prototype_warns(open_library: OpenApp) -> None:
    at = show(open_library(prototype="wine"), "Add files")
    assert "Wine cellar comes with Thumbprint" in texts(at)
    assert "Open the chat" in links(at)


# --- the index -------------------------------------------------------------------


def test_the_index_in_numbers(open_library: OpenApp) -> None:
    at = show(open_library(prototype="wine"), "Index")
    assert [(m.label, m.value) for m in at.metric] == [
        ("Documents", "240"),
        ("Sections", "240"),
        ("Chunks", "960"),
        ("On disk", "1.8 MB"),
    ]
    assert "Vectors 1&#46;5 MB · Keywords 250 kB · Uploaded files 0 bytes" in texts(at)
    assert "`1d3a5e77`" in texts(at)


def test_what_the_doctor_says_and_mending(open_library: OpenApp, engine: FakeEngine) -> None:
    librarian = engine.librarian("wine")
    librarian.checks = (Check("indexes", False, "The keyword index lacks 3 chunks."),)
    at = show(open_library(prototype="wine"), "Index")
    assert ":red[:material/error:] The keyword index lacks 3 chunks&#46;" in texts(at)
    at.button("library-mend").click()
    run(at)
    assert librarian.mended == 1
    assert "**Check and mend**" in texts(at)


def test_building_anew_asks_for_what_was_changed(open_library: OpenApp, engine: FakeEngine) -> None:
    librarian = engine.librarian("wine")
    librarian.hold.clear()
    at = show(open_library(prototype="wine"), "Index")
    at.number_input("reindex-tokens").set_value(100)
    next(b for b in at.button if b.label == "Re-index").click()
    run(at)
    assert librarian.reindexed == [{"chunking.section_tokens": "100", "embedding.model": "fake"}]
    assert "Re&#45;index&#58; fake, sections of 100" in texts(at)
    assert any(key.startswith("cancel-") for key in keys(at))
    librarian.hold.set()


def test_settings_that_ask_for_another_index_fill_the_form(
    open_library: OpenApp, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    librarian = engine.librarian("wine")
    status = replace(librarian.status(), outdated=True, wanted=("other", 300))
    monkeypatch.setattr(librarian, "status", lambda *, checks=True: status)
    at = show(open_library(prototype="wine"), "Index")
    next(b for b in at.button if b.label == "Re-index").click()
    run(at)
    assert librarian.reindexed == [{"chunking.section_tokens": "300", "embedding.model": "other"}]


# --- words -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_500, "1.5 kB"),
        (50_000_000, "50 MB"),
        (2e9, "2 GB"),
        (3e15, "3000 TB"),
    ],
)
def test_size(number: float, words: str) -> None:
    assert size(number) == words


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "1 s"), (89, "89 s"), (200, "3 min"), (7_300, "2 h")])
def test_duration(seconds: float, words: str) -> None:
    assert duration(seconds) == words
