"""Answers by a model of Cohere, with its own citations of the passages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

from rag.errors import GenerationError
from rag.generators.calls import Calls, counted
from rag.generators.failures import TookTooLong, ending, failure, within
from rag.generators.hangup import Line
from rag.generators.openai import CONNECT, DEADLINE, TIMEOUT
from rag.generators.prompt import Order, Prompt, history_within, ordered, visible
from rag.generators.thought import without_thought
from rag.types import Cited, Draft, Passage, Turn

DEFAULT_MODEL = "command-a-03-2025"
_WHO = "Cohere"


class CohereGenerator(Calls):
    """Chat with ``documents``, streamed. Citations come beside the text, as :class:`Cited`.

    The passages are the documents: their place in the user part of the prompt is left empty.
    """

    name = "cohere"

    def __init__(
        self,
        *,
        key: str,
        model: str,
        prompt: Prompt,
        base_url: str | None = None,
        order: Order = "edges",
        temperature: float | None = None,
        max_tokens: int = 800,
        timeout: float = TIMEOUT,
        deadline: float = DEADLINE,
        retries: int = 2,
        stopped: threading.Event | None = None,
    ) -> None:
        super().__init__(self.name, _WHO, retries=retries, deadline=deadline, stopped=stopped)
        self.prompt_version = prompt.version
        self.system_prompt = prompt.system
        self.own_service = base_url is None
        self.model = model or DEFAULT_MODEL
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
        user = self._prompt.fill(passages="", question=question).strip()
        messages.append({"role": "user", "content": user})
        documents = [
            {"id": str(number), "data": {"title": visible(passage.title), "text": visible(passage.text)}}
            for number, passage in ordered(passages, self._order)
        ]
        finished: str | None = None
        usage: dict[str, int] = {}
        until, written = self._until(), 0
        with (
            self._answering(),
            self._line(until) as line,
            self._client(line) as client,
            # Closed by hand: a stream that is left in the middle keeps its connection otherwise.
            closing(self._events(client, messages, documents, until)) as events,
        ):
            for event in events:
                if line.late:
                    raise TookTooLong
                delta = getattr(event, "delta", None)
                message = getattr(delta, "message", None)
                if event.type == "content-delta" and message and message.content and message.content.text:
                    written += len(message.content.text)
                    within(_WHO, written, self._max_tokens)
                    yield message.content.text
                elif event.type == "citation-start" and message and message.citations:
                    yield from _cited(message.citations, len(passages))
                elif event.type == "message-end" and delta is not None:
                    finished = delta.finish_reason
                    usage = _usage(delta.usage)
            if line.late and not finished:
                raise TookTooLong
        yield Draft("", (), usage, notices=ending(_WHO, finished, self._max_tokens))

    def _events(self, client: Any, messages: Any, documents: Any, until: float) -> Generator[Any, None, None]:
        """The stream's events."""

        def begun() -> tuple[Any, Any]:
            """The first event and the others: the SDK asks for none of them before."""
            events = client.chat_stream(
                model=self.model,
                messages=messages,
                documents=documents,
                # Beside the text as it is written; the other mode gives them all at the end.
                citation_options={"mode": "FAST"},
                **self._limits(self._max_tokens),
            )
            return next(events, None), events

        first, events = self._asked(begun, until)
        with closing(events):
            if first is not None:
                yield first
                yield from events

    def warm(self) -> None:
        """Load the SDK, which takes a second or more, before somebody waits for it."""
        import cohere  # noqa: F401

    def complete(
        self,
        prompt: Prompt,
        values: Mapping[str, str],
        *,
        as_json: bool = False,
        schema: Mapping[str, Any] | None = None,
    ) -> str:
        """The whole reply to a short prompt. Raises :class:`GenerationError`.

        ``schema`` is the JSON schema of the reply.
        """
        extra: dict[str, Any] = {"response_format": {"type": "json_object"}} if as_json else {}
        if schema is not None:
            extra = {"response_format": {"type": "json_object", "json_schema": schema}}
        messages = [
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": prompt.fill(**values)},
        ]
        call = {"model": self.model, "messages": messages, **self._limits(300), **extra}
        with failure(self.name, _WHO):
            until = self._until()
            with self._beside(), self._line(until) as line, self._client(line) as client:
                reply = self._asked(lambda: client.chat(**call), until)
                if line.late:  # cut off without an error
                    raise TookTooLong
                self.spent.append(_usage(getattr(reply, "usage", None)))
            content = reply.message.content or ()
            text = without_thought("".join(getattr(part, "text", "") or "" for part in content))
        if not text:
            raise GenerationError(f"{_WHO} replied with nothing. Ask again.")
        return text

    def _limits(self, tokens: int) -> dict[str, Any]:
        import httpx

        limits: dict[str, Any] = {
            "max_tokens": tokens,
            "request_options": {
                "timeout": httpx.Timeout(self._timeout, connect=min(self._timeout, CONNECT)),
                "max_retries": 0,  # see rag.generators.calls
            },
        }
        if self._temperature is not None:
            limits["temperature"] = self._temperature
        return limits

    @contextmanager
    def _client(self, line: Line) -> Iterator[Any]:
        import cohere
        import httpx

        hooks: dict[str, list[Callable[..., Any]]] = {"request": [line.watch]}
        with httpx.Client(timeout=self._timeout, follow_redirects=True, event_hooks=hooks) as http:
            yield cohere.ClientV2(api_key=self._key, base_url=self._base_url, httpx_client=http)


def _cited(citation: Any, passages: int) -> Iterator[Cited]:
    numbers = []
    for source in citation.sources or ():
        name = str(getattr(source, "id", "") or "").rpartition(":")[2]
        if name.isdigit() and 1 <= int(name) <= passages:
            numbers.append(int(name) - 1)
    if numbers and citation.start is not None and citation.end is not None:
        yield Cited(int(citation.start), int(citation.end), tuple(dict.fromkeys(numbers)))


def _usage(usage: Any) -> dict[str, int]:
    """Tokens that are billed, or else those that were processed, which are more: Cohere's own prompt is
    among them. Empty where the service counted neither."""
    for counts in (getattr(usage, "billed_units", None), getattr(usage, "tokens", None)):
        found = counted(getattr(counts, "input_tokens", None), getattr(counts, "output_tokens", None))
        if found:
            return found
    return {}
