"""Re-ranking inside the engine: where it stands, and what happens when it cannot be had."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rag import rerankers
from rag.config import Environment, Settings, with_settings
from rag.engine import Engine
from rag.errors import RerankError
from rag.rerankers import UNAVAILABLE, Rerankers
from rag.types import Passage, Scorer
from tests.conftest import write_files
from tests.fakes import FakeEmbedder

QUESTION = "When does the night train leave Vienna?"


def settings(**changes: Any) -> Settings:
    return with_settings(
        Settings(), {"abstain": "off"} | {k.replace("_", "."): v for k, v in changes.items()}
    )


class Backwards:
    """The order of the search turned round; the last sentence of a passage is the evidence."""

    scorer: Scorer = "cross"
    made = 0
    arrived = threading.Event()

    def __init__(self, name: str = "", *, download: bool = True) -> None:
        if name == "far" and not download:
            raise RerankError("The cross-encoder “far” is not here.")
        if download or name not in ("broken", "slow"):
            Backwards.made += 1
        if name == "broken" or (name == "slow" and not download):
            raise RerankError(f"The cross-encoder “{name}” could not be loaded.")
        if name == "slow":
            Backwards.arrived.wait(30)

    def rerank(self, question: str, passages: Sequence[Passage]) -> list[Passage]:
        from rag.rerank.scores import reordered

        evidence = {(at, len(p.sentences) - 1): float(at) for at, p in enumerate(passages)}
        return reordered(passages, [float(at) for at in range(len(passages))], evidence, "cross")


@pytest.fixture
def engine(engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(rerankers, "CrossEncoderReranker", Backwards)
    monkeypatch.setattr(Backwards, "made", 0)
    engine.ingest("shelf", [folder])
    return engine


def test_passages_are_re_ranked_before_k_is_taken(engine: Engine) -> None:
    fused = engine.search("shelf", QUESTION, settings=settings(k=4)).passages

    found = engine.search("shelf", QUESTION, settings=settings(rerank="cross", k=1))

    assert len(fused) == 4
    assert [(p.start, p.source) for p in found.passages] == [(fused[-1].start, fused[-1].source)]
    assert found.passages[0].scorer == "cross"
    assert 0 <= found.seconds["rerank"] <= found.seconds["total"]
    assert found.notices == ()


def test_only_the_candidates_are_re_ranked(engine: Engine) -> None:
    fused = engine.search("shelf", QUESTION, settings=settings(k=4)).passages

    found = engine.search("shelf", QUESTION, settings=settings(rerank="cross", k=1, rerank_candidates=2))

    assert found.passages[0].start == fused[1].start


def test_the_answer_quotes_the_evidence_of_the_re_ranker(engine: Engine) -> None:
    answer = engine.ask("shelf", QUESTION, settings=settings(rerank="cross")).answer

    best = answer.citations[0]
    first = answer.passages[0]
    assert (best.passage, best.quote) == (0, first.text[first.sentences[-1].start - first.start :])
    assert answer.seconds["rerank"] >= 0


def test_a_budget_is_filled_in_the_new_order(engine: Engine) -> None:
    fused = engine.search("shelf", QUESTION, settings=settings(k=4)).passages
    found = engine.search("shelf", QUESTION, settings=settings(rerank="cross", budget=25)).passages

    assert found[0].source == fused[-1].source
    assert {p.scorer for p in found} == {"cross"}
    assert sum(len(p.text.split()) for p in found) <= 25  # tokens of the fake model


def test_confidence_is_that_of_the_fused_signals_whatever_re_ranks(engine: Engine) -> None:
    none = engine.search("shelf", QUESTION, settings=settings())
    cross = engine.search("shelf", QUESTION, settings=settings(rerank="cross"))

    assert (cross.confidence, cross.cosine, cross.coverage) == (none.confidence, none.cosine, none.coverage)


def test_late_interaction_needs_nothing_else(engine: Engine) -> None:
    found = engine.search("shelf", QUESTION, settings=settings(rerank="late"))

    assert found.passages[0].source == "trains.txt"
    assert {p.scorer for p in found.passages} == {"late"}
    assert [p.score for p in found.passages] == sorted((p.score for p in found.passages), reverse=True)


@pytest.mark.parametrize("budget", [0, 40])
@pytest.mark.parametrize("name", ["cross", "cohere", "late"])
def test_what_cannot_be_had_leaves_the_fused_order_and_says_so(
    engine: Engine, name: str, budget: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(FakeEmbedder, "token_vectors", lambda self, texts: None)
    plain = engine.search("shelf", QUESTION, settings=settings(budget=budget))

    with caplog.at_level(logging.WARNING):
        answer = engine.ask(
            "shelf", QUESTION, settings=settings(rerank=name, rerank_model="broken", budget=budget)
        ).answer

    assert answer.passages == plain.passages
    assert answer.notices == (UNAVAILABLE,)
    assert not answer.abstained
    assert engine.store.answer(answer.id) == answer
    assert "the fused order was kept" in caplog.text


def test_a_model_that_could_not_be_loaded_is_not_tried_at_every_question(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = settings(rerank="cross", rerank_model="broken")

    for _ in range(3):
        assert engine.search("shelf", QUESTION, settings=broken).notices == (UNAVAILABLE,)
    assert Backwards.made == 1
    monkeypatch.setattr(rerankers, "AGAIN", 0.0)
    engine.search("shelf", QUESTION, settings=broken)
    assert Backwards.made == 2


def test_a_hub_is_waited_for_no_longer_than_the_timeout(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backwards, "arrived", threading.Event())
    slow = settings(rerank="cross", rerank_model="slow", rerank_timeout=0.2)

    started = time.monotonic()
    for _ in range(2):
        assert engine.search("shelf", QUESTION, settings=slow).notices == (UNAVAILABLE,)
    assert time.monotonic() - started < 10

    Backwards.arrived.set()
    patient = settings(rerank="cross", rerank_model="slow", rerank_timeout=20)
    found = engine.search("shelf", QUESTION, settings=patient)
    assert found.notices == ()
    assert {p.scorer for p in found.passages} == {"cross"}
    assert Backwards.made == 1


def test_a_model_that_is_not_here_is_fetched(engine: Engine) -> None:
    found = engine.search("shelf", QUESTION, settings=settings(rerank="cross", rerank_model="far"))

    assert found.notices == ()
    assert Backwards.made == 1


def test_a_model_is_loaded_once(engine: Engine) -> None:
    for _ in range(3):
        engine.search("shelf", QUESTION, settings=settings(rerank="cross"))

    assert Backwards.made == 1


def test_filters_that_leave_nothing_need_no_re_ranker(engine: Engine) -> None:
    broken = settings(rerank="cross", rerank_model="broken")

    answer = engine.ask("shelf", QUESTION, where={"source": "nowhere.txt"}, settings=broken).answer

    assert answer.notices == ("filters-empty",)


def test_one_sentence_is_enough_to_be_re_ranked(engine: Engine, tmp_path: Path) -> None:
    engine.ingest("one", [write_files(tmp_path / "one", {"a.txt": "Bees."})])

    for name in ("late", "cross"):
        found = engine.search("one", "Bees?", settings=settings(rerank=name))
        assert [p.text.strip() for p in found.passages] == ["Bees."]


def test_the_key_of_the_environment_is_used_and_not_shown(home: Path) -> None:
    environment = Environment.load(
        {"THUMBPRINT_HOME": str(home), "COHERE_API_KEY": "co-secret", "CO_API_URL": "http://127.0.0.1:9"}
    )

    made = Rerankers(environment)._get(settings(rerank="cohere", rerank_timeout=2))

    assert made.scorer == "cohere"
    assert "co-secret" not in repr(environment)
