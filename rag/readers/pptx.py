"""PPTX: slides in order, each with its number as page and its title as heading path.

Hidden slides are not read, nor what the layout repeats on every slide (dates, footers,
numbers). The speaker's notes stand behind their slide, under ``Notes``.
"""

from __future__ import annotations

import io
from typing import Any

import pptx
from pptx.exc import PythonPptxError
from pptx.opc.constants import RELATIONSHIP_TYPE

from rag.errors import ReadError
from rag.readers.decode import clean, has_words
from rag.readers.metadata import clean_metadata, make_document
from rag.readers.office import MALFORMED, core_properties
from rag.readers.options import ReadOptions, ReadResult
from rag.readers.slides import has_picture, slide_pieces
from rag.readers.structure import TextBuilder, one_line
from rag.readers.zips import check_unpacked

_MALFORMED = (*MALFORMED, PythonPptxError)
_NO_TITLES = frozenset({"powerpoint presentation", "powerpoint-präsentation", "présentation powerpoint",
                        "presentación de powerpoint", "presentazione standard di powerpoint"})  # fmt: skip
"""What PowerPoint calls a deck that nobody gave a title."""


def read_pptx(data: bytes, source: str, options: ReadOptions) -> ReadResult:
    """One document. Raises ``ReadError`` for a deck that is damaged, too large unpacked, or without text."""
    check_unpacked(data, options.max_bytes, "presentation")
    try:
        file = pptx.Presentation(io.BytesIO(data))
        slides = [slide for slide in file.slides if slide.element.get("show") not in ("0", "false")]
        pages = {slide.slide_id: n for n, slide in enumerate(file.slides, 1)}
        built = TextBuilder()
        for slide in slides:
            _add(built, slide, pages[slide.slide_id])
        declared, metadata = clean_metadata(_properties(file))
        pictures = not has_words(built.text) and any(has_picture(slide) for slide in slides)
    except _MALFORMED as error:
        raise ReadError("The presentation is damaged or cut short and could not be read.") from error
    if pictures:
        raise ReadError(
            "The slides hold only pictures, and no text. Run text recognition (OCR) on them first."
        )
    if not has_words(built.text):
        raise ReadError("The presentation has no text in it.")
    if declared and declared.casefold() in _NO_TITLES:
        declared = None
    title = declared or next((b.path[0] for b in built.blocks if b.kind == "heading"), "")
    document = make_document(built.text, source, "pptx", built.blocks, metadata, title=title or None)
    return ReadResult((document,))


def _add(built: TextBuilder, slide: Any, page: int) -> None:
    """Add what a slide shows, its title first, and then the notes to it."""
    title, pieces = slide_pieces(slide)
    name = one_line(title)
    path = (name,) if name else ()
    if name:
        built.add(" ".join(title.split()), "heading", path, page)
    for piece in pieces:
        built.add(piece.text, piece.kind, path, page)
    if slide.has_notes_slide:
        frame = slide.notes_slide.notes_text_frame
        for paragraph in () if frame is None else frame.paragraphs:
            built.add(clean(paragraph.text.replace("\v", "\n")), "prose", (*path, "Notes"), page)


def _properties(file: Any) -> dict[object, object]:
    """Title, author, date of the last change, keywords; nothing where the file declares none."""
    # Asked for properties that are missing, python-pptx makes some up, with the present time.
    relations = file.part.package._rels.values()
    if not any(relation.reltype == RELATIONSHIP_TYPE.CORE_PROPERTIES for relation in relations):
        return {}
    return core_properties(file.core_properties)
