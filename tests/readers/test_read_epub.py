"""EPUB: chapters under the titles of the contents, what is declared, and what is locked."""

import io
import zipfile

import pytest

from rag.readers import ReadOptions, ReadResult, read_bytes
from rag.types import Document, ReadFailure
from tests.files import make_epub, make_zip, rezip

WHALE = [
    (None, "<p><img src='cover.jpg'/></p>"),
    ("Loomings", "<h1>Chapter 1. Loomings</h1><p>Call me Ishmael.</p>"),
    ("The Carpet-Bag", "<p>I stuffed a shirt or two.</p><h2>Later</h2><p>It was late.</p>"),
]


def result(data: bytes, options: ReadOptions | None = None) -> ReadResult:
    return read_bytes(data, "books/whale.epub", options or ReadOptions())


def read(data: bytes) -> Document:
    found = result(data)
    assert found.failures == ()
    (document,) = found.documents
    return document


def shown(document: Document) -> list[tuple[str, tuple[str, ...], str]]:
    return [(b.kind, b.path, document.text[b.start : b.end]) for b in document.blocks]


@pytest.mark.parametrize("contents", ["nav", "ncx"])
def test_chapters_stand_under_their_titles_in_the_contents(contents: str) -> None:
    assert shown(read(make_epub(WHALE, contents=contents))) == [
        ("heading", ("Loomings",), "Chapter 1. Loomings"),
        ("prose", ("Loomings",), "Call me Ishmael."),
        ("prose", ("The Carpet-Bag",), "I stuffed a shirt or two."),
        ("heading", ("The Carpet-Bag", "Later"), "Later"),
        ("prose", ("The Carpet-Bag", "Later"), "It was late."),
    ]


def test_parts_of_the_book_come_first_in_the_path() -> None:
    book = make_epub(WHALE, parts={"Part I": [1], "Part II": [2]})
    assert shown(read(book))[1][1] == ("Part I", "Loomings")
    assert shown(read(book))[2][1] == ("Part II", "The Carpet-Bag")


def test_without_contents_the_headings_make_the_path() -> None:
    document = read(make_epub(WHALE, contents=""))
    assert shown(document)[1][1] == ("Chapter 1. Loomings",)


def test_a_page_that_the_contents_leave_out_goes_on_with_the_chapter() -> None:
    book = make_epub([("One", "<p>First.</p>"), (None, "<p>Second.</p>")])
    assert [path for _, path, _ in shown(read(book))] == [("One",), ("One",)]


def test_several_chapters_on_one_page_are_told_apart_by_its_headings() -> None:
    nav = b"""<html xmlns="http://www.w3.org/1999/xhtml"><body><nav><ol>
      <li><a href="chapter0.xhtml#a">One</a></li><li><a href="chapter0.xhtml#b">Two</a></li>
    </ol></nav></body></html>"""
    body = "<h1 id='a'>One</h1><p>First.</p><h1 id='b'>Two</h1><p>Second.</p>"
    document = read(make_epub([(None, body)], members={"OEBPS/nav.xhtml": nav}))
    assert [path for _, path, _ in shown(document)] == [("One",), ("One",), ("Two",), ("Two",)]


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("1851-10-18", -3_730_233_600),
        ("1970", 0),
        ("1970-02", 2_678_400),
        ("2026-05-01T10:00:00Z", 1_777_629_600),
    ],
)
def test_what_the_book_declares_is_metadata(date: str, seconds: int) -> None:
    document = read(make_epub(WHALE, title="The Whale", authors=["H. Melville", "A. Other"], date=date))
    assert document.title == "The Whale"
    assert dict(document.metadata) == {"author": "H. Melville; A. Other", "date": seconds, "type": "epub"}


def test_without_a_title_it_is_called_as_the_file() -> None:
    assert read(make_epub(WHALE, title="")).title == "whale"


