"""A server that speaks the chat wire formats of OpenAI and Cohere, over a real socket.

A *script* says what comes back, so that the real SDKs are what is tested. ``requests`` are
the bodies that came in, with the headers beside them.
"""

from __future__ import annotations

import json
import select
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Script:
    """One reply: the pieces of its text, and what goes wrong with it."""

    pieces: Sequence[str] = ()
    status: int = 200
    body: str | None = None
    """The whole body in the place of a stream: an error, a page of HTML."""
    finish: str | None = "stop"
    """None: the stream ends without saying so."""
    usage: tuple[int, int] | None = (120, 30)
    counts: dict[str, Any] | None = None
    """The usage as it stands in the reply, in the place of what ``usage`` makes of it."""
    headers: dict[str, str] | None = None
    """Of a reply that is no stream; by default one that says to come back at once."""
    silent: float = 0.0
    """Seconds before anything is said at all."""
    delay: float = 0.0
    """Seconds before each piece."""
    drop: bool = False
    """Close the connection after the pieces without the end of the body that was promised."""
    cut: bool = False
    """Close the connection after the pieces, in the middle of an event."""
    fails: Any = None
    """OpenAI: the error that comes as an event after the pieces."""
    citations: Sequence[tuple[int, int, int, tuple[str, ...]]] = ()
    """Cohere: after piece n, a citation of start:end of the text by those documents."""
    content_type: str | None = None
    whole: str | None = None
    """What is replied to a request that does not stream; by default the pieces."""
    whole_delay: float = 0.0
    """Seconds before such a reply."""
    whole_status: int = 200
    """Status of such a reply."""
    listing: int = 200
    """Status of the list of models."""
    listing_drips: bool = False
    """Whether that list never ends."""
    models: Sequence[str] = ("local-model",)
    """The models that it lists."""
    no_schema: bool = False
    """Refuse requests that ask for a form of the reply."""
    no_schema_says: Mapping[str, Any] | None = field(
        default_factory=lambda: {"error": {"message": "unknown field response_format"}}
    )
    """What is said then, with status 400; None: nothing."""
    knows_not: Mapping[str, str] = field(default_factory=dict)
    """Parameters that are refused with status 400, and the message that says so."""
    drip: str | None = None
    """What comes again and again after the pieces: the reply never ends."""
    opening: str | None = None
    """Of a reply that drips: all that comes before, in the place of a stream's head and pieces."""


@dataclass
class ChatServer:
    """``scripts`` are used up one a request; the last one stays."""

    scripts: list[Script]
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    """Set once a request has come."""
    left: threading.Event = field(default_factory=threading.Event)
    """Set once a client has gone before it had its reply."""
    released: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        """Let go whatever is delayed."""
        self.released.set()

    def next(self) -> Script:
        return self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]


