"""What holds for documents of every reader, whatever is in the file."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.readers import SUFFIXES, UNFORESEEN, ReadResult, read_bytes
from tests.files import make_csv, make_docx, make_html, make_jsonl, make_markdown, make_pdf

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
XML_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=60
)
LINES = st.lists(
    st.sampled_from(
        [
            "# One", "## Two", "Three\n=====", "- item", "  - inner", "1. first", "> said", "```", "~~~",
            "    code()", "| a | b |", "|---|---|", "| 1 | 2 |",
            "<div>", "</div>", "<!-- x", "-->", "= Wiki =",
            " = = Sub = = ", "---", "+++", "title: x", "[ref]: y", "", "", "Plain words here.", "\t", "\r",
            "\ufeff", "🎉 \u200fעברית",
        ]
    )
    | TEXT,
    max_size=25,
)  # fmt: skip
MARKUP = st.lists(
    st.sampled_from(
        [
            "<p>", "</p>", "<h1>", "</h1>", "<h2>x</h2>", "<ul>", "<li>", "</li>", "</ul>", "<table>", "<tr>",
            "<td>", "</td>", "</table>", "<pre>", "</pre>",
            "<br>", "<dl>", "<dt>", "<dd>", "<main>", "</main>",
            "<nav>", "</nav>", "<script>", "</script>", "&amp;", "&#0;", "<div class='menu'>", "</div>",
            "<a href=x>", "</a>", " words ",
        ]
    )
    | TEXT,
    max_size=40,
)  # fmt: skip
STYLES = st.sampled_from(["Title", "Heading 1", "Heading 3", "Normal", "List Bullet", "List Number"])


def check(result: ReadResult) -> None:
    for document in result.documents:
        text, blocks = document.text, document.blocks
        text.encode()  # fails on lone surrogates
        assert document.title
        assert document.id
        assert all(0 <= block.start < block.end <= len(text) for block in blocks)
        assert all(one.end <= two.start for one, two in itertools.pairwise(blocks))
        for block in blocks:
            assert text[block.start : block.end].strip()
            assert block.kind != "heading" or block.path
            assert all(name.strip() for name in block.path)
    for failure in result.failures:
        assert failure.path
        assert failure.error.endswith(".")
        assert not failure.error.startswith(UNFORESEEN)
    assert result.documents or result.failures


def newlines(draw: st.DataObject) -> str:
    return draw.draw(st.sampled_from(["\n", "\r\n", "\r"]))


@QUICK
@given(LINES, st.data(), st.sampled_from([".md", ".txt", ".log"]))
def test_text_and_markdown(lines: list[str], data: st.DataObject, suffix: str) -> None:
    raw = newlines(data).join(lines).encode()
    result = read_bytes(raw, f"a{suffix}")
    check(result)
    assert all(document.text == raw.decode("utf-8") for document in result.documents)


@QUICK
@given(LINES)
def test_markdown_loses_no_word_of_a_paragraph(lines: list[str]) -> None:
    body = "\n".join([*lines, "```", "~~~", "-->", "", "", "Mostly harmless.", ""])
    (document,) = read_bytes(body.encode(), "a.md").documents or [None]
    assert document is not None
    at = document.text.index("Mostly harmless.")
    assert any(block.start <= at < block.end for block in document.blocks)


@QUICK
@given(MARKUP)
def test_html(pieces: list[str]) -> None:
    check(read_bytes(make_html("".join(pieces)), "a.html"))


@settings(QUICK, max_examples=25)
@given(st.lists(TEXT, min_size=1, max_size=4))
def test_pdf(pages: list[str]) -> None:
    result = read_bytes(make_pdf(pages, bookmarks=[(1, "One"), (len(pages), "Last")]), "a.pdf")
    check(result)
    for document in result.documents:
        assert [b.page for b in document.blocks] == sorted(b.page or 0 for b in document.blocks)


@settings(QUICK, max_examples=15)
@given(
    st.lists(
        st.tuples(STYLES, XML_TEXT) | st.lists(st.lists(XML_TEXT, min_size=2, max_size=2), min_size=1),
        max_size=5,
    )
)
def test_docx(blocks: list[tuple[str, str] | list[list[str]]]) -> None:
    check(read_bytes(make_docx(blocks), "a.docx"))


@QUICK
@given(
    st.lists(st.lists(TEXT, min_size=1, max_size=4), min_size=1, max_size=6),
    st.sampled_from([",", ";", "\t"]),
)
def test_csv(rows: list[list[str]], delimiter: str) -> None:
    check(read_bytes(make_csv(rows, delimiter), "a.csv"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@QUICK
@given(
    st.lists(
        st.fixed_dictionaries(
            {"text": TEXT}, optional={"id": JSON, "title": JSON, "metadata": JSON, "x": JSON}
        ),
        min_size=1,
        max_size=5,
    )
)
def test_jsonl(records: list[dict[str, object]]) -> None:
    result = read_bytes(make_jsonl(records), "a.jsonl")
    check(result)
    given_texts = {str(record["text"]) for record in records}
    assert {document.text for document in result.documents} <= given_texts
    for document in result.documents:
        for key, value in document.metadata.items():
            assert key.strip() == key
            assert isinstance(value, (str, int, float, bool, tuple))


@QUICK
@given(
    TEXT, st.dictionaries(st.text(st.characters(categories=["Ll"]), min_size=1, max_size=8), JSON, max_size=4)
)
def test_front_matter(body: str, declared: dict[str, object]) -> None:
    check(read_bytes(make_markdown("Text. " + body, **declared), "a.md"))


@pytest.mark.parametrize("suffix", SUFFIXES)
@QUICK
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"%PDF-1.7\n", b"PK\x03\x04", b"---\n", b"<html>", b'{"', b"\xff\xfe"]),
)
def test_any_bytes_under_any_name(suffix: str, data: bytes, start: bytes) -> None:
    check(read_bytes(start + data, f"a{suffix}"))
