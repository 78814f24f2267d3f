"""The command line: JSON of stable shapes, exit codes, batches."""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rag import cli, show
from rag.engine import Engine
from rag.generators.prompt import MAX_HISTORY
from rag.store import Store
from tests.chat_servers import Script, serve
from tests.conftest import FILES, ROOT, write_files
from tests.fakes import FakeEmbedder
from tests.files import make_csv

QUESTION = "When does the night train leave Vienna?"
WINES = [
    ["name", "price", "tags", "notes"],
    ["Alba", 9, "dry", "Of smoke."],
    ["Brisa", 20, "dry", "Of salt."],
]


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """All of stdout, which must be one JSON value."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Done]


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``run("ask", "What?", "--json")`` with the fake model, in this process."""
    monkeypatch.setenv("THUMBPRINT_HOME", str(home))
    monkeypatch.setattr(cli, "Engine", partial(Engine, load_model=FakeEmbedder))

    def call(*words: object) -> Done:
        try:
            code = cli.main([str(word) for word in words])
        except SystemExit as stop:  # argparse
            code = int(str(stop.code))
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return call


@pytest.fixture
def shelf(run: Run, folder: Path) -> Run:
    """The same, with three documents in the prototype “shelf”, and asked there."""
    assert run("ingest", folder, "--prototype", "shelf").code == 0
    return lambda *words: run(*words, "--prototype", "shelf")


def queries(tmp_path: Path, *lines: object) -> Path:
    """A file of questions; texts are written as they stand."""
    path = tmp_path / "queries.jsonl"
    path.write_text("".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines))
    return path


# --- ingest -------------------------------------------------------------------------------


def test_ingest_into_a_new_name_makes_the_prototype(run: Run, folder: Path) -> None:
    done = run("ingest", folder, "--prototype", "new", "--json")

    assert done.code == 0
    assert list(done.json) == [
        "prototype", "files", "added", "unchanged", "replaced", "removed", "failed", "documents", "sections",
        "chunks", "seconds", "skipped",
    ]  # fmt: skip
    assert done.json["seconds"].pop("total") > 0
    assert {k: v for k, v in done.json.items() if k not in ("seconds", "skipped")} == {
        "prototype": "new", "files": 3, "added": 3, "unchanged": 0, "replaced": 0, "removed": 0, "failed": [],
        "documents": 3, "sections": 4, "chunks": 8,
    }  # fmt: skip
    assert "new" in [p["name"] for p in run("prototypes", "--json").json]


def test_ingest_says_the_same_to_people(run: Run, folder: Path) -> None:
    done = run("ingest", folder, folder / "nowhere.txt", "--prototype", "new")

    assert done.code == 1
    assert "3 documents added" in done.out
    assert "“new” now has 3 documents, 4 sections, 8 chunks." in done.out
    assert "Not read:" in done.out


def test_a_path_that_does_not_exist_is_a_failure_and_exit_1(run: Run, tmp_path: Path) -> None:
    done = run("ingest", tmp_path / "nowhere", "--prototype", "new", "--json")

    assert done.code == 1
    assert done.json["failed"] == [
        {"path": str(tmp_path / "nowhere"), "error": "There is no such file or folder."}
    ]


def test_prune_removes_what_is_not_there(shelf: Run, folder: Path) -> None:
    (folder / "trains.txt").unlink()

    assert shelf("ingest", folder, "--json").json["removed"] == 0
    assert shelf("ingest", folder, "--prune", "--json").json["removed"] == 1


