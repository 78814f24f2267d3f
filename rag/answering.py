"""What a generator writes, as an answer: checked, told from a refusal, and replaced when it fails.

Stands between the stages and the engine: it joins a generator's stream to the checker of
citations, which know nothing of each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from rag.cite.stream import CitedStream, Judge
from rag.errors import GenerationError
from rag.types import Cited, Draft, Passage

DONT_KNOW = "I don't know from these documents."

UNAVAILABLE = "generation-unavailable: "
"""Opens the notice of an answer that was quoted because no model could write it; the reason follows."""

_REFUSAL = re.compile(
    r"(?:\bnot|\bno|n['’]t) (?:\w+ ){0,4}?(?:mention|contain|provide|include|answer|specif|say|state|"
    r"find|found|give|know|address|information)",
    re.IGNORECASE,
)
_SOURCES = re.compile(r"\b(?:passages?|documents?|sources?|text|context)\b", re.IGNORECASE)
_SHORT = 300
"""Characters: a longer text answers something, whatever else it says."""


def checked(
    pieces: Iterator[str | Cited | Draft], passages: Sequence[Passage], judge: Judge
) -> Iterator[str | Draft]:
    """The text of a model with its citations checked as it arrives.

    A model that says it does not know gives :data:`DONT_KNOW`, and a Draft that abstains.
    """
    stream = CitedStream(passages, judge)
    start, usage = "", {}
    deciding = True
    last: Draft | None = None
    try:
        for piece in pieces:
            if isinstance(piece, Draft):
                usage = dict(piece.usage)
                continue
            if deciding and isinstance(piece, str):
                start += piece
                if _same(DONT_KNOW, start):
                    continue  # it may still be the refusal
                piece, deciding = start, False
            elif deciding:
                continue  # a citation of a refusal
            yield from stream.feed(piece)
        if deciding and start.strip():
            yield Draft(DONT_KNOW, (), usage, abstained=True)
            yield DONT_KNOW
            return
    except GenerationError:
        yield from stream.end(usage)  # what was held back belongs to the record
        raise
    for piece in stream.end(usage):
        if isinstance(piece, Draft):
            last = piece
            if _refuses(piece):
                piece = Draft(piece.text, (), usage, quality=piece.quality, abstained=True)
        yield piece
    if last is None or not last.text.strip():
        raise GenerationError("The model wrote nothing. Ask again, or ask in other words.")


def or_quoted(
    pieces: Iterator[str | Draft], quoted: Callable[[], Iterator[str | Draft]], name: str
) -> Iterator[str | Draft]:
    """``pieces``; where they fail before any text, what ``quoted`` gives, labelled with the reason."""
    written = False
    try:
        for piece in pieces:
            written = written or isinstance(piece, str)
            yield piece
    except GenerationError as error:
        if written:
            raise
        reason = (f"{UNAVAILABLE}{error}",)
        for piece in quoted():
            if isinstance(piece, Draft):
                piece = Draft(piece.text, piece.citations, generator=name, notices=reason)
            yield piece


def _same(whole: str, start: str) -> bool:
    """Whether ``start`` is ``whole`` so far, its marks and what stands around it aside."""
    plain = re.sub(r"[\W_]+", " ", start.replace("’", "'")).strip().casefold()
    wanted = re.sub(r"[\W_]+", " ", whole).strip().casefold()
    return wanted.startswith(plain)


def _refuses(draft: Draft) -> bool:
    """Whether a short text without a supported claim says that the sources say nothing."""
    supported = any(claim.verdict != "unsupported" for claim in draft.claims)
    text = draft.text
    return not supported and len(text) < _SHORT and bool(_REFUSAL.search(text) and _SOURCES.search(text))
