"""A document to sections and chunks: what is searched, and what is read around it.

A chunk is a sentence, a list item, a table row, a few lines of code, or a catalogue row.
A section is a run of chunks under one heading path, and on one page, that reads on its
own. Together they tile the document: the lead, and then every chunk's text and gap, give
its text back exactly.

A heading is not a chunk of its own: its text is in the heading path of what follows, which
the keyword index reads, and its line is inside the section that it opens. Only a heading
under which nothing stands becomes a chunk, so that it can be found.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from rag.errors import UsageError
from rag.sentences import MAX_CHARS, Span, cut, sentences, trim
from rag.types import Block, BlockKind, Chunk, Document, Section

CountTokens = Callable[[Sequence[str]], list[int]]
"""Tokens of each text, as :meth:`rag.types.Embedder.count_tokens` gives them."""

MAX_SECTION_CHARS = 2400
"""Most characters of a section, whatever its tokens; see :data:`rag.sentences.MAX_CHARS`."""

_MAX_SECTION_CHUNKS = 64
_HEADING_CHARS = 300
"""A longer heading line stays outside the section that it opens."""

_BREAK_INSIDE = 0.2
_BREAK_AFTER_COLON = 0.2
"""What a section boundary inside a block, or behind an announcement, costs, where a section
filled to nothing costs 1: enough to move a boundary, not enough to make another section."""

_ITEM = re.compile(
    r"^[ \t>]*(?:[-*+•‣◦▪●○·–]|\d{1,3}[.)]|[A-Za-z][.)]|\([A-Za-z0-9]{1,3}\))[ \t\xa0]", re.MULTILINE
)
_FENCE = re.compile(r"\s*(?:`{3,}|~{3,})[^`]*")
_RULE = re.compile(r"[\s|:=+*_~#-]*")


@dataclass(frozen=True, slots=True)
class Chunking:
    """How documents are cut. All of it shapes the index, so all of it is in its version."""

    section_tokens: int = 200
    """Most tokens of a section: with a title before it, it fits in the 256 tokens that
    all-MiniLM-L6-v2 reads (DESIGN: about 200)."""
    max_chunk_tokens: int = 100
    """Most tokens of a chunk, except a catalogue row, which may fill a section."""
    version: str = "1"
    """Grows when the same text and options begin to give other chunks."""

    def __post_init__(self) -> None:
        if self.section_tokens < 1 or self.max_chunk_tokens < 1:
            raise UsageError("Sections and chunks need at least one token each; give larger numbers.")


@dataclass(slots=True)
class _Unit:
    """A chunk in the making."""

    start: int
    end: int
    kind: BlockKind
    opens: bool
    """Whether a block, or a paragraph of it, starts with it."""
    tokens: int = 0
    gap_tokens: int = 0
    """Tokens between the unit before and this one, where their section goes on."""


@dataclass(slots=True)
class _Group:
    """Units that may share a section: one heading path, one page, no heading between."""

    path: tuple[str, ...]
    page: int | None
    start: int | None
    """Where the heading lines begin that belong to the first section."""
    units: list[_Unit] = field(default_factory=list)


def split(
    document: Document, count_tokens: CountTokens, options: Chunking | None = None
) -> tuple[str, list[Chunk]]:
    """The text before the first chunk, and the chunks in order.

    ``lead + "".join(chunk.text + chunk.gap for chunk in chunks) == document.text``. A
    section spans its chunks, and the heading lines before the first of them; sections do
    not overlap. Tokens are counted in one call for the whole document, and in a few more
    for the sentences that are too long. A document without words gives no chunks.
    """
    options = options or Chunking()
    text = document.text
    groups = _groups(document)
    _count(text, groups, count_tokens, options)
    placed: list[tuple[_Unit, Section]] = []
    for group in groups:
        for units, start in _partition(text, group, options):
            section = Section(start, units[-1].end, group.path, group.page)
            placed += [(unit, section) for unit in units]
    if not placed:
        return text, []
    ends = [unit.start for unit, _ in placed[1:]] + [len(text)]
    chunks = [
        Chunk(document.id, n, u.start, u.end, text[u.start : u.end], text[u.end : after], section, u.kind)
        for n, ((u, section), after) in enumerate(zip(placed, ends, strict=True))
    ]
    return text[: chunks[0].start], chunks


def window(chunks: Sequence[Chunk], i: int, each_side: int = 1) -> tuple[int, int]:
    """The half-open range of indexes of chunk ``i`` and its neighbours in the same section.

    ``chunks`` are those of one document in order, or any run of them.
    """
    section = chunks[i].section
    low = high = i
    while low > max(0, i - each_side) and chunks[low - 1].section == section:
        low -= 1
    while high < min(len(chunks) - 1, i + each_side) and chunks[high + 1].section == section:
        high += 1
    return low, high + 1


# --- blocks to units --------------------------------------------------------


def _groups(document: Document) -> list[_Group]:
    text = document.text
    groups: list[_Group] = []
    headings: list[Block] = []
    fresh = True  # whether a heading stands between the last unit and the next
    for block in document.blocks or (Block(0, len(text)),):
        if headings and not _under(headings[-1], block):
            _flush(text, groups, headings)
            fresh = True
        if block.kind == "heading":
            if not _under(block, block):
                _flush(text, groups, [block])
            elif trim(text, block.start, block.end)[0] < block.end:
                headings.append(block)
            fresh = True
            continue
        spans = _spans(text, block)
        if not spans:
            continue
        last = groups[-1] if groups else None
        if last is None or fresh or (last.path, last.page) != (block.path, block.page):
            last = _Group(block.path, block.page, _opening(headings, block.page))
            groups.append(last)
        headings.clear()
        fresh = False
        last.units += _units(text, spans, block.kind)
    if headings:
        _flush(text, groups, headings)
    return groups


def _under(heading: Block, block: Block) -> bool:
    """Whether the heading's text is in the block's path, so that it is found with it."""
    return bool(heading.path) and block.path[: len(heading.path)] == heading.path


def _flush(text: str, groups: list[_Group], headings: list[Block]) -> None:
    """Make the last heading, under which nothing stands, a chunk of its own."""
    *above, last = headings
    headings.clear()
    spans = sentences(text, last.start, last.end)
    if spans:
        units = _units(text, spans, "heading")
        groups.append(_Group(last.path, last.page, _opening(above, last.page), units))


def _units(text: str, spans: Sequence[Span], kind: BlockKind) -> list[_Unit]:
    units = [_Unit(*span, kind, n == 0) for n, span in enumerate(spans)]
    if kind == "prose":
        for before, unit in itertools.pairwise(units):
            unit.opens = "\n" in text[before.end : unit.start]
    return units


def _opening(headings: Sequence[Block], page: int | None) -> int | None:
    """Where the headings begin that stand directly before a section, on its page."""
    start = None
    for heading in reversed(headings):
        if heading.page != page or heading.end - heading.start > _HEADING_CHARS:
            break
        start = heading.start
    return start


def _spans(text: str, block: Block) -> list[Span]:
    """The units of a block that is not a heading, none over ``MAX_CHARS`` but a row."""
    start, end = trim(text, block.start, block.end)
    if start >= end:
        return []
    if block.kind == "row":
        return cut(text, start, end, MAX_SECTION_CHARS)
    if block.kind == "table":
        lines = (line for line in _lines(text, start, end) if not _RULE.fullmatch(text, *line))
        return [piece for line in lines for piece in cut(text, *line, MAX_CHARS)]
    if block.kind == "code":
        return list(_code(text, block.start, block.end))
    if block.kind == "list":
        marks = [m.start() for m in _ITEM.finditer(text, start, end)]
        edges = [start, *(mark for mark in marks if mark > start), end]
        return [s for a, b in itertools.pairwise(edges) for s in _sentences(text, a, b)]
    return _sentences(text, start, end)


def _sentences(text: str, start: int, end: int) -> list[Span]:
    """The sentences but for rules drawn with punctuation, which nobody looks for."""
    return [span for span in sentences(text, start, end) if not _RULE.fullmatch(text, *span)]


def _lines(text: str, start: int, end: int) -> Iterator[Span]:
    for line in text[start:end].splitlines(keepends=True):
        yield trim(text, start, start + len(line))
        start += len(line)


def _code(text: str, start: int, end: int) -> Iterator[Span]:
    """Lines of code, each with its indentation, without fences and blank lines."""
    for line in text[start:end].splitlines(keepends=True):
        left, start = start, start + len(line)
        body = line.strip()
        if not body or _FENCE.fullmatch(body):
            continue
        indent = len(line) - len(line.lstrip())
        if len(body) + indent <= MAX_CHARS:
            yield left, left + indent + len(body)
        else:
            yield from cut(text, left, start, MAX_CHARS)


# --- units to sections ------------------------------------------------------


def _count(text: str, groups: list[_Group], count_tokens: CountTokens, options: Chunking) -> None:
    """Count tokens, cut the units that have too many, and gather lines of code."""
    gaps = [
        (unit, text[before : unit.start].strip())
        for group in groups
        for before, unit in zip(
            [group.units[0].start if group.start is None else group.start]
            + [unit.end for unit in group.units],
            group.units,
            strict=False,
        )
    ]
    gaps = [(unit, gap) for unit, gap in gaps if gap and len(gap) <= MAX_SECTION_CHARS]
    units = [unit for group in groups for unit in group.units]
    counts = count_tokens([text[u.start : u.end] for u in units] + [gap for _, gap in gaps])
    for unit, tokens in zip(units, counts[: len(units)], strict=True):
        unit.tokens = tokens
    for (unit, _), tokens in zip(gaps, counts[len(units) :], strict=True):
        unit.gap_tokens = tokens
    _cut_long(text, groups, count_tokens, options)
    for group in groups:
        if any(unit.kind == "code" for unit in group.units):
            group.units = _gather_code(text, group.units, options)


def _limit(unit: _Unit, options: Chunking) -> int:
    return (
        options.section_tokens
        if unit.kind == "row"
        else min(options.max_chunk_tokens, options.section_tokens)
    )


def _cut_long(text: str, groups: list[_Group], count_tokens: CountTokens, options: Chunking) -> None:
    """Cut units over the limit until none is, or what is left is one character."""
    while True:
        fresh: list[_Unit] = []
        for group in groups:
            if all(unit.tokens <= _limit(unit, options) for unit in group.units):
                continue
            kept: list[_Unit] = []
            for unit in group.units:
                limit = _limit(unit, options)
                if unit.tokens <= limit or unit.end - unit.start < 2:
                    kept.append(unit)
                    continue
                spans = cut(text, unit.start, unit.end, MAX_SECTION_CHARS, -(-unit.tokens // limit))
                parts = [_Unit(*span, unit.kind, unit.opens and n == 0) for n, span in enumerate(spans)]
                parts[0].gap_tokens = unit.gap_tokens
                kept += parts
                fresh += parts
            group.units = kept
        if not fresh:
            return
        for unit, tokens in zip(fresh, count_tokens([text[u.start : u.end] for u in fresh]), strict=True):
            unit.tokens = tokens


def _gather_code(text: str, units: list[_Unit], options: Chunking) -> list[_Unit]:
    """Lines of code to chunks: as many as fit, but across a blank line only to half the limit."""
    gathered: list[_Unit] = []
    for unit in units:
        last = gathered[-1] if gathered else None
        if last is None or unit.kind != "code" or last.kind != "code" or unit.opens:
            gathered.append(unit)
            continue
        blank = text.count("\n", last.end, unit.start) > 1
        tokens = last.tokens + unit.gap_tokens + unit.tokens
        room = 0.5 if blank else 1.0
        if tokens <= room * _limit(unit, options) and unit.end - last.start <= room * MAX_CHARS:
            last.end, last.tokens = unit.end, tokens
        else:
            gathered.append(unit)
    return gathered


def _partition(text: str, group: _Group, options: Chunking) -> Iterator[tuple[list[_Unit], int]]:
    """Cut a group's units into sections of even size, each with where it starts.

    The cost of a section is the square of the share of it that is empty, so that the least
    total has the fewest sections and the most even ones (two of 105 tokens, not 200 and 10).
    Solved exactly, over the units that fit in one section: linear in the text.
    """
    units = group.units
    opening = units[0].start if group.start is None else group.start
    whole = units[0].gap_tokens + units[0].tokens
    if whole > options.section_tokens or units[0].end - opening > MAX_SECTION_CHARS:
        opening, units[0].gap_tokens = units[0].start, 0
    best = [0.0]
    came = [0]
    for j in range(1, len(units) + 1):
        least, origin = float("inf"), j - 1
        tokens, i = 0, j - 1
        while i >= max(0, j - _MAX_SECTION_CHUNKS):
            first = units[i]
            tokens += first.tokens
            start = opening if i == 0 else first.start
            whole = tokens + (first.gap_tokens if i == 0 else 0)
            over = whole > options.section_tokens or units[j - 1].end - start > MAX_SECTION_CHARS
            if over and i < j - 1:
                break
            cost = best[i] + max(0.0, 1 - whole / options.section_tokens) ** 2
            if i:
                cost += 0 if first.opens else _BREAK_INSIDE
                cost += _BREAK_AFTER_COLON if text[units[i - 1].end - 1] in ":：" else 0
            if cost < least:
                least, origin = cost, i
            tokens += first.gap_tokens
            i -= 1
        best.append(least)
        came.append(origin)
    edges = [len(units)]
    while edges[-1]:
        edges.append(came[edges[-1]])
    edges.reverse()
    for a, b in itertools.pairwise(edges):
        yield units[a:b], opening if a == 0 else units[a].start
