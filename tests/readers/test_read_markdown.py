"""Markdown: the file unchanged, its structure as blocks, its front matter as metadata."""

from pathlib import Path

import pytest

from rag.readers import read_bytes
from rag.types import Document, ReadFailure
from tests.files import make_markdown


def read(text: str, source: str = "docs/page.md") -> Document:
    (document,) = read_bytes(text.encode(), source).documents
    assert document.text == text
    return document


def shown(text: str) -> list[tuple[str, tuple[str, ...], str]]:
    document = read(text)
    return [(b.kind, b.path, document.text[b.start : b.end]) for b in document.blocks]


def test_headings_open_a_path_and_lose_their_marks() -> None:
    text = "# A *b* `c` [d](e) ##\ntext\n\n### Deep\n\nUnder\n-----\nlast"
    path = ("A b c d",)
    assert shown(text) == [
        ("heading", path, "A *b* `c` [d](e)"),
        ("prose", path, "text"),
        ("heading", (*path, "Deep"), "Deep"),
        ("heading", (*path, "Under"), "Under"),
        ("prose", (*path, "Under"), "last"),
    ]


def test_a_heading_keeps_a_sharp_of_its_own() -> None:
    assert read("# C#\n").title == "C#"


def test_lists_tables_and_code_are_blocks_of_their_kind() -> None:
    text = "- a\n  - b\n\n1. c\n\n| x | y |\n|---|---|\n| 1 | 2 |\n\n```py\n  f(x)\n```\n\n    g(y); h()\n"
    assert shown(text) == [
        ("list", (), "- a\n  - b"),
        ("list", (), "1. c"),
        ("table", (), "| x | y |\n|---|---|\n| 1 | 2 |"),
        ("code", (), "  f(x)"),
        ("code", (), "    g(y); h()"),
    ]


def test_code_inside_a_list_is_code() -> None:
    assert shown("1. Run\n\n   ```\n   ls\n   ```\n\n   then\n2. Stop\n") == [
        ("list", (), "1. Run"),
        ("code", (), "   ls"),
        ("list", (), "then\n2. Stop"),
    ]


def test_an_indented_paragraph_is_prose() -> None:
    text = "Start.\n\n    The whole paragraph is set in by four spaces, as old letters have it.\n"
    assert [kind for kind, _, _ in shown(text)] == ["prose", "prose"]


def test_a_quotation_begins_behind_its_mark() -> None:
    assert shown("> Said\n> so.\n") == [("prose", (), "Said\n> so.")]


def test_html_blocks_lose_the_tags_around_them_and_comments_vanish() -> None:
    assert shown('<div align="center"><b>Hi</b> there <!-- x --></div>\n\n<!-- a -- b -->\n') == [
        ("prose", (), "Hi</b> there")
    ]


def test_front_matter_is_metadata_and_no_block() -> None:
    data = make_markdown(
        "# H\ntext", title="T", tags=["a", 1], date="2026-05-01", draft=True, rating=4.5, no=None
    )
    (document,) = read_bytes(data, "a.md").documents
    assert document.title == "T"
    assert dict(document.metadata) == {
        "tags": ("a", "1"),
        "date": 1_777_593_600,
        "draft": True,
        "rating": 4.5,
        "type": "markdown",
    }
    assert [document.text[b.start : b.end] for b in document.blocks] == ["H", "text"]


def test_yaml_dates_nesting_and_reserved_keys() -> None:
    front = "when: 2026-05-01 12:00:00 +02:00\r\nodd: 2026-02-30\r\na: {b: {c: 1}}\r\ntype: post"
    text = f"\ufeff---\r\n{front}\r\n---\r\nx"
    assert dict(read(text).metadata) == {
        "when": 1_777_629_600,
        "odd": "2026-02-30",
        "a.b.c": 1,
        "declared_type": "post",
        "type": "markdown",
    }


def test_toml_front_matter() -> None:
    document = read('+++\ntitle = "T"\ndate = 2026-05-01\n+++\nx')
    assert (document.title, document.metadata["date"]) == ("T", 1_777_593_600)