def encryption(algorithm: str, *names: str) -> bytes:
    data = "".join(
        f'<EncryptedData><EncryptionMethod Algorithm="{algorithm}"/><CipherData>'
        f'<CipherReference URI="{name}"/></CipherData></EncryptedData>'
        for name in names
    )
    return f'<encryption xmlns="http://www.w3.org/2001/04/xmlenc#">{data}</encryption>'.encode()


def test_a_protected_book_says_so() -> None:
    cipher = encryption("http://www.w3.org/2001/04/xmlenc#aes128-cbc", "OEBPS/chapter0.xhtml")
    book = make_epub([("One", "<p>x</p>")], members={"META-INF/encryption.xml": cipher})
    assert [f.error for f in result(book).failures] == [
        "The book is protected against copying (DRM). Use a copy without protection."
    ]


def test_disguised_fonts_are_no_protection() -> None:
    cipher = encryption("http://www.idpf.org/2008/embedding", "OEBPS/font.otf")
    assert read(make_epub([("One", "<p>x</p>")], members={"META-INF/encryption.xml": cipher})).text == "x"


def test_a_chapter_that_is_missing_or_damaged_costs_itself_only() -> None:
    book = make_epub([("One", "<p>First.</p>"), ("Two", "<p>Second chapter, stored.</p>")])
    at = book.index(b"OEBPS/chapter1.xhtml") + len("OEBPS/chapter1.xhtml") + 5
    damaged = book[:at] + b"\xff\xff\xff" + book[at + 3 :]
    found = result(damaged)
    assert [d.text for d in found.documents] == ["First."]
    assert found.failures == (
        ReadFailure(
            "books/whale.epub, OEBPS/chapter1.xhtml", "The chapter is damaged and could not be read."
        ),
    )
    gone = result(make_zip(without(book, "OEBPS/chapter1.xhtml")))
    assert [f.error for f in gone.failures] == ["The chapter is missing from the book."]


def without(book: bytes, name: str) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        return {n: archive.read(n) for n in archive.namelist() if n != name}


@pytest.mark.parametrize("body", ["<p><img src='page1.jpg'/></p>", ""])
def test_a_book_of_pictures_says_so(body: str) -> None:
    assert [f.error for f in result(make_epub([("One", body)])).failures] == [
        "The book has no text in it (scanned?). Run text recognition (OCR) on it first."
    ]


@pytest.mark.parametrize("name", ["META-INF/container.xml", "OEBPS/book.opf"])
def test_a_book_without_its_parts_is_damaged(name: str) -> None:
    book = rezip(make_epub(WHALE), {name: b"<x/>"})
    assert result(book).documents == ()
    assert result(book).failures[0].error in (
        "The book is damaged or cut short and could not be read.",
        "The book has no text in it (scanned?). Run text recognition (OCR) on it first.",
    )


def test_entities_and_references_load_nothing() -> None:
    declared = (
        b'<!DOCTYPE package [<!ENTITY x SYSTEM "file:///etc/hostname"><!ENTITY y "yyyy">]>'
        b'<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        b"<metadata><dc:title>T&x;&y;</dc:title></metadata><manifest>"
        b'<item id="c" href="chapter0.xhtml" media-type="application/xhtml+xml"/>'
        b'<item id="d" href="../../outside.xhtml" media-type="application/xhtml+xml"/></manifest>'
        b'<spine><itemref idref="c"/><itemref idref="d"/></spine></package>'
    )
    found = result(make_epub([("One", "<p>Text.</p>")], members={"OEBPS/book.opf": declared}))
    assert [(d.title, d.text) for d in found.documents] == [("T&x;&y;", "Text.")]
    assert [f.path for f in found.failures] == ["books/whale.epub, ../outside.xhtml"]


def test_a_bomb_is_refused_by_what_it_unpacks_to() -> None:
    book = make_epub([("One", "<p>" + "x " * 1_500_000 + "</p>")])
    (failure,) = result(book, ReadOptions(max_bytes=1_000_000)).failures
    assert failure.error.startswith("The book unpacks to 3,")
