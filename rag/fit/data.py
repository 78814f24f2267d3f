"""Labelled questions on disk: folders of documents with questions beside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import UsageError


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question, and where its answer stands.

    Either ``document_id`` and ``answers`` (texts that stand in it), or ``source`` and ``spans``
    (characters of the file that answer). ``article`` is what is held out together.
    """

    question: str
    article: str
    document_id: str = ""
    answers: tuple[str, ...] = ()
    source: str = ""
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class DataSet:
    """Documents to ingest, and the answerable questions about them."""

    name: str
    documents: Path
    questions: tuple[Labelled, ...]
    sha256: str
    """Of the file of questions."""

    @property
    def is_spans(self) -> bool:
        return self.documents.is_dir()


def read_sets(data: Path) -> list[DataSet]:
    """Every folder of ``data`` that holds a set; raises :class:`UsageError` where none does.

    A set is ``documents.jsonl`` with ``questions.jsonl`` (or ``questions.en.jsonl``) of ``{"question",
    "answerable", "document_id", "answers"}``, or a folder ``corpora/`` with ``questions.jsonl`` of
    ``{"question", "source", "references": [{"start", "end"}]}``. A document id is the name of
    its article, a dash and a number.
    """
    found = []
    for folder in sorted(p for p in data.iterdir() if p.is_dir()) if data.is_dir() else []:
        documents = next((p for p in (folder / "documents.jsonl", folder / "corpora") if p.exists()), None)
        questions = next(
            (p for p in (folder / "questions.jsonl", folder / "questions.en.jsonl") if p.exists()), None
        )
        if documents and questions:
            found.append(_read(folder.name, documents, questions))
    if not found:
        raise UsageError(
            f"There are no labelled questions in {data}. Give a folder with sets such as squad/ with "
            "documents.jsonl and questions.jsonl."
        )
    return found


def _read(name: str, documents: Path, questions: Path) -> DataSet:
    try:
        lines = read_lines(questions)
        labelled = [_labelled(line) for line in lines if line.get("answerable", True)]
        digest = hashlib.sha256(questions.read_bytes()).hexdigest()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{questions} does not hold labelled questions ({error}). See “python -m rag fit --help”."
        ) from None
    return DataSet(name, documents, tuple(labelled), digest)


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _labelled(line: dict[str, Any]) -> Labelled:
    if "references" in line:
        spans = tuple((int(r["start"]), int(r["end"])) for r in line["references"])
        return Labelled(line["question"], line["source"], source=line["source"], spans=spans)
    document_id = line["document_id"]
    return Labelled(line["question"], article(document_id), document_id, tuple(line["answers"]))


def article(document_id: str) -> str:
    """The article that a document is a part of: its id without the number."""
    return (document_id.rpartition("-")[0] or document_id).casefold()


def fold_of(sets: Sequence[DataSet], folds: int) -> dict[str, int]:
    """Article -> fold, for the articles of all sets: dealt out in order of their questions, most first."""
    counts: dict[str, int] = {}
    for labelled in (q for one in sets for q in one.questions):
        counts[labelled.article] = counts.get(labelled.article, 0) + 1
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    return {name: at % folds for at, name in enumerate(ordered)}
