"""The public data as corpora with questions: DATA with ``chunking/``, ``squad/`` and ``xquad/``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metrics import Place
from peers import Corpus, Text


@dataclass(frozen=True, slots=True)
class Question:
    """A question with what answers it: excerpts, or a document."""

    text: str
    excerpts: tuple[Place, ...] = ()
    document_id: str = ""


def chunking(data: Path) -> tuple[Corpus, list[Question]]:
    """Three long documents, and questions with the excerpts that answer them."""
    paths = sorted((data / "chunking" / "corpora").glob("*.md"))
    texts = [Text(path.name, path.read_bytes().decode()) for path in paths]
    questions = [
        Question(q["question"], tuple((q["source"], r["start"], r["end"]) for r in q["references"]))
        for q in _lines(data / "chunking" / "questions.jsonl")
    ]
    return Corpus("chunking", [data / "chunking" / "corpora"], texts), questions


def paragraphs(data: Path, name: str) -> tuple[Corpus, list[Question]]:
    """Paragraphs of articles with their title, and the questions that one of them answers."""
    path = data / name / "documents.jsonl"
    texts = [Text(d["id"], d["text"], d["title"]) for d in _lines(path)]
    file = {"squad": "questions.jsonl", "xquad": "questions.en.jsonl"}[name]
    questions = [
        Question(q["question"], document_id=q["document_id"])
        for q in _lines(data / name / file)
        if q["answerable"]
    ]
    return Corpus(name, [path], texts), questions


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
