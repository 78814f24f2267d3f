"""What every reader shares: the true kind of a file, limits, ids, and sentences for what is wrong."""

import io
import os
import zipfile
from pathlib import Path

import pytest

from rag.errors import ReadError
from rag.readers import SUFFIXES, ReadOptions, load_bytes, read_bytes, read_file
from rag.types import ReadFailure
from tests.files import (
    Slide,
    locked,
    make_docx,
    make_epub,
    make_html,
    make_jsonl,
    make_markdown,
    make_pdf,
    make_pptx,
    make_xlsx,
)


def error(data: bytes, source: str, options: ReadOptions | None = None) -> str:
    """The one sentence about a file of which nothing could be read."""
    result = read_bytes(data, source, options or ReadOptions())
    assert result.documents == ()
    (failure,) = result.failures
    assert failure.path == source
    return failure.error


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_empty_file_is_said_to_be_empty(suffix: str) -> None:
    assert error(b"", f"a{suffix}") == "The file is empty."


BINARY = (".pdf", ".docx", ".pptx", ".pptm", ".xlsx", ".xlsm", ".epub", ".zip")


@pytest.mark.parametrize("suffix", [s for s in SUFFIXES if s not in BINARY])
@pytest.mark.parametrize("data", [b" \r\n\t ", b"\xef\xbb\xbf\n", b"\x00\x01\x02" * 50, b"\x80\x81\xfe" * 50])
def test_what_holds_no_text_is_refused_in_a_sentence(suffix: str, data: bytes) -> None:
    assert error(data, f"a{suffix}") in (
        "The file has no text in it.",
        "The page has no text in it.",
        "This looks like a binary file, not text. Convert it to text, or leave it out.",
        "The text is not UTF-8, and its encoding could not be told. Save it as UTF-8.",
    )


def test_a_file_over_the_limit_is_refused() -> None:
    assert error(b"12345678", "a.txt", ReadOptions(max_bytes=7)) == (
        "The file has 8 bytes; the limit is 7. Split it, or raise the limit."
    )


def test_an_unknown_suffix_names_those_that_are_read() -> None:
    assert error(b"x", "a.exe").startswith("Files of this type are not read; these are: .txt .text")


@pytest.mark.parametrize(
    ("data", "source", "kind"),
    [
        (make_pdf(["Hello there"]), "a.txt", "pdf"),
        (make_pdf(["Hello there"]), "a.docx", "pdf"),
        (make_docx([("Normal", "Hello there")]), "a.pdf", "docx"),
        (make_docx([("Normal", "Hello there")]), "a.md", "docx"),
        (make_html("<p>Hello there</p>"), "a.pdf", "html"),
        (make_html("<p>Hello there</p>"), "a.csv", "html"),
        (make_jsonl([{"text": "Hello there"}]), "a.csv", "jsonl"),
        (make_pptx([Slide("Hello there")]), "a.docx", "pptx"),
        (make_xlsx({"Sheet": [["Hello there"]]}), "a.zip", "xlsx"),
        (make_epub([("One", "<p>Hello there</p>")]), "a.zip", "epub"),
        (b"Hello there", "a.eml", "text"),
        (make_html("<p>Hello there</p>"), "a.eml", "html"),
    ],
)
def test_a_wrongly_named_file_is_read_as_what_it_is(data: bytes, source: str, kind: str) -> None:
    (document,) = read_bytes(data, source).documents
    assert (document.text, document.metadata["type"]) == ("Hello there", kind)


