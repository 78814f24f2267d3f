"""Untrusted text as Markdown. What a browser makes of it is in tests/browser."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.ui.text import MARKUP, badge, composed, cut, highlighted, one_line, plain, shown

NASTY = st.text(
    alphabet=st.one_of(
        st.sampled_from("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \n\t\rabw1"), st.characters(codec=None)
    ),
    max_size=80,
)


def read(markdown: str) -> str:
    """What the Markdown says once references are resolved and our own markup is taken away."""
    bare = re.sub(r":(?:small|yellow-background)\[", "", markdown.replace(":small[]", "")).replace("]", "")
    return html.unescape(bare.replace("\\\n", "\n")).replace("\u00a0", " ")


@given(NASTY)
def test_nothing_is_lost_and_nothing_is_added(text: str) -> None:
    expected = shown(text).strip("\n").replace("\u00a0", " ")
    assert read(plain(text)) == expected


@given(NASTY)
def test_no_character_with_a_meaning_is_left(text: str) -> None:
    source = plain(text).replace(":small[]", "").replace("\\\n", "\n")
    assert not re.search(r"[!$()*+\-.:<=>@\[\\\]^_`{|}~]|(?<!&)#|&(?!#\d+;)", source)


@given(NASTY, st.integers(0, 80), st.integers(0, 80))
def test_highlighting_changes_no_letter(text: str, start: int, end: int) -> None:
    marked = read(highlighted(text, [(start, end)]))
    assert " ".join(marked.split()) == " ".join(shown(text).replace("\u00a0", " ").split())


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("a [link](x)", "a &#91;link&#93;&#40;x&#41;"),
        ("a -> b", "a &#45;:small[]&#62; b"),
        ("www.x.org", "www:small[]&#46;x&#46;org"),
        ("me@x.org", "me:small[]&#64;x&#46;org"),
        ("https://x", "https&#58;:small[]//x"),
        ("two\nlines", "two\\\nlines"),
        ("\n  in  it\n", "&#160;&#160;in&#160; it"),
        ("a\r\nb\tc\x00", "a\\\nb&#160;&#160;&#160; c\ufffd"),
        ("half \ud83d", "half \ufffd"),
        ("invoice\u202efdp.exe\u2066 \u200fשלום", "invoicefdp&#46;exe שלום"),
        ("Ça va ? はい。", "Ça va ? はい。"),
    ],
)
def test_plain(text: str, markdown: str) -> None:
    assert plain(text) == markdown


def test_a_highlight_is_closed_at_the_end_of_each_line() -> None:
    assert highlighted("a b\nc d", [(2, 5)]) == "a :yellow-background[b]\\\n:yellow-background[c] d"


def test_overlapping_spans_are_one() -> None:
    assert highlighted("abcdef", [(1, 3), (2, 4), (9, 12)]) == "a:yellow-background[bcd]ef"


def test_spaces_at_the_ends_of_a_highlight_stay_outside() -> None:
    assert highlighted("a b c", [(1, 4)]) == "a :yellow-background[b] c"


def test_markup_of_ours_goes_in_as_it_is() -> None:
    assert composed([("1*", ""), (" :blue-badge[1]", MARKUP)]) == "1&#42; :blue-badge[1]"


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [("one two three", 9, "one two…"), ("abcdefghij", 4, "abcd…"), ("a\n b", 0, "a b"), ("abc", 3, "abc")],
)
def test_cut(text: str, limit: int, short: str) -> None:
    assert cut(text, limit) == short


def test_labels_are_one_line() -> None:
    assert one_line("a\nb") == "a b"
    assert badge("50 %") == ":gray-badge[50 %]"
