"""What the styles and the numbering of a DOCX file say about a paragraph."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml.ns import qn
from docx.oxml.parser import parse_xml

_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)
_LIST = re.compile(r"list (?:bullet|number)(?: [2-5])?", re.IGNORECASE)
_BODY_LEVEL = 9
"""The outline level that means "no heading"."""
_MAX_BASES = 20


@dataclass(frozen=True, slots=True)
class Style:
    """``level``: of a heading from 1, 0 for the title, None for the rest. ``num`` and ``depth``
    (from 0) are the numbering that a list item belongs to, where the style or paragraph says so."""

    level: int | None = None
    is_list: bool = False
    num: str | None = None
    depth: int = 0


class Styles:
    """The paragraph styles of a document, with what they inherit."""

    def __init__(self, part: Any) -> None:
        self._elements: dict[str, Any] = {}
        self._known: dict[str, Style] = {}
        self._default = ""
        root = _related(part, RELATIONSHIP_TYPE.STYLES)
        for element in () if root is None else root.iter(qn("w:style")):
            identity = element.get(qn("w:styleId"))
            if identity and element.get(qn("w:type"), "paragraph") == "paragraph":
                self._elements[identity] = element
                if element.get(qn("w:default")) in ("1", "true", "on"):
                    self._default = identity

    def of(self, paragraph: Any) -> Style:
        """The paragraph's style, overruled by what it says of itself."""
        properties = paragraph.find(qn("w:pPr"))
        if properties is None:
            return self._style(self._default)
        style = self._style(_value(properties, "w:pStyle") or self._default)
        level = _outline_level(properties)
        num, depth = _numbering(properties)
        if level is not None:
            style = Style(level, style.is_list, style.num, style.depth)
        if num is not None:
            style = Style(style.level, num != "0", num, depth or 0)
        return style

    def _style(self, identity: str) -> Style:
        if identity not in self._known:
            self._known[identity] = self._resolve(identity)
        return self._known[identity]

    def _resolve(self, identity: str) -> Style:
        level: int | None = None
        is_list = False
        num: str | None = None
        depth = 0
        current = identity
        for _ in range(_MAX_BASES):  # styles of a broken file may stand on each other in a circle
            element = self._elements.get(current)
            if element is None:
                break
            name = _value(element, "w:name") or ""
            heading = _HEADING.fullmatch(name)
            if level is None and heading is not None:
                level = int(heading.group(1))
            elif level is None and name.casefold() == "title":
                level = 0
            is_list = is_list or _LIST.fullmatch(name) is not None
            properties = element.find(qn("w:pPr"))
            if properties is not None:
                if level is None:
                    level = _outline_level(properties)
                found, at = _numbering(properties)
                if num is None and found is not None:
                    num, depth, is_list = found, at or 0, is_list or found != "0"
            current = _value(element, "w:basedOn") or ""
        return Style(level, is_list, num, depth)


class Numbering:
    """Markers of list items: a count where the list is numbered, else a dash."""

    def __init__(self, part: Any) -> None:
        self._ordered: dict[tuple[str, int], bool] = {}
        self._counts: defaultdict[str, dict[int, int]] = defaultdict(dict)
        root = _related(part, RELATIONSHIP_TYPE.NUMBERING)
        if root is None:
            return
        formats = {
            (abstract.get(qn("w:abstractNumId")), int(level.get(qn("w:ilvl"), "0"))): _value(
                level, "w:numFmt"
            )
            for abstract in root.iter(qn("w:abstractNum"))
            for level in abstract.iter(qn("w:lvl"))
        }
        for num in root.iter(qn("w:num")):
            identity, abstract = num.get(qn("w:numId")), _value(num, "w:abstractNumId")
            for (owner, depth), form in formats.items():
                if owner == abstract:
                    self._ordered[identity, depth] = form not in ("bullet", "none", None)

    def marker(self, paragraph: Any, style: Style) -> str:
        """What the item begins with: ``- `` or ``3. ``, after two spaces for each level."""
        indent = "  " * min(style.depth, 8)
        if style.num is None or not self._ordered.get((style.num, style.depth), False):
            return f"{indent}- "
        counts = self._counts[style.num]
        for deeper in [depth for depth in counts if depth > style.depth]:
            del counts[deeper]
        counts[style.depth] = counts.get(style.depth, 0) + 1
        return f"{indent}{counts[style.depth]}. "


def _related(part: Any, reltype: str) -> Any:
    """The root element of a part that the main one refers to, or None."""
    for rel in part.rels.values():
        if rel.reltype == reltype and not rel.is_external:
            return parse_xml(rel.target_part.blob)
    return None


def _value(element: Any, name: str) -> str | None:
    found = element.find(qn(name))
    value = None if found is None else found.get(qn("w:val"))
    return None if value is None else str(value)


def _outline_level(properties: Any) -> int | None:
    """Level from 1 that the properties give a heading; None where they say none, or body text."""
    value = _value(properties, "w:outlineLvl")
    if value is None or not value.isdecimal() or int(value) >= _BODY_LEVEL:
        return None
    return int(value) + 1


def _numbering(properties: Any) -> tuple[str | None, int | None]:
    """The ``numId`` and level of the properties; the id is "0" where numbering is switched off."""
    found = properties.find(qn("w:numPr"))
    if found is None:
        return None, None
    depth = _value(found, "w:ilvl")
    return _value(found, "w:numId"), int(depth) if depth and depth.isdecimal() else None
