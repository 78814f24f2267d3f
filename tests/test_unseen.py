"""What a reader does not see is taken out; what scripts and emoji need stays."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.unseen import Unseen, without_unseen


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("zero\u200bwidth\u2060 and\ufeff", "zerowidth and"),
        ("pay \u202e42\u202c now", "pay 42 now"),
        ("tag\U000e0041\U000e007f", "tag"),
        ("smuggled\ufe03\U000e0110", "smuggled"),
        ("soft\u00adhyphen", "softhyphen"),
        ("bits\u200b\u200c\u200d\u200c", "bits"),
        ("\x1b[31mred\x1b[0m\x00", "[31mred[0m"),
        ("a\r\nb\rc\td", "a\nb\nc\td"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d🔬 ❤\ufe0f", "👩\u200d🔬 ❤\ufe0f"),
        ("Ça va ? はい。", "Ça va ? はい。"),
        ("\ud83d\ude00 tea \ud83d, \ude00\ud83d", "😀 tea \ufffd, \ufffd\ufffd"),
        ("tag\udb40\udc41", "tag"),
    ],
)
def test_what_is_seen(text: str, seen: str) -> None:
    assert without_unseen(text) == seen


NASTY = st.text(
    alphabet="ab \n\r\u200b\u200c\u200dم👩\ufe0f\ufe0e\u202e\U000e0041\x00\ud83d\ude00\udb40\udc41",
    max_size=30,
)


@given(NASTY, st.lists(st.integers(0, 30), max_size=6))
def test_any_split_gives_the_same(text: str, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    unseen = Unseen()

    seen = "".join(unseen.feed(text[a:b]) for a, b in pairwise(places)) + unseen.end()
    assert seen == without_unseen(text)
    assert seen == seen.encode().decode()


@given(NASTY)
def test_nothing_more_is_found_the_second_time(text: str) -> None:
    assert without_unseen(without_unseen(text)) == without_unseen(text)


def test_a_place_of_what_came_is_known_in_what_was_given_out() -> None:
    unseen = Unseen()
    came = "\u200bThe \u200bfee is 24"
    given_out = unseen.feed(came)

    assert given_out == "The fee is 24"
    assert given_out[unseen.place(came.index("fee")) :] == "fee is 24"
