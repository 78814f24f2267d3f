"""Another index beside the old one: what it holds, who answers meanwhile, and what a kill leaves."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.chunk import Chunking, split
from rag.config import Environment
from rag.engine import Engine
from rag.errors import IndexingError, ModelError, UsageError
from rag.ingest import Stopped
from rag.jobs import Job
from rag.librarian import Librarian
from rag.live import Live
from rag.rebuild import rebuild
from rag.recut import uncut
from rag.types import DocumentRecord, SourceFile, Vectors
from tests.conftest import FILES, ROOT, write_files
from tests.fakes import FakeEmbedder
from tests.files import make_jsonl

Run = Callable[..., subprocess.CompletedProcess[str]]
KILLS = ["chroma:1", "chroma:3", "chroma-batch:2", "keywords:2", "facts:1", "facts:0", "live:1", "live:2",
         "live:3", "live:0", "drop:1", "drop:0", "file:5"]  # fmt: skip


class Wider(FakeEmbedder):
    """Another model: 48 dimensions, and a token is a letter."""

    dimensions = 48

    def __init__(self, name: str = "wider") -> None:
        super().__init__(name)
        self.name = name

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) // 4 for text in texts]

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        narrow = FakeEmbedder().embed_texts(texts)
        return np.hstack([narrow, np.zeros((len(texts), 16), np.float32)])


def load(name: str) -> FakeEmbedder:
    if name == "broken":
        raise ModelError("The model is not there.")
    return Wider(name) if name == "wider" else FakeEmbedder()


@pytest.fixture
def new_engine(home: Path) -> Callable[[], Engine]:
    return lambda: Engine(Environment(home=home), load_model=load)


@pytest.fixture
def shelf(engine: Engine, folder: Path) -> Librarian:
    long = "\n\n".join(f"Part {n} is about matter {n}. It has a second sentence." for n in range(20))
    write_files(
        folder,
        {"long.md": f"# Long\n\n{long}\n\n- one item\n- another item\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"},
    )
    engine.ingest("shelf", [folder])
    return engine.librarian("shelf")


def finished(librarian: Librarian, job: Job) -> Job:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = next(j for j in librarian.jobs() if j.id == job.id)
        if not found.active:
            return found
        time.sleep(0.02)
    raise AssertionError("the job goes on")


def chunks(engine: Engine, name: str = "shelf") -> list[Any]:
    index = engine.library(engine.prototype(name)).index
    return sorted((c.chunk.document_id, c.chunk.n, c) for batch in index.iter_chunks() for c in batch)


def collections(engine: Engine) -> list[str]:
    client = engine.library(engine.prototype("shelf")).index._client
    return [c.name for c in client.chroma.list_collections()]


def set_toml(home: Path, text: str) -> None:
    with open(home / "prototypes/shelf/prototype.toml", "a") as file:
        file.write(f"\n[settings]\n{text}\n")


def test_smaller_sections_are_those_of_a_fresh_ingest(
    shelf: Librarian, engine: Engine, folder: Path, tmp_path: Path
) -> None:
    before = engine.search("shelf", "night train").index_version

    job = finished(shelf, shelf.reindex({"chunking.section_tokens": "40"}))

    assert (job.kind, job.state, job.error) == ("reindex", "done", None)
    assert job.progress is not None
    assert job.progress.share == 1.0
    fresh = Engine(Environment(home=tmp_path / "fresh"), load_model=load)
    fresh.ingest("shelf", [])
    set_toml(tmp_path / "fresh", "chunking.section_tokens = 40")
    fresh.ingest("shelf", [folder])
    assert chunks(engine) == chunks(fresh)
    found, other = engine.search("shelf", "night train"), fresh.search("shelf", "night train")
    assert [p.text for p in found.passages] == [p.text for p in other.passages]
    assert found.index_version == other.index_version != before
    assert engine.library(engine.prototype("shelf")).compare().good
    status = shelf.status()
    assert (status.section_tokens, status.outdated) == (40, False)


def test_the_old_index_is_gone_afterwards(shelf: Librarian, engine: Engine, home: Path) -> None:
    finished(shelf, shelf.reindex({"chunking.section_tokens": "40"}))

    (name,) = collections(engine)
    assert [path.name for path in (home / "keyword").iterdir()] == [name]
    live = engine.shelf.record("shelf").read()
    assert live == Live(name, "sentence-transformers/all-MiniLM-L6-v2", 40,
                        ("sentence-transformers/all-MiniLM-L6-v2", 200))  # fmt: skip


def test_files_are_unchanged_after_it_and_edits_stay(
    shelf: Librarian, engine: Engine, folder: Path, new_engine: Callable[[], Engine]
) -> None:
    (row,) = shelf.documents(query="trains").rows
    shelf.edit(row.id, title="Night trains", metadata={"topic": "travel"})
    (gone,) = shelf.documents(query="bees").rows
    shelf.delete([gone.id])

    finished(shelf, shelf.reindex({"chunking.section_tokens": "40"}))
    result = new_engine().ingest("shelf", [folder / "trains.txt", folder / "long.md"])

    assert (result.unchanged, result.replaced, result.added) == (2, 0, 0)
    (found,) = shelf.documents(where={"topic": "travel"}).rows
    assert (found.id, found.title, found.edited, found.added) == (row.id, "Night trains", True, row.added)
    assert shelf.documents(query="bees").total == 0
    assert shelf.revert(row.id).title == "trains"


def test_another_model_is_swapped_in_for_every_process(
    shelf: Librarian, engine: Engine, new_engine: Callable[[], Engine]
) -> None:
    other = new_engine()
    assert other.search("shelf", "night train").passages

    finished(shelf, shelf.reindex({"embedding.model": "wider"}))

    assert engine.prototype("shelf").settings.embedding_model == "wider"
    assert engine.search("shelf", "night train to Venice").passages[0].source == "trains.txt"
    assert other.search("shelf", "night train to Venice").passages[0].source == "trains.txt"
    assert other.library(other.prototype("shelf")).index.dimensions == 48


def test_another_model_in_the_settings_waits_for_its_index(
    shelf: Librarian, new_engine: Callable[[], Engine], home: Path, folder: Path
) -> None:
    set_toml(home, 'embedding.model = "wider"')
    engine = new_engine()

    assert engine.prototype("shelf").settings.embedding_model != "wider"
    assert engine.search("shelf", "night train to Venice").passages[0].source == "trains.txt"
    status = engine.librarian("shelf").status(checks=False)
    assert (status.outdated, status.wanted) == (True, ("wider", 200))

    result = engine.ingest("shelf", [folder])

    assert (result.unchanged, result.documents) == (4, 4)
    assert engine.prototype("shelf").settings.embedding_model == "wider"
    assert not engine.librarian("shelf").status(checks=False).outdated
    assert len(collections(engine)) == 1


def test_what_is_written_meanwhile_is_caught_up_with(
    shelf: Librarian, engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, go_on = threading.Event(), threading.Event()
    embed = Wider.embed_sections

    def slow(self: Wider, texts: Sequence[str], spans: Any) -> list[Vectors]:
        entered.set()
        assert go_on.wait(30)
        return embed(self, texts, spans)

    monkeypatch.setattr(Wider, "embed_sections", slow)
    job = shelf.reindex({"embedding.model": "wider"})
    assert entered.wait(30)
    write_files(folder, {"ants.txt": "Ants carry leaves.", "trains.txt": "The train leaves Zagreb at nine."})
    engine.ingest("shelf", [folder / "ants.txt", folder / "trains.txt"])
    (row,) = shelf.documents(query="green").rows
    shelf.edit(row.id, metadata={"topic": "drinks"})
    (gone,) = shelf.documents(query="bees").rows
    shelf.delete([gone.id])
    assert engine.search("shelf", "ants carry leaves").passages[0].source == "ants.txt"
    go_on.set()

    assert finished(shelf, job).state == "done"

    assert engine.prototype("shelf").settings.embedding_model == "wider"
    assert [r.title for r in shelf.documents().rows] == ["ants", "green", "Long", "trains"]
    assert [r.title for r in shelf.documents(where={"topic": "drinks"}).rows] == ["green"]
    assert shelf.document(shelf.documents(query="trains").rows[0].id).text.startswith(
        "The train leaves Zagreb"
    )
    assert engine.library(engine.prototype("shelf")).compare().good


def test_cancelling_keeps_the_old_index(
    shelf: Librarian, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed = Wider.embed_sections

    def cancelling(self: Wider, texts: Sequence[str], spans: Any) -> list[Vectors]:
        shelf.cancel(shelf.jobs()[0].id)
        return embed(self, texts, spans)

    monkeypatch.setattr(Wider, "embed_sections", cancelling)

    job = finished(shelf, shelf.reindex({"embedding.model": "wider"}))

    assert job.state == "cancelled"
    assert len(collections(engine)) == 1
    assert engine.search("shelf", "night train to Venice").passages[0].source == "trains.txt"


def test_a_model_that_does_not_load_changes_nothing(shelf: Librarian, engine: Engine) -> None:
    before = chunks(engine)

    job = finished(shelf, shelf.reindex({"embedding.model": "broken"}))

    assert (job.state, job.error) == ("failed", "The model is not there.")
    assert chunks(engine) == before


def test_settings_that_shape_no_index_are_refused(shelf: Librarian) -> None:
    with pytest.raises(UsageError, match=r"and embedding\.model, not k"):
        shelf.reindex({"k": "3"})
    with pytest.raises(UsageError, match="cannot take that"):
        shelf.reindex({"chunking.section_tokens": "many"})


def test_two_at_once_are_refused(shelf: Librarian, engine: Engine) -> None:
    with engine.shelf.record("shelf").lock, pytest.raises(IndexingError, match="indexed anew already"):
        rebuild(engine.shelf, "shelf", "wider", 200)


def test_stopping_at_once_leaves_no_trace(shelf: Librarian, engine: Engine) -> None:
    with pytest.raises(Stopped):
        rebuild(engine.shelf, "shelf", "wider", 200, stop=lambda: True)

    assert len(collections(engine)) == 1


def test_a_question_goes_on_over_the_swap(
    shelf: Librarian, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index is swapped after the question was embedded for the old one."""
    searching = engine.searcher._search
    swapped: list[bool] = []

    def late(*args: Any) -> Any:
        if not swapped:
            swapped.append(True)
            rebuild(engine.shelf, "shelf", "wider", 200)
        return searching(*args)

    monkeypatch.setattr(engine.searcher, "_search", late)

    assert engine.search("shelf", "night train to Venice").passages[0].source == "trains.txt"


