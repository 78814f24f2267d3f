"""Facets on the chat page: what they select, what they count, and ways out of nothing."""

from __future__ import annotations

from datetime import date

from page_steps import OpenApp, ask, keys, run, settle, texts

from pages.ui import resources, selection
from rag.config import with_settings
from rag.facets import FacetValues
from rag.prototypes import Facet
from rag.types import Where
from tests.conftest import write_files
from tests.fakes import FakeEngine, FakePreparation

LAMB = "Which wine goes with lamb?"


def test_each_kind_of_facet_has_its_widget(open_app: OpenApp) -> None:
    at = open_app()
    assert at.pills("facet-wine-country-choice").options == [
        "France :gray[1]", "Germany :gray[1]", "Portugal :gray[2]", "Spain :gray[1]"
    ]  # fmt: skip
    assert at.pills("facet-wine-pairs_with-list").label == "Goes with"
    assert at.slider("facet-wine-price-range").value == (9, 38)
    assert at.slider("facet-wine-price-range").label == "Price (€)"
    assert at.date_input("facet-wine-added-date").value == ()
    assert "5 of 5 documents match" in texts(at)


def test_what_is_selected_filters_the_next_question(open_app: OpenApp, engine: FakeEngine) -> None:
    at = open_app()
    at.pills("facet-wine-country-choice").set_value(["Portugal"])
    at.slider("facet-wine-price-range").set_value((9, 20))
    run(at)
    assert "2 of 5 documents match" in texts(at)
    ask(at, LAMB)
    assert engine.asked[0]["where"] == {"$and": [{"country": {"$in": ["Portugal"]}}, {"price": {"$lte": 20}}]}
    assert "Filtered&#58;" not in texts(at)
    assert "Filtered: Country&#58; Portugal · Price&#58; up to 20 €" in texts(at)


def test_several_values_of_a_list_are_alternatives(open_app: OpenApp, engine: FakeEngine) -> None:
    at = open_app()
    at.pills("facet-wine-pairs_with-list").set_value(["lamb", "fish"])
    ask(run(at), LAMB)
    assert engine.asked[0]["where"] == {
        "$or": [{"pairs_with": {"$contains": "lamb"}}, {"pairs_with": {"$contains": "fish"}}]
    }
    assert "Goes with&#58; lamb or fish" in texts(at)


def test_days_reach_to_their_last_second(open_app: OpenApp, engine: FakeEngine) -> None:
    at = open_app()
    at.date_input("facet-wine-added-date").set_value((date(1970, 1, 1), date(1970, 1, 2)))
    ask(run(at), LAMB)
    assert engine.asked[0]["where"] == {"added": {"$gte": 0, "$lte": 2 * 86_400 - 1}}
    assert "Added&#58; 1970&#45;01&#45;01 to 1970&#45;01&#45;02" in texts(at)


def test_half_a_range_of_days_selects_nothing_yet(open_app: OpenApp, engine: FakeEngine) -> None:
    at = open_app()
    at.date_input("facet-wine-added-date").set_value((date(1970, 1, 1),))
    ask(run(at), LAMB)
    assert engine.asked[0]["where"] is None


def test_a_filter_that_leaves_nothing_can_be_dropped_in_part(open_app: OpenApp) -> None:
    at = open_app()
    at.pills("facet-wine-country-choice").set_value(["Portugal"])
    at.pills("facet-wine-pairs_with-list").set_value(["fish"])
    run(at)
    assert "No document matches these filters" in texts(at)
    assert "0 of 5 documents match" in texts(at)
    at.button("drop-input-pairs_with").click()
    run(at)
    assert "No document matches these filters" not in texts(at)
    assert at.pills("facet-wine-country-choice").value == ["Portugal"]


def test_all_of_it_can_be_dropped(open_app: OpenApp) -> None:
    at = open_app()
    at.pills("facet-wine-country-choice").set_value(["Germany"])
    at.slider("facet-wine-price-range").set_value((30, 38))
    at.date_input("facet-wine-added-date").set_value((date(1970, 1, 1), date(1970, 1, 2)))
    run(at)
    at.button("drop-input").click()
    run(at)
    assert at.slider("facet-wine-price-range").value == (9, 38)
    assert "5 of 5 documents match" in texts(at)


def test_an_answer_under_a_filter_that_leaves_nothing_offers_the_way_out(open_app: OpenApp) -> None:
    at = open_app()
    at.pills("facet-wine-country-choice").set_value(["Portugal"])
    at.pills("facet-wine-pairs_with-list").set_value(["fish"])
    ask(run(at), LAMB)
    assert [b.key for b in at.button if str(b.key).startswith("drop-")] == [
        "drop-input-country", "drop-input-pairs_with", "drop-input"
    ]  # fmt: skip


