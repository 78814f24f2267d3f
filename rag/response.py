"""An answer in the making: iterate for its text, read the stored record afterwards."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from rag.cite import Judgement, check
from rag.cite.stream import CitedStream
from rag.errors import GenerationError
from rag.types import Answer, Claim, Draft, Proposed

BROKE_OFF = "generation-broke-off: "
"""Opens the notice of an answer that failed half way; the reason follows."""
_PATIENCE = 3.0
"""Seconds that a finished answer waits for what was begun beside it."""


@dataclass(frozen=True, slots=True)
class Bill:
    """Which model wrote, its tokens in all calls for the answer, and what they cost (None: unknown)."""

    model: str
    usage: Mapping[str, int]
    cost: float | None


def _tokens(draft: Draft) -> Bill:
    return Bill("", draft.usage, None)


class Response:
    """Pieces of text, then the facts.

    ``for piece in response`` streams; ``response.answer`` is the stored record, and
    finishes the stream if nobody has. Ending early, by :meth:`close` or by an exception
    that passes through the loop, stores what there is with ``stopped`` set.
    """

    def __init__(
        self,
        answer: Answer,
        pieces: Iterator[str | Draft],
        store: Callable[[Answer], None],
        started: float,
        bill: Callable[[Draft], Bill] = _tokens,
        proposed: Callable[[float], tuple[Proposed, ...] | None] | None = None,
        let_go: Callable[[], None] = lambda: None,
    ) -> None:
        """What is known once the answer has ended: ``bill``, what it took to write it, and ``proposed``,
        the filters that were looked for meanwhile (within so many seconds; None: those of the answer).
        ``let_go`` ends, from any thread, the calls that are still under way when the answer is over: that
        which ``pieces`` may be waiting for, and that for the filters."""
        self._let_go = let_go
        self._bill, self._proposed = bill, proposed
        self._failure: tuple[str, ...] = ()
        self._answer = answer
        self._pieces = pieces
        self._store = store
        self._started = started
        self._draft = Draft("", ())
        self._text = ""
        self._first: float | None = None
        """When the first text came: the time that a reader waits for."""
        self._ended = threading.Event()
        self._ending = threading.Lock()
        self._kept = threading.Event()
        """Set once the record was stored, or could not be."""

    def __iter__(self) -> Iterator[str]:
        if self._ended.is_set():
            return
        generating = time.perf_counter()
        stopped = True
        try:
            for piece in self._pieces:
                if isinstance(piece, Draft):
                    self._draft = piece
                    continue
                if self._ended.is_set():  # closed meanwhile: what comes now is in no record
                    return
                if self._first is None:
                    self._first = time.perf_counter()
                self._text += piece
                yield piece
                if self._ended.is_set():  # closed by who read the piece
                    return
            stopped = False
        except GenerationError as error:
            self._failure = (f"{BROKE_OFF}{error}",)
            raise
        finally:
            # Streamlit ends a script with an exception that is no Exception, and a reader
            # who leaves closes the generator: either way the record is kept.
            self._finish(stopped, time.perf_counter() - generating)
            self._hang_up()

    @property
    def begun(self) -> Answer:
        """The record as it stands: all but the text and what it cites is known from the start."""
        return self._answer

    @property
    def draft(self) -> Draft:
        """What has been checked of the text so far: its citations and claims."""
        return self._draft

    @property
    def answer(self) -> Answer:
        """The stored record."""
        if not self._ended.is_set():
            for _ in self:
                pass
        return self._answer

    def close(self) -> None:
        """End early and store what has been written so far; it is stored when this returns.

        Any thread may call it, also while another one waits for the next piece.
        """
        self._finish(stopped=True, generating=0.0)
        self._kept.wait(2 * _PATIENCE)  # it may have ended by itself just now
        self._hang_up()

    def _hang_up(self) -> None:
        """Let the generator go, and with it whatever it holds open, and what was begun beside it."""
        close = getattr(self._pieces, "close", None)
        if close is not None:
            # At work on another thread: it is closed there, by the loop that reads it, as soon
            # as that thread has its next piece or learns that there is none.
            with suppress(ValueError):
                close()
        with suppress(Exception):
            self._let_go()

    def _finish(self, stopped: bool, generating: float) -> None:
        with self._ending:  # who reads and who closes may be two threads: one of them stores
            if self._ended.is_set():
                return
            self._ended.set()
        try:
            self._store(self._record(stopped, generating))
        finally:
            self._kept.set()

    def _record(self, stopped: bool, generating: float) -> Answer:
        """The answer as it is stored."""
        draft = self._draft
        text = self._text if stopped or not draft.text.startswith(self._text) else draft.text
        shown = [c for c in draft.citations if c.answer_end <= len(text)]
        now = time.perf_counter()
        seconds = {**self._answer.seconds, "generate": generating, "total": now - self._started}
        if self._first is not None:
            seconds["first"] = self._first - self._started
        proposed = self._proposed(0.0 if stopped else _PATIENCE) if self._proposed else None
        bill = self._bill(draft)
        claims = [c for c in draft.claims if c.end <= len(text)]
        if stopped and not (self._answer.abstained or draft.abstained):
            claims += _unchecked(text, len(draft.text))
        self._answer = replace(
            self._answer,
            text=text,
            citations=check(shown, self._answer.passages),
            proposed=self._answer.proposed if proposed is None else proposed,
            usage=bill.usage,
            model=bill.model,
            cost=bill.cost,
            seconds=seconds,
            stopped=stopped,
            claims=tuple(claims),
            quality=draft.quality,
            abstained=self._answer.abstained or draft.abstained,
            generator=draft.generator or self._answer.generator,
            notices=(*self._answer.notices, *draft.notices, *self._failure),
        )
        return self._answer


def _unchecked(text: str, begins: int) -> list[Claim]:
    """What a text claims from ``begins``, up to where it was checked: nothing is known to support it.

    It is cut as the text before it was. Where that reads a number of the text as a marker, it is
    one claim.
    """
    begins += len(text[begins:]) - len(text[begins:].lstrip())
    rest = text[begins:].rstrip()
    stream = CitedStream((), _unsupported)
    pieces = [*stream.feed(rest), *stream.end()]
    cut = [piece for piece in pieces if isinstance(piece, Draft)][-1]
    spans = [(c.start, c.end) for c in cut.claims] if cut.text == rest else [(0, len(rest))]
    return [Claim(begins + start, begins + end, "unsupported", 0.0, ("uncited",)) for start, end in spans]


def _unsupported(claim: str, source: str) -> Judgement:
    return Judgement("unsupported", 0.0, ("uncited",), 0, 0)
