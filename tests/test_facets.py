"""Facets: guessed from metadata, and counted under the filters of the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.dates import iso_to_seconds
from rag.facets import FacetValues, Table, count_matching, facet_values, guess_facets, read_name, without
from rag.filters import matches, parse
from rag.prototypes import Facet, load_prototype
from rag.types import DocumentRecord, Metadata, MetaValue, SourceFile
from tests.records import records, records_of

COUNTRY = Facet("country", "Country", "choice")
FOOD = Facet("food", "Goes with", "list")
PRICE = Facet("price", "Price", "range", "€")
ADDED = Facet("added", "Added", "date")


def wine(n: int, metadata: Metadata) -> DocumentRecord:
    return DocumentRecord(f"{n}", (SourceFile("w.csv", ""),), "", f"Wine {n}", metadata, 1, 1)


# --- values and counts ------------------------------------------------------

WINES = Table(
    [
        wine(0, {"country": "Spain", "price": 10, "food": ("lamb", "cheese"), "added": "2026-01-02"}),
        wine(1, {"country": "Spain", "price": 30.5, "food": ("lamb",)}),
        wine(2, {"country": "France", "price": 20, "food": (), "added": 86_400}),
        wine(3, {"price": "on request", "country": 7}),
    ]
)


def test_choices_and_lists_count_documents_most_frequent_first() -> None:
    values = facet_values([COUNTRY, FOOD], WINES, None)

    assert values == [
        FacetValues(COUNTRY, (("Spain", 2), ("France", 1)), documents=3),
        FacetValues(FOOD, (("lamb", 2), ("cheese", 1)), documents=3),
    ]


def test_ranges_and_dates_go_from_the_least_to_the_greatest() -> None:
    values = facet_values([PRICE, ADDED], WINES, None)

    assert values == [
        FacetValues(PRICE, (), 10.0, 30.5, 3),
        FacetValues(ADDED, (), 86_400.0, 1_767_312_000.0, 2),
    ]


def test_counts_are_under_the_filters_of_the_other_facets() -> None:
    where = {"country": "Spain", "price": {"$lt": 25}}

    values = {v.facet.key: v for v in facet_values([COUNTRY, FOOD, PRICE], WINES, where)}

    assert values["country"].values == (("Spain", 1), ("France", 1))  # under 25
    assert values["food"].values == (("lamb", 1), ("cheese", 1))  # Spain under 25
    assert (values["price"].low, values["price"].high, values["price"].documents) == (10, 30.5, 2)


def test_a_value_that_nothing_is_left_of_stays_with_a_count_of_none() -> None:
    values = facet_values([COUNTRY], WINES, {"price": {"$gt": 25}})

    assert values[0].values == (("Spain", 1), ("France", 0))


def test_a_facet_that_no_document_has_is_left_out() -> None:
    assert (
        facet_values([Facet("colour", "Colour", "choice"), Facet("year", "Year", "range")], WINES, None) == []
    )


def test_matching_documents_are_counted() -> None:
    assert count_matching(WINES, None) == 4
    assert count_matching(WINES, {"food": {"$contains": "lamb"}}) == 2
    assert count_matching(WINES, {"added": {"$gte": "2026-01-01"}}) == 1
    assert count_matching(WINES, {"title": "Wine 3"}) == 1


def test_the_conditions_about_one_key_are_taken_out() -> None:
    spain, cheap = {"country": "Spain"}, {"price": {"$lt": 25}}
    lamb = {"$or": [{"food": {"$contains": "lamb"}}, {"food": {"$contains": "game"}}]}

    assert without(None, "price") is None
    assert without(cheap, "price") is None
    assert without({**spain, **cheap}, "price") == spain
    assert without({"$and": [spain, cheap]}, "price") == {"$and": [spain]}
    assert without({"$and": [cheap]}, "price") is None
    assert without({**lamb, **spain}, "food") == spain
    assert without({"$and": [lamb, cheap]}, "food") == {"$and": [cheap]}
    assert without({"$or": [spain, cheap]}, "price") == {"$or": [spain, cheap]}  # it is about both


CELLAR = Table(
    records(
        {"country": "Spain", "price": 8, "goes_with": ("lamb", "fish")},
        {"country": "Spain", "price": 22.5, "goes_with": ("lamb",)},
        {"country": "Italy", "price": 12},
        {"serving": "cold"},
    )
)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (None, 4),
        ({"price": {"$gte": 8, "$lte": 12}}, 2),
        ({"country": {"$ne": "Spain"}}, 2),
        ({"goes_with": {"$contains": "lamb"}}, 2),
        ({"title": "Document 3"}, 1),
        ({"$or": []}, 0),
    ],
)
def test_documents_that_match_are_counted(where: dict[str, Any] | None, expected: int) -> None:
    assert count_matching(CELLAR, where) == expected


_VALUES = st.one_of(
    st.sampled_from(["x", "y", "2026-05-01", ""]),
    st.integers(-2, 2),
    st.sampled_from([0.5, -0.0, float("inf"), float("nan"), 2**53]),
    st.booleans(),
    st.lists(st.sampled_from(["x", "y", "z"]), max_size=3).map(tuple),
)
_SCALARS = st.one_of(
    st.sampled_from(["x", "y", "2026-05-01"]), st.integers(-2, 2), st.just(0.5), st.booleans()
)
_CONDITIONS = st.one_of(
    _SCALARS,
    st.tuples(st.sampled_from(["$eq", "$ne"]), _SCALARS).map(lambda pair: dict([pair])),
    st.tuples(st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), st.integers(-2, 2)).map(
        lambda pair: dict([pair])
    ),
    st.tuples(st.sampled_from(["$in", "$nin"]), st.lists(_SCALARS, max_size=3)).map(
        lambda pair: dict([pair])
    ),
    st.sampled_from(["x", "z"]).map(lambda value: {"$contains": value}),
)
_FILTERS = st.recursive(
    st.dictionaries(st.sampled_from(["a", "b"]), _CONDITIONS, max_size=2),
    lambda inner: st.tuples(st.sampled_from(["$and", "$or"]), st.lists(inner, max_size=3)).map(
        lambda pair: dict([pair])
    ),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(st.sampled_from(["a", "b"]), _VALUES), max_size=5), _FILTERS)
@example([{"a": 0}, {"a": False}, {"a": 1}, {"a": True}], {"a": 0})
def test_columns_match_what_records_match(rows: list[dict[str, MetaValue]], where: dict[str, Any]) -> None:
    filters = parse(where)

    found = Table(records(*rows)).mask(filters).tolist()

    assert found == [matches(filters, row) for row in rows]


# --- guessing -------------------------------------------------------------------


def guessed(*rows: dict[str, MetaValue]) -> list[tuple[str, str]]:
    return [(facet.key, facet.kind) for facet in guess_facets(Table(records(*rows)))]


def column(key: str, *values: MetaValue | None) -> list[dict[str, MetaValue]]:
    return [{} if value is None else {key: value} for value in values]


def test_the_facets_of_the_wines_are_those_that_a_person_would_choose() -> None:
    wine = load_prototype("wine", Path("nowhere"))
    labels = {"abv": "Alcohol %", "pairs_with": "Pairs with", "price": "Price €"}

    found = guess_facets(Table(records_of(wine)), labels)

    assert found == (
        Facet("style", "Style", "choice"),
        Facet("country", "Country", "choice"),
        Facet("vintage", "Vintage", "range"),
        Facet("price", "Price", "range", "€"),
        Facet("rating", "Rating", "range"),
        Facet("abv", "Alcohol", "range", "%"),
        Facet("pairs_with", "Pairs with", "list"),
    )


def test_the_facets_of_the_benefits_office_are_those_that_a_person_would_choose() -> None:
    benefits = load_prototype("benefits", Path("nowhere"))

    found = guess_facets(Table(records_of(benefits)))

    assert set(found) == {
        Facet("topic", "Topic", "choice"),
        Facet("audience", "Audience", "choice"),
        Facet("updated", "Updated", "date"),
    }


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (column("shelf", *["left", "right"] * 3), [("shelf", "choice")]),
        (column("shelf", *["left"] * 6), []),  # a constant
        (column("shelf", "a", "b", "c", "d", "e", "f"), []),  # each its own
        (column("shelf", *["left"] * 99, "right"), []),  # nearly a constant
        (column("shelf", "left", "right", *[None] * 20), []),  # hardly any has it
        (column("status", *["a sentence about what came of it", "another, which is longer still"] * 9), []),
        (column("notes", *["good", "bad"] * 5), []),  # prose by its name
        (column("customer_id", *["a", "b"] * 5), []),
        (column("draft", *[True, False] * 5), []),
        (column("tags", *[("a", "b"), ("b", "c"), ("a", "c")] * 3), [("tags", "list")]),
        (column("tags", ("a", "b"), ("c", "d"), ("e", "f")), []),
        (column("weight", 1.5, 2, 8), [("weight", "range")]),
        (column("weight", 2, 2, 2), []),
        (column("row_index", 5, 9, 2), []),
        (column("row", 2, 3, 5, 2, 3, 4), []),  # of several sheets
        (column("place", *range(1, 21)), []),  # 1, 2, 3, ...: the number of the row
        (column("places", *[3, 1, 2] * 4), [("places", "range")]),
    ],
)
def test_what_becomes_a_facet(rows: list[dict[str, MetaValue]], expected: list[tuple[str, str]]) -> None:
    assert guessed(*rows) == expected


def seconds(text: str) -> int:
    found = iso_to_seconds(text)
    assert isinstance(found, int)
    return found


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (column("updated", seconds("2026-05-01"), seconds("1931-02-03")), [("updated", "date")]),
        (column("x", seconds("2026-05-01"), seconds("2025-02-03")), [("x", "date")]),  # midnights
        (column("x", seconds("2026-05-01T10:30"), seconds("2025-02-03")), [("x", "range")]),
        (column("updated_at", seconds("2026-05-01T10:30"), seconds("2025-02-03")), [("updated_at", "date")]),
        (column("date", 2019, 2024), [("date", "range")]),  # years, not moments of January 1970
        (column("x", seconds("2150-01-01"), seconds("2026-05-01")), [("x", "range")]),
    ],
)
def test_what_becomes_a_date(rows: list[dict[str, MetaValue]], expected: list[tuple[str, str]]) -> None:
    assert guessed(*rows) == expected


def test_a_table_of_another_type_here_and_there_keeps_its_facet() -> None:
    rows = column("price", *range(10, 49, 2), "on request")

    assert guessed(*rows) == [("price", "range")]


def test_of_more_than_eight_the_ones_that_split_the_most_are_kept() -> None:
    keys = [f"k{n}" for n in range(10)]
    rows = [{key: "left" if row % 20 < n + 1 else "right" for n, key in enumerate(keys)} for row in range(40)]

    found = guessed(*rows)

    assert sorted(key for key, _ in found) == keys[2:]


@pytest.mark.parametrize(
    ("key", "label", "expected"),
    [
        ("price_eur", "", ("Price", "€")),
        ("price", "Price €", ("Price", "€")),
        ("price", "Price (€)", ("Price", "€")),
        ("abv", "Alcohol %", ("Alcohol", "%")),
        ("weightKg", "", ("Weight", "kg")),
        ("reading_time_min", "", ("Reading time", "min")),
        ("price_min", "", ("Price min", "")),
        ("pages", "", ("Pages", "")),
        ("pairs_with", "", ("Pairs with", "")),
        ("year", "", ("Year", "")),
        ("€", "", ("€", "")),
    ],
)
def test_names_give_labels_and_units(key: str, label: str, expected: tuple[str, str]) -> None:
    name = read_name(key, label)

    assert (name.label, name.unit) == expected


@given(st.lists(st.dictionaries(st.text(max_size=8), _VALUES, max_size=4), max_size=12))
def test_guesses_are_facets_that_have_values(rows: list[dict[str, MetaValue]]) -> None:
    table = Table(records(*rows))

    found = guess_facets(table)

    assert [values.facet for values in facet_values(found, table, None)] == list(found)
    assert len(found) <= 8
