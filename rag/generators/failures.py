"""What goes wrong between here and a model, each as one sentence that says what to do.

The servers' own words are not repeated: they may hold a key, a prompt, or a page of HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from rag.errors import GenerationError

_BY_STATUS = {
    400: "{who} refused the request. Check the model's name and its settings.",
    401: "{who} refused the key. Check {key} and try again.",
    402: "{who} has no credit left for this key. Check the plan and the billing of its account.",
    403: "{who} does not let this key use the model. Check {key}, or choose another model.",
    404: "{who} does not know the model or the address. Check {model} and the server's address.",
    408: "{who} did not answer in time. Ask again in a moment.",
    413: "The question and its passages are too long for the model. Lower k or budget.",
    422: "{who} refused the request. Check the model's name and its settings.",
    429: "{who} is being asked too much, or its quota is used up. Wait a minute and ask again.",
    500: "{who} has a problem of its own. Ask again in a minute.",
}
_KEYS = {"openai": ("OPENAI_API_KEY", "OPENAI_MODEL"), "cohere": ("COHERE_API_KEY", "COHERE_MODEL")}
TOOK_TOO_LONG = "{who} took too long for one answer. Ask again."
_REFUSED = "{who} refused to answer this question. Ask it in other words."

_TOO_LONG = re.compile(
    r"context[ _](?:length|size|window)|exceeds? the (?:model\W{0,2}s|available) context|"
    r"maximum (?:model length|number of tokens)|too many (?:input )?tokens|\bn_keep\b.*\bn_ctx\b|"
    r"\b(?:prompt|input|request|messages?|string) (?:is |are )?too long"
)
"""How servers say that a prompt does not fit: OpenAI, Cohere, llama.cpp, vLLM, Ollama, LM Studio, Gemini."""
_UNKNOWN = re.compile(
    r"unsupported|not support|unknown|unrecogni[sz]ed|unexpected|not (?:permitted|allowed)|forbidden"
)
_NO_CREDIT = re.compile(r"insufficient[_ ](?:quota|balance|credits?|funds)|\bbilling_|credit balance")
_NO_MEMORY = re.compile(r"more system memory|out of memory")
_FORM = re.compile(r"response[_ ]format|schema|json|grammar|structured output")
"""How servers call the form that a reply was to have."""
_INVALID = "json_validate_failed"
"""Groq's code, with status 400, of a reply that a model wrote and that has not that form."""
_STREAMED = (
    (_NO_CREDIT, 402),
    (re.compile(r"rate[_ ]limit|too many requests"), 429),
    (re.compile(r"server[_ ]error|overloaded|unavailable"), 500),
)
"""What an error within a stream, which may have no number, says instead of one."""
_FILTERED = frozenset({"content_filter", "content_policy_violation"})
"""Codes of a question that a service refuses with an error."""


class TookTooLong(Exception):
    """The deadline of a call passed while it was under way."""


class NoAnswer(Exception):
    """A reply that is none, though its status is 200: the page of a proxy, or of another server."""


_TURNED_AWAY = frozenset({400, 401, 402, 403, 404, 405, 413, 422, 429})
"""Statuses of a call that no model was given."""
_UNSENT = frozenset({"ConnectError", "ConnectTimeout", "ProxyError"})
"""Errors of httpx, and of the copy of it that OpenAI's SDK stands on, before anything was sent."""
_BAD_KEY = "{who} was not asked: {key} holds a character that no key has. Copy the key again."
_BAD_ADDRESS = (
    "{who} was not asked: its address, or a proxy's, is none. Check that it begins with http:// or https://."
)
_UNSENDABLE = {
    "LocalProtocolError": _BAD_KEY,
    "UnicodeEncodeError": _BAD_KEY,
    "ImportError": "{who} was not asked: a SOCKS proxy cannot be used here. Check ALL_PROXY and HTTPS_PROXY.",
    "InvalidURL": _BAD_ADDRESS,
    "UnsupportedProtocol": _BAD_ADDRESS,
}
"""Likewise, of what no further try can send: a header, a proxy without its package, an address."""
_SAYS = ("message", "msg", "error", "detail", "code", "type", "param", "loc")
"""Where an error says what is wrong. Others hold what it repeats of the request, or of a reply."""
_REPEATS = re.compile(r"'input':|\binput_value=")
"""Opens what it repeats within a message (vLLM's, of pydantic)."""


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
    if unsent(error) or _unsendable(error):
        return False
    return _code(error) == _INVALID or getattr(error, "status_code", None) not in _TURNED_AWAY


def unsent(error: Exception) -> bool:
    """Whether no connection could be made, so that nothing was asked at all."""
    return not _UNSENT.isdisjoint(_kinds(error))


