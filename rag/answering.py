"""What a generator writes, as an answer: checked, told from a refusal, and replaced when it fails.

Stands between the stages and the engine: it joins a generator's stream to the checker of
citations, which know nothing of each other.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from rag.cite.attribution import Judge
from rag.cite.nothing import says_nothing
from rag.cite.stream import CitedStream
from rag.config import Settings
from rag.errors import GenerationError
from rag.generators.prompt import Prompt, history_within, load_prompt, visible
from rag.generators.thought import Thought
from rag.prices import added, price_of
from rag.response import Bill
from rag.rewritten import taken
from rag.types import Cited, Draft, Passage, Turn
from rag.unseen import Unseen

log = logging.getLogger(__name__)

DONT_KNOW = "I don't know from these documents."

UNAVAILABLE = "generation-unavailable: "
"""Opens the notice of an answer that was quoted because no model could write it; the reason follows."""

_RECENT = 2_000
"""Characters of earlier turns that a follow-up is rewritten from."""
_MORE = 300
"""Characters that a question may grow by when it is made to stand alone."""
_LONGEST = 2_000
"""Characters of a reply to a follow-up that is looked at: a longer one is no rewriting."""
_FIXED_TOKENS, _SHORT_REPLY = 4_000, 300
"""Tokens of a prompt without what was said, and of a reply to a short one: see :func:`most`."""
BUDGET_SPENT = "budget-spent"
"""The notice of an answer that was quoted because a budget in money did not have a written one."""
_SHORT = 300
"""Characters: a longer text answers something, whatever else it says."""


def checked(
    pieces: Iterator[str | Cited | Draft], passages: Sequence[Passage], judge: Judge
) -> Iterator[str | Draft]:
    """The text of a model with its citations checked as it arrives.

    A model that says it does not know gives :data:`DONT_KNOW`, and a Draft that abstains. What it
    thought before it wrote is no part of the text.
    """
    stream, unseen, thought = CitedStream(passages, judge), Unseen(), Thought()
    start, usage = "", {}
    notices: tuple[str, ...] = ()
    deciding = True
    last: Draft | None = None
    try:
        for piece in pieces:
            if isinstance(piece, Draft):
                usage, notices = dict(piece.usage), piece.notices
                continue
            if isinstance(piece, str):
                piece = thought.feed(unseen.feed(piece))
            else:
                first, end = (thought.place(unseen.place(at)) for at in (piece.start, piece.end))
                piece = Cited(first, end, piece.passages)
            if deciding and isinstance(piece, str):
                start += piece
                if _same(DONT_KNOW, start):
                    continue  # it may still be the refusal
                piece, deciding = start, False
            elif deciding:
                continue  # a citation of a refusal
            yield from stream.feed(piece)
        rest = thought.feed(unseen.end()) + thought.end()
        if deciding and _plain(start + rest) and _same(DONT_KNOW, start + rest):
            yield Draft(DONT_KNOW, (), usage, notices=notices, abstained=True)
            yield DONT_KNOW
            return
        yield from stream.feed(start + rest if deciding else rest)
    except GenerationError:
        if not deciding:
            yield from stream.feed(thought.feed(unseen.end()))
        yield from stream.end(usage)  # what was held back belongs to the record
        raise
    for piece in stream.end(usage):
        if isinstance(piece, Draft):
            last = piece
            if _refuses(piece):
                piece = Draft(piece.text, (), usage, quality=piece.quality, abstained=True)
            piece = replace(piece, notices=notices)
        yield piece
    if last is None or not _plain(last.text):
        if notices:  # a model that thinks before it writes
            raise GenerationError(
                "The model used up its tokens before it wrote a word. Set max_tokens higher and ask again."
            )
        raise GenerationError("The model wrote nothing. Ask again, or ask in other words.")


def or_quoted(
    pieces: Iterator[str | Draft], quoted: Callable[[], Iterator[str | Draft]], name: str
) -> Iterator[str | Draft]:
    """``pieces``; where they fail before any text, what ``quoted`` gives, labelled with the reason."""
    written = False
    usage: Mapping[str, int] = {}
    try:
        for piece in pieces:
            if isinstance(piece, Draft):
                usage = piece.usage
            else:
                written = True
            yield piece
    except GenerationError as error:
        if written:
            raise
        reason = (f"{UNAVAILABLE}{error}",)
        for piece in quoted():
            if isinstance(piece, Draft):
                piece = Draft(piece.text, piece.citations, usage, generator=name, notices=reason)
            yield piece


class Spends(Protocol):
    """A generator that calls a model, and so costs something."""

    name: str
    model: str
    spent: list[Mapping[str, int]]
    refused: bool
    own_service: bool


def billing(generator: Spends, folders: Sequence[Path], *, called: bool) -> Callable[[Draft], Bill]:
    """What an answer took, to be asked for when it has ended.

    ``called`` tells that the model was asked for the answer itself, and not for the question alone;
    ``folders`` may hold prices of their own. Where a call did not say its tokens, or the model has
    no price, the cost is unknown. A call that was turned away costs nothing.
    """

    def bill(draft: Draft) -> Bill:
        wrote = called and not generator.refused
        calls = [*generator.spent, *([draft.usage] if wrote else [])]
        price = price_of(generator.name, generator.model, folders, own=generator.own_service)
        costs = [price.cost(usage) if price else None for usage in calls]
        known = [cost for cost in costs if cost is not None]
        return Bill(
            model=generator.model if wrote and not draft.generator else "",
            usage=added(*calls),
            cost=sum(known) if len(known) == len(costs) else None,
        )

    return bill


def most(
    generator: Spends,
    settings: Settings,
    question: str,
    history: Sequence[Turn],
    folders: Sequence[Path],
    *,
    opinions: int = 0,
) -> float | None:
    """The most US dollars that an answer can cost; None where the model has no price.

    Before anything is searched: three calls (the follow-up, the filters, the answer), each with the
    question and the history; a byte of text is at most a token, and a token of the embedding
    model at most three of the one that writes. ``opinions`` are further calls, each about one passage.
    """
    price = price_of(generator.name, generator.model, folders, own=generator.own_service)
    if price is None:
        return None
    said = len(question.encode()) + sum(len((turn.question + turn.text).encode()) for turn in history)
    passages = 3 * (settings.budget or settings.k * settings.passage_tokens)
    read = 3 * (said + _FIXED_TOKENS) + passages + opinions * (_FIXED_TOKENS + 3 * settings.passage_tokens)
    wrote = settings.max_tokens + (2 + opinions) * _SHORT_REPLY
    return price.cost({"input_tokens": read, "output_tokens": wrote})


class Completes(Protocol):
    """A generator that answers a short prompt as a whole."""

    def complete(self, prompt: Prompt, values: Mapping[str, str]) -> str: ...


def by_model(generator: Completes, question: str, history: Sequence[Turn]) -> str | None:
    """The question made to stand alone by a model; None where that failed, or gave none.

    A model may answer it instead, or refuse: see :func:`rag.rewritten.taken`. Nor is a text taken that is
    much longer than the question.
    """
    said = history_within(history, _RECENT)
    if not said:
        return None
    turns = "\n".join(f"Question: {t.question}\nAnswer: {t.text}" for t in said)
    try:
        reply = generator.complete(
            load_prompt("standalone-1"), {"history": visible(turns), "question": question}
        )
    except GenerationError as error:
        log.warning("A follow-up was rewritten by rule: %s", error)
        return None
    text = taken(visible(reply), visible(question), said) if len(reply) <= _LONGEST else None
    if text is None or len(text) > len(question) + _MORE:
        return None
    return None if says_nothing(text) and not says_nothing(question) else text


def _same(whole: str, start: str) -> bool:
    """Whether ``start`` is ``whole`` so far, its marks and what stands around it aside."""
    return _plain(whole).startswith(_plain(start))


def _plain(text: str) -> str:
    """The words of a text alone."""
    return re.sub(r"[\W_]+", " ", text.replace("’", "'")).strip().casefold()


def _refuses(draft: Draft) -> bool:
    """Whether a short text says of the sources that they say nothing, and cites none for it.

    A claim that the model gave a source for is one, however it reads: "Travel documents do not give a
    right to stay [1]."
    """
    cites = bool(draft.citations) or any(claim.cited for claim in draft.claims)
    return not cites and len(draft.text) < _SHORT and says_nothing(draft.text)
