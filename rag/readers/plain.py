"""Plain text: the file unchanged, its paragraphs as blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.errors import ReadError
from rag.readers.decode import decode, has_words
from rag.readers.metadata import make_document
from rag.readers.options import ReadOptions, ReadResult
from rag.readers.structure import Outline, Span, bounded, is_unwrapped, lines, one_line, trim
from rag.readers.wiki import wiki_headings
from rag.types import Block, BlockKind, ReadFailure

_RUN_LINES = 1_000
"""A run of lines without a blank one between them becomes a block at the latest after this many."""

_ITEM = re.compile(r"[ \t]*(?:[-*+•‣◦▪●○]|\d{1,3}[.)])[ \t]+\S")
_UNDERLINE = re.compile(r"(={3,}|-{3,}|~{3,})[ \t]*")
_LEVELS = {"=": 1, "-": 2, "~": 3}


def read_plain(data: bytes, source: str, options: ReadOptions) -> ReadResult:
    """One document: ``text == data.decode("utf-8")`` for valid UTF-8. Raises ``ReadError``."""
    decoded = decode(data)
    if not has_words(decoded.text):
        raise ReadError("The file has no text in it.")
    blocks = list(bounded(plain_blocks(decoded.text, by_line=source.lower().endswith(".log"))))
    failures = (ReadFailure(source, decoded.notice),) if decoded.notice else ()
    return ReadResult((make_document(decoded.text, source, "text", blocks, {}),), failures)


def plain_blocks(text: str, by_line: bool = False, outline: Outline | None = None) -> Iterator[Block]:
    """Paragraphs between blank lines, lists, underlined headings, and headings of wiki exports.

    With ``by_line`` every line is a block of its own; so it is where most of the text stands
    in lines too wide to be wrapped ones.
    """
    by_line = by_line or is_unwrapped(text)
    outline = outline or Outline()
    done = 0
    for heading in wiki_headings(text):
        yield from _paragraphs(text, done, heading.line_start, outline, by_line, underlined=False)
        path = outline.enter(heading.level, text[heading.start : heading.end])
        yield Block(heading.start, heading.end, "heading", path)
        done = heading.line_end
    yield from _paragraphs(text, done, len(text), outline, by_line, underlined=done == 0)


def _paragraphs(
    text: str, start: int, end: int, outline: Outline, by_line: bool, underlined: bool
) -> Iterator[Block]:
    run: list[Span] = []
    for line in lines(text, start, end):
        span = trim(text, *line)
        if span[0] >= span[1]:
            yield from _flush(text, run, outline, by_line, underlined)
            run = []
            continue
        run.append(span)
        if len(run) >= _RUN_LINES:
            yield from _flush(text, run, outline, by_line, underlined)
            run = []
    yield from _flush(text, run, outline, by_line, underlined)


def _flush(text: str, run: list[Span], outline: Outline, by_line: bool, underlined: bool) -> Iterator[Block]:
    if underlined and len(run) > 1 and _is_underlined(text, run[0], run[1]):
        title = text[slice(*run[0])]
        yield Block(*run[0], "heading", outline.enter(_LEVELS[text[run[1][0]]], one_line(title)))
        run = run[2:]
    if not run:
        return
    path = outline.path
    kind: BlockKind = "prose"
    if sum(_ITEM.match(text, *span) is not None for span in run) >= 2:
        kind = "list"
    if by_line:
        for span in run:
            yield Block(*span, kind, path)
    else:
        yield Block(run[0][0], run[-1][1], kind, path)


def _is_underlined(text: str, title: Span, rule: Span) -> bool:
    """Whether a line stands over a rule of its own length, give or take two characters."""
    length = title[1] - title[0]
    return (
        _UNDERLINE.fullmatch(text, *rule) is not None
        and abs(rule[1] - rule[0] - length) <= 2
        and any(c.isalnum() for c in text[slice(*title)])
    )