def _unsendable(error: Exception) -> str | None:
    """What is to be said where the call could not even be put into a request."""
    return next((_UNSENDABLE[kind] for kind in _kinds(error) if kind in _UNSENDABLE), None)


def _kinds(error: Exception) -> tuple[str, str]:
    return type(error).__name__, type(error.__cause__).__name__


def _sentence(error: Exception, service: str, who: str) -> str:
    key, model = _KEYS[service]
    if isinstance(error, TookTooLong):
        return TOOK_TOO_LONG.format(who=who)
    if told := _unsendable(error):
        return told.format(who=who, key=key)
    if _code(error) in _FILTERED:
        return _REFUSED.format(who=who)
    if too_long(error):
        return _BY_STATUS[413]
    if _NO_MEMORY.search(_said(error)):
        return f"{who} has too little memory for the model. Choose a smaller one."
    status, number = _status(error), _number(error)
    if number is not None and number >= 500:
        return f"{who} has a problem of its own (error {number}). Ask again in a minute."
    if status in _BY_STATUS:
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
    named = "" if isinstance(error, NoAnswer) else f" ({kind})"
    return f"{who} sent something that is no answer{named}. Check the server's address, and ask again."


def too_long(error: Exception) -> bool:
    """Whether a service says that the prompt does not fit into its model."""
    said, status = _said(error), _status(error)
    if status == 429:  # of one request, where others would pass
        return "request too large" in said
    if status not in (None, 400, 413, 422, 500):
        return False
    # Where a server failed, a word about its context may be of its traceback.
    return bool(_TOO_LONG.search(said)) and (status != 500 or "exceed" in said)


def unknown(error: Exception, parameters: Iterable[str]) -> str | None:
    """Which of these a server refuses by name, because it knows no such parameter."""
    said = _said(error)
    if getattr(error, "status_code", None) not in (400, 422) or not _UNKNOWN.search(said) or too_long(error):
        return None
    return next((name for name in parameters if name in said), None)


def refuses_form(error: Exception) -> bool:
    """Whether a server refuses the form that a reply was to have, or the request without a word."""
    said = _said(error)
    if getattr(error, "status_code", None) not in (400, 404, 422) or too_long(error):
        return False
    return not said or bool(_FORM.search(said))


def _said(error: Exception) -> str:
    return _words(getattr(error, "body", None), 6)[:2_000].casefold()


def _words(body: object, levels: int) -> str:
    """What an error says, so many levels deep; what it repeats is left out."""
    if isinstance(body, Mapping):
        body = [body[name] for name in _SAYS if name in body]
    if isinstance(body, list):
        return " ".join(_words(part, levels - 1) for part in body) if levels else ""
    return _REPEATS.split(str(body or ""))[0]


def _code(error: Exception) -> str:
    body = getattr(error, "body", None)
    return str(body.get("code") or "") if isinstance(body, Mapping) else ""


def _status(error: Exception) -> int | None:
    """The status of an error, or the one that its words stand for; None for no answer of a service."""
    number = _number(error)
    if number is None or (number in (400, 429) and _NO_CREDIT.search(_said(error))):
        return next((status for words, status in _STREAMED if words.search(_said(error))), None)
    return number


def _number(error: Exception) -> int | None:
    """The status of an error; of one within a stream, which has none, the code, where it is such a number."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return status
    code = _code(error)
    return int(code) if re.fullmatch(r"[45]\d\d", code) else None


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
_TROUBLE = frozenset({"error", "timeout", "error_limit", "abort", "insufficient_system_resource"})
"""Reasons to finish of Cohere, vLLM and DeepSeek that are none: the text ends anywhere."""


def ending(who: str, finished: str | None, tokens: int) -> tuple[str, ...]:
    """The notices of a stream that ended; raises where it ended without an end, or was refused.

    A connection that is cut, and a page of HTML with status 200, end without an error: only a
    missing reason to finish tells. ``tokens`` is the most that it was asked for.
    """
    reason = (finished or "").casefold()
    if not reason:
        raise GenerationError(f"{who} broke off before the end of the answer. Ask again.")
    if reason.startswith("content_filter") or reason == "error_toxic":
        raise GenerationError(_REFUSED.format(who=who))
    if reason in _TROUBLE:
        raise GenerationError(f"{who} stopped with a problem of its own. Ask again in a minute.")
    if reason in ("length", "max_tokens"):  # of Chat Completions, and of Cohere
        told = f"Cut off at {tokens:,} tokens: raise the setting max_tokens, or ask for less at once."
        return (f"{CUT_OFF}{told}",)
    if reason == "model_length":  # Mistral's, where prompt and answer fill all that a model reads
        return (f"{CUT_OFF}Cut off where the model could take no more: lower k or budget, or ask for less.",)
    return ()