def archive(*members: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for member in members:
            file.writestr(member, "x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\x89PNG\r\n\x1a\n", "This is an image, which has no text to read."),
        (b"{\\rtf1 hello}", "This is an RTF file; save it as DOCX."),
        (b"\x1f\x8b\x08rest", "This is a compressed archive; unpack it first."),
        (
            archive("mimetype", "content.xml"),
            "This is an OpenDocument file; save it as DOCX, PPTX or XLSX.",
        ),
        (
            archive("xl/workbook.xml"),
            "The Excel workbook is damaged or cut short and could not be read.",
        ),
        (archive("a.txt")[:40], "This is an archive (zip) that is damaged or cut short."),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "This is an Office document protected by a password; save a copy without one.",
        ),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"),
            "This is an old Word document (.doc); save it as DOCX.",
        ),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "__properties_version1.0".encode("utf-16-le"),
            "This is an Outlook message (.msg); save it as .eml.",
        ),
    ],
)
@pytest.mark.parametrize("source", ["a.txt", "a.pdf"])
def test_what_is_no_document_is_called_by_its_name(data: bytes, sentence: str, source: str) -> None:
    assert error(data, source) == sentence


@pytest.mark.parametrize(
    ("suffix", "what"),
    [
        (".pdf", "a PDF"),
        (".docx", "a Word document (DOCX)"),
        (".pptx", "a PowerPoint presentation (PPTX)"),
        (".xlsx", "an Excel workbook (XLSX)"),
        (".epub", "a book (EPUB)"),
        (".zip", "an archive (zip)"),
    ],
)
def test_text_called_something_else_is_refused(suffix: str, what: str) -> None:
    sentence = f"This is not {what}, although it is called one; it may be damaged."
    assert error(b"hello", f"a{suffix}") == sentence


@pytest.mark.parametrize(
    ("data", "source", "what"),
    [
        (make_pptx([Slide("Hello")]), "a.pptx", "presentation"),
        (make_xlsx({"Sheet": [["Hello"]]}), "a.xlsx", "Excel workbook"),
        (make_epub([("One", "<p>Hello</p>")]), "a.epub", "book"),
    ],
)
def test_what_is_cut_short_or_locked_is_said(data: bytes, source: str, what: str) -> None:
    assert error(data[:-30], source) == f"The {what} is damaged or cut short and could not be read."
    assert error(locked(data), source) == f"The {what} is protected by a password. Save a copy without one."


@pytest.mark.parametrize("source", ["a.xlsx", "a.pptx", "a.docx"])
def test_office_files_with_a_password_are_containers_of_another_kind(source: str) -> None:
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")
    assert error(data, source) == (
        "This is an Office document protected by a password; save a copy without one."
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_noise_never_raises(suffix: str, seed: int) -> None:
    noise = bytes((i * i * 31 + seed * 7 + i // 3) % 256 for i in range(2_000))
    assert read_bytes(noise, f"a{suffix}").failures


def test_the_id_is_of_the_content_not_of_the_place() -> None:
    one, two = (read_bytes(b"The same words.", source).documents[0] for source in ("a.txt", "x/b.md"))
    assert one.id == two.id
    assert len(one.id) == 32
    assert (one.title, two.title) == ("a", "b")


def test_declared_metadata_is_part_of_the_id() -> None:
    one, two = (read_bytes(make_markdown("Text", year=year), "a.md").documents[0] for year in (1, 2))
    assert one.id != two.id


def test_a_file_is_read_from_disk_under_its_name(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("Some words")
    (document,) = read_file(tmp_path / "note.txt").documents
    assert (document.source, document.title, document.text) == ("note.txt", "note", "Some words")


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    path.touch()
    os.truncate(path, 10_000_000_000)  # sparse: reading it would take all memory
    with pytest.raises(ReadError, match=r"10,000,000,000 bytes; the limit is 50,000,000"):
        load_bytes(path, ReadOptions().max_bytes)


def test_a_missing_file_is_a_failure(tmp_path: Path) -> None:
    assert read_file(tmp_path / "gone.txt").failures == (
        ReadFailure("gone.txt", "The file could not be opened: no such file or directory."),
    )


def test_a_fault_of_a_reader_costs_one_file_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyError("odd")

    monkeypatch.setattr("rag.readers.plain.decode", fail)
    assert error(b"x", "a.txt") == (
        "The file could not be read, for a reason that its reader does not foresee (KeyError: 'odd')."
    )
