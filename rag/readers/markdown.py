"""Markdown: the file unchanged, its structure as blocks; also what merely bears the suffix.

markdown-it finds the blocks (it reads no inline markup here, which costs most of its time);
its line numbers become character offsets.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from rag.errors import ReadError
from rag.readers.decode import decode, has_words
from rag.readers.frontmatter import front_matter
from rag.readers.metadata import make_document
from rag.readers.options import ReadOptions, ReadResult
from rag.readers.plain import plain_blocks
from rag.readers.structure import Outline, Span, bounded, is_unwrapped, lines, one_line, trim
from rag.readers.wiki import wiki_headings
from rag.types import Block, BlockKind, ReadFailure

_PIECE = 1_000_000
"""A longer file is parsed in pieces of about this many characters: a token costs some 500 bytes."""

_MARKUP = re.compile(r"[*_`\[\]<>&\\!]")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+|$)")
_QUOTE = re.compile(r"[ \t>]*")
_LIST_OPEN = ("bullet_list_open", "ordered_list_open")
_LIST_CLOSE = ("bullet_list_close", "ordered_list_close")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--(?:[^-]|-(?!->))*-->")
_WORD = re.compile(r"[^\W\d_]{2,}")
_CODE_SIGNS = re.compile(r"[{}();=<>\[\]$|\\_#@&^~`]|->|::|//")


def read_markdown(data: bytes, source: str, options: ReadOptions) -> ReadResult:
    """One document: ``text == data.decode("utf-8")`` for valid UTF-8. Raises ``ReadError``.

    Its title is that of the front matter, else the first heading of level 1 (of a wiki
    export with several articles: none of them), else the file's name. Front matter that
    does not parse is a failure beside the document.
    """
    decoded = decode(data)
    text = decoded.text
    if not has_words(text):
        raise ReadError("The file has no text in it.")
    head = front_matter(text)
    failures = [ReadFailure(source, notice) for notice in (decoded.notice, head.error) if notice]
    blocks: list[Block] = []
    if head.error is not None:
        start, end = trim(text, *head.inner)
        blocks.append(Block(start, end, "code"))
    body = text[head.end :]
    outline = Outline()
    is_wiki = bool(wiki_headings(body))
    found = plain_blocks(body, outline=outline) if is_wiki else markdown_blocks(body, outline)
    blocks += (Block(b.start + head.end, b.end + head.end, b.kind, b.path) for b in bounded(found))
    title = head.title
    if title is None and outline.tops and (len(outline.tops) == 1 or not is_wiki):
        title = outline.tops[0]
    return ReadResult(
        (make_document(text, source, "markdown", blocks, head.metadata, title=title),), tuple(failures)
    )


def markdown_blocks(text: str, outline: Outline) -> Iterator[Block]:
    """The blocks of Markdown (CommonMark with tables), in order."""
    by_line = is_unwrapped(text)
    for start, end in _pieces(text):
        yield from _Piece(text, start, end, outline, by_line).blocks()


def _pieces(text: str) -> Iterator[Span]:
    """Spans to parse one by one: cut before a heading, or behind a blank line, outside code."""
    if len(text) <= 2 * _PIECE:
        yield 0, len(text)
        return
    begun, fence, after_blank = 0, "", False
    for start, end in lines(text):
        mark = _FENCE.match(text, start, end)
        if mark is not None:
            if not fence:
                fence = mark.group(1)
            elif mark.group(1).startswith(fence):
                fence = ""
        size = start - begun
        flush_left = end > start and text[start] not in " \t"
        if not fence and size >= _PIECE and (_ATX.match(text, start, end) or (after_blank and flush_left)):
            yield begun, start
            begun = start
        after_blank = not text[start:end].strip()
    yield begun, len(text)


@functools.cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": 60})  # above any real list; each level costs stack
    return parser.enable("table").disable("inline")


@functools.cache
def _inline_parser() -> MarkdownIt:
    return MarkdownIt("commonmark")


class _Piece:
    """The blocks of one piece of a file, from markdown-it's tokens and their lines."""

    def __init__(self, text: str, start: int, end: int, outline: Outline, by_line: bool) -> None:
        self._text = text
        self._lines = list(lines(text, start, end))
        # A byte order mark would hide a heading behind it; a space of the same length does not.
        self._tokens = _parser().parse(text[start:end].replace("\ufeff", " "))
        self._outline = outline
        self._by_line = by_line
        self._done = 0
        """Where the last block ended, headings aside."""
        self._lists = 0
        self._list: Span | None = None
        """Lines of the list that is being gathered: from its first item to the end of its last text."""
        self._item = 0

    def blocks(self) -> Iterator[Block]:
        """The blocks; what is left of a quotation or list that is nested too deeply to be parsed is one."""
        quotes = 0
        skipping = False
        container = 0, 0
        for n, token in enumerate(self._tokens):
            kind = token.type
            if skipping:
                skipping = kind != "table_close"
            elif kind in _LIST_OPEN or kind == "blockquote_open":
                if token.level == 0:
                    container = self._map(token)
                self._lists += kind in _LIST_OPEN
                quotes += kind not in _LIST_OPEN
            elif kind in _LIST_CLOSE or kind == "blockquote_close":
                self._lists -= kind in _LIST_CLOSE
                quotes -= kind not in _LIST_CLOSE
                if not self._lists:
                    yield from self._end_list()
                if token.level == 0:
                    start, end = self._span(*container)
                    yield from self._block(trim(self._text, max(start, self._done), end), "prose")
            elif kind == "list_item_open":
                self._item = self._map(token)[0]
            elif kind == "heading_open" and token.level == 0:
                yield from self._heading(token, self._tokens[n + 1])
            elif kind in ("fence", "code_block", "table_open"):
                yield from self._end_list()
                yield from self._table(token) if kind == "table_open" else self._code(token)
                skipping = kind == "table_open"
                self._item = self._map(token)[1]
            elif kind in ("paragraph_open", "heading_open", "html_block"):
                if self._lists:
                    self._gather(token)
                elif kind == "html_block":
                    yield from self._html(token)
                else:
                    yield from self._prose(token, quotes > 0)

    def _map(self, token: Token) -> Span:
        assert token.map is not None  # every token asked for opens a block
        return token.map[0], min(token.map[1], len(self._lines))

    def _span(self, first: int, after: int) -> Span:
        """Trimmed character span of lines; ``start >= end`` where they are blank."""
        if first >= after:
            return 0, 0
        return trim(self._text, self._lines[first][0], self._lines[after - 1][1])

    def _block(self, span: Span, kind: BlockKind) -> Iterator[Block]:
        if span[0] < span[1] and has_words(self._text[slice(*span)]):
            self._done = span[1]
            yield Block(*span, kind, self._outline.path)

    def _gather(self, token: Token) -> None:
        first, after = self._map(token)
        start = self._list[0] if self._list else min(self._item, first)
        self._list = start, after

    def _end_list(self) -> Iterator[Block]:
        if self._list is not None:
            yield from self._block(self._span(*self._list), "list")
            self._list = None

    def _heading(self, token: Token, inline: Token) -> Iterator[Block]:
        first, after = self._map(token)
        is_setext = token.markup in ("=", "-")
        start, end = self._span(first, after - 1 if is_setext else after)
        if not is_setext:
            opened = _ATX.match(self._text, start, end)
            start = opened.end() if opened else start
            end = start + len(_without_closing_marks(self._text[start:end]))
        if start < end:
            yield Block(start, end, "heading", self._outline.enter(int(token.tag[1]), _words(inline.content)))

    def _prose(self, token: Token, quoted: bool) -> Iterator[Block]:
        first, after = self._map(token)
        step = 1 if self._by_line else after - first
        for line in range(first, after, step):
            start, end = self._span(line, line + step)
            if quoted:
                marks = _QUOTE.match(self._text, start, end)
                start = marks.end() if marks else start
            yield from self._block((start, end), "prose")

    def _table(self, token: Token) -> Iterator[Block]:
        yield from self._block(self._span(*self._map(token)), "table")

    def _code(self, token: Token) -> Iterator[Block]:
        first, after = self._map(token)
        if token.type == "fence":
            last = self._text[slice(*self._lines[after - 1])].strip(" \t>")
            is_closed = (
                after - first > 1 and last.startswith(token.markup) and not last.strip(token.markup[0])
            )
            first, after = first + 1, after - is_closed
        start, end = self._span(first, after)
        if start >= end:
            return
        if token.type == "code_block" and _reads_as_prose(self._text[start:end]):
            yield from self._block((start, end), "prose")
            return
        # Code keeps the indentation of its first line.
        left = max(begin for begin, _ in self._lines[first:after] if begin <= start)
        yield from self._block((left, end), "code")

    def _html(self, token: Token) -> Iterator[Block]:
        """An HTML block without the tags and comments at its ends; nothing, if nothing else is there."""
        start, end = self._span(*self._map(token))
        while start < end and (tag := _TAG.match(self._text, start, end)):
            start, _ = trim(self._text, tag.end(), end)
        while start < end and self._text[end - 1] == ">":
            opened = self._text.rfind("<!--" if self._text.endswith("-->", start, end) else "<", start, end)
            if opened < 0 or _TAG.fullmatch(self._text, opened, end) is None:
                break
            _, end = trim(self._text, start, opened)
        yield from self._block((start, end), "prose")


def _without_closing_marks(heading: str) -> str:
    """``Title ##`` without the marks that may close it; ``C#`` keeps its own."""
    body = heading.rstrip("#")
    return body.rstrip() if not body or body[-1] in " \t" else heading


def _words(content: str) -> str:
    """The text of a heading without its inline markup."""
    content = content[:1000]
    if _MARKUP.search(content) is None:
        return content
    parts: list[str] = []
    for token in _inline_parser().parseInline(content)[0].children or ():
        if token.type in ("text", "code_inline", "image"):
            parts.append(token.content)
        elif token.type in ("softbreak", "hardbreak"):
            parts.append(" ")
    return one_line("".join(parts)) or one_line(content)


def _reads_as_prose(text: str) -> bool:
    """Whether an indented block is a paragraph that somebody set in: words, and hardly a sign of code."""
    words = _WORD.findall(text)
    plain = sum(map(len, words)) + len(text) - len("".join(text.split()))
    signs = len(_CODE_SIGNS.findall(text))
    return len(words) >= 6 and plain >= 0.8 * len(text) and signs * 100 <= len(text)
