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
from typing import TYPE_CHECKING

from rag.errors import ThumbprintError
from rag.types import Draft, Proposed, Where

if TYPE_CHECKING:
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
        self.error: str | None = None
        self.partial: str | None = None
        """The id under which the engine keeps what was written before a failure."""
        self.done = False
        self.stopping = False
        self.cancelled = False
        """Stopped before it was asked: nothing is stored, and the page gives the question back."""
        self._finished = threading.Event()

    @property
    def text(self) -> str:
        """What has been written so far."""
        return self.so_far[0]

    @property
    def succeeded(self) -> bool:
        """Whether it is finished and in the store, stopped or not."""
        return self.done and self.error is None and not self.cancelled

    def stop(self) -> None:
        """End at the next piece; what there is by then is stored as it stands."""
        self.stopping = True

    def wait(self, seconds: float | None = None) -> bool:
        """Whether it has finished, after waiting at most so long."""
        return self._finished.wait(seconds)

    def run(self, prepare: Callable[[], Preparation], ask: Callable[[], Response]) -> None:
        """Do it, on the thread that calls: wait until the prototype is ready, ask, read to the end."""
        try:
            if self._until_ready(prepare()):
                self._read(ask())
            else:
                self.cancelled = self.stopping and self.error is None
        except ThumbprintError as error:
            self.error = str(error)
        except Exception:
            _LOG.exception("An answer could not be written")
            self.error = "Something went wrong while the answer was written. Ask again; the log says more."
        finally:
            self.preparing = None
            self.done = True
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

    def _read(self, response: Response) -> None:
        self.where = response.begun.where
        try:
            for piece in response:
                self.so_far = self.text + piece, response.draft
                if self.stopping:
                    response.close()
                    return
        except Exception:
            self.partial = response.answer.id
            raise


class Writings:
    """The answers being written in this server process, by conversation."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_conversation: dict[str, Writing] = {}

    def begin(
        self,
        conversation_id: str,
        writing: Writing,
        prepare: Callable[[], Preparation],
        ask: Callable[[], Response],
    ) -> None:
        """Start it. One that is still being written in that conversation is stopped and stored first."""
        with self._lock:
            before = self._by_conversation.pop(conversation_id, None)
            self._by_conversation[conversation_id] = writing
            self._forget_old()

        def run() -> None:
            if before is not None:
                before.stop()
                before.wait()
            writing.run(prepare, ask)
            if writing.succeeded:
                self.drop(conversation_id, writing)  # pages find it in the store

        threading.Thread(target=run, name="answer", daemon=True).start()

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
