"""A server that speaks the embedding wire formats of OpenAI and Cohere, over a real socket.

What it replies is scripted, so that the real SDKs are what is tested.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """What goes wrong with one reply; nothing by default."""

    status: int = 200
    body: str | None = None
    """The whole body in the place of embeddings."""
    content_type: str = "application/json"
    lost: int = 0
    """So many embeddings fewer than texts."""
    dimensions: int = 3
    delay: float = 0.0
    cut: bool = False
    """Half of the JSON, under a header that promises all of it as it is."""


@dataclass
class EmbedServer:
    """``replies`` are used up one a request; the last one stays."""

    replies: list[Reply]
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


def vector(text: str, dimensions: int = 3) -> list[float]:
    """Not of unit length, and another for texts of another length."""
    return [float(len(text)), 2.0, *[0.5] * (dimensions - 2)]


def _openai(texts: Sequence[str], reply: Reply) -> dict[str, Any]:
    rows = [
        {"object": "embedding", "index": n, "embedding": vector(text, reply.dimensions)}
        for n, text in enumerate(texts)
    ]
    # Servers may answer in any order: the index tells.
    return {
        "object": "list",
        "model": "m",
        "usage": {"prompt_tokens": 1, "total_tokens": 1},
        "data": rows[::-1],
    }


def _cohere(texts: Sequence[str], reply: Reply) -> dict[str, Any]:
    rows = [vector(text, reply.dimensions) for text in texts]
    return {"id": "1", "response_type": "embeddings_by_type", "embeddings": {"float": rows}, "texts": texts}


@contextmanager
def serve(*replies: Reply) -> Iterator[EmbedServer]:
    """A server on a free port of the loopback."""
    state = EmbedServer(list(replies) or [Reply()])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.requests.append(sent)
            state.paths.append(self.path)
            state.keys.append(self.headers.get("Authorization", ""))
            reply = state.replies.pop(0) if len(state.replies) > 1 else state.replies[0]
            time.sleep(reply.delay)
            texts = sent.get("input") or sent.get("texts")
            made = (_openai if "input" in sent else _cohere)(texts[: len(texts) - reply.lost], reply)
            if reply.status != 200:
                made = {"message": "no", "error": {"message": "Incorrect API key provided: secret-key"}}
            body = (json.dumps(made) if reply.body is None else reply.body).encode()
            body = body[: len(body) // 2] if reply.cut else body
            try:
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.content_type)
                self.send_header("Content-Length", str(len(body)))
                if reply.status == 429:
                    self.send_header("Retry-After", "0")
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                pass  # the client gave up: that is what the test is about

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
