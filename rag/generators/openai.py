"""Answers by a model of OpenAI, or of any server that speaks its Chat Completions.

``OPENAI_BASE_URL`` names a compatible server (Ollama, vLLM, llama.cpp, LM Studio). Errors
become one sentence each; none holds the key or more than a line of what a server said.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from rag.errors import GenerationError
from rag.generators.calls import Calls, counted, number_of
from rag.generators.failures import ending, failure, within
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

_NO_SCHEMA: set[tuple[str | None, str]] = set()
"""Servers and models that refused a schema, so that they are not asked twice again."""


@lru_cache(maxsize=4)
def _client(key: str | None, base_url: str | None, timeout: float) -> Any:
    """One client for all questions, so that they share its connections; it is safe between threads."""
    import openai

    return openai.OpenAI(
        api_key=key or "none",  # a compatible server needs one that is not empty
        base_url=base_url,
        timeout=openai.Timeout(timeout, connect=min(timeout, CONNECT)),
        max_retries=0,  # after a time-out too, which may be paid twice: see rag.generators.calls
    )


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
        who = "The model server" if base_url else "OpenAI"
        super().__init__(self.name, who, retries=retries, deadline=deadline, stopped=stopped)
        self.prompt_version = prompt.version
        self.system_prompt = prompt.system
        self.own_service = base_url is None
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
        with failure(self.name, self._where):
            with self._beside():
                reply = self._whole_reply(messages, extra, schema)
                self.spent.append(_usage(getattr(reply, "usage", None)))
            choices = getattr(reply, "choices", None)
            text = choices[0].message.content if choices else None
        text = without_thought(str(text or ""))
        if not text:
            raise GenerationError(f"{self._where} replied with nothing. Ask again.")
        return text

    def _whole_reply(
        self, messages: Sequence[Mapping[str, str]], extra: dict[str, Any], schema: Mapping[str, Any] | None
    ) -> Any:
        """The reply to a short prompt; without a ``schema`` where the server refuses that one."""
        until = self._until()
        call = {"model": self._model(until), "messages": list(messages), **self._limits(300)}
        create = self._client().chat.completions.create
        if schema is not None and (self._base_url, self.model) not in _NO_SCHEMA:
            wanted = {"name": "reply", "strict": True, "schema": schema}
            extra = {"response_format": {"type": "json_schema", "json_schema": wanted}}
        try:
            return self._asked(lambda: create(**call, **extra), until)
        except Exception as error:
            if schema is None or not extra or getattr(error, "status_code", None) not in (400, 404, 422):
                raise
        reply = self._asked(lambda: create(**call), until)
        _NO_SCHEMA.add((self._base_url, self.model))  # it took the same without
        return reply

    def _stream(self, messages: Sequence[Mapping[str, str]]) -> Iterator[str | Draft]:
        usage: dict[str, int] = {}
        finished: str | None = None
        until, written = self._until(), 0
        with self._answering():
            call = {"model": self._model(until), "messages": list(messages), **self._limits(self._max_tokens)}
            create = self._client().chat.completions.create
            stream = self._asked(
                lambda: create(**call, stream=True, stream_options={"include_usage": True}), until
            )
            self._keep(stream.response)
            try:
                for chunk in stream:
                    if time.monotonic() > until:
                        raise GenerationError(f"{self._where} took too long for one answer. Ask again.")
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
            finally:
                self._reading = None
                stream.close()
        yield Draft("", (), usage, notices=ending(self._where, finished, self._max_tokens))

    def _limits(self, tokens: int) -> dict[str, Any]:
        # Compatible servers know the older name only, OpenAI's newer models the newer one only.
        limits: dict[str, Any] = {"max_tokens" if self._base_url else "max_completion_tokens": tokens}
        if self._temperature is not None:  # newer models of OpenAI refuse any
            limits["temperature"] = self._temperature
        return limits

    def _client(self) -> Any:
        return _client(self._key, self._base_url, self._timeout)

    def _model(self, until: float) -> str:
        """The model that was set, or the default; of a compatible server the first that it lists."""
        if not self.model:
            self.model = self._first_listed(until) if self._base_url else DEFAULT_MODEL
        return self.model

    def _first_listed(self, until: float) -> str:
        listing: Callable[[], Any] = self._client().models.list
        with failure(self.name, self._where, free=True):
            listed = self._asked(listing, until, free=True)
        first = next(iter(getattr(listed, "data", None) or ()), None)
        if first is None:
            raise GenerationError(
                "The model server lists no model. Load one there, or set OPENAI_MODEL.", charged=False
            )
        return str(first.id)


def _usage(counts: Any) -> dict[str, int]:
    """Tokens as the service counted them; empty where it did not."""
    usage = counted(getattr(counts, "prompt_tokens", None), getattr(counts, "completion_tokens", None))
    cached = number_of(getattr(getattr(counts, "prompt_tokens_details", None), "cached_tokens", None))
    return {**usage, "cached_tokens": cached} if usage and cached else usage
