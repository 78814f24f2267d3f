"""End a call that another thread is waiting for, at whatever point it is."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any


class Line:
    """The connections that one call makes. They are shut at ``until``, by the monotonic clock, or before.

    A timeout of the SDKs begins again with every byte, so that a server which drips comments, half an
    event or headers is never waited for too long. Closing a socket wakes nobody who reads from it,
    shutting it down does: the reader meets the end of the stream.
    """

    def __init__(self, until: float) -> None:
        self.late = False
        """Whether its time was over before the call ended."""
        self._sockets: list[socket.socket] = []
        self._ended = False
        self._lock = threading.Lock()
        self._timer = threading.Timer(max(0.0, until - time.monotonic()), self._expire)
        self._timer.daemon = True

    def __enter__(self) -> Line:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for copy in self._sockets:
                copy.close()
            self._sockets.clear()

    def watch(self, request: Any) -> None:
        """Follow a request: a hook for the ``httpx`` client of this call alone.

        A connection that an earlier call left open in a shared client would not be seen.
        """
        request.extensions["trace"] = self._traced

    def hang_up(self) -> None:
        """Shut what is open, and whatever is opened from now on."""
        with self._lock:
            self._ended = True
            for copy in self._sockets:
                _shut(copy)

    def _expire(self) -> None:
        self.late = True
        self.hang_up()

    def _traced(self, event: str, facts: Mapping[str, Any]) -> None:
        if not event.endswith(".connect_tcp.complete"):
            return
        # A copy of its own: TLS takes the socket over, and what is left of it cannot be shut.
        copy = facts["return_value"].get_extra_info("socket").dup()
        with self._lock:
            self._sockets.append(copy)
            if self._ended:
                _shut(copy)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
