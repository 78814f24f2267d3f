"""Answers by a model of OpenAI, or of any server that speaks its Chat Completions.

``OPENAI_BASE_URL`` names a compatible server (Ollama, vLLM, llama.cpp, LM Studio). Errors
become one sentence each; none holds the key or more than a line of what a server said.
"""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cache, partial
from typing import Any

from rag.errors import GenerationError
from rag.generators.calls import Calls, counted, number_of
from rag.generators.failures import (
    NoAnswer,
    TookTooLong,
    ending,
    failure,
    may_be_charged,
    refuses_form,
    unknown,
    within,
)
from rag.generators.hangup import Line
from rag.generators.prompt import Order, Prompt, history_within, passages_text
from rag.generators.thought import without_thought
from rag.types import Cited, Draft, Passage, Turn

DEFAULT_MODEL = "gpt-5.4-mini"
TIMEOUT = 60.0
"""Seconds to wait for the next piece; a local model may take long to read its prompt."""
CONNECT = 5.0
"""Seconds to wait for a connection: what does not answer the door is not thinking."""
DEADLINE = 300.0
"""Seconds for the whole answer: a server that drips a letter a minute never times out by pieces."""

_ADDRESS = "https://api.openai.com/v1"
_ITSELF = re.compile(r"https?://(?:\w+\.)?api\.openai\.com(?:[:/]|$)", re.IGNORECASE)
"""An address of OpenAI, that of a region among them."""
_AZURE = re.compile(r"https?://[^/]+\.openai\.azure\.com(?:[:/]|$)", re.IGNORECASE)
_NO_SCHEMA: set[tuple[str | None, str]] = set()
"""Servers and models that refused a schema, so that they are not asked twice again."""
_REFUSED: set[tuple[str | None, str, str]] = set()
"""Servers and models that refused a parameter, likewise."""
_OTHERWISE = {
    "max_tokens": "max_completion_tokens",
    "max_completion_tokens": "max_tokens",
    "stream_options": None,
}
"""Parameters that not every server knows, and the name that it may know them by."""
_WRITES_NOT = re.compile(r"embed|rerank|whisper|\btts|bge-|\be5-|nomic|moderation|\bclip", re.IGNORECASE)
"""Names of models that are listed beside those that write."""


@cache
def _certificates() -> ssl.SSLContext:
    """Those that the SDK trusts; to read them takes longer than anything else of a client."""
    import httpx2  # what the SDK stands on

    return httpx2.create_ssl_context()


