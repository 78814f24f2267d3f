"""A small store with every kind of feedback in it, and exports of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.config import Settings
from rag.export import Exported, Options, export
from rag.store import Store
from rag.types import Answer, Citation, Passage, Provenance, Relevant

SECRET = "the-secret-of-a-browser"
SETTINGS = Settings()


def passage(document: str, start: int, text: str, score: float = 1.0, **more: object) -> Passage:
    """A passage of ``document`` at ``start`` that holds ``text``."""
    values = {"source": f"{document}.md", "title": document.title(), "scorer": "fused", **more}
    return Passage(document_id=document, start=start, end=start + len(text), text=text, score=score, **values)


def answer(name: str, question: str, text: str, *passages: Passage, **more: object) -> Answer:
    """An answer whose first passage is cited, where there is one."""
    cited = [
        Citation(1, p.document_id, p.source, p.start, p.start + 5, p.text[:5], "verbatim", 0, len(text), 0)
        for p in passages[:1]
    ]
    values = {
        "rewritten": question,
        "citations": tuple(cited),
        "confidence": 0.5,
        "abstained": not passages,
        "generator": "extractive",
        "usage": {"input_tokens": 12},
        "seconds": {"search": 0.25, "total": 0.5},
        "provenance": Provenance("wine", SETTINGS.fingerprint, "v1", "extractive-1"),
        "created": 1_700_000_000.5,
        **more,
    }
    return Answer(id=name, question=question, text=text, passages=passages, **values)


RED = passage("reds", 10, "Tempranillo is dry and red.", 3.0, page=2)
WIDE = passage("reds", 0, "The reds: Tempranillo is dry and red. More of it.", 2.5)
WHITE = passage("whites", 0, "Riesling is white.", 1.5)


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


Export = Callable[..., Exported]


@pytest.fixture
def make(store: Store, home: Path, tmp_path: Path) -> Export:
    """``make("csv", ids="hash")`` exports to ``tmp_path/out.csv``, or to ``out=...``."""

    def run(name: str, out: str = "", report: object = None, **options: object) -> Exported:
        suffix = {"parquet": ".parquet", "csv": ".csv", "beir": "", "trec": ""}.get(name, ".jsonl")
        return export(store, home, name, tmp_path / (out or f"{name}{suffix}"), Options(**options), report)

    return run
