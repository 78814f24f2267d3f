"""Ingest of files that hold others, and of metadata that stands beside files."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from rag import ingest as ingest_module
from rag.engine import Engine
from rag.types import DocumentRecord, IngestResult
from tests.conftest import write_files
from tests.fakes import FakeEmbedder
from tests.files import make_csv, make_eml, make_jsonl, make_xlsx

FILES = {"bees.md": "# Bees\n\nBees dance.", "tea/green.txt": "Green tea is not black."}


def packed(files: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def counts(result: IngestResult) -> tuple[int, int, int, int]:
    """Added, unchanged, replaced, removed."""
    return result.added, result.unchanged, result.replaced, result.removed


def records(engine: Engine) -> dict[str, DocumentRecord]:
    """The records by source."""
    return {r.source: r for r in engine.records(engine.prototype("shelf")).values()}


def agrees(engine: Engine) -> bool:
    return engine.library(engine.prototype("shelf")).compare().good


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sections that were embedded."""
    texts: list[str] = []
    embed = FakeEmbedder.embed_sections
    monkeypatch.setattr(
        FakeEmbedder,
        "embed_sections",
        lambda self, sections, spans: texts.extend(sections) or embed(self, sections, spans),
    )
    return texts


# --- archives -----------------------------------------------------------------


def test_each_member_of_an_archive_is_a_document_of_its_own(engine: Engine, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "d", {"old.zip": packed({**FILES})})

    first = engine.ingest("shelf", [folder])
    again = engine.ingest("shelf", [folder])

    assert (first.files, counts(first), first.failed) == (1, (2, 0, 0, 0), ())
    assert set(records(engine)) == {"old.zip/bees.md", "old.zip/tea/green.txt"}
    assert (again.files, counts(again)) == (1, (0, 2, 0, 0))
    found = engine.search("shelf", "tea", where={"source": "old.zip/tea/green.txt"})
    assert found.passages[0].source == "old.zip/tea/green.txt"
    assert agrees(engine)


