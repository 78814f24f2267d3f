"""DOCX: paragraphs, headings by their styles, lists, and tables as rows ``a | b``."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import docx
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.exceptions import OpcError
from docx.oxml.ns import qn
from docx.oxml.parser import parse_xml
from lxml import etree

from rag.errors import ReadError
from rag.readers.docxstyles import Numbering, Styles
from rag.readers.metadata import clean_metadata, make_document
from rag.readers.office import MALFORMED, core_properties
from rag.readers.options import ReadOptions, ReadResult
from rag.readers.structure import Outline, TextBuilder
from rag.readers.zips import check_unpacked

_MALFORMED = (*MALFORMED, OpcError)

_P, _TBL, _TR, _TC = qn("w:p"), qn("w:tbl"), qn("w:tr"), qn("w:tc")
_TEXT, _BOX = qn("w:t"), qn("w:txbxContent")
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_UNREAD = frozenset({qn("w:del"), qn("w:moveFrom"), f"{_MC}Fallback"})
"""Deleted text, and second versions of what the document shows."""
_SIGNS = {
    qn("w:tab"): " ",
    qn("w:ptab"): " ",
    qn("w:br"): "\n",
    qn("w:cr"): "\n",
    qn("w:noBreakHyphen"): "-",
}
_HOLDERS = frozenset({qn("w:sdt"), qn("w:sdtContent"), qn("w:customXml"), qn("w:ins"), qn("w:moveTo")})
_SPACE = re.compile(r"[ \t\xa0]+")


def read_docx(data: bytes, source: str, options: ReadOptions) -> ReadResult:
    """One document. Raises ``ReadError`` for a file that is damaged, too large unpacked, or empty."""
    check_unpacked(data, options.max_bytes, "Word document")
    try:
        file = docx.Document(io.BytesIO(data))
        reader = _Reader(file)
        reader.read()
        title, metadata = clean_metadata(_properties(file))
    except _MALFORMED as error:
        raise ReadError("The Word document is damaged or cut short and could not be read.") from error
    if not reader.built.blocks:
        raise ReadError("The Word document has no text in it.")
    title = title or reader.title
    document = make_document(reader.built.text, source, "docx", reader.built.blocks, metadata, title=title)
    return ReadResult((document,))


def _properties(file: Any) -> dict[object, object]:
    """Title, author, date of the last change, keywords; nothing where the file declares none."""
    # Asked for properties that are missing, python-docx makes some up, with the present time.
    if not any(rel.reltype == RELATIONSHIP_TYPE.CORE_PROPERTIES for rel in file.part.package.rels.values()):
        return {}
    return core_properties(file.core_properties)


class _Reader:
    """One pass over the body of a document."""

    def __init__(self, file: Any) -> None:
        self.built = TextBuilder()
        self._title = self._first = ""
        self._file = file
        self._outline = Outline()
        self._styles = Styles(file.part)
        self._numbering = Numbering(file.part)
        self._items: list[str] = []

    @property
    def title(self) -> str | None:
        """The paragraph of style Title, else the first heading of level 1."""
        return self._title or self._first or None

    def read(self) -> None:
        """Add the body, then the footnotes and endnotes, which stand in parts of their own."""
        self._add(self._file.element.body)
        self._first = next(iter(self._outline.tops), "")
        self._outline = Outline()
        for rel in self._file.part.rels.values():
            if (
                rel.reltype in (RELATIONSHIP_TYPE.FOOTNOTES, RELATIONSHIP_TYPE.ENDNOTES)
                and not rel.is_external
            ):
                self._add(*parse_xml(rel.target_part.blob))

    def _add(self, *containers: Any) -> None:
        for element in _flow(containers):
            if element.tag == _TBL:
                self._table(element)
            else:
                self._paragraph(element)
        self._end_list()

    def _paragraph(self, paragraph: Any) -> None:
        text = _text(paragraph)
        style = self._styles.of(paragraph)
        if not text:
            return
        if style.level is not None:
            name = " ".join(text.split())
            self._end_list()
            if style.level == 0 and not self._title:
                self._title = name
            self.built.add(name, "heading", self._outline.enter(style.level, name))
        elif style.is_list:
            self._items.append(self._numbering.marker(paragraph, style) + " ".join(text.split()))
        else:
            self._end_list()
            self.built.add(text, "prose", self._outline.path)

    def _end_list(self) -> None:
        self.built.add("\n".join(self._items), "list", self._outline.path)
        self._items.clear()

    def _table(self, table: Any) -> None:
        rows = [[_cell(cell) for cell in _cells(row)] for row in _rows(table)]
        rows = [row for row in rows if any(row)]
        if max(map(len, rows), default=0) > 1:
            self._end_list()
            self.built.add("\n".join(" | ".join(row) for row in rows), "table", self._outline.path)
            return
        for row in _rows(table):  # a frame around text
            for cell in _cells(row):
                self._add(cell)


def _flow(containers: tuple[Any, ...]) -> Iterator[Any]:
    """Paragraphs and tables in reading order; a text box follows the paragraph that it hangs on."""
    waiting = [child for container in reversed(containers) for child in reversed(container)]
    while waiting:
        element = waiting.pop()
        if element.tag in (_P, _TBL):
            yield element
        if element.tag == _P:
            boxes = [
                box for box in element.iter(_BOX) if next(box.iterancestors(f"{_MC}Fallback"), None) is None
            ]
            waiting += [
                child for box in reversed(boxes) if _outermost(box, element) for child in reversed(box)
            ]
        elif element.tag in _HOLDERS:
            waiting += reversed(element)


def _outermost(box: Any, paragraph: Any) -> bool:
    """Whether a text box hangs on this paragraph, and not on one inside another box of it."""
    return next(box.iterancestors(_P), None) is paragraph


def _text(paragraph: Any) -> str:
    """The paragraph's text as shown: insertions in, deletions and text boxes out."""
    parts: list[str] = []
    walk = etree.iterwalk(paragraph, events=("start",))
    for _, element in walk:
        tag = element.tag
        if tag == _TEXT:
            parts.append(element.text or "")
        elif tag in _SIGNS:
            # A break of the page or column stands between lines anyway; tab stops are no tabs.
            if element.getparent().tag == qn("w:r"):
                parts.append(_SIGNS[tag])
        elif tag in _UNREAD or tag == _BOX:
            walk.skip_subtree()
    lines = (_SPACE.sub(" ", line).strip() for line in "".join(parts).split("\n"))
    return "\n".join(line for line in lines if line)


def _rows(table: Any) -> Iterator[Any]:
    return (row for row in table.iter(_TR) if next(row.iterancestors(_TBL)) is table)


def _cells(row: Any) -> Iterator[Any]:
    return (cell for cell in row.iter(_TC) if next(cell.iterancestors(_TR)) is row)


def _cell(cell: Any) -> str:
    return " ".join(" ".join(_text(paragraph).split()) for paragraph in cell.iter(_P)).strip()
