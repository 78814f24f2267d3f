"""Links that a model wrote: text, unless they point to a document that the answer cites.

Where a link leads is never up to the text. ``[the fees](fees.md)`` becomes a link where
``fees.md`` is, letter by letter, the source or the ``url`` of a cited document, and then it
leads to that document's page in this library, whatever stands behind the ``url``. Everything
else stays text, and so does every image, which a browser would load by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from pages.ui.text import MARKUP, link
from rag.types import Answer

_LINK = re.compile(r"(?<![!\\])\[([^\[\]\n]{1,200})\]\((?:<([^<>\n]{1,500})>|([^()<>\s]{1,500}))\)")
_PAGE = "library"
"""Relative to the page that shows the answer: an app may be served under a path of its own."""
_URL = "url"


def targets(answer: Answer) -> dict[str, str]:
    """What a link may name, and the id of the document that it stands for.

    A name that several cited documents have, as the rows of a table do, leads to none of them.
    """
    found: dict[str, set[str]] = {}
    for citation in answer.citations:
        if not 0 <= citation.passage < len(answer.passages):
            continue
        passage = answer.passages[citation.passage]
        for name in (passage.source, passage.metadata.get(_URL)):
            if isinstance(name, str) and name:
                found.setdefault(name, set()).add(passage.document_id)
    return {name: ids.pop() for name, ids in found.items() if len(ids) == 1}


def linked(
    pieces: list[tuple[str, str]], prototype: str, documents: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Pieces of :func:`~pages.ui.text.composed` with the links of unmarked text to ``documents``."""
    for text, directive in pieces:
        at = 0
        for found in _LINK.finditer(text) if not directive else ():
            target = found[2] or found[3]
            document = documents.get(target) or documents.get(unquote(target))
            if document is None or not found[1].strip():
                continue
            yield text[at : found.start()], ""
            yield link(found[1], _PAGE, prototype=prototype, document=document), MARKUP
            at = found.end()
        yield text[at:], directive
