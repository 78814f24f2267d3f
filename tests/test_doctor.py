"""What doctor looks at, and what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag import cli, doctor
from rag.config import Environment
from rag.doctor import Check, examine
from rag.engine import Engine
from rag.errors import ModelError
from tests.conftest import write_files
from tests.fakes import FakeEmbedder


def checks(engine: Engine, name: str = "shelf", *, mend: bool = False) -> dict[str, Check]:
    return {check.name: check for check in examine(engine, name, mend=mend)}


def test_all_is_well_after_an_ingest(engine: Engine, folder: Path) -> None:
    engine.ingest("shelf", [folder])

    found = checks(engine)

    assert list(found) == ["python", "disk", "store", "prototype", "indexes", "documents", "model", "recall"]
    assert all(check.ok for check in found.values())
    assert found["documents"].message.startswith("3 documents, 4 sections, 8 chunks; index version ")
    assert found["model"].message == "fake: 32 dimensions, 254 tokens; a fake."


def test_a_prototype_without_documents_is_said(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    engine.ingest("bare", [tmp_path / "empty"])

    found = checks(engine, "bare")

    assert not found["documents"].ok
    assert found["indexes"].ok


def test_a_ready_made_prototype_may_still_be_empty(engine: Engine) -> None:
    assert checks(engine, "wine")["documents"].ok


@pytest.mark.parametrize("place", ["", "prototypes/shelf/"])
def test_prices_that_cannot_be_read_are_said(engine: Engine, folder: Path, home: Path, place: str) -> None:
    engine.ingest("shelf", [folder])
    write_files(home, {f"{place}prices.toml": '[openai]\nmine = { input = "3", output = 4 }\n'})

    found = checks(engine)

    assert not found["prices"].ok
    assert "“mine”" in found["prices"].message
    assert f"It is in {home / place}" in found["prices"].message
    assert found["recall"].ok, "the rest is looked at all the same"


def test_an_unknown_prototype_is_said(engine: Engine) -> None:
    found = checks(engine, "nowhere")

    assert not found["prototype"].ok
    assert "no prototype “nowhere”" in found["prototype"].message


def test_a_model_that_does_not_load_is_said(home: Path, folder: Path) -> None:
    Engine(Environment(home=home), load_model=FakeEmbedder).ingest("shelf", [folder])
    model = FakeEmbedder()

    def refuse(name: str) -> FakeEmbedder:
        raise ModelError("The model is not there.")

    engine = Engine(Environment(home=home), load_model=lambda name: model)
    engine.library(engine.prototype("shelf"))
    engine.shelf.embedders.clear()
    engine.shelf.load_model = refuse

    assert checks(engine)["model"] == Check("model", False, "The model is not there.")


def test_an_interrupted_document_is_said_and_mended(engine: Engine, folder: Path) -> None:
    engine.ingest("shelf", [folder])
    library = engine.library(engine.prototype("shelf"))
    trains = next(r for r in library.index.records().values() if r.source == "trains.txt")
    collection = library.index._client.collection(library.index.name)
    assert collection is not None
    collection.delete(ids=[f"{trains.id}:1"])

    said, mended = checks(engine)["indexes"], checks(engine, mend=True)["indexes"]

    assert not said.ok
    assert "1 documents interrupted" in said.message
    assert "python -m rag doctor" in said.message
    assert mended.ok
    assert engine.totals("shelf")[0] == 2
    assert engine.ingest("shelf", [folder]).added == 1


def test_what_another_process_is_writing_is_left_to_it(
    engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_WAIT", 0.1)
    engine.ingest("shelf", [folder])
    library = engine.library(engine.prototype("shelf"))
    with library.writing():
        library.keywords.clear()

        found = checks(engine, mend=True)

    assert not found["prototype"].ok
    assert "Another process" in found["prototype"].message


def test_the_command_says_mends_and_ends_0(
    home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = Engine(Environment(home=home), load_model=FakeEmbedder)
    engine.ingest("shelf", [folder])
    engine.library(engine.prototype("shelf")).keywords.write(
        [], delete=engine.records(engine.prototype("shelf"))
    )
    monkeypatch.setattr(cli, "Engine", lambda environment: engine)

    looked = cli.main(["doctor", "--no-mend", "--prototype", "shelf"])
    said = capsys.readouterr().out
    mended = cli.main(["doctor", "--prototype", "shelf", "--json"])

    assert (looked, mended) == (1, 0)
    assert "FAIL indexes: 8 chunks; the keyword index lacks 8" in said
    assert '"ok": true, "checks": [{"name": "python"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ("", "Claims of answers are read together with their sources."),
        ("No disk.", "Claims of answers are checked by their words only: No disk."),
    ],
)
def test_what_reads_claims_is_said(
    engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch, error: str, message: str
) -> None:
    def reads() -> bool:
        if error:
            raise ModelError(error)
        return True

    engine.ingest("shelf", [folder])
    monkeypatch.setattr(engine, "reads", reads)

    found = checks(engine)

    assert found["checker"] == Check("checker", not error, message)
    assert found["recall"].ok, "the rest is looked at all the same"
