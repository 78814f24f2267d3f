"""Filters in the address: kept over a reload, read with mistrust, and robust to other documents."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from page_steps import OpenApp, address, ask, keys, run, settle, texts

from rag.config import Settings
from rag.prototypes import Facet
from rag.types import Where
from tests.fakes import FakeEngine, FakeFacetValues, FakePreparation

LAMB = "Which wine goes with lamb?"
LEFT_OUT = "A filter in this address fits none of these documents and was left out&#46;"


def test_what_is_selected_stands_in_the_address(open_app: OpenApp) -> None:
    at = open_app()
    assert "filters" not in at.query_params
    at.pills("facet-wine-country-choice").set_value(["Portugal"])
    run(at)
    assert address(at, "filters") == '{"country":{"$in":["Portugal"]}}'
    at.button("clear-facets").click()
    run(at)
    assert "filters" not in at.query_params


def test_a_reload_finds_every_widget_as_it_was(open_app: OpenApp, engine: FakeEngine) -> None:
    at = open_app()
    at.pills("facet-wine-country-choice").set_value(["Portugal", "Spain"])
    at.pills("facet-wine-pairs_with-list").set_value(["lamb", "pizza"])
    at.slider("facet-wine-price-range").set_value((9, 30))
    at.date_input("facet-wine-added-date").set_value((date(1970, 1, 1), date(1970, 3, 1)))
    run(at)

    again = open_app(filters=address(at, "filters"))

    assert again.pills("facet-wine-country-choice").value == ["Portugal", "Spain"]
    assert again.pills("facet-wine-pairs_with-list").value == ["lamb", "pizza"]
    assert again.slider("facet-wine-price-range").value == (9, 30)
    assert again.date_input("facet-wine-added-date").value == (date(1970, 1, 1), date(1970, 3, 1))
    assert address(again, "filters") == address(at, "filters")
    ask(again, LAMB)
    ask(at, LAMB)
    assert engine.asked[0]["where"] == engine.asked[1]["where"]


def test_what_no_widget_can_show_comes_back_as_a_pin(open_app: OpenApp, engine: FakeEngine) -> None:
    at = open_app(filters='{"$and":[{"country":{"$ne":"Spain"}},{"price":{"$lt":30.5}}]}')

    assert [b.label for b in at.button if str(b.key).startswith("unpin-")] == [
        "Country&#58; not Spain",
        "Price&#58; under 30&#46;5 €",
    ]
    assert "3 of 5 documents match" in texts(at)
    ask(at, LAMB)
    assert engine.asked[0]["where"] == {"$and": [{"country": {"$ne": "Spain"}}, {"price": {"$lt": 30.5}}]}


@pytest.mark.parametrize(
    "filters",
    [
        "nonsense",
        "[1]",
        '{"price":{"$gt":"far"}}',
        '{"price":NaN}',
        '{"$regex":"."}',
        "[" * 1_990,
        json.dumps({"country": "x" * 3_000}),
        '{"country":"Atlantis"}',
        '{"price":{"$gt":1e308}}',
        '{"added":{"$gte":1e300,"$lte":1e301}}',
        '{"<b>":{"$in":["<img src=x>"]}}',
    ],
)
def test_an_address_that_fits_nothing_is_told_and_left_out(
    open_app: OpenApp, engine: FakeEngine, filters: str
) -> None:
    at = open_app(filters=filters)

    assert [info.value for info in at.info] == [LEFT_OUT]
    assert "filters" not in at.query_params
    ask(at, LAMB)
    assert engine.asked[0]["where"] is None


def test_the_filter_of_the_address_counts_before_the_documents_are_read(
    open_app: OpenApp, engine: FakeEngine
) -> None:
    engine.preparation = FakePreparation(ready=False)
    at = open_app(filters='{"country":{"$in":["Spain"]}}')
    at.chat_input[0].set_value(LAMB)
    run(at)
    engine.preparation.ready = True
    settle(at)  # a question that still waits is given up for the next one

    ask(at, "And with game?")

    assert [asked["where"] for asked in engine.asked] == [{"country": {"$in": ["Spain"]}}] * 2


def test_another_prototype_has_its_own_filters(open_app: OpenApp, engine: FakeEngine) -> None:
    engine.guessed = (Facet("country", "Country", "choice"),)
    at = open_app(filters='{"country":{"$in":["Spain"]}}')

    at.pills("prototype-choice").set_value("handbook")
    run(at)
    assert "filters" not in at.query_params
    at.pills("prototype-choice").set_value("wine")
    run(at)

    assert at.pills("facet-wine-country-choice").value == ["Spain"]
    assert address(at, "filters") == '{"country":{"$in":["Spain"]}}'


def test_a_guessed_facet_may_become_another_kind(open_app: OpenApp, engine: FakeEngine) -> None:
    engine.guessed = (Facet("country", "Country", "choice"), Facet("pairs_with", "Goes with", "list"))
    at = open_app(prototype="handbook")
    at.pills("facet-handbook-country-choice").set_value(["Spain"])
    run(at)

    engine.guessed = (Facet("country", "Country", "list"), Facet("pairs_with", "Goes with", "list"))
    del at.session_state["facets-cache"]
    run(at)

    assert at.pills("facet-handbook-country-list").value == []
    assert "5 of 5 documents match" in texts(at)
    assert [key for key in keys(at) if key.startswith("unpin-")] == []


def test_dates_and_bounds_follow_the_documents(open_app: OpenApp, engine: FakeEngine) -> None:
    at = open_app()
    at.slider("facet-wine-price-range").set_value((9, 30))
    at.date_input("facet-wine-added-date").set_value((date(1970, 1, 5), date(1970, 3, 1)))
    run(at)
    facets, ends = engine.facets, {"price": (10.5, 20.5), "added": (0, 20 * 86_400)}

    def others(
        name: str, where: Where | None = None, settings: Settings | None = None
    ) -> list[FakeFacetValues]:
        found = facets(name, where, settings)
        return [
            replace(v, low=ends[v.facet.key][0], high=ends[v.facet.key][1]) if v.facet.key in ends else v
            for v in found
        ]

    engine.facets = others  # type: ignore[method-assign]
    del at.session_state["facets-cache"]
    run(at)

    assert at.slider("facet-wine-price-range").value == (10.5, 20.5)
    assert at.date_input("facet-wine-added-date").value == (date(1970, 1, 5), date(1970, 1, 21))
