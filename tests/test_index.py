"""The chunks in Chroma: one contract for a folder and for a server, and what a crash may not do."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import IndexingError, NotFound
from rag.filters import filterable, matches, parse
from rag.index import ChromaClient, ChunkIndex, Listed, collection_name, is_of, open_client
from rag.index.layout import decode, encode
from rag.types import Chunk, DocumentRecord, Metadata, MetaValue, Section, SourceFile, Vectors

DIMENSIONS = 16
Item = tuple[DocumentRecord, Sequence[Chunk], Vectors]


def vectors(document_id: str, n: int) -> Vectors:
    rows = np.random.default_rng(list(document_id.encode())).normal(size=(n, DIMENSIONS)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def document(
    document_id: str,
    *sentences: str,
    metadata: Metadata | None = None,
    path: tuple[str, ...] = (),
    page: int | None = None,
) -> Item:
    sentences = sentences or ("One sentence.",)
    lead, chunks, at = "# \n", [], 3
    section = Section(at, at + len(" ".join(sentences)), path, page)
    for n, sentence in enumerate(sentences):
        gap = " " if n < len(sentences) - 1 else "\n"
        chunks.append(Chunk(document_id, n, at, at + len(sentence), sentence, gap, section))
        at += len(sentence) + len(gap)
    files = (SourceFile(f"docs/{document_id}.md", "sha"),)
    record = DocumentRecord(
        document_id, files, "hash", f"Title of {document_id}", metadata or {}, len(chunks), 1, lead
    )
    return record, chunks, vectors(document_id, len(chunks))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("server")
    command = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(folder)]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture(params=["folder", pytest.param("server", marks=pytest.mark.slow)])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> ChromaClient:
    host = request.getfixturevalue("server") if request.param == "server" else None
    return open_client(tmp_path, host=host)


@pytest.fixture
def index(client: ChromaClient, request: pytest.FixtureRequest) -> ChunkIndex:
    return ChunkIndex(client, collection_name(request.node.name, "model"), dimensions=DIMENSIONS)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def local(home: Path) -> ChunkIndex:
    return ChunkIndex(open_client(home), "test", dimensions=DIMENSIONS)


# --- the contract --------------------------------------------------------------


def test_a_collection_that_is_not_there_reads_as_empty(index: ChunkIndex) -> None:
    assert index.count() == 0
    assert index.refresh() is False
    assert index.search(vectors("d", 1)[0], 5) == []
    assert index.records() == {}
    assert index.record("d") is None
    assert index.get(["d:0"]) == {}
    assert index.vectors(["d:0"]) == {}
    assert index.facts() == {}
    assert list(index.iter_chunks()) == []
    index.delete(["d"])
    index.drop()
    with pytest.raises(NotFound, match="no document d"):
        index.document_text("d")


def test_a_written_document_comes_back_whole(index: ChunkIndex) -> None:
    record, chunks, rows = document("d", "First.", "Second é 😀.", path=("Guide", "Use"), page=4)
    index.write([(record, chunks, rows)])
    assert index.records() == {"d": record}
    assert index.record("d") == record
    assert index.document_chunks("d") == list(chunks)
    assert index.document_text("d") == "# \nFirst. Second é 😀.\n"
    found = index.get(["d:1", "absent:0", "d:0"])
    assert list(found) == ["d:1", "d:0"]
    assert (found["d:1"].chunk, found["d:1"].source, found["d:1"].title) == (
        chunks[1],
        "docs/d.md",
        "Title of d",
    )
    np.testing.assert_allclose(index.vectors(["d:0", "absent:0"])["d:0"], rows[0], atol=1e-6)
    assert index.chunk_ids() == {"d:0", "d:1"}
    assert index.count() == 2


def test_the_nearest_chunk_comes_first_with_its_cosine(index: ChunkIndex) -> None:
    index.write([document("a", "x", "y"), document("b", "x")])
    query = vectors("b", 1)[0]
    hits = index.search(query, 10)
    assert hits[0].chunk_id == "b:0"
    expected = sorted((float(query @ v) for v in np.vstack([vectors("a", 2), query])), reverse=True)
    np.testing.assert_allclose([hit.score for hit in hits], expected, atol=1e-5)
    assert len(index.search(query, 1)) == 1
    assert index.search(query, 0) == []


def test_collections_are_listed_with_the_size_of_their_vectors(
    client: ChromaClient, index: ChunkIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.index.client._PAGE", 2)
    others = [ChunkIndex(client, f"{index.name}-{n}", dimensions=DIMENSIONS) for n in range(4)]
    for other in others:
        other.set_facts(model="mini")
    index.write([document("d")])

    listed = {one.name: one for one in client.collections()}

    assert listed[index.name] == Listed(index.name, DIMENSIONS, "")
    assert listed[others[0].name] == Listed(others[0].name, 1, "mini")
    assert listed.keys() >= {other.name for other in others}


@pytest.mark.parametrize(
    ("after", "prototype", "is_theirs"),
    [
        ("", "notes", True),
        ("-beside-200", "notes", True),
        ("-1a2b3c4d", "notes", True),
        ("x", "notes", False),
        ("", "note", False),
        ("", "notes-openai", False),
    ],
)
def test_a_collection_tells_whose_it_is(after: str, prototype: str, is_theirs: bool) -> None:
    assert is_of(collection_name("notes", "openai:mini") + after, prototype, "openai:mini") == is_theirs


RECORDS: Mapping[str, Metadata] = {
    "douro": {"country": "Portugal", "price": 12.5, "vintage": 2019, "tags": ("dry", "red")},
    "rioja": {"country": "Spain", "price": 9, "tags": ()},
    "blank": {},
    "awkward": {
        "_doc": "x",
        "$price": 1,
        "a.b": True,
        "": "empty",
        "released": "2024-05-01",
        "source": "own",
    },
}
WHERES = (
    {"country": "Portugal"},
    {"country": {"$ne": "Portugal"}},
    {"price": {"$gte": 9, "$lt": 12.5}},
    {"vintage": {"$in": [2018, 2019, "x", True]}},
    {"vintage": {"$nin": [2019]}},
    {"tags": {"$contains": "red"}},
    {"country": {"$in": []}},
    {"a.b": True, "": "empty"},
    {"_doc": "x"},
    {"released": {"$lt": "2024-05-02"}},
    {"source": "docs/rioja.md"},
    {"title": "Title of blank"},
    {"page": {"$gt": 1}},
    {"section": "Guide > Use"},
    {"$or": [{"price": 9}, {"section": {"$ne": "Guide > Use"}}]},
)


@pytest.mark.parametrize("where", WHERES, ids=str)
def test_search_finds_exactly_what_the_filter_matches(index: ChunkIndex, where: dict[str, Any]) -> None:
    places = {"douro": (("Guide", "Use"), 2), "rioja": ((), 1)}
    items = [
        document(
            key,
            "x",
            metadata=metadata,
            path=places.get(key, ((), None))[0],
            page=places.get(key, ((), None))[1],
        )
        for key, metadata in RECORDS.items()
    ]
    index.write(items)
    filter = parse(where)
    expected = {r.id for r, chunks, _ in items if matches(filter, filterable(chunks[0], r))}
    assert {
        hit.chunk_id.rpartition(":")[0] for hit in index.search(vectors("q", 1)[0], 10, filter)
    } == expected


def test_a_narrow_filter_finds_what_is_far_away(index: ChunkIndex) -> None:
    index.write([document(f"d{n}", "x", "y", metadata={"n": n}) for n in range(300)])
    query = vectors("d0", 1)[0]
    far = index.search(query, 600)[-1].chunk_id.rpartition(":")[0]
    found = index.search(query, 5, parse({"n": int(far[1:])}))
    assert {hit.chunk_id for hit in found} == {f"{far}:0", f"{far}:1"}


def test_a_replaced_document_leaves_nothing_behind(index: ChunkIndex) -> None:
    index.write([document("d", "a", "b", "c", metadata={"old": 1, "tags": ("x",)}), document("e", "z")])
    record, chunks, rows = document("d", "new", metadata={"fresh": 2})
    index.write([(record, chunks, rows)])
    assert index.chunk_ids() == {"d:0", "e:0"}
    assert index.get(["d:0"])["d:0"].metadata == {"fresh": 2}
    assert index.search(rows[0], 9, parse({"old": 1})) == []
    assert index.incomplete() == set()


def test_deleted_documents_are_gone_and_unknown_ids_do_no_harm(index: ChunkIndex) -> None:
    index.write([document("d", "a", "b"), document("e", "c")])
    index.delete(["d", "unknown"])
    assert set(index.records()) == {"e"}
    assert index.chunk_ids() == {"e:0"}
    assert [hit.chunk_id for hit in index.search(vectors("d", 1)[0], 5)] == ["e:0"]


def test_update_changes_what_is_kept_of_a_document_but_not_its_chunks(index: ChunkIndex) -> None:
    _, chunks, rows = document("d", "a", "b", metadata={"old": 1, "tags": ("x",), "kept": "k"})
    index.write([document("d", "a", "b", metadata={"old": 1, "tags": ("x",), "kept": "k"})])
    moved = (SourceFile("new/place.md", "sha2"), SourceFile("twin.md", "sha3", 2))
    record = DocumentRecord("d", moved, "hash", "New", {"kept": "k", "n": 3}, 2, 1, "# \n")
    index.update([record])
    assert index.record("d") == record
    assert index.document_chunks("d") == list(chunks)
    found = index.get(["d:1"])["d:1"]
    assert (found.source, found.title, found.metadata) == ("new/place.md", "New", {"kept": "k", "n": 3})
    query = rows[1]
    assert [h.chunk_id for h in index.search(query, 5, parse({"source": "new/place.md"}))] == ["d:1", "d:0"]
    assert index.search(query, 5, parse({"$or": [{"old": 1}, {"tags": {"$contains": "x"}}]})) == []


def test_only_the_record_changes_where_filters_see_no_change(index: ChunkIndex) -> None:
    record, chunks, rows = document("d", "a", "b", metadata={"n": 1})
    index.write([(record, chunks, rows)])
    more = replace(record, files=(*record.files, SourceFile("twin.md", "sha2")))
    unknown = document("unknown")[0]
    index.update([more, unknown], heads_only=True)
    assert index.records() == {"d": more}
    assert index.document_chunks("d") == list(chunks)
    assert index.search(rows[1], 5, parse({"n": 1}))[0].chunk_id == "d:1"
    assert index.incomplete() == set()


def test_a_document_without_its_record_or_all_its_chunks_is_incomplete(index: ChunkIndex) -> None:
    index.write([document("whole", "a", "b"), document("headless", "a", "b"), document("short", "a", "b")])
    collection = index._client.collection(index.name)
    collection.delete(ids=["headless:0", "short:1"])
    assert index.incomplete() == {"headless", "short"}
    assert set(index.records()) == {"whole", "short"}
    index.delete(index.incomplete())
    assert index.incomplete() == set()
    assert index.chunk_ids() == {"whole:0", "whole:1"}


def test_all_chunks_come_document_by_document_in_order(index: ChunkIndex) -> None:
    index.write([document("b", *"0123456789ab"), document("a", "x"), document("a:1", "y")])
    batches = list(index.iter_chunks(batch=5))
    assert [len(batch) for batch in batches] == [5, 5, 4]
    ids = [found.chunk.id for batch in batches for found in batch]
    assert ids == ["a:0", "a:1:0", *(f"b:{n}" for n in range(12))]


def test_facts_are_kept_beside_the_chunks_and_survive_writes(index: ChunkIndex) -> None:
    index.set_facts(model="mini", shape="1")
    index.write([document("d")])
    index.set_facts(shape="2")
    assert index.facts() == {"model": "mini", "shape": "2"}


def test_every_write_changes_the_stamp(index: ChunkIndex) -> None:
    record = document("d")[0]
    stamps = [index.stamp]
    index.write([document("d")])
    stamps.append(index.stamp)
    index.update([record])
    stamps.append(index.stamp)
    index.delete(["d"])
    stamps.append(index.stamp)
    assert len(set(stamps)) == 4
    assert index.refresh() is False


def test_a_dropped_collection_takes_its_lists_with_it(index: ChunkIndex) -> None:
    index.write([document("d", metadata={"tags": ("ghost",)})])
    index.drop()
    assert index.count() == 0
    index.write([document("d", metadata={"plain": 1})])
    assert index.get(["d:0"])["d:0"].metadata == {"plain": 1}
    assert index.search(vectors("d", 1)[0], 5, parse({"tags": {"$contains": "ghost"}})) == []


def test_another_index_object_of_the_same_collection_sees_a_write(index: ChunkIndex) -> None:
    other = ChunkIndex(index._client, index.name, dimensions=DIMENSIONS)
    assert other.search(vectors("d", 1)[0], 1) == []
    index.write([document("d")])
    assert other.refresh() is True
    assert other.stamp == index.stamp
    assert [hit.chunk_id for hit in other.search(vectors("d", 1)[0], 1)] == ["d:0"]


def test_what_does_not_fit_is_refused_before_anything_is_written(index: ChunkIndex) -> None:
    record, chunks, rows = document("d", "a", "b")
    with pytest.raises(IndexingError, match=r"2 chunks came with vectors of shape \(2, 3\)"):
        index.write([(record, chunks, rows[:, :3])])
    with pytest.raises(IndexingError, match="not numbered 0 to n - 1"):
        index.write([(record, chunks[::-1], rows)])
    assert index.count() == 0


def test_text_that_is_no_unicode_keeps_its_length(index: ChunkIndex) -> None:
    index.write([document("d", "bad \ud800 character", metadata={"key\ud800": "v\udfff"})])
    found = index.get(["d:0"])["d:0"]
    assert found.chunk.text == "bad \ufffd character"
    assert found.metadata == {"key\ud800": "v\udfff"}


# --- the layout ----------------------------------------------------------------

VALUES: st.SearchStrategy[MetaValue] = (
    st.text(max_size=5)
    | st.sampled_from(["2024-05-01", "1999-12-31T23:59", ""])
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.booleans()
    | st.lists(st.text(max_size=3), max_size=3).map(tuple)
)
NAMES = st.text(max_size=4) | st.sampled_from(["page", "section", "_doc", "_:x", "_record", "type"])


@given(st.dictionaries(NAMES, VALUES, max_size=5), st.booleans())
def test_metadata_comes_back_as_it_was_declared(declared: dict[str, MetaValue], placed: bool) -> None:
    record, chunks, _ = document(
        "d", "x", metadata=declared, path=("A",) * placed, page=1 if placed else None
    )
    found = decode(encode(chunks[0], record), "x")
    assert found.chunk == chunks[0]
    assert (found.source, found.title) == (record.source, record.title)
    assert list(found.metadata.items()) == list(declared.items())
    assert [type(v) for v in found.metadata.values()] == [type(v) for v in declared.values()]


@pytest.mark.parametrize(
    ("prototype", "model", "expected"),
    [
        ("wine", "sentence-transformers/all-MiniLM-L6-v2", "wine-all-minilm-l6-v2-8ff98d51c7"),
        ("日本", "é", "00af8a61f0"),
    ],
)
def test_collection_names_are_ones_that_chroma_takes(prototype: str, model: str, expected: str) -> None:
    assert collection_name(prototype, model) == expected
    assert collection_name("a b", "m") != collection_name("a-b", "m")


# --- several processes, and crashes --------------------------------------------

WRITER = f"""
import sys
from pathlib import Path
sys.path[:0] = {[str(Path(__file__).parent.parent), str(Path(__file__).parent)]!r}
import rag.index.collection
from test_index import *
home, threshold, *ids = sys.argv[1:]
rag.index.collection.SYNC_THRESHOLD = int(threshold)
index = local(Path(home))
print("ready", flush=True)
for i in range(0, len(ids), 20):
    index.write([document(d, *"abcdefghij") for d in ids[i:i + 20]])
