"""EPUB: the chapters of a book in reading order, under the titles of its table of contents.

Each chapter is a page of HTML and read as one; what it refers to is not loaded.
"""

from __future__ import annotations

import zipfile

from rag.errors import ReadError
from rag.readers.decode import has_words
from rag.readers.epubparts import Book, Chapter, read_book
from rag.readers.failures import shortened
from rag.readers.files import check_size
from rag.readers.html import read_html
from rag.readers.metadata import clean_metadata, make_document
from rag.readers.office import MALFORMED
from rag.readers.options import ReadOptions, ReadResult
from rag.readers.structure import TextBuilder
from rag.readers.zips import MALFORMED_ZIP, check_unpacked, open_zip
from rag.types import ReadFailure

_PROTECTED = "The book is protected against copying (DRM). Use a copy without protection."
_SHORTEST = 4
"""Letters that a title has at least which is taken for the same one within a longer title."""


def read_epub(data: bytes, source: str, options: ReadOptions) -> ReadResult:
    """One document. A chapter that cannot be read is a failure ``source, its file`` beside it.

    Raises ``ReadError`` for a book that is damaged throughout, protected, too large unpacked,
    or without text.
    """
    check_unpacked(data, options.max_bytes, "book")
    failures: list[ReadFailure] = []
    built = TextBuilder()
    with open_zip(data) as archive:
        try:
            book = read_book(archive)
            title, metadata = clean_metadata(book.metadata)
        except MALFORMED as error:
            raise ReadError("The book is damaged or cut short and could not be read.") from error
        for chapter in book.chapters:
            try:
                _add(built, _page(archive, book, chapter, options), chapter, options)
            except ReadError as error:
                failures.append(ReadFailure(f"{source}, {chapter.name}", str(error)))
    if not has_words(built.text):
        if book.chapters and all(chapter.name in book.protected for chapter in book.chapters):
            raise ReadError(_PROTECTED)
        if failures:
            raise ReadError("The book is damaged: none of its chapters could be read.")
        raise ReadError("The book has no text in it (scanned?). Run text recognition (OCR) on it first.")
    document = make_document(built.text, source, "epub", built.blocks, metadata, title=title)
    return ReadResult((document,), shortened(failures, source))


def _page(archive: zipfile.ZipFile, book: Book, chapter: Chapter, options: ReadOptions) -> bytes:
    """The bytes of a chapter. Raises ``ReadError``."""
    if chapter.name in book.protected:
        raise ReadError(_PROTECTED)
    try:
        member = archive.getinfo(chapter.name)
        check_size(max(member.file_size, 1), options.max_bytes)
        return archive.read(member)
    except KeyError:
        raise ReadError("The chapter is missing from the book.") from None
    except MALFORMED_ZIP:
        raise ReadError("The chapter is damaged and could not be read.") from None


def _add(built: TextBuilder, page: bytes, chapter: Chapter, options: ReadOptions) -> None:
    """Add a chapter's blocks under its titles; a page without text (a cover) adds nothing."""
    try:
        documents = read_html(page, chapter.name, options).documents if page else ()
    except ReadError:
        return
    for document in documents:
        for block in document.blocks:
            path = (*chapter.path, *block.path)
            if block.path and chapter.path and _is_same(chapter.path[-1], block.path[0]):
                path = (*chapter.path, *block.path[1:])
            built.add(document.text[block.start : block.end], block.kind, path)


def _is_same(listed: str, heading: str) -> bool:
    """Whether a title of the contents and a heading are one: "Loomings", "Chapter 1. Loomings"."""
    one, two = ("".join(c for c in text.casefold() if c.isalnum()) for text in (listed, heading))
    return one == two or (len(one) >= _SHORTEST and one in two) or (len(two) >= _SHORTEST and two in one)
