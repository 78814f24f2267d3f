"""What goes wrong between here and a model, each as one sentence that says what to do.

The servers' own words are not repeated: they may hold a key, a prompt, or a page of HTML.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rag.errors import GenerationError

_BY_STATUS = {
    400: "{who} refused the request. Check the model's name and its settings.",
    401: "{who} refused the key. Check {key} and try again.",
    403: "{who} does not let this key use the model. Check {key}, or choose another model.",
    404: "{who} does not know the model or the address. Check {model} and the server's address.",
    408: "{who} did not answer in time. Ask again in a moment.",
    413: "The question and its passages are too long for the model. Lower k or budget.",
    422: "{who} refused the request. Check the model's name and its settings.",
    429: "{who} is being asked too much, or its quota is used up. Wait a minute and ask again.",
}
_KEYS = {"openai": ("OPENAI_API_KEY", "OPENAI_MODEL"), "cohere": ("COHERE_API_KEY", "COHERE_MODEL")}
_TOO_LONG = (
    "context length",
    "context_length",
    "too long",
    "maximum context",
    "too many tokens",
    "context window",
)


_TURNED_AWAY = frozenset({400, 401, 402, 403, 404, 405, 413, 422, 429})
"""Statuses of a call that no model was given."""
_UNSENT = frozenset({"ConnectError", "ConnectTimeout", "ProxyError", "UnsupportedProtocol"})
"""Errors of httpx, and of the copy of it that OpenAI's SDK stands on, before anything was sent."""


@contextmanager
def failure(service: str, who: str, *, free: bool = False) -> Iterator[None]:
    """Turn what an SDK raises into :class:`GenerationError`; ``free`` is a call that is never charged."""
    try:
        yield
    except GenerationError:
        raise
    except Exception as error:
        charged = not free and may_be_charged(error)
        raise GenerationError(_sentence(error, service, who), charged=charged) from None


def may_be_charged(error: Exception) -> bool:
    """Whether the service may ask money for the call that failed so.

    A call that timed out or broke off may have been at work until then, or after it.
    """
    if isinstance(error, GenerationError):
        return error.charged
    return not unsent(error) and getattr(error, "status_code", None) not in _TURNED_AWAY


def unsent(error: Exception) -> bool:
    """Whether no connection could be made, so that nothing was asked at all."""
    return not _UNSENT.isdisjoint({type(error).__name__, type(error.__cause__).__name__})


def _sentence(error: Exception, service: str, who: str) -> str:
    key, model = _KEYS[service]
    status = getattr(error, "status_code", None)
    said = str(getattr(error, "body", "") or "")[:2_000].casefold()
    if status in (400, 413, 422) and any(words in said for words in _TOO_LONG):
        return _BY_STATUS[413]
    if isinstance(status, int) and status >= 500:
        return f"{who} has a problem of its own (error {status}). Ask again in a minute."
    if isinstance(status, int) and status in _BY_STATUS:
        return _BY_STATUS[status].format(who=who, key=key, model=model)
    kind = type(error).__name__
    if "Timeout" in kind:
        return f"{who} did not answer in time. Ask again in a moment."
    cause = type(error.__cause__).__name__
    if "RemoteProtocol" in cause or "ReadError" in cause:  # where it was cut, the SDK says "connection"
        kind = cause
    if "Connect" in kind or "Network" in kind:
        return f"{who} cannot be reached. Check the network and the server's address, and ask again."
    if "RemoteProtocol" in kind or "Read" in kind:
        return f"{who} broke off in the middle. Ask again."
    return f"{who} sent something that is no answer ({kind}). Check the server's address, and ask again."


PER_TOKEN = 64
"""Characters that a token may have: words are shorter, runs of spaces are about that long."""


def within(who: str, written: int, tokens: int) -> None:
    """Raise where a server goes on and on: ``written`` characters, of ``tokens`` that it was asked for."""
    if written > PER_TOKEN * tokens:
        raise GenerationError(
            f"{who} wrote far more than it was asked for, and was cut off. Ask again, or check the server."
        )


CUT_OFF = "answer-cut-off: "
"""Opens the notice of an answer that ended at its limit of tokens; a sentence follows."""


def ending(who: str, finished: str | None, tokens: int) -> tuple[str, ...]:
    """The notices of a stream that ended; raises where it ended without an end, or was refused.

    A connection that is cut, and a page of HTML with status 200, end without an error: only a
    missing reason to finish tells. ``tokens`` is the most that it was asked for.
    """
    reason = (finished or "").casefold()
    if not reason:
        raise GenerationError(f"{who} broke off before the end of the answer. Ask again.")
    if reason in ("content_filter", "error_toxic"):
        raise GenerationError(f"{who} refused to answer this question. Ask it in other words.")
    if reason in ("error", "timeout", "error_limit"):
        raise GenerationError(f"{who} stopped with a problem of its own. Ask again in a minute.")
    if reason in ("length", "max_tokens"):  # of Chat Completions, and of Cohere
        told = f"Cut off at {tokens:,} tokens: raise the setting max_tokens, or ask for less at once."
        return (f"{CUT_OFF}{told}",)
    return ()