def test_an_empty_folder_is_done(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    done = run("ingest", tmp_path / "empty", "--prototype", "new", "--json")

    assert (done.code, done.json["files"], done.json["documents"]) == (0, 0, 0)


def test_a_name_that_cannot_be_one_is_wrong_usage(run: Run, folder: Path) -> None:
    done = run("ingest", folder, "--prototype", "No Name")

    assert (done.code, done.out) == (2, "")
    assert "cannot name a prototype" in done.err


# --- documents ----------------------------------------------------------------------------


def test_documents_are_listed_by_source(shelf: Run) -> None:
    done = shelf("documents", "list", "--json")

    assert [d["source"] for d in done.json] == ["bees.md", "tea/green.txt", "trains.txt"]
    assert {"document_id", "source", "title", "metadata"} <= set(done.json[0])


def test_a_re_index_says_what_it_built(shelf: Run) -> None:
    done = shelf("reindex", "--set", "chunking.section_tokens=40", "--json")

    assert done.code == 0
    value = done.json
    assert list(value) == [
        "prototype", "documents", "sections", "chunks", "embedding_model", "section_tokens", "index_version",
        "seconds",
    ]  # fmt: skip
    assert (value["prototype"], value["documents"], value["chunks"]) == ("shelf", 3, 8)
    assert value["section_tokens"] == 40
    assert value["seconds"]["total"] > 0
    assert shelf("search", "night train", "--json").json["passages"]


def test_a_re_index_with_other_settings_is_wrong_usage(shelf: Run) -> None:
    done = shelf("reindex", "--set", "k=3")

    assert (done.code, "takes chunking.section_tokens and embedding.model" in done.err) == (2, True)


def test_a_document_is_shown_with_its_text_and_sections(shelf: Run) -> None:
    (bees,) = [d for d in shelf("documents", "list", "--json").json if d["source"] == "bees.md"]

    shown = shelf("documents", "show", bees["document_id"], "--json").json

    assert list(shown) == ["document_id", "source", "title", "text", "metadata", "sections"]
    assert shown["text"] == FILES["bees.md"]
    assert [s["path"] for s in shown["sections"]] == [["Bees"], ["Bees", "Honey"]]
    assert all(set(s) == {"start", "end", "path"} for s in shown["sections"])
    assert shelf("documents", "show", bees["document_id"]).out == FILES["bees.md"] + "\n"


def test_a_deleted_document_is_gone(shelf: Run) -> None:
    first = shelf("documents", "list", "--json").json[0]["document_id"]

    assert shelf("documents", "delete", first, "--json").json == {"deleted": first}
    assert len(shelf("documents", "list", "--json").json) == 2
    again = shelf("documents", "delete", first)
    assert (again.code, again.out) == (1, "")
    assert shelf("documents", "show", first).code == 1


# --- search and ask -------------------------------------------------------------------------


def test_search_has_its_shape(shelf: Run) -> None:
    done = shelf("search", QUESTION, "--json")

    assert done.code == 0
    assert {"id", "question", "passages", "seconds"} <= set(done.json)
    assert done.json["question"] == QUESTION
    assert done.json["seconds"]["total"] > 0
    passages = done.json["passages"]
    assert [p["rank"] for p in passages] == [1, 2, 3, 4]
    first = passages[0]
    assert {
        "rank", "document_id", "source", "title", "start", "end", "text", "score", "scorer", "metadata",
    } <= set(first)  # fmt: skip
    assert (first["source"], first["title"], first["scorer"]) == ("trains.txt", "trains", "fused")
    assert first["text"] == FILES["trains.txt"].strip()


def test_ask_has_its_shape(shelf: Run) -> None:
    done = shelf("ask", QUESTION, "--json", "--set", "abstain=off")

    assert done.code == 0
    assert {
        "id", "question", "rewritten", "answer_id", "text", "abstained", "confidence", "citations",
        "passages", "generator", "usage", "seconds",
    } <= set(done.json)  # fmt: skip
    assert (done.json["abstained"], done.json["generator"], done.json["usage"]) == (False, "extractive", {})
    assert list(done.json["citations"][0]) == [
        "number", "document_id", "source", "start", "end", "quote", "verdict",
    ]  # fmt: skip
    assert done.json["citations"][0]["quote"] == "The night train leaves Vienna at ten."


def test_not_knowing_is_done(shelf: Run) -> None:
    done = shelf("ask", "Who won the cup?", "--json", "--set", "abstain=1")

    assert (done.code, done.json["abstained"], done.json["citations"]) == (0, True, [])
    assert done.json["text"] == "I don't know from these documents."


def test_people_get_text_passages_and_a_way_to_rate(shelf: Run) -> None:
    known = shelf("ask", QUESTION, "--set", "abstain=off")
    unknown = shelf("ask", "Who won the cup?", "--set", "abstain=1")

    assert "“The night train leaves Vienna at ten.” [1]" in known.out
    assert "[1] trains (trains.txt, verbatim)" in known.out
    assert "feedback add" in known.out
    assert "The nearest passages:" in unknown.out
    assert "1. trains (trains.txt, fused" in shelf("search", QUESTION).out


def test_k_passages(shelf: Run) -> None:
    assert len(shelf("search", QUESTION, "--json", "--k", "2").json["passages"]) == 2


def test_a_budget_of_tokens(shelf: Run) -> None:
    passages = shelf("search", QUESTION, "--json", "--budget", "10").json["passages"]

    assert sum(len(p["text"].split()) for p in passages) <= 10
    assert passages


def test_k_takes_the_place_of_a_prototypes_budget(shelf: Run, home: Path) -> None:
    (home / "prototypes" / "shelf" / "prototype.toml").write_text("[settings]\nbudget = 3\n")

    assert len(shelf("search", QUESTION, "--json", "--k", "3").json["passages"]) == 3


def test_where_filters_and_dates_become_numbers(shelf: Run, tmp_path: Path) -> None:
    lines = [
        {"id": str(y), "text": f"Night train of {y}.", "metadata": {"day": f"{y}-05-01"}}
        for y in (2020, 2024)
    ]
    write_files(tmp_path, {"t.jsonl": "".join(json.dumps(line) + "\n" for line in lines)})
    shelf("ingest", tmp_path / "t.jsonl")

    where = '{"day": {"$gte": "2023-01-01"}}'
    passages = shelf("search", QUESTION, "--json", "--where", where).json["passages"]

    assert [p["document_id"] for p in passages] == ["2024"]


def test_filters_that_leave_nothing_are_done_and_say_so(shelf: Run) -> None:
    done = shelf("ask", QUESTION, "--json", "--where", '{"source": "none"}')

    assert (done.code, done.json["abstained"], done.json["passages"]) == (0, True, [])
    assert done.json["notices"] == ["filters-empty"]
    assert shelf("search", QUESTION, "--where", '{"source": "none"}').out == "Nothing found.\n"


def test_a_re_ranker_is_named_by_its_scores(shelf: Run) -> None:
    found = shelf("search", QUESTION, "--json", "--rerank", "late").json

    assert {p["scorer"] for p in found["passages"]} == {"late"}
    assert found["seconds"]["rerank"] >= 0
    assert found["notices"] == []


@pytest.mark.parametrize("command", ["search", "ask"])
def test_a_re_ranker_that_cannot_be_had_is_told_and_costs_nothing(
    shelf: Run, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COHERE_API_KEY", raising=False)

    done = shelf(command, QUESTION, "--json", "--rerank", "cohere")

    assert (done.code, done.json["notices"]) == (0, ["re-ranking was unavailable"])
    assert {p["scorer"] for p in done.json["passages"]} == {"fused"}
    assert "Note: re-ranking was unavailable" in shelf(command, QUESTION, "--rerank", "cohere").out


def test_why_a_re_ranker_cannot_be_had_stands_on_stderr(home: Path, folder: Path) -> None:
    env = {k: v for k, v in os.environ.items() if k != "COHERE_API_KEY"} | {"THUMBPRINT_HOME": str(home)}
    words = (
        sys.executable,
        "-m",
        "rag",
        "search",
        QUESTION,
        "--json",
        "--rerank",
        "cohere",
        "--prototype",
        "shelf",
    )
    ingest = (sys.executable, "-m", "rag", "ingest", str(folder), "--prototype", "shelf", "--quiet")
    subprocess.run(ingest, cwd=ROOT, env=env, check=True, capture_output=True)

    done = subprocess.run(words, cwd=ROOT, env=env, check=True, capture_output=True, text=True)

    assert json.loads(done.stdout)["notices"] == ["re-ranking was unavailable"]
    assert "Set COHERE_API_KEY" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--k", "3", "--budget", "100"),
        ("--k", "0"),
        ("--k", "x"),
        ("--budget", "0"),
        ("--budget", "-1"),
        ("--set", "nothing=1"),
        ("--set", "k"),
        ("--set", "rerank=best"),
        ("--rerank", "best"),
        ("--set", "rerank.candidates=1"),
        ("--set", "rerank.timeout=0"),
        ("--where", "{"),
        ("--where", "[]"),
        ("--where", '{"price": {"$near": 3}}'),
        ("--unknown",),
    ],
)
@pytest.mark.parametrize("command", ["search", "ask"])
def test_wrong_usage_ends_2_with_a_sentence(run: Run, command: str, words: tuple[str, ...]) -> None:
    done = run(command, QUESTION, "--json", *words)

    assert (done.code, done.out) == (2, "")
    assert done.err.strip()
    assert "Traceback" not in done.err


