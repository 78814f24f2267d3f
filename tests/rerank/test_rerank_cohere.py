"""Cohere's SDK against a server that does as it is told."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import replace
from typing import Any

import pytest
from conftest import best_sentence, passage
from rerank_server import KEY, FakeCohere, drip, hang_up

from rag.errors import RerankError
from rag.rerank import DEFAULT_COHERE_MODEL, CohereReranker

FOUND = [
    passage("a", "Plain.", "Nothing here."),
    passage("b", "Plain.", "A magic one."),
    passage("c", "Two magic magic.", "One magic."),
]


def reranker(cohere: FakeCohere, **options: Any) -> CohereReranker:
    return CohereReranker(KEY, url=cohere.url, **options)


def test_passages_come_by_relevance(cohere: FakeCohere) -> None:
    new = reranker(cohere).rerank("what is magic?", FOUND)

    assert [(p.document_id, p.score, p.scorer) for p in new] == [
        ("c", 0.3, "cohere"),
        ("b", 0.1, "cohere"),
        ("a", 0.0, "cohere"),
    ]
    first = cohere.requests[0]
    assert (first["path"], first["query"], first["model"]) == (
        "/v2/rerank",
        "what is magic?",
        DEFAULT_COHERE_MODEL,
    )
    assert first["documents"][1] == "B\nPlain. A magic one."
    assert cohere.keys[0] == f"Bearer {KEY}"


def test_spans_that_a_model_names_carry_the_evidence_in_one_request(cohere: FakeCohere) -> None:
    cohere.spans = True

    new = reranker(cohere).rerank("what is magic?", FOUND)

    assert [best_sentence(p) for p in new[:2]] == ["Two magic magic.", "A magic one."]
    assert len(cohere.requests) == 1
    assert cohere.requests[0]["relevant_spans"]["mode"] == "enabled"


def test_an_older_model_is_asked_for_the_sentences_too(cohere: FakeCohere) -> None:
    new = reranker(cohere, model="rerank-v3.5").rerank("what is magic?", FOUND)

    assert [best_sentence(p) for p in new[:2]] == ["Two magic magic.", "A magic one."]
    passages, sentences = cohere.requests
    assert "relevant_spans" not in passages
    assert {passages["model"], sentences["model"]} == {"rerank-v3.5"}
    assert sorted(sentences["documents"]) == sorted(
        ["Plain.", "Nothing here.", "Plain.", "A magic one.", "Two magic magic.", "One magic."]
    )


def test_passages_keep_their_order_where_only_the_sentences_fail(cohere: FakeCohere) -> None:
    cohere.failures = [None, (400, "{}")]

    new = reranker(cohere, model="rerank-v3.5").rerank("what is magic?", FOUND)

    assert [p.document_id for p in new] == ["c", "b", "a"]
    assert [s.score for s in new[0].sentences] == [0.0, 0.0]


# --- failures ---------------------------------------------------------------------------


def result(**changes: Any) -> str:
    results = [{"index": n, "relevance_score": 0.5} for n in range(3)]
    results[0] |= changes
    return json.dumps({"results": results})


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, '{"message": "invalid api token co-secret-4711"}'), "COHERE_API_KEY"),
        ((403, "{}"), "COHERE_API_KEY"),
        ((404, '{"message": "model not found"}'), "rerank.model"),
        ((422, "not json"), "rerank.model"),
        ((200, "<html>Log in</html>", "text/html"), "could not be reached or read"),
        ((200, "[]"), "could not be reached or read"),
        ((200, '{"results": null}'), "another number"),
        ((200, '{"results": []}'), "another number"),
        ((200, result(index=7)), "another number"),
        ((200, result(index=-1)), "another number"),
        ((200, result(index=1)), "another number"),
        ((200, result(index="first")), "another number"),
        ((200, result(relevance_score="high")), "no numbers"),
        ((200, result(relevance_score=None)), "no numbers"),
        ((302, "{}"), "could not be"),
        (hang_up, "could not be reached"),
    ],
)
def test_what_is_no_answer_is_one_sentence_without_the_key(
    cohere: FakeCohere, answer: Any, words: str
) -> None:
    cohere.failures = [answer] * 3

    with pytest.raises(RerankError, match=words) as caught:
        reranker(cohere).rerank("magic", FOUND)

    assert KEY not in repr(caught.value)
    assert "\n" not in str(caught.value)
    assert len(cohere.requests) == 1


@pytest.mark.parametrize(("status", "words"), [(429, "limit"), (500, "status 500"), (503, "status 503")])
def test_a_busy_server_is_tried_once_more(cohere: FakeCohere, status: int, words: str) -> None:
    cohere.failures = [(status, "{}")] * 5

    with pytest.raises(RerankError, match=words):
        reranker(cohere, timeout=4.0).rerank("magic", FOUND)

    assert len(cohere.requests) == 2


def test_a_second_attempt_that_is_answered_is_taken(cohere: FakeCohere) -> None:
    cohere.failures = [(503, "{}")]

    assert reranker(cohere).rerank("magic", FOUND)[0].document_id == "c"


@pytest.mark.parametrize("failure", [drip, lambda handler: time.sleep(8)], ids=["drip", "silence"])
def test_a_question_waits_for_the_timeout_and_no_longer(cohere: FakeCohere, failure: Any) -> None:
    cohere.failures = [failure] * 3
    started = time.monotonic()

    with pytest.raises(RerankError, match=r"in time|Timeout"):
        reranker(cohere, timeout=0.4).rerank("magic", FOUND)

    assert time.monotonic() - started < 6


def test_a_server_that_is_not_there_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(RerankError, match=r"could not be reached|in time"):
            CohereReranker(KEY, url=url, timeout=3).rerank("magic", FOUND)


@pytest.mark.parametrize("key", [None, ""])
def test_a_missing_key_is_said(key: str | None) -> None:
    with pytest.raises(RerankError, match="COHERE_API_KEY"):
        CohereReranker(key)


@pytest.mark.parametrize("key", ["with\nnewline", "kéy 🐝"])
def test_a_key_that_is_no_header_is_not_quoted(cohere: FakeCohere, key: str) -> None:
    with pytest.raises(RerankError) as caught:
        CohereReranker(key, url=cohere.url, timeout=3).rerank("magic", FOUND)

    assert key not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_spans_outside_the_document_are_passed_over(cohere: FakeCohere) -> None:
    spans = [{"start": 0, "end": 10**6, "score": 0.5}, {"start": "a", "end": 2, "score": 1}, {"start": 5}]
    results = [{"index": n, "relevance_score": 0.5, "relevant_spans": spans} for n in range(3)]
    cohere.failures = [(200, json.dumps({"results": results})), (400, "{}")]

    new = reranker(cohere).rerank("magic", FOUND)

    assert [p.document_id for p in new] == ["a", "b", "c"]


def test_a_heading_is_shown_but_holds_no_evidence(cohere: FakeCohere) -> None:
    cohere.spans = True
    found = [replace(FOUND[0], path=("A", "On magic")), FOUND[1]]

    new = reranker(cohere).rerank("magic", found)

    assert cohere.requests[0]["documents"][0] == "A\nOn magic\nPlain. Nothing here."
    assert best_sentence(new[1]) == "A magic one."
