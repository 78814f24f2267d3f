"""End a stream that another thread is waiting for."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any


def hang_up(response: Any) -> None:
    """Shut the connection of an ``httpx`` response that is being read; None does nothing.

    Closing a socket wakes nobody who reads from it, shutting it down does: the reader meets the end
    of the stream. A server that has not even begun to reply is left to the timeout.
    """
    network = response.extensions.get("network_stream") if response is not None else None
    found = network.get_extra_info("socket") if network is not None else None
    if found is not None:
        with suppress(OSError):
            # Not the method of a TLS socket, which would take its state from under the reader.
            socket.socket.shutdown(found, socket.SHUT_RDWR)
