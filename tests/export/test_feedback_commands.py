"""``python -m rag feedback``: export, erase and retain, on a store that was filled by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rag import cli
from rag.store import Selection, Store
from tests.rated import SECRET


@pytest.fixture
def run(store: Store, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    """``run("export", ...)``: exit code, stdout, stderr."""
    monkeypatch.setenv("THUMBPRINT_HOME", str(home))

    def call(*words: object) -> tuple[int, str, str]:
        try:
            code = cli.main(["feedback", *map(str, words)])
        except SystemExit as stop:
            code = int(str(stop.code))
        done = capsys.readouterr()
        return code, done.out, done.err

    return call


def questions(path: Path) -> list[str]:
    return [json.loads(line)["answer_id"] for line in path.read_text().splitlines()]


def test_export_writes_every_prototype_and_says_what(run: Any, tmp_path: Path) -> None:
    code, out, _ = run("export", "--format", "jsonl", "--out", tmp_path / "all.jsonl", "--json")

    value = json.loads(out)
    assert code == 0
    assert value["seconds"].keys() == {"total"}
    assert value["bytes"] == (tmp_path / "all.jsonl").stat().st_size
    assert {key: value[key] for key in ("format", "path", "prototype", "counts")} == {
        "format": "jsonl", "path": str(tmp_path / "all.jsonl"), "prototype": None, "counts": {"rows": 6},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["--prototype", "benefits"], ["mail"]),
        (["--link", "link-1"], ["mail"]),
        (["--rating", "up"], ["red-2", "cut"]),
        (["--origin", "compare", "--origin", "batch"], ["mail", "left", "right"]),
        (
            ["--since", "2023-11-14", "--until", "2023-11-14"],
            ["red-1", "red-2", "mail", "cut", "left", "right"],
        ),
        (["--until", "2023-11-13"], []),
        (["--since", "2023-11-14T22:15:00"], ["red-2", "mail"]),
    ],
)
def test_export_takes_filters(run: Any, tmp_path: Path, words: list[str], left: list[str]) -> None:
    code, out, _ = run("export", "--format", "jsonl", "--out", tmp_path / "some.jsonl", *words)

    assert code == 0
    assert f"{len(left)} rows" in out
    assert questions(tmp_path / "some.jsonl") == left


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--since", "yesterday"], 2, "--since takes a date"),
        (["--prototype", "wein"], 1, "There is no prototype “wein”"),
        (["--rating", "good"], 2, "invalid choice"),
        (["--ids", "encrypt"], 2, "invalid choice"),
    ],
)
def test_export_of_what_is_not_there_writes_nothing(
    run: Any, tmp_path: Path, words: list[str], code: int, told: str
) -> None:
    done = run("export", "--format", "csv", "--out", tmp_path / "x.csv", *words)

    assert done[0] == code
    assert told in done[2]
    assert not (tmp_path / "x.csv").exists()


def test_export_says_how_to_get_labels_where_there_are_none(run: Any, tmp_path: Path) -> None:
    _, out, _ = run("export", "--format", "beir", "--out", tmp_path / "beir", "--prototype", "benefits")

    assert "--labels cited" in out


def test_export_is_private_where_asked(run: Any, tmp_path: Path) -> None:
    words = ["--redact", "--ids", "drop", "--prototype", "benefits"]
    run("export", "--format", "jsonl", "--out", tmp_path / "x.jsonl", *words)

    row = json.loads((tmp_path / "x.jsonl").read_text())
    assert row["question"] == "=1+1, or [e-mail]?"
    assert row["link"] is None


def test_erase_takes_a_conversation_away(run: Any, store: Store) -> None:
    conversation = store.conversations(SECRET)[0].id

    code, out, _ = run("erase", conversation, "--json")

    assert code == 0
    assert json.loads(out) == {
        "conversation_id": conversation, "conversations": 1, "answers": 2, "feedback": 3, "waiting": 0,
    }  # fmt: skip
    assert store.conversations(SECRET) == []
    assert run("erase", conversation)[0] == 1


def test_retain_needs_a_period_and_can_only_tell(
    run: Any,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert run("retain")[0] == 2
    assert run("retain", "--older-than", "0")[0] == 2
    monkeypatch.setenv("THUMBPRINT_RETENTION_DAYS", "30")

    told = run("retain", "--dry-run")
    assert "Would erase what is older than 30 days: 0 conversations, 6 answers and 4 ratings" in told[1]
    assert store.count(Selection()) == 6
    assert json.loads(run("retain", "--json")[1]) == {
        "days": 30.0, "dry_run": False, "conversations": 0, "answers": 6, "feedback": 4, "waiting": 0,
    }  # fmt: skip
    assert store.count(Selection()) == 0