"""


def writer(home: Path, threshold: int, *ids: str) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-c", WRITER, str(home), str(threshold), *ids]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE)


def test_what_another_process_wrote_is_found_after_refresh(home: Path) -> None:
    index = local(home)
    index.write([document("here")])
    with writer(home, 1000, "there") as process:
        assert process.wait(60) == 0
    query = vectors("there", 10)[3]
    assert [hit.chunk_id for hit in index.search(query, 1)] == [
        "here:0"
    ]  # the graph in memory is the old one
    assert index.refresh() is True
    assert [hit.chunk_id for hit in index.search(query, 1)] == ["there:3"]
    assert index.refresh() is False


def test_a_write_beside_another_process_loses_neither(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.index.collection.SYNC_THRESHOLD", 10)
    index = local(home)
    index.write([document("first", *"abcdefghij")])
    with writer(home, 10, "second", "third") as process:
        assert process.wait(60) == 0
    index.write([document("fourth", *"abcdefghij")])  # without a refresh: the write sees to it
    index._client.reopen()
    for document_id in ("first", "second", "third", "fourth"):
        rows = vectors(document_id, 10)
        assert [index.search(row, 1)[0].chunk_id for row in rows] == [f"{document_id}:{n}" for n in range(10)]


REPLACER = """
import sys
from pathlib import Path
import numpy as np
from rag.index import ChunkIndex
from rag.index.client import _folder
from tests.test_index import document