def test_neither_question_nor_file_or_both_is_wrong_usage(shelf: Run, tmp_path: Path) -> None:
    assert shelf("ask").code == 2
    assert shelf("ask", "--queries", tmp_path / "nowhere").code == 2
    assert shelf("ask", "--queries", tmp_path).code == 2
    assert shelf("ask", QUESTION, "--queries", queries(tmp_path, {"question": "x"})).code == 2


@pytest.mark.parametrize("question", ["", "x" * 20_000, "\x00"])
def test_a_question_that_is_none_is_wrong_usage(shelf: Run, question: str) -> None:
    done = shelf("ask", question, "--json")

    assert (done.code, done.out) == (2, "")
    assert "question" in done.err


@pytest.mark.parametrize(
    "words",
    [("search", "x"), ("ask", "x"), ("documents", "list"), ("documents", "show", "x"), ("doctor",)],
)
@pytest.mark.parametrize("name", ["nowhere", "No Name"])
def test_any_other_command_on_an_unknown_name_ends_1(run: Run, words: tuple[str, ...], name: str) -> None:
    done = run(*words, "--prototype", name)

    assert done.code == 1
    assert "no prototype" in done.err + done.out


COMMANDS: dict[str, tuple[str, ...]] = {
    "documents list": (), "documents show": ("x",), "documents delete": ("x",),
    "reindex": (), "search": ("x",), "ask": ("x",), "check": ("--queries", os.devnull),
    "prototypes": (), "fit": ("data",), "doctor": (),
    "feedback add": ("x", "--rating", "up"), "feedback export": ("--format", "csv", "--out", "x.csv"),
    "feedback erase": ("x",), "feedback retain": ("--older-than", "1"),
    "feedback topics": (), "feedback triage": (),
    "feedback status": (), "feedback deliver": (), "feedback retry": (), "feedback pull": (),
    "links create": (), "links list": (), "links revoke": ("x",),
    "owner hash": (), "owner reset": (),
}  # fmt: skip
"""Every command but ``ingest``, with what it cannot do without."""


