"""What every format has in common: what is in it, that it is whole, and what must not be in it."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.config import Environment
from rag.errors import StoreError, UsageError
from rag.export import FORMATS, Options, Progress, export
from rag.export.limits import fitted
from rag.export.private import SALT
from rag.export.rows import COLUMNS, iso
from rag.export.writing import MARK
from rag.store import Rated, Selection, Store
from rag.store.codec import encode
from rag.types import Feedback, Relevant
from tests.conftest import write_files
from tests.rated import RED, SECRET, SETTINGS, Export, answer

ALL = ["red-1", "red-2", "mail", "cut", "left", "right"]


def objects(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def everything(path: Path) -> bytes:
    """The bytes of a file, or of all files of a folder with their names."""
    if not path.is_dir():
        return path.read_bytes()
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return b"".join(file.name.encode() + b"\n" + file.read_bytes() for file in files)


def text_of(path: Path) -> str:
    """What a person could read in an export, whatever its format."""
    if path.suffix != ".parquet":
        return everything(path).decode()
    import pyarrow.parquet as pq

    return json.dumps(pq.read_table(path).to_pylist(), default=str, ensure_ascii=False)


def test_json_lines_hold_an_answer_with_all_that_is_known_of_it(make: Export, store: Store) -> None:
    done = make("jsonl")

    rows = objects(done.path)
    assert done.counts == {"rows": 6}
    assert done.size == done.path.stat().st_size
    assert [row["answer_id"] for row in rows] == ALL
    first = rows[0]
    assert tuple(first) == COLUMNS
    assert first["created"] == "2023-11-14T22:13:20.500000Z"
    assert (first["rating"], first["reasons"], first["correction"]) == ("down", ["wrong"], "Tempranillo.")
    assert first["feedback_revision"] == 2
    assert first["relevant"] == {
        "document_id": "reds", "source": "reds.md", "start": 10, "end": 37, "text": RED.text,
    }  # fmt: skip
    assert first["reported"] == [1]
    assert [p["rank"] for p in first["passages"]] == [1, 2]
    assert first["citations"][0]["passage"] == 1
    assert first["seconds"] == 0.5
    assert first["seconds_by_stage"] == {"search": 0.25, "total": 0.5}
    assert first["settings_values"] == json.loads(json.dumps(SETTINGS.values))
    assert first["where"] is None
    assert rows[2]["rating"] is None
    assert rows[2]["reasons"] == []
    assert rows[2]["settings_values"] is None
    assert rows[2]["where"] == {"mail": "bob@example.org"}


def test_csv_has_the_same_rows_without_the_texts_of_passages(make: Export) -> None:
    done = make("csv")

    with done.path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["answer_id"] for row in rows] == ALL
    assert tuple(rows[0]) == COLUMNS
    assert json.loads(rows[0]["reasons"]) == ["wrong"]
    assert "text" not in json.loads(rows[0]["passages"])[0]
    assert rows[0]["abstained"] == "false"
    assert rows[2]["rating"] == ""


@pytest.mark.parametrize(
    ("selection", "left"),
    [
        (Selection(prototype="benefits"), ["mail"]),
        (Selection(link="link-1"), ["mail"]),
        (Selection(rating="down"), ["red-1"]),
        (Selection(rating="rated"), ["red-1", "red-2", "cut"]),
        (Selection(since=1_700_000_100.0, until=1_700_000_200.0), ["red-2"]),
        (Selection(origins=("compare",)), ["left", "right"]),
        (Selection(prototype="nothing"), []),
    ],
)
def test_only_what_is_meant_is_exported(make: Export, selection: Selection, left: list[str]) -> None:
    assert [row["answer_id"] for row in objects(make("jsonl", selection=selection).path)] == left


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_of_nothing_is_an_empty_one(make: Export, name: str) -> None:
    done = make(name, selection=Selection(prototype="nothing"))

    assert done.path.exists()
    assert set(done.counts.values()) == {0}


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_store_gives_the_same_bytes(make: Export, name: str) -> None:
    first = make(name, out="first.out" if FORMATS[name].suffix else "first")
    again = make(name, out="again.out" if FORMATS[name].suffix else "again")

    assert everything(first.path) == everything(again.path)
    assert first.counts == again.counts


# --- whole or not at all -----------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_one_that_fails_leaves_what_was_there(make: Export, tmp_path: Path, name: str) -> None:
    path = make(name).path
    before = everything(path)

    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(name, report=stop)

    assert everything(path) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["home", path.name])


@pytest.mark.parametrize("name", FORMATS)
def test_the_next_one_takes_its_place(make: Export, tmp_path: Path, name: str) -> None:
    path = make(name).path
    before = everything(path)

    make(name, selection=Selection(prototype="benefits"))

    assert everything(path) != before
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["home", path.name])


def test_a_folder_of_something_else_is_never_replaced(make: Export, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "me.jpg").write_bytes(b"x")

    for name in ("beir", "trec"):
        with pytest.raises(UsageError, match="something else"):
            make(name, out="photos")
    with pytest.raises(UsageError, match="is a folder"):
        make("csv", out="photos")
    assert (tmp_path / "photos" / "me.jpg").read_bytes() == b"x"


@pytest.mark.parametrize("more", [(), ("qrels/train.tsv", "qrels/dev.tsv"), ("vectors/all.npy",)])
@pytest.mark.parametrize("name", ["beir", "trec"])
def test_a_collection_of_somebody_is_never_replaced(
    make: Export, tmp_path: Path, name: str, more: tuple[str, ...]
) -> None:
    own = write_files(tmp_path / "ds", {file: f"of mine: {file}" for file in (*FORMATS[name].parts, *more)})
    before = everything(own)

    with pytest.raises(UsageError, match="something else"):
        make(name, out="ds")

    assert everything(own) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ds", "home"]


def add(folder: Path) -> None:
    (folder / "notes.txt").write_text("x")


def add_deeper(folder: Path) -> None:
    (folder / "more" / "deeper").mkdir(parents=True)


def edit(folder: Path) -> None:
    with (folder / "corpus.jsonl").open("a") as file:
        file.write("{}\n")


def take(folder: Path) -> None:
    (folder / MARK).unlink()


def forge(folder: Path) -> None:
    (folder / MARK).write_bytes(b"\xff[")


@pytest.mark.parametrize("change", [add, add_deeper, edit, take, forge])
@pytest.mark.parametrize("name", ["beir", "trec"])
def test_an_export_that_somebody_worked_in_is_theirs(
    make: Export, name: str, change: Callable[[Path], None]
) -> None:
    path = make(name).path
    make(name)  # as it was written, it is replaced
    change(path)
    before = everything(path)

    with pytest.raises(UsageError, match="as it was written"):
        make(name)

    assert everything(path) == before


def test_an_export_takes_the_place_of_its_own_format_and_of_an_empty_folder(
    make: Export, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    make("beir", out="empty")

    with pytest.raises(UsageError, match="something else than an earlier TREC export"):
        make("trec", out="empty")


def test_what_comes_into_the_folder_meanwhile_is_kept(make: Export, tmp_path: Path) -> None:
    path = make("beir").path
    before = everything(path)

    with pytest.raises(UsageError, match="something else"):
        make("beir", report=lambda _: add(path))

    assert (path / "notes.txt").read_text() == "x"
    (path / "notes.txt").unlink()
    assert everything(path) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["beir", "home"]


def test_a_folder_s_mark_is_not_taken_for_documents(make: Export) -> None:
    files = {p.name for p in make("trec").path.iterdir()}

    assert files == {"corpus.jsonl", "queries.tsv", "qrels.txt", "run.txt", ".thumbprint-export"}


def test_what_is_no_file_is_never_replaced(make: Export, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"  # as /dev/null and /dev/stdout are neither file nor folder
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to(pipe)
    for name in ("pipe", "link"):
        with pytest.raises(UsageError, match="neither a file nor a folder"):
            make("csv", out=name)

    reading, writing = os.pipe()
    with open(reading), open(writing), pytest.raises(UsageError, match="neither a file nor a folder"):
        make("csv", out=f"/dev/fd/{writing}")

    assert pipe.is_fifo()
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("name", ["csv", "beir"])
def test_a_link_stays_a_link(make: Export, tmp_path: Path, name: str) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for _ in range(2):
        make(name, out="link")

    assert (tmp_path / "link").readlink() == tmp_path / "real"
    assert everything(tmp_path / "real")
    assert {p.name for p in tmp_path.iterdir()} >= {"link", "real"}
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_links_in_a_circle_are_told(make: Export, tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to(tmp_path / "circle")

    with pytest.raises(UsageError, match="leads nowhere"):
        make("csv", out="circle")


def test_a_folder_goes_into_an_archive_where_its_name_ends_so(make: Export) -> None:
    import zipfile

    first, second = make("trec", out="a.zip"), make("trec", out="b.zip")

    assert zipfile.ZipFile(first.path).namelist() == ["corpus.jsonl", "qrels.txt", "queries.tsv", "run.txt"]
    assert first.path.read_bytes() == second.path.read_bytes()


def test_a_disk_that_refuses_is_told_in_a_sentence(store: Store, home: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="could not be written"):
        export(store, home, "csv", tmp_path / "file" / "out.csv")


def test_progress_ends_at_all_of_it(make: Export) -> None:
    seen: list[Progress] = []

    make("jsonl", report=seen.append)

    assert (seen[0].done, seen[0].total) == (0, 6)
    assert (seen[-1].done, seen[-1].total, seen[-1].share) == (6, 6, 1.0)


def test_an_unknown_format_is_named(store: Store, home: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="“xls”"):
        export(store, home, "xls", tmp_path / "x")


# --- numbers that no answer can have ------------------------------------------------------------

HUGE, MOST = 10**20, 2**31 - 1


def stored_before(store: Store, sql: str, *values: object) -> None:
    """Put into the store what is not taken any more."""
    with store._database.writing() as connection:
        assert connection.execute(sql, values).rowcount == 1


def make_odd(store: Store) -> None:
    """Give red-1 numbers that no answer can have, in all that refers to places."""
    record = json.loads(encode(store.answer("red-1")))
    record["created"] = 1e15
    record["passages"][1] |= {"start": -HUGE, "end": HUGE, "page": HUGE}
    record["citations"][0] |= {"number": HUGE, "start": HUGE, "end": HUGE, "passage": MOST}
    stored_before(store, "UPDATE answers SET record = ? WHERE id = 'red-1'", json.dumps(record))
    named = json.dumps({"document_id": "reds", "start": 10, "end": HUGE, "text": RED.text})
    stored_before(
        store,
        "UPDATE feedback SET passage = ?, reported = '[1, 3000000000]', created = 1e15, "
        "revision = 4294967296 WHERE answer_id = 'red-1' AND revision = 2",
        named,
    )


@pytest.mark.parametrize("name", FORMATS)
def test_a_number_out_of_range_ends_no_export(make: Export, store: Store, name: str) -> None:
    whole = make(name, out="whole.out" if FORMATS[name].suffix else "whole")
    make_odd(store)

    done = make(name, labels="cited")

    assert done.counts["out_of_range"] == 1
    assert "out_of_range" not in whole.counts
    assert {"rows", "samples", "answers"} & done.counts.keys()
    for kind in {"rows", "samples", "answers"} & done.counts.keys():
        assert done.counts[kind] == whole.counts[kind]  # the rest of the batch went on


def test_what_is_out_of_range_is_cut_and_the_text_beside_it_stays(make: Export, store: Store) -> None:
    make_odd(store)

    first, *rest = objects(make("jsonl").path)

    assert [row["answer_id"] for row in rest] == ALL[1:]
    assert first["passages"][1] == {
        "rank": 2, "document_id": "reds", "source": "reds.md", "title": "Reds", "start": -MOST, "end": MOST,
        "text": RED.text, "score": 3.0, "scorer": "fused", "page": MOST,
    }  # fmt: skip
    assert (first["citations"][0]["number"], first["citations"][0]["end"]) == (MOST, MOST)
    assert first["citations"][0]["quote"] == "Riesl"
    assert (first["relevant"]["start"], first["relevant"]["end"]) == (10, MOST)
    assert first["relevant"]["text"] == RED.text
    assert (first["reported"], first["feedback_revision"]) == ([1], MOST)
    assert first["created"] == first["feedback_created"] == "9999-12-31T23:59:59.000000Z"
    assert first["comment"] == "-No: it is Tempranillo.\nSee 'reds'."


WHOLE = st.integers(-(10**40), 10**40)


@given(
    numbers=st.lists(WHOLE, min_size=4, max_size=4),
    reported=st.lists(WHOLE),
    created=st.floats(allow_nan=False, allow_infinity=False),
)
def test_whatever_is_stored_fits(numbers: list[int], reported: list[int], created: float) -> None:
    one, two, three, four = numbers
    made = answer("a", "?", "x", replace(RED, start=one, end=two, page=three), created=created)
    cited = replace(made.citations[0], number=four, passage=one, start=two, end=three)
    made = replace(made, citations=(cited,))
    said = Feedback(
        "a", abs(four), "up", created=created, passage=Relevant("d", one, two), reported=tuple(reported)
    )

    kept = fitted(Rated(1, made, said))

    (passage,), (citation,) = kept.answer.passages, kept.answer.citations
    assert kept.feedback is not None
    assert kept.feedback.passage is not None
    places = (passage.start, passage.end, passage.page, citation.number, citation.passage + 1, citation.start)
    more = (citation.end, kept.feedback.revision, kept.feedback.passage.start, kept.feedback.passage.end)
    assert all(-MOST <= number <= MOST for number in (*places, *more, *kept.feedback.reported) if number)
    iso(kept.answer.created)
    iso(kept.feedback.created)
    assert fitted(kept) is kept
    assert set(kept.feedback.reported) <= set(reported)


# --- what must not be in it ----------------------------------------------------------------------


def test_ids_are_kept_hashed_or_left_out(make: Export, store: Store) -> None:
    kept, again = objects(make("jsonl").path), objects(make("jsonl", ids="hash").path)
    dropped = objects(make("jsonl", ids="drop").path)

    conversation = store.conversations(SECRET)[0].id
    assert [row["conversation_id"] for row in kept[:3]] == [conversation, conversation, None]
    assert kept[2]["link"] == "link-1"
    hashed = again[0]["conversation_id"]
    assert hashed == again[1]["conversation_id"]  # still one conversation
    assert len(hashed) == 16
    assert hashed not in (conversation, conversation[:16])
    assert again[2]["link"] not in (None, "link-1")
    assert objects(make("jsonl", ids="hash").path) == again  # the same from one export to the next
    assert {row["conversation_id"] for row in dropped} == {row["link"] for row in dropped} == {None}


def test_another_installation_hashes_otherwise(make: Export, home: Path) -> None:
    here = objects(make("jsonl", ids="hash").path)[0]["conversation_id"]

    assert (home / SALT).stat().st_mode & 0o777 == 0o600
    (home / SALT).unlink()

    assert objects(make("jsonl", ids="hash").path)[0]["conversation_id"] != here


@pytest.mark.parametrize("name", FORMATS)
def test_redacted_text_is_redacted_in_every_format(make: Export, name: str) -> None:
    path = make(name, redact=True, selection=Selection(prototype="benefits")).path

    written = text_of(path)
    for personal in ("ann@example.org", "bob@example.org", "1234567", "4111"):
        assert personal not in written


@pytest.mark.parametrize("options", [{}, {"ids": "hash"}])
@pytest.mark.parametrize("name", FORMATS)
def test_no_secret_is_in_any_export(
    make: Export, home: Path, monkeypatch: pytest.MonkeyPatch, name: str, options: dict[str, Any]
) -> None:
    keys = {
        key: f"secret-{key.lower()}"
        for key in (
            "OPENAI_API_KEY",
            "COHERE_API_KEY",
            "CHROMA_API_KEY",
            "SUPABASE_KEY",
            "SUPABASE_SECRET_KEY",
        )
    }
    for key, value in keys.items():
        monkeypatch.setenv(key, value)
    Environment.load()
    make("csv", out="first.csv", ids="hash")  # makes the salt

    written = everything(make(name, **options).path)

    import hashlib

    for secret in (*keys.values(), SECRET, hashlib.sha256(SECRET.encode()).hexdigest()):
        assert secret.encode() not in written
    salt = (home / SALT).read_bytes()
    assert salt not in written
    assert salt.hex().encode() not in written


def test_options_by_default_leave_nothing_out() -> None:
    assert Options() == Options(Selection(), ids="keep", redact=False, labels="named", prompt="passages")
