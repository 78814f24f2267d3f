"""The upkeep of a library: listing, editing, deleting, uploading, and what outlives what."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.config import Environment
from rag.engine import Engine
from rag.errors import FilterError, NotFound, UsageError
from rag.jobs import Job, JobFile
from rag.librarian import Librarian
from rag.uploads import folder_size
from tests.conftest import FILES, ROOT, write_files
from tests.fakes import FakeEmbedder
from tests.files import make_csv

WINES = [
    ["name", "country", "price", "notes"],
    ["Brisa", "Italy", 12, "Tastes of salt and lemon peel."],
    ["Ébano", "Spain", 30, "Tastes of smoke and plums."],
    ["Quinta 10", "Portugal", 9, "Tastes of cherries."],
    ["Quinta 9", "Portugal", 14, "Tastes of figs and earth."],
]


@pytest.fixture
def librarian(engine: Engine, folder: Path) -> Librarian:
    engine.ingest("shelf", [folder])
    return engine.librarian("shelf")


@pytest.fixture
def cellar(engine: Engine, tmp_path: Path) -> Librarian:
    engine.ingest("cellar", [write_files(tmp_path / "cellar", {"wines.csv": make_csv(WINES)})])
    return engine.librarian("cellar")


def finished(librarian: Librarian, job: Job, patience: float = 30) -> Job:
    """The job when it has ended."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        found = next(j for j in librarian.jobs() if j.id == job.id)
        if not found.active:
            return found
        time.sleep(0.02)
    raise AssertionError(f"the job goes on: {found}")


def titles(librarian: Librarian, **options: object) -> list[str]:
    return [row.title for row in librarian.documents(**options).rows]  # type: ignore[arg-type]


def id_of(librarian: Librarian, title: str) -> str:
    return next(row.id for row in librarian.documents(limit=100).rows if row.title == title)


# --- listing ---------------------------------------------------------------------------


def test_documents_are_listed_by_title_and_numbers_by_value(cellar: Librarian) -> None:
    page = cellar.documents()

    assert (page.total, page.offset) == (4, 0)
    assert [row.title for row in page.rows] == ["Brisa", "Ébano", "Quinta 9", "Quinta 10"]
    first = page.rows[0]
    assert (first.source, first.type, first.chunks, first.edited) == ("wines.csv", "csv", 1, False)
    assert first.metadata["country"] == "Italy"
    assert time.time() - first.added < 60


def test_a_page_begins_where_it_is_told(cellar: Librarian) -> None:
    page = cellar.documents(sort="title", descending=True, offset=1, limit=2)

    assert (page.total, [row.title for row in page.rows]) == (4, ["Quinta 9", "Ébano"])
    assert cellar.documents(offset=99).rows == ()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("quint", ["Quinta 9", "Quinta 10"]),
        ("EBANO", ["Ébano"]),
        ("port 9", ["Quinta 9", "Quinta 10"]),  # its title; the other's price
        ("wines.csv spain", ["Ébano"]),
        ("train", []),  # in no metadata
        ('"', []),
        ('brisa" OR "ebano', []),
        ("  ", ["Brisa", "Ébano", "Quinta 9", "Quinta 10"]),
    ],
)
def test_a_query_finds_words_that_begin_so(cellar: Librarian, query: str, found: list[str]) -> None:
    assert titles(cellar, query=query) == found


