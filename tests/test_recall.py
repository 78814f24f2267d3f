"""The figure of doctor: what the approximate search finds of what an exact one does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.doctor import Check, examine
from rag.engine import Engine
from rag.recall import measure, typical_filters
from rag.types import Hit
from tests.fakes import FakeEmbedder
from tests.test_stored import COUNTRIES, document, library


class Eight(FakeEmbedder):
    """A fake model of as many dimensions as the documents here have."""

    dimensions = 8


def test_a_graph_that_finds_all_has_a_recall_of_one(tmp_path: Path) -> None:
    made = library(tmp_path)

    found = measure(made, Eight(), ["one", "two", "two"], [{"country": "Spain"}], nearest=20)

    assert found is not None
    assert (found.plain, found.filtered, found.questions, found.stored) == (1.0, 1.0, 2, True)
    assert found.good


def test_what_the_search_misses_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = library(tmp_path)
    search = made.chunks.search

    def misses(vector: Any, n: int, where: Any = None) -> list[Hit]:
        hits = search(vector, n + 5, where)
        return hits if where else [*hits[1:4], *hits[5 : n + 2]]  # the first and the fifth are lost

    monkeypatch.setattr(made.chunks, "search", misses)

    found = measure(made, Eight(), ["one"], nearest=20)

    assert found is not None
    assert found.plain == pytest.approx(18 / 20)
    assert found.filtered is None
    assert not found.good


def test_what_the_filter_refuses_counts_against_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = library(tmp_path)
    search = made.chunks.search
    monkeypatch.setattr(made.chunks, "search", lambda vector, n, where=None: search(vector, n))

    found = measure(made, Eight(), ["one"], [{"country": "Spain"}, {"country": "Peru"}], nearest=20)

    assert found is not None
    assert found.plain == 1.0
    assert found.filtered is not None
    assert found.filtered < 0.8


def test_a_sample_of_a_large_library_is_enough(tmp_path: Path) -> None:
    found = measure(library(tmp_path), Eight(), ["one", "two"], nearest=20, most=60)

    assert found is not None
    assert found.plain == 1.0


def test_sentences_stand_in_for_questions(tmp_path: Path) -> None:
    found = measure(library(tmp_path), Eight(), nearest=10)

    assert found is not None
    assert not found.stored
    assert found.questions == 30


def test_an_empty_library_has_no_recall(tmp_path: Path) -> None:
    assert measure(library(tmp_path, []), Eight()) is None


def test_filters_are_taken_from_the_documents() -> None:
    metadata = [
        {"country": COUNTRIES[0] if n < 10 else COUNTRIES[1], "n": n, "few": n < 2} for n in range(100)
    ]

    assert typical_filters(metadata) == [{"country": "Portugal"}, {"few": True}]
    assert typical_filters([]) == []
    assert typical_filters([{"a": 1}]) == []


def test_replaced_chunks_stay_in_the_graph(tmp_path: Path) -> None:
    made = library(tmp_path, [document(n, sentences=20) for n in range(60)])
    assert made.index.deleted_share() == pytest.approx(0, abs=0.01)

    for _ in range(2):
        made.write([document(n, sentences=20) for n in range(60)])

    assert 0.2 < made.index.deleted_share() < 0.8
    (header,) = (tmp_path / "chroma").glob("*-*/header.bin")
    header.write_bytes(b"?")
    assert made.index.deleted_share() == 0.0


def test_doctor_warns_of_a_poor_graph(engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.ingest("shelf", [folder])
    assert engine.ask("shelf", "What is honey?").answer.question == "What is honey?"
    well = _recall(engine)
    monkeypatch.setattr("rag.stored.StoredChunks.search", lambda *_: [Hit("nowhere:0", np.float32(1))])

    poor = _recall(engine)

    assert well.ok
    assert well.message.startswith("100.0 % of the nearest chunks are found, 100.0 % under a filter (1 ")
    assert well.figures["plain"] == 1.0
    assert not poor.ok
    assert "0.0 % of the nearest chunks" in poor.message
    assert "ingest the files into a new prototype" in poor.message


def _recall(engine: Engine) -> Check:
    return next(check for check in examine(engine, "shelf") if check.name == "recall")
