"""The schema: made once, upgraded in one step, never downgraded."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import rag.store.migrations as migrations
from rag.errors import StoreError
from rag.store import Store


def pragma(path: Path, name: str) -> Any:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_new_store_is_numbered_marked_and_in_wal_mode(store: Store) -> None:
    assert pragma(store.path, "user_version") == len(migrations.MIGRATIONS)
    assert pragma(store.path, "application_id") == int.from_bytes(b"Thmb", "big")
    assert pragma(store.path, "journal_mode") == "wal"


def test_an_older_store_is_upgraded_and_keeps_its_rows(
    store: Store, make_answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save_answer(make_answer(id="a"))
    later = ("CREATE TABLE notes (text TEXT)", "ALTER TABLE feedback ADD COLUMN mood INTEGER")
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, later))
    assert store.answer("a").id == "a"  # an open store upgrades too, on its next call
    assert store.add_feedback("a", "up").revision == 1
    assert pragma(store.path, "user_version") == len(migrations.MIGRATIONS)


def test_a_migration_that_fails_changes_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    version = pragma(store.path, "user_version")
    with monkeypatch.context() as patch:
        broken = ("CREATE TABLE notes (text TEXT)", "CREATE TABLE answers (oops TEXT)")
        patch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, broken))
        with pytest.raises(StoreError, match="already exists"):
            Store(store.path)
    assert pragma(store.path, "user_version") == version
    with closing(sqlite3.connect(store.path)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'notes'").fetchone() == (
            0,
        )
    Store(store.path)


def test_a_store_of_a_newer_version_is_refused_and_left_alone(store: Store) -> None:
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = store.path.read_bytes()
    with pytest.raises(StoreError, match=r"newer version of Thumbprint \(schema 99"):
        Store(store.path)
    with pytest.raises(StoreError, match="newer version"):
        store.answer("a")
    assert store.path.read_bytes() == before


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "chroma.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE embeddings (id INTEGER)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="database of another program"):
        Store(path)
    assert path.read_bytes() == before


def test_a_store_that_was_removed_meanwhile_is_made_again(store: Store, make_answer: Any) -> None:
    for path in store.path.parent.iterdir():
        path.unlink()
    store.save_answer(make_answer(id="a"))
    assert store.answer("a").id == "a"


def test_threads_that_start_together_make_one_schema(tmp_path: Path) -> None:
    for round_ in range(5):
        path = tmp_path / f"{round_}.db"
        barrier = threading.Barrier(8)
        failures: list[Exception] = []

        def start(path: Path = path, barrier: threading.Barrier = barrier, failures: Any = failures) -> None:
            barrier.wait()
            try:
                Store(path)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=start) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert pragma(path, "user_version") == len(migrations.MIGRATIONS)


def test_processes_that_start_together_make_one_schema(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    code = (
        "import sys, pathlib; from rag.store import Store; print('ready', flush=True);"
        "sys.stdin.readline(); Store(pathlib.Path(sys.argv[1])).start_conversation('s', 'wine')"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        process.communicate("go\n", timeout=20)
    assert [process.returncode for process in started] == [0, 0, 0]
    assert len(Store(path).conversations("s")) == 3


def test_a_store_of_the_first_version_has_everything_queued(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path)) as connection:
        for statement in migrations.MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute(
            "INSERT INTO answers (id, prototype, created, origin, question, text, confidence, abstained,"
            " generator, settings, index_version, prompt_version, record)"
            " VALUES ('a', 'wine', 1.0, 'chat', 'q', 't', 0.5, 0, 'extractive', 's', 'i', 'p',"
            """ '{"seconds": {"total": 0.25}}')"""
        )
        connection.execute(
            "INSERT INTO feedback (answer_id, revision, rating, reasons, comment, correction, origin,"
            " created) VALUES ('a', 1, 'up', '[]', '', '', 'chat', 2.0)"
        )
        connection.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()

    thumb = Store(path).feedback("a")

    assert thumb is not None
    assert len(thumb.id) == 32
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT seconds, cost FROM answers").fetchone() == (0.25, None)
        assert connection.execute("SELECT kind, row_id, thread FROM outbox ORDER BY n").fetchall() == [
            ("answer", "a", "a"),
            ("feedback", thumb.id, "a"),
        ]