def test_scripts_without_spaces_are_found_in_the_middle(engine: Engine, tmp_path: Path) -> None:
    folder = write_files(
        tmp_path / "x", {"東京の天気.txt": "Rain in Tokyo today.", "京東.txt": "A shop sells it."}
    )
    engine.ingest("shelf", [folder])

    assert titles(engine.librarian("shelf"), query="京の天") == ["東京の天気"]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({"country": "Portugal"}, ["Quinta 9", "Quinta 10"]),
        ({"country": {"$ne": "Portugal"}}, ["Brisa", "Ébano"]),
        ({"vintage": {"$ne": 3}}, ["Brisa", "Ébano", "Quinta 9", "Quinta 10"]),
        ({"price": {"$gte": 12, "$lt": 30}}, ["Brisa", "Quinta 9"]),
        ({"$or": [{"price": 9}, {"country": {"$in": ["Spain", "Peru"]}}]}, ["Ébano", "Quinta 10"]),
        ({"country": {"$nin": ["Portugal", "Italy"]}}, ["Ébano"]),
        ({"price": {"$in": []}}, []),
        ({"price": "9"}, []),
        ({"price": True}, []),
        ({"title": "Brisa"}, ["Brisa"]),
    ],
)
def test_a_filter_means_what_it_means_for_questions(
    cellar: Librarian, where: dict[str, object], found: list[str]
) -> None:
    assert titles(cellar, where=where) == found


def test_lists_and_truths_are_filtered(engine: Engine, tmp_path: Path) -> None:
    heads = {
        "a.md": "---\ntags: [dry, red]\norganic: true\n---\nOne wine.",
        "b.md": "---\ntags: [sweet]\norganic: false\n---\nTwo wines.",
        "c.md": "---\norganic: 1\n---\nThree wines.",
    }
    engine.ingest("shelf", [write_files(tmp_path / "x", heads)])
    librarian = engine.librarian("shelf")

    assert titles(librarian, where={"tags": {"$contains": "dry"}}) == ["a"]
    assert titles(librarian, where={"organic": True}) == ["a"]
    assert titles(librarian, where={"organic": 1}) == ["c"]


def test_a_filter_that_means_nothing_is_refused(cellar: Librarian) -> None:
    with pytest.raises(FilterError, match="strings have no ranges"):
        cellar.documents(where={"country": {"$lt": "x"}})


def test_the_list_follows_what_is_written(librarian: Librarian, engine: Engine, folder: Path) -> None:
    assert titles(librarian) == ["Bees", "green", "trains"]
    (folder / "trains.txt").unlink()
    write_files(folder, {"ants.txt": "Ants carry leaves."})

    engine.ingest("shelf", [folder], prune=True)

    assert titles(librarian) == ["ants", "Bees", "green"]
    assert titles(librarian, query="leaves") == []
    assert titles(librarian, query="trains") == []


@pytest.mark.parametrize("damage", [None, b"", b"no database at all, and longer than a header" * 99])
def test_a_lost_or_damaged_list_is_made_again(
    librarian: Librarian, new_engine: Callable[[], Engine], home: Path, damage: bytes | None
) -> None:
    (path,) = home.glob("keyword/*/documents.sqlite3")
    for file in path.parent.glob("documents.sqlite3*"):
        file.unlink()
    if damage is not None:
        path.write_bytes(damage)

    assert titles(new_engine().librarian("shelf")) == ["Bees", "green", "trains"]


def test_a_list_that_is_behind_is_made_again(
    librarian: Librarian, engine: Engine, folder: Path, home: Path
) -> None:
    (path,) = home.glob("keyword/*/documents.sqlite3")
    before = path.read_bytes()
    write_files(folder, {"ants.txt": "Ants carry leaves."})
    engine.ingest("shelf", [folder])
    for file in path.parent.glob("documents.sqlite3*"):
        file.unlink()
    path.write_bytes(before)

    assert titles(librarian) == ["ants", "Bees", "green", "trains"]


def test_the_first_page_of_a_process_opens_no_index(
    librarian: Librarian, new_engine: Callable[[], Engine], home: Path
) -> None:
    quick, careful = new_engine(), new_engine()
    assert titles(quick.librarian("shelf")) == ["Bees", "green", "trains"]
    (folder,) = home.glob("keyword/*")
    (folder / "unfinished.json").write_text("[]")  # a write that died

    assert titles(careful.librarian("shelf")) == ["Bees", "green", "trains"]

    assert not quick.shelf._libraries
    assert careful.shelf._libraries


# --- one document ---------------------------------------------------------------------


