"""PDF: the text of each page, its lines put back into paragraphs, with page numbers.

Headings are known only where the file has bookmarks; their titles make the heading path.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from pypdf import PasswordType, PdfReader
from pypdf.errors import DependencyError, PyPdfError
from pypdf.generic import Destination

from rag.errors import ReadError
from rag.readers.decode import has_words
from rag.readers.failures import MAX_LISTED
from rag.readers.metadata import clean_metadata, make_document
from rag.readers.options import ReadOptions, ReadResult
from rag.readers.pdflines import Hyphens, clean_lines, find_title, paragraphs
from rag.readers.structure import Outline, TextBuilder, one_line
from rag.types import Metadata, ReadFailure

# It warns of every flaw of a file that it can read in spite of it; what it cannot read is raised.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)

_MAX_BOOKMARKS = 10_000
_MOST_UNKNOWN = 0.3
"""Share of characters without a meaning above which a page is not text."""
_CATALOG = re.compile(rb"/Type\s*/Catalog\b")
_NUMBER = re.compile(rb"(\d+\s+\d+)$")
_END = b"%%EOF"
_END_WITHIN = 2_048
_MALFORMED = (
    PyPdfError, ArithmeticError, AssertionError, AttributeError, LookupError, NotImplementedError, OSError,
    RecursionError, TypeError, ValueError,
)  # fmt: skip
"""What pypdf raises on malformed files, as far as it does not name it itself."""


@dataclass(frozen=True, slots=True)
class _Bookmark:
    level: int
    title: str


def read_pdf(data: bytes, source: str, options: ReadOptions) -> ReadResult:
    """One document. A page that cannot be read is a failure ``source, page N`` beside it.

    Raises ``ReadError`` for a file that is protected, damaged throughout, or without text.
    """
    reader = _open(data)
    pages, failures = _pages(reader, source)
    is_whole = _END in data[-_END_WITHIN:]
    if not any(has_words(line) for lines in pages for line in lines):
        if failures or not is_whole:
            raise ReadError("The PDF is damaged: none of its pages could be read.")
        raise ReadError("The PDF has no text (scanned?). Run text recognition (OCR) on it first.")
    if not is_whole:
        failures.insert(0, ReadFailure(source, "The PDF is cut short; what could be read of it was."))
    bookmarks = _bookmarks(reader)
    hyphens = Hyphens(line for lines in pages for line in lines)
    built, outline = TextBuilder(), Outline()
    for number, lines in enumerate(pages, 1):
        _add_page(built, outline, lines, number, bookmarks.get(number, []), hyphens)
    title, metadata = _declared(reader)
    document = make_document(built.text, source, "pdf", built.blocks, metadata, title=title)
    return ReadResult((document,), tuple(failures))


def _open(data: bytes) -> PdfReader:
    try:
        try:
            reader = _checked(data)
        except _MALFORMED:
            salvaged = _salvaged(data)
            if salvaged is None:
                raise
            reader = _checked(salvaged)
    except DependencyError as error:
        raise ReadError(
            "The PDF is encrypted, and reading it needs a package: pip install cryptography."
        ) from error
    except _MALFORMED as error:
        raise ReadError("The PDF is damaged or cut short and could not be read.") from error
    if not reader.pages:
        raise ReadError("The PDF has no pages.")
    return reader


def _checked(data: bytes) -> PdfReader:
    """A reader that knows its pages; raises what is in ``_MALFORMED``."""
    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
        raise ReadError("The PDF is protected by a password. Save a copy without one.")
    len(reader.pages)
    return reader


def _salvaged(data: bytes) -> bytes | None:
    """A file that lost its end, given a new one; None where the object that lists its pages is lost.

    The new end points nowhere, on which pypdf looks for the objects itself.
    """
    whole = data[: data.rfind(b"endobj") + len(b"endobj")]
    for catalog in reversed(list(_CATALOG.finditer(whole))):
        begin = whole.rfind(b" obj", 0, catalog.start())
        number = _NUMBER.search(whole, max(0, begin - 20), begin) if begin > 0 else None
        if number is not None:
            return whole + b"\ntrailer\n<< /Root %s R >>\nstartxref\n0\n%%%%EOF\n" % number.group(1)
    return None


def _pages(reader: PdfReader, source: str) -> tuple[list[list[str]], list[ReadFailure]]:
    """The cleaned lines of every page; none for a page that fails."""
    pages: list[list[str]] = []
    failures: list[ReadFailure] = []
    for n in range(len(reader.pages)):
        try:
            text = reader.pages[n].extract_text()
            if text.count("\ufffd") > _MOST_UNKNOWN * len(text):
                raise PyPdfError("its characters are unknown, because a font is missing")
            pages.append(clean_lines(text))
        except _MALFORMED as error:
            pages.append([])
            reason = one_line(str(error), 120).rstrip(".") or type(error).__name__
            if len(failures) < MAX_LISTED:
                failures.append(
                    ReadFailure(f"{source}, page {n + 1}", f"The page could not be read: {reason}.")
                )
    return pages, failures


def _add_page(
    built: TextBuilder,
    outline: Outline,
    lines: list[str],
    page: int,
    bookmarks: list[_Bookmark],
    hyphens: Hyphens,
) -> None:
    done = 0
    for bookmark in bookmarks:
        found = find_title(bookmark.title, lines, done)
        if found is None:
            # Its line is not on the page as it is called; the path holds from where reading stands.
            outline.enter(bookmark.level, bookmark.title)
            continue
        start, end = found
        for kind, text in paragraphs(lines[done:start], hyphens):
            built.add(text, kind, outline.path, page)
        path = outline.enter(bookmark.level, bookmark.title)
        built.add(" ".join(lines[start:end]), "heading", path, page)
        done = end
    for kind, text in paragraphs(lines[done:], hyphens):
        built.add(text, kind, outline.path, page)


def _bookmarks(reader: PdfReader) -> dict[int, list[_Bookmark]]:
    """Bookmarks by page (from 1), in their order; none where the file's are malformed."""
    found: dict[int, list[_Bookmark]] = {}
    try:
        for n, (destination, level) in enumerate(_flatten(reader.outline, 1)):
            if n >= _MAX_BOOKMARKS:
                break
            page = reader.get_destination_page_number(destination)
            title = one_line(str(destination.title or ""))
            if page is not None and page >= 0 and title:
                found.setdefault(page + 1, []).append(_Bookmark(level, title))
    except _MALFORMED:
        return {}
    return found


def _flatten(items: Sequence[object], level: int) -> Iterator[tuple[Destination, int]]:
    for item in items:
        if isinstance(item, list):
            yield from _flatten(item, level + 1)
        elif isinstance(item, Destination):
            yield item, level


def _declared(reader: PdfReader) -> tuple[str | None, Metadata]:
    """Title, author and date of creation; what is malformed of them is left out."""
    raw: dict[object, object] = {}
    for key, name in (("title", "title"), ("author", "author"), ("created", "creation_date")):
        try:
            value = getattr(reader.metadata, name, None)
        except _MALFORMED:
            continue
        if isinstance(value, (str, datetime)):
            raw[key] = value
    title, metadata = clean_metadata(raw)
    if title:
        title = title.removeprefix("Microsoft Word - ").strip()
    if not title or title.casefold() in ("untitled", "untitled document", "title", "(anonymous)"):
        title = None
    return title, metadata
