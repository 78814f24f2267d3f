"""PDF: pages, paragraphs out of lines, and what is damaged or locked."""

import pytest

from rag.readers import read_bytes
from rag.readers.pdflines import Hyphens, clean_lines, find_title, paragraphs
from rag.types import Document
from tests.files import make_pdf


def read(data: bytes) -> Document:
    (document,) = read_bytes(data, "papers/a.pdf").documents
    return document


def shown(document: Document) -> list[tuple[str, int | None, tuple[str, ...], str]]:
    return [(b.kind, b.page, b.path, document.text[b.start : b.end]) for b in document.blocks]


LONG = "This sentence is long enough that it has to be wrapped over two or even three lines of a page."


def test_blocks_know_their_page_and_wrapped_lines_are_joined() -> None:
    document = read(make_pdf([f"{LONG} {LONG}", "Second page: café, “quoted” (so)."]))
    assert shown(document) == [
        ("prose", 1, (), f"{LONG} {LONG}"),
        ("prose", 2, (), "Second page: café, “quoted” (so)."),
    ]
    assert document.title == "a"


def test_metadata_and_title() -> None:
    document = read(
        make_pdf(["Text"], title="Über 日本", author="A. Author", created="D:20260501120000+02'00'")
    )
    assert document.title == "Über 日本"
    assert dict(document.metadata) == {"author": "A. Author", "created": 1_777_629_600, "type": "pdf"}


def test_bookmarks_are_the_heading_path() -> None:
    pages = ["Intro\n\nFirst.", "2.1 Methods\n\nSecond."]
    document = read(make_pdf(pages, bookmarks=[(1, "Intro"), (2, "Methods")]))
    assert shown(document) == [
        ("heading", 1, ("Intro",), "Intro"),
        ("prose", 1, ("Intro",), "First."),
        ("heading", 2, ("Methods",), "2.1 Methods"),
        ("prose", 2, ("Methods",), "Second."),
    ]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (make_pdf(["Secret"], password="x"), "The PDF is protected by a password. Save a copy without one."),
        (make_pdf([""]), "The PDF has no text (scanned?). Run text recognition (OCR) on it first."),
        (b"%PDF-1.7 nothing more", "The PDF is damaged or cut short and could not be read."),
        (make_pdf(["Text"])[:300], "The PDF is damaged: none of its pages could be read."),
    ],
)
def test_what_cannot_be_read_is_said(data: bytes, sentence: str) -> None:
    result = read_bytes(data, "a.pdf")
    assert (result.documents, [f.error for f in result.failures]) == ((), [sentence])


def test_a_pdf_locked_for_its_owner_only_is_read() -> None:
    assert read(make_pdf(["Anybody may read this"], password="")).text == "Anybody may read this"


def test_of_a_truncated_pdf_the_rest_is_read() -> None:
    data = make_pdf(["The first page", "The second page"])
    result = read_bytes(data[:-40], "a.pdf")
    assert [d.text for d in result.documents] == ["The first page\n\nThe second page"]
    assert [f.error for f in result.failures] == ["The PDF is cut short; what could be read of it was."]


def test_a_broken_page_is_a_failure_beside_the_others() -> None:
    data = make_pdf(["The first page", "The second page"]).replace(
        b"<< /Length", b"<< /Filter /No /Length", 1
    )
    result = read_bytes(data, "a.pdf")
    assert [d.text for d in result.documents] == ["The second page"]
    assert result.failures[0].path == "a.pdf, page 1"


def test_lines_are_cleaned() -> None:
    assert clean_lines("e\ufb03cient\u00a0\u00a0work\x07\n\uf0b7 item\x00\ud800") == [
        "efficient work",
        "• item\ufffd",
    ]


def join(*lines: str) -> str:
    return Hyphens(lines).join(lines[-2], lines[-1])


def test_a_hyphen_goes_only_where_the_word_stands_elsewhere_whole() -> None:
    assert join("An encyclopedia.", "the encyclo-", "pedia says") == "the encyclopedia says"
    assert join("a well-", "known fact") == "a well-known fact"
    assert join("re-form or reform", "to re-", "form it") == "to re-form it"
    assert join("soft\xad", "ly now") == "softly now"
    assert join("from A-", "B to C") == "from A- B to C"


def group(*lines: str) -> list[tuple[str, str]]:
    return list(paragraphs(lines, Hyphens(lines)))


def test_a_short_line_that_ends_a_sentence_ends_the_paragraph() -> None:
    full = "x" * 79 + "y"
    assert group(full, "the end.", full, "goes on") == [
        ("prose", f"{full} the end."),
        ("prose", f"{full} goes on"),
    ]


def test_a_short_line_before_a_full_one_stands_alone() -> None:
    full = "X" * 80
    assert group("Introduction", full) == [("prose", "Introduction"), ("prose", full)]


def test_short_lines_keep_their_breaks() -> None:
    assert group("w" * 80 + ".", "", "Name 1", "Other 2") == [
        ("prose", "w" * 80 + "."),
        ("prose", "Name 1\nOther 2"),
    ]


def test_bullets_make_a_list_with_their_wrapped_lines() -> None:
    full = "• " + "z" * 78
    assert group("Note.", full, "tail", "• b", "", "After.") == [
        ("prose", "Note."),
        ("list", f"{full} tail\n• b"),
        ("prose", "After."),
    ]


def test_a_title_is_found_over_two_lines() -> None:
    assert find_title("The long title of it", ["x", "3 The long", "title of it", "y"], 0) == (1, 3)
    assert find_title("Elsewhere", ["x", "y"], 0) is None
