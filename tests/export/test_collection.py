"""Queries, corpus, labels and the run: what evaluation tools take for the truth."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from rag.export.collection import falling
from rag.store import Store
from rag.types import Provenance, Relevant
from tests.rated import RED, WHITE, Export, answer, passage

RED_ID, WIDE_ID, WHITE_ID = "wine/reds:10-37", "wine/reds:0-49", "wine/whites:0-18"


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def qrels(path: Path) -> list[tuple[str, str, int]]:
    rows = [line.split("\t") for line in (path / "qrels/test.tsv").read_text().splitlines()]
    assert rows[0] == ["query-id", "corpus-id", "score"]
    return [(query, document, int(score)) for query, document, score in rows[1:]]


def test_a_question_is_one_query_however_often_it_was_asked(make: Export) -> None:
    done = make("beir")

    queries = lines(done.path / "queries.jsonl")
    assert [query["text"] for query in queries] == [
        "Which red is dry?", "=1+1, or ann@example.org?", "Which rosé?", "A port?",
    ]  # fmt: skip
    assert [query["metadata"]["answers"] for query in queries] == [2, 1, 1, 2]  # type: ignore[index]
    assert len({query["_id"] for query in queries}) == 4
    assert done.counts["queries"] == 4
    assert done.counts["answers"] == 6


def test_what_a_reader_named_is_relevant_and_so_is_what_holds_it(make: Export) -> None:
    done = make("beir")

    asked = lines(done.path / "queries.jsonl")[0]["_id"]
    assert qrels(done.path) == [(asked, RED_ID, 2), (asked, WIDE_ID, 2)]
    assert (done.counts["qrels"], done.counts["labelled_queries"]) == (2, 1)


def test_what_liked_answers_cite_is_relevant_only_where_asked(make: Export) -> None:
    done = make("beir", labels="cited")

    first, _, rose, _ = (query["_id"] for query in lines(done.path / "queries.jsonl"))
    # red-2 cites WIDE at 0-5, which only WIDE holds; "cut" cites RED at 10-15. Named beats cited.
    assert qrels(done.path) == [
        (first, RED_ID, 2), (first, WIDE_ID, 2), (rose, RED_ID, 1), (rose, WIDE_ID, 1),
    ]  # fmt: skip


def test_a_reported_citation_is_no_label(make: Export, store: Store) -> None:
    store.add_feedback("red-2", "up", reported=[1])
    store.add_feedback("cut", None)
    named = make("beir", out="named")
    cited = make("beir", out="cited", labels="cited")

    assert qrels(cited.path) == qrels(named.path)


def test_the_corpus_holds_each_passage_once(make: Export) -> None:
    corpus = lines(make("beir").path / "corpus.jsonl")

    assert [document["_id"] for document in corpus] == [
        WHITE_ID, RED_ID, WIDE_ID, "benefits/desk:0-24",
    ]  # fmt: skip
    assert corpus[1] == {
        "_id": RED_ID, "title": "Reds", "text": RED.text,
        "metadata": {"prototype": "wine", "document_id": "reds", "source": "reds.md", "start": 10, "end": 37},
    }  # fmt: skip


def test_a_passage_that_was_found_by_a_search_joins_the_corpus(make: Export, store: Store) -> None:
    store.save_answer(answer("none", "Which beer?", "I don't know."))
    found = Relevant("beers", 3, 10, "beers.md", "A stout", None)
    store.add_feedback("none", "down", passage=found)

    done = make("trec")

    asked = (done.path / "queries.tsv").read_text().splitlines()[-1].split("\t")[0]
    assert f"{asked} 0 wine/beers:3-10 2" in (done.path / "qrels.txt").read_text().splitlines()
    assert {"id": "wine/beers:3-10", "contents": "A stout"} in lines(done.path / "corpus.jsonl")
    assert asked not in (done.path / "run.txt").read_text()


def test_the_run_is_that_of_the_newest_answer_and_falls(make: Export) -> None:
    path = make("trec").path

    asked = [line.split("\t")[0] for line in (path / "queries.tsv").read_text().splitlines()]
    assert (path / "run.txt").read_text().splitlines() == [
        f"{asked[0]} Q0 {WIDE_ID} 1 2.5 thumbprint",
        f"{asked[1]} Q0 benefits/desk:0-24 1 1.0 thumbprint",
        f"{asked[2]} Q0 {RED_ID} 1 3.0 thumbprint",
        f"{asked[3]} Q0 {RED_ID} 1 3.0 thumbprint",
        f"{asked[3]} Q0 {WHITE_ID} 2 1.5 thumbprint",
    ]


def test_other_filters_and_prototypes_are_other_queries(make: Export, store: Store) -> None:
    store.save_answer(answer("f", "Which red is dry?", "x", RED, where={"price": {"$lt": 9}}))
    elsewhere = Provenance("benefits", "s", "v", "p")
    store.save_answer(answer("g", "Which red is dry?", "x", RED, provenance=elsewhere))

    done = make("beir")

    assert done.counts["queries"] == 6
    assert lines(done.path / "queries.jsonl")[4]["metadata"] == {
        "prototype": "wine", "where": {"price": {"$lt": 9}}, "answers": 1,
    }  # fmt: skip
    assert lines(done.path / "corpus.jsonl")[-1]["_id"] == "benefits/reds:10-37"


def test_ids_and_texts_break_no_line(make: Export, store: Store) -> None:
    odd = passage("a b\tc\nd/é", 0, "One\ttwo\nthree.")
    store.save_answer(answer("odd", "Tab\there\nand there?", "x", odd, WHITE))
    store.add_feedback("odd", "up", passage=Relevant(odd.document_id, 0, 4, "x.md", "One", 0))

    path = make("trec").path

    assert all(len(line.split(" ")) == 4 for line in (path / "qrels.txt").read_text().splitlines())
    assert all(len(line.split(" ")) == 6 for line in (path / "run.txt").read_text().splitlines())
    assert (path / "queries.tsv").read_text().splitlines()[-1].split("\t")[1] == "Tab here and there?"


def test_a_document_that_changed_under_its_id_is_told_apart(make: Export, store: Store) -> None:
    changed = replace(RED, text="Tempranillo is dry, in fact")
    store.save_answer(answer("new", "And now?", "x", changed))

    corpus = lines(make("beir").path / "corpus.jsonl")

    assert [d["text"] for d in corpus if str(d["_id"]).startswith(RED_ID)] == [RED.text, changed.text]
    assert len({d["_id"] for d in corpus}) == len(corpus)


@pytest.mark.parametrize(
    ("scores", "written"),
    [
        ([3.0, 2.0, -1.0], [3.0, 2.0, -1.0]),
        ([2.0, 2.0], [1.0, 0.5]),
        ([1.0, 2.0, 3.0], [1, 1 / 2, 1 / 3]),
        ([], []),
    ],
)
def test_scores_of_a_run_fall(scores: list[float], written: list[float]) -> None:
    assert falling(scores) == written
