"""Fitting: known weights come back, probabilities are calibrated, articles are held out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rag.config import Environment
from rag.engine import Engine
from rag.errors import UsageError
from rag.fit import fit
from rag.fit.data import DataSet, Labelled, article, fold_of, read_sets
from rag.fit.model import fit_calibration, fit_softmax, reliability
from rag.fit.write import as_json, as_text, as_toml
from rag.weights import LATE, SIGNALS, load
from tests.fakes import FakeEmbedder

RANDOM = np.random.default_rng(7)


def test_weights_that_made_the_choices_come_back() -> None:
    true = np.array([2.0, 0.0, 0.5])
    signals = [RANDOM.normal(size=(8, 3)) for _ in range(3000)]
    # Gumbel noise makes the argmax a draw from the softmax.
    right = [np.eye(8, dtype=bool)[np.argmax(x @ true + RANDOM.gumbel(size=8))] for x in signals]

    assert fit_softmax(signals, right, penalty=1.0) == pytest.approx(true, abs=0.12)


def test_a_signal_that_misleads_is_not_used() -> None:
    signals = [np.array([[1.0, 0.0], [0.0, 1.0]])] * 20
    right = [np.array([True, False])] * 20

    weights = fit_softmax(signals, right)

    assert weights[0] > 1
    assert weights[1] == 0


def test_several_right_candidates_share_the_choice() -> None:
    signals = [np.array([[1.0], [1.0], [0.0]])] * 50
    right = [np.array([True, True, False])] * 50

    assert fit_softmax(signals, right)[0] > 1


def test_questions_that_teach_nothing_are_left_out() -> None:
    x = np.array([[1.0], [0.0]])
    taught = fit_softmax([x], [np.array([True, False])])

    assert fit_softmax([x, x, x], [np.array(f, bool) for f in ([1, 0], [0, 0], [1, 1])]) == taught
    with pytest.raises(ValueError, match="no question has"):
        fit_softmax([x], [np.array([False, False])])


def test_a_calibration_gives_true_probabilities() -> None:
    cosine, coverage = RANDOM.uniform(0, 1, (2, 20_000))
    probability = 1 / (1 + np.exp(-(6 * cosine + 3 * coverage - 5)))
    there = RANDOM.uniform(size=20_000) < probability

    found = fit_calibration(cosine, coverage, there)

    assert (found.cosine, found.coverage, found.bias) == pytest.approx((6, 3, -5), abs=0.3)


def test_reliability_is_the_mean_gap_over_bins_of_equal_mass() -> None:
    sure = np.array([0.1, 0.1, 0.9, 0.9])
    there = np.array([False, True, True, True])

    error, table = reliability(sure, there, bins=2)

    assert table == [(2, pytest.approx(0.1), 0.5), (2, pytest.approx(0.9), 1.0)]
    assert error == pytest.approx(0.5 * 0.4 + 0.5 * 0.1)


def test_an_article_of_two_sets_is_in_one_fold() -> None:
    def one(name: str, *articles: str) -> DataSet:
        questions = tuple(Labelled("?", article(f"{a}-001"), f"{a}-001") for a in articles)
        return DataSet(name, Path("documents.jsonl"), questions, "")

    folds = fold_of([one("a", "Tea", "Tea", "Bees"), one("b", "tea", "Rain")], 2)

    assert folds == {"tea": 0, "bees": 1, "rain": 0}


@pytest.mark.parametrize(
    ("document_id", "expected"),
    [("Steam_engine-012", "steam_engine"), ("a-b-3", "a-b"), ("alone", "alone")],
)
def test_the_article_of_a_document(document_id: str, expected: str) -> None:
    assert article(document_id) == expected


# --- the whole command ----------------------------------------------------------

TOPICS = {
    "Tea": ("Green tea is steamed.", "Black tea is dried.", "Mint tea grows wild."),
    "Bees": ("Bees make honey.", "Drones have no sting.", "The queen lays eggs."),
    "Rain": ("Rain falls in May.", "Hail breaks windows.", "Fog hides ships."),
    "Iron": ("Iron rusts in water.", "Steel needs carbon.", "Copper turns green."),
}


def make_data(folder: Path) -> Path:
    """Four articles of three documents with a question each, and a corpus with spans."""
    squad = folder / "small"
    squad.mkdir(parents=True)
    rows = [(f"{name}-{n:03}", text) for name, texts in TOPICS.items() for n, text in enumerate(texts)]
    documents = [{"id": i, "title": "", "text": f"{text} Nobody knows why."} for i, text in rows]
    questions = [
        {"id": i, "question": f"Is it so that {text.lower()}", "document_id": i, "answers": [text]}
        for i, text in rows
    ]
    for line in questions:
        line["answerable"] = True
    for name, lines in (("documents", documents), ("questions", questions)):
        (squad / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    corpus = folder / "spans" / "corpora"
    corpus.mkdir(parents=True)
    text = " ".join(text for texts in TOPICS.values() for text in texts)
    (corpus / "all.md").write_text(text, encoding="utf-8")
    start = text.index("Hail")
    line = {"question": "What breaks windows?", "source": "all.md"}
    line["references"] = [{"start": start, "end": start + len("Hail breaks windows.")}]  # type: ignore[assignment]
    (folder / "spans" / "questions.jsonl").write_text(json.dumps(line), encoding="utf-8")
    return folder


def fake_engine(home: Path) -> Engine:
    return Engine(Environment(home=home), load_model=FakeEmbedder)


def test_the_command_fits_compares_and_writes_a_file_that_loads(tmp_path: Path) -> None:
    said: list[str] = []

    fitted = fit(fake_engine, make_data(tmp_path / "data"), said.append)

    assert [one.name for one in fitted.sets] == ["small", "spans"]
    assert set(fitted.hand) == set(fitted.learned)
    assert fitted.learned["small top result right"] > 80
    assert "spans recall at 200 tokens" in fitted.learned
    assert 0 <= fitted.error <= 1
    assert sum(count for count, _, _ in fitted.table) == 24  # each question with its article and without
    path = tmp_path / "weights.toml"
    path.write_text(as_toml(fitted, "2026-11-21"), encoding="utf-8")
    assert load(path) == fitted.weights
    assert f"Chosen: {fitted.weights.chosen}" in as_text(fitted)
    printed = json.loads(json.dumps(as_json(fitted)))
    assert set(printed["signals"]) == set(SIGNALS)
    assert set(printed["late"]) == set(LATE)
    assert len(said) == 6
    assert set(fitted.late) == {name for name in fitted.learned if name.startswith("small")}


def test_a_folder_without_sets_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no labelled questions"):
        read_sets(tmp_path)


def test_questions_of_another_form_are_said(tmp_path: Path) -> None:
    data = make_data(tmp_path)
    (data / "small" / "questions.jsonl").write_text('{"query": "?"}', encoding="utf-8")

    with pytest.raises(UsageError, match="does not hold labelled questions"):
        read_sets(data)
