"""Citation markers in a text that comes in pieces."""

from __future__ import annotations

import re
import time
from itertools import pairwise
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.cite.markers import Block, Marker, MarkerParser, Token

FIVE = 5
CODE = re.compile(r"`[^`]*`")


def parse(text: str, *cuts: int, passages: int = FIVE) -> list[Token]:
    """What the parser makes of a text cut at these places; neighbouring texts joined, and code."""
    parser = MarkerParser(passages)
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    found: list[Token] = []
    pieces = [text[a:b] for a, b in pairwise(places)]
    for token in [t for piece in pieces for t in parser.feed(piece)] + list(parser.end()):
        if isinstance(token, str) and found and isinstance(found[-1], str):
            found[-1] += token
        elif isinstance(token, Block) and found and isinstance(found[-1], Block):
            found[-1] = Block(found[-1].text + token.text)
        else:
            found.append(token)
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Tea is green [1].", ["Tea is green ", Marker((1,)), "."]),
        ("[1, 3]", [Marker((1, 3))]),
        ("[1-3]", [Marker((1, 2, 3))]),
        ("[3–1]", [Marker((1, 2, 3))]),
        ("[1][2]", [Marker((1,)), Marker((2,))]),
        ("[[2]]", [Marker((2,))]),
        ("[[1], [2]]", [Marker((1, 2))]),
        ("【2†source】", [Marker((2,))]),
        ("[^1]", [Marker((1,))]),
        ("[Source 2; passage 3]", [Marker((2, 3))]),
        ("[1, p. 3]", [Marker((1,))]),
        ("[1: prices.md]", [Marker((1,))]),
        ("[Source 1: Handbook, page 2]", [Marker((1,))]),
        ("[1/2]", [Marker((1, 2))]),
        ("[1, 2, and 3]", [Marker((1, 2, 3))]),
        ("[passages 2, and 1]", [Marker((2, 1))]),
        ("[1 2]", [Marker((1, 2))]),
        ("[1‑3]", [Marker((1, 2, 3))]),
        ("[1−3]", [Marker((1, 2, 3))]),
        ("[1..3]", [Marker((1, 2, 3))]),
        ("[1、3]", [Marker((1, 3))]),
        ("【1:0†source】", [Marker((1,))]),
        ("【3:13†a.pdf】", [Marker((3,))]),
        ("[Excerpt 1]", [Marker((1,))]),
        ("[Quelle 2]", [Marker((2,))]),
        ("a [1], [2], and [3].", ["a ", Marker((1,)), Marker((2,)), Marker((3,)), "."]),
        ("a [1] and [2]; [3] b", ["a ", Marker((1,)), Marker((2,)), Marker((3,)), " b"]),
        ("a [1], and b, [x]", ["a ", Marker((1,)), ", and b, [x]"]),
        ("a [1],\n[2]", ["a ", Marker((1,)), ",\n", Marker((2,))]),
        ("[1 | 2]", [Marker((1, 2))]),
        ("[1 und 2]", [Marker((1, 2))]),
        ("[1.]", [Marker((1,))]),
        ("[P1]", [Marker((1,))]),
        ("[see 1]", [Marker((1,))]),
        ("[cite: 1, 2]", [Marker((1, 2))]),
        ("[passage number 1]", [Marker((1,))]),
        ("[ref. 1]", [Marker((1,))]),
        ("[**1**]", [Marker((1,))]),
        ("[0002]", [Marker((2,))]),
        ("[1]-[3]", [Marker((1, 2, 3))]),
        ("[1] – [3].", [Marker((1, 2, 3)), "."]),
        ("[1]\n- [2]", [Marker((1,)), "\n- ", Marker((2,))]),
        ("tea ([1]).", ["tea ", Marker((1,)), "."]),
        ("tea (see [1], [2] and [3]).", ["tea ", Marker((1,)), Marker((2,)), Marker((3,)), "."]),
        ("tea **[1]**.", ["tea ", Marker((1,)), "."]),
        ("tea (see [1] for more)", ["tea (see ", Marker((1,)), " for more)"]),
        (
            "at [10:30], [1:2], [p. 3], [3 of 5], [1.5], ([sic])",
            ["at [10:30], [1:2], [p. 3], [3 of 5], [1.5], ([sic])"],
        ),
        ("[source 1: a.md; source 2: b.md]", [Marker((1, 2))]),
        ("[1]-[2](http://x.example) so", [Marker((1,)), "-", Marker((2,)), " so"]),
        ("[1](http://x.example)-[3] so", [Marker((1, 2, 3)), " so"]),
        ("rates [3: not refundable], gate [No. 5]", ["rates [3: not refundable], gate [No. 5]"]),
        ("[0]", [Marker((), unknown=1)]),
        ("[9]", [Marker((), unknown=1)]),
        ("[4-7]", [Marker((4, 5), unknown=2)]),
        ("[1](http://127.0.0.1:9/leak) so", [Marker((1,)), " so"]),
        ("in [2021] [sic] [a] []", ["in [2021] [sic] [a] []"]),
        ("`x[1]` [2]", ["`x[1]` ", Marker((2,))]),
        ("```\nx[1]\n```\n[1]", [Block("```\nx[1]\n```"), "\n", Marker((1,))]),
        ("So:\n  ```py\nx[1]", ["So:\n  ", Block("```py\nx[1]")]),
        ("````\n```\nx[1]\n````\n", [Block("````\n```\nx[1]\n````"), "\n"]),
        ("```x[1]``` is code [1].", ["```x[1]``` is code ", Marker((1,)), "."]),
        ("```", [Block("```")]),
        ("[1]```\nx[2]", [Marker((1,)), Block("```\nx[2]")]),
        ("\\[1\\]```\nx[2]", [Marker((1,)), Block("```\nx[2]")]),
        ("cut [1", ["cut ", Marker((), unknown=1)]),
        ("cut [", ["cut ["]),
        ("[1 [2] x", ["[1 ", Marker((2,)), " x"]),
        (
            "［1］ [１] [①] [¹] ⟦2⟧ 〔3〕",
            [
                Marker((1,)),
                " ",
                Marker((1,)),
                " ",
                Marker((1,)),
                " ",
                Marker((1,)),
                " ",
                Marker((2,)),
                " ",
                Marker((3,)),
            ],
        ),
        (r"\[8\] \[1\] \[x\] a\b", [Marker((), 1), " ", Marker((1,)), r" [x] a\b"]),
        ("5 m² [²]", ["5 m² ", Marker((2,))]),
    ],
)
def test_what_is_a_marker(text: str, found: list[Token]) -> None:
    assert parse(text) == found


