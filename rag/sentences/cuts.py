"""Where a text that is too long is cut, so that it hurts least."""

from __future__ import annotations

import re
import unicodedata

Span = tuple[int, int]

# Where a long sentence is cut, best first. A cut falls at the end of the match.
_CLAUSES = (
    re.compile(r"[\n\r]\s*|\\n"),
    re.compile(r"[;:][\"'”’)]?\s+|[；：]|\s[—–-]\s+|—"),
    re.compile(r"[,،؛][\"'”’)]?\s+|[，、]|\s[|]\s+"),
    re.compile(r"\s+"),
)


def trim(text: str, start: int, end: int) -> Span:
    """The span without white space at its ends; empty where there is nothing else."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def cut(text: str, start: int, end: int, limit: int, pieces: int = 1) -> list[Span]:
    """Cut a span into at least ``pieces`` of about the same length, none over ``limit`` characters.

    A cut falls where it hurts least within a window around the place for equal lengths:
    after a line, a clause or a comma, outside brackets if possible; after a word; where there
    is none, between two characters that are not drawn as one.
    """
    found: list[Span] = []
    start, end = trim(text, start, end)
    while start < end:
        left = min(end - start, max(pieces - len(found), -(-(end - start) // limit)))
        if left <= 1:
            found.append((start, end))
            break
        at = _cut_place(text, start, end, limit, (end - start) / left)
        span = trim(text, start, at)
        if span[0] < span[1]:
            found.append(span)
        start, end = trim(text, at, end)
    return found


def _cut_place(text: str, start: int, end: int, limit: int, length: float) -> int:
    target = start + max(1, round(length))
    low = max(start + 1, start + int(length * 0.5))
    high = min(end - 1, start + limit, start + int(length * 1.5))
    for brackets_too in (False, True):
        for pattern in _CLAUSES if brackets_too else _CLAUSES[:-1]:
            places = [m.end() for m in pattern.finditer(text, low, high) if m.end() < end]
            if not brackets_too:
                places = [p for p in places if text.count("(", start, p) <= text.count(")", start, p)]
            if places:
                return min(places, key=lambda place: abs(place - target))
    at = min(target, end - 1, start + limit)
    for back in range(at, max(start, at - 32), -1):
        if not _joined(text[back - 1], text[back]):
            return back
    return at


def _joined(left: str, right: str) -> bool:
    """Whether two characters are drawn as one: a mark, a joiner, a flag, a line end."""
    if right < "\u0300":
        return left == "\r" and right == "\n"
    return (
        unicodedata.category(right) in ("Mn", "Me", "Mc")
        or "\u200d" in (left, right)
        or "\U0001f3fb" <= right <= "\U0001f3ff"
        or ("\U0001f1e6" <= left <= "\U0001f1ff" and "\U0001f1e6" <= right <= "\U0001f1ff")
    )