def test_an_unchanged_archive_costs_a_hash(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_files(tmp_path / "d", {"old.zip": packed({**FILES})})
    engine.ingest("shelf", [folder])
    monkeypatch.setattr(ingest_module, "read_bytes", None)  # nothing is read again

    assert counts(engine.ingest("shelf", [folder])) == (0, 2, 0, 0)


def test_of_a_changed_archive_only_the_changed_members_are_embedded(
    engine: Engine, tmp_path: Path, embedded: list[str]
) -> None:
    folder = write_files(tmp_path / "d", {"old.zip": packed({**FILES})})
    engine.ingest("shelf", [folder])
    write_files(folder, {"old.zip": packed({**FILES, "tea/green.txt": "Green tea is green."})})
    embedded.clear()

    result = engine.ingest("shelf", [folder])

    assert (counts(result), embedded) == ((0, 1, 1, 0), ["Green tea is green."])
    assert agrees(engine)


def test_a_member_that_moves_keeps_its_document_under_its_new_path(
    engine: Engine, tmp_path: Path, embedded: list[str]
) -> None:
    folder = write_files(tmp_path / "d", {"old.zip": packed({**FILES})})
    engine.ingest("shelf", [folder])
    write_files(
        folder, {"old.zip": packed({"bees.md": FILES["bees.md"], "leaf.txt": FILES["tea/green.txt"]})}
    )
    embedded.clear()

    result = engine.ingest("shelf", [folder])

    assert (counts(result), embedded) == ((0, 2, 0, 0), [])
    found = engine.search("shelf", "tea", where={"source": "old.zip/leaf.txt"}).passages
    assert [(p.title, p.text) for p in found] == [("leaf", FILES["tea/green.txt"])]
    assert agrees(engine)


def test_of_a_mail_only_the_attachment_that_changed_is_embedded(
    engine: Engine, tmp_path: Path, embedded: list[str]
) -> None:
    folder = write_files(
        tmp_path / "d", {"m.eml": make_eml("Hello.", attachments=[("a.txt", b"Green tea.")])}
    )
    engine.ingest("shelf", [folder])
    write_files(folder, {"m.eml": make_eml("Hello.", attachments=[("a.txt", b"Black tea.")])})
    embedded.clear()

    result = engine.ingest("shelf", [folder])

    assert (counts(result), embedded) == ((0, 1, 1, 0), ["Black tea."])
    assert set(records(engine)) == {"m.eml", "m.eml/a.txt"}


def test_rows_that_only_move_are_not_embedded_again(
    engine: Engine, tmp_path: Path, embedded: list[str]
) -> None:
    rows = [["name", "price"], ["Alder", 1], ["Birch", 2]]
    folder = write_files(tmp_path / "d", {"s.xlsx": make_xlsx({"Trees": rows})})
    engine.ingest("shelf", [folder])
    write_files(folder, {"s.xlsx": make_xlsx({"Trees": [rows[0], ["Cedar", 3], *rows[1:]]})})
    embedded.clear()

    result = engine.ingest("shelf", [folder])

    assert (counts(result), embedded) == ((1, 2, 0, 0), ["Cedar\nPrice: 3."])
    assert [p.title for p in engine.search("shelf", "Birch", where={"row": 4}).passages] == ["Birch"]
    assert agrees(engine)


def test_a_member_that_is_taken_out_goes_and_one_that_fails_stays(engine: Engine, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "d", {"old.zip": packed({**FILES, "gone.txt": "It goes."})})
    engine.ingest("shelf", [folder])
    write_files(folder, {"old.zip": packed({**FILES, "bees.md": ""})})

    result = engine.ingest("shelf", [folder])

    assert [f.path for f in result.failed] == ["old.zip/bees.md"]
    assert counts(result) == (0, 1, 0, 1)
    assert set(records(engine)) == {"old.zip/bees.md", "old.zip/tea/green.txt"}
    assert engine.ingest("shelf", [folder]).failed == result.failed  # said again
    assert agrees(engine)


def test_a_damaged_archive_keeps_what_it_gave(engine: Engine, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "d", {"old.zip": packed({**FILES})})
    engine.ingest("shelf", [folder])
    write_files(folder, {"old.zip": packed({**FILES})[:60]})

    result = engine.ingest("shelf", [folder], prune=True)

    assert [f.path for f in result.failed] == ["old.zip"]
    assert (result.removed, result.documents) == (0, 2)


def test_what_failed_inside_a_failed_member_stays(engine: Engine, tmp_path: Path) -> None:
    mail = (
        b"From: a@example.org\nSubject: Tea\nMIME-Version: 1.0\n"
        b'Content-Type: multipart/mixed; boundary="x"\n\n'
        b"--x\nContent-Type: text/plain\n\nThe list is attached.\n"
        b'--x\nContent-Type: text/plain\nContent-Disposition: attachment; filename="list.txt"\n\n'
        b"Green, black, white.\n--x--\n"
    )
    folder = write_files(tmp_path / "d", {"old.zip": packed({"bees.md": FILES["bees.md"], "tea.eml": mail})})
    engine.ingest("shelf", [folder])
    write_files(folder, {"old.zip": packed({"bees.md": FILES["bees.md"], "tea.eml": b""})})

    result = engine.ingest("shelf", [folder])

    assert [f.path for f in result.failed] == ["old.zip/tea.eml"]
    assert set(records(engine)) == {"old.zip/bees.md", "old.zip/tea.eml", "old.zip/tea.eml/list.txt"}


def test_an_archive_that_goes_is_pruned_whole(engine: Engine, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "d", {"old.zip": packed({**FILES}), "x.txt": "It stays."})
    engine.ingest("shelf", [folder])
    (folder / "old.zip").unlink()

    result = engine.ingest("shelf", [folder], prune=True)

    assert (counts(result), set(records(engine))) == ((0, 1, 0, 2), {"x.txt"})
    assert agrees(engine)


def test_an_archive_that_was_unpacked_keeps_its_documents_under_their_own_paths(
    engine: Engine, tmp_path: Path, embedded: list[str]
) -> None:
    folder = write_files(tmp_path / "d", {"old.zip": packed({**FILES})})
    engine.ingest("shelf", [folder])
    (folder / "old.zip").unlink()
    write_files(folder, {**FILES})
    embedded.clear()

    result = engine.ingest("shelf", [folder], prune=True)

    assert (counts(result), embedded) == ((0, 2, 0, 0), [])
    assert set(records(engine)) == set(FILES)
    assert agrees(engine)


# --- metadata beside files --------------------------------------------------------


def test_a_sidecar_gives_its_files_metadata_and_is_no_document(engine: Engine, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "d", {**FILES, "metadata.csv": "file,shelf\nbees.md,upper\n"})

    result = engine.ingest("shelf", [folder])

    assert (result.files, counts(result), result.failed) == (2, (2, 0, 0, 0), ())
    assert records(engine)["bees.md"].metadata["shelf"] == "upper"
    assert [p.source for p in engine.search("shelf", "dance", where={"shelf": "upper"}).passages] == [
        "bees.md"
    ]
    assert counts(engine.ingest("shelf", [folder])) == (0, 2, 0, 0)


def test_a_changed_sidecar_changes_the_files_that_it_says_something_else_of(
    engine: Engine, tmp_path: Path
) -> None:
    sidecar = "file,shelf\nbees.md,upper\ntea/green.txt,lower\n"
    folder = write_files(tmp_path / "d", {**FILES, "metadata.csv": sidecar})
    engine.ingest("shelf", [folder])
    write_files(folder, {"metadata.csv": sidecar.replace("upper", "middle")})

    result = engine.ingest("shelf", [folder])

    assert counts(result) == (0, 1, 1, 0)
    assert records(engine)["bees.md"].metadata["shelf"] == "middle"
    assert agrees(engine)


def test_where_ids_are_given_other_metadata_embeds_nothing(
    engine: Engine, tmp_path: Path, embedded: list[str]
) -> None:
    lines = [{"id": str(n), "text": f"Line {n} of the file.", "metadata": {"team": "a"}} for n in range(3)]
    path = write_files(tmp_path / "d", {"x.jsonl": make_jsonl(lines)}) / "x.jsonl"
    engine.ingest("shelf", [path])
    before = engine.search("shelf", "line").index_version
    path.write_bytes(make_jsonl([{**lines[0], "metadata": {"team": "b"}}, *lines[1:]]))
    embedded.clear()

    result = engine.ingest("shelf", [path])

    assert (counts(result), embedded) == ((0, 2, 1, 0), [])
    assert engine.search("shelf", "line", where={"team": "b"}).passages[0].document_id == "0"
    assert engine.search("shelf", "line").index_version != before
    assert agrees(engine)


def test_a_file_is_described_however_it_is_named(engine: Engine, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "d", {"x.txt": "Bees.", "metadata.csv": "file,shelf\nx.txt,upper\n"})
    engine.ingest("shelf", [folder])

    assert counts(engine.ingest("shelf", [folder / "x.txt"])) == (0, 1, 0, 0)


def test_what_is_wrong_with_a_sidecar_keeps_nothing_from_being_pruned(engine: Engine, tmp_path: Path) -> None:
    sidecar = "file,shelf\nbees.md,upper\ntea/green.txt,lower\n"
    folder = write_files(tmp_path / "d", {**FILES, "metadata.csv": sidecar})
    engine.ingest("shelf", [folder])
    (folder / "tea/green.txt").unlink()

    result = engine.ingest("shelf", [folder], prune=True)

    assert [f.path for f in result.failed] == ["metadata.csv, line 3"]
    assert (result.removed, set(records(engine))) == (1, {"bees.md"})


def test_the_same_words_described_differently_are_two_documents(engine: Engine, tmp_path: Path) -> None:
    sidecar = make_csv([["file", "year"], ["a.txt", 2020], ["b.txt", 2021]])
    folder = write_files(tmp_path / "d", {"a.txt": "Bees.", "b.txt": "Bees.", "metadata.csv": sidecar})

    result = engine.ingest("shelf", [folder])

    assert (result.documents, result.failed) == (2, ())
    assert {source: r.metadata["year"] for source, r in records(engine).items()} == {
        "a.txt": 2020,
        "b.txt": 2021,
    }
