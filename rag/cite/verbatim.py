"""Check citations: does the quote stand where it says it stands?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from rag.types import Citation, Passage, Verdict


def check(citations: Iterable[Citation], passages: Sequence[Passage]) -> tuple[Citation, ...]:
    """The citations with the verdict that their passages give them.

    ``verbatim`` where the quote is, character by character, what the document says at
    that span; ``unsupported`` where it is not, or the passage does not exist. A quote that
    stands, and was judged to support a claim in other words, stays ``supported``.
    """
    return tuple(replace(c, verdict=_verdict(c, passages)) for c in citations)


def _verdict(citation: Citation, passages: Sequence[Passage]) -> Verdict:
    if not _stands(citation, passages):
        return "unsupported"
    return "supported" if citation.verdict == "supported" else "verbatim"


def _stands(citation: Citation, passages: Sequence[Passage]) -> bool:
    if not 0 <= citation.passage < len(passages) or not citation.quote:
        return False
    passage = passages[citation.passage]
    start, end = citation.start - passage.start, citation.end - passage.start
    inside = 0 <= start < end <= len(passage.text) and citation.document_id == passage.document_id
    return inside and passage.text[start:end] == citation.quote
