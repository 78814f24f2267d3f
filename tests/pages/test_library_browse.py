"""The list of documents: searched, filtered, sorted, paged; several deleted."""

from __future__ import annotations

from page_steps import OpenApp, address, keys, run, texts
from streamlit.testing.v1 import AppTest

from tests.conftest import write_files
from tests.fake_librarian import cellar
from tests.fakes import FakeEngine


def titles(at: AppTest) -> list[str]:
    """The titles of the rows, without what follows them."""
    rows = [b.label for b in at.button if str(b.key).startswith("library-open-")]
    return [label.split("**")[1] for label in rows]


def test_the_first_25_by_title_and_how_many_there_are(open_library: OpenApp) -> None:
    at = open_library(prototype="wine")
    assert len(titles(at)) == 25
    assert titles(at)[0] == "Quinta 001 Touriga Nacional 2010"
    assert "1 to 25 of 240 documents" in texts(at)


def test_a_row_names_its_file_and_its_facts(open_library: OpenApp) -> None:
    at = open_library(prototype="wine")
    assert at.button("library-open-0").label.endswith(
        ":gray[wines&#46;csv · 1 section · Country&#58; Portugal"
        " · Goes with&#58; lamb, stew · Price&#58; 8 €]"
    )


def test_the_last_page_holds_what_is_left(open_library: OpenApp) -> None:
    at = open_library(prototype="wine")
    at.session_state["library-page"] = 10
    run(at)
    assert len(titles(at)) == 15
    assert "226 to 240 of 240 documents" in texts(at)


def test_a_page_that_is_gone_leads_to_the_last_one(open_library: OpenApp, engine: FakeEngine) -> None:
    at = open_library(prototype="wine")
    at.session_state["library-page"] = 10
    run(at)
    engine.librarian("wine").rows = {row.id: row for row in cellar(30)}
    run(at)
    assert "26 to 30 of 30 documents" in texts(at)


def test_searching_begins_at_the_first_page(open_library: OpenApp) -> None:
    at = open_library(prototype="wine")
    at.session_state["library-page"] = 10
    run(at)
    at.text_input("library-query").set_value("riesling mosel")
    run(at)
    assert titles(at)[0] == "Quinta 003 Riesling 2012"
    assert at.session_state["library-page"] == 1


def test_nothing_found_says_what_to_do(open_library: OpenApp) -> None:
    at = open_library(prototype="wine")
    at.text_input("library-query").set_value("beer")
    run(at)
    assert "**Nothing matches.** Change the words above" in texts(at)


def test_sorting_by_length_and_backwards(open_library: OpenApp, engine: FakeEngine) -> None:
    at = open_library(prototype="wine")
    at.toggle("library-descending").set_value(True)
    run(at)
    assert titles(at)[0].startswith("Quinta 240")


def test_a_filter_of_the_sidebar_narrows_the_list(open_library: OpenApp) -> None:
    at = open_library(prototype="wine")
    at.button_group("facet-wine-country-choice").set_value(["Spain"])
    run(at)
    assert "1 to 25 of 60 documents" in texts(at)


def test_a_row_leads_to_its_document_and_back(open_library: OpenApp) -> None:
    at = open_library(prototype="wine")
    at.button("library-open-2").click()
    run(at)
    assert address(at, "document") == "w003"
    assert at.subheader[0].value == "Quinta 003 Riesling 2012"
    at.button("library-back").click()
    run(at)
    assert "document" not in at.query_params
    assert len(titles(at)) == 25


def test_several_are_deleted_once_that_is_confirmed(open_library: OpenApp, engine: FakeEngine) -> None:
    at = open_library(prototype="wine")
    at.toggle("library-select").set_value(True)
    run(at)
    assert at.button("library-delete").disabled
    for key in ("library-choose-w001", "library-choose-w003"):
        at.checkbox(key).check()
        run(at)
    at.button("library-delete").click()
    run(at)
    assert "**2 documents** will be taken out of the index" in texts(at)
    assert len(engine.librarian("wine").rows) == 240
    at.button("library-delete-now").click()
    run(at)
    assert at.info[0].value == "2 documents deleted&#46;"
    assert {"w001", "w003"} & engine.librarian("wine").rows.keys() == set()


def test_all_of_a_page_are_chosen_and_let_go(open_library: OpenApp) -> None:
    at = open_library(prototype="wine")
    at.toggle("library-select").set_value(True)
    run(at)
    at.button("library-all").click()
    run(at)
    assert at.button("library-delete").label == "Delete 25 documents"
    at.button("library-all").click()
    run(at)
    assert at.button("library-delete").label == "Delete 0 documents"


def test_keeping_deletes_nothing(open_library: OpenApp, engine: FakeEngine) -> None:
    at = open_library(prototype="wine", document="w001")
    at.button("library-delete-one").click()
    run(at)
    at.button("library-keep").click()
    run(at)
    assert "w001" in engine.librarian("wine").rows
    assert "library-delete-now" not in keys(at)


def test_the_owner_sees_what_the_filter_of_the_prototype_leaves_out(
    open_library: OpenApp, engine: FakeEngine
) -> None:
    declared = 'filters.where = {country = "Portugal"}\n[facets.country]\nkind = "choice"\n'
    write_files(
        engine.environment.home, {"prototypes/wine/prototype.toml": f'title = "Wine"\n[settings]\n{declared}'}
    )

    at = open_library(prototype="wine")

    assert "1 to 25 of 240 documents" in texts(at)
    assert "5 of 5 documents match" in texts(at)
    assert len(at.pills("facet-wine-country-choice").options) == 4
