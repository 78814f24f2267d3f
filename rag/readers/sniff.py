"""What a file truly is, whatever it is called."""

from __future__ import annotations

import re

from rag.errors import ReadError
from rag.readers.kinds import ZIPPED
from rag.readers.zips import MALFORMED_ZIP, open_zip

_TEXT_LIKE = frozenset({"text", "markdown", "csv", "jsonl", "html", "email"})
_NAMES = {
    "pdf": "a PDF",
    "docx": "a Word document (DOCX)",
    "pptx": "a PowerPoint presentation (PPTX)",
    "xlsx": "an Excel workbook (XLSX)",
    "epub": "a book (EPUB)",
    "zip": "an archive (zip)",
}

# First bytes of what people take for documents, and of what is none.
_FOREIGN = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ""),  # told apart below
    (b"{\\rtf", "an RTF file; save it as DOCX"),
    (b"\x89PNG", "an image, which has no text to read"),
    (b"\xff\xd8\xff", "an image, which has no text to read"),
    (b"GIF87a", "an image, which has no text to read"),
    (b"GIF89a", "an image, which has no text to read"),
    (b"II*\x00", "an image, which has no text to read"),
    (b"MM\x00*", "an image, which has no text to read"),
    (b"\x1f\x8b", "a compressed archive; unpack it first"),
    (b"BZh91AY&SY", "a compressed archive; unpack it first"),
    (b"\xfd7zXZ\x00", "a compressed archive; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a compressed archive; unpack it first"),
    (b"Rar!\x1a\x07", "a compressed archive; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a compressed archive; unpack it first"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90\x00", "a program"),
    (b"SQLite format 3\x00", "a database; export what it holds as CSV"),
    (b"PAR1", "a Parquet file; export it as CSV or JSON Lines"),
    (b"%!PS", "a PostScript file; convert it to PDF"),
)
_MAIN_PARTS = (
    ("word/document.xml", "docx"),
    ("xl/workbook.xml", "xlsx"),
    ("ppt/presentation.xml", "pptx"),
    ("META-INF/container.xml", "epub"),
)
_HEADER = re.compile(
    rb"^(?:from|to|cc|subject|date|received|return-path|message-id|mime-version|delivered-to|reply-to|"
    rb"content-type)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_WITHIN = 1_024
_HEADERS_WITHIN = 16_384


def true_kind(data: bytes, named: str) -> str:
    """The kind of a file that is called ``named`` (a value of ``SUFFIXES``): that, or what it shows to be.

    Raises ``ReadError`` with a sentence for what no reader handles.
    """
    if b"%PDF-" in data[:_WITHIN] and (named == "pdf" or data.lstrip()[:5] == b"%PDF-"):
        return "pdf"
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zipped(data, named)
    for magic, what in _FOREIGN:
        if data.startswith(magic):
            raise ReadError(f"This is {what or _compound(data)}.")
    if named in _TEXT_LIKE:
        return _better_text_kind(data, named)
    if _looks_like_html(data):
        return "html"
    if named == "pdf" and data.rstrip().endswith(b"%%EOF"):
        return "pdf"  # its start is damaged; the reader may find the rest
    raise ReadError(f"This is not {_NAMES[named]}, although it is called one; it may be damaged.")


def _zipped(data: bytes, named: str) -> str:
    try:
        with open_zip(data) as archive:
            members = set(archive.namelist())
    except MALFORMED_ZIP:
        if named in ZIPPED - {"zip"}:
            return named  # truncated: the reader says so
        raise ReadError("This is an archive (zip) that is damaged or cut short.") from None
    for member, kind in _MAIN_PARTS:
        if member in members:
            return kind
    if named in ("docx", "pptx", "xlsx") and "[Content_Types].xml" in members:
        return named  # some programs give the main part another name
    if {"mimetype", "content.xml"} <= members:
        raise ReadError("This is an OpenDocument file; save it as DOCX, PPTX or XLSX.")
    return "zip"


def _compound(data: bytes) -> str:
    """What is inside the container of old Office files: an encrypted new one, or an old one."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        return "an Office document protected by a password; save a copy without one"
    if "WordDocument".encode("utf-16-le") in data:
        return "an old Word document (.doc); save it as DOCX"
    if "Workbook".encode("utf-16-le") in data:
        return "an old Excel workbook (.xls); save it as XLSX"
    if "PowerPoint Document".encode("utf-16-le") in data:
        return "an old PowerPoint presentation (.ppt); save it as PPTX"
    if "__properties_version1.0".encode("utf-16-le") in data:
        return "an Outlook message (.msg); save it as .eml"
    return "an old Office document; save it as DOCX or PDF"


def _better_text_kind(data: bytes, named: str) -> str:
    """A table and JSON Lines are told from each other and from a page, an e-mail from text without
    headers; other text is as it is called."""
    if named == "email" and not _has_headers(data):
        return "html" if _looks_like_html(data) else "text"
    if named == "csv" and data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b'{"'):
        return "jsonl"
    if named in ("csv", "jsonl") and _looks_like_html(data):
        return "html"
    return named


def _has_headers(data: bytes) -> bool:
    head = re.split(rb"\r?\n\r?\n", data[:_HEADERS_WITHIN].lstrip(), maxsplit=1)[0]
    return _HEADER.search(head) is not None


def _looks_like_html(data: bytes) -> bool:
    start = data[:_WITHIN].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html")) or (
        start.startswith(b"<?xml") and b"<html" in start
    )
