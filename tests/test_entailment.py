"""The model that reads a claim and its source together, and what the checker makes of it."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.cite import judge
from rag.cite.support import fitted_read
from rag.config import Environment
from rag.embed import cache, load_entailment
from rag.embed.adapter import KINDS, Narrow, load_adapter
from rag.embed.entailment import Entailment
from rag.embed.pairs import PAIRS, Pairs
from rag.engine import Engine
from rag.errors import ModelError
from rag.types import Change
from tests.fakes import FakeEmbedder
from tests.prepared import refer_to

SOURCE = (
    "Books may be borrowed for four weeks. Maps and newspapers are for reading in the library only. "
    "Members under sixteen pay nothing; everyone else pays 12 euros a year."
)


@pytest.fixture(scope="module")
def entails(models: Path) -> Entailment:
    return Entailment(models)


@pytest.mark.parametrize(
    ("claim", "other"),
    [
        ("A book can be kept for a month.", "Books cannot be borrowed."),
        ("Adults pay twelve euros every year.", "Adults pay twelve euros and get a free bag."),
        ("Membership is free for fifteen-year-olds.", "Membership is free for everyone."),
    ],
)
def test_what_follows_is_told_from_what_does_not(claim: str, other: str, entails: Entailment) -> None:
    assert entails(claim, SOURCE)["true"] > entails(other, SOURCE)["true"]


PERMITS = (
    "Visitors to Skellan Island need a permit, which costs 12 euros and is valid for one day only. Ferries "
    "run from Port Dorrick from April to September, weather permitting, and carry at most 24 passengers. "
    "Dogs are not allowed at any time, because of the storm petrels that nest in the old walls. There is no "
    "fresh water on the island, so bring at least two litres per person."
)


@pytest.mark.parametrize(
    ("claim", "changed"),
    [
        ("The permit costs 12 euros.", "The permit costs 24 euros."),
        ("A permit for Skellan Island costs 12 euros.", "A permit for Skellan Island costs 21 euros."),
        ("The permit is valid for one day only.", "The permit is valid for one month only."),
        ("Ferries carry at most 24 passengers.", "Ferries carry at least 24 passengers."),
        ("Dogs are not allowed.", "Dogs are allowed."),
        ("There is no fresh water on the island.", "There is fresh water on the island."),
        ("Ferries run from April to September.", "Ferries run from April to October."),
    ],
)
def test_what_a_source_says_is_supported_in_its_own_words_and_not_when_it_is_changed(
    claim: str, changed: str, entails: Entailment
) -> None:
    said, other = judge(claim, PERMITS, entails=entails), judge(changed, PERMITS, entails=entails)

    assert said.verdict == "supported"
    assert other.verdict == "unsupported"


def test_an_engine_reads_claims_unless_it_is_given_its_embedding_model(models: Path, tmp_path: Path) -> None:
    environment = Environment(home=tmp_path, models=models)
    added = "There is a cafeteria upstairs with warm meals."

    reading = Engine(environment).judge("handbook")(added, SOURCE)
    given = Engine(environment, load_model=FakeEmbedder).judge("handbook")(added, SOURCE)

    assert reading.reasons == ("unsaid",)  # which only the model can say
    assert given.reasons == ("meaning",)


def test_it_gives_a_probability_for_each_kind(entails: Entailment) -> None:
    found = entails("The library sells coffee.", SOURCE)

    assert tuple(found) == KINDS
    assert sum(found.values()) == pytest.approx(1)
    assert found["true"] < 0.5


def test_very_long_texts_are_cut_and_not_refused(entails: Entailment) -> None:
    assert entails("Books " * 500, "may be borrowed " * 1000)


def test_the_adapter_changes_what_it_names_and_nothing_else() -> None:
    learned = load_adapter()
    plain = {name: np.zeros_like(change) for name, change in learned.changes.items()}
    plain["embeddings.LayerNorm.weight"] = np.ones(3, np.float32)

    merged = learned.merged(plain)

    assert sum(change.ndim == 2 for change in learned.changes.values()) == 6 * 6
    assert all(merged[name].any() for name in plain)
    assert merged["embeddings.LayerNorm.weight"] is plain["embeddings.LayerNorm.weight"]


@pytest.mark.parametrize("shape", [(40, 30), (30, 40)])
def test_a_change_of_few_dimensions_is_kept_narrow(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(4)
    change = (random.normal(size=(shape[0], 5)) @ random.normal(size=(5, shape[1]))).astype(np.float32)

    narrow = Narrow.of(change, 5)

    assert (narrow.up.shape, narrow.down.shape) == ((shape[0], 5), (5, shape[1]))
    assert np.linalg.norm(narrow.matrix() - change) < 0.02 * np.linalg.norm(change)


@pytest.mark.parametrize("missing", ["head", "encoder.scale", "encoder.up"])
def test_an_adapter_that_is_not_whole_is_told(tmp_path: Path, missing: str) -> None:
    narrow = Narrow.of(np.ones((4, 3), np.float32), 1)
    parts = {name: np.ones(3, np.float16) for name in ("second", "head", "bias")} | narrow.parts("encoder")
    np.savez(tmp_path / "whole.npz", **parts)
    del parts[missing]
    np.savez(tmp_path / "broken.npz", **parts)

    assert load_adapter(tmp_path / "whole.npz").changes["encoder"] == pytest.approx(np.ones((4, 3)), abs=0.02)
    with pytest.raises(ValueError, match="is not in it"):
        load_adapter(tmp_path / "broken.npz")


@pytest.fixture
def copy(models: Path, entails: Entailment, tmp_path: Path) -> Path:
    """Copies of what was prepared, to damage; the folder of the model that reads pairs."""
    entails.load()
    for folder in [path for path in models.iterdir() if path.is_dir()]:
        shutil.copytree(folder, tmp_path / folder.name)
    return next(path for path in tmp_path.iterdir() if "-pairs-" in path.name)


@pytest.fixture
def makings(models: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were made again, by a copy in the place of a child process."""
    made: list[Path] = []

    def fake(folder: Path, *words: Path) -> None:
        made.append(folder)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(models / folder.name, folder)

    monkeypatch.setattr(cache, "_make", fake)
    return made


