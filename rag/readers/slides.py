"""What stands on a slide: text, lists, tables, diagrams and charts, in the order of the slide.

The order is that of the file, in which screen readers read a slide too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree
from pptx.oxml import parse_xml
from pptx.oxml.ns import qn

from rag.readers.decode import clean
from rag.types import BlockKind

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_SHAPE, _TABLE, _CHART = qn("p:sp"), qn("a:tbl"), qn("c:chart")
_PICTURES = (qn("p:pic"), qn("a:blip"))
_REPEATED = frozenset({"dt", "ftr", "sldNum", "hdr"})
_TITLES = frozenset({"title", "ctrTitle"})
_BODIES = frozenset({"body", "obj"})
_SPACE = re.compile(r"[ \t\xa0]+")
_MAX_POINTS = 1_000
"""Rows of a chart's table: no reader sees more points in a picture."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A block in the making."""

    text: str
    kind: BlockKind


def slide_pieces(slide: Any) -> tuple[str, list[Piece]]:
    """The title of a slide, empty where it has none, and the rest of what it shows."""
    title = ""
    pieces: list[Piece] = []
    walk = etree.iterwalk(slide.shapes._spTree, events=("start",))
    for _, element in walk:
        tag = element.tag
        if tag == _FALLBACK:
            walk.skip_subtree()
        elif tag == _SHAPE:
            walk.skip_subtree()
            role = _role(element)
            if role in _TITLES and not title:
                title = " ".join(filter(None, map(_text, element.iter(f"{_A}p"))))
            elif role not in _REPEATED:
                pieces += _paragraphs(element, role in _BODIES)
        elif tag == _TABLE:
            walk.skip_subtree()
            rows = [[_cell(cell) for cell in row.iter(f"{_A}tc")] for row in element.iter(f"{_A}tr")]
            pieces += _table(rows)
        elif tag == f"{_DIAGRAM}relIds":
            pieces += _diagram(slide.part, element)
        elif tag == _CHART:
            pieces += _chart(slide.part, element)
    return title, pieces


def has_picture(slide: Any) -> bool:
    """Whether a picture stands on the slide, or fills a shape or the background of it."""
    return next(slide.element.iter(*_PICTURES), None) is not None


def _role(shape: Any) -> str:
    """The type of a placeholder ("obj" where it names none); empty for any other shape."""
    found = shape.find(f"{qn('p:nvSpPr')}/{qn('p:nvPr')}/{qn('p:ph')}")
    return "" if found is None else found.get("type", "obj")


def _paragraphs(shape: Any, is_body: bool) -> Iterator[Piece]:
    """The paragraphs of a shape; those with bullets that follow each other are one list.

    The bullets of a body come from the layout as a rule, so that the slide says where there
    are none.
    """
    items: list[str] = []
    for paragraph in shape.iter(f"{_A}p"):
        text = _text(paragraph)
        if not text:
            continue
        properties = paragraph.find(f"{_A}pPr")
        has_none, has_own, depth = False, False, 0
        if properties is not None:
            has_none = properties.find(f"{_A}buNone") is not None
            has_own = any(properties.find(f"{_A}{name}") is not None for name in ("buChar", "buAutoNum"))
            level = properties.get("lvl", "0")
            depth = min(int(level), 8) if level.isdecimal() else 0
        if has_own or (is_body and not has_none):
            items.append("  " * depth + "- " + " ".join(text.split()))
            continue
        yield from _list(items)
        items = []
        yield Piece(text, "prose")
    yield from _list(items)


def _list(items: Sequence[str]) -> Iterator[Piece]:
    if len(items) == 1:
        yield Piece(items[0].lstrip().removeprefix("- "), "prose")
    elif items:
        yield Piece("\n".join(items), "list")


def _text(paragraph: Any) -> str:
    """The text of a paragraph, its line breaks kept and other white space collapsed."""
    parts = [
        "\n" if element.tag == f"{_A}br" else element.text or ""
        for element in paragraph.iter(f"{_A}t", f"{_A}br", f"{_MATH}t")
    ]
    lines = (_SPACE.sub(" ", line).strip() for line in "".join(parts).replace("\v", "\n").split("\n"))
    return clean("\n".join(line for line in lines if line))


def _cell(cell: Any) -> str:
    return " ".join(" ".join(map(_text, cell.iter(f"{_A}p"))).split())


def _table(rows: Sequence[Sequence[str]]) -> Iterator[Piece]:
    text = "\n".join(" | ".join(row) for row in rows if any(row))
    if text:
        yield Piece(text, "table" if any(len(row) > 1 for row in rows) else "prose")


def _diagram(part: Any, element: Any) -> Iterator[Piece]:
    """The texts of a diagram (SmartArt), which stand in a part of their own."""
    relation = element.get(qn("r:dm"))
    if relation is not None and relation in part.rels:
        root = parse_xml(part.related_part(relation).blob)
        texts = (" ".join(_text(paragraph).split()) for paragraph in root.iter(f"{_A}p"))
        yield from _list([f"- {text}" for text in texts if text])


def _chart(part: Any, element: Any) -> Iterator[Piece]:
    """The title of a chart, and the values that it was last drawn from as a table."""
    relation = element.get(qn("r:id"))
    if relation is None or relation not in part.rels:
        return
    root = parse_xml(part.related_part(relation).blob)
    title = next(root.iter(qn("c:title")), None)
    if title is not None:
        yield Piece(" ".join(filter(None, map(_text, title.iter(f"{_A}p")))), "prose")
    series = list(root.iter(qn("c:ser")))
    names = [" ".join(_points(one, "c:tx").values()) for one in series]
    values = [_points(one, "c:val") or _points(one, "c:yVal") for one in series]
    categories = (_points(series[0], "c:cat") or _points(series[0], "c:xVal")) if series else {}
    indexes = sorted({index for column in (categories, *values) for index in column})[:_MAX_POINTS]
    rows = [[categories.get(n, ""), *(column.get(n, "") for column in values)] for n in indexes]
    if rows:
        yield from _table([["", *names], *rows])


def _points(series: Any, role: str) -> dict[int, str]:
    """The cached values of a part of a series, by index."""
    found = series.find(qn(role))
    points: dict[int, str] = {}
    for point in () if found is None else found.iter(qn("c:pt")):
        value = point.findtext(qn("c:v"))
        if value and point.get("idx", "").isdecimal():
            points[int(point.get("idx"))] = clean(" ".join(value.split()))
    return points
