"""What goes wrong with a disk: each a sentence, and nothing that was saved is lost."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from rag.errors import StoreError
from rag.store import Store
from rag.store.database import Database


@contextmanager
def refused(says: str) -> Iterator[None]:
    """Expect a StoreError of one line that says this."""
    with pytest.raises(StoreError, match=says) as caught:
        yield
    assert "\n" not in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_a_locked_store_is_waited_for_and_then_named(tmp_path: Path, make_answer: Any) -> None:
    store = Store(tmp_path / "store.db", busy_seconds=0.05)
    store.save_answer(make_answer(id="a"))
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with refused("held by another writer for 0.05 seconds"):
            store.add_feedback("a", "up")
        assert store.answer("a").id == "a"  # reading goes on
    assert store.add_feedback("a", "up").revision == 1


def test_a_new_store_that_another_process_holds(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with refused("held by another writer for 0.05 seconds"):
            Store(path, busy_seconds=0.05)
    Store(path)


def test_a_full_disk_loses_nothing_that_was_saved(
    store: Store, make_answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save_answer(make_answer(id="a"))
    store.add_feedback("a", "up")
    opened = Database._open

    def on_a_small_disk(self: Database) -> sqlite3.Connection:
        connection = opened(self)
        connection.execute("PRAGMA max_page_count = 1").fetchone()  # SQLite takes it as: no further page
        return connection

    with monkeypatch.context() as patch:
        patch.setattr(Database, "_open", on_a_small_disk)
        with refused("The disk that holds the store .* is full"):
            store.save_answer(make_answer(id="b", text="long " * 10_000))
        with refused("is full"):
            for _ in range(1_000):
                store.add_feedback("a", "down", comment="x" * 5_000)
        assert store.answer("a").id == "a"

    history = store.feedback_history("a")
    assert [each.revision for each in history] == list(range(1, len(history) + 1))
    assert history[0].rating == "up"
    store.save_answer(make_answer(id="b", text="long " * 10_000))  # there is room again
    with closing(sqlite3.connect(store.path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A folder outside tmp_path, which only its owner may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def without_privileges() -> Iterator[None]:
    """As a user who may not write everywhere: permissions mean nothing to root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no write permission there")
def test_a_read_only_folder(shared_folder: Path, make_answer: Any) -> None:
    path = shared_folder / "store.db"
    Store(path).save_answer(make_answer(id="a"))
    path.chmod(0o444)
    shared_folder.chmod(0o555)
    with without_privileges():
        with refused("cannot be opened for writing. Check that its folder exists"):
            Store(path).save_answer(make_answer(id="b"))
        with refused("cannot be opened for writing"):
            Store(shared_folder / "new.db")
        with refused(r"The folder .* cannot be made \(Permission denied\)"):
            Store(shared_folder / "below" / "store.db")
    shared_folder.chmod(0o755)
    path.chmod(0o644)
    assert Store(path).answer("a").id == "a"


def test_a_folder_in_the_place_of_the_file_and_a_file_in_that_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with refused("cannot be opened for writing"):
        Store(tmp_path)
    with refused("The folder .* cannot be made"):
        Store(tmp_path / "file" / "store.db")


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_text("My shopping list: bread, wine. " * 100)
    with refused("is not a Thumbprint store. Nothing was changed"):
        Store(path)
    assert path.read_text() == "My shopping list: bread, wine. " * 100
    assert [each.name for each in tmp_path.iterdir()] == ["store.db"]


def test_a_damaged_store_is_named_and_left_as_it_is(store: Store, make_answer: Any) -> None:
    for n in range(20):
        store.save_answer(make_answer(id=str(n)))
    damaged = bytearray(store.path.read_bytes())
    damaged[8_192:] = b"\xa5" * (len(damaged) - 8_192)
    store.path.write_bytes(damaged)
    with refused("is damaged. Nothing was removed"):
        store.answer("3")
    with refused("is damaged"):
        store.save_answer(make_answer(id="new"))
    assert store.path.read_bytes() == damaged


def test_a_record_that_cannot_be_read_is_named_and_kept(store: Store, make_answer: Any) -> None:
    store.save_answer(make_answer(id="a"))
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("UPDATE answers SET record = '{'")
    with refused("A stored Answer cannot be read .* It was left as it is"):
        store.answer("a")


def test_what_was_reported_as_saved_survives_a_killed_process(store: Store, make_answer: Any) -> None:
    store.save_answer(make_answer(id="a"))
    code = """if True:
        import pathlib, sys
        from rag.store import Store
        store = Store(pathlib.Path(sys.argv[1]))
        while True:
            print(store.add_feedback("a", "up", comment="x" * 2_000).revision, flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(store.path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for _ in range(200):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    reported = 200 + len(process.stdout.readlines())
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL

    revisions = [each.revision for each in store.feedback_history("a")]
    assert revisions == list(range(1, len(revisions) + 1))
    assert len(revisions) in (reported, reported + 1)  # the last may be saved and not yet reported
    assert store.add_feedback("a", None).revision == len(revisions) + 1
