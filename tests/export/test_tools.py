"""Each export read by the tool that it is for, in an environment of its own.

.ci/run makes that environment in ``.venv-export``; elsewhere EXPORT_TOOLS names its Python:

    python3.11 -m venv .venv-export && .venv-export/bin/pip install -r tests/export/requirements.txt
    python -m pytest -m slow tests/export/test_tools.py
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rag.export.rows import COLUMNS
from rag.store import Store
from tests.conftest import ROOT
from tests.rated import RED, WHITE, Export

PYTHON = Path(os.environ.get("EXPORT_TOOLS") or ROOT / ".venv-export" / "bin" / "python")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason="the tools are not installed; see the docstring"),
]
QUESTIONS = [
    "Which red is dry?", "which red  is dry?", "=1+1, or ann@example.org?", "Which rosé?",
    "A port?", "A port?",
]  # fmt: skip
RATINGS = ["down", "up", None, "up", None, None]

Read = Callable[[str, Path], Any]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """``read("pandas", path)`` is what the tool says of a file."""

    def run(reader: str, path: Path) -> Any:
        command = [str(PYTHON), str(Path(__file__).with_name("loading.py")), reader, str(path)]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, "HOME": str(tmp_path)},
        )
        assert done.returncode == 0, done.stderr[-3_000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.mark.parametrize("name", ["csv", "jsonl", "parquet"])
def test_pandas_reads_the_rows(make: Export, read: Read, name: str) -> None:
    found = read("pandas", make(name).path)

    assert tuple(found["columns"]) == COLUMNS
    assert found["rows"] == 6
    # The apostrophe that keeps a spreadsheet from running a cell is in the CSV alone.
    assert found["questions"] == ["'" * (name == "csv" and q[0] == "=") + q for q in QUESTIONS]
    assert found["ratings"] == RATINGS
    assert found["first"]["correction"] == "Tempranillo."
    assert found["kinds"]["confidence"] == "float64"
    assert found["kinds"]["abstained"] == "bool"
    if name == "parquet":
        assert found["kinds"]["created"] == "datetime64[us, UTC]"


def test_pyarrow_reads_typed_columns(make: Export, read: Read) -> None:
    found = read("pyarrow", make("parquet").path)

    assert tuple(found["columns"]) == COLUMNS
    assert (found["rows"], found["groups"]) == (6, 1)
    assert found["created"] == "timestamp[us, tz=UTC]"
    assert [p["text"] for p in found["passages"][0]] == [WHITE.text, RED.text]


@pytest.mark.parametrize("name", ["jsonl", "parquet", "ragas"])
def test_datasets_reads_the_rows(make: Export, read: Read, name: str) -> None:
    found = read("datasets", make(name).path)

    assert found["rows"] == (5 if name == "ragas" else 6)
    if name != "ragas":
        assert tuple(found["columns"]) == COLUMNS


def test_ragas_reads_and_scores_the_samples(make: Export, read: Read) -> None:
    done = make("ragas")

    found = read("ragas", done.path)

    assert (found["rows"], found["kind"]) == (5, "SingleTurnSample")
    assert found["samples"][0] == {
        "user_input": "Which red is dry?",
        "retrieved_contexts": [WHITE.text, RED.text],
        "reference_contexts": [RED.text],
        "retrieved_context_ids": ["whites:0-18", "reds:10-37"],
        "reference_context_ids": ["reds:10-37"],
        "response": "Riesling. [1]",
        "reference": "Tempranillo.",
    }
    written = [json.loads(line) for line in done.path.read_text().splitlines()]
    assert found["columns"] == sorted(written[0])  # no field that it does not know
    # Of two contexts the one that was named is among them; the answer is not the correction.
    assert (found["recall"], found["precision"], found["exact"]) == ([1.0], [0.5], [0.0])


def test_beir_loads_and_evaluates_the_collection(make: Export, read: Read) -> None:
    found = read("beir", make("beir").path)

    [query] = found["queries"]  # its loader keeps those that have a label
    assert found["queries"][query] == "Which red is dry?"
    assert found["qrels"] == {query: {"wine/reds:10-37": 2, "wine/reds:0-49": 2}}
    assert len(found["corpus"]) == 4
    assert found["corpus"]["wine/reds:10-37"] == {"text": RED.text, "title": "Reds"}
    assert (found["ndcg"], found["recall"]) == (1.0, 1.0)


def test_ir_measures_reads_labels_and_run(make: Export, read: Read) -> None:
    done = make("trec")

    found = read("ir-measures", done.path)

    query = found["qrels"][0][0]
    assert [tuple(label[:3]) for label in found["qrels"]] == [
        (query, "wine/reds:10-37", 2), (query, "wine/reds:0-49", 2),
    ]  # fmt: skip
    assert len(found["run"]) == done.counts["run"] == 5
    # One labelled query, whose run holds one of the two relevant passages, in the first place:
    # gain 2 of an ideal 2 + 2 / log2(3).
    assert found["measures"]["P@1"] == 1.0
    assert found["measures"]["R@5"] == 0.5
    assert found["measures"]["RR"] == 1.0
    assert found["measures"]["nDCG@10"] == pytest.approx(0.6131, abs=1e-4)


@pytest.mark.parametrize("prompt", ["passages", "messages", "question"])
@pytest.mark.parametrize(
    ("name", "columns", "rows", "prepared"),
    [
        ("kto", ["prompt", "completion", "label"], 4, ["completion_ids", "label", "prompt_ids"]),
        ("dpo", ["prompt", "chosen", "rejected"], 2, ["chosen_ids", "prompt_ids", "rejected_ids"]),
    ],
)
def test_trl_trains_a_step(
    make: Export,
    read: Read,
    store: Store,
    name: str,
    columns: list[str],
    rows: int,
    prepared: list[str],
    prompt: str,
) -> None:
    store.add_feedback("left", "down")  # KTO wants whole batches
    found = read("trl", make(name, prompt=prompt).path)

    assert found["columns"] == columns
    assert found["rows"] == rows
    assert set(prepared) <= set(found["prepared"])
    assert found["trained"]
    if name == "kto":
        assert found["kinds"]["label"] == "Value('bool')"
    assert (found["kinds"]["prompt"] == "Value('string')") == (prompt != "messages")
