"""DOCX: headings, lists, tables, properties, and what hides in the XML."""

import io
import zipfile
from datetime import UTC, datetime

import docx

from rag.readers import ReadOptions, read_bytes
from rag.types import Document
from tests.files import make_docx, save_docx, wrap_in


def read(data: bytes) -> Document:
    (document,) = read_bytes(data, "letters/a.docx").documents
    return document


def shown(document: Document) -> list[tuple[str, tuple[str, ...], str]]:
    return [(b.kind, b.path, document.text[b.start : b.end]) for b in document.blocks]


def test_structure_becomes_blocks() -> None:
    data = make_docx(
        [
            ("Title", "Report"),
            ("Normal", "An introduction."),
            ("Heading 1", "Plan"),
            ("List Bullet", "one"),
            ("List Bullet", "two"),
            ("List Number", "first"),
            ("List Number", "second"),
            ("Heading 2", "Costs"),
            [["Item", "Price"], ["Foo", "3\nnet"], ["", ""]],
            [["A frame around text"]],
        ]
    )
    costs = ("Report", "Plan", "Costs")
    assert shown(read(data)) == [
        ("heading", ("Report",), "Report"),
        ("prose", ("Report",), "An introduction."),
        ("heading", ("Report", "Plan"), "Plan"),
        ("list", ("Report", "Plan"), "- one\n- two\n1. first\n2. second"),
        ("heading", costs, "Costs"),
        ("table", costs, "Item | Price\nFoo | 3 net"),
        ("prose", costs, "A frame around text"),
    ]


def test_properties_are_metadata_and_the_title_comes_first_from_them() -> None:
    data = make_docx(
        [("Heading 1", "Heading")],
        title="Declared",
        author="A. Author",
        modified=datetime(2026, 5, 1, 10, tzinfo=UTC),
        keywords="x; y",
    )
    document = read(data)
    assert document.title == "Declared"
    assert dict(document.metadata) == {
        "author": "A. Author",
        "modified": 1_777_629_600,
        "keywords": ("x", "y"),
        "type": "docx",
    }


def test_the_title_is_else_that_of_the_text_else_the_file() -> None:
    assert read(make_docx([("Heading 1", "Heading"), ("Title", "Titled")])).title == "Titled"
    assert read(make_docx([("Heading 1", "Heading")])).title == "Heading"
    assert read(make_docx([("Normal", "Text")])).title == "a"


def test_insertions_are_read_and_deletions_are_not() -> None:
    file = docx.Document()
    paragraph = file.add_paragraph("Kept ")
    paragraph.add_run("inserted")
    wrap_in(paragraph, "w:ins")
    paragraph.add_run(" deleted")
    wrap_in(paragraph, "w:del")
    assert read(save_docx(file)).text == "Kept inserted"


def test_breaks_and_tabs() -> None:
    file = docx.Document()
    file.add_paragraph("a\tb\nc")
    assert read(save_docx(file)).text == "a b\nc"


def test_no_text_is_said() -> None:
    (failure,) = read_bytes(make_docx([]), "a.docx").failures
    assert failure.error == "The Word document has no text in it."


def test_a_truncated_file_is_said_to_be_damaged() -> None:
    (failure,) = read_bytes(make_docx([("Normal", "x")])[:2_000], "a.docx").failures
    assert failure.error == "The Word document is damaged or cut short and could not be read."


def rezip(data: bytes, **members: bytes) -> bytes:
    """The archive with members replaced: ``word__document`` stands for ``word/document.xml``."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            key = name.removesuffix(".xml").replace("/", "__")
            new.writestr(name, members.get(key, old.read(name)))
    return out.getvalue()


def test_a_bomb_is_refused_by_what_it_unpacks_to() -> None:
    data = rezip(make_docx([("Normal", "x")]), word__document=b" " * 3_000_000)
    assert len(data) < 100_000
    (failure,) = read_bytes(data, "a.docx", ReadOptions(max_bytes=1_000_000)).failures
    assert failure.error.startswith("The Word document unpacks to 3,")


def test_broken_xml_and_entities_are_no_way_in() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><w:document xmlns:w="w">&b;</w:document>'
    for xml in (b"<w:document", bomb):
        (failure,) = read_bytes(rezip(make_docx([("Normal", "x")]), word__document=xml), "a.docx").failures
        assert failure.error == "The Word document is damaged or cut short and could not be read."
