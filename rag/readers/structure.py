"""What every reader needs to place blocks: heading paths, trimmed spans, text built in order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rag.types import Block, BlockKind

Span = tuple[int, int]

MAX_TITLE_CHARS = 200
"""A longer title or heading is cut where it is a name (a path, a field); the text keeps it whole."""

_MANY_BLOCKS = 100_000
_COARSE_CHARS = 2_000
"""Past the hundred-thousandth block, small neighbours become one of about this size, so that
50 MB of one-letter lines stay within memory. No real document is known to come near."""

_WIDE = 160
"""Nobody wraps lines this wide: where most of a text stands in such lines, a line is a paragraph."""
_WIDE_LINE = re.compile(rf"[^\r\n]{{{_WIDE + 1},}}")
_PROBE = 1_000_000

_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\r|\n|\Z)")
_LEFT = re.compile(r"[\s\ufeff]*")


def lines(text: str, start: int = 0, end: int | None = None) -> Iterator[Span]:
    """Span of each line without its end; ``\\n``, ``\\r\\n`` and ``\\r`` end a line, nothing else."""
    end = len(text) if end is None else end
    while start < end:
        match = _LINE.match(text, start, end)
        assert match is not None  # the pattern matches everywhere
        yield match.span(1)
        start = match.end()


def trim(text: str, start: int, end: int) -> Span:
    """The span without the white space and byte order marks at its ends; empty at ``end`` if all is."""
    match = _LEFT.match(text, start, end)
    assert match is not None
    start = match.end()
    while end > start and (text[end - 1].isspace() or text[end - 1] == "\ufeff"):
        end -= 1
    return start, end


def is_unwrapped(text: str) -> bool:
    """Whether most of the text stands in lines too wide to be wrapped ones (of the first million)."""
    probe = text[:_PROBE]
    return sum(len(line) for line in _WIDE_LINE.findall(probe)) * 2 > len(probe)


def one_line(text: str, limit: int = MAX_TITLE_CHARS) -> str:
    """The text as a name: white space collapsed, cut (with an ellipsis) to ``limit`` characters."""
    text = " ".join(text[: 20 * limit].replace("\ufeff", "").split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


class Outline:
    """The headings that are open at a place of a document."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []
        self.tops: list[str] = []
        """Titles of the headings of level 1 so far."""

    def enter(self, level: int, title: str) -> tuple[str, ...]:
        """Open a heading, close those of its level and below, and give the path that it makes."""
        while self._open and self._open[-1][0] >= level:
            self._open.pop()
        name = one_line(title)
        if name:
            self._open.append((level, name))
            if level == 1:
                self.tops.append(name)
        return self.path

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(title for _, title in self._open)


def bounded(blocks: Iterable[Block]) -> Iterator[Block]:
    """The same blocks, the small ones joined where there are more than a document can have."""
    waiting: Block | None = None
    for n, block in enumerate(blocks):
        if n < _MANY_BLOCKS:
            yield block
            continue
        kind: BlockKind = "prose" if block.kind == "heading" else block.kind
        if (
            waiting is not None
            and waiting.page == block.page
            and waiting.end - waiting.start < _COARSE_CHARS
            and waiting.kind == kind
        ):
            waiting = Block(waiting.start, block.end, kind, waiting.path, waiting.page)
            continue
        if waiting is not None:
            yield waiting
        waiting = Block(block.start, block.end, kind, block.path, block.page)
    if waiting is not None:
        yield waiting


class TextBuilder:
    """A document's text put together from its blocks, so that their offsets are exact."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._blocks: list[Block] = []
        self._length = 0

    def add(
        self,
        text: str,
        kind: BlockKind = "prose",
        path: tuple[str, ...] = (),
        page: int | None = None,
        separator: str = "\n\n",
    ) -> None:
        """Append a block, ``separator`` before it. White space around it is dropped.

        Code keeps the indentation of its first line. Blank text adds nothing.
        """
        start, end = trim(text, 0, len(text))
        if start >= end:
            return
        if kind == "code":
            start = text.rfind("\n", 0, start) + 1
        text = text[start:end]
        if self._parts:
            self._parts.append(separator)
            self._length += len(separator)
        self._parts.append(text)
        self._blocks.append(Block(self._length, self._length + len(text), kind, path, page))
        self._length += len(text)

    @property
    def text(self) -> str:
        return "".join(self._parts)

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(bounded(self._blocks))
