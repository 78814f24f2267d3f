"""The parts of an EPUB book beside its chapters: what it declares, its order, its contents."""

from __future__ import annotations

import itertools
import posixpath
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from lxml import etree

from rag.readers.structure import one_line

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_FONTS = frozenset(
    {"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"}
)  # how fonts are disguised, which protects no text
_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")
_TYPE = "{http://www.idpf.org/2007/ops}type"
_MAX_ENTRIES = 10_000
_MAX_DEPTH = 6
_MAX_PIECES = 200
"""Pieces of text, and characters of each, of which a title is made at most."""
_YEAR = re.compile(r"[12]\d{3}(-\d{2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Chapter:
    """A page of the book: its member of the archive, and the titles that it stands under."""

    name: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Book:
    """``metadata`` is as declared; ``protected`` are the members that only a licence opens."""

    metadata: dict[object, object]
    chapters: tuple[Chapter, ...]
    protected: frozenset[str]


def read_book(archive: zipfile.ZipFile) -> Book:
    """Raises what ``zipfile`` and ``lxml`` do on malformed files, and ``ValueError`` for what is no book."""
    root = _xml(archive, _CONTAINER)
    rootfile = next(root.iter("{*}rootfile"), None)
    if rootfile is None:
        raise ValueError("the container names no book")
    package = unquote(rootfile.get("full-path", ""))
    book = _xml(archive, package)
    items = {item.get("id", ""): item for item in book.iter("{*}item")}
    spine = next(book.iter("{*}spine"), None)
    order = [] if spine is None else [reference.get("idref", "") for reference in spine.iter("{*}itemref")]
    names = [
        _member(package, items[i].get("href", ""))
        for i in order
        if i in items and items[i].get("media-type", _PAGES[0]) in _PAGES
    ]
    return Book(_metadata(book), tuple(_chapters(names, _contents(archive, package, book))), _locked(archive))


def _xml(archive: zipfile.ZipFile, name: str) -> Any:
    """The root of an XML member. Nothing is loaded from elsewhere, no entity is expanded."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    root = etree.fromstring(archive.read(name), parser)
    if root is None:
        raise ValueError(f"{name} is not XML")
    return root


def _member(base: str, reference: str) -> str:
    """The member that a reference in ``base`` points to, without its fragment."""
    path = unquote(urlsplit(reference).path)
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), path))


def _chapters(names: Sequence[str], contents: Sequence[tuple[str, tuple[str, ...]]]) -> Iterator[Chapter]:
    """The pages in order, each once; one that the contents do not list goes on with the last listed."""
    listed: dict[str, tuple[str, ...]] = {}
    for name, titles in contents:
        # Where several entries point into one page, its own headings tell them apart.
        listed[name] = _common(listed[name], titles) if name in listed else titles
    path: tuple[str, ...] = ()
    for name in dict.fromkeys(names):
        path = listed.get(name, path)
        yield Chapter(name, path)


def _common(one: tuple[str, ...], two: tuple[str, ...]) -> tuple[str, ...]:
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, two, strict=False))
    return tuple(title for title, _ in same)


# --- the table of contents ----------------------------------------------------


def _contents(archive: zipfile.ZipFile, package: str, book: Any) -> list[tuple[str, tuple[str, ...]]]:
    """Member and titles (outermost first) of each entry; none where the contents are missing or malformed."""
    for item in book.iter("{*}item"):
        is_nav = "nav" in item.get("properties", "").split()
        if not is_nav and item.get("media-type") != "application/x-dtbncx+xml":
            continue
        name = _member(package, item.get("href", ""))
        try:
            root = _xml(archive, name)
        except (etree.LxmlError, zipfile.BadZipFile, LookupError, ValueError, OSError):
            continue
        entries = _nav(root) if is_nav else _ncx(root)
        found = [
            (_member(name, href), path) for href, path in itertools.islice(entries, _MAX_ENTRIES) if path
        ]
        if found:
            return found
    return []


def _nav(root: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    """EPUB 3: lists of links; a level without a page of its own is a ``span``."""
    navs = list(root.iter("{*}nav"))
    toc = next((nav for nav in navs if "toc" in nav.get(_TYPE, "").split()), navs[0] if navs else root)
    for link in toc.iter("{*}a"):
        items = list(itertools.islice(link.iterancestors("{*}li"), _MAX_DEPTH))
        labels = [next(item.iterchildren("{*}a", "{*}span"), None) for item in items]
        yield link.get("href", ""), _titles(labels)


def _ncx(root: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    """EPUB 2: points within points."""
    for point in root.iter("{*}navPoint"):
        content = next(point.iterchildren("{*}content"), None)
        if content is None:
            continue
        points = [point, *itertools.islice(point.iterancestors("{*}navPoint"), _MAX_DEPTH - 1)]
        labels = [next(one.iterchildren("{*}navLabel"), None) for one in points]
        yield content.get("src", ""), _titles(labels)


def _titles(labels: Sequence[Any]) -> tuple[str, ...]:
    """The titles of an entry and those above it, given innermost first."""
    pieces = (itertools.islice(label.itertext(), _MAX_PIECES) for label in labels if label is not None)
    titles = (one_line("".join(piece[:_MAX_PIECES] for piece in some)) for some in pieces)
    return tuple(reversed([title for title in titles if title]))


# --- what the book declares ---------------------------------------------------


def _metadata(book: Any) -> dict[object, object]:
    """Title, author, date and keywords. Several authors are one text: "A; B"."""
    declared: dict[str, list[str]] = {}
    for key in ("title", "creator", "date", "subject"):
        found = book.iter(f"{{http://purl.org/dc/elements/1.1/}}{key}")
        declared[key] = [text for element in found if (text := one_line("".join(element.itertext())))]
    return {
        "title": declared["title"][0] if declared["title"] else None,
        "author": "; ".join(dict.fromkeys(declared["creator"])),
        "date": _first_day(declared["date"][0]) if declared["date"] else None,
        "keywords": declared["subject"],
    }


def _first_day(text: str) -> str:
    """A year, or a month, as its first day: dates of books are compared with days elsewhere."""
    if _YEAR.fullmatch(text) is None:
        return text
    return f"{text}-01-01" if len(text) == 4 else f"{text}-01"


def _locked(archive: zipfile.ZipFile) -> frozenset[str]:
    if _ENCRYPTION not in archive.namelist():
        return frozenset()
    locked = set()
    for entry in _xml(archive, _ENCRYPTION).iter("{*}EncryptedData"):
        method = next(entry.iter("{*}EncryptionMethod"), None)
        reference = next(entry.iter("{*}CipherReference"), None)
        if reference is not None and (method is None or method.get("Algorithm") not in _FONTS):
            locked.add(posixpath.normpath(unquote(reference.get("URI", ""))))
    return frozenset(locked)