@pytest.mark.parametrize("tokens", [32, 60, 200, 500])
def test_a_document_is_put_together_as_it_was_cut(tokens: int) -> None:
    model = FakeEmbedder()
    text = (
        "---\ntopic: x\n---\n\n# Guide\n\nFirst words here. More words there.\nA line.\n\n## Steps\n\n"
        "Do this:\n\n1. Open it.\n2. Close it. Then wait.\n\n```python\nx = 1\n\ny = 2\n```\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\n## Empty\n\n### Deep\n\nLast words of all.\n"
    )
    from rag.readers import read_bytes

    (document,) = read_bytes(text.encode(), "guide.md").documents
    lead, cut = split(document, model.count_tokens)
    record = DocumentRecord(
        document.id, (SourceFile("guide.md", ""),), "", document.title, document.metadata, len(cut), 1, lead
    )

    again = uncut(record, cut)

    options = Chunking(section_tokens=tokens)
    assert again.text == text
    assert split(again, model.count_tokens, options) == split(document, model.count_tokens, options)


# --- killed ------------------------------------------------------------------------------


@pytest.fixture
def command(home: Path) -> Run:
    def run(*args: object, **environment: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "THUMBPRINT_HOME": str(home), **environment}
        words = [sys.executable, "-m", "tests.run_fake", *map(str, args), "--prototype", "shelf", "--json"]
        return subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, timeout=90)

    return run


