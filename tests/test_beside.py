"""An index to compare with, beside the one in force: what it holds, and that nothing else sees it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rag.beside import KEPT
from rag.config import Environment, Settings
from rag.engine import Engine
from rag.errors import IndexingError, ModelError, UsageError
from rag.index import open_client
from rag.library import Library
from tests.conftest import write_files
from tests.test_rebuild import load

QUESTION = "How long does honey keep?"


@pytest.fixture
def new_engine(home: Path) -> Callable[[], Engine]:
    return lambda: Engine(Environment(home=home, overrides={"embedding.model": "fake"}), load_model=load)


@pytest.fixture
def library(engine: Engine, folder: Path) -> Engine:
    engine.ingest("notes", [folder])
    return engine


def small(engine: Engine, tokens: int = 32) -> Settings:
    return replace(engine.prototype("notes").settings, section_tokens=tokens)


def sections(library: Library) -> set[tuple[str, int, int]]:
    return {
        (found.chunk.document_id, found.chunk.section.start, found.chunk.section.end)
        for batch in library.index.iter_chunks()
        for found in batch
    }


def long_text(words: str) -> str:
    return " ".join(f"The {words} number {n} stands on its own shelf." for n in range(40))


def test_the_settings_in_force_need_no_other_index(library: Engine, home: Path) -> None:
    settings = library.prototype("notes").settings
    assert library.beside("notes", replace(settings, k=2, rerank="late")) is None
    assert not list((home / "live").glob("*.beside.json"))


def test_the_same_documents_are_cut_another_way_and_asked(library: Engine, tmp_path: Path) -> None:
    library.ingest("notes", [write_files(tmp_path / "more", {"long.txt": long_text("jar")})])
    before = library.prototype("notes")
    side = library.beside("notes", small(library))
    assert side is not None
    live = library.library(before)
    assert side.index.records().keys() == live.index.records().keys()
    assert len(sections(side)) > len(sections(live))
    assert side.compare().good
    found = library.search("notes", "jar number 7", settings=small(library), beside=side)
    assert len(found.passages[0].context.split()) <= 32
    assert found.index_version != library.search("notes", "jar number 7").index_version
    answer = library.ask("notes", QUESTION, settings=small(library), beside=side, origin="compare").answer
    assert answer.provenance.settings == small(library).fingerprint
    assert library.prototype("notes") == before


def test_another_model_is_compared_as_well(library: Engine) -> None:
    wider = replace(library.prototype("notes").settings, embedding_model="wider")
    side = library.beside("notes", wider)
    assert side is not None
    assert side.index.dimensions == 48
    assert library.search("notes", QUESTION, settings=wider, beside=side).passages
    with pytest.raises(UsageError, match="was indexed with fake"):
        library.search("notes", QUESTION, settings=wider)


def test_it_is_kept_and_follows_what_changes(library: Engine, tmp_path: Path) -> None:
    first = library.beside("notes", small(library))
    assert library.beside("notes", small(library)) is first
    library.ingest("notes", [write_files(tmp_path / "more", {"new.md": "# Wax\n\nWax seals the jar.\n"})])
    gone = next(r for r in library.records(library.prototype("notes")).values() if "trains" in r.source)
    library.delete_document("notes", gone.id)
    side = library.beside("notes", small(library))
    assert side is not None
    assert {r.source for r in side.index.records().values()} == {"bees.md", "tea/green.txt", "new.md"}
    assert side.compare().good


def test_what_is_deleted_does_not_lie_about_in_it(library: Engine, new_engine: Callable[[], Engine]) -> None:
    library.beside("notes", small(library))
    side = library.beside("notes", small(library, 40))
    assert side is not None
    gone = next(r for r in library.records(library.prototype("notes")).values() if "trains" in r.source)
    new_engine().delete_document("notes", gone.id)
    side.refresh()
    assert gone.id not in side.index.records()
    assert side.compare().good
    assert library.beside("notes", small(library)) is not None


def test_another_process_finds_it_built(library: Engine, new_engine: Callable[[], Engine]) -> None:
    first = library.beside("notes", small(library))
    assert first is not None
    seen: list[str] = []
    other = new_engine()
    side = other.beside("notes", small(other), lambda progress: seen.append(progress.stage))
    assert side is not None
    side.refresh()
    assert side.index.stamp == first.index.stamp
    assert "embedding" not in seen


def test_only_the_last_few_are_kept(library: Engine, home: Path) -> None:
    for tokens in range(40, 40 + KEPT + 2):
        library.beside("notes", small(library, tokens))
    kept = [name for name, _ in json.loads((home / "live" / "notes.beside.json").read_text())]
    assert [name.rpartition("-")[2] for name in kept] == ["44", "43", "42"]
    client = open_client(home)
    live = library.library(library.prototype("notes")).index.name
    assert {c.name for c in client.chroma.list_collections()} == {*kept, live}
    assert not (home / "keyword" / kept[0].replace("-44", "-40")).exists()


def test_a_re_index_leaves_it_and_it_is_made_from_the_new_one(library: Engine) -> None:
    library.beside("notes", small(library, 40))
    library.reindex("notes", {"chunking.section_tokens": "64"})
    side = library.beside("notes", small(library, 40))
    assert side is not None
    assert side.compare().good
    assert library.beside("notes", small(library, 64)) is None


def test_two_threads_build_it_once(library: Engine) -> None:
    found: list[Library | None] = []
    threads = [
        threading.Thread(target=lambda: found.append(library.beside("notes", small(library)))) for _ in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] is found[1] is not None


def test_what_cannot_be_built_says_why_and_leaves_the_chat_alone(library: Engine, home: Path) -> None:
    settings = library.prototype("notes").settings
    with pytest.raises(ModelError):
        library.beside("notes", replace(settings, embedding_model="broken"))
    with pytest.raises(UsageError, match="Make two prototypes"):
        library.beside("notes", replace(settings, document_prompt="text: "))
    record = home / "live" / "notes.beside.json"
    record.write_text("[[")
    with pytest.raises(IndexingError, match="Delete it and compare again"):
        library.beside("notes", small(library))
    assert library.search("notes", QUESTION).passages
