"""Filters, metadata and citation markers in words and chips."""

from __future__ import annotations

import pytest

from pages.ui.answer import answer_markdown
from pages.ui.chat import pace
from pages.ui.describe import conditions, filter_words, metadata_words
from rag.prototypes import Facet
from rag.types import Citation, Claim, Verdict, Where

FACETS = (
    Facet("country", "Country", "choice"),
    Facet("pairs_with", "Goes with", "list"),
    Facet("price", "Price", "range", unit="€"),
    Facet("added", "Added", "date"),
)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (None, []),
        ({"country": "Spain"}, ["Country: Spain"]),
        ({"country": {"$in": ["Spain", "France"]}}, ["Country: Spain or France"]),
        ({"price": {"$gte": 5, "$lte": 15.5}}, ["Price: 5 to 15.5 €"]),
        ({"price": {"$gt": 5}}, ["Price: over 5 €"]),
        ({"$or": [{"pairs_with": {"$contains": "fish"}}, {"pairs_with": {"$contains": "game"}}]},
         ["Goes with: fish or game"]),
        ({"$or": [{"country": "Spain"}, {"price": {"$lte": 9}}]}, ["Country: Spain or Price: up to 9 €"]),
        ({"$and": [{"added": {"$gte": 86_400}}, {"dry": True}]}, ["Added: since 1970-01-02", "Dry: yes"]),
        ({"grape_variety": {"$nin": ["Gamay"]}}, ["Grape variety: not Gamay"]),
    ],
)  # fmt: skip
def test_filter_words(where: Where | None, words: list[str]) -> None:
    assert filter_words(where, FACETS) == words


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (None, []),
        ({"price": 1, "country": "Spain"}, [{"price": 1, "country": "Spain"}]),
        (
            {"$and": [{"price": {"$gte": 5}}, {"country": "Spain"}, {"price": {"$lt": 9}}]},
            [{"price": {"$gte": 5, "$lt": 9}}, {"country": "Spain"}],
        ),
        (
            {"$and": [{"price": {"$gte": 5}}, {"price": {"$gte": 7}}]},
            [{"price": {"$gte": 5}}, {"price": {"$gte": 7}}],
        ),
        ({"$and": [{"price": {"$ne": 5}}, {"price": 7}]}, [{"price": {"$ne": 5}}, {"price": 7}]),
        (
            {"$and": [{"price": {"$gte": 5}, "country": "Spain"}, {"price": {"$lt": 9}}]},
            [{"price": {"$gte": 5}, "country": "Spain"}, {"price": {"$lt": 9}}],
        ),
    ],
)
def test_conditions_of_a_filter(where: Where | None, expected: list[Where]) -> None:
    assert conditions(where) == expected


def test_metadata_stands_under_its_labels_declared_facets_first() -> None:
    metadata = {"abv": 13.5, "pairs_with": ("fish", "game"), "price": 14, "added": 86_400, "organic": False}
    assert metadata_words(metadata, FACETS) == [
        ("Goes with", "fish, game"),
        ("Price", "14 €"),
        ("Added", "1970-01-02"),
        ("Abv", "13.5"),
        ("Organic", "no"),
    ]


def cite(number: int, start: int, end: int, verdict: Verdict = "verbatim") -> Citation:
    return Citation(number, "d", "d.txt", 0, 1, "q", verdict, start, end, passage=0)


def test_a_marker_behind_its_span_is_a_chip() -> None:
    assert answer_markdown("One. [1] Two. [2]", [cite(2, 9, 13), cite(1, 0, 4)]) == (
        "One&#46;&#8239;:blue-badge[1] Two&#46;&#8239;:blue-badge[2]"
    )


def test_two_markers_of_one_span_are_two_chips() -> None:
    assert answer_markdown("One. [1][2]", [cite(1, 0, 4), cite(2, 0, 4)]) == (
        "One&#46;&#8239;:blue-badge[1] :blue-badge[2]"
    )


def test_brackets_of_the_document_stay_text() -> None:
    assert answer_markdown("See [1] there. [1]", [cite(1, 0, 14)]) == (
        "See &#91;1&#93; there&#46;&#8239;:blue-badge[1]"
    )


def test_a_number_without_a_citation_stays_text() -> None:
    assert answer_markdown("One. [7]", [cite(1, 0, 4)]) == "One&#46; &#91;7&#93;"


def test_what_is_not_supported_stands_out() -> None:
    assert answer_markdown("One. [1]", [cite(1, 0, 4, "unsupported")]).endswith(":orange-badge[1]")


def test_what_no_source_supports_is_struck_out_or_doubted() -> None:
    text = "It costs 24. [1] It costs 42. It is nice."
    citation = Citation(1, "d", "s", 0, 12, "It costs 24.", "verbatim", 0, 12, 0)
    claims = (
        Claim(0, 12, "verbatim", 1.0),
        Claim(17, 29, "unsupported", 0.2, ("number",)),
        Claim(30, 41, "unsupported", 0.3, ("meaning",)),
    )

    drawn = answer_markdown(text, (citation,), claims)

    assert drawn == (
        "It costs 24&#46;&#8239;:blue-badge[1] ~~It costs 42&#46;~~ It is nice&#46;&#8239;:orange-badge[?]"
    )


def test_in_a_script_without_spaces_the_stop_stays_outside_of_what_is_struck_out() -> None:
    drawn = answer_markdown("许可证要42欧元。孩子不付。", (), (Claim(0, 9, "unsupported", 0.2, ("number",)),))

    # Behind "。" and before a letter "~~" would be two tildes.
    assert drawn == "~~许可证要42欧元~~。孩子不付。"


def test_a_long_answer_is_looked_at_less_often_and_so_are_many() -> None:
    assert pace(0, busy=1) == (4_000, 0.2)
    assert pace(4_000, busy=1) == (4_000, 0.2)
    assert pace(4_001, busy=1) == (8_000, 0.4)
    assert pace(30_000, busy=1) == (32_000, 1.6)
    assert pace(100, busy=20) == (4_000, 0.6)
    assert pace(100, busy=1_000) == (4_000, 2.0)


def test_each_claim_is_marked_once_where_it_stands() -> None:
    claims = [Claim(n * 5, n * 5 + 4, "unsupported", 0.0, ("number",), ()) for n in range(3)]

    assert (
        answer_markdown("aaa. bbb. ccc.", [cite(1, 5, 9)], claims[::-1])
        == "~~aaa&#46;~~ ~~bbb&#46;~~ ~~ccc&#46;~~"
    )
    assert answer_markdown("aaa. bbb. [1] ccc.", [cite(1, 0, 9)], claims[:2]) == (
        "~~aaa&#46;~~ ~~bbb&#46;~~&#8239;:blue-badge[1] ccc&#46;"
    )