@pytest.fixture
def many(tmp_path: Path) -> Path:
    lines = [
        {"id": f"line-{n}", "text": f"Line {n} is about thing {n}. It is one of many."} for n in range(600)
    ]
    return write_files(tmp_path / "many", {**FILES, "lines.jsonl": make_jsonl(lines).decode()})


@pytest.mark.slow
@pytest.mark.parametrize("place", KILLS)
def test_a_process_killed_at_a_re_index_leaves_one_index_in_force(
    many: Path, home: Path, command: Run, place: str
) -> None:
    first = command("ingest", many)
    assert first.returncode == 0, first.stderr

    killed = command("reindex", "--set", "chunking.section_tokens=40", FAKE_KILL=place)

    assert killed.returncode in (-9, 0), killed.stderr
    engine = Engine(Environment(home=home), load_model=FakeEmbedder)
    tokens = engine.prototype("shelf").settings.section_tokens
    assert tokens in (40, 200)
    assert engine.search("shelf", "night train to Venice").passages[0].source == "trains.txt"
    result = engine.ingest("shelf", [many])
    assert (result.unchanged, result.documents, result.failed) == (603, 603, ())
    assert engine.library(engine.prototype("shelf")).compare().good
    assert len(collections(engine)) == 1
    assert len(list((home / "keyword").iterdir())) == 1