@pytest.mark.parametrize("name", [*PAIRS, "manifest.json"])
@pytest.mark.parametrize("how", ["half", "missing"])
def test_a_damaged_one_is_made_again_and_the_embedding_model_is_not(
    name: str, how: str, copy: Path, makings: list[Path]
) -> None:
    (copy / name).unlink()
    if how == "half":
        (copy / name).write_bytes(b"half")

    cache.prepared_pairs(copy.parent)

    assert makings == [copy]


def test_one_that_says_something_else_on_this_processor_is_made_again(
    copy: Path, makings: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    refer_to(copy, np.full(9, np.nan, np.float32))

    cache.prepared_pairs(copy.parent)

    assert makings == [copy]
    assert "was made elsewhere" in caplog.text


def test_a_model_that_fails_while_it_reads_says_so(
    entails: Entailment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pairs, "logits", lambda *_: np.full(9, np.nan, np.float32))
    with pytest.raises(ModelError):
        entails("A claim of some kind.", SOURCE)

    def breaks(*_: object) -> None:
        raise RuntimeError("No memory.")

    monkeypatch.setattr(Pairs, "logits", breaks)
    with pytest.raises(ModelError, match="No memory"):
        entails("A claim of some kind.", SOURCE)


def test_a_border_that_is_written_in_a_document_is_text(entails: Entailment) -> None:
    plain = entails.load()._session.tokenizer.encode("[SEP]", add_special_tokens=False).ids

    assert len(plain) > 1


def test_many_threads_load_it_once(copy: Path, makings: list[Path]) -> None:
    model, found = Entailment(copy.parent), []
    threads = [
        threading.Thread(target=lambda: found.append(model("Books may be borrowed.", SOURCE)["true"]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (makings, len(found), len(set(found))) == ([], 4, 1)


def test_without_the_model_claims_are_checked_by_their_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(models: Path) -> None:
        raise ModelError("No disk.")

    monkeypatch.setattr("rag.embed.entailment.prepared_pairs", refuse)
    entails = load_entailment(Environment(home=tmp_path))

    with caplog.at_level(logging.WARNING):
        first = judge("Books may be borrowed for six weeks.", SOURCE, entails=entails)
        judge("Maps are for reading only.", SOURCE, entails=entails)

    assert first.reasons == ("number",)
    assert caplog.text.count("checked by their words") == 1


def test_a_model_that_failed_once_is_tried_again_after_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    class Made:
        def logits(self, claim: str, source: str) -> NDArray[np.float32]:
            return np.zeros(len(KINDS), np.float32)

    def make(models: Path) -> Made:
        tries.append(models)
        if len(tries) == 1:
            time.sleep(0.05)
            raise ModelError("No disk.")
        return Made()

    monkeypatch.setattr("rag.embed.entailment.prepared_pairs", make)
    entails = load_entailment(Environment(home=tmp_path))

    threads = [threading.Thread(target=entails, args=("one", SOURCE)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert entails("two", SOURCE) is None
    assert len(tries) == 1, "whoever waited for it does not try in its turn"
    now = time.monotonic()
    monkeypatch.setattr("rag.embed.entailment.time.monotonic", lambda: now + 61)
    assert entails("three", SOURCE)
    assert len(tries) == 2


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 half", b"no archive"])
def test_an_adapter_that_is_no_archive_is_told(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "broken.npz").write_bytes(data)

    with pytest.raises((OSError, ValueError)):
        load_adapter(tmp_path / "broken.npz")


def test_an_engine_says_whether_it_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(models: Path) -> None:
        raise ModelError("No disk.")

    monkeypatch.setattr("rag.embed.entailment.prepared_pairs", refuse)

    assert not Engine(Environment(home=tmp_path), load_model=lambda name: FakeEmbedder()).reads()
    with pytest.raises(ModelError, match="No disk"):
        Engine(Environment(home=tmp_path)).reads()


@pytest.mark.parametrize("source", ["See page 12.", "Table 3.", "More information is in the appendix."])
def test_a_source_that_is_about_nothing_supports_nothing(source: str) -> None:
    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        return np.eye(8, dtype=np.float32)[[ord(text[0]) % 8 for text in texts]]

    found = judge("Passwords are kept encrypted.", source, embed, entails=Reader(true=0.99))

    assert found.verdict == "unsupported"
    assert found.reasons == ("unsaid",)


class Reader:
    """Says the same of every pair, and remembers what it read."""

    def __init__(self, **said: float) -> None:
        self.read: list[tuple[str, str]] = []
        self._said = said

    def __call__(self, claim: str, source: str) -> Mapping[Change, float]:
        self.read.append((claim, source))
        left = (1 - sum(self._said.values())) / (len(KINDS) - len(self._said))
        return {kind: self._said.get(kind, left) for kind in KINDS}


def test_a_claim_that_follows_is_supported_whatever_its_words() -> None:
    found = judge("The young join for free.", SOURCE, entails=Reader(true=0.999))

    assert found.verdict == "supported"
    assert found.score > 0.5


@pytest.mark.parametrize(
    ("claim", "kind", "reasons"),
    [
        ("Loans are open to nobody.", "negation", ("negation",)),
        ("There is a cafeteria upstairs.", "unrelated", ("unsaid",)),
        ("Books may be borrowed for six weeks.", "number", ("number",)),
    ],
)
def test_a_claim_that_does_not_follow_says_why(claim: str, kind: str, reasons: tuple[str, ...]) -> None:
    found = judge(claim, SOURCE, entails=Reader(true=0.0001, **{kind: 0.99}))

    assert found.verdict == "unsupported"
    assert found.reasons == reasons


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("Los libros se prestan por cuatro semanas.", SOURCE),
        ("Books may be borrowed.", "Los libros se prestan por cuatro semanas, los mapas no."),
    ],
)
def test_what_is_not_english_is_not_read(claim: str, source: str) -> None:
    reader = Reader(true=0.999)

    judge(claim, source, entails=reader)

    assert reader.read == []


@pytest.mark.parametrize("claim", ["It is so.", "Books " * 100, "?!"])
def test_what_is_no_sentence_of_some_content_is_not_read(claim: str) -> None:
    reader = Reader(true=0.999)

    judge(claim, SOURCE, entails=reader)

    assert reader.read == []


def test_of_a_long_source_what_the_claim_is_about_is_read() -> None:
    rows = "; ".join(f"part {n} costs {n + 3} euros" for n in range(200))
    reader = Reader(true=0.999)

    found = judge("Part 190 costs 193 euros.", f"{rows}; dogs are admitted everywhere.", entails=reader)

    assert "part 190 costs 193 euros" in reader.read[0][1]
    assert len(reader.read[0][1]) < 500
    assert found.verdict == "supported"


def test_the_sentence_that_a_claim_follows_from_is_pointed_at() -> None:
    source = "Maps and newspapers stay here. Whoever is not yet sixteen joins free. Dogs wait outside."

    def entails(claim: str, read: str) -> Mapping[Change, float]:
        return dict.fromkeys(KINDS, 0.0) | {"true": 0.99 if "sixteen" in read else 0.1}

    found = judge("Children pay nothing.", source, entails=entails)

    assert source[found.start : found.end] == "Whoever is not yet sixteen joins free."


def test_where_no_rule_says_what_is_wrong_only_a_low_score_does() -> None:
    scored = [
        judge("The young join for free.", SOURCE, entails=Reader(true=p, negation=0.4))
        for p in np.geomspace(0.5, 0.0001, 200)
    ]
    doubted = [found for found in scored if found.verdict == "unsupported"]

    assert {found.reasons for found in doubted} == {("meaning",), ("negation",)}
    assert all((found.reasons == ("negation",)) == (found.score < fitted_read().sure) for found in doubted)


def test_halves_of_characters_are_no_reason_to_fail(entails: Entailment) -> None:
    assert judge("Books \ud800 may be borrowed.", SOURCE + " \udc00", entails=entails)


def test_a_copied_sentence_needs_no_reading() -> None:
    reader = Reader(true=0.0001)

    found = judge("Books may be borrowed for four weeks.", SOURCE, entails=reader)

    assert (found.verdict, reader.read) == ("verbatim", [])


@pytest.mark.slow
def test_the_graph_computes_what_was_fitted(tmp_path: Path) -> None:
    """The logits of ONNX Runtime in 32-bit floats are those of PyTorch, of an adapter not fitted yet."""
    torch = pytest.importorskip("torch")
    from safetensors.numpy import load_file

    from rag.embed.graph import graph, word_vectors
    from rag.embed.session import FILES
    from rag.embed.weights import bundled_weights
    from tests.benchmarks import fit_entailment as fitting

    torch.manual_seed(3)
    model = fitting.Model()
    with torch.no_grad():
        model.second.normal_(0, 0.02)
        for part in model.bert.encoder.parameters():
            if part.ndim == 2:
                part += 0.02 * torch.randn(len(part), 8) @ torch.randn(8, part.shape[1]) / 8**0.5
            else:
                part += 0.02 * torch.randn(len(part))
    np.savez(tmp_path / "fitted.npz", **model.learned())
    learned = load_adapter(tmp_path / "fitted.npz")
    pair = fitting.Reader().pair("", "true", "A book can be kept for a month.", SOURCE)
    model.eval()
    with torch.no_grad():
        expected = model(*fitting.tensors([pair]))[0].numpy()
    weights = load_file(bundled_weights() / "model.safetensors")
    np.save(tmp_path / FILES[1], word_vectors(weights))
    (tmp_path / PAIRS[0]).write_bytes(graph(learned.merged(weights), None))
    head = learned.head
    np.savez(tmp_path / PAIRS[1], second=head.second, weight=head.weight, bias=head.bias)

    found = Pairs(tmp_path, tmp_path).logits("A book can be kept for a month.", SOURCE)

    assert found == pytest.approx(expected, abs=0.02)
