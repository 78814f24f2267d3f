"""A proxy between client and server in which everything goes wrong that can go wrong on the way.

A fault is chosen for each request by ``choose``; None lets it through. Those after which the
server has the row, although the client was told nothing or something else, are the hard ones.
"""

from __future__ import annotations

import contextlib
import http.client
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, get_args

Fault = Literal[
    "refuse",  # the connection is reset before anything is read
    "reset",  # the server's answer is cut in the middle of its body
    "delay",  # the answer comes late, and in time
    "late",  # the row is stored, and the answer comes after the time limit
    "drop",  # the row is stored, and no answer comes
    "500", "503", "520",  # a fault in JSON, an unavailable service, a page of the gateway
    "html",  # status 200 and a page that somebody put in the way
]  # fmt: skip
FAULTS: Sequence[Fault] = get_args(Fault)

_PAGE = b"<!DOCTYPE html><html><head><title>Sign in to the network</title></head><body>Hello</body></html>"


def sometimes(share: float, seed: int) -> Callable[[], Fault | None]:
    """That share of requests fails, in all the ways alike."""
    chance, lock = random.Random(seed), threading.Lock()

    def choose() -> Fault | None:
        with lock:
            return chance.choice(FAULTS) if chance.random() < share else None

    return choose


class FaultProxy:
    """Its address is ``url``; ``choose`` may be replaced at any time. ``met`` counts what was done."""

    def __init__(self, upstream: str, *, slow: float) -> None:
        """``slow``: seconds that a ``late`` answer takes, more than the client's time limit."""
        host, _, port = upstream.removeprefix("http://").partition(":")
        self.upstream = (host, int(port))
        self.slow = slow
        self.choose: Callable[[], Fault | None] = lambda: None
        self.met: Counter[str] = Counter()
        proxy = self

        class Handler(_Handler):
            faults = proxy

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def script(self, *faults: Fault | None) -> None:
        """These for the next requests, in this order; then none."""
        left, lock = list(faults), threading.Lock()

        def choose() -> Fault | None:
            with lock:
                return left.pop(0) if left else None

        self.choose = choose

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def fault_proxy(upstream: str, *, slow: float) -> Iterator[FaultProxy]:
    """A proxy for as long as the block lasts."""
    proxy = FaultProxy(upstream, slow=slow)
    try:
        yield proxy
    finally:
        proxy.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    faults: FaultProxy

    def _go(self) -> None:
        fault = self.faults.choose()
        self.faults.met[fault or "none"] += 1
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        match fault:
            case "refuse":
                self._cut()
            case "500":
                self._say(500, b'{"code":"XX000","message":"internal error","details":null,"hint":null}')
            case "503":
                self._say(503, b'{"code":"PGRST001","message":"Database connection error. Retrying."}')
            case "520":
                self._say(520, _PAGE, "text/html")
            case "html":
                self._say(200, _PAGE, "text/html")
            case _:
                self._forward(fault, body)

    do_GET = do_POST = do_PATCH = do_DELETE = _go  # noqa: N815 (the names that http.server calls)

    def _forward(self, fault: Fault | None, body: bytes) -> None:
        connection = http.client.HTTPConnection(*self.faults.upstream, timeout=60)
        try:
            headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            given = answer.read()
        finally:
            connection.close()
        match fault:
            case "drop":
                self._cut()
            case "reset":
                given = given or b"[]"
                with contextlib.suppress(OSError):
                    self.send_response(answer.status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(2 * len(given)))
                    self.end_headers()
                    self.wfile.write(given)
                    self.wfile.flush()
                self._cut()
            case "late":
                time.sleep(self.faults.slow)
                self._say(answer.status, given)
            case _:
                if fault == "delay":
                    time.sleep(0.05)
                self._say(answer.status, given)

    def _say(self, status: int, body: bytes, kind: str = "application/json") -> None:
        with contextlib.suppress(OSError):  # the client may be gone by now
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def _cut(self) -> None:
        """Close so that the other side sees a reset, not an end."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def handle(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # a killed client, a connection that was cut
            super().handle()

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def log_message(self, format: str, *args: object) -> None:
        pass
