"""Settings, and the only place that knows the names of environment variables.

Four layers, later wins: the defaults here, ``prototype.toml``, the environment (which
Streamlit fills from ``.streamlit/secrets.toml``), and ``--set`` or a link.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from rag.errors import UsageError
from rag.modelnames import ModelNames
from rag.types import Where

DEFAULT_PROTOTYPE = "wine"
"""The first-run prototype: a catalogue shows retrieval, filters and citations at once."""

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"

Abstain = Literal["on", "off"] | float


@dataclass(frozen=True, slots=True)
class Embedding:
    """Which model turns texts into vectors, on what, and the prompts that stand before them.

    ``backend``: ``auto`` is ONNX Runtime for the default model on a processor, and PyTorch
    for any other model or where there is a GPU. An empty prompt leaves that of the model.
    """

    model: str = DEFAULT_MODEL
    backend: str = "auto"
    query_prompt: str = ""
    document_prompt: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that shapes an answer. One frozen value per answer.

    ``metadata["key"]`` is the stable name in ``--set``, ``prototype.toml`` and links.
    """

    embedding_model: str = field(default=DEFAULT_MODEL, metadata={"key": "embedding.model"})
    embedding_backend: str = field(default="auto", metadata={"key": "embedding.backend"})
    query_prompt: str = field(default="", metadata={"key": "embedding.query_prompt"})
    document_prompt: str = field(default="", metadata={"key": "embedding.document_prompt"})
    section_tokens: int = field(default=200, metadata={"key": "chunking.section_tokens"})
    fusion: str = field(default="auto", metadata={"key": "fusion"})
    dense_weight: float = field(default=0.5, metadata={"key": "retrieval.dense_weight"})
    keyword_weight: float = field(default=0.5, metadata={"key": "retrieval.keyword_weight"})
    candidates: int = field(default=100, metadata={"key": "retrieval.candidates"})
    passage_tokens: int = field(default=200, metadata={"key": "retrieval.passage_tokens"})
    k: int = field(default=5, metadata={"key": "k"})
    budget: int = field(default=0, metadata={"key": "budget"})
    """Tokens of context; 0 means that ``k`` passages are taken instead."""
    where: Where | None = field(default=None, metadata={"key": "filters.where"})
    filters_guess: str = field(default="off", metadata={"key": "filters.guess"})
    filters_by: str = field(default="auto", metadata={"key": "filters.by"})
    """Who reads filters from a question: ``auto``, the model where one writes; ``rule``."""
    rerank: str = field(default="none", metadata={"key": "rerank"})
    rerank_candidates: int = field(default=12, metadata={"key": "rerank.candidates"})
    rerank_model: str = field(default="", metadata={"key": "rerank.model"})
    """Of ``cross`` and ``cohere``; empty for the default of each (:mod:`rag.rerank`)."""
    rerank_timeout: float = field(default=5.0, metadata={"key": "rerank.timeout"})
    """Seconds that a question waits for a remote re-ranker, retries included."""
    generator: str = field(default="auto", metadata={"key": "generator"})
    model: str = field(default="", metadata={"key": "model"})
    prompt: str = field(default="", metadata={"key": "prompt"})
    prompt_order: str = field(default="edges", metadata={"key": "prompt.order"})
    temperature: float | None = field(default=None, metadata={"key": "temperature"})
    """None: the model's own."""
    max_tokens: int = field(default=800, metadata={"key": "max_tokens"})
    timeout: float = field(default=60.0, metadata={"key": "timeout"})
    """Seconds that a model may be silent; a local one may take long to read its prompt."""
    rewrite: str = field(default="auto", metadata={"key": "rewrite"})
    judge: str = field(default="off", metadata={"key": "judge"})
    """``model``: of a doubted claim, the model that writes is asked too, in both orders."""
    abstain: Abstain = field(default="on", metadata={"key": "abstain"})
    model_names: ModelNames | None = field(default=None, compare=False, repr=False)
    """Where ``model`` comes from, unless it was set by hand. No setting itself."""

    @property
    def embedding(self) -> Embedding:
        """The part that an embedder is loaded by."""
        return Embedding(
            self.embedding_model, self.embedding_backend, self.query_prompt, self.document_prompt
        )

    @property
    def values(self) -> dict[str, Any]:
        """Every setting under its stable key, as JSON values."""
        return {key: getattr(self, name) for key, name in _FIELDS.items()}

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that differ whenever any setting does."""
        named = {name: getattr(self, name) for name in _FIELDS.values()}
        text = json.dumps(named, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("takes text")
    return value


def _one_of(*names: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if isinstance(value, bool):
            value = "on" if value else "off"
        if value not in names:
            raise ValueError(f"takes {' or '.join(names)}")
        return str(value)

    return check


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        number = float(value) if not isinstance(value, bool) else math.nan
        if number != int(number if math.isfinite(number) else 0) or not low <= number <= high:
            raise ValueError(f"takes a whole number from {low} to {high}")
        return int(number)

    return check


def _share(value: Any) -> float:
    number = float(value) if not isinstance(value, bool) else math.nan
    if not 0 <= number <= 1:
        raise ValueError("takes a number from 0 to 1")
    return number


def _temperature(value: Any) -> float | None:
    if value in ("", None):
        return None
    number = float(value) if not isinstance(value, bool) else math.nan
    if not 0 <= number <= 2:
        raise ValueError("takes a number from 0 to 2, or nothing")
    return number


def _seconds(most: float) -> Callable[[Any], float]:
    def check(value: Any) -> float:
        number = float(value) if not isinstance(value, bool) else math.nan
        if not 0.1 <= number <= most:
            raise ValueError(f"takes a number of seconds from 0.1 to {most:g}")
        return number

    return check


def _abstain(value: Any) -> Abstain:
    if value is True or value == "on":
        return "on"
    if value is False or value == "off":
        return "off"
    try:
        return _share(value)
    except (TypeError, ValueError):
        raise ValueError("takes on, off, or a threshold from 0 to 1") from None


def _where(value: Any) -> Where | None:
    if isinstance(value, str):
        value = json.loads(value) if value.strip() else None
    if value is not None and not isinstance(value, Mapping):
        raise ValueError("takes a filter as a JSON object")
    json.dumps(value)  # TOML has dates, which JSON has not: TypeError
    return value or None


# What each key takes. A name that is not offered here (a re-ranker, a generator) is
# refused when it is set, not when a question is asked.
_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "embedding.model": _text,
    "embedding.backend": _one_of("auto", "onnx", "torch"),
    "embedding.query_prompt": _text,
    "embedding.document_prompt": _text,
    "chunking.section_tokens": _whole(32, 2_000),
    "fusion": _one_of("auto", "learned", "hand"),
    "retrieval.dense_weight": _share,
    "retrieval.keyword_weight": _share,
    "retrieval.candidates": _whole(10, 1_000),
    "retrieval.passage_tokens": _whole(20, 2_000),
    "k": _whole(1, 100),
    "budget": _whole(0, 100_000),
    "filters.where": _where,
    "filters.guess": _one_of("on", "off"),
    "filters.by": _one_of("auto", "rule"),
    "rerank": _one_of("none", "late", "cross", "cohere"),
    "rerank.candidates": _whole(2, 100),
    "rerank.model": _text,
    "rerank.timeout": _seconds(120),
    "generator": _one_of("auto", "openai", "cohere", "extractive"),
    "model": _text,
    "prompt": _text,
    "prompt.order": _one_of("edges", "rank", "reverse"),
    "temperature": _temperature,
    "max_tokens": _whole(16, 32_000),
    "timeout": _seconds(600),
    "rewrite": _one_of("auto", "rule", "off"),
    "judge": _one_of("off", "model"),
    "abstain": _abstain,
}
_FIELDS: Mapping[str, str] = {f.metadata["key"]: f.name for f in fields(Settings) if f.metadata}


def with_settings(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """``settings`` with the values of some stable keys replaced.

    Nested tables (as TOML gives them) are read as dotted keys. Raises
    :class:`UsageError` for a key that does not exist or a value it does not take.
    """
    values: dict[str, Any] = {}
    names = settings.model_names
    for key, value in _flatten(changes).items():
        if key == "model" and isinstance(value, ModelNames):
            names = replace(value, written=settings.model)
            continue
        if key not in _FIELDS:
            raise UsageError(f"There is no setting “{key}”. The settings are: {', '.join(sorted(_FIELDS))}.")
        try:
            values[_FIELDS[key]] = _CHECKS[key](value)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            why = str(error) if str(error).startswith("takes") else "cannot take that"
            raise UsageError(f"The setting “{key}” {why}, not {value!r}.") from None
    if "model" in values:
        names = None
    elif names is not None and ("generator" in values or names is not settings.model_names):
        values["model"] = names.of(values.get("generator", settings.generator))
    return replace(settings, model_names=names, **values)


def parse_assignments(pairs: list[str]) -> dict[str, str]:
    """``["k=3", "abstain=off"]`` as a mapping; raises :class:`UsageError` without a ``=``."""
    changes: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"--set takes KEY=VALUE, not “{pair}”.")
        changes[key.strip()] = value.strip()
    return changes


def _flatten(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{prefix}{key}"
        # Only a filter is a table itself; "rerank" is a name, and the table of its settings.
        if isinstance(value, Mapping) and name != "filters.where":
            flat.update(_flatten(value, f"{name}."))
        else:
            flat[name] = value
    return flat


@dataclass(frozen=True, slots=True)
class Limits:
    """What visitors may use up. A None means that there is no limit.

    The defaults let a person work without noticing them, and a script not go on for long; the
    number of answers at once is what two cores write without one slowing the other down
    (``tests/benchmarks/load.py``). Of these, ``dollars_per_day`` is kept in the store and holds
    across processes; the others are counted in the server process.
    """

    questions_per_minute: int = 20
    """Of one browser."""
    address_per_minute: int = 120
    """Of one network address; an office may share one."""
    question_characters: int = 8_000
    concurrent: int = 4
    """Answers that are written at the same time; others wait their turn."""
    waiting: int = 200
    """Questions that wait; further ones are refused."""
    upload_files: int = 10_000
    """Files of one drop on the library page."""
    dollars_per_day: float | None = None
    """For answers that a model writes, by the date in UTC; beyond it they are quoted."""


_LIMITS: Mapping[str, tuple[str, float, float]] = {
    "THUMBPRINT_QUESTIONS_PER_MINUTE": ("questions_per_minute", 1, 1_000_000),
    "THUMBPRINT_ADDRESS_PER_MINUTE": ("address_per_minute", 1, 1_000_000),
    "THUMBPRINT_QUESTION_CHARACTERS": ("question_characters", 10, 8_000),
    "THUMBPRINT_CONCURRENT": ("concurrent", 1, 1_000),
    "THUMBPRINT_WAITING": ("waiting", 1, 100_000),
    "THUMBPRINT_UPLOAD_FILES": ("upload_files", 1, 1_000_000),
}
LIMIT_NAMES: Mapping[str, str] = {
    **{name: variable for variable, (name, _, _) in _LIMITS.items()},
    "dollars_per_day": "THUMBPRINT_DOLLARS_PER_DAY",
}
"""The environment variable of each limit."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What the environment says: where data lives, and which services there are."""

    home: Path
    chroma_host: str | None = None
    chroma_api_key: str | None = field(default=None, repr=False)
    max_file_bytes: int = 50_000_000
    overrides: Mapping[str, str | ModelNames] = field(default_factory=dict)
    """The settings that the environment names, on top of each prototype's own."""
    openai_api_key: str | None = field(default=None, repr=False)
    openai_base_url: str | None = None
    cohere_api_key: str | None = field(default=None, repr=False)
    cohere_base_url: str | None = None
    models: Path | None = None
    """Where the prepared embedding model is kept; by default ``models`` in ``home``."""
    owner_password: str | None = field(default=None, repr=False)
    """The hash of the owner's password, as ``python -m rag owner hash`` prints it."""
    owner_accounts: frozenset[str] = frozenset()
    """Accounts that are the owner's when they sign in: verified e-mail addresses, or subjects."""
    owner_hours: float = 12.0
    """How long a session of the owner lasts after the password was given."""
    chat: Literal["open", "links"] = "open"
    """Who may ask: everyone who reaches the server, or who has a link (and the owner)."""
    proxies: int = 0
    """Proxies of one's own in front of the server, whose word on a client's address is taken."""
    limits: Limits = Limits()
    retention_days: float | None = None
    """After how many days answers and their feedback are erased; None: never by themselves."""
    notice: str = ""
    """What readers are told about what is recorded, where a prototype says nothing of its own."""
    supabase_url: str | None = None
    supabase_key: str | None = field(default=None, repr=False)
    """Publishable, or legacy anon: it inserts."""
    supabase_secret_key: str | None = field(default=None, repr=False)
    """The owner's, or legacy service_role: it reads and erases."""

    @classmethod
    def load(cls, values: Mapping[str, str] | None = None) -> Environment:
        """Read from ``values`` (default: ``os.environ``); raises :class:`UsageError`."""
        env = os.environ if values is None else values
        megabytes = env.get("THUMBPRINT_MAX_FILE_MB", "50")
        try:
            limit = float(megabytes)
        except ValueError:
            limit = math.nan
        if not 0 < limit <= 10_000:
            raise UsageError(f"THUMBPRINT_MAX_FILE_MB takes a number of megabytes, not “{megabytes}”.")
        kept = env.get("THUMBPRINT_RETENTION_DAYS", "").strip()
        try:
            days = float(kept) if kept else None
        except ValueError:
            days = math.nan
        if days is not None and not 0 < days <= 36_500:
            raise UsageError(
                f"THUMBPRINT_RETENTION_DAYS takes a number of days above 0, not “{kept}”. Nothing was erased."
            )
        folder = env.get("THUMBPRINT_HOME") or ".thumbprint"
        try:
            home = Path(folder).expanduser().resolve()
        except (RuntimeError, OSError, ValueError):  # nobody of that name, a loop of links, a NUL
            raise UsageError(f"THUMBPRINT_HOME names no folder: “{folder}”. Set it to one.") from None
        loaded = cls(
            home=home,
            chroma_host=_bare(env, "CHROMA_HOST"),
            chroma_api_key=_bare(env, "CHROMA_API_KEY"),
            openai_api_key=_bare(env, "OPENAI_API_KEY"),
            openai_base_url=_bare(env, "OPENAI_BASE_URL"),
            cohere_api_key=_bare(env, "COHERE_API_KEY"),
            cohere_base_url=_bare(env, "CO_API_URL"),
            max_file_bytes=int(limit * 1_000_000),
            retention_days=days,
            notice=env.get("THUMBPRINT_NOTICE", "").strip(),
            models=Path(env["THUMBPRINT_MODELS"]).expanduser() if env.get("THUMBPRINT_MODELS") else None,
            owner_password=env.get("THUMBPRINT_OWNER_PASSWORD") or None,
            owner_accounts=_accounts(env.get("THUMBPRINT_OWNER_ACCOUNTS") or ""),
            owner_hours=_number(env, "THUMBPRINT_OWNER_HOURS", 12, 0.01, 8_760),
            chat=_chat(env.get("THUMBPRINT_CHAT") or "open"),
            proxies=int(_number(env, "THUMBPRINT_PROXIES", 0, 0, 20, whole=True)),
            limits=_limits(env),
            supabase_url=_bare(env, "SUPABASE_URL"),
            supabase_key=_bare(env, "SUPABASE_KEY"),
            supabase_secret_key=_bare(env, "SUPABASE_SECRET_KEY"),
        )
        names = ModelNames(env.get("OPENAI_MODEL") or "", env.get("COHERE_MODEL") or "", loaded.auto)
        return replace(loaded, overrides={"model": names})

    @property
    def auto(self) -> str:
        """What ``generator=auto`` comes to: the first service that has a key or a server, else quotations."""
        if self.openai_api_key or self.openai_base_url:
            return "openai"
        return "cohere" if self.cohere_api_key else "extractive"


