"""Flows to sentences: which full stop ends one.

Every stop is accepted or refused by what stands on both sides of it, at a bounded distance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.sentences.abbreviations import AFTER_NOON, BEFORE_NUMBER, MAY_END, MONTHS, NEVER_END, STARTERS
from rag.sentences.cuts import Span, trim
from rag.sentences.lines import OPENERS

# Stops that need no white space after them.
_FULL_WIDTH = "。！？｡．"
# Sentence terminals of living scripts (Unicode property Sentence_Terminal) beside the ASCII ones.
_OTHER = "؟۔܀।॥։።፧፨။៕។༎᙮᠃᠉᱾᱿꓿꘎꘏꛳꛷꣎꣏꤯꩝꩞꩟꯫\u037e"
_STOPS = ".!?…‼⁇⁈⁉" + _FULL_WIDTH + _OTHER
_CLOSERS = "\"'”’»›)\\]}*_`」』）】》〉＂＇"
_GO_ON = frozenset(_STOPS + ",;:、，؛،；：")
_JAPANESE_PARTICLES = frozenset("とっがはのをにでもや")

_STOP = re.compile(
    rf"([{_STOPS}](?:[ \xa0]?[{_STOPS}])*+)"
    rf"((?:\[\d{{1,3}}\]|[{_CLOSERS}]|[ \xa0](?:[)\]}}”]|[»›](?!\w)))*+)"
    rf"(\s*+)"
)
_NEAR = 40
"""Characters within which a stop, what closes behind it and white space are looked for."""
_LETTERS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
_NOON = frozenset(("a.m", "p.m"))
_WHEN = frozenset("on at by from until since after before in around between shortly".split())
_NUMERAL = re.compile(r"\d|[IVXLC]+\b|[A-Z]\b")


def stops(text: str, start: int, end: int) -> Iterator[Span]:
    begin, counted, quotes = start, start, 0
    for match in _STOP.finditer(text, start, end):
        after = match.end()
        if after >= end:
            break
        place = match.end(2)
        if text[after] == '"' and match[3] and text[after + 1 : after + 2].isspace():
            # Punctuation set apart by spaces: an odd quotation mark opens, an even one closes.
            quotes += text.count('"', counted, after)
            counted = after
            if quotes % 2:
                place = after + 1
        if _ends(text, begin, match, end):
            yield begin, place
            begin, _ = trim(text, place, end)
    if begin < end:
        yield begin, end


def ends_before(text: str, begin: int, at: int) -> bool:
    """Whether the sentence that begins at ``begin`` ends before what stands at ``at``, white space aside."""
    return any(
        match.end() == at and _ends(text, begin, match, len(text))
        for match in _STOP.finditer(text, max(begin, at - _NEAR))
    )


def _ends(text: str, begin: int, match: re.Match[str], end: int) -> bool:
    stop, close, space = match.groups()
    after = match.end()
    last = stop[-1]
    if not space and text[after] in _GO_ON:
        return False
    if last in _FULL_WIDTH:
        if last == "．" and text[after].isdigit():
            return False
        return not (close and text[after] in _JAPANESE_PARTICLES)
    if last in _OTHER:
        return True
    at = after
    while at < min(end, after + 8) and text[at] in OPENERS:
        at += 1
    first = text[at] if at < end else ""
    word = _LETTERS.match(text, at, min(end, at + 24))
    starter = (
        word is not None
        and first.isupper()
        and word[0].lower() in STARTERS
        and text[word.end() : word.end() + 1] in (" ", ",", "\n")
    )
    token, first_token = _token_before(text, begin, match.start())
    if not space:
        return starter and not first_token and len(token) > 1 and token[-1].islower()
    if first in ",;:)":
        return False
    if len(stop) > 1 or last != ".":
        if not first.islower():
            return True
        return not close and (last == "?" or (last == "!" and token.islower()))
    if first.islower():
        return text[begin].islower() and not close and token.isalpha() and not _abbreviation(token.lower())
    return _ends_at_dot(token, first_token, first, starter, text, begin, at)


def _token_before(text: str, begin: int, stop: int) -> tuple[str, bool]:
    """The word that a stop stands behind, and whether the sentence starts with it."""
    if stop > begin and text[stop - 1].isspace():
        stop -= 1
    low = max(begin, stop - 24)
    words = text[low:stop].split()
    if not words:
        return "", True
    return words[-1].lstrip("\"'“‘„«([{*_`¿¡—–-"), low == begin and len(words) == 1


def _abbreviation(word: str) -> bool:
    return word in NEVER_END or word in MAY_END or word in BEFORE_NUMBER


def _ends_at_dot(
    token: str, first_token: bool, first: str, starter: bool, text: str, begin: int, at: int
) -> bool:
    """Whether one full stop behind ``token`` ends the sentence from ``begin``, before ``first`` at ``at``."""
    low = token.lower()
    if not token:
        return not first_token
    if token.isdigit():
        if first_token and len(token) <= 3:
            return False
        word = _LETTERS.match(text, at, at + 24)
        return not (len(token) <= 2 and word and word[0].lower() in MONTHS)
    if low in NEVER_END:
        return False
    if len(token) == 1 and token.isalpha():
        if first_token or token.isupper():  # the letter of a list, or an initial
            return starter and not first_token
        return not (first.isdigit() or text[at + 1 : at + 2] == ".")  # "d. 1560", "z. B."
    if low in BEFORE_NUMBER:
        return _NUMERAL.match(text, at) is None
    if low in _NOON and first.isupper():
        word, opening = _LETTERS.match(text, at, at + 24), _LETTERS.match(text, begin)
        if opening and opening[0].lower() in _WHEN:  # "At 8 a.m. Geneva …"
            return starter
        return word is None or word[0].lower() not in AFTER_NOON
    if low in MAY_END or _INITIALS.fullmatch(token):
        return starter
    return True
