"""A conversation as Markdown: nothing in it is interpreted, nobody is named."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rag.answering import BUDGET_SPENT
from rag.transcript import markdown
from rag.types import Answer, Citation, Claim, Passage, Provenance

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
KINDS = {
    "heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "text", "strong_open",
    "strong_close", "blockquote_open", "blockquote_close", "hardbreak", "softbreak", "text_special",
}  # fmt: skip
"""What a conversation is made of, where nothing is struck out."""
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
    assert kinds <= KINDS
    assert [t.tag for t in tokens if t.type == "heading_open"] == ["h1", "h2"]
    seen = "".join(child.content for child in inline)
    assert not re.search(r"https?:|www\.|\w@\w", seen)  # what viewers make links of by themselves


def test_nothing_written_and_stopped_are_said() -> None:
    text = markdown("x", [replace(ANSWER, text="", citations=(), stopped=True)])
    assert "(Nothing was written.)" in text
    assert "(Stopped before its end.)" in text


def test_what_no_source_supports_is_struck_out_or_doubted_and_the_notices_are_told() -> None:
    wrong = Claim(0, 21, "unsupported", 0.1, ("number",))
    doubted = Claim(22, 33, "unsupported", 0.1, ("meaning",))
    answer = replace(
        ANSWER,
        text="The fee is 900 euros. It is high.",
        citations=(),
        claims=(wrong, doubted),
        notices=(BUDGET_SPENT,),
    )

    text = markdown("Fees", [answer])

    assert "~~The fee is 900 euros\\.~~ \\[not found in the sources\\] It is high\\. \\[?\\]\n" in text
    assert "(Note\\: Quoted instead\\: the budget for answers by a model is used up for now\\.)" in text
    assert "(Note\\: 1 statement was not found in the sources\\.)" in text
    assert "these words\\: see \\[?\\]\\.)" in text


def test_what_is_struck_out_over_lines_is_struck_out_line_by_line() -> None:
    text = "It says:\n - one\r\n\n\n\x07\n   two"
    answer = replace(ANSWER, text=text, claims=(Claim(9, len(text), "unsupported", 0.1, ("number",)),))

    assert "It says\\:\\\n~~\\- one~~\n\n~~two~~ \\[not found in the sources\\]" in markdown("x", [answer])


def test_in_a_script_without_spaces_the_stop_stays_outside_of_what_is_struck_out() -> None:
    text = "许可证要42欧元。孩子不付。"
    answer = replace(ANSWER, text=text, claims=(Claim(0, 9, "unsupported", 0.1, ("number",)),))

    assert "~~许可证要42欧元~~。 \\[not found in the sources\\]孩子不付。" in markdown("x", [answer])


@given(
    text=st.text(st.sampled_from("ab1 .\n\r\t~*_`#>-|[]()<&\\:/w@。\x00\u00a0\u2028\ufdd0\ufdd1")),
    spans=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.booleans()), max_size=3),
)
@example(text="\x00", spans=[(0, 1, True)])
@example(text="~\ufdd0~\ufdd1", spans=[(1, 3, True)])
@example(text="~~~\nab", spans=[(0, 1, True), (1, 2, True), (2, 3, True)])
def test_no_mark_makes_anything_of_a_text_but_struck_out(
    text: str, spans: list[tuple[int, int, bool]]
) -> None:
    claims = tuple(
        Claim(start, end, "unsupported", 0.0, ("number" if wrong else "meaning",))
        for start, end, wrong in spans
    )
    written = markdown("x", [replace(ANSWER, text=text, citations=(), claims=claims)])
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(written)

    inline = [child for token in tokens for child in token.children or []]
    kinds = {token.type for token in tokens} | {child.type for child in inline}
    assert kinds <= KINDS | {"s_open", "s_close"}
    assert not {"\ufdd0", "\ufdd1"} & set(written)
