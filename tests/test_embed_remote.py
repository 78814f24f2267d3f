"""Embedding services: the real SDKs against a server that says what it is told to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.config import Embedding, Environment
from rag.embed import load_embedder, remote
from rag.embed.remote import RemoteEmbedder
from rag.engine import Engine
from rag.errors import ModelError
from tests.embed_servers import EmbedServer, Reply, serve, vector

KEY = "secret-key"
SERVICES = ("openai", "cohere")


@contextmanager
def service(name: str, *replies: Reply) -> Iterator[tuple[EmbedServer, Environment]]:
    """A server, and the environment that leads to it."""
    with serve(*replies) as server:
        yield (
            server,
            Environment(
                home=Path("unused"),
                openai_api_key=KEY,
                openai_base_url=f"{server.url}/v1",
                cohere_api_key=KEY,
                cohere_base_url=server.url,
            ),
        )


def load(name: str, environment: Environment, **prompts: str) -> RemoteEmbedder:
    found = load_embedder(Embedding(f"{name}:some-model", **prompts), environment)
    assert isinstance(found, RemoteEmbedder)
    return found


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waits between tries: what is tested is that they are made."""
    monkeypatch.setattr("openai._base_client.BaseClient._calculate_retry_timeout", lambda *_, **__: 0.0)
    monkeypatch.setattr("cohere.core.http_client._retry_timeout", lambda *_, **__: 0.0)


def unit(text: str) -> np.ndarray:
    row = np.array(vector(text))
    return row / np.linalg.norm(row)


@pytest.mark.parametrize("name", SERVICES)
def test_texts_are_unit_rows_in_their_order(name: str) -> None:
    with service(name) as (server, environment):
        model = load(name, environment)

        rows = model.embed_texts(["one", "three", ""])

    assert (rows.shape, rows.dtype, model.dimensions) == ((3, 3), np.float32, 3)
    assert rows == pytest.approx(np.stack([unit("one"), unit("three"), unit("-")]), abs=1e-6)
    assert len(server.requests) == 1
    assert server.keys == [f"Bearer {KEY}"]


def test_openai_is_asked_for_plain_numbers() -> None:
    with service("openai") as (server, environment):
        load("openai", environment).embed_query("why?")

    assert server.paths == ["/v1/embeddings"]
    assert server.requests == [{"model": "some-model", "input": ["why?"], "encoding_format": "float"}]


def test_cohere_is_told_questions_from_documents() -> None:
    with service("cohere") as (server, environment):
        model = load("cohere", environment)
        model.embed_query("why?")
        model.embed_texts(["because"])

    assert server.paths == ["/v2/embed", "/v2/embed"]
    assert [(r["input_type"], r["texts"], r["embedding_types"]) for r in server.requests] == [
        ("search_query", ["why?"], ["float"]),
        ("search_document", ["because"], ["float"]),
    ]


@pytest.mark.parametrize("name", SERVICES)
def test_prompts_stand_before_questions_and_texts(name: str) -> None:
    with service(name) as (server, environment):
        model = load(name, environment, query_prompt="query: ", document_prompt="passage: ")
        model.embed_query("why?")
        model.embed_texts(["because"])

    sent = [r.get("input") or r.get("texts") for r in server.requests]
    assert sent == [["query: why?"], ["passage: because"]]


