"""``python -m rag feedback``: export, erase and retain, on a store that was filled by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rag import cli
from rag.store import Selection, Store
from rag.types import Provenance
from tests.rated import SECRET, answer


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
        "days": 30.0, "dry_run": False, "prototype": None, "conversations": 0, "answers": 6, "feedback": 4,
        "waiting": 0,
    }  # fmt: skip
    assert store.count(Selection()) == 0


def test_retain_erases_in_the_prototype_that_is_named_alone(run: Any, store: Store) -> None:
    words = ["retain", "--older-than", "30", "--prototype", "benefits"]

    told = run(*words, "--dry-run")[1]
    assert "Would erase what is older than 30 days in “benefits”: 0 conversations, 1 answer and 0" in told
    done = json.loads(run(*words, "--json")[1])

    assert (done["prototype"], done["answers"], done["feedback"]) == ("benefits", 1, 0)
    left = [rated.answer.id for rated in store.stream(Selection())]
    assert left == ["red-1", "red-2", "cut", "left", "right"]


def test_retain_in_a_prototype_that_is_not_there_erases_nothing(run: Any, store: Store) -> None:
    code, out, err = run("retain", "--older-than", "30", "--prototype", "benefit")

    assert (code, out) == (1, "")
    assert "There is no prototype “benefit”. Known: wine, " in err
    assert store.count(Selection()) == 6


def test_what_was_recorded_of_a_prototype_that_is_gone_can_be_erased(run: Any, store: Store) -> None:
    gone = Provenance("gone", "s", "v", "p")
    conversation = store.start_conversation(SECRET, "gone").id
    store.save_answer(answer("a", "Then?", "x", provenance=gone))
    store.save_answer(answer("b", "Now?", "x", provenance=gone, conversation_id=conversation))

    assert run("erase", conversation, "--prototype", "gone")[0] == 0
    assert run("retain", "--older-than", "30", "--prototype", "gone")[0] == 0
    assert store.count(Selection()) == 6
    assert run("retain", "--older-than", "30", "--prototype", "gone")[0] == 1  # now nobody knows the name


# --- numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--report", 3_000_000_000], "counted from 1 to 2,147,483,647"),
        (["--report", 2], "no citation 2 to report: it has the citations 1."),
        (["--report", "9" * 5_000], "--report"),
        (["--passage", f'{{"document_id": "d", "start": 0, "end": {10**20}}}'], "beyond character"),
        (["--passage", f'{{"document_id": "d", "start": 0, "end": {"9" * 5_000}}}'], "--passage"),
    ],
)
def test_numbers_that_no_answer_has_are_refused(
    run: Any, store: Store, tmp_path: Path, words: list[object], told: str
) -> None:
    code, out, err = run("add", "red-2", "--rating", "down", *words)

    assert (code, out) == (2, "")
    assert told in err
    assert len(store.feedback_history("red-2")) == 1
    for name in ("parquet", "beir", "trec"):
        assert run("export", "--format", name, "--out", tmp_path / name)[0] == 0


def test_export_says_in_how_many_answers_a_number_was_out_of_range(
    run: Any, store: Store, tmp_path: Path
) -> None:
    with store._database.writing() as connection:
        connection.execute("UPDATE feedback SET reported = '[3000000000]' WHERE answer_id = 'cut'")

    words = ["--format", "parquet", "--out", tmp_path / "x.parquet"]
    assert "6 rows, 1 out of range." in run("export", *words)[1]
    assert json.loads(run("export", *words, "--json")[1])["counts"] == {"rows": 6, "out_of_range": 1}
