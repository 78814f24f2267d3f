"""A small store with every kind of feedback in it, and exports of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rag.export import Exported, Options, export
from rag.store import Store
from rag.types import Provenance, Relevant
from tests.rated import RED, SECRET, SETTINGS, WHITE, WIDE, Export, answer, passage


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the store, made once: every write of it waits for the disk.

    red-1: down, corrected, a passage named; red-2: the same question, up; mail: by a link, of another
    prototype, in a batch; cut: stopped, up; left and right: compared, the right one preferred.
    """
    store = Store(tmp_path_factory.mktemp("filled") / "thumbprint.sqlite3")
    conversation = store.start_conversation(SECRET, "wine", "Reds").id
    of = {"conversation_id": conversation}
    store.save_answer(
        answer("red-1", "Which red is dry?", "Riesling. [1]", WHITE, RED, **of), settings=SETTINGS.values
    )
    store.save_answer(
        answer("red-2", "which red  is dry?", "Tempranillo. [1]", WIDE, **of, created=1_700_000_100.0)
    )
    elsewhere = Provenance("benefits", "other", "v1", "cited-1", link="link-1")
    store.save_answer(
        answer(
            "mail", "=1+1, or ann@example.org?", "Call +49 30 1234567.",
            passage("desk", 0, "Pay 4111 1111 1111 1111."),
            provenance=elsewhere, origin="batch", created=1_700_000_200.0, where={"mail": "bob@example.org"},
        )
    )  # fmt: skip
    store.save_answer(answer("cut", "Which rosé?", "Half an", RED, stopped=True))
    store.save_answer(answer("left", "A port?", "No.", RED, origin="compare"))
    store.save_answer(answer("right", "A port?", "Yes, a ruby. [1]", RED, WHITE, origin="compare"))
    named = Relevant("reds", 10, 37, "reds.md", RED.text, retrieved=1)
    store.add_feedback("red-1", "up")
    store.add_feedback(
        "red-1", "down", reasons=["wrong"], comment="-No: it is Tempranillo.\nSee 'reds'.",
        correction="Tempranillo.", passage=named, reported=[1],
    )  # fmt: skip
    store.add_feedback("red-2", "up")
    store.add_feedback("cut", "up")
    store.preferences.add("pair-1", "left", "right", "right")
    store.preferences.add("pair-2", "right", "left", "tie")
    store._database.scrub()  # the log into the file, which is what is copied
    return store.path


@pytest.fixture
def store(filled: Path, home: Path) -> Store:
    """What ``filled`` describes, for one test to change."""
    home.mkdir()
    shutil.copy(filled, home)
    return Store(home / filled.name)


@pytest.fixture
def make(store: Store, home: Path, tmp_path: Path) -> Export:
    """``make("csv", ids="hash")`` exports to ``tmp_path/out.csv``, or to ``out=...``."""

    def run(name: str, out: str = "", report: object = None, **options: object) -> Exported:
        suffix = {"parquet": ".parquet", "csv": ".csv", "beir": "", "trec": ""}.get(name, ".jsonl")
        return export(store, home, name, tmp_path / (out or f"{name}{suffix}"), Options(**options), report)

    return run
