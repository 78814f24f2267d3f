"""A question's reads: by id and by vector, under any filter, against plain Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import IndexingError
from rag.filters import matches, parse
from rag.index import ChunkIndex, open_client
from rag.library import Item, Library
from rag.plan import CANDIDATE_COST, EXACT_COST, FILTERED_COST, Plan, choose, instead
from rag.types import Chunk, DocumentRecord, Section, SourceFile

DIMENSIONS = 8
COUNTRIES = ("Portugal", "Spain", "Chile")


def document(n: int, sentences: int = 3) -> Item:
    """Document ``n``: its number, a country and a price as metadata, and random unit rows."""
    rng = np.random.default_rng(n)
    rows = rng.normal(size=(sentences, DIMENSIONS)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    section, chunks, at = Section(0, 14 * sentences), [], 0
    for i in range(sentences):
        chunks.append(Chunk(f"d{n}", i, at, at + 13, f"Sentence {n % 10} {i}.", " ", section))
        at += 14
    metadata = {"country": COUNTRIES[n % 3], "price": float(n), "tags": ("even",) if n % 2 == 0 else ("odd",)}
    files = (SourceFile(f"{n}.txt", "sha"),)
    return DocumentRecord(f"d{n}", files, f"hash{n}", f"Title {n}", metadata, sentences, 1), chunks, rows


ITEMS = [document(n) for n in range(60)]


def library(folder: Path, items: Sequence[Item] = ITEMS) -> Library:
    index = ChunkIndex(open_client(folder), "stored", dimensions=DIMENSIONS)
    made = Library(index, folder / "keyword", folder / "lock")
    made.write(items)
    made.refresh()
    return made


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return library(tmp_path_factory.mktemp("shelf"))


def cosines(vector: np.ndarray, where: dict[str, object]) -> dict[str, float]:
    """Every chunk that matches, by comparing with everything."""
    filter = parse(where)
    return {
        chunk.id: float(row @ vector)
        for record, chunks, rows in ITEMS
        if matches(filter, {**record.metadata, "title": record.title, "source": record.source})
        for chunk, row in zip(chunks, rows, strict=True)
    }


def test_chunks_read_from_here_are_those_in_chroma(shelf: Library) -> None:
    ids = ["d7:1", "d3:0", "d3:99", "nowhere:0"]

    read, vectors = shelf.chunks.get(ids), shelf.chunks.vectors(ids)

    assert read == shelf.index.get(ids)
    assert list(read) == ["d7:1", "d3:0"]
    for key, row in shelf.index.vectors(ids).items():
        assert np.allclose(vectors[key], row, atol=1e-3)  # 16-bit floats


conditions = st.one_of(
    st.sampled_from(COUNTRIES).map(lambda c: {"country": c}),
    st.integers(0, 60).map(lambda n: {"price": {"$lt": n}}),
    st.integers(0, 60).map(lambda n: {"price": {"$gte": n}}),
    st.sampled_from(["even", "odd"]).map(lambda t: {"tags": {"$contains": t}}),
    st.just({"country": {"$ne": "Spain"}}),
    st.just({"nothing": 1}),
)
wheres = st.one_of(
    conditions,
    st.lists(conditions, min_size=1, max_size=3).map(lambda some: {"$and": some}),
    st.lists(conditions, min_size=1, max_size=3).map(lambda some: {"$or": some}),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=wheres, n=st.integers(1, 40), seed=st.integers(0, 1000), candidates=st.integers(1, 180))
def test_every_way_finds_what_plain_python_finds(
    shelf: Library, where: dict[str, object], n: int, seed: int, candidates: int
) -> None:
    vector = np.random.default_rng(seed).normal(size=DIMENSIONS).astype(np.float32)
    vector /= np.linalg.norm(vector)
    filter, matching = parse(where), cosines(vector, where)
    assert filter is not None
    expected = sorted(matching.values(), reverse=True)[:n]

    for plan in (Plan("exact"), Plan("oversample", candidates), Plan("filtered")):
        hits = shelf.chunks.search_by(plan, vector, n, filter)

        # Two chunks whose cosines differ in the fourth digit may change places: 16-bit floats.
        found = [matching[hit.chunk_id] for hit in hits]
        assert len({hit.chunk_id for hit in hits}) == len(hits) == len(expected), plan
        assert np.allclose(sorted(found, reverse=True), expected, atol=2e-3), plan
        assert np.allclose([hit.score for hit in hits], found, atol=2e-3), plan
    assert len(shelf.chunks.search(vector, n, filter)) == len(expected)


def test_how_many_match_is_counted(shelf: Library) -> None:
    where = parse({"price": {"$lt": 5}})
    assert where is not None

    assert shelf.chunks.count(where) == 15


def test_what_was_read_is_forgotten_when_the_library_changes(tmp_path: Path) -> None:
    made = library(tmp_path)
    where = parse({"price": 7})
    assert where is not None
    vector = ITEMS[7][2][0]
    assert made.chunks.get(["d7:0"])["d7:0"].title == "Title 7"
    assert len(made.chunks.search(vector, 5, where)) == 3

    made.delete(["d7"])
    made.refresh()

    assert made.chunks.get(["d7:0"]) == {}
    assert made.chunks.search(vector, 5, where) == []


def test_true_and_one_are_two_filters(tmp_path: Path) -> None:
    """Python holds that ``True == 1.0``, so the filters are equal as well."""
    (a, chunks_a, rows_a), (b, chunks_b, rows_b) = document(1), document(2)
    items: list[Item] = [
        (replace(a, metadata={"rating": True}), chunks_a, rows_a),
        (replace(b, metadata={"rating": 1.0}), chunks_b, rows_b),
    ]
    made = library(tmp_path, items)
    is_true, is_one = parse({"rating": True}), parse({"rating": 1})

    first = made.chunks.search(rows_a[0], 3, is_true)
    second = made.chunks.search(rows_a[0], 3, is_one)

    assert {hit.chunk_id for hit in first} == {"d1:0", "d1:1", "d1:2"}
    assert {hit.chunk_id for hit in second} == {"d2:0", "d2:1", "d2:2"}


def test_while_another_process_writes_questions_go_on_from_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = library(tmp_path)
    other = Library(made.index, tmp_path / "keyword", tmp_path / "lock")
    vector = ITEMS[7][2][0]

    def refuse(*_: object) -> None:
        raise IndexingError("The index (Chroma) refused: Error finding id.")

    with other.writing():
        (tmp_path / "keyword" / "stamp").unlink()
        made.refresh()
        for name in ("search", "get", "vectors"):
            monkeypatch.setattr(made.index, name, refuse)

        assert made.chunks.search(vector, 3)[0].chunk_id == "d7:0"
        assert len(made.chunks.search(vector, 5, parse({"price": 7}))) == 3
        assert made.chunks.get(["d7:0"])["d7:0"].title == "Title 7"
        assert list(made.chunks.vectors(["d7:0"])) == ["d7:0"]


def test_where_the_keyword_index_is_lost_chroma_is_read(tmp_path: Path) -> None:
    made = library(tmp_path)
    other = Library(made.index, tmp_path / "keyword", tmp_path / "lock")
    where = parse({"price": 7})
    assert where is not None
    with other.writing():
        made.keywords.clear()
        (tmp_path / "keyword" / "stamp").unlink()
        made.refresh()  # another is writing: nothing can be mended

        assert made.chunks.get(["d7:0"])["d7:0"].title == "Title 7"
        assert list(made.chunks.vectors(["d7:0"])) == ["d7:0"]
        assert len(made.chunks.search(ITEMS[7][2][0], 5, where)) == 3


def test_an_index_without_records_is_rebuilt(tmp_path: Path) -> None:
    """One made before records were kept in it has another schema."""
    import tantivy

    made = library(tmp_path)
    folder = made.keywords.path
    for file in folder.iterdir():
        file.unlink()
    builder = tantivy.SchemaBuilder()
    for field in ("id", "document", "window", "own", "facts"):
        builder.add_text_field(field, stored=field == "id", tokenizer_name="raw", index_option="basic")
    old = tantivy.Index(builder.build(), str(folder))
    writer = old.writer(15_000_000, 1)
    writer.add_document(tantivy.Document(id=["d7:0"], document=["d7"]))
    writer.commit()
    writer.wait_merging_threads()
    del writer, old, made

    again = Library(
        ChunkIndex(open_client(tmp_path), "stored", dimensions=DIMENSIONS),
        tmp_path / "keyword",
        tmp_path / "lock",
    )
    again.refresh()

    assert again.chunks.total() == 180
    assert again.chunks.get(["d7:0"])["d7:0"].title == "Title 7"


def test_a_rebuild_that_was_cut_short_is_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = library(tmp_path)
    made.keywords.clear()
    write = made.keywords.write

    def dies(entries: Sequence[object], *, delete: Sequence[str] = ()) -> None:
        if entries:
            write(entries[:5])  # type: ignore[arg-type]
            raise KeyboardInterrupt
        write([], delete=delete)

    monkeypatch.setattr(made.keywords, "write", dies)
    with pytest.raises(KeyboardInterrupt):
        made.refresh()
    assert made.keywords.count() == 5
    monkeypatch.undo()

    made.refresh()

    assert made.keywords.count() == 180


def test_blocks_give_every_chunk_once(shelf: Library) -> None:
    blocks = list(shelf.chunks.blocks(size=50))

    assert [len(ids) for ids, _ in blocks] == [50, 50, 50, 30]
    assert {i for ids, _ in blocks for i in ids} == shelf.index.chunk_ids()
    assert sum(len(ids) for ids, _ in shelf.chunks.blocks(step=3)) == 60
    assert all(rows.shape == (len(ids), DIMENSIONS) for ids, rows in blocks)


def test_few_matches_are_compared_and_many_are_sifted() -> None:
    assert choose(0, 100_000, 100) == Plan("exact")
    assert choose(100, 100_000, 100) == Plan("exact")
    assert choose(1_000, 100_000, 100) == Plan("exact")
    assert choose(10_000, 100_000, 100) == Plan("oversample", 1_500)
    assert choose(50_000, 100_000, 100) == Plan("oversample", 1_000)
    assert choose(800, 900, 1_000) == Plan("exact")


def test_without_luck_few_are_compared_and_most_are_left_to_chroma() -> None:
    assert instead(10_000, 100_000) == Plan("exact")
    assert instead(50_000, 100_000) == Plan("filtered")


def test_no_plan_costs_more_than_chroma_itself() -> None:
    for total in (1_000, 100_000, 1_000_000):
        for matching in range(1, total, total // 200):
            plan = choose(matching, total, 100)
            costs = {
                "exact": matching * EXACT_COST,
                "oversample": plan.candidates * CANDIDATE_COST,
                "filtered": total * FILTERED_COST,
            }
            assert costs[plan.way] <= max(costs["filtered"], 100 * EXACT_COST), (matching, total)