@settings(deadline=None)
@given(
    st.text(alphabet="[]【】［］⟦⟧\\¹①`123, -a(†*_):\n", max_size=30),
    st.lists(st.integers(0, 30), max_size=8),
)
def test_any_split_gives_the_same(text: str, cuts: list[int]) -> None:
    assert parse(text, *cuts) == parse(text)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["```", "`", "\n", "x[1]", "[2]", " ", "py", "```md\n"]), max_size=14),
    st.lists(st.integers(0, 40), max_size=8),
)
def test_any_split_gives_the_same_code(parts: list[str], cuts: list[int]) -> None:
    assert parse("".join(parts), *cuts) == parse("".join(parts))


@settings(deadline=None)
@given(st.text(alphabet="[]［］\\¹12, a(*)-", max_size=30))
def test_no_number_of_a_marker_is_left_in_the_text(text: str) -> None:
    left = "".join(token for token in parse(text) if isinstance(token, str))

    assert not re.search(r"\[[12]\]", normalize("NFKC", left))


@pytest.mark.parametrize("filler", ["†", "1,", "1 - ", "see ", "p. ", "*", "([", "a:", "1]-[", "_"])
def test_what_never_becomes_a_marker_is_decided_at_once(filler: str) -> None:
    text = "[[" + filler * 60 + "]!"

    # A pattern that backtracks would not return.
    assert parse(text * 3, *range(len(text))) == parse(text * 3)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "[1]",
                "[2",
                "]",
                "-",
                " ",
                "(",
                ")",
                "http://a",
                ": ",
                "A.md",
                "*",
                "and ",
                ",",
                "[",
                " or",
                ";",
            ]
        ),
        max_size=12,
    ),
    st.lists(st.integers(0, 40), max_size=8),
)
def test_any_split_of_markers_with_links_gives_the_same(parts: list[str], cuts: list[int]) -> None:
    assert parse("".join(parts), *cuts) == parse("".join(parts))


def test_code_of_a_line_ends_with_as_many_backticks_as_it_begins_with_wherever_it_is_cut() -> None:
    text = "`" + "a" * 196 + "[1]``"  # the second of the two backticks is beyond what is looked at

    assert Marker((1,)) in parse(text)


def test_an_open_bracket_before_many_markers_is_not_read_again_and_again() -> None:
    def takes(markers: int) -> float:
        text = "(" + "[1], " * markers
        parser = MarkerParser(3)
        began = time.process_time()
        for at in range(0, len(text), 5):
            list(parser.feed(text[at : at + 5]))
        return time.process_time() - began

    # Twice as many take twice as long, and not four times: read again each time they took eight.
    assert takes(4_000) < 3.5 * takes(2_000) + 0.05
