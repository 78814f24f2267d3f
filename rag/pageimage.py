"""A page of a PDF as a picture, with one sentence marked where it stands on it.

Drawn by PDFium (the renderer of Chromium), on demand only. The sentence is found by its letters and
digits alone, for a page breaks lines, hyphenates and joins letters as a document's text does not.
"""

from __future__ import annotations

import io
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import ReadError

_WIDTH = 1_000
"""Pixels: sharp at the width of a conversation, and about 150 kB."""
_TALLEST = 3_000
_LEAST = 24
"""Letters of the beginning of a sentence that are marked where not all of it is on the page."""
_MOST_CHARACTERS = 60_000
_MARGIN = 40
_INK = (255, 226, 90)
_PDFIUM = threading.Lock()
"""It serves one thread at a time."""


@dataclass(frozen=True, slots=True)
class PageImage:
    """``png`` is the page; ``marked`` whether the sentence was found on it; ``pages`` how many there are."""

    png: bytes
    marked: bool
    pages: int


def draw_page(path: Path, page: int, sentence: str) -> PageImage:
    """The page (from 1) of a PDF with ``sentence`` marked. Raises :class:`ReadError`."""
    import pypdfium2

    try:
        with _PDFIUM, pypdfium2.PdfDocument(path) as document:
            if not 1 <= page <= len(document):
                raise ReadError(f"The file has no page {page} any more. Ingest it again.")
            return _draw(document[page - 1], sentence, len(document))
    except (pypdfium2.PdfiumError, OSError, ValueError, MemoryError) as error:
        raise ReadError(f"The page cannot be drawn ({type(error).__name__}). Open the file itself.") from None


def _draw(page: Any, sentence: str, pages: int) -> PageImage:
    from PIL import Image, ImageChops

    width, height = page.get_size()
    if not (width > 0 and height > 0):
        raise ReadError("The page has no size. Open the file itself.")
    bitmap = page.render(scale=min(_WIDTH / width, _TALLEST / height))
    image = bitmap.to_pil().convert("RGB")
    place = bitmap.get_posconv(page)
    boxes = _boxes(page, sentence)
    for left, bottom, right, top in boxes:
        xs, ys = zip(*(place.to_bitmap(x, y) for x, y in ((left, bottom), (right, top))), strict=True)
        box = (
            max(0, min(xs) - 2),
            max(0, min(ys) - 2),
            min(image.width, max(xs) + 2),
            min(image.height, max(ys) + 2),
        )
        if box[0] < box[2] and box[1] < box[3]:
            part = image.crop(box)
            image.paste(ImageChops.multiply(part, Image.new("RGB", part.size, _INK)), box)
    image = _trimmed(image)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=False)
    return PageImage(out.getvalue(), bool(boxes), pages)


def _trimmed(image: Any) -> Any:
    """The page without most of its margins, so that it can be read on a telephone."""
    from PIL import Image, ImageChops

    inked = ImageChops.difference(image, Image.new("RGB", image.size, "white")).getbbox()
    if inked is None:
        return image
    left, top, right, bottom = inked
    return image.crop(
        (
            max(0, left - _MARGIN),
            max(0, top - _MARGIN),
            min(image.width, right + _MARGIN),
            min(image.height, bottom + _MARGIN),
        )
    )


def _boxes(page: Any, sentence: str) -> list[tuple[float, float, float, float]]:
    """Left, bottom, right and top of each line of the sentence, in points of the page."""
    import pypdfium2.raw as pdfium

    text = page.get_textpage()
    count = min(text.count_chars(), _MOST_CHARACTERS)
    letters: list[str] = []
    places: list[int] = []
    for n in range(count):
        for letter in _letters(chr(pdfium.FPDFText_GetUnicode(text, n))):
            letters.append(letter)
            places.append(n)
    found = find_letters("".join(letters), "".join(_letters(sentence)))
    if found is None:
        return []
    first, last = places[found[0]], places[found[1] - 1]
    return [text.get_rect(n) for n in range(text.count_rects(first, last - first + 1))]


def find_letters(page: str, sentence: str) -> tuple[int, int] | None:
    """Where the sentence stands among the letters of a page, or as much of its beginning as does."""
    if not sentence:
        return None
    at = page.find(sentence)
    if at >= 0:
        return at, at + len(sentence)
    low, high = _LEAST, len(sentence)
    if high <= low or sentence[:low] not in page:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if sentence[:middle] in page else (low, middle)
    at = page.find(sentence[:low])
    return at, at + low


def _letters(text: str) -> Sequence[str]:
    return [c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum()]
