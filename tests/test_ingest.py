"""Incremental ingest: what changed, and nothing else."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag import ingest as ingest_module
from rag.config import Environment
from rag.engine import Engine
from rag.errors import IndexingError
from rag.index import ChunkIndex
from rag.readers import FoundFiles
from rag.types import DocumentRecord, IngestProgress, IngestResult, ReadFailure
from tests.conftest import FILES, write_files
from tests.fakes import FakeEmbedder
from tests.files import make_csv, make_jsonl


def counts(result: IngestResult) -> tuple[int, int, int, int]:
    """Added, unchanged, replaced, removed."""
    return result.added, result.unchanged, result.replaced, result.removed


def records(engine: Engine, name: str = "shelf") -> dict[str, DocumentRecord]:
    """The records by source."""
    return {r.source: r for r in engine.records(engine.prototype(name)).values()}


def text_of(engine: Engine, source: str, name: str = "shelf") -> str:
    found = records(engine, name)[source]
    return engine.library(engine.prototype(name)).index.document_text(found.id)


def agrees(engine: Engine, name: str = "shelf") -> bool:
    return engine.library(engine.prototype(name)).compare().good


def test_the_first_ingest_adds_everything(engine: Engine, folder: Path) -> None:
    result = engine.ingest("shelf", [folder])

    assert (result.files, counts(result), result.failed) == (3, (3, 0, 0, 0), ())
    assert (result.documents, result.sections, result.chunks) == (3, 4, 8)
    assert result.seconds["total"] > 0
    assert set(records(engine)) == {"bees.md", "trains.txt", "tea/green.txt"}
    assert agrees(engine)


def test_an_unchanged_file_costs_a_hash(
    engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.ingest("shelf", [folder])
    monkeypatch.setattr(ingest_module, "read_bytes", None)  # nothing is read again

    result = engine.ingest("shelf", [folder])

    assert counts(result) == (0, 3, 0, 0)
    assert result.documents == 3


def test_an_unchanged_folder_loads_no_model(
    engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.ingest("shelf", [folder])
    (folder / "tea" / "green.txt").unlink()
    monkeypatch.setattr(engine, "embedder", None)

    result = engine.ingest("shelf", [folder], prune=True)

    assert counts(result) == (0, 2, 0, 1)


def test_a_changed_file_replaces_its_old_self(engine: Engine, folder: Path) -> None:
    engine.ingest("shelf", [folder])
    before = engine.search("shelf", "night train").index_version
    (folder / "trains.txt").write_text("The night train leaves Zagreb at nine.")

    result = engine.ingest("shelf", [folder])

    assert (counts(result), result.documents) == ((0, 2, 1, 0), 3)
    assert text_of(engine, "trains.txt") == "The night train leaves Zagreb at nine."
    found = engine.search("shelf", "Vienna train")
    assert not any("Vienna" in p.text for p in found.passages)
    assert found.index_version != before
    assert agrees(engine)


def test_what_was_put_back_has_its_old_version(engine: Engine, folder: Path) -> None:
    engine.ingest("shelf", [folder])
    before = engine.search("shelf", "train").index_version
    (folder / "trains.txt").write_text("Something else entirely.")
    engine.ingest("shelf", [folder])
    (folder / "trains.txt").write_text(FILES["trains.txt"])

    engine.ingest("shelf", [folder])

    assert engine.search("shelf", "train").index_version == before


def test_a_removed_file_stays_until_it_is_pruned(engine: Engine, folder: Path) -> None:
    engine.ingest("shelf", [folder])
    (folder / "trains.txt").unlink()

    kept = engine.ingest("shelf", [folder])
    pruned = engine.ingest("shelf", [folder], prune=True)

    assert (counts(kept), kept.documents) == ((0, 2, 0, 0), 3)
    assert (counts(pruned), pruned.documents) == ((0, 2, 0, 1), 2)
    assert agrees(engine)


def test_the_same_content_twice_is_one_document_of_two_files(engine: Engine, folder: Path) -> None:
    write_files(folder, {"copy/of-trains.txt": FILES["trains.txt"]})

    first = engine.ingest("shelf", [folder])
    again = engine.ingest("shelf", [folder])

    assert (counts(first), first.documents, first.failed) == ((3, 0, 0, 0), 3, ())
    assert counts(again) == (0, 3, 0, 0)
    record = next(r for r in records(engine).values() if len(r.files) == 2)
    assert [f.path for f in record.files] == ["copy/of-trains.txt", "trains.txt"]


def test_a_copy_that_comes_later_is_no_second_document(engine: Engine, folder: Path) -> None:
    engine.ingest("shelf", [folder])
    write_files(folder, {"z/trains-again.txt": FILES["trains.txt"]})

    result = engine.ingest("shelf", [folder])

    assert (counts(result), result.documents) == ((0, 3, 0, 0), 3)
    assert records(engine)["trains.txt"].title == "trains"


def test_a_changed_copy_leaves_the_other_its_text(engine: Engine, folder: Path) -> None:
    write_files(folder, {"copy.txt": FILES["trains.txt"]})
    engine.ingest("shelf", [folder])
    (folder / "copy.txt").write_text("The day train has a window.")

    result = engine.ingest("shelf", [folder])

    assert (counts(result), result.documents) == ((1, 3, 0, 0), 4)
    assert text_of(engine, "trains.txt") == FILES["trains.txt"]
    assert text_of(engine, "copy.txt") == "The day train has a window."


def test_one_of_two_copies_is_pruned(engine: Engine, folder: Path) -> None:
    write_files(folder, {"copy.txt": FILES["trains.txt"]})
    engine.ingest("shelf", [folder])
    (folder / "copy.txt").unlink()

    result = engine.ingest("shelf", [folder], prune=True)

    assert (counts(result), result.documents) == ((0, 3, 0, 0), 3)
    found = engine.search("shelf", "night train", where={"source": "trains.txt"})
    assert found.passages[0].title == "trains"
    assert agrees(engine)


def test_a_renamed_file_keeps_its_document_under_the_new_name(engine: Engine, folder: Path) -> None:
    engine.ingest("shelf", [folder])
    (folder / "trains.txt").rename(folder / "railways.txt")

    result = engine.ingest("shelf", [folder], prune=True)

    assert (counts(result), result.documents) == ((0, 3, 0, 0), 3)
    assert records(engine)["railways.txt"].title == "railways"
    passage = engine.search("shelf", "night train").passages[0]
    assert (passage.source, passage.title) == ("railways.txt", "railways")


def test_two_files_that_trade_their_texts(engine: Engine, folder: Path) -> None:
    engine.ingest("shelf", [folder])
    write_files(folder, {"trains.txt": FILES["tea/green.txt"], "tea/green.txt": FILES["trains.txt"]})

    result = engine.ingest("shelf", [folder])

    assert result.documents == 3
    assert text_of(engine, "trains.txt") == FILES["tea/green.txt"]
    assert text_of(engine, "tea/green.txt") == FILES["trains.txt"]
    assert agrees(engine)


def test_a_file_that_fails_keeps_its_old_documents(engine: Engine, folder: Path) -> None:
    engine.ingest("shelf", [folder])
    (folder / "trains.txt").write_bytes(b"")

    result = engine.ingest("shelf", [folder], prune=True)

    assert [f.path for f in result.failed] == ["trains.txt"]
    assert result.documents == 3
    assert text_of(engine, "trains.txt") == FILES["trains.txt"]


def test_one_bad_file_does_not_stop_the_others(engine: Engine, folder: Path) -> None:
    write_files(folder, {"a.pdf": b"%PDF-1.7 and nothing more", "b.docx": b"PK\x03\x04", "c.txt": b""})

    result = engine.ingest("shelf", [folder])

    assert [f.path for f in result.failed] == ["a.pdf", "b.docx", "c.txt"]
    assert all(f.error.endswith(".") and "\n" not in f.error for f in result.failed)
    assert (result.files, result.added) == (6, 3)


def test_a_failure_is_said_again_the_next_time(engine: Engine, tmp_path: Path) -> None:
    write_files(tmp_path / "d", {"a.jsonl": '{"id": "1", "text": "A word."}\nnot JSON\n'})
    first = engine.ingest("shelf", [tmp_path / "d"])

    second = engine.ingest("shelf", [tmp_path / "d"])

    assert first.failed == second.failed
    assert second.failed[0].path == "a.jsonl, line 2"
    assert (counts(first), counts(second)) == ((1, 0, 0, 0), (0, 1, 0, 0))


def test_a_file_over_the_limit_is_refused_unread(home: Path, folder: Path) -> None:
    engine = Engine(Environment(home=home, max_file_bytes=100), load_model=FakeEmbedder)

    result = engine.ingest("shelf", [folder])

    assert [f.path for f in result.failed] == ["bees.md"]
    assert "THUMBPRINT_MAX_FILE_MB" in result.failed[0].error
    assert result.added == 2


def test_a_path_that_does_not_exist_fails_by_itself(engine: Engine, folder: Path) -> None:
    result = engine.ingest("shelf", [folder / "nowhere", folder])

    assert [f.path for f in result.failed] == [str(folder / "nowhere")]
    assert result.added == 3


def test_nothing_is_pruned_where_a_path_does_not_exist(engine: Engine, folder: Path) -> None:
    engine.ingest("shelf", [folder])

    result = engine.ingest("shelf", [folder / "tea", folder / "nowhere"], prune=True)

    assert (result.removed, result.documents) == (0, 3)
    assert any("nothing was pruned" in f.error for f in result.failed)


def test_nothing_is_pruned_where_a_folder_cannot_be_listed(
    engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.ingest("shelf", [folder])
    closed = ReadFailure(str(folder / "tea"), "The folder could not be listed: permission denied.")
    listed = FoundFiles(((folder / "trains.txt", "trains.txt"),), (closed,), ())
    monkeypatch.setattr(ingest_module, "find_files", lambda paths, limit: listed)

    result = engine.ingest("shelf", [folder], prune=True)

    assert (result.removed, result.documents) == (0, 3)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_keeps_its_documents(engine: Engine, folder: Path) -> None:
    engine.ingest("shelf", [folder])
    (folder / "trains.txt").chmod(0)

    result = engine.ingest("shelf", [folder], prune=True)

    assert [f.path for f in result.failed] == ["trains.txt"]
    assert result.documents == 3


def test_a_file_that_vanishes_while_it_is_hashed_is_a_failure(
    engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = FoundFiles(((folder / "gone.txt", "gone.txt"), (folder / "bees.md", "bees.md")), (), ())
    monkeypatch.setattr(ingest_module, "find_files", lambda paths, limit: gone)

    result = engine.ingest("shelf", [folder])

    assert [f.path for f in result.failed] == ["gone.txt"]
    assert result.added == 1


def test_an_empty_folder_is_no_failure(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    result = engine.ingest("shelf", [tmp_path / "empty"])

    assert (result.files, result.documents, result.failed) == (0, 0, ())


def test_a_folder_without_files_empties_no_library(engine: Engine, folder: Path, tmp_path: Path) -> None:
    engine.ingest("shelf", [folder])
    (tmp_path / "empty").mkdir()

    result = engine.ingest("shelf", [tmp_path / "empty"], prune=True)

    assert (result.removed, result.documents, result.chunks) == (0, 3, 8)
    assert [f.error for f in result.failed] == [
        "No file was found, so nothing was pruned. Name the folder that holds them."
    ]


def test_pruning_an_empty_library_is_no_failure(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert engine.ingest("shelf", [tmp_path / "empty"], prune=True).failed == ()


def test_deleting_every_document_leaves_an_empty_library(engine: Engine, folder: Path) -> None:
    engine.ingest("shelf", [folder])
    version = engine.search("shelf", "train").index_version

    for record in records(engine).values():
        engine.delete_document("shelf", record.id)

    with pytest.raises(IndexingError, match="no documents"):
        engine.search("shelf", "train")
    assert engine.library(engine.prototype("shelf")).index.facts()["index_version"] != version


def test_a_sidecar_over_the_limit_is_a_failure(home: Path, folder: Path) -> None:
    engine = Engine(Environment(home=home, max_file_bytes=200), load_model=FakeEmbedder)
    write_files(folder, {"metadata.csv": "file,topic\ntrains.txt," + "x" * 300 + "\n"})

    result = engine.ingest("shelf", [folder])

    assert [f.path for f in result.failed] == ["metadata.csv"]
    assert "topic" not in records(engine)["trains.txt"].metadata


def test_links_out_of_a_folder_are_not_followed(engine: Engine, folder: Path, tmp_path: Path) -> None:
    write_files(tmp_path, {"secret.txt": "Nobody reads this."})
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "circle").symlink_to(folder)

    result = engine.ingest("shelf", [folder])

    assert (result.files, result.documents) == (3, 3)


# --- ids that are given ------------------------------------------------------------


def test_given_ids_are_never_merged(engine: Engine, tmp_path: Path) -> None:
    lines = [{"id": "a", "text": "Word for word."}, {"id": "b", "text": "Word for word."}]
    write_files(tmp_path / "d", {"x.jsonl": make_jsonl(lines), "y.txt": "Word for word."})

    result = engine.ingest("shelf", [tmp_path / "d"])

    assert (result.added, result.documents) == (3, 3)
    assert {"a", "b"} < set(engine.records(engine.prototype("shelf")))


def test_an_id_means_one_thing_in_a_run(engine: Engine, tmp_path: Path) -> None:
    one, two = ({"id": "a", "text": text} for text in ("The first.", "The second."))
    files = {"1.jsonl": make_jsonl([one]), "2.jsonl": make_jsonl([two, {"id": "b", "text": "Other."}])}
    write_files(tmp_path / "d", files)

    first = engine.ingest("shelf", [tmp_path / "d"])
    again = engine.ingest("shelf", [tmp_path / "d"])

    assert [f.path for f in first.failed] == ["2.jsonl"]
    assert "“a”" in first.failed[0].error
    assert first.documents == 2
    assert text_of(engine, "1.jsonl") == "The first."
    assert (again.failed, counts(again), again.documents) == (first.failed, (0, 2, 0, 0), 2)


def test_a_line_whose_text_changed_replaces_the_document_of_its_id(engine: Engine, tmp_path: Path) -> None:
    lines = [{"id": str(n), "text": f"Line {n} of the file."} for n in range(4)]
    path = write_files(tmp_path / "d", {"x.jsonl": make_jsonl(lines)}) / "x.jsonl"
    engine.ingest("shelf", [path])
    path.write_bytes(make_jsonl([lines[0], {"id": "1", "text": "A newer text."}, lines[3]]))

    result = engine.ingest("shelf", [path])

    assert (counts(result), result.documents) == ((0, 2, 1, 1), 3)
    assert engine.library(engine.prototype("shelf")).index.document_text("1") == "A newer text."
    assert agrees(engine)


def test_a_document_moves_from_one_file_to_another(engine: Engine, tmp_path: Path) -> None:
    moved, rest = {"id": "m", "text": "The one that moves."}, {"id": "r", "text": "The one that stays."}
    folder = write_files(tmp_path / "d", {"b.jsonl": make_jsonl([moved, rest])})
    engine.ingest("shelf", [folder])
    write_files(folder, {"a.jsonl": make_jsonl([{**moved, "text": "Moved."}]), "b.jsonl": make_jsonl([rest])})

    result = engine.ingest("shelf", [folder])

    assert (counts(result), result.documents) == ((0, 1, 1, 0), 2)
    assert records(engine)["a.jsonl"].id == "m"
    assert engine.ingest("shelf", [folder]).unchanged == 2


def test_a_row_that_changed_is_all_that_is_written(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [["name", "notes"], *([f"Wine {n}", f"Tastes of number {n}."] for n in range(700))]
    path = write_files(tmp_path / "d", {"wines.csv": make_csv(rows)}) / "wines.csv"
    engine.ingest("shelf", [path])
    rows[350][1] = "Tastes of something else."
    path.write_bytes(make_csv(rows))
    updated: list[int] = []
    update = ChunkIndex.update
    monkeypatch.setattr(
        ChunkIndex, "update", lambda self, some, **how: updated.append(len(some)) or update(self, some, **how)
    )
    embedded: list[str] = []
    embed = FakeEmbedder.embed_sections
    monkeypatch.setattr(
        FakeEmbedder,
        "embed_sections",
        lambda self, texts, spans: embedded.extend(texts) or embed(self, texts, spans),
    )

    result = engine.ingest("shelf", [path])

    assert (counts(result), result.documents) == ((0, 699, 1, 0), 700)
    assert len(embedded) == 1
    assert [n for n in updated if n] == [699]  # the records of the others, at once
    assert engine.ingest("shelf", [path]).unchanged == 700
    assert agrees(engine)


def test_many_changed_files_are_few_writes(
    engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.ingest("shelf", [folder])
    for path in folder.rglob("*.*"):
        path.write_text(f"{path.read_text()}And one more sentence.")
    library = engine.library(engine.prototype("shelf"))
    writes: list[tuple[int, int]] = []
    write, delete = library.write, library.delete
    monkeypatch.setattr(library, "write", lambda items: writes.append((len(items), 0)) or write(items))
    monkeypatch.setattr(library, "delete", lambda ids: writes.append((0, len(ids))) or delete(ids))

    result = engine.ingest("shelf", [folder])

    assert (counts(result), result.documents) == ((0, 0, 3, 0), 3)
    assert [w for w in writes if w != (0, 0)] == [(3, 0), (0, 3)]  # the new, and then the old


# --- progress, and who else is writing -----------------------------------------------


def test_progress_counts_files_up_to_the_end(engine: Engine, folder: Path) -> None:
    seen: list[IngestProgress] = []

    engine.ingest("shelf", [folder], progress=seen.append)

    assert (seen[0].stage, seen[-1].stage) == ("waiting", "done")
    assert (seen[-1].files_done, seen[-1].files_total, seen[-1].chunks_done) == (3, 3, 8)
    assert all(a.files_done <= b.files_done for a, b in itertools.pairwise(seen))
    assert all(0 <= p.share <= 1 for p in seen)
    assert seen[-1].share == 1


def test_a_second_ingest_waits_for_the_first(new_engine: Callable[[], Engine], folder: Path) -> None:
    one, two = new_engine(), new_engine()
    results: list[IngestResult] = []
    threads = [
        threading.Thread(target=lambda e=e: results.append(e.ingest("shelf", [folder]))) for e in (one, two)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(counts(r) for r in results) == [(0, 3, 0, 0), (3, 0, 0, 0)]
    assert agrees(one)
    assert agrees(two)


def test_waiting_too_long_ends_in_a_sentence(engine: Engine, folder: Path, home: Path) -> None:
    engine.ingest("shelf", [folder])
    library = engine.library(engine.prototype("shelf"))
    asked: list[bool] = []

    with (
        FileLock(home / "ingest.lock", thread_local=False),
        pytest.raises(IndexingError, match="Another process"),
        library.writing(waiting=lambda: asked.append(True), timeout=0.1),
    ):
        raise AssertionError("the lock is held by another")


def test_stopping_leaves_what_was_finished_and_goes_on(
    engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_module, "_FLUSH_CHUNKS", 1)
    keywords = engine.library(engine.ingest("shelf", []) and engine.prototype("shelf")).keywords
    write, calls = keywords.write, [0]

    def interrupted(*args: object, **options: object) -> None:
        calls[0] += 1
        if calls[0] == 2:
            raise KeyboardInterrupt  # between Chroma and Tantivy
        write(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(keywords, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        engine.ingest("shelf", [folder])
    stopped = engine.totals("shelf")

    result = engine.ingest("shelf", [folder])

    assert stopped[0] == 2
    assert counts(result) == (1, 2, 0, 0)
    assert agrees(engine)


# --- whatever is done to a folder ------------------------------------------------------

NAMES = st.sampled_from(["a.txt", "b.txt", "c/d.txt"])
TEXTS = st.sampled_from(["One bee.", "Two trains. They wait.", "Three cups of tea.", ""])
STEPS = st.lists(st.tuples(NAMES, TEXTS | st.none(), st.booleans()), max_size=6)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_any_history_ends_like_a_clean_ingest(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str | None, bool]]
) -> None:
    base = tmp_path_factory.mktemp("history")
    folder = write_files(base / "docs", {"keep.txt": "This one stays."})
    engine = Engine(Environment(home=base / "home"), load_model=FakeEmbedder)
    before = engine.ingest("shelf", [folder]).documents
    for name, text, prune in [*steps, ("keep.txt", "This one stays.", True)]:
        if text is not None:
            write_files(folder, {name: text})
        elif (folder / name).exists():
            (folder / name).unlink()
        result = engine.ingest("shelf", [folder], prune=prune)
        assert result.documents == before + result.added - result.removed
        before = result.documents

    for path in folder.rglob("*.txt"):  # an empty file keeps what it gave before, a clean ingest has nothing
        if not path.read_text():
            path.unlink()
    engine.ingest("shelf", [folder], prune=True)
    clean = engine.ingest("clean", [folder])

    kept, fresh = records(engine), records(engine, "clean")
    assert json.dumps(sorted(r.id for r in kept.values())) == json.dumps(sorted(r.id for r in fresh.values()))
    assert result.documents >= clean.documents
    assert agrees(engine)
    shutil.rmtree(base)
