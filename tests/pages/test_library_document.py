"""One document: its facts, its text with sections and chunks drawn, its editing."""

from __future__ import annotations

from page_steps import OpenApp, run, texts

from pages.ui.library_document import chunked, leaves
from pages.ui.library_edit import changed, kinds
from rag.librarian import DocumentView, SectionView
from rag.types import DocumentRecord, SourceFile
from tests.fakes import FakeEngine, prototypes

HOSTILE = '<img src=x onerror="x"> [a](javascript:x) $$x$$ :red[x] https://127.0.0.1:9/x ![x](y).'


def view(text: str, sections: list[tuple[int, int]], chunks: list[tuple[int, int]]) -> DocumentView:
    record = DocumentRecord("d", (SourceFile("d.txt", ""),), "", "D", {}, len(chunks), len(sections))
    return DocumentView(
        record,
        text,
        tuple(SectionView(a, b, (), None, "prose") for a, b in sections),
        tuple(chunks),
        frozenset(),
    )


# --- boundaries ---------------------------------------------------------------


def test_chunks_stand_on_two_backgrounds_in_turn() -> None:
    section = SectionView(0, 15, (), None, "prose")
    assert chunked("One. Two. Three", section, [(0, 4), (5, 9), (10, 15)]) == (
        ":blue-background[One&#46;] :green-background[Two&#46;] :blue-background[Three]"
    )


def test_what_stands_between_chunks_has_none() -> None:
    section = SectionView(4, 14, (), None, "list")
    assert chunked("pre * one * two", section, [(6, 9), (12, 14)]) == (
        "&#42; :blue-background[one] &#42; :green-background[tw]"
    )


def test_a_long_text_is_cut_between_sections() -> None:
    found = leaves(view("x" * 30_000, [(n, n + 1_000) for n in range(0, 30_000, 1_000)], []))
    assert [(leaf.first, leaf.last) for leaf in found] == [(0, 12), (12, 24), (24, 30)]
    assert (found[0].start, found[-1].end) == (0, 30_000)


def test_a_text_without_sections_is_one_page() -> None:
    assert len(leaves(view("Nothing to search.", [], []))) == 1


def test_sections_are_boxes_under_their_headings(open_library: OpenApp) -> None:
    at = open_library(prototype="wine", document="w001")
    drawn = texts(at)
    assert "**1** · Notes › Part 1 · 3 chunks · characters 0 to 70" in drawn
    assert ":green-background[A wine for lamb&#46;]" in drawn
    assert "**2** · Notes › Part 2 · 1 chunk · characters 72 to 85" in drawn


def test_a_text_of_a_megabyte_is_paged(open_library: OpenApp, engine: FakeEngine) -> None:
    engine.librarian("wine").texts["w001"] = "A sentence of the long text.\n\n" * 33_000
    at = open_library(prototype="wine", document="w001")
    assert sum(len(m.value) for m in at.markdown) < 120_000
    at.session_state["document-page"] = 2
    run(at)
    assert "**401** · " in texts(at)


def test_what_a_document_says_is_text_and_nothing_else(open_library: OpenApp, engine: FakeEngine) -> None:
    engine.librarian("wine").texts["w001"] = HOSTILE
    engine.librarian("wine").edit("w001", title=HOSTILE, metadata={"note": HOSTILE})
    at = open_library(prototype="wine", document="w001")
    drawn = "\n".join([texts(at), *(s.value for s in at.subheader)])
    for structure in ("<img", "](javascript", "$$", ":red[x]", "://", "![x]"):
        assert structure not in drawn
    assert "127&#46;0&#46;0&#46;1" in drawn


def test_a_document_that_is_gone_says_so_and_leads_back(open_library: OpenApp) -> None:
    at = open_library(prototype="wine", document="w999")
    assert at.info[0].value == "This document is not in the library any more."
    at.button("library-back").click()
    run(at)
    assert "240 documents" in texts(at)


# --- editing --------------------------------------------------------------------


def test_each_fact_has_the_widget_of_its_type() -> None:
    metadata = {"country": "Spain", "price": 14, "added": 86_400, "organic": True, "pairs_with": ("lamb",)}
    assert kinds({**metadata, "type": "csv"}, prototypes()["wine"]) == {
        "country": "text",
        "price": "number",
        "added": "date",
        "organic": "yes or no",
        "pairs_with": "list",
    }


def test_a_number_that_is_no_day_of_a_calendar_stays_a_number() -> None:
    metadata = {"added": 10**18, "price": 14}
    assert kinds(metadata, prototypes()["wine"]) == {"added": "number", "price": "number"}


def test_only_what_changed_is_written() -> None:
    from datetime import date

    metadata = {"a": "x", "b": 2, "c": 86_400 + 5, "d": ("p",), "e": "gone", "type": "csv"}
    draft = {"a": "text", "b": "number", "c": "date", "d": "list", "f": "date"}
    values = {"a": " ", "b": 2, "c": date(1970, 1, 2), "d": ["p", "q"], "f": date(1970, 1, 3)}
    assert changed(metadata, draft, values) == {"a": None, "d": ("p", "q"), "e": None, "f": 172_800}


def test_a_fact_is_edited_added_and_taken_away_and_all_is_reverted(
    open_library: OpenApp, engine: FakeEngine
) -> None:
    at = open_library(prototype="wine", document="w001")
    at.button("library-edit").click()
    run(at)
    at.text_input("edit-text-country").set_value("Spain")
    at.button("edit-drop-region").click()
    run(at)
    at.text_input("edit-key").set_value("tasted by")
    at.button("edit-add").click()
    run(at)
    at.text_input("edit-text-tasted_by").set_value("Ana")
    at.button("edit-save").click()
    run(at)
    row = engine.librarian("wine").rows["w001"]
    assert (row.metadata["country"], row.metadata["tasted_by"]) == ("Spain", "Ana")
    assert "region" not in row.metadata
    assert ":blue-badge[Country&#58; Spain]" in texts(at)
    at.button("library-revert").click()
    run(at)
    assert engine.librarian("wine").rows["w001"].metadata["country"] == "Portugal"


def test_what_cannot_be_kept_is_told_in_the_dialog(open_library: OpenApp, engine: FakeEngine) -> None:
    at = open_library(prototype="wine", document="w001")
    at.button("library-edit").click()
    run(at)
    at.text_input("edit-key").set_value("forbidden")
    at.button("edit-add").click()
    run(at)
    at.text_input("edit-text-forbidden").set_value("x")
    at.button("edit-save").click()
    run(at)
    assert at.error[0].value == "“forbidden” cannot name a fact&#46; Choose another name&#46;"


def test_a_fact_without_a_field_yet_is_not_lost_by_saving(open_library: OpenApp, engine: FakeEngine) -> None:
    at = open_library(prototype="wine", document="w001")
    at.button("library-edit").click()
    run(at)
    at.text_input("edit-key").set_value("tasted by")
    at.button("edit-save").click()
    run(at)
    assert "“tasted&#95;by” has no value yet" in at.error[0].value
    at.text_input("edit-text-tasted_by").set_value("Ana")
    at.button("edit-save").click()
    run(at)
    assert engine.librarian("wine").rows["w001"].metadata["tasted_by"] == "Ana"
