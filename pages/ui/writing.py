"""Answers being written, on threads of their own: a page looks on, it does not do the work.

A script run of Streamlit ends whenever its reader clicks anything, and with it whatever
it was doing. An answer must outlive that: rating an older one, setting a filter or
reloading the page must not cut it short, and a second tab should see it grow. So the
question is handed to a thread, its pieces are kept here under the conversation, and
every page that shows the conversation draws what there is so far.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from rag.errors import ThumbprintError
from rag.types import Draft, Proposed, Where

if TYPE_CHECKING:
    from rag.limits import Turn, Turns
    from rag.prepare import Preparation
    from rag.response import Response

_LOG = logging.getLogger(__name__)
_KEPT = 500
"""Most answers remembered at once, failed ones among them; the oldest finished ones go first."""


class Writing:
    """One answer being written. Attributes are read by pages, set by its thread."""

    def __init__(
        self,
        question: str,
        *,
        where: Where | None,
        replaces: str | None,
        proposed: tuple[Proposed, ...] | None = None,
    ) -> None:
        self.question = question
        self.where = where
        """The filter that it is asked under; what the engine made of it, once it was asked."""
        self.replaces = replaces
        self.proposed = proposed
        """The filters that the question names, as the reader chose among them; None before that."""
        self.so_far: tuple[str, Draft] = ("", Draft("", ()))
        """The text, and what has been checked of it: read both at once, for they change together."""
        self.preparing: Preparation | None = None
        """Set while the question waits for it, else None."""
        self.turn: Turn | None = None
        """Set while the question waits for its turn, else None."""
        self.error: str | None = None
        self.partial: str | None = None
        """The id under which the engine keeps what was written before a failure."""
        self.done = False
        self.stopped = threading.Event()
        """Set once its reader does not want it any more."""
        self.cancelled = False
        """Stopped before it was asked: nothing is stored, and the page gives the question back."""
        self._finished = threading.Event()
        self._ending = threading.Lock()
        self._response: Response | None = None
        self._turn: Turn | None = None
        """Its place among those that are written, held until it has ended."""
        self._ended: Callable[[], None] = lambda: None

    @property
    def stopping(self) -> bool:
        """Whether it is to end, or has ended, because its reader wants that."""
        return self.stopped.is_set()

    @property
    def text(self) -> str:
        """What has been written so far."""
        return self.so_far[0]

    @property
    def succeeded(self) -> bool:
        """Whether it is finished and in the store, stopped or not."""
        return self.done and self.error is None and not self.cancelled

    def stop(self) -> None:
        """End now; what there is by now is stored as it stands, by the thread that calls.

        The thread that reads may sit in a call to a service that says nothing, for as long as its
        timeout; nobody waits for it. A question that is still searched with ends with the search, which
        asks no model any more.
        """
        self.stopped.set()
        response = self._response
        if response is not None:
            self._close(response)

    def _close(self, response: Response) -> None:
        error = None
        try:
            response.close()
        except ThumbprintError as failure:
            error = str(failure)
        except Exception:
            _LOG.exception("A stopped answer could not be stored")
            error = "Something went wrong while the answer was stored. Ask again; the log says more."
        self._finish(error)

    def when_ended(self, call: Callable[[], None]) -> None:
        """What to call, once, when it has ended. Set it before it runs."""
        self._ended = call

    def wait(self, seconds: float | None = None) -> bool:
        """Whether it has finished, after waiting at most so long."""
        return self._finished.wait(seconds)

    def run(
        self, prepare: Callable[[], Preparation], ask: Callable[[], Response], turns: Turns | None = None
    ) -> None:
        """Do it, on the thread that calls: wait until the prototype is ready, ask, read to the end.

        With ``turns``, it also waits until not too many others are being written.
        """
        error = None
        try:
            if self._until_ready(prepare()):
                self._turn = turns.enter() if turns else None
            if not self.error and not self.stopping and self._until_its_turn(self._turn):
                self._read(ask())
            else:
                self.cancelled = self.stopping and self.error is None
        except ThumbprintError as failure:
            error = str(failure)
        except Exception:
            # What comes of a call that a reader has ended is no failure of the answer.
            if not self.done:
                _LOG.exception("An answer could not be written")
            error = "Something went wrong while the answer was written. Ask again; the log says more."
        finally:
            self._finish(error)

    def _finish(self, error: str | None) -> None:
        """It has ended: by its thread or by who stops it, whichever comes first."""
        with self._ending:
            if self.done:
                return
            self.error = error or self.error
            if self._turn is not None:
                self._turn.leave()
            self.preparing = self.turn = None
            self.done = True
        self._ended()
        self._finished.set()

    def _until_ready(self, preparation: Preparation) -> bool:
        self.preparing = preparation
        while not preparation.wait(0.1):
            if preparation.error:
                self.error = preparation.error
            if self.error or self.stopping:
                return False
        self.preparing = None
        return not self.stopping

    def _until_its_turn(self, turn: Turn | None) -> bool:
        self.turn = turn
        while turn is not None and not turn.wait(0.1):
            if self.stopping:
                return False
        self.turn = None
        return not self.stopping

    def _read(self, response: Response) -> None:
        self.where = response.begun.where
        self._response = response
        if self.stopping:
            self._close(response)
            return
        try:
            for piece in response:
                if self.done:
                    return
                self.so_far = self.text + piece, response.draft
        except Exception:
            if not self.done:
                self.so_far = self.text, response.draft  # what ends a text is checked last
                self.partial = response.answer.id
            raise


class Writings:
    """The answers being written in this server process, by conversation; with ``turns``, so many at once."""

    def __init__(self, turns: Turns | None = None) -> None:
        self._turns = turns
        self._lock = threading.Lock()
        self._by_conversation: dict[str, Writing] = {}

    def begin(
        self,
        conversation_id: str,
        writing: Writing,
        prepare: Callable[[], Preparation],
        ask: Callable[[], Response],
        in_vain: Callable[[], None] = lambda: None,
    ) -> None:
        """Start it. One that is still being written in that conversation is stopped and stored first.

        ``in_vain`` is called where it ends without a word.
        """
        with self._lock:
            before = self._by_conversation.pop(conversation_id, None)
            self._by_conversation[conversation_id] = writing
            self._forget_old()

        def run() -> None:
            if before is not None:
                before.stop()
                before.wait()
            writing.run(prepare, ask, self._turns)

        def ended() -> None:
            if not writing.succeeded and not writing.text:
                with suppress(ThumbprintError):  # at worst the question counts
                    in_vain()
            if writing.succeeded:
                self.drop(conversation_id, writing)  # pages find it in the store

        writing.when_ended(ended)
        threading.Thread(target=run, name="answer", daemon=True).start()

    @property
    def busy(self) -> int:
        """How many are being written, or wait for it."""
        with self._lock:
            return sum(not writing.done for writing in self._by_conversation.values())

    def of(self, conversation_id: str | None) -> Writing | None:
        """What is being written there, or failed there and was not followed by another question."""
        with self._lock:
            return self._by_conversation.get(conversation_id or "")

    def drop(self, conversation_id: str, writing: Writing) -> None:
        """Forget it, unless another one has taken its place."""
        with self._lock:
            if self._by_conversation.get(conversation_id) is writing:
                del self._by_conversation[conversation_id]

    def _forget_old(self) -> None:
        surplus = len(self._by_conversation) - _KEPT
        for key in [k for k, w in self._by_conversation.items() if w.done][: max(surplus, 0)]:
            del self._by_conversation[key]
