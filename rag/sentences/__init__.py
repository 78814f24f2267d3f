"""Sentence boundaries with exact offsets, in any script, in linear time.

Lines are joined into flows (:mod:`rag.sentences.lines`), the full stops of a flow judged
(:mod:`rag.sentences.stops`), and what is too long cut (:mod:`rag.sentences.cuts`). Each looks
no further than a bounded distance, so that the time grows with the length of the text
whatever the text is.
"""

from __future__ import annotations

import re

from rag.sentences.cuts import Span, cut, trim
from rag.sentences.lines import flows
from rag.sentences.stops import ends_before, stops

__all__ = ["MAX_CHARS", "MIN_CHARS", "Span", "cut", "ends_before", "sentences", "trim"]

MAX_CHARS = 600
"""Most characters of a sentence. WordPiece counts a word without spaces as one token,
however long, so that a bound in tokens alone would let a megabyte through."""

MIN_CHARS = 15
"""Sentences shorter than this join a neighbour of their flow: a vector of "Yes." says nothing
about where it stands."""

_WIDE_LETTER = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def sentences(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """The sentences of ``text[start:end]`` as half-open spans of ``text``.

    Spans are in order, do not overlap, are not empty, and neither start nor end with
    white space. Between them stands only white space, or the two characters ``\\n`` that
    a dump of a string has in place of a line break.
    """
    found: list[Span] = []
    for left, right in flows(text, start, len(text) if end is None else end):
        for span in _join(text, list(stops(text, left, right))):
            if span[1] - span[0] <= MAX_CHARS:
                found.append(span)
            else:
                found += cut(text, *span, MAX_CHARS)
    return found


def _join(text: str, spans: list[Span]) -> list[Span]:
    """Let fragments join the sentence after them, the last one the sentence before it."""
    if len(spans) == 1:
        return spans
    joined: list[Span] = []
    start: int | None = None
    for left, right in spans:
        left = left if start is None else start
        if _is_fragment(text, left, right):
            start = left
            continue
        joined.append((left, right))
        start = None
    if start is not None:
        first = joined.pop()[0] if joined else start
        joined.append((first, spans[-1][1]))
    return joined


def _is_fragment(text: str, start: int, end: int) -> bool:
    """Whether a sentence is too short; a letter of the wide scripts counts for three."""
    if end - start >= MIN_CHARS:
        return False
    return end - start + 2 * len(_WIDE_LETTER.findall(text, start, end)) < MIN_CHARS