def test_a_document_is_shown_with_its_sections_and_chunks(librarian: Librarian) -> None:
    view = librarian.document(id_of(librarian, "Bees"))

    assert view.text == FILES["bees.md"]
    assert [view.text[start:end] for start, end in view.chunks] == [
        "A hive holds one queen.",
        "Workers live for six weeks in summer.",
        "Honey is nectar that bees have dried with their wings.",
        "It keeps for years.",
    ]
    assert [(s.path, s.page, s.kind) for s in view.sections] == [
        (("Bees",), None, "prose"),
        (("Bees", "Honey"), None, "prose"),
    ]
    assert view.text[view.sections[1].start :].startswith("Honey\n\nHoney is")
    assert view.edited == frozenset()


def test_an_unknown_document_is_not_found(librarian: Librarian) -> None:
    for call in (librarian.document, librarian.revert):
        with pytest.raises(NotFound):
            call("nobody")
    with pytest.raises(NotFound):
        librarian.edit("nobody", metadata={})
    with pytest.raises(NotFound):
        librarian.delete(["nobody"])


# --- edits ------------------------------------------------------------------------------


def test_an_edit_is_seen_by_filters_lists_and_questions(cellar: Librarian, engine: Engine) -> None:
    brisa = id_of(cellar, "Brisa")
    before = engine.search("cellar", "salt").index_version

    record = cellar.edit(brisa, title="Brisa  Marina", metadata={"country": "Malta", "tags": ("dry", "new")})

    assert (record.title, record.metadata["country"]) == ("Brisa Marina", "Malta")
    assert titles(cellar, where={"tags": {"$contains": "new"}}) == ["Brisa Marina"]
    assert titles(cellar, query="malta marina") == ["Brisa Marina"]
    found = engine.search("cellar", "salt and lemon", where={"country": "Malta"})
    assert [p.title for p in found.passages] == ["Brisa Marina"]
    assert found.index_version != before
    assert cellar.document(brisa).edited == {"title", "country", "tags"}
    assert cellar.documents(query="malta").rows[0].edited
    assert engine.library(engine.prototype("cellar")).compare().good


def test_a_date_that_is_written_becomes_one(cellar: Librarian) -> None:
    record = cellar.edit(id_of(cellar, "Brisa"), metadata={"tasted": "2026-05-01"})

    assert record.metadata["tasted"] == 1_777_593_600


def test_none_takes_a_key_away_and_reverting_brings_it_back(cellar: Librarian, engine: Engine) -> None:
    brisa = id_of(cellar, "Brisa")
    before = engine.search("cellar", "salt").index_version
    cellar.edit(brisa, title="Other", metadata={"country": None})
    assert titles(cellar, where={"country": "Italy"}) == []

    record = cellar.revert(brisa)

    assert (record.title, record.metadata["country"]) == ("Brisa", "Italy")
    assert cellar.document(brisa).edited == frozenset()
    assert not cellar.documents(query="brisa").rows[0].edited
    assert engine.search("cellar", "salt").index_version == before


def test_saying_what_the_file_says_is_no_edit(cellar: Librarian) -> None:
    brisa = id_of(cellar, "Brisa")
    cellar.edit(brisa, metadata={"country": "Malta", "price": 13})

    cellar.edit(brisa, metadata={"country": "Italy"})

    assert cellar.document(brisa).edited == {"price"}