class OpenAIGenerator(Calls):
    """Chat Completions, streamed. ``model`` may be empty: the default, or a server's first model."""

    name = "openai"

    def __init__(
        self,
        *,
        key: str | None,
        base_url: str | None,
        model: str,
        prompt: Prompt,
        order: Order = "edges",
        temperature: float | None = None,
        max_tokens: int = 800,
        timeout: float = TIMEOUT,
        deadline: float = DEADLINE,
        retries: int = 2,
        stopped: threading.Event | None = None,
    ) -> None:
        itself = not base_url or bool(_ITSELF.match(base_url))
        who = "OpenAI" if itself else "The model server"
        super().__init__(self.name, who, retries=retries, deadline=deadline, stopped=stopped)
        self.prompt_version = prompt.version
        self.system_prompt = prompt.system
        self.own_service = itself
        self._newer = itself or bool(_AZURE.match(base_url or ""))
        self.model = model
        self._key, self._base_url, self._timeout = key, base_url, timeout
        self._prompt, self._order = prompt, order
        self._temperature, self._max_tokens = temperature, max_tokens

    def generate(
        self, question: str, passages: Sequence[Passage], history: Sequence[Turn]
    ) -> Iterator[str | Cited | Draft]:
        messages: list[dict[str, str]] = [{"role": "system", "content": self._prompt.system}]
        for turn in history_within(history):
            messages += [
                {"role": "user", "content": turn.question},
                {"role": "assistant", "content": turn.text},
            ]
        user = self._prompt.fill(passages=passages_text(passages, self._order), question=question)
        messages.append({"role": "user", "content": user})
        yield from self._stream(messages)

    def warm(self) -> None:
        """Load the SDK, which takes a second or more, before somebody waits for it."""
        import openai  # noqa: F401

        _certificates()

    def complete(
        self,
        prompt: Prompt,
        values: Mapping[str, str],
        *,
        as_json: bool = False,
        schema: Mapping[str, Any] | None = None,
    ) -> str:
        """The whole reply to a short prompt. Raises :class:`GenerationError`.

        ``schema`` is the JSON schema of the reply. A server that takes none is asked without, and its
        reply may be anything.
        """
        messages = [
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": prompt.fill(**values)},
        ]
        extra: dict[str, Any] = {"response_format": {"type": "json_object"}} if as_json else {}
        until = self._until()
        with failure(self.name, self._where):
            with self._beside(), self._line(until) as line, self._client(line) as client:
                reply = self._whole_reply(client, messages, extra, schema, until)
                if line.late:  # cut off without an error
                    raise TookTooLong
                self.spent.append(_usage(getattr(reply, "usage", None)))
            if isinstance(reply, str):  # what the SDK makes of a page of HTML
                raise NoAnswer
            choices = getattr(reply, "choices", None)
            text = choices[0].message.content if choices else None
        text = without_thought(str(text or ""))
        if not text:
            raise GenerationError(f"{self._where} replied with nothing. Ask again.")
        return text

    def _whole_reply(
        self,
        client: Any,
        messages: Sequence[Mapping[str, str]],
        extra: dict[str, Any],
        schema: Mapping[str, Any] | None,
        until: float,
    ) -> Any:
        """The reply to a short prompt; without a ``schema`` where the server refuses that one."""
        call = {"model": self._model(until), "messages": list(messages), **self._limits(300)}
        if schema is not None and (self._base_url, self.model) not in _NO_SCHEMA:
            wanted = {"name": "reply", "strict": True, "schema": schema}
            extra = {"response_format": {"type": "json_schema", "json_schema": wanted}}
        try:
            return self._created(client, {**call, **extra}, until)
        except Exception as error:
            if schema is None or not extra or not refuses_form(error):
                raise
            wrote = may_be_charged(error)
        if wrote:  # a reply, but not in that form: the next may be
            self.spent.append({})
            return self._created(client, call, until)
        reply = self._created(client, call, until)
        _NO_SCHEMA.add((self._base_url, self.model))  # it took the same without
        return reply

    def _created(self, client: Any, call: Mapping[str, Any], until: float) -> Any:
        """What the call gives; what the server does not know of it has its other name, or is left out."""
        place = (self._base_url, self.model)
        left = {name for name in _OTHERWISE if (*place, name) in _REFUSED}
        while True:
            known = {
                other: value
                for name, value in call.items()
                if (other := _OTHERWISE[name] if name in left else name)
            }
            try:
                reply = self._asked(partial(client.chat.completions.create, **known), until)
            except Exception as error:
                name = unknown(error, [name for name in call if name in _OTHERWISE and name not in left])
                if name is None:
                    raise
                left.add(name)
            else:
                _REFUSED.update((*place, name) for name in left)
                return reply

    def _stream(self, messages: Sequence[Mapping[str, str]]) -> Iterator[str | Draft]:
        usage: dict[str, int] = {}
        finished: str | None = None
        until, written, begun = self._until(), 0, False
        with self._answering(), self._line(until) as line, self._client(line) as client:
            call = {"model": self._model(until), "messages": list(messages), **self._limits(self._max_tokens)}
            call |= {"stream": True, "stream_options": {"include_usage": True}}
            with closing(self._created(client, call, until)) as stream:
                for chunk in stream:
                    if line.late:
                        raise TookTooLong
                    begun = True
                    usage = _usage(getattr(chunk, "usage", None)) or usage
                    for choice in getattr(chunk, "choices", None) or ():
                        finished = choice.finish_reason or finished
                        piece = getattr(choice.delta, "content", None) if choice.delta else None
                        if piece:
                            written += len(piece)
                            within(self._where, written, self._max_tokens)
                            yield piece
                        refusal = getattr(choice.delta, "refusal", None) if choice.delta else None
                        if refusal:
                            finished = "content_filter"
                if line.late and not finished:
                    raise TookTooLong
                if not begun and "event-stream" not in stream.response.headers.get("content-type", ""):
                    raise NoAnswer
        yield Draft("", (), usage, notices=ending(self._where, finished, self._max_tokens))

    def _limits(self, tokens: int) -> dict[str, Any]:
        # Compatible servers know the older name only, OpenAI's newer models the newer one only.
        limits: dict[str, Any] = {"max_completion_tokens" if self._newer else "max_tokens": tokens}
        if self._temperature is not None:  # newer models of OpenAI refuse any
            limits["temperature"] = self._temperature
        return limits

    @contextmanager
    def _client(self, line: Line) -> Iterator[Any]:
        """A client of one call, whose every connection the line sees."""
        import openai

        http = openai.DefaultHttpxClient(verify=_certificates(), event_hooks={"request": [line.watch]})
        with openai.OpenAI(
            api_key=self._key or "none",  # a compatible server needs one that is not empty
            base_url=self._base_url or _ADDRESS,  # not what the SDK reads from the environment by itself
            timeout=openai.Timeout(self._timeout, connect=min(self._timeout, CONNECT)),
            max_retries=0,  # after a time-out too, which may be paid twice: see rag.generators.calls
            http_client=http,
        ) as client:
            yield client

    def _model(self, until: float) -> str:
        """The model that was set, or the default; of a compatible server the first that it lists."""
        if not self.model:
            self.model = DEFAULT_MODEL if self.own_service else self._first_listed(until)
        return self.model

    def _first_listed(self, until: float) -> str:
        with (
            failure(self.name, self._where, free=True),
            self._line(until) as line,
            self._client(line) as client,
        ):
            listed = self._asked(client.models.list, until, free=True)
        names = [str(model.id) for model in getattr(listed, "data", None) or ()]
        if not names:
            raise GenerationError(
                "The model server lists no model. Load one there, or set OPENAI_MODEL.", charged=False
            )
        return next((name for name in names if not _WRITES_NOT.search(name)), names[0])


def _usage(counts: Any) -> dict[str, int]:
    """Tokens as the service counted them; empty where it did not."""
    usage = counted(getattr(counts, "prompt_tokens", None), getattr(counts, "completion_tokens", None))
    cached = number_of(getattr(getattr(counts, "prompt_tokens_details", None), "cached_tokens", None))
    return {**usage, "cached_tokens": cached} if usage and cached else usage
