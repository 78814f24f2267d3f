"""The filter language: its sentences, its meaning, and that two engines share that meaning."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import FilterError
from rag.filters import (
    Compare,
    Nothing,
    chroma_key,
    combine,
    fact_terms,
    filterable,
    implies,
    matches,
    normalise,
    parse,
    plain_key,
    to_chroma,
    to_json,
    to_tantivy,
)
from rag.types import Chunk, DocumentRecord, Section, SourceFile

WINE = {"country": "Portugal", "price": 12.5, "vintage": 2019, "organic": True, "tags": ("dry", "rosé")}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, True),
        ({"country": "Portugal"}, True),
        ({"country": "portugal"}, False),
        ({"country": {"$eq": "Portugal"}}, True),
        ({"vintage": 2019.0}, True),
        ({"organic": True}, True),
        ({"organic": 1}, False),
        ({"price": {"$gte": 5, "$lt": 15}}, True),
        ({"price": {"$gt": 12.5}}, False),
        ({"price": {"$gte": 12.5}, "country": "Spain"}, False),
        ({"country": {"$in": ["Spain", "Portugal", 3]}}, True),
        ({"country": {"$in": []}}, False),
        ({"country": {"$nin": []}}, True),
        ({"country": {"$nin": ["Portugal"]}}, False),
        ({"tags": {"$contains": "rosé"}}, True),
        ({"tags": {"$contains": "ros"}}, False),
        ({"country": {"$contains": "Portugal"}}, False),
        ({"tags": "dry"}, False),
        ({"tags": {"$ne": "dry"}}, True),
        ({"country": {"$gt": 5}}, False),
        ({"organic": {"$gte": 0}}, False),
        ({"$or": [{"country": "Spain"}, {"price": {"$lt": 13}}]}, True),
        ({"$or": []}, False),
        ({"$and": []}, True),
        ({"$or": [{"country": "Spain"}, {}]}, True),
        ({"$and": [{"country": "Portugal"}, {"vintage": {"$ne": 2019}}]}, False),
    ],
)
def test_what_each_operator_means(where: dict[str, Any], expected: bool) -> None:
    assert matches(parse(where), WINE) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("x", False),
        ({"$ne": "x"}, True),
        ({"$in": ["x"]}, False),
        ({"$nin": ["x"]}, True),
        ({"$gt": 1}, False),
        ({"$lte": 1}, False),
        ({"$contains": "x"}, False),
    ],
)
def test_a_record_that_lacks_the_key_matches_only_ne_and_nin(condition: object, expected: bool) -> None:
    assert matches(parse({"colour": condition}), WINE) is expected


def test_iso_dates_are_numbers_in_filters_and_in_records() -> None:
    released = {"released": "2024-05-01"}
    assert matches(parse({"released": {"$gte": "2024-05-01", "$lt": "2024-05-02"}}), released)
    assert matches(parse({"released": 1714521600}), released)
    assert matches(parse({"released": "2024-05-01T00:00:00Z"}), released)


def test_what_restricts_nothing_is_none_and_what_matches_nothing_says_so() -> None:
    assert parse(None) is None
    assert parse({"$and": [{}, {"a": {"$nin": []}}]}) is None
    assert parse({"a": {"$in": []}, "b": 1}) == Nothing()
    assert parse({"$or": [{"a": {"$in": []}}, {"b": "x"}]}) == Compare("b", "$eq", "x")


def test_combined_filters_must_both_match() -> None:
    cheap, dry = parse({"price": {"$lt": 13}}), parse({"tags": {"$contains": "dry"}})
    assert combine(None, None) is None
    assert combine(cheap, None) == cheap
    assert to_json(combine(cheap, dry)) == {
        "$and": [{"price": {"$lt": 13.0}}, {"tags": {"$contains": "dry"}}]
    }


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (["country"], "A filter is an object"),
        ({"country": ["Spain", "Portugal"]}, r'write {"\$in": \[...\]}'),
        ({"country": {}}, "'country' has no operator; use one of"),
        ({"country": None}, "not null"),
        ({"country": {"Spain": True}}, r"Unknown operator 'Spain' on 'country'"),
        ({"price": {"$gt": "5"}}, "strings have no ranges"),
        ({"price": {"$gt": True}}, "true and false have no ranges"),
        ({"price": {"$lt": float("nan")}}, "not finite"),
        ({"price": float("inf")}, "not finite"),
        ({"price": 10**400}, "not finite"),
        ({"price": {"$in": 5}}, r"\$in on 'price' takes a list, not 5"),
        ({"tags": {"$contains": 5}}, "looks for text in a list, not 5"),
        ({"$and": {"a": 1}}, r"\$and takes a list of filters, not an object"),
        ({"$not": {"a": 1}}, r"'\$not' is no operator of filters"),
        ({"$gt": 5}, r'write {"price": {"\$gt": ...}}'),
        ({3: 1}, "keys of a filter are text, not 3"),
        ({"a": "\ud800"}, "not valid Unicode"),
    ],
)
def test_a_wrong_filter_is_refused_with_what_to_write(where: Any, words: str) -> None:
    with pytest.raises(FilterError, match=words):
        parse(where)


def nested(depth: int) -> dict[str, Any]:
    where: dict[str, Any] = {"a": 1}
    for _ in range(depth - 1):
        where = {"$or": [where, {"b": 2}]}
    return where


def test_hostile_filters_are_bounded() -> None:
    assert parse(nested(20)) is not None
    with pytest.raises(FilterError, match="20 levels"):
        parse(nested(21))
    with pytest.raises(FilterError, match="20 levels"):
        parse(nested(100_000))
    with pytest.raises(FilterError, match="500 conditions"):
        parse({"a": {"$in": list(range(501))}})
    with pytest.raises(FilterError, match="500 conditions"):
        parse({"$and": [{}] * 501})
    with pytest.raises(FilterError, match="4096 characters"):
        parse({"a": "x" * 4097})


def test_a_chunk_is_filtered_by_its_document_page_and_heading_path() -> None:
    files = (SourceFile("docs/a.md", "0"), SourceFile("docs/b.md", "0"))
    record = DocumentRecord("d", files, "h", "A title", {"type": "markdown", "page": "own"}, 1, 1)
    plain = Chunk("d", 0, 0, 4, "Text", "", Section(0, 4))
    placed = Chunk("d", 0, 0, 4, "Text", "", Section(0, 4, ("Guide", "Install"), 3))
    assert filterable(plain, record) == {
        "type": "markdown",
        "page": "own",
        "source": "docs/a.md",
        "title": "A title",
    }
    assert filterable(placed, record) == {
        "type": "markdown",
        "page": 3.0,
        "source": "docs/a.md",
        "title": "A title",
        "section": "Guide > Install",
    }


# --- one filter that says what another one says -------------------------------


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"country": "Spain"}, {}),
        ({"country": {"$in": ["Spain"]}}, {"country": "Spain"}),
        ({"country": "Spain", "price": 4}, {"country": {"$in": ["Spain", "Italy"]}}),
        ({"country": "Spain"}, {"country": {"$ne": "France"}}),
        ({"country": {"$nin": ["France", "Italy"]}}, {"country": {"$ne": "France"}}),
        ({"price": {"$lte": 14}}, {"price": {"$lt": 15}}),
        ({"price": {"$lt": 15}}, {"price": {"$lte": 15}}),
        ({"price": {"$gte": 12, "$lt": 15}}, {"price": {"$gt": 10, "$lte": 20}}),
        ({"price": {"$gt": 15}}, {"price": {"$ne": 15}}),
        ({"price": 12}, {"price": {"$gte": 10}}),
        ({"tags": {"$contains": "dry"}}, {"$or": [{"tags": {"$contains": "dry"}}, {"price": 1}]}),
        ({"$or": [{"price": 1}, {"price": 2}]}, {"price": {"$lt": 3}}),
        ({"$or": []}, {"price": 1}),
    ],
)
def test_a_filter_that_says_as_much_or_more_implies_the_other(given: Any, wanted: Any) -> None:
    assert implies(parse(given), parse(wanted))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, {"country": "Spain"}),
        ({"country": {"$in": ["Spain", "Italy"]}}, {"country": "Spain"}),
        ({"region": "Spain"}, {"country": "Spain"}),
        ({"price": {"$lte": 15}}, {"price": {"$lt": 15}}),
        ({"price": {"$gte": 14}}, {"price": {"$lt": 15}}),
        ({"price": {"$ne": 15}}, {"price": {"$lt": 15}}),
        ({"price": {"$lt": 20}}, {"price": {"$ne": 15}}),
        ({"price": True}, {"price": 1}),
        ({"tags": "dry"}, {"tags": {"$contains": "dry"}}),
        ({"$or": [{"price": 1}, {"price": 9}]}, {"price": {"$lt": 3}}),
    ],
)
def test_a_filter_that_lets_more_through_does_not(given: Any, wanted: Any) -> None:
    assert not implies(parse(given), parse(wanted))


# --- two engines, one meaning ------------------------------------------------

KEYS = st.sampled_from(
    [
        "country",
        "a.b",
        "a b",
        "it's",
        'q"q',
        "AND",
        "_id",
        "$x",
        "#document",
        "chroma:document",
        "",
        "é",
        "東",
        "\0",
    ]
) | st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
TEXTS = st.sampled_from(
    [
        "",
        "a",
        "b",
        "1",
        "é",
        "e\u0301",
        "it's",
        '"',
        "\0",
        "x" * 300,
        "x" * 300 + "y",
        "2024-05-01",
        "*",
        "\\",
        "𝔘",
    ]
)
NUMBERS = st.sampled_from([0, -0.0, 1, -1, 1.5, 2**53, -(2**60), 1e300, 5e-324, 1714521600]) | st.floats(
    allow_nan=False, allow_infinity=False
)
SCALARS = TEXTS | NUMBERS | st.booleans()
RECORDS = st.dictionaries(KEYS, SCALARS | st.lists(TEXTS, max_size=3).map(tuple), max_size=4)
CONDITIONS = (
    SCALARS
    | st.fixed_dictionaries({}, optional={"$eq": SCALARS, "$ne": SCALARS}).filter(bool)
    | st.fixed_dictionaries(
        {}, optional={"$gt": NUMBERS, "$gte": NUMBERS, "$lt": NUMBERS, "$lte": NUMBERS}
    ).filter(bool)
    | st.fixed_dictionaries(
        {}, optional={"$in": st.lists(SCALARS, max_size=4), "$nin": st.lists(SCALARS, max_size=4)}
    ).filter(bool)
    | st.fixed_dictionaries({"$contains": TEXTS})
)
WHERES = st.recursive(
    st.dictionaries(KEYS.filter(lambda key: not key.startswith("$")), CONDITIONS, max_size=2),
    lambda inner: st.fixed_dictionaries(
        {}, optional={"$and": st.lists(inner, max_size=3), "$or": st.lists(inner, max_size=3)}
    ),
    max_leaves=6,
)


FEW = st.sampled_from([1, 2, 3, True, "x", "y"])
BOUNDS = st.sampled_from([1, 2, 3])
NEAR = st.recursive(
    st.dictionaries(
        st.sampled_from(["a", "b"]),
        FEW
        | st.dictionaries(st.sampled_from(["$in", "$nin"]), st.lists(FEW, max_size=3), min_size=1)
        | st.dictionaries(st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), BOUNDS, min_size=1)
        | st.sampled_from([{"$ne": 2}, {"$ne": "x"}, {"$contains": "x"}]),
        max_size=2,
    ),
    lambda inner: st.dictionaries(st.sampled_from(["$and", "$or"]), st.lists(inner, max_size=3), min_size=1),
    max_leaves=4,
)
NEARBY = st.dictionaries(
    st.sampled_from(["a", "b"]), FEW | st.sampled_from([1.5, 2.5, ("x",), ("x", "y"), False])
)


@settings(max_examples=400)
@given(NEAR, NEAR, st.lists(NEARBY, min_size=5, max_size=5))
def test_what_implies_another_filter_matches_no_record_that_the_other_refuses(
    one: Any, other: Any, records: Any
) -> None:
    given, wanted = parse(one), parse(other)
    if implies(given, wanted):
        assert [r for r in records if matches(given, r) and not matches(wanted, r)] == []


@pytest.fixture(scope="module")
def chroma() -> Iterator[Any]:
    import chromadb
    from chromadb.config import Settings

    client = chromadb.EphemeralClient(Settings(anonymized_telemetry=False))
    yield client
    client.close()


def chroma_matches(chroma: Any, records: list[Any], filters: list[Any]) -> list[set[int]]:
    collection = chroma.create_collection(f"c{uuid.uuid4().hex}", embedding_function=None)
    stored = [
        {chroma_key(k): list(v) if isinstance(v, tuple) else v for k, v in normalise(r).items()}
        | {"_doc": "d"}
        for r in records
    ]
    ids = [str(n) for n in range(len(records))]
    collection.upsert(ids=ids, embeddings=[[1.0, float(n)] for n in range(len(ids))], metadatas=stored)
    found = [{int(i) for i in collection.get(where=to_chroma(f), include=[])["ids"]} for f in filters]
    collection.delete(ids=ids)  # or its lists would reach the next collection's records
    chroma.delete_collection(collection.name)
    return found


def tantivy_matches(records: list[Any], filters: list[Any]) -> list[set[int]]:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("n", fast=True)
    builder.add_text_field("facts", tokenizer_name="raw", index_option="basic")
    index = tantivy.Index(builder.build())
    writer = index.writer(15_000_000, 1)
    for n, record in enumerate(records):
        document = tantivy.Document()
        document.add_unsigned("n", n)
        for term in fact_terms(normalise(record)):
            document.add_text("facts", term)
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()

    def matched(filter: Any) -> set[int]:
        hits = searcher.search(to_tantivy(filter, index), len(records) + 1).hits
        return set(searcher.fast_field_values("n", [address for _, address in hits]))

    return [matched(filter) for filter in filters]


def check_agreement(chroma: Any, records: list[Any], wheres: list[Any]) -> None:
    filters = [f for f in map(parse, wheres) if f is not None]
    expected = [{n for n, record in enumerate(records) if matches(f, record)} for f in filters]
    assert chroma_matches(chroma, records, filters) == expected
    assert tantivy_matches(records, filters) == expected
    assert [parse(to_json(f)) for f in filters] == filters


CASES = given(st.lists(RECORDS, min_size=1, max_size=8), st.lists(WHERES, min_size=1, max_size=8))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@CASES
def test_chroma_and_tantivy_match_what_the_reference_matches(
    chroma: Any, records: list[Any], wheres: list[Any]
) -> None:
    check_agreement(chroma, records, wheres)


@pytest.mark.fuzz
@settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
@CASES
def test_they_match_the_same_at_length(chroma: Any, records: list[Any], wheres: list[Any]) -> None:
    check_agreement(chroma, records, wheres)


def test_the_two_engines_agree_on_every_pair_of_value_and_condition(chroma: Any) -> None:
    values = ["a", "", 1, 1.0, 0, -0.0, True, False, ("a",), (), "2024-05-01", 1714521600, 2**60]
    records = [{"k": value} for value in values] + [{}]
    operands = ["a", "", 1, 0, True, False, "2024-05-01", 2**60]
    wheres = [{"k": {op: v}} for op in ("$eq", "$ne") for v in operands]
    wheres += [{"k": {op: [v, "z"]}} for op in ("$in", "$nin") for v in operands]
    wheres += [
        {"k": {op: n}} for op in ("$gt", "$gte", "$lt", "$lte") for n in (0, 1, -1, 1e18, "2024-05-01")
    ]
    wheres += [{"k": {"$contains": text}} for text in ("a", "", "2024-05-01")]
    check_agreement(chroma, records, wheres)


@given(st.text())
def test_keys_come_back_from_chroma_as_they_were(key: str) -> None:
    assert plain_key(chroma_key(key)) == key
    assert chroma_key(key) not in {"_doc", "_chunk", "_head", "_record", "_nothing"}
