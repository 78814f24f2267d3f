"""The parts of a source that a claim is most about, where a model can read only some of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

Span = tuple[int, int]

WHOLE = 700
"""Characters of a source that is read whole: to find out which of its parts to leave out takes longer than to
read them, and a part that is left out may be the one that a claim in other words is about."""
MOST = 420
"""Characters that are read of a longer one: about 95 tokens. What a claim takes grows with them."""
_LONG = 300
"""Characters from which a sentence is read in parts: a table's row, a list, a paragraph of one sentence."""

_HEAD = re.compile(r"(?:[^\n|]*\|[^\n]*\n)?(?=[ \t|:-]*\n)(?:(?!--)[^\n])*--[^\n]*\n")
"""The line under the head of a table, with the head where that is in the same sentence."""


def parts(source: str, spans: Sequence[Span]) -> list[Span]:
    """The sentences ``spans``, each long one in parts of at most ``_LONG`` characters; the head of a table
    apart from the row behind it."""
    found: list[Span] = []
    for start, end in spans:
        head = _HEAD.match(source, start, end)
        if head and source[head.end() : end].strip():
            found.append((start, head.end()))
            start = head.end()
        while end - start > _LONG:
            at = _parted(source, start, end)
            found.append((start, at))
            start = at
        found.append((start, end))
    return found


def _parted(source: str, start: int, end: int) -> int:
    """Where a part that begins at ``start`` ends: at the last good joint, else where it is full."""
    full = min(end, start + _LONG)
    for pattern in (r"[;:|\n\t]", r",(?= )", r"\s"):
        joints = [m.end() for m in re.finditer(pattern, source[start:full])]
        if joints and joints[-1] >= _LONG // 3:
            return start + joints[-1]
    return full


def evidence(
    source: str, spans: Sequence[Span], worth: Sequence[float], most: int = MOST, whole: int = WHOLE
) -> str:
    """Of the source's parts ``spans`` those of most ``worth``, in their order, up to ``most`` characters; all
    of them where they are no longer than ``whole``.

    The best one is always there, cut where it is longer. A part that no longer fits is passed over
    for one that does.
    """
    if not spans:
        return source.strip()
    left_out = any(source[a:b].strip() for (_, a), (b, _) in pairwise(spans))
    if not left_out and spans[-1][1] - spans[0][0] <= whole:
        return source[spans[0][0] : spans[-1][1]].strip()
    kept: list[int] = []
    room = left = whole if sum(b - a + 1 for a, b in spans) <= whole else most
    for n in sorted(range(len(spans)), key=lambda n: (-worth[n], n)):
        length = spans[n][1] - spans[n][0]
        if length < left or not kept:
            kept.append(n)
            left -= length + 1
    return " ".join(source[slice(*spans[n])].strip() for n in sorted(kept))[: room + 1]
