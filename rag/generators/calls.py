"""Calls to a service that may be paid: made again only where that is safe, ended on Stop, and counted."""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import TypeVar

from rag.errors import GenerationError
from rag.generators.failures import TOOK_TOO_LONG, TookTooLong, failure, may_be_charged, too_long, unsent
from rag.generators.hangup import Line

T = TypeVar("T")
_LOOK = 0.05
"""Seconds after which a pause looks whether the call is still wanted."""

LONGEST_PAUSE = 10.0
"""Seconds before another try; a reader who would wait longer is better told so at once."""
_FIRST_PAUSE = 0.5
"""Seconds, doubled from try to try, where a service does not say how long."""
_MAY_PASS = frozenset({429, 502, 503})
"""Statuses of a call that was turned away for now."""
_MOST_TOKENS = 10**9
"""A call that says it took more has not counted."""


class Calls:
    """What the generators that call a service have in common; one of them is for one answer.

    ``service`` and ``who`` name it in settings and in a sentence. No call takes longer than
    ``deadline`` seconds from its first try to the end of its reply, except where it still looks up
    the server's name or connects then: the system looks a name up for as long as it likes, which
    nothing here cuts. Once ``stopped`` is set, or
    :meth:`hang_up` was called, no further call is made.
    """

    def __init__(
        self, service: str, who: str, *, retries: int, deadline: float, stopped: threading.Event | None
    ) -> None:
        self.spent: list[Mapping[str, int]] = []
        """Tokens of each call beside that for the answer itself, empty where they are not known: the
        service did not say them, the call has not ended yet, or it failed after it was sent."""
        self.refused = False
        """Whether the call for the answer itself surely cost nothing: it was never made, or turned away."""
        self._service, self._where = service, who
        self._retries, self._deadline = retries, deadline
        self._over, self._stopped = threading.Event(), stopped or threading.Event()
        self._lines: set[Line] = set()
        """Those of the calls under way."""

    def hang_up(self) -> None:
        """Nobody waits any more: end the calls that other threads wait for, and ask for nothing else.

        ``stopped`` is left alone: it says that a reader wanted that, and an answer may just have ended.
        """
        self._over.set()
        for line in tuple(self._lines):
            line.hang_up()

    def _ended(self) -> bool:
        return self._over.is_set() or self._stopped.is_set()

    @contextmanager
    def _line(self, until: float) -> Iterator[Line]:
        """The line of a call. Raises :class:`TookTooLong` for whatever fails once its time is over."""
        with Line(until) as line:
            self._lines.add(line)
            if self._ended():  # before it was there to be hung up
                line.hang_up()
            try:
                yield line
            except GenerationError:
                raise
            except Exception as error:
                if line.late:
                    raise TookTooLong from error
                raise
            finally:
                self._lines.discard(line)

    def _until(self) -> float:
        """When a call that begins now has to be done, by the monotonic clock."""
        return time.monotonic() + self._deadline

    def _asked(self, call: Callable[[], T], until: float, *, free: bool = False) -> T:
        """What ``call`` gives, which is made again where that is safe. Raises what the SDK raises.

        ``free`` tells that such a call is never charged.
        """
        attempt = 0
        while True:
            self._go_on(until)
            try:
                return call()
            except Exception as error:
                wait = pause(error, attempt) if attempt < self._retries else None
                if wait is None or time.monotonic() + wait > until:
                    raise
                if not free and may_be_charged(error):
                    self.spent.append({})
            again = time.monotonic() + wait
            while not self._over.is_set() and (left := again - time.monotonic()) > 0:
                if self._stopped.wait(min(left, _LOOK)):
                    break
            attempt += 1

    def _go_on(self, until: float) -> None:
        """Raise where nobody waits any more, or it would be too late."""
        if self._ended():
            raise GenerationError("The answer was stopped. Ask again.", charged=False)
        if time.monotonic() > until:
            raise GenerationError(TOOK_TOO_LONG.format(who=self._where), charged=False)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """The call for the answer itself; what fails is told in a sentence, and what it may cost noted."""
        try:
            with failure(self._service, self._where):
                yield
        except GenerationError as error:
            self.refused = not error.charged
            raise

    @contextmanager
    def _beside(self) -> Iterator[None]:
        """A call beside that for the answer, whose tokens are added to ``spent`` inside.

        Until it ends they are unknown: the answer may be done, and its bill made, before.
        """
        self.spent.append({})
        try:
            yield
        except Exception as error:
            if not may_be_charged(error):
                self.spent.remove({})
            raise
        else:
            self.spent.remove({})


def pause(error: Exception, attempt: int) -> float | None:
    """Seconds after which a call that failed may be made again; None where it must not be.

    It may where no connection could be made, or the service turned it away for now. After a time-out, or
    on a connection that broke, the first call may still be at work, and the second is paid as well.
    """
    if not unsent(error) and (getattr(error, "status_code", None) not in _MAY_PASS or too_long(error)):
        return None
    # OpenAI's errors have a response, Cohere's its headers.
    said: Mapping[str, str] | None = getattr(getattr(error, "response", error), "headers", None)
    headers = said or {}
    if headers.get("x-should-retry") == "false":  # OpenAI, of a quota that is used up
        return None
    wanted = retry_after(headers, time.time())
    if wanted is None:
        # At random, so that all who were turned away do not come back at once.
        return min(LONGEST_PAUSE, _FIRST_PAUSE * 2.0**attempt) * random.uniform(0.75, 1)
    return wanted if wanted <= LONGEST_PAUSE else None


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that a service asks to wait; None where it does not say, or not so that it can be read.

    ``Retry-After`` is a number of seconds or a date (RFC 9110, section 10.2.3), ``retry-after-ms`` a number
    of milliseconds, which OpenAI sends beside it. The names are in small letters.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            number = float(headers.get(name, ""))
        except ValueError:
            continue
        if not math.isnan(number):
            return max(0.0, number * unit)
    try:
        return max(0.0, parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - now)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def counted(read: object, wrote: object) -> dict[str, int]:
    """The tokens of a call as a service counted them; empty, which is unknown, unless it counted both."""
    read, wrote = number_of(read), number_of(wrote)
    return {} if read is None or wrote is None else {"input_tokens": read, "output_tokens": wrote}


def number_of(tokens: object) -> int | None:
    """A number of tokens; None for anything else."""
    if isinstance(tokens, bool) or not isinstance(tokens, int | float):
        return None
    return int(tokens) if 0 <= tokens <= _MOST_TOKENS else None
