"""HTML: the content of a page, without what is around it."""

import pytest

from rag.readers import read_bytes
from rag.types import Document
from tests.files import make_html


def read(data: bytes) -> Document:
    (document,) = read_bytes(data, "site/page.html").documents
    return document


def shown(body: str) -> list[tuple[str, tuple[str, ...], str]]:
    document = read(make_html(body))
    return [(b.kind, b.path, document.text[b.start : b.end]) for b in document.blocks]


def test_structure_becomes_blocks() -> None:
    body = """
      <h1>Guide</h1><p>A <b>bold</b>
      word, fi<i>n</i>e.<br>Next&nbsp;line.</p>
      <h2>Use</h2>
      <ul><li>One<ul><li>Inner</li></ul></li><li><p>Two</p></li></ul><ol><li>First</ol>
      <table><caption>Prices</caption><tr><th>Item<th>Price<tr><td>Foo<td><p>3</p><p>net</p></table>
      <pre>  if x:
    go()</pre>
      <dl><dt>Term</dt><dd>Meaning</dd><dd>Other</dd><dt>Why?</dt><dd>So.</dd></dl>
    """
    guide, use = ("Guide",), ("Guide", "Use")
    assert shown(body) == [
        ("heading", guide, "Guide"),
        ("prose", guide, "A bold word, fine.\nNext line."),
        ("heading", use, "Use"),
        ("list", use, "- One\n  - Inner\n- Two"),
        ("list", use, "1. First"),
        ("prose", use, "Prices"),
        ("table", use, "Item | Price\nFoo | 3 net"),
        ("code", use, "  if x:\n    go()"),
        ("list", use, "- Term: Meaning; Other\n- Why? So."),
    ]


def test_scripts_styles_and_comments_are_no_text() -> None:
    assert shown(
        "<style>p{}</style><p>Seen<script>alert('x')</script> here</p><!-- not --><template>no</template>"
    ) == [("prose", (), "Seen here")]


LONG = "The text of the article goes on and on, as texts of articles do. " * 5


@pytest.mark.parametrize(
    "around",
    [
        "<nav><a href='/'>Home</a></nav>",
        "<header>Site <a href='/'>Home</a></header>",
        "<footer>All rights reserved</footer>",
        "<aside>Read also</aside>",
        "<div role='navigation'>Menu</div>",
        "<div class='cookie-banner'>We use cookies</div>",
        "<div id='sidebar'><a href='1'>Recent post</a> <a href='2'>Another</a></div>",
        "<ul><li><a>One</a><li><a>Two</a><li><a>Three</a><li><a>Four</a></ul>",
        "<div hidden>Secret</div>",
        "<p style='display: none'>Secret</p>",
        "<button>Press</button>",
    ],
)
def test_what_is_around_the_content_is_left_out(around: str) -> None:
    assert shown(f"{around}<h1>Post</h1><p>{LONG}</p>") == [
        ("heading", ("Post",), "Post"),
        ("prose", ("Post",), LONG.strip()),
    ]


def test_the_main_element_is_the_content() -> None:
    assert shown(f"<p>Before</p><main><p>{LONG}</p><aside>A remark</aside></main><p>After</p>") == [
        ("prose", (), LONG.strip()),
        ("prose", (), "A remark"),
    ]


def test_what_holds_most_of_the_text_is_content_whatever_it_is_called() -> None:
    assert shown(f"<div class='sidebar menu'><p>{LONG}</p></div>") == [("prose", (), LONG.strip())]


def test_a_page_that_is_all_navigation_is_still_read() -> None:
    assert shown("<nav><a>Only this</a></nav>") == [("prose", (), "Only this")]


def test_title_and_metadata_of_the_head() -> None:
    head = (
        "<meta name='author' content='A. Author'><meta name='keywords' content='x, y'>"
        "<meta property='article:published_time' content='2026-05-01T10:00:00Z'>"
        "<meta name='description' content='About it'>"
    )
    document = read(make_html("<h1>Heading</h1><p>Text</p>", title="Page &amp; title", head=head))
    assert document.title == "Page & title"
    assert dict(document.metadata) == {
        "author": "A. Author",
        "keywords": ("x", "y"),
        "date": 1_777_629_600,
        "description": "About it",
        "type": "html",
    }


def test_without_a_title_the_first_heading_serves_else_the_file() -> None:
    assert read(b"<h1>Heading</h1><p>Text").title == "Heading"
    assert read(b"<p>Text").title == "page"


@pytest.mark.parametrize(
    "data",
    [
        "<meta charset=shift_jis><p>日本語".encode("shift_jis"),
        '<?xml version="1.0" encoding="euc-jp"?><html><p>日本語</p></html>'.encode("euc-jp"),
        "<meta charset=windows-1252><p>日本語".encode("utf-16"),
        "<meta charset=ascii-nonsense><p>日本語".encode(),
        "<p>日本語".encode(),
    ],
)
def test_the_declared_charset_is_honoured(data: bytes) -> None:
    assert read(data).text == "日本語"


def test_a_wrong_charset_is_not() -> None:
    assert read("<meta charset=utf-8><p>café “x”".encode("cp1252")).text == "café “x”"


def test_layout_tables_are_read_through() -> None:
    assert shown("<table><tr><td><h2>Head</h2><p>Text</p></td></tr></table>") == [
        ("heading", ("Head",), "Head"),
        ("prose", ("Head",), "Text"),
    ]


def test_a_page_nested_beyond_measure_is_read_without_structure() -> None:
    result = read_bytes(b"<div>" * 5_000 + b"deep &amp; down<script>x</script>", "a.html")
    assert result.documents[0].text == "deep & down"
    assert result.failures[0].error == "The page is nested too deeply; its text was read without headings."


def test_lists_within_lists_do_not_take_the_square_of_their_depth() -> None:
    assert len(read(b"<ul><li>x" * 500).blocks) == 1


def test_a_page_of_comments_has_no_text() -> None:
    (failure,) = read_bytes(b"<!-- nothing -->", "a.html").failures
    assert failure.error == "The page has no text in it."


def test_breaks_in_code_are_lines_and_control_characters_harmless() -> None:
    assert shown("<pre>a<br>\x08b<b>c</b>d</pre>") == [("code", (), "a\n\x08bcd")]
