"""How much at once: questions a minute, answers being written, and dollars a day.

Rates and turns are counted in the server process, which all sessions share; a restart forgets
them, and a second process counts for itself. Money is counted in the store: it holds across
processes and restarts.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from rag.config import Limits
from rag.errors import LimitError, StoreError
from rag.store import Store

MINUTE = 60.0
_MOST_KEYS = 10_000
"""Clients that are remembered; beyond it, those that asked longest ago are forgotten first."""


class Rates:
    """Questions of one client within the last minute, for any number of clients."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._asked: dict[str, deque[float]] = {}

    def take(self, *allowed: tuple[str, int, str]) -> None:
        """Count one question for each client named, or none of them where one had too many.

        Each is ``(client, most a minute, who that is in a sentence)``. Raises :class:`LimitError`.
        """
        with self._lock:
            now = self._clock()
            for client, most, who in allowed:
                asked = self._recent(client, now)
                if len(asked) >= most:
                    wait = math.ceil(asked[0] + MINUTE - now)
                    raise LimitError(
                        f"{most:,} question{'' if most == 1 else 's'} a minute is the limit of {who}. "
                        f"Ask again in {max(wait, 1)} second{'' if wait <= 1 else 's'}."
                    )
            for client, _, _ in allowed:
                asked = self._asked.pop(client, deque())
                asked.append(now)
                self._asked[client] = asked  # behind the others: it asked last
            while len(self._asked) > _MOST_KEYS:
                del self._asked[next(iter(self._asked))]

    def _recent(self, client: str, now: float) -> deque[float]:
        asked = self._asked.get(client, deque())
        while asked and asked[0] <= now - MINUTE:
            asked.popleft()
        return asked


class Turns:
    """At most so many at once; the others wait in the order in which they came."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._at_once, self._most_waiting = at_once, waiting
        self._lock = threading.Condition()
        self._running = 0
        self._queue: list[Turn] = []

    def enter(self) -> Turn:
        """A place in the queue. Raises :class:`LimitError` where the queue is full."""
        with self._lock:
            turn = Turn(self)
            if self._running < self._at_once and not self._queue:
                self._running += 1
                turn.begun = True
            elif len(self._queue) >= self._most_waiting:
                raise LimitError("Very many questions are waiting already. Ask again in a minute.")
            else:
                self._queue.append(turn)
            return turn

    def _wait(self, turn: Turn, seconds: float) -> bool:
        with self._lock:
            self._lock.wait_for(lambda: turn.begun, seconds)
            return turn.begun

    def _ahead(self, turn: Turn) -> int:
        with self._lock:
            return self._queue.index(turn) if turn in self._queue else 0

    def _leave(self, turn: Turn) -> None:
        with self._lock:
            if turn.begun and not turn.left:
                self._running -= 1
            with suppress(ValueError):
                self._queue.remove(turn)
            turn.left = True
            while self._queue and self._running < self._at_once:
                following = self._queue.pop(0)
                following.begun = True
                self._running += 1
            self._lock.notify_all()


class Turn:
    """A place in the queue of :class:`Turns`; leave it, whether it was waited for or not."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.begun = False
        self.left = False

    @property
    def ahead(self) -> int:
        """How many wait before this one."""
        return self._turns._ahead(self)

    def wait(self, seconds: float) -> bool:
        """Whether its turn has come, after waiting at most so long."""
        return self._turns._wait(self, seconds)

    def leave(self) -> None:
        """Let the next one go. Leaving twice does nothing."""
        self._turns._leave(self)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an answer is charged to: a link and its budget in dollars, or nothing but the day's."""

    link: str | None = None
    dollars: float | None = None
    use: str | None = None
    """The use that was counted when the question was admitted (:meth:`rag.links.Links.admit`)."""


class Purse:
    """The budgets in money: of the day, and of each link.

    Before a model writes, the most that the answer can cost is set aside, and its actual cost
    takes that place when it has ended. So answers that are written at the same time cannot
    exceed a budget together, and a process that dies leaves it spent rather than free.
    """

    def __init__(
        self, store: Callable[[], Store], limits: Limits, clock: Callable[[], float] = time.time
    ) -> None:
        self._store, self._limits, self._clock = store, limits, clock

    def set_aside(self, most: float | None, allowance: Allowance) -> Spending | None:
        """Set ``most`` dollars aside; None where a budget does not have them: nothing may be spent.

        ``most`` is None where the price is unknown: under a budget, that is not spent either.
        """
        day, link = self._limits.dollars_per_day, allowance.dollars
        if most is None:
            return Spending(self._store, allowance.use, None) if day is None and link is None else None
        now = self._clock()
        with self._store().gate.using() as uses:
            if day is not None and uses.today(now).dollars + most > day:
                return None
            if link is not None and allowance.link is not None:
                spent = uses.of_link(allowance.link, "", now).total.dollars
                if spent + most > link:
                    return None
            use = allowance.use
            if use is None:
                # One that is charged to a link was counted when it was admitted.
                use = uses.add(None, "", most, now)
            else:
                uses.raise_to(use, most)
        return Spending(self._store, use, most)

    def spent_today(self) -> float:
        """Dollars that were spent or set aside on this day."""
        return self._store().gate.used_today(self._clock()).dollars


@dataclass(frozen=True, slots=True)
class Spending:
    """Dollars that were set aside for one answer."""

    _store: Callable[[], Store]
    use: str | None
    most: float | None

    def settle(self, dollars: float | None) -> None:
        """What it came to. None, where that is not known: what was set aside stays spent."""
        if self.use is None or dollars is None:
            return
        with suppress(StoreError):  # it stays spent; the answer itself is not lost for it
            self._store().gate.settle(self.use, dollars)
