"""How the default model comes to be prepared: once, whole, and again where it is damaged."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import threading
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.config import Embedding, Environment
from rag.doctor import examine
from rag.embed import cache, load_embedder, make
from rag.embed.graph import quantized
from rag.embed.onnx_embedder import OnnxEmbedder, cores
from rag.embed.session import FILES, SAMPLE
from rag.engine import Engine
from rag.errors import ModelError, UsageError
from tests.conftest import ROOT
from tests.fakes import FakeEmbedder
from tests.prepared import refer_to


@pytest.fixture(scope="session")
def ready(models: Path) -> Path:
    """The folder that is made on the first use."""
    OnnxEmbedder(models)
    (folder,) = [path for path in models.iterdir() if path.is_dir() and "-pairs-" not in path.name]
    return folder


@pytest.fixture
def copy(ready: Path, tmp_path: Path) -> Path:
    """A copy to damage, where it would be looked for under ``tmp_path``."""
    return Path(shutil.copytree(ready, tmp_path / ready.name))


@pytest.fixture
def makings(monkeypatch: pytest.MonkeyPatch, ready: Path) -> list[Path]:
    """The folders that were made again, by a copy in the place of a child process."""
    made: list[Path] = []

    def fake(folder: Path) -> None:
        made.append(folder)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(ready, folder)

    monkeypatch.setattr(cache, "_make", fake)
    return made


def test_the_name_says_what_it_was_made_of(ready: Path) -> None:
    onnx, runtime = metadata.version("onnx"), metadata.version("onnxruntime")

    assert ready.name.startswith(f"all-MiniLM-L6-v2-53aa51172d14-r1-onnx{onnx}-onnxruntime{runtime}-")
    assert sorted(path.name for path in ready.iterdir()) == sorted([*FILES, "manifest.json"])
    beside = [path for path in ready.parent.iterdir() if "-pairs-" not in path.name]
    assert sorted(path.suffix for path in beside) == sorted([ready.suffix, ".lock"])


def test_whole_numbers_give_nearly_the_vectors_of_floats(ready: Path) -> None:
    manifest = json.loads((ready / "manifest.json").read_text(encoding="utf-8"))

    assert manifest["kind"] == "int8"
    assert manifest["cosine"] > 0.995


def test_a_column_is_rounded_by_its_largest_number() -> None:
    matrix = np.array([[1.27, -0.5], [-0.01, 0.25]], np.float32)

    rounded, scale = quantized(matrix, 8)

    assert rounded.tolist() == [[127, -127], [-1, 64]]
    assert scale == pytest.approx([0.01, 0.5 / 127])


def test_a_vector_does_not_depend_on_what_it_is_embedded_with(models: Path) -> None:
    model = OnnxEmbedder(models)

    together = model.embed_texts(SAMPLE)

    assert all(
        np.array_equal(row, model.embed_query(text)) for row, text in zip(together, SAMPLE, strict=True)
    )


def test_what_is_there_is_not_made_again(copy: Path, makings: list[Path]) -> None:
    found = cache.prepared(copy.parent)

    assert makings == []
    assert found.kind == "int8"


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
@pytest.mark.parametrize("how", ["truncated", "changed", "missing"])
def test_a_damaged_one_is_made_again(name: str, how: str, copy: Path, makings: list[Path]) -> None:
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 255
    damaged = {"truncated": bytes(data[: len(data) // 2]), "changed": bytes(data)}
    (copy / name).unlink()
    if how in damaged:
        (copy / name).write_bytes(damaged[how])

    found = cache.prepared(copy.parent)

    assert makings == [copy]
    assert found.session.mean("honey").shape == (384,)


def test_one_that_gives_other_vectors_on_this_processor_is_made_again(
    copy: Path, makings: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    refer_to(copy, np.load(copy / "reference.npy")[::-1])

    cache.prepared(copy.parent)

    assert makings == [copy]
    assert "was made elsewhere" in caplog.text


def test_threads_that_need_it_at_once_make_it_once(
    tmp_path: Path, makings: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = [threading.Thread(target=cache.prepared, args=[tmp_path]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(makings) == 1


def test_what_a_killed_child_left_is_swept(tmp_path: Path, ready: Path) -> None:
    left = tmp_path / f"{ready.name}.part"
    left.mkdir()
    (left / "model.onnx").write_bytes(b"half")

    cache.prepared(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == [ready.name, f"{ready.name}.lock"]


def test_where_rounding_costs_too_much_floats_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make, "FLOOR", 0.99999)

    make.make(tmp_path)

    assert json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))["kind"] == "fp32"


# --- where it cannot be made --------------------------------------------------------------------


@pytest.fixture
def no_torch_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for the seconds that PyTorch takes."""
    monkeypatch.setattr("rag.embed.SentenceTransformerEmbedder", lambda *_, **__: FakeEmbedder())


