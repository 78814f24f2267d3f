"""The golden sets stay true: what they call an answer stands in the document that they name."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"
ARTICLES = {
    "benefits": ROOT / "prototypes" / "benefits" / "articles",
    "handbook": ROOT / "prototypes" / "handbook" / "articles",
}
WINE = ROOT / "prototypes" / "wine"
LANGUAGES = ("es", "zh", "fr")
TRANSLATED = [f"benefits.{language}" for language in LANGUAGES]
REQUIRED = {"id", "question", "answerable"}

Line = dict[str, Any]


def golden(name: str) -> list[Line]:
    text = (GOLDEN / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def answered(name: str) -> list[Line]:
    return [line for line in golden(name) if line["answerable"]]


def text_of(prototype: str, source: str, title: str | None) -> str:
    """The text of a source of the prototype; of a table, the row of that title.

    ``title`` is not looked at where it is None, and must be the document's own otherwise.
    """
    if prototype == "wine" and source == "wines.csv":
        with (WINE / source).open(encoding="utf-8", newline="") as file:
            return next(row["notes"] for row in csv.DictReader(file) if row["name"] == title)
    if prototype == "wine":
        text = (WINE / source).read_text(encoding="utf-8")
        assert text.startswith(f"# {title}\n")
        return text
    _, head, body = (ARTICLES[prototype] / source).read_text(encoding="utf-8").split("---\n", 2)
    assert title is None or yaml.safe_load(head)["title"] == title
    return body


@pytest.mark.parametrize("name", ["wine", "handbook", "benefits", *TRANSLATED])
def test_lines_have_their_shape(name: str) -> None:
    for line in golden(name):
        keys = set(line)
        expected = REQUIRED | ({"source", "document", "answer"} if line["answerable"] else set())
        assert keys - {"also"} == expected, line["id"]
        assert line["answerable"] or "also" not in line
        assert isinstance(line["answerable"], bool)
        assert all(isinstance(line[key], str) and line[key].strip() for key in expected - {"answerable"})


@pytest.mark.parametrize("name", ["wine", "handbook", "benefits", *TRANSLATED])
def test_a_quarter_is_not_answerable(name: str) -> None:
    lines = golden(name)
    assert len(lines) >= (20 if name in TRANSLATED else 40)
    assert 0.25 <= 1 - len(answered(name)) / len(lines) <= 0.3


@pytest.mark.parametrize("name", ["wine", "handbook", "benefits", *TRANSLATED])
def test_ids_and_questions_are_asked_once(name: str) -> None:
    lines = golden(name)
    assert len({line["id"] for line in lines}) == len(lines)
    assert len({line["question"].casefold() for line in lines}) == len(lines)


@pytest.mark.parametrize("name", ["wine", "handbook", "benefits"])
def test_every_answer_stands_in_its_source(name: str) -> None:
    for line in answered(name):
        assert line["answer"] in text_of(name, line["source"], line["document"]), line["id"]
        for other in line.get("also", ()):
            assert other != line["source"]
            assert line["answer"] in text_of(name, other, None), (line["id"], other)


def test_translations_are_of_the_same_questions() -> None:
    english = {line["id"]: line for line in golden("benefits")}
    asked = []
    for language in LANGUAGES:
        lines = golden(f"benefits.{language}")
        assert all(line["id"].endswith(f"-{language}") for line in lines)
        bases = [line["id"].removesuffix(f"-{language}") for line in lines]
        for base, line in zip(bases, lines, strict=True):
            assert line["question"] != english[base]["question"]
            assert line | {"id": base, "question": english[base]["question"]} == english[base]
        asked.append(bases)
    assert asked[0] == asked[1] == asked[2]
    assert len(asked[0]) == 20


@pytest.mark.parametrize("half", ["followups", "followups.kept"])
def test_a_follow_up_names_a_document_that_there_is(half: str) -> None:
    lines = golden(half)
    assert len(lines) >= 30
    assert len({line["id"] for line in lines}) == len(lines)
    for line in lines:
        keys = {"id", "prototype", "history", "question", "source", "document", "also"}
        assert set(line) == keys, line["id"]
        assert 1 <= len(line["history"]) <= 2
        assert all(set(turn) == {"question", "text"} for turn in line["history"])
        assert text_of(line["prototype"], line["source"], line["document"])
        for other in line["also"]:
            assert other != line["source"]
            assert line["prototype"] == "wine" or text_of(line["prototype"], other, None)