@pytest.mark.parametrize(
    ("front", "reason"),
    [
        ("title: [x", "did not find expected ',' or ']' (line 3)"),
        ("a: &x [1]\nb: *x", "aliases are not read"),
        ("a: " + "[" * 600 + "]" * 600, "it is nested too deeply"),
        ("\n".join(f"k{n}: {n}" for n in range(1_100)), "The metadata has more than 1,000 values"),
    ],
)
def test_broken_front_matter_is_said_and_kept_as_text(front: str, reason: str) -> None:
    result = read_bytes(f"---\n{front}\n---\n# A\ntext".encode(), "a.md")
    (failure,) = result.failures
    assert failure.path == "a.md"
    assert failure.error.startswith("The front matter is not valid YAML and was ignored: ")
    (document,) = result.documents
    assert document.title == "A"
    block = document.blocks[0]
    assert (block.kind, document.text[block.start : block.end]) == ("code", front)
    assert reason in failure.error


def test_text_between_rules_is_no_front_matter() -> None:
    assert read("---\n\nOnce upon a time.\n\n---\n\nThe end.").blocks[0].kind == "prose"


def test_the_title_is_the_first_heading_of_level_one_else_the_file() -> None:
    assert read("## Sub\n\n# Top\n").title == "Top"
    assert read("## Sub\n").title == "page"


def test_wiki_headings_in_a_markdown_file() -> None:
    text = " = = Plot = = \n Text . \n = = = Cast = = = \n More . \n"
    assert shown(text) == [
        ("heading", ("Plot",), "Plot"),
        ("prose", ("Plot",), "Text ."),
        ("heading", ("Plot", "Cast"), "Cast"),
        ("prose", ("Plot", "Cast"), "More ."),
    ]


def test_a_wiki_export_of_several_articles_is_called_by_its_file() -> None:
    assert read("= Cat =\nx\n= Dog =\ny\n").title == "page"
    assert read("= Cat =\nx\n== Diet ==\ny\n").title == "Cat"


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\n\ny = = 2\n",
        "Title\n=====\n\ntext\n",
        "# Markdown\n\n== really ==\n\n== really ==\n",
        "```\n== a ==\n== b ==\n```\n",
        "= Goals ; A = \n Assists\n = Wins ; L = \n Losses\n",
        "text\n\n== lonely ==\n\ntext\n",
    ],
)
def test_equals_signs_elsewhere_are_no_wiki_headings(text: str) -> None:
    assert not any(kind == "heading" and piece[:1] in "=rabGWl" for kind, _, piece in shown(text))


def test_lines_of_a_dump_are_blocks_of_prose() -> None:
    line = "[{'content': 'How do I do it?', 'role': 'user'}, {'content': '" + "Like this. " * 20 + "'}]"
    assert [kind for kind, _, _ in shown(f"{line}\n{line}\n")] == ["prose", "prose"]


def test_what_is_nested_too_deeply_is_not_lost() -> None:
    blocks = shown("- first\n" + "- " * 500 + "deep\n\nafter\n")
    assert " ".join(text for _, _, text in blocks).split() == ["-", "first", *["-"] * 500, "deep", "after"]


def test_a_long_file_is_parsed_in_pieces_with_the_same_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(f"# H{n}\n\ntext {n}\n\n- item\n\n```\n# code\n\nx\n```\n\n" for n in range(50))
    whole = shown(text)
    monkeypatch.setattr("rag.readers.markdown._PIECE", 100)
    assert shown(text) == whole


def test_a_truncated_file_is_kept_beside_its_failure() -> None:
    result = read_bytes("Ä text é".encode()[:-1], "a.md")
    assert result.documents[0].text == "Ä text "
    assert result.failures == (
        ReadFailure("a.md", "The file ends in the middle of a character; the rest of it was read."),
    )


def test_links_and_images_are_left_alone(tmp_path: Path) -> None:
    assert shown("![pic](http://example.com/x.png) <script>alert(1)</script>\n")[0][2].startswith(
        "![pic](http"
    )


def test_a_title_that_is_declared_as_nothing_is_none() -> None:
    (document,) = read_bytes(b"---\ntitle:\nyear: ~\n---\nText.\n", "notes.md").documents
    assert (document.title, dict(document.metadata)) == ("notes", {"type": "markdown"})