def names_of(parser: argparse.ArgumentParser, name: str = "") -> list[str]:
    inner = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    choices = [pair for action in inner for pair in action.choices.items()]
    return [n for word, child in choices for n in names_of(child, f"{name} {word}".strip())] or [name]


def test_the_list_of_commands_is_whole() -> None:
    assert sorted(names_of(cli._parser())) == sorted([*COMMANDS, "ingest"])


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_takes_an_unknown_name_for_an_empty_one(run: Run, home: Path, command: str) -> None:
    words = (*command.split(), *COMMANDS[command], "--prototype", "nosuch")

    new = run(*words)
    was_made = home.exists()
    Store(home / "thumbprint.sqlite3")
    begun = run(*words)

    assert (new.code, begun.code) == (1, 1)
    for done in (new, begun):
        assert "There is no prototype “nosuch”" in done.err + done.out
    if command != "doctor":  # it says so among the rest, and looks whether the data folder can be made
        assert new.out == begun.out == ""
        assert not was_made


def test_an_empty_prototype_is_refused_with_what_to_do(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    run("ingest", tmp_path / "empty", "--prototype", "bare")

    done = run("ask", QUESTION, "--prototype", "bare", "--json")

    assert (done.code, done.out) == (1, "")
    assert "python -m rag ingest PATH --prototype bare" in done.err


# --- batches --------------------------------------------------------------------------------


def test_a_batch_keeps_order_and_ids_and_goes_on_after_bad_lines(shelf: Run, tmp_path: Path) -> None:
    path = queries(
        tmp_path,
        {"id": "q1", "question": "night train"},
        "not JSON",
        {"id": 7, "question": "green tea"},
        {"id": "q3"},
        "",
        {"id": "q4", "question": ""},
        {"id": "q5", "question": "x" * 20_000},
        {"id": "q6", "question": "bees", "where": {"a": {"$near": 1}}},
        {"id": "q7", "question": "bees", "where": [1]},
        {"id": "q8", "question": "bees", "history": [{"text": "x"}]},
        {"id": "q9", "question": "bees", "history": 3},
        [1],
        {"id": "last", "question": "queen", "history": [], "where": None},
    )

    done = shelf("search", "--queries", path, "--json")

    assert done.code == 1
    got = [(line["id"], "error" in line) for line in done.lines]
    assert got == [
        ("q1", False), (None, True), ("7", False), ("q3", True), ("q4", True), ("q5", True), ("q6", True),
        ("q7", True), ("q8", True), ("q9", True), (None, True), ("last", False),
    ]  # fmt: skip
    assert all(set(line) == {"id", "error"} for line in done.lines if "error" in line)
    assert done.lines[1]["error"] == "Line 2 cannot be read: it is not JSON."
    assert done.lines[2]["passages"][0]["source"] == "tea/green.txt"


def test_a_whole_batch_ends_0_and_lines_without_an_id_get_one(shelf: Run, tmp_path: Path) -> None:
    done = shelf("ask", "--queries", queries(tmp_path, {"question": "night train"}), "--json")

    assert done.code == 0
    assert len(done.lines) == 1
    assert done.lines[0]["id"]


def test_the_filters_of_a_line_and_of_the_call_both_hold(shelf: Run, tmp_path: Path) -> None:
    path = queries(
        tmp_path,
        {"id": "a", "question": "tea", "where": {"source": {"$ne": "trains.txt"}}},
        {"id": "b", "question": "tea"},
    )

    done = shelf("search", "--queries", path, "--json", "--where", '{"type": "text"}')

    assert [{p["source"] for p in line["passages"]} for line in done.lines] == [
        {"tea/green.txt"},
        {"tea/green.txt", "trains.txt"},
    ]


def test_a_line_may_bring_its_history(shelf: Run, tmp_path: Path) -> None:
    history = [{"question": "When does the night train leave?", "text": "At ten."}]

    done = shelf("ask", "--queries", queries(tmp_path, {"question": "And arrive?", "history": history}))

    assert done.lines[0]["rewritten"] == "When does the night train leave? And arrive?"


def test_of_a_history_a_model_is_shown_what_a_budget_holds(
    shelf: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = [{"question": "bees " * 10_000, "text": "Yes. " * 10_000}] * 3
    line = {"question": "When do they arrive?", "history": history}
    with serve(Script(["At ten [1]."])) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("OPENAI_MODEL", "m")
        done = shelf("ask", "--queries", queries(tmp_path, line), "--set", "abstain=off")

    rewriting, writing = (body["messages"] for body in server.requests)
    assert len(rewriting[1]["content"]) < 2_200
    assert sum(len(message["content"]) for message in writing[1:-1]) == MAX_HISTORY
    for messages in (rewriting, writing):
        assert "When do they arrive?" in messages[-1]["content"]
    assert len(done.lines[0]["rewritten"]) < 1_100
    assert done.lines[0]["rewritten"].endswith("When do they arrive?")


def test_answers_of_a_batch_are_stored_as_such(shelf: Run, tmp_path: Path, home: Path) -> None:
    batch = shelf("ask", "--queries", queries(tmp_path, {"question": "bees"})).lines[0]["answer_id"]
    single = shelf("ask", "bees", "--json").json["answer_id"]

    store = cli.Engine().store

    assert (store.answer(batch).origin, store.answer(single).origin) == ("batch", "command")


def test_questions_are_read_from_standard_input(shelf: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO('\ufeff{"id": "a", "question": "bees"}\n'.encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(raw))

    assert [line["id"] for line in shelf("search", "--queries", "-").lines] == ["a"]


def test_lines_that_are_not_utf_8_are_bad_lines(shelf: Run, tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_bytes(b'{"question": "\xff"}\n{"id": "b", "question": "bees"}\n')

    done = shelf("search", "--queries", tmp_path / "q.jsonl")

    assert [(line["id"], "error" in line) for line in done.lines] == [(None, True), ("b", False)]


# --- check ----------------------------------------------------------------------------------


def test_checking_a_file_prints_a_verdict_for_each_line(shelf: Run, tmp_path: Path) -> None:
    permit = "The harbour permit costs 24 euros. It is valid for two weeks."
    path = queries(
        tmp_path,
        {"id": "quoted", "claim": "The harbour permit costs 24 euros.", "source": permit},
        {"id": "told", "claim": "The permit for the harbour costs 24 euros.", "source": permit},
        {"id": 3, "claim": "The harbour permit costs 42 euros.", "source": permit},
        {"claim": "The mayor was elected twice.", "source": permit},
    )

    done = shelf("check", "--queries", path)

    assert done.code == 0
    assert [list(line) for line in done.lines] == [["id", "verdict", "score", "reasons"]] * 4
    assert [(line["id"], line["verdict"]) for line in done.lines] == [
        ("quoted", "verbatim"),
        ("told", "supported"),
        ("3", "unsupported"),
        (None, "unsupported"),
    ]
    quoted, told, changed, _ = done.lines
    assert (quoted["score"], quoted["reasons"], changed["reasons"]) == (1.0, [], ["number"])
    assert 0 < changed["score"] < told["score"] < 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "it is not JSON"),
        ({"id": "a", "claim": "x"}, "it needs a “claim” and a “source”, both texts"),
        ({"id": "a", "claim": "x", "source": 3}, "it needs a “claim” and a “source”, both texts"),
        ({"id": [], "claim": "x", "source": "x"}, "its “id” is neither text nor a whole number"),
        ({"id": "a", "claim": "x" * 1_000_000, "source": "x"}, "a claim has at most"),
    ],
)
def test_a_line_that_cannot_be_checked_says_why_and_the_next_one_is_checked(
    shelf: Run, tmp_path: Path, line: object, reason: str
) -> None:
    good = {"id": "good", "claim": "Tea is green.", "source": "Tea is green."}

    done = shelf("check", "--queries", queries(tmp_path, line, good))

    bad, checked = done.lines
    assert done.code == 1
    assert bad["error"].startswith(f"Line 1 cannot be read: {reason}")
    assert (checked["id"], checked["verdict"]) == ("good", "verbatim")


# --- feedback, prototypes, the parser ----------------------------------------------------------


def test_feedback_is_kept_under_the_next_revision(shelf: Run) -> None:
    answer = shelf("ask", "bees", "--json").json["answer_id"]

    first = shelf(
        "feedback", "add", answer, "--rating", "up", "--reason", "clear", "--reason", "right", "--json"
    )
    second = shelf("feedback", "add", answer, "--rating", "none", "--comment", "Hm.", "--correction", "No.")

    assert first.json == {
        "answer_id": answer, "revision": 1, "rating": "up", "reasons": ["clear", "right"], "comment": "",
        "correction": "", "passage": None, "reported": [],
    }  # fmt: skip
    assert second.out == "Saved as revision 2.\n"
    kept = cli.Engine().store.feedback(answer)
    assert kept is not None
    assert (kept.revision, kept.rating, kept.comment, kept.origin) == (2, None, "Hm.", "command")


def test_the_passage_that_answers_and_wrong_citations_are_kept(shelf: Run) -> None:
    asked = "When does the night train leave Vienna and when does it reach Venice?"
    found = shelf("ask", asked, "--json").json
    assert sorted(citation["number"] for citation in found["citations"]) == [1, 2]
    answer = found["answer_id"]
    passage = shelf("search", QUESTION, "--json").json["passages"][0]
    down = ("feedback", "add", answer, "--rating", "down")
    done = shelf(*down, "--passage", json.dumps(passage), "--report", "2", "--report", "1", "--json")
    kept = cli.Engine().store.feedback(answer)
    assert kept is not None
    assert kept.passage is not None
    assert (kept.passage.text, kept.passage.start) == (passage["text"], passage["start"])
    assert kept.reported == (1, 2) == tuple(done.json["reported"])
    assert done.json["passage"]["document_id"] == passage["document_id"]
    for wrong in ("{", "[]", '{"document_id": 1, "start": 0, "end": 2}', '{"document_id": "d", "start": 0}'):
        refused = shelf(*down, "--passage", wrong)
        assert refused.code == 2
        assert "--passage takes a JSON object" in refused.err
    assert shelf(*down, "--passage", '{"document_id": "d", "start": 5, "end": 2}').code == 2


def test_feedback_on_an_unknown_answer_ends_1(shelf: Run) -> None:
    done = shelf("feedback", "add", "nothing", "--rating", "up")

    assert (done.code, done.out) == (1, "")
    assert shelf("feedback", "add", "nothing", "--rating", "great").code == 2
    assert shelf("feedback", "add", "nothing").code == 2


def test_prototypes_are_listed_and_broken_ones_named(run: Run, home: Path) -> None:
    assert run("prototypes", "--json").code == 0
    write_files(home / "prototypes" / "broken", {"prototype.toml": "accent = 'red'"})

    done = run("prototypes", "--json")

    assert done.code == 1
    assert {"name", "title", "description", "ready_made"} <= set(done.json[0])
    assert "“broken” does not load" in done.err


def test_common_options_stand_before_the_command_or_after_it(shelf: Run, run: Run) -> None:
    before = run("--prototype", "shelf", "--json", "documents", "list")
    between = run("documents", "--prototype", "shelf", "--json", "list")

    assert before.json == between.json == shelf("documents", "list", "--json").json


@pytest.mark.parametrize(
    "words", [(), ("fly",), ("documents",), ("feedback",), ("ingest",), ("ask", "--rat")]
)
def test_a_command_that_is_none_is_wrong_usage(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words).code == 2


def test_help_names_every_command(run: Run) -> None:
    done = run("--help")

    assert done.code == 0
    for command in ("ingest", "documents", "search", "ask", "prototypes", "feedback", "doctor"):
        assert command in done.out


def test_a_home_that_cannot_be_written_ends_in_a_sentence(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("THUMBPRINT_HOME", str(tmp_path / "file" / "home"))

    for words in (
        ("ingest", tmp_path),
        ("ask", "x"),
        ("doctor",),
        ("feedback", "add", "x", "--rating", "up"),
    ):
        done = run(*words)
        assert done.code == 1
        assert "THUMBPRINT_HOME" in done.err + done.out
        assert "Traceback" not in done.err


def test_being_interrupted_ends_1_with_what_to_do(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Engine, "ingest", interrupt)

    done = run("ingest", folder, "--prototype", "shelf")

    assert done.code == 1
    assert "run it again" in done.err


# --- as a process -------------------------------------------------------------------------------


def test_as_a_process_stdout_holds_json_alone(home: Path, tmp_path: Path) -> None:
    write_files(tmp_path / "d", {"wines.csv": make_csv(WINES), "accents é.txt": "Où est le café ? 🐝"})
    words = [
        sys.executable,
        "-m",
        "tests.run_fake",
        "ingest",
        str(tmp_path / "d"),
        "--prototype",
        "x",
        "--json",
    ]
    env = {**os.environ, "THUMBPRINT_HOME": str(home), "PYTHONIOENCODING": "ascii"}

    done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, timeout=60, check=True)

    assert json.loads(done.stdout)["documents"] == 3
    assert done.stdout.count(b"\n") == 1


def test_as_a_process_a_reader_may_leave(home: Path, folder: Path) -> None:
    words = [sys.executable, "-m", "tests.run_fake", "prototypes"]
    env = {**os.environ, "THUMBPRINT_HOME": str(home)}
    child = subprocess.Popen(words, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()

    error = child.stderr.read()
    child.stderr.close()

    assert child.wait(30) == 1
    assert error == b""


def test_a_document_cannot_steer_the_terminal() -> None:
    assert show.printable("Red \x1b[31m and\ta bell\x07\n") == "Red �[31m and\ta bell�\n"
