"""A name that is given anew: nothing of the prototype that had it before comes back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from rag import remains
from rag.config import Environment
from rag.edits import Edits
from rag.engine import Engine
from rag.errors import IndexingError, LinkError, StoreError, UsageError
from rag.index import open_client
from rag.links import Links
from tests.conftest import write_files
from tests.fakes import FakeEmbedder
from tests.test_librarian import finished

TRAIN = "When does the night train leave Vienna?"


def load(name: str) -> FakeEmbedder:
    model = FakeEmbedder(name)
    if name == "wider":
        model.dimensions = 48  # embed_texts makes vectors of so many
    return model


@pytest.fixture
def new_engine(home: Path) -> Callable[[], Engine]:
    return lambda: Engine(Environment(home=home), load_model=load)


@pytest.fixture
def notes(engine: Engine, folder: Path, tmp_path: Path) -> Engine:
    """A prototype with an edit, a deletion and an upload."""
    engine.ingest("notes", [folder])
    librarian = engine.librarian("notes")
    rows = {row.source: row.id for row in librarian.documents().rows}
    librarian.edit(rows["trains.txt"], title="Night trains", metadata={"client": "Acme"})
    librarian.delete([rows["bees.md"]])
    finished(librarian, librarian.upload([("own.txt", b"The secret wine is kept in the cellar.")]))
    return engine


@pytest.fixture
def others(tmp_path: Path) -> Path:
    """Other files, of which one is as it was before."""
    files = {
        "ships.txt": "The ferry leaves Split at noon.\n",
        "trains.txt": "The night train leaves Vienna at ten. It reaches Venice at eight in the morning.\n",
    }
    return write_files(tmp_path / "others", files)


def forget(home: Path, name: str = "notes") -> None:
    shutil.rmtree(home / "prototypes" / name)


def sources(engine: Engine, name: str = "notes") -> set[str]:
    return {record.source for record in engine.records(engine.prototype(name)).values()}


def collections(home: Path) -> list[str]:
    return [one.name for one in open_client(home).collections()]


# --- what is derived ------------------------------------------------------------------


@pytest.mark.parametrize("process", ["this", "another"])
def test_a_new_prototype_has_the_documents_that_it_was_given(
    notes: Engine, new_engine: Callable[[], Engine], home: Path, others: Path, process: str
) -> None:
    forget(home)
    engine = notes if process == "this" else new_engine()

    result = engine.ingest("notes", [others])

    assert (result.added, result.unchanged, result.documents) == (2, 0, 2)
    for each in (engine, notes):
        found = each.search("notes", TRAIN)
        assert {p.source for p in found.passages} <= {"ships.txt", "trains.txt"}
        assert sources(each) == {"ships.txt", "trains.txt"}
        (train,) = [p for p in found.passages if p.source == "trains.txt"]
        assert (train.title, "client" in train.metadata) == ("trains", False)
    (name,) = collections(home)
    assert [path.name for path in (home / "keyword").iterdir()] == [name]
    assert engine.shelf.edits("notes").deleted() == {}
    assert engine.librarian("notes").jobs() == ()
    assert engine.library(engine.prototype("notes")).compare().good


def test_a_document_that_was_deleted_before_is_given_again(notes: Engine, home: Path, folder: Path) -> None:
    forget(home)

    notes.create("notes")
    how = notes.librarian("notes")

    assert how.documents().total == 0
    assert Edits(home / "edits.sqlite3", "notes").all() == {}
    assert notes.ingest("notes", [folder]).added == 3


def test_the_index_of_every_model_goes(notes: Engine, home: Path, others: Path) -> None:
    notes.reindex("notes", {"embedding.model": "wider"})
    prototype = notes.prototype("notes")
    assert notes.beside("notes", replace(prototype.settings, section_tokens=40)) is not None
    assert len(collections(home)) == 2
    forget(home)

    notes.ingest("notes", [others])

    (name,) = collections(home)
    assert notes.shelf.live("notes").collection == name
    assert notes.library(notes.prototype("notes")).index.dimensions == 32
    assert not (home / "live" / "notes.beside.json").exists()


def test_a_lost_record_hides_no_index(notes: Engine, home: Path, others: Path) -> None:
    forget(home)
    shutil.rmtree(home / "live")
    shutil.rmtree(home / "uploads")

    assert notes.create("notes").startswith("There was a prototype “notes” before")
    assert collections(home) == []


def test_what_was_begun_without_a_document_goes_too(engine: Engine, home: Path) -> None:
    engine.ingest("notes", [])
    engine.library(engine.prototype("notes")).index.set_facts(shape="none yet")
    forget(home)

    engine.create("notes")

    assert collections(home) == []


def test_a_name_that_only_begins_so_keeps_what_it_has(engine: Engine, home: Path, folder: Path) -> None:
    for name in ("notes", "notes-2", "note"):
        engine.ingest(name, [folder])
    forget(home)

    engine.create("notes")

    for name in ("notes-2", "note"):
        assert engine.search(name, TRAIN).passages[0].source == "trains.txt"
        assert len(sources(engine, name)) == 3


def test_the_first_of_a_name_finds_nothing_to_tell(engine: Engine, home: Path) -> None:
    assert engine.create("notes") == ""
    assert engine.create("notes") == ""  # it is there
    assert [path.name for path in home.iterdir()] == ["prototypes"]
    with pytest.raises(UsageError, match="cannot name a prototype"):
        engine.create("../notes")


def test_a_folder_that_is_put_back_has_everything_as_it_was(
    notes: Engine, home: Path, tmp_path: Path
) -> None:
    _, token = Links(notes).create("notes")
    shutil.move(home / "prototypes" / "notes", tmp_path / "kept")

    shutil.move(tmp_path / "kept", home / "prototypes" / "notes")

    assert sources(notes) == {"trains.txt", "tea/green.txt", "own.txt"}
    assert notes.search("notes", TRAIN).passages[0].title == "Night trains"
    links = Links(notes)
    assert links.prototype(links.resolve(token, "prototype")).name == "notes"


def test_on_a_machine_that_has_nothing_of_it_a_servers_index_is_taken_up(
    notes: Engine,
    new_engine: Callable[[], Engine],
    home: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remains._Remains, "_is_local", lambda self: False)
    for path in home.iterdir():
        if path.name == "chroma":
            continue  # the server's
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    assert new_engine().ingest("notes", [folder]).unchanged == 2


# --- files of people --------------------------------------------------------------------


def test_uploaded_files_are_moved_aside_and_that_is_told(notes: Engine, home: Path) -> None:
    forget(home)

    told = notes.create("notes")

    aside = home / "uploads" / "notes.old"
    assert (aside / "own.txt").read_bytes() == b"The secret wine is kept in the cellar."
    assert told.endswith(f"Its uploaded files were moved to {aside}.")
    librarian = notes.librarian("notes")
    finished(librarian, librarian.upload([("own.txt", b"Another text about nothing much.")]))
    assert sources(notes) == {"own.txt"}
    forget(home)
    notes.create("notes")
    assert (home / "uploads" / "notes.old-2" / "own.txt").read_bytes().startswith(b"Another")
    assert (aside / "own.txt").exists()


# --- links ------------------------------------------------------------------------------


def test_links_to_the_earlier_one_do_not_open_the_new_one(notes: Engine, home: Path, others: Path) -> None:
    links = Links(notes)
    _, token = links.create("notes")
    forget(home)
    with pytest.raises(LinkError, match="not here any more"):
        links.prototype(links.resolve(token, "prototype"))

    notes.ingest("notes", [others])

    with pytest.raises(LinkError, match="not here any more"):
        links.prototype(links.resolve(token, "prototype"))
    (report,) = links.reports()
    assert "not here any more" in report.problem
    _, new = links.create("notes")
    assert links.prototype(links.resolve(new, "prototype")).name == "notes"


def test_a_link_is_all_that_an_empty_one_leaves(engine: Engine, home: Path) -> None:
    engine.create("notes")
    links = Links(engine)
    _, token = links.create("notes")
    forget(home)

    engine.create("notes")

    with pytest.raises(LinkError, match="not here any more"):
        links.prototype(links.resolve(token, "prototype"))


# --- in between -------------------------------------------------------------------------


def test_while_somebody_writes_nothing_is_put_away(
    notes: Engine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remains, "_WAIT", 0.1)
    forget(home)

    with FileLock(home / "ingest.lock"), pytest.raises(IndexingError, match="“notes” was not made"):
        notes.create("notes")

    assert not (home / "prototypes" / "notes").exists()
    assert (home / "uploads" / "notes" / "own.txt").exists()
    assert len(collections(home)) == 1


@pytest.mark.parametrize("method", ["clear", "_open"])
def test_one_that_ends_half_way_is_gone_on_with(
    notes: Engine, home: Path, others: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    forget(home)

    def full(*_: object) -> None:
        raise StoreError("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(Edits, method, full)
        with pytest.raises(StoreError):
            notes.create("notes")
    assert not (home / "prototypes" / "notes").exists()

    notes.ingest("notes", [others])

    assert sources(notes) == {"ships.txt", "trains.txt"}
    assert notes.shelf.edits("notes").all() == {}
