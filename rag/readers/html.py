"""HTML: the content of a page as text, with its headings, lists, tables and code.

The text is put together here, block by block, so that offsets are exact. Scripts and styles
are never part of it, and nothing that the page refers to is loaded.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator

from lxml import etree
from lxml.html import HTMLParser, document_fromstring

from rag.errors import ReadError
from rag.readers.decode import clean, decode, has_words
from rag.readers.htmltext import page_text
from rag.readers.maincontent import NEVER, Element
from rag.readers.metadata import clean_metadata, make_document
from rag.readers.options import ReadOptions, ReadResult
from rag.readers.structure import TextBuilder, one_line
from rag.types import ReadFailure

_CHARSET = re.compile(
    rb"<(?:meta\b[^>]*?|\?xml\b[^>]*?en)(?:charset|coding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE
)
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_TAG = re.compile(r"<!--|-->|</?([A-Za-z][\w-]*)[^<>]*>")
_UNREAD = frozenset({"script", "style", "template", "noscript"})

_META = {
    "author": "author",
    "article:author": "author",
    "dc.creator": "author",
    "description": "description",
    "og:description": "description",
    "keywords": "keywords",
    "date": "date",
    "article:published_time": "date",
    "dc.date": "date",
    "dcterms.date": "date",
    "dcterms.created": "date",
    "datepublished": "date",
    "pubdate": "date",
}


def read_html(data: bytes, source: str, options: ReadOptions) -> ReadResult:
    """One document. Raises ``ReadError`` where the page has no text."""
    text, notice = _decode(data)
    failures = [ReadFailure(source, notice)] if notice else []
    # The parser takes bytes only, where a page declares an encoding; NUL would end it early.
    raw = clean(text.replace("\0", "")).encode("utf-8")
    parser = HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True)
    try:
        page = document_fromstring(raw, parser=parser)
    except etree.ParserError:  # nothing but comments
        raise ReadError("The page has no text in it.") from None
    title, declared = _declared(page)
    etree.strip_elements(page, *NEVER, with_tail=False)
    if any("depth" in entry.message for entry in parser.error_log):
        built = _without_structure(text)
        failures.append(
            ReadFailure(source, "The page is nested too deeply; its text was read without headings.")
        )
    else:
        built = page_text(page)
    if not has_words(built.text):
        raise ReadError("The page has no text in it.")
    if title is None:
        title = next((b.path[-1] for b in built.blocks if b.kind == "heading" and len(b.path) == 1), None)
    _, metadata = clean_metadata(declared)
    return ReadResult(
        (make_document(built.text, source, "html", built.blocks, metadata, title=title),), tuple(failures)
    )


def _decode(data: bytes) -> tuple[str, str | None]:
    """The page as text: by its mark, by what it declares where that fits, else as any text."""
    declared = _CHARSET.search(data[:4096])
    if declared is not None and not data.startswith(_MARKS):
        name = declared.group(1).decode("ascii", "replace").lower()
        name = {"iso-8859-1": "cp1252", "latin1": "cp1252", "ascii": "cp1252", "us-ascii": "cp1252"}.get(
            name, name
        )
        try:
            # A page whose declaration can be read so is not UTF-16, whatever it says (HTML standard).
            codec = codecs.lookup(name).name
            if not codec.startswith(("utf-16", "utf-32", "utf-7")):
                return data.decode(codec), None
        except (LookupError, UnicodeDecodeError, TypeError, ValueError):
            pass  # declared wrongly: looked at below as if nothing were declared
    decoded = decode(data)
    return decoded.text, decoded.notice


def _declared(page: Element) -> tuple[str | None, dict[object, object]]:
    """The title, and the metadata that the page's head declares."""
    title = page.find(".//head/title")
    if title is None:
        title = page.find(".//title")
    name = one_line("".join(title.itertext())) if title is not None else ""
    found: dict[object, object] = {}
    for meta in page.iter("meta"):
        key = (meta.get("name") or meta.get("property") or meta.get("itemprop") or "").strip().lower()
        content = (meta.get("content") or "").strip()
        if not name and key == "og:title":
            name = one_line(content)
        field = _META.get(key)
        if field is None or not content or field in found:
            continue
        found[field] = [word.strip() for word in content.split(",")] if field == "keywords" else content
    return name or None, found


def _without_structure(text: str) -> TextBuilder:
    """The text between the tags, a block for each stretch of it."""
    built = TextBuilder()
    for piece in _stretches(text):
        built.add(" ".join(html.unescape(piece).split()))
    return built


def _stretches(text: str) -> Iterator[str]:
    closing = ""
    done = 0
    for tag in _TAG.finditer(text):
        whole, name = tag.group(), (tag.group(1) or "").lower()
        if closing:
            if whole == closing or (name == closing and whole.startswith("</")):
                closing, done = "", tag.end()
            continue
        yield text[done : tag.start()]
        done = tag.end()
        if whole == "<!--":
            closing = "-->"
        elif name in _UNREAD and not whole.startswith("</"):
            closing = name
    if not closing:
        yield text[done:]
