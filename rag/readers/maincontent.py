"""Which part of a page is its content, and which is around it.

Extraction tuned on news pages drops short sections, headings and tables, of which the
documents that people keep are full; so what is left out here is only what the page itself
marks as something else (elements, roles, hidden parts, the usual class names), and lists
that hold little but links.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

Element: TypeAlias = Any
"""An ``lxml`` element; the library has no types of its own."""

NEVER = (
    "script", "style", "noscript", "template", "svg", "iframe", "object", "embed", "canvas", "audio",
    "video", "map", "button", "input", "select", "textarea", "datalist", "dialog", "head",
)  # fmt: skip
"""Elements that hold no text of the page."""

_ROLES = frozenset(
    {"navigation", "banner", "contentinfo", "search", "complementary", "menu", "menubar", "dialog"}
)
_AROUND = re.compile(
    r"(?:^|[\s_-])(?:cookies?|consent|gdpr|newsletter|advert|advertisement|ads|footer|headerlink|"
    r"editsection|printfooter|skip-?(?:link|nav|to)|share-?buttons|sharing)(?:$|[\s_-])"
)
_LINKS = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|navbox|menu|sidebar|\w*sidebar|sidenav|breadcrumbs?|toc|"
    r"table-of-contents|pagination|pager|catlinks|masthead|topbar|social|share|related|tags)(?:$|[\s_-])"
)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden")
_CONTAINERS = frozenset(
    {"div", "section", "ul", "ol", "dl", "table", "td", "p", "span", "a", "aside", "header", "footer", "form"}
)

_LARGEST_SHARE = 0.4
"""What holds more of the page's text than this is content, whatever it is called."""


def main_root(page: Element) -> tuple[Element, bool]:
    """The element that holds the content, and whether the page marks it as such.

    ``<main>`` or ``role="main"`` with at least 30 % of the text, or the only ``<article>``
    with at least half of it; else the whole body.
    """
    body = page.find(".//body")
    body = page if body is None else body
    whole = text_length(body)
    marked = list(page.iter("main")) or page.xpath("//*[@role='main']")
    if len(marked) == 1 and text_length(marked[0]) >= 0.3 * whole:
        return marked[0], True
    articles = list(page.iter("article"))
    if len(articles) == 1 and text_length(articles[0]) >= 0.5 * whole:
        return articles[0], True
    return body, False


class Around:
    """Tells the elements beside the content, under one root."""

    def __init__(self, root: Element, is_marked: bool) -> None:
        self._root = root
        self._is_marked = is_marked
        self._limit = _LARGEST_SHARE * text_length(root)
        self._titles = sum(1 for _ in root.iter("h1"))

    def __contains__(self, element: Element) -> bool:
        if element is self._root:
            return False
        tag = element.tag
        if tag == "nav" or element.get("hidden") is not None or element.get("aria-hidden") == "true":
            return True
        style = element.get("style")
        if style and _HIDDEN.search(style):
            return True
        if element.get("role") in _ROLES or tag in ("aside", "header", "footer"):
            return self._is_beside(element, tag) and self._is_small(element)
        if tag not in _CONTAINERS:
            return False
        name = f"{element.get('class', '')} {element.get('id', '')}".lower()
        if _AROUND.search(name):
            return self._is_small(element)
        if _LINKS.search(name):
            return link_share(element) >= 0.5 and self._is_small(element)
        if tag in ("ul", "ol") and not self._is_marked:
            return _is_list_of_links(element) and self._is_small(element)
        return False

    def _is_beside(self, element: Element, tag: str) -> bool:
        if tag == "aside":  # inside the content it is a remark
            return not self._is_marked and next(element.iterancestors("article", "main"), None) is None
        if tag == "footer":
            return next(element.iterancestors("blockquote", "figure"), None) is None
        if tag == "header":
            inside = next(element.iterancestors("article", "main", "section"), None) is not None
            titles = sum(1 for _ in element.iter("h1"))
            return not inside and not self._is_marked and (titles == 0 or titles < self._titles)
        return True

    def _is_small(self, element: Element) -> bool:
        return text_length(element) <= self._limit


def text_length(element: Element) -> int:
    """Characters of the element's text, white space at the ends of its pieces aside."""
    return sum(len(piece.strip()) for piece in _texts(element))


def link_share(element: Element) -> float:
    """The share of the element's text that stands in links."""
    if element.tag == "a":
        return 1.0
    return sum(text_length(link) for link in element.iter("a")) / max(text_length(element), 1)


def _is_list_of_links(element: Element) -> bool:
    links = [text_length(link) for link in element.iter("a")]
    return len(links) >= 4 and sum(links) <= 40 * len(links) and link_share(element) >= 0.8


def _texts(element: Element) -> Iterator[str]:
    for piece in element.itertext():
        yield str(piece)