@pytest.mark.parametrize(
    ("title", "metadata", "message"),
    [
        (" ", {}, "needs a title"),
        (None, {" ": "x"}, "needs a name"),
        (None, {"type": "pdf"}, "cannot be edited"),
        (None, {"price": float("nan")}, "cannot be kept"),
        (None, {"tags": ()}, "cannot be kept"),
        (None, {"note": ""}, "cannot be kept"),
    ],
)
def test_what_metadata_cannot_hold_is_refused(
    cellar: Librarian, title: str | None, metadata: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        cellar.edit(id_of(cellar, "Brisa"), title=title, metadata=metadata)  # type: ignore[arg-type]


def test_an_edit_survives_an_ingest_of_the_unchanged_file(
    cellar: Librarian, engine: Engine, tmp_path: Path
) -> None:
    cellar.edit(id_of(cellar, "Brisa"), metadata={"country": "Malta"})

    result = engine.ingest("cellar", [tmp_path / "cellar"])

    assert (result.unchanged, result.replaced) == (4, 0)
    assert titles(cellar, where={"country": "Malta"}) == ["Brisa"]


def test_an_edit_survives_a_change_of_its_file(librarian: Librarian, engine: Engine, folder: Path) -> None:
    trains = id_of(librarian, "trains")
    librarian.edit(trains, title="Night trains", metadata={"topic": "travel"})
    (folder / "trains.txt").write_text("The night train leaves Zagreb at nine.")

    result = engine.ingest("shelf", [folder])

    assert (result.replaced, result.failed) == (1, ())
    (row,) = librarian.documents(where={"topic": "travel"}).rows
    assert (row.title, row.edited, row.id != trains) == ("Night trains", True, True)
    assert librarian.document(row.id).text == "The night train leaves Zagreb at nine."
    assert librarian.revert(row.id).title == "trains"


def test_an_edit_stays_with_its_row_when_others_come_before_it(
    cellar: Librarian, engine: Engine, tmp_path: Path
) -> None:
    cellar.edit(id_of(cellar, "Brisa"), metadata={"country": "Malta"})
    rows = [WINES[0], ["Alder", "Italy", 3, "Tastes of bark."], *WINES[1:]]
    (tmp_path / "cellar" / "wines.csv").write_bytes(make_csv(rows))

    engine.ingest("cellar", [tmp_path / "cellar"])

    assert titles(cellar, where={"country": "Malta"}) == ["Brisa"]
    assert titles(cellar, where={"country": "Italy"}) == ["Alder"]


def test_an_edit_passes_to_the_changed_row_of_the_same_title(
    cellar: Librarian, engine: Engine, tmp_path: Path
) -> None:
    cellar.edit(id_of(cellar, "Brisa"), metadata={"country": "Malta"})
    rows = [WINES[0], ["Brisa", "Italy", 13, "Tastes of salt."], *WINES[2:]]
    (tmp_path / "cellar" / "wines.csv").write_bytes(make_csv(rows))

    engine.ingest("cellar", [tmp_path / "cellar"])

    (row,) = cellar.documents(where={"country": "Malta"}).rows
    assert (row.title, row.metadata["price"]) == ("Brisa", 13)


def test_edits_outlive_a_lost_index(
    librarian: Librarian, new_engine: Callable[[], Engine], home: Path, folder: Path
) -> None:
    librarian.edit(id_of(librarian, "trains"), metadata={"topic": "travel"})
    other = Engine(Environment(home=home), load_model=FakeEmbedder)
    library = other.library(other.prototype("shelf"))
    with library.writing():
        library.delete(list(library.index.records()))  # behind everybody's back

    other.ingest("shelf", [folder])

    assert titles(other.librarian("shelf"), where={"topic": "travel"}) == ["trains"]


# --- deleting -----------------------------------------------------------------------------


def test_a_deleted_document_is_gone_until_its_file_is_ingested_again(
    librarian: Librarian, engine: Engine, folder: Path
) -> None:
    assert librarian.delete([id_of(librarian, "trains"), id_of(librarian, "green"), "nobody"]) == 2
    assert titles(librarian) == ["Bees"]

    engine.ingest("shelf", [folder / "trains.txt"])

    assert titles(librarian) == ["Bees", "trains"]


def test_what_a_prototype_brings_stays_deleted(new_engine: Callable[[], Engine], home: Path) -> None:
    folder = home / "prototypes" / "own"
    toml = 'title = "Own"\ndocuments = ["docs"]\n'
    write_files(folder, {"prototype.toml": toml, **{f"docs/{n}": text for n, text in FILES.items()}})
    engine = new_engine()
    engine.ready("own")
    librarian = engine.librarian("own")
    librarian.delete([id_of(librarian, "trains")])
    write_files(folder, {"docs/ants.txt": "Ants carry leaves."})

    other = new_engine()
    other.ready("own")

    assert titles(other.librarian("own")) == ["ants", "Bees", "green"]


# --- uploads ----------------------------------------------------------------------------------


def test_files_are_uploaded_stored_and_indexed(engine: Engine, home: Path, librarian: Librarian) -> None:
    files = [("notes/ants.txt", b"Ants carry leaves."), ("moon.md", io.BytesIO(b"# Moon\n\nIt has no air."))]

    job = finished(librarian, librarian.upload(files))

    assert (job.kind, job.state, job.title, job.error) == ("upload", "done", "2 files", None)
    assert job.files == (
        JobFile("notes/ants.txt", "done", "", 1),
        JobFile("moon.md", "done", "", 1),
    )
    assert job.counts == {"done": 2}
    assert (home / "uploads/shelf/notes/ants.txt").read_bytes() == b"Ants carry leaves."
    assert titles(librarian) == ["ants", "Bees", "green", "Moon", "trains"]
    assert engine.search("shelf", "ants carry").passages[0].source == "notes/ants.txt"
    assert not list((home / "uploads/shelf").rglob(".incoming/*"))
    assert not list((home / "jobs").rglob("*.jsonl"))


def test_what_is_wrong_with_one_file_costs_no_other(librarian: Librarian, home: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("the browser went away")

    job = finished(
        librarian,
        librarian.upload(
            [
                ("../../etc/passwd.txt", b"root"),
                ("photo.heic", b"x"),
                ("empty.txt", b""),
                ("cut.txt", Broken(b"x")),
                ("data.jsonl", b"no json\n"),
                ("ants.txt", b"Ants carry leaves."),
                ("ants.txt", b"Other ants."),
                (".hidden.txt", b"Nobody sees this."),
            ]
        ),
    )

    assert [(f.name, f.state) for f in job.files] == [
        ("../../etc/passwd.txt", "failed"),
        ("photo.heic", "skipped"),
        ("empty.txt", "failed"),
        ("cut.txt", "failed"),
        ("data.jsonl", "failed"),
        ("ants.txt", "done"),
        ("ants.txt (again)", "failed"),
        (".hidden.txt", "skipped"),
    ]
    messages = {f.name: f.message for f in job.files}
    assert "climbs out" in messages["../../etc/passwd.txt"]
    assert messages["photo.heic"].startswith("Files of this type are not read")
    assert messages["empty.txt"] == "The file is empty."
    assert "broke off" in messages["cut.txt"]
    assert messages["data.jsonl"]
    assert job.state == "done"
    stored = sorted(
        p.relative_to(home / "uploads").as_posix() for p in home.glob("uploads/**/*.*") if p.is_file()
    )
    assert stored == ["shelf/ants.txt", "shelf/data.jsonl"]


def test_a_file_over_the_limit_is_not_stored(home: Path, folder: Path) -> None:
    engine = Engine(Environment(home=home, max_file_bytes=1000), load_model=FakeEmbedder)
    engine.ingest("shelf", [folder])
    librarian = engine.librarian("shelf")

    job = finished(librarian, librarian.upload([("big.txt", io.BytesIO(b"word " * 300))]))

    assert (job.files[0].state, "limit" in job.files[0].message) == ("failed", True)
    assert not (home / "uploads/shelf/big.txt").exists()


def test_the_same_file_again_is_unchanged_and_another_replaces_it(librarian: Librarian) -> None:
    finished(librarian, librarian.upload([("ants.txt", b"Ants carry leaves.")]))

    same = finished(librarian, librarian.upload([("ants.txt", b"Ants carry leaves.")]))
    other = finished(librarian, librarian.upload([("ants.txt", b"Ants carry crumbs.")]))

    assert [f.state for f in same.files] == ["unchanged"]
    assert [f.state for f in other.files] == ["done"]
    assert librarian.document(id_of(librarian, "ants")).text == "Ants carry crumbs."
    assert librarian.documents().total == 4


def test_a_sidecar_describes_what_was_uploaded_before(librarian: Librarian) -> None:
    finished(librarian, librarian.upload([("ants.txt", b"Ants carry leaves.")]))

    job = finished(librarian, librarian.upload([("metadata.csv", b"file,topic\nants.txt,insects\n")]))

    assert [(f.name, f.state) for f in job.files] == [("metadata.csv", "done")]
    assert titles(librarian, where={"topic": "insects"}) == ["ants"]


def test_a_deleted_upload_goes_with_its_file_and_others_do_not_bring_it_back(
    librarian: Librarian, home: Path
) -> None:
    finished(
        librarian, librarian.upload([("a/ants.txt", b"Ants carry leaves."), ("b.txt", b"Bears eat honey.")])
    )

    librarian.delete([id_of(librarian, "ants")])
    finished(librarian, librarian.upload([("c.txt", b"Cats sleep all day.")]))

    assert not (home / "uploads/shelf/a").exists()
    assert (home / "uploads/shelf/b.txt").exists()
    assert titles(librarian, query="ants") == []


def test_the_stored_copy_stays_while_one_of_its_documents_does(librarian: Librarian, home: Path) -> None:
    finished(librarian, librarian.upload([("wines.csv", make_csv(WINES))]))

    librarian.delete([id_of(librarian, "Brisa")])
    assert (home / "uploads/shelf/wines.csv").exists()
    librarian.delete([id_of(librarian, name) for name in ("Ébano", "Quinta 9", "Quinta 10")])

    assert not (home / "uploads/shelf/wines.csv").exists()


def test_a_cancelled_job_keeps_what_it_did_and_is_taken_up_again(home: Path, folder: Path) -> None:
    engine = Engine(Environment(home=home), load_model=lambda name: FakeEmbedder(delay=0.05))
    engine.ingest("shelf", [folder / "trains.txt"])
    librarian = engine.librarian("shelf")
    lines = "".join(f'{{"text": "Line {n} is about thing {n}."}}\n' for n in range(300))

    job = librarian.upload([("a.txt", b"First of all."), ("lines.jsonl", lines.encode())])
    while not any(j.progress and j.progress.stage == "embedding" for j in librarian.jobs()):
        time.sleep(0.01)
    librarian.cancel(job.id)
    cancelled = finished(librarian, job)
    assert cancelled.state == "cancelled"
    assert cancelled.files[1].state == "skipped"
    assert "cancelled" in cancelled.files[1].message
    assert engine.library(engine.prototype("shelf")).compare().good

    again = finished(librarian, librarian.retry(job.id))

    assert again.state == "done"
    assert librarian.documents().total == 302
    assert [j.id for j in librarian.jobs()] == [again.id]


def test_jobs_are_seen_by_every_session_and_dismissed(engine: Engine, librarian: Librarian) -> None:
    first = finished(librarian, librarian.upload([("a.txt", b"One thing.")]))
    second = finished(librarian, librarian.upload([("b.jsonl", b"no json\n")]))

    seen = engine.librarian("shelf").jobs()
    librarian.dismiss(first.id)

    assert [job.id for job in seen] == [second.id, first.id]
    assert [job.id for job in librarian.jobs()] == [second.id]
    with pytest.raises(NotFound):
        librarian.retry(first.id)


def test_another_process_still_knows_what_failed(
    librarian: Librarian, new_engine: Callable[[], Engine], home: Path
) -> None:
    finished(librarian, librarian.upload([("a.txt", b"One thing."), ("b.jsonl", b"no json\n")]))
    other = new_engine().librarian("shelf")

    (job,) = other.jobs()
    (home / "uploads/shelf/b.jsonl").write_text('{"text": "Now it is."}')
    retried = finished(other, other.retry(job.id))

    assert (job.state, job.counts) == ("done", {"done": 1, "failed": 1})
    assert [(f.name, f.state) for f in retried.files] == [("b.jsonl", "done")]


def test_nothing_to_retry_is_said(librarian: Librarian) -> None:
    job = finished(librarian, librarian.upload([("a.txt", b"One thing.")]))

    with pytest.raises(UsageError, match="No file"):
        librarian.retry(job.id)


def test_a_disk_that_refuses_a_job_is_told(
    librarian: Librarian, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(engine.shelf, "ingest", refuse)
    job = finished(librarian, librarian.upload([("a.txt", b"One thing.")]))

    assert job.error == (
        "The disk refused (No space left on device). Check the free space and the rights of THUMBPRINT_HOME, "
        "then try again."
    )


def test_a_job_that_fails_says_why(
    librarian: Librarian, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(engine.shelf, "ingest", refuse)
    job = finished(librarian, librarian.upload([("a.txt", b"One thing.")]))

    assert (job.state, job.files[0].state) == ("failed", "skipped")
    assert job.error is not None
    assert "nobody foresaw" in job.error


# --- status -----------------------------------------------------------------------------------


def test_the_status_says_what_there_is(librarian: Librarian) -> None:
    finished(librarian, librarian.upload([("ants.txt", b"Ants carry leaves.")]))

    status = librarian.status()

    assert (status.documents, status.sections, status.chunks) == (4, 5, 9)
    assert status.disk["uploads"] == 18
    assert status.disk["vectors"] > 1000
    assert status.disk["keywords"] > 1000
    assert len(status.index_version) == 12
    assert (status.section_tokens, status.outdated) == (200, False)
    assert all(check.ok for check in status.checks)
    assert librarian.status(checks=False).checks == ()


def test_mending_is_a_job(librarian: Librarian, engine: Engine) -> None:
    library = engine.library(engine.prototype("shelf"))
    library.keywords.clear()
    library.keywords.write([], delete=["x"])
    checks = {check.name: check for check in librarian.status().checks}
    assert "lacks 8" in checks["indexes"].message

    job = finished(librarian, librarian.mend())

    assert (job.kind, job.state) == ("mend", "done")
    assert library.compare().good


def test_what_is_deleted_while_sizes_are_counted_counts_nothing(tmp_path: Path) -> None:
    (tmp_path / "there.txt").write_bytes(b"12345")
    (tmp_path / "gone.txt").symlink_to("nowhere")  # it was listed, and cannot be looked at
    assert folder_size(tmp_path) == 5


# --- killed -----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "stored"),
    [
        ("store:3", 2),
        ("noted:3", 3),
        ("settled:1", 30),
        ("chroma:1", 30),
        ("keywords:1", 30),
        ("facts:2", 30),
    ],
)
def test_what_a_killed_upload_stored_is_taken_up(
    new_engine: Callable[[], Engine], home: Path, folder: Path, tmp_path: Path, place: str, stored: int
) -> None:
    new_engine().ingest("shelf", [folder])
    many = {f"{n:02}.txt": f"File {n} tells of subject {n}. It has two sentences." for n in range(30)}
    files = write_files(tmp_path / "many", many)
    words = [sys.executable, "-m", "tests.run_fake", "upload", str(files), "shelf"]
    env = {**os.environ, "THUMBPRINT_HOME": str(home), "FAKE_KILL": place}
    killed = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert killed.returncode == -9, killed.stderr

    engine = new_engine()
    librarian = engine.librarian("shelf")
    assert engine.search("shelf", "night train to Venice").passages[0].source == "trains.txt"
    (job,) = librarian.jobs()
    assert (job.state, job.title) == ("interrupted", f"{len(job.files)} files")
    assert len(list((home / "uploads/shelf").glob("*.txt"))) == stored
    # A file that was stored in the moment before it could be noted is replaced when it comes again.
    assert stored - len(job.files) in (0, 1)

    done = finished(librarian, librarian.retry(job.id))

    # Where the vectors had been written in full, the files are unchanged.
    assert done.state == "done"
    assert {file.state for file in done.files} <= {"done", "unchanged"}
    assert librarian.documents().total == 3 + len(done.files)
    assert [j.id for j in librarian.jobs()] == [done.id]
    finished(librarian, librarian.upload([("last.txt", b"The last one.")]))
    assert not list((home / "uploads/shelf/.incoming").glob("*"))
    assert engine.library(engine.prototype("shelf")).compare().good