@contextmanager
def serve(*scripts: Script, port: int = 0) -> Iterator[ChatServer]:
    """A server on a port of the loopback, by default a free one."""
    state = ChatServer(list(scripts))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            state.paths.append(self.path)
            models = [{"id": model, "object": "model"} for model in state.scripts[0].models]
            listed = {"object": "list", "data": models}
            if state.scripts[0].listing_drips:
                self._send(["HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"], " ")
                return
            self._whole(state.scripts[0].listing, json.dumps(listed))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.requests.append(body)
            state.arrived.set()
            state.paths.append(self.path)
            state.keys.append(self.headers.get("Authorization", ""))
            script = state.next()
            state.released.wait(script.silent)
            if script.body is not None or script.status != 200:
                self._whole(
                    script.status,
                    script.body or json.dumps({"error": {"message": "no"}}),
                    script.content_type,
                    script.headers,
                )
                return
            if script.no_schema and "response_format" in body:
                said = script.no_schema_says
                self._whole(400, "" if said is None else json.dumps(said))
                return
            for name, message in script.knows_not.items():
                if name in body:
                    self._whole(400, json.dumps({"error": {"message": message, "param": name}}))
                    return
            if script.opening is not None:
                self._send([script.opening], script.drip)
                return
            if not body.get("stream"):
                self._wait(script.whole_delay)
                reply = json.dumps(_whole_reply(self.path, script))
                self._whole(script.whole_status, reply, headers=script.headers)
                return
            events = (_cohere if self.path.endswith("/v2/chat") else _openai)(script, state.released)
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            if script.drop:
                self.send_header("Content-Length", "1000000")
            self.end_headers()
            self._send(events, script.drip)

        def _wait(self, seconds: float) -> None:
            until = time.monotonic() + seconds
            while time.monotonic() < until and not state.released.wait(0.02):
                if select.select([self.connection], [], [], 0)[0]:  # all that may come is the end
                    state.left.set()
                    return

        def _send(self, events: Iterable[str], drip: str | None) -> None:
            try:
                for event in events:
                    self.wfile.write(event.encode())
                    self.wfile.flush()
                while drip is not None and not state.released.wait(0.05):
                    self.wfile.write(drip.encode())
                    self.wfile.flush()
            except OSError:
                state.left.set()  # the client has gone
            self.close_connection = True

        def _whole(
            self,
            status: int,
            text: str,
            content_type: str | None = None,
            headers: dict[str, str] | None = None,
        ) -> None:
            data = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", content_type or "application/json")
            self.send_header("Content-Length", str(len(data)))
            for name, value in ({"retry-after-ms": "1"} if headers is None else headers).items():
                self.send_header(name, value)
            try:
                self.end_headers()
                self.wfile.write(data)
            except OSError:
                state.left.set()  # the client has gone

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _whole_reply(path: str, script: Script) -> dict[str, Any]:
    text = "".join(script.pieces) if script.whole is None else script.whole
    read, wrote = script.usage or (0, 0)
    if path.endswith("/v2/chat"):
        tokens = {"tokens": {"input_tokens": read, "output_tokens": wrote}}
        return {
            "id": "c1",
            "finish_reason": "COMPLETE",
            "message": {"role": "assistant", "content": [{"type": "text", "text": text}]},
            "usage": tokens if script.counts is None else script.counts,
        }
    counts = {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote}
    return {
        "id": "r1",
        "object": "chat.completion",
        "created": 1,
        "model": "fake",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": counts if script.counts is None else script.counts,
    }


def _openai(script: Script, released: threading.Event) -> Iterator[str]:
    head = {"id": "r1", "object": "chat.completion.chunk", "created": 1, "model": "fake"}

    def event(choices: list[dict[str, Any]], **more: Any) -> str:
        return f"data: {json.dumps({**head, 'choices': choices, **more})}\n\n"

    yield event([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
    for piece in script.pieces:
        released.wait(script.delay)
        yield event([{"index": 0, "delta": {"content": piece}, "finish_reason": None}])
    if script.fails is not None:
        yield f"data: {json.dumps({'error': script.fails})}\n\n"
        return
    if script.cut:
        yield 'data: {"id": "r1", "cho'
    if script.cut or script.drop or script.drip:
        return
    if script.finish:
        yield event([{"index": 0, "delta": {}, "finish_reason": script.finish}])
        if script.usage:
            read, wrote = script.usage
            counts = {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote}
            yield event([], usage=counts if script.counts is None else script.counts)
        yield "data: [DONE]\n\n"


def _cohere(script: Script, released: threading.Event) -> Iterator[str]:
    def event(kind: str, **more: Any) -> str:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **more})}\n\n"

    start = {
        "message": {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    }
    yield event("message-start", id="c1", delta=start)
    yield event("content-start", index=0, delta={"message": {"content": {"type": "text", "text": ""}}})
    text = ""
    for n, piece in enumerate(script.pieces):
        released.wait(script.delay)
        text += piece
        yield event("content-delta", index=0, delta={"message": {"content": {"text": piece}}})
        for after, begin, end, sources in script.citations:
            if after == n:
                cited = {
                    "start": begin,
                    "end": end,
                    "text": text[begin:end],
                    "type": "TEXT_CONTENT",
                    "sources": [{"type": "document", "id": s, "document": {"id": s}} for s in sources],
                }
                yield event("citation-start", index=0, delta={"message": {"citations": cited}})
                yield event("citation-end", index=0)
    if script.cut:
        yield 'event: content-delta\ndata: {"type": "cont'
    if script.cut or script.drop or script.drip:
        return
    yield event("content-end", index=0)
    if script.finish:
        read, wrote = script.usage or (0, 0)
        usage = {
            "billed_units": {"input_tokens": read, "output_tokens": wrote},
            "tokens": {"input_tokens": read, "output_tokens": wrote},
        }
        known = {"stop": "COMPLETE", "length": "MAX_TOKENS", "content_filter": "ERROR_TOXIC"}
        finish = known.get(script.finish, script.finish)
        counts = usage if script.counts is None else script.counts
        yield event("message-end", delta={"finish_reason": finish, "usage": counts})