_AROUND = string.whitespace + "\u00a0\u200b\ufeff" + "\"'`“”„‘’‚«»"


def _bare(env: Mapping[str, str], name: str) -> str | None:
    """A key or an address, without the white space and quotes that copying, or a file, puts around it."""
    return env.get(name, "").strip(_AROUND) or None


def _number(
    env: Mapping[str, str], name: str, default: float, low: float, high: float, *, whole: bool = False
) -> float:
    text = env.get(name) or str(default)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not low <= number <= high or (whole and number != int(number)):
        kind = "a whole number" if whole else "a number"
        raise UsageError(f"{name} takes {kind} from {low:g} to {high:g}, not “{text}”.")
    return number


def _accounts(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",") if part.strip())


def _chat(text: str) -> Literal["open", "links"]:
    if text == "links":
        return "links"
    if text == "open":
        return "open"
    raise UsageError(f"THUMBPRINT_CHAT takes open or links, not “{text}”.")


def _limits(env: Mapping[str, str]) -> Limits:
    defaults = Limits()
    counts = {
        name: int(_number(env, variable, getattr(defaults, name), low, high, whole=True))
        for variable, (name, low, high) in _LIMITS.items()
    }
    dollars = None
    if env.get("THUMBPRINT_DOLLARS_PER_DAY"):
        dollars = _number(env, "THUMBPRINT_DOLLARS_PER_DAY", 0, 0, 1_000_000)
    return replace(defaults, dollars_per_day=dollars, **counts)