@pytest.mark.parametrize(("name", "limit"), [("openai", 32), ("cohere", 96)])
def test_many_texts_go_in_batches(name: str, limit: int) -> None:
    with service(name) as (server, environment):
        rows = load(name, environment).embed_texts(["x" * (n % 7 + 1) for n in range(200)])

    sizes = [len(r.get("input") or r.get("texts")) for r in server.requests]
    assert sizes == [limit] * (200 // limit) + [200 % limit]
    assert rows[:7] == pytest.approx(np.stack([unit("x" * n) for n in range(1, 8)]), abs=1e-6)


def test_long_texts_go_in_smaller_batches_and_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_BATCH_CHARS", 10)
    monkeypatch.setattr(remote, "_MAX_CHARS", 6)
    with service("openai") as (server, environment):
        load("openai", environment).embed_texts(["abcdefgh", "ijkl", "mn"])

    assert [r["input"] for r in server.requests] == [["abcdef", "ijkl"], ["mn"]]


@pytest.mark.parametrize("name", SERVICES)
def test_a_sentence_is_embedded_with_its_neighbours(name: str) -> None:
    with service(name) as (server, environment):
        (rows,) = load(name, environment).embed_sections(["One. Two. Three."], [[(0, 4), (5, 9), (10, 16)]])

    assert rows.shape == (3, 3)
    assert (server.requests[-1].get("input") or server.requests[-1].get("texts")) == [
        "One. Two.",
        "One. Two. Three.",
        "Two. Three.",
    ]


@pytest.mark.parametrize("name", SERVICES)
def test_there_are_no_token_vectors_and_tokens_are_those_of_the_default_model(name: str) -> None:
    with service(name) as (_, environment):
        model = load(name, environment)

        assert model.token_vectors(["Bees."]) is None
        assert model.count_tokens(["Bees make honey.", ""]) == [4, 0]
        assert model.token_offsets("Où?") == [(0, 2), (2, 3)]


# --- what goes wrong ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.usefixtures("impatient")
def test_a_busy_service_is_asked_again(name: str, status: int) -> None:
    with service(name, Reply(status=status), Reply(status=status), Reply()) as (server, environment):
        row = load(name, environment).embed_query("why?")

    assert row == pytest.approx(unit("why?"), abs=1e-6)
    assert len(server.requests) == 3


HTML = Reply(body="<html>Welcome to the Wi-Fi</html>", content_type="text/html")
REFUSALS: list[tuple[Reply, str]] = [
    (Reply(status=401), "refused the key. Check (OPENAI|COHERE)_API_KEY"),
    (Reply(status=404), "does not know “some-model”"),
    (Reply(status=400), r"refused the request \(error 400\)"),
    (Reply(status=429), "asked too much"),
    (Reply(status=500), r"a problem of its own \(error 500\)"),
    (Reply(lost=1), "sent 1 embeddings for 2 texts"),
    (Reply(cut=True), "sent something that is no embedding"),
    (HTML, "sent something that is no embedding"),
    (Reply(body="{}"), "sent something that is no embedding"),
    (Reply(body="[]"), "sent something that is no embedding"),
]


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize(("reply", "sentence"), REFUSALS, ids=[str(n) for n in range(len(REFUSALS))])
@pytest.mark.usefixtures("impatient")
def test_what_goes_wrong_is_a_sentence_without_the_key(name: str, reply: Reply, sentence: str) -> None:
    with service(name, reply) as (_, environment), pytest.raises(ModelError, match=sentence) as caught:
        load(name, environment).embed_texts(["one", "two"])

    assert KEY not in str(caught.value)
    assert "<html>" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.usefixtures("impatient")
def test_a_service_that_does_not_answer_is_given_up(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_QUESTION_TIMEOUT", 0.2)
    monkeypatch.setattr(remote, "_QUESTION_RETRIES", 0)
    with (
        service(name, Reply(delay=1.0)) as (_, environment),
        pytest.raises(ModelError, match="did not answer in time"),
    ):
        load(name, environment).embed_query("why?")


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.usefixtures("impatient")
def test_a_service_that_is_not_there_is_said(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_QUESTION_RETRIES", 0)
    with service(name) as (_, environment):
        pass

    with pytest.raises(ModelError, match="cannot be reached"):
        load(name, environment).embed_query("why?")


@pytest.mark.parametrize("name", SERVICES)
def test_a_row_of_another_length_than_the_others_is_refused(name: str) -> None:
    with service(name, Reply(), Reply(dimensions=4)) as (_, environment):
        model = load(name, environment)
        model.embed_query("why?")

        with pytest.raises(ModelError, match="of another length"):
            model.embed_texts(["because"])


@pytest.mark.parametrize("numbers", [[0, 0, 0], [1, 2, None]])
def test_embeddings_that_point_nowhere_are_refused(numbers: list[float | None]) -> None:
    body = json.dumps({"data": [{"index": 0, "embedding": numbers}], "object": "list", "model": "m"})
    with (
        service("openai", Reply(body=body)) as (_, environment),
        pytest.raises(ModelError, match="point nowhere"),
    ):
        load("openai", environment).embed_query("why?")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("openai", "needs OPENAI_API_KEY, or OPENAI_BASE_URL"), ("cohere", "needs COHERE_API_KEY")],
)
def test_a_missing_key_is_said(name: str, sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        load(name, Environment(home=Path("unused")))


# --- end to end ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVICES)
def test_a_prototype_is_ingested_and_asked_by_a_service(name: str, home: Path, folder: Path) -> None:
    with service(name) as (_, environment):
        overrides = {"embedding.model": f"{name}:some-model"}
        engine = Engine(replace(environment, home=home, overrides=overrides))
        result = engine.ingest("shelf", [folder])
        passages = engine.search("shelf", "When does the night train leave Vienna?").passages

    assert (result.documents, result.failed) == (3, ())
    assert "trains.txt" in [passage.source for passage in passages]


def test_the_prompt_of_documents_shapes_the_index(home: Path, folder: Path) -> None:
    versions = []
    for prompt in ("", "passage: ", ""):
        with service("openai") as (_, environment):
            overrides = {"embedding.model": "openai:some-model", "embedding.document_prompt": prompt}
            engine = Engine(replace(environment, home=home, overrides=overrides))
            engine.ingest("shelf", [folder])
            versions.append(engine.library(engine.prototype("shelf")).index.facts()["index_version"])

    assert versions[0] == versions[2] != versions[1]
