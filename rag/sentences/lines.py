"""Lines to flows: text that reads on across its line breaks.

A hard-wrapped paragraph is one flow; a list item, a heading or a line broken on purpose is
one by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.sentences.abbreviations import DANGLING
from rag.sentences.cuts import Span, trim

_NARROW, _WIDE = 40, 160
"""Text is wrapped at widths between these: a line break in a narrower or a wider paragraph
was made on purpose."""

_FRAGMENT, _GATHERED = 15, 60
"""Consecutive lines of fewer than 15 characters (an address, a list of names) are one flow of
up to 60: they say more together."""

OPENERS = frozenset("\"'“‘„‚«‹([{*_`¿¡「『（【《〈»›~# ")
"""What may stand before the first letter of a sentence."""

_MARKER = re.compile(
    r"(?:[-*+•‣◦▪●○·]|\d{1,3}[.)]|[A-Za-z]\)|\([A-Za-z]\)|\(\d{1,3}\)|\#{1,6}|>{1,3}|[|])[ \t\xa0]"
)
_HEADING = re.compile(r"\#{1,6}\s|(?:=\s?){1,6}[^=\n]{1,200}=")
# "\n" in two characters stands for a line break where the text shows more of the kind.
_DUMPED = re.compile(r"\\n\\n|[.!?:]\\n[A-Z0-9]")
_DUMPED_BREAK = re.compile(r"(?:(?:\\{1,4}[nr]\s*+)++|\},\s*+(?=\{\s{0,9}[\"']))")
# Between two records of a list in JSON or Python.
_RECORD_BREAK = re.compile(r"\},\s*+(?=\{\s{0,9}[\"'])")


def flows(text: str, start: int, end: int) -> Iterator[Span]:
    """Spans of text that reads on across its line breaks, without white space at their ends."""
    paragraph: list[Span] = []
    for line in _lines(text, start, end):
        if line is not None:
            paragraph.append(line)
        elif paragraph:
            yield from _unwrap(text, paragraph)
            paragraph = []
    if paragraph:
        yield from _unwrap(text, paragraph)


def _lines(text: str, start: int, end: int) -> Iterator[Span | None]:
    """Lines without their white space; None where a paragraph ends."""
    inner = None
    if _DUMPED.search(text, start, end):
        inner = _DUMPED_BREAK
    elif _RECORD_BREAK.search(text, start, end):
        inner = _RECORD_BREAK
    at = start
    for line in text[start:end].splitlines(keepends=True):
        left, at = at, at + len(line)
        for match in inner.finditer(text, left, at) if inner else ():
            record = match[0][0] == "}"
            if not record and not _opens_line(text[match.end() : at][:1]):
                continue
            span = trim(text, left, match.start() + 2 if record else match.start())
            if span[0] < span[1]:
                yield span
            if record or match[0].count("n") > 1:
                yield None
            left = match.end()
        span = trim(text, left, at)
        if span[0] < span[1]:
            yield span
        else:
            yield None
        if line[-1] in "\f\u2029":
            yield None


def _opens_line(first: str) -> bool:
    return bool(first) and (first in "-*•#>|\"'“(" or first.isalnum()) and not first.islower()


def _unwrap(text: str, lines: list[Span]) -> Iterator[Span]:
    if len(lines) == 1:
        yield lines[0]
        return
    width = max(right - left for left, right in lines)
    start, previous = lines[0][0], lines[0]
    for line in lines[1:]:
        if _breaks(text, previous, line, width) and not _are_short(text, start, previous, line):
            yield start, previous[1]
            start = line[0]
        previous = line
    yield start, previous[1]


def _are_short(text: str, start: int, before: Span, after: Span) -> bool:
    """Whether both lines are fragments (of an address, a list of names) that say more together."""
    short = before[1] - before[0] < _FRAGMENT and after[1] - after[0] < _FRAGMENT
    return short and after[1] - start <= _GATHERED and not _MARKER.match(text, *after)


def _breaks(text: str, before: Span, after: Span, width: int) -> bool:
    """Whether the line break between two lines of a paragraph was made on purpose.

    In a wrapped paragraph the first word of a line did not fit on the line before.
    """
    head = text[after[0] : after[0] + 80]
    tail = text[max(before[0], before[1] - 40) : before[1]]
    if not any(map(str.isalnum, head)) or not any(map(str.isalpha, tail)):
        return False
    if head[0].isdigit() and tail[-1].isalpha() and not tail[-2:-1].strip():
        return False  # a subscript that was set on a line of its own: O, 2
    if _MARKER.match(head) or _HEADING.match(head) or _HEADING.match(text, *before):
        return True
    first = next((c for c in head if c not in OPENERS), "")
    if first.islower() or tail[-1] in ",-–" or tail.split()[-1].lower() in DANGLING:
        return False
    word = head.split(None, 1)[0]
    return width > _WIDE or before[1] - before[0] + 1 + len(word) <= max(width, _NARROW)
