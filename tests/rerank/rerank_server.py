"""Cohere's Rerank API on a real socket, as far as a re-ranker can tell."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "co-secret-4711"


@dataclass
class FakeCohere:
    """Relevance is how often a document says ``magic``, spans where it says it.

    ``failures`` are answers given first: a status with a body, or a callable that has the
    handler to itself. ``requests`` are the bodies that came.
    """

    url: str = ""
    spans: bool = False
    failures: list[Any] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def results(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        found = []
        for index, document in enumerate(body["documents"]):
            result: dict[str, Any] = {"index": index, "relevance_score": document.count("magic") / 10}
            if self.spans and "relevant_spans" in body and "magic" in document:
                at = document.index("magic")
                result["relevant_spans"] = [{"start": at, "end": at + 5, "score": 0.9}]
            found.append(result)
        return sorted(found, key=lambda result: -result["relevance_score"])


@contextmanager
def serve(fake: FakeCohere) -> Iterator[FakeCohere]:
    """``fake.url`` answers until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            fake.requests.append({"path": self.path, **body})
            fake.keys.append(self.headers["Authorization"])
            failure = fake.failures.pop(0) if fake.failures else None
            if callable(failure):
                failure(self)
            elif failure is not None:
                self.answer(*failure)
            else:
                self.answer(200, json.dumps({"id": "r", "results": fake.results(body), "meta": {}}))

        def answer(self, status: int, body: str, kind: str = "application/json") -> None:
            content = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()


def hang_up(handler: Any) -> None:
    """Close the connection without a word."""
    handler.close_connection = True
    handler.connection.close()


def drip(handler: Any) -> None:
    """A byte now and then: each is in time, the answer never is."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(40):
        try:
            handler.wfile.write(b" ")
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.05)