def test_filters_belong_to_their_prototype(open_app: OpenApp, engine: FakeEngine) -> None:
    at = open_app()
    at.pills("facet-wine-country-choice").set_value(["Portugal"])
    run(at)
    at.pills("prototype-choice").set_value("handbook")
    ask(run(at), "How?")
    assert engine.asked[0]["where"] is None


def test_facets_wait_for_the_documents(open_app: OpenApp, engine: FakeEngine) -> None:
    engine.preparation = FakePreparation(ready=False)
    at = open_app()
    assert not [p for p in at.pills if str(p.key).startswith("facet-")]
    engine.preparation.ready = True
    run(at)
    assert at.pills("facet-wine-country-choice").value == []


def test_a_prototype_that_declares_no_facets_has_those_that_are_guessed(
    open_app: OpenApp, engine: FakeEngine
) -> None:
    engine.guessed = (Facet("country", "Country", "choice"),)
    at = open_app(prototype="handbook")
    at.pills("facet-handbook-country-choice").set_value(["Spain"])

    ask(run(at), "What do they drink?")

    assert engine.asked[0]["where"] == {"country": {"$in": ["Spain"]}}
    assert "Filtered: Country&#58; Spain" in texts(at)


def test_a_number_that_is_no_date_ends_the_calendar() -> None:
    facet = Facet(key="added", label="Added", kind="date", unit="")
    ends = FacetValues(facet, (), -1e18, 1e18)
    assert selection.days(ends) == (date(1000, 1, 1), date(9999, 12, 31))


# --- the filter that always holds --------------------------------------------


def linked(where: Where) -> str:
    """The token of a link under that filter."""
    settings = with_settings(resources.engine().prototype("wine").settings, {"filters.where": where})
    return resources.links().create("wine", settings=settings)[1]


def test_what_a_link_leaves_out_is_neither_listed_nor_counted(open_app: OpenApp) -> None:
    at = open_app(link=linked({"country": "Portugal"}))

    assert at.pills("facet-wine-country-choice").options == ["Portugal :gray[2]"]
    assert at.slider("facet-wine-price-range").value == (9, 14)
    assert "2 of 2 documents match" in texts(at)


def test_an_address_does_not_tell_what_a_link_leaves_out(open_app: OpenApp) -> None:
    token = linked({"country": "Portugal"})
    for filters in (
        '{"country":"Spain"}',
        '{"country":{"$in":["Spain"]}}',
        '{"price":{"$gt":30}}',
        '{"country":{"$ne":"Portugal"}}',
    ):
        at = open_app(link=token, filters=filters)
        assert ["was left out" in info.value for info in at.info] == [True]
        assert "filters" not in at.query_params
    at = open_app(link=token, filters='{"price":{"$lt":10}}')
    assert "1 of 2 documents match" in texts(at)


def test_a_question_under_a_link_is_offered_nothing_that_it_leaves_out(open_app: OpenApp) -> None:
    at = ask(open_app(link=linked({"country": {"$ne": "Spain"}})), "from Portugal or Spain, up to 20 euros")

    labels = [b.label for b in at.button if str(b.key).startswith("chip-")]
    assert labels
    assert not [label for label in labels if "Spain" in label]


def test_a_bound_that_a_link_leaves_no_room_for_is_pinned(open_app: OpenApp) -> None:
    at = ask(open_app(link=linked({"country": "Portugal"})), "wines up to 14 euros")
    for key in ("chip-0", "pin-0"):  # the dearest that the link lets through costs 14
        at.button(key).click()
        settle(at)

    assert [key for key in keys(at) if key.startswith("unpin-")] == ["unpin-0"]
    assert at.slider("facet-wine-price-range").value == (9, 14)


def test_two_filters_in_one_session_are_counted_apart(open_app: OpenApp) -> None:
    at = open_app(link=linked({"country": "Portugal"}))
    del at.session_state["address"]  # as where the reader goes back to another address
    at.query_params["link"] = linked({"country": "France"})

    run(at)

    assert at.pills("facet-wine-country-choice").options == ["France :gray[1]"]
    assert "1 of 1 documents match" in texts(at)


def test_the_filter_of_a_prototype_holds_for_its_readers_too(open_app: OpenApp, engine: FakeEngine) -> None:
    declared = 'filters.where = {country = "Portugal"}\n[facets.country]\nkind = "choice"\n'
    write_files(
        engine.environment.home, {"prototypes/wine/prototype.toml": f'title = "Wine"\n[settings]\n{declared}'}
    )

    at = open_app(prototype="wine")

    assert at.pills("facet-wine-country-choice").options == ["Portugal :gray[2]"]
    assert "2 of 2 documents match" in texts(at)
