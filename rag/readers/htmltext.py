"""A parsed page as text: one pass over the tree, without recursion."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from rag.readers.maincontent import Around, Element, main_root
from rag.readers.structure import Outline, TextBuilder
from rag.types import BlockKind

_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
_LISTS = frozenset({"ul", "ol", "menu", "dir", "dl"})
_INLINE = frozenset(
    {"a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font",
     "i", "img", "ins", "kbd", "label", "mark", "math", "nobr", "q", "rb", "rp", "rt", "ruby", "s", "samp",
     "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr"}
)  # fmt: skip
_LAYOUT = ("table", *_HEADINGS)
"""What makes a table that holds it one for layout; without a header cell, these do too:"""
_LAYOUT_WITHOUT_HEADER = (*_LAYOUT, "ul", "ol", "dl", "pre", "blockquote")

_SPACE = re.compile(r"[\s\xa0]+")
_AROUND_BREAK = re.compile(r" *\n *")
_INVISIBLE = re.compile("[\xad\u200b\u2060\ufeff]")


def page_text(page: Element) -> TextBuilder:
    """The content of the page; all that it holds, where nothing seems to be content."""
    root, is_marked = main_root(page)
    built = _Walk(root, Around(root, is_marked)).run()
    return built if built.blocks else _Walk(page, ()).run()


@dataclass(slots=True)
class _List:
    """An open list: its tag, and how many items it has had."""

    tag: str
    items: int = 0


class _Walk:
    """Gathers inline text until a block begins or ends, and adds it as what it stands in."""

    def __init__(self, root: Element, around: Around | tuple[()]) -> None:
        self._root = root
        self._around = around
        self._built = TextBuilder()
        self._outline = Outline()
        self._inline: list[str] = []
        self._heading = 0
        self._lists: list[_List] = []
        self._lines: list[str] = []
        """Lines of the outermost open list."""
        self._marker = ""
        """What the next line of a list begins with."""
        self._glue: str | None = None
        """What joins the next line of a list to the last one, where it is no line of its own."""
        self._is_term = False

    def run(self) -> TextBuilder:
        walk = etree.iterwalk(self._root, events=("start", "end"))
        skipped: Element = None
        for event, element in walk:
            tag = element.tag if isinstance(element.tag, str) else ""
            if event == "start":
                if not tag or element in self._around or self._takes_whole(element, tag):
                    skipped = element
                    walk.skip_subtree()
                else:
                    self._start(element, tag)
                continue
            if element is not skipped:
                self._end(tag)
            skipped = None
            if element is not self._root and element.tail:
                self._inline.append(_SPACE.sub(" ", element.tail))
        self._flush()
        self._end_list()
        return self._built

    def _start(self, element: Element, tag: str) -> None:
        if tag == "br":
            self._inline.append("\n")
        elif tag not in _INLINE:
            self._flush()
            if tag in _HEADINGS and not self._lists:
                self._heading = _HEADINGS[tag]
            elif tag in _LISTS and (self._lists or next(element.iter(*_HEADINGS), None) is None):
                # A list with headings in it is a layout of cards.
                self._lists.append(_List(tag))
            elif tag in ("li", "dt", "dd") and self._lists:
                self._open_item(tag)
        if element.text:
            self._inline.append(_SPACE.sub(" ", element.text))

    def _end(self, tag: str) -> None:
        if tag in _INLINE or tag == "br":
            return
        self._flush()
        if tag in _HEADINGS:
            self._heading = 0
        elif tag in _LISTS and self._lists and self._lists[-1].tag == tag:
            self._lists.pop()
            if not self._lists:
                self._end_list()
        elif tag in ("li", "dd"):
            self._marker, self._glue = "", None

    def _open_item(self, tag: str) -> None:
        here = self._lists[-1]
        here.items += 1
        self._glue = None
        if tag == "dd":
            # A term and what it means stand on one line, or neither is found with the other.
            self._glue = ": " if self._is_term else "; "
        else:
            self._marker = f"{here.items}. " if here.tag == "ol" else "- "
        self._is_term = tag == "dt"

    def _flush(self) -> None:
        """Add the inline text that was gathered as a heading, a list's line, or paragraphs."""
        if not self._inline:
            return
        text = _INVISIBLE.sub("", "".join(self._inline))
        self._inline.clear()
        text = _AROUND_BREAK.sub("\n", text).strip()
        text = re.sub(" {2,}", " ", text)
        if not text:
            return
        if self._heading:
            title = " ".join(text.split())
            self._add(title, "heading", self._outline.enter(self._heading, title))
        elif self._lists:
            self._add_line(" ".join(text.split()))
        else:
            for paragraph in re.split(r"\n{2,}", text):
                self._add(paragraph, "prose", self._outline.path)

    def _add_line(self, text: str) -> None:
        if self._glue is not None and self._lines:
            glue = (
                " " if self._glue == ": " and self._lines[-1].endswith(("?", "!", ":", ".")) else self._glue
            )
            self._lines[-1] += glue + text
            self._glue = " "
            return
        indent = "  " * (len(self._lists) - 1)
        self._lines.append(f"{indent}{self._marker or '  '}{text}")
        self._marker = ""

    def _end_list(self) -> None:
        if self._lines:
            self._built.add("\n".join(self._lines), "list", self._outline.path)
            self._lines.clear()

    def _add(self, text: str, kind: BlockKind, path: tuple[str, ...]) -> None:
        self._end_list()
        self._built.add(text, kind, path)

    # --- elements that are read as a whole ---

    def _takes_whole(self, element: Element, tag: str) -> bool:
        """Add code and tables of plain cells at once; whether the element was one."""
        if tag == "pre":
            self._flush()
            code = _INVISIBLE.sub("", _preformatted(element)).expandtabs(4)
            self._add(code.replace("\r\n", "\n").replace("\r", "\n"), "code", self._outline.path)
            return True
        if tag != "table":
            return False
        layout = _LAYOUT if next(element.iter("th"), None) is not None else _LAYOUT_WITHOUT_HEADER
        if any(found is not element for found in element.iter(*layout)):
            return False
        self._flush()
        caption = next(element.iter("caption"), None)
        if caption is not None:
            self._add(_cell(caption), "prose", self._outline.path)
        rows = [[_cell(cell) for cell in row.iter("td", "th")] for row in element.iter("tr")]
        rows = [row for row in rows if any(row)]
        kind: BlockKind = "table" if any(len(row) > 1 for row in rows) else "prose"
        self._add("\n".join(" | ".join(row) for row in rows), kind, self._outline.path)
        return True


def _preformatted(element: Element) -> str:
    """The text of an element with its own line breaks."""
    parts = []
    for event, inner in etree.iterwalk(element, events=("start", "end")):
        if event == "start":
            parts.append("\n" if inner.tag == "br" else inner.text or "")
        elif inner is not element:
            parts.append(inner.tail or "")
    return "".join(parts)


def _cell(element: Element) -> str:
    """The text of a cell on one line, with a space where a block inside it begins."""
    is_inline = all(inner.tag in _INLINE for inner in element.iterdescendants())
    text = ("" if is_inline else " ").join(element.itertext())
    return _INVISIBLE.sub("", _SPACE.sub(" ", text)).strip()