@pytest.mark.usefixtures("no_torch_model")
def test_without_the_packages_pytorch_is_used_and_doctor_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing() -> str:
        raise metadata.PackageNotFoundError("onnx")

    monkeypatch.setattr(cache, "_name", missing)
    with caplog.at_level(logging.WARNING):
        checks = {check.name: check for check in examine(Engine(Environment(home=tmp_path)), "wine")}

    assert (
        "PyTorch, as ONNX Runtime cannot be used (The package onnx is not installed.)"
        in checks["model"].message
    )
    assert "The package onnx is not installed." in caplog.text


@pytest.mark.usefixtures("no_torch_model")
def test_a_child_that_fails_leaves_pytorch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))

    model = load_embedder(Embedding(), Environment(home=tmp_path))

    assert model.backend.startswith("PyTorch, as ONNX Runtime cannot be used")
    assert [path.suffix for path in (tmp_path / "models").iterdir()] == [".lock"]


def test_who_asks_for_onnx_is_told_why_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))

    with pytest.raises(ModelError, match=r"set embedding.backend to torch"):
        load_embedder(Embedding(backend="onnx"), Environment(home=tmp_path))


@pytest.mark.parametrize(
    "wanted", [Embedding("some/model", "onnx"), Embedding(backend="onnx", query_prompt="q: ")]
)
def test_onnx_is_for_the_default_model(wanted: Embedding, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="without prompts"):
        load_embedder(wanted, Environment(home=tmp_path))


@pytest.mark.usefixtures("no_torch_model")
def test_a_gpu_gets_pytorch(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = Environment(home=tmp_path, models=models)
    on_processor = load_embedder(Embedding(), environment)
    monkeypatch.setattr("rag.embed.has_gpu", lambda: True)
    on_gpu = load_embedder(Embedding(), environment)
    asked_for = load_embedder(Embedding(backend="onnx"), environment)

    assert isinstance(on_processor, OnnxEmbedder)
    assert isinstance(on_gpu, FakeEmbedder)
    assert isinstance(asked_for, OnnxEmbedder)


def test_cores_are_counted() -> None:
    assert 1 <= cores() <= (os.cpu_count() or 1)


# --- without PyTorch ----------------------------------------------------------------------------

SCRIPT = """
import sys
from pathlib import Path
from rag.config import Environment
from rag.engine import Engine

engine = Engine(Environment.load())
engine.ingest("shelf", [Path(sys.argv[1])])
answer = engine.ask("shelf", "When does the night train leave Vienna?").answer
print(answer.citations[0].quote)
print([name for name in ("torch", "transformers", "sentence_transformers", "onnx") if name in sys.modules])
"""


def test_ingest_and_answers_import_no_pytorch(folder: Path, home: Path, models: Path, ready: Path) -> None:
    env: dict[str, Any] = {**os.environ, "THUMBPRINT_HOME": str(home), "THUMBPRINT_MODELS": str(models)}

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder)],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.stdout.splitlines() == ["The night train leaves Vienna at ten.", "[]"], done.stderr