folder = Path(sys.argv[1])
here, there = (ChunkIndex(_folder(folder), "test", dimensions=16) for _ in range(2))
draw = np.random.default_rng(0)
for again in range(12):
    items = []
    for n in range(40):
        record, chunks, _ = document(f"d{n}", *"abcdefghijklmn"[: 6 + (n * 7 + again) % 9])
        rows = draw.normal(size=(len(chunks), 16)).astype(np.float32)
        items.append((record, chunks, rows / np.linalg.norm(rows, axis=1, keepdims=True)))
    here.write(items)
    there.refresh()  # opens the graph that is on disk
    _, chunks, rows = items[7]
    assert there.search(rows[2], 1)[0].chunk_id == "d7:2"
"""


def test_a_graph_saved_many_times_while_documents_are_replaced_can_be_opened(home: Path) -> None:
    """Chroma's own fault ends the process, so this is tried in another one."""
    folder = home / "replaced"
    folder.mkdir()

    done = subprocess.run([sys.executable, "-c", REPLACER, str(folder)], stderr=subprocess.PIPE, timeout=120)

    assert done.returncode == 0, done.stderr.decode()[-500:]


def test_searches_go_on_while_the_graph_is_reopened(home: Path) -> None:
    index = local(home)
    index.write([document(f"d{n}", *"abcde") for n in range(20)])
    failures: list[BaseException] = []
    done = threading.Event()

    def search() -> None:
        while not done.is_set():
            try:
                assert index.search(vectors("d7", 3)[2], 1)[0].chunk_id == "d7:2"
                assert set(index.get(["d7:2"])) == {"d7:2"}
            except BaseException as error:
                failures.append(error)
                return

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(15):
        index._client.loaded["test"] = "as if another process had written"
        index.refresh()
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []


def test_reopening_closes_the_files_of_the_old_graph(home: Path) -> None:
    index = local(home)
    index.write([document("d", *"abcde")])

    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("counts open files as Linux lists them")
    before = open_files()
    for _ in range(10):
        index._client.loaded["test"] = "as if another process had written"
        index.refresh()
    assert open_files() < before + 20


def test_a_writer_waits_for_the_lock_and_then_says_so(home: Path) -> None:
    client = open_client(home)
    with (
        client.writing(),
        pytest.raises(IndexingError, match="Another process is writing"),
        client.writing(0),
    ):
        pass
    with client.writing(0):
        pass


def test_a_reader_keeps_the_old_graph_while_another_process_writes(home: Path) -> None:
    index = local(home)
    index.write([document("d")])
    index._client.loaded["test"] = "as if another process had written"
    with index._client.writing():
        assert index.refresh() is False
        assert [hit.chunk_id for hit in index.search(vectors("d", 1)[0], 1)] == ["d:0"]
    index._client.loaded["test"] = index.stamp


@pytest.mark.parametrize("name", ["data_level0.bin", "header.bin", "link_lists.bin", "index_metadata.pickle"])
def test_a_graph_that_was_half_saved_is_put_right(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("rag.index.collection.SYNC_THRESHOLD", 20)
    index = local(home)
    index.write([document(f"d{n}", *"abcdefghij") for n in range(5)])
    index.write([document("last", *"abcde")])  # some of it is in the log alone
    (saved,) = home.glob(f"chroma/*-*-*-*-*/{name}")
    saved.write_bytes(saved.read_bytes()[: saved.stat().st_size // 2])
    index._client.reopen()
    for document_id, n in (("d0", 0), ("d4", 9), ("last", 4)):
        assert index.search(vectors(document_id, 10)[n], 1)[0].chunk_id == f"{document_id}:{n}"


def test_the_first_saving_cut_short_is_put_right(home: Path) -> None:
    index = local(home)
    index.write([document("d", *"abcde")])
    (folder,) = home.glob("chroma/*-*-*-*-*")
    (folder / "index_metadata.pickle").write_bytes(b"\x80\x03}")
    (folder / "data_level0.bin").write_bytes(b"half")
    index._client.reopen()
    assert index.search(vectors("d", 5)[3], 1)[0].chunk_id == "d:3"


def test_files_of_a_dropped_collection_are_deleted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.index.collection.SYNC_THRESHOLD", 20)
    other = ChunkIndex(open_client(home), "other", dimensions=DIMENSIONS)
    other.write([document("kept", *"abcde")])
    index = local(home)
    index.write([document(f"d{n}", *"abcdefghij") for n in range(5)])
    assert len(list(home.glob("chroma/*-*-*-*-*"))) == 2
    index.drop()
    assert len(list(home.glob("chroma/*-*-*-*-*"))) == 1
    assert list(home.glob("chroma/kept/*")) == []
    assert other.search(vectors("kept", 5)[1], 1)[0].chunk_id == "kept:1"


def test_a_damaged_database_gives_a_sentence(home: Path) -> None:
    index = local(home)
    index.write([document("d")])
    (home / "chroma" / "chroma.sqlite3").write_bytes(b"no database at all" * 1000)
    with pytest.raises(IndexingError, match=r"index .* then run: python -m rag doctor$"):
        index.count()


def test_a_server_that_is_not_there_gives_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(IndexingError, match="server does not answer"):
        open_client(tmp_path, host="127.0.0.1:9")
    with pytest.raises(IndexingError, match="CHROMA_HOST is not an address"):
        open_client(tmp_path, host="ftp://somewhere")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_writers_killed_at_any_moment_leave_an_index_that_answers(home: Path) -> None:
    chance = random.Random(0)
    for round in range(25):
        first = chance.randrange(10) * 20
        with writer(home, 30, *(f"d{n}" for n in range(first, first + 400))) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(chance.uniform(0.3, 2.0))
            process.send_signal(signal.SIGKILL)
        copy = home.with_name(f"{home.name}-{round}")
        shutil.copytree(home, copy)  # as a process that starts afterwards finds it
        index = local(copy)
        records = index.records()
        assert index.chunk_ids() == set(index.vectors(sorted(index.chunk_ids())))
        for document_id in chance.sample(sorted(records), min(10, len(records))):
            assert len(index.document_chunks(document_id)) == 10
            for n in (0, 9):
                assert index.search(vectors(document_id, 10)[n], 1)[0].chunk_id == f"{document_id}:{n}"
        shutil.rmtree(copy)


def test_an_index_that_was_emptied_fills_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.index.collection.SYNC_THRESHOLD", 20)
    index = local(home)
    names = [f"d{n}" for n in range(5)]
    for _ in range(3):
        index.write([document(name, *"abcdefghij") for name in names])
        index.delete(names)
        index._client.reopen()
        assert index.search(vectors("d0", 1)[0], 5) == []
        index._client.reopen()
    index.write([document("few", *"abc")])
    index._client.reopen()
    assert index.search(vectors("few", 3)[1], 1)[0].chunk_id == "few:1"
    index.write([document(name, *"abcdefghij") for name in names])
    index._client.reopen()
    for name in names:
        assert index.search(vectors(name, 10)[7], 1)[0].chunk_id == f"{name}:7"


@pytest.mark.slow
def test_more_documents_than_one_call_of_chroma_gives_are_all_listed(home: Path) -> None:
    index = local(home)
    count = 33_000  # SQLite takes 32,766 variables in a statement
    for start in range(0, count, 5_000):
        index.write([document(f"d{n}", "A.") for n in range(start, min(count, start + 5_000))])

    assert len(index.records()) == count
    assert index.incomplete() == set()
