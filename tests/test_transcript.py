"""A conversation as Markdown: nothing in it is interpreted, nobody is named."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from rag.transcript import markdown
from rag.types import Answer, Citation, Passage, Provenance

PASSAGE = Passage("doc", "notes/cellar.md", "Cellar", 4, 22, "Tempranillo, 2019.", 0.5, "fused", page=2)
ANSWER = Answer(
    id="secret-answer-id",
    question="Which red is dry?",
    rewritten="",
    text="“Tempranillo, 2019.” [1]",
    citations=(Citation(1, "doc", "notes/cellar.md", 4, 22, "Tempranillo, 2019.", "verbatim", 0, 20, 0),),
    passages=(PASSAGE,),
    confidence=0.9,
    abstained=False,
    generator="extractive",
    usage={},
    seconds={},
    provenance=Provenance("wine", "s", "i", "p", "secret-link-id"),
    created=1_700_000_000.0,
    conversation_id="secret-conversation-id",
)
HOSTILE = [
    "<img src=x onerror=alert(1)> <script>x</script>",
    "![x](https://evil.example/leak) and [a](javascript:alert(1))",
    "https://evil.example www.evil.example <https://evil.example> a@evil.example",
    "# heading\n## two\n- list\n1. one\n> quote\n---\n    code\n\tcode\n```\nfence\n```",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "a\\\nb  \nc\r\nd\x00\u202ee",
    "*bold* _em_ ~~gone~~ `code` $x$ &lt; &#60;script&#62; :red[x]",
    "[1]: https://evil.example\n[x][1]",
]


def test_a_conversation_with_its_sources() -> None:
    text = markdown("Wine cellar", [ANSWER])
    assert text == (
        "# Wine cellar\n\n## Which red is dry?\n\n2023-11-14 22:13 UTC, extractive\n\n"
        "“Tempranillo, 2019\\.” \\[1\\]\n\n"
        "**1** Cellar, notes/cellar\\.md, page 2, characters 4 to 22 (quoted word for word):\n\n"
        "> Tempranillo, 2019\\.\n"
    )
    assert "secret" not in text


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("place", ["question", "text", "quote", "title", "source"])
def test_untrusted_text_is_text_and_nothing_else(hostile: str, place: str) -> None:
    answer, title = ANSWER, "Wine cellar"
    if place in ("question", "text"):
        answer = replace(answer, **{place: hostile})
    elif place == "title":
        title = hostile
    else:
        answer = replace(answer, citations=(replace(answer.citations[0], **{place: hostile}),))

    written = markdown(title, [answer])
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(written)

    inline = [child for token in tokens for child in token.children or []]
    kinds = {token.type for token in tokens} | {child.type for child in inline}
    assert kinds <= {
        "heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "text", "strong_open",
        "strong_close", "blockquote_open", "blockquote_close", "hardbreak", "softbreak", "text_special",
    }  # fmt: skip
    assert [t.tag for t in tokens if t.type == "heading_open"] == ["h1", "h2"]
    seen = "".join(child.content for child in inline)
    assert not re.search(r"https?:|www\.|\w@\w", seen)  # what viewers make links of by themselves


def test_nothing_written_and_stopped_are_said() -> None:
    text = markdown("x", [replace(ANSWER, text="", citations=(), stopped=True)])
    assert "(Nothing was written.)" in text
    assert "(Stopped before its end.)" in text
