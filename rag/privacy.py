"""What readers of the chat are told about what is recorded: the owner's words, or what is so."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from rag.config import Environment
from rag.generators.choose import generator_name
from rag.prototypes import Prototype

SUMMARY = "Questions, answers and ratings are stored here"


@dataclass(frozen=True, slots=True)
class Notice:
    """One line, and what stands behind it: paragraphs of plain text."""

    summary: str
    text: str


def notice(prototype: Prototype, environment: Environment) -> Notice:
    """The notice of a prototype.

    ``notice`` in its ``prototype.toml`` wins, then ``THUMBPRINT_NOTICE``; how long things are kept and how
    to erase them is added to either, because the program knows and the owner may forget.
    """
    own = prototype.notice or environment.notice
    return Notice(
        SUMMARY, "\n\n".join([own] if own else _facts(prototype, environment)) + "\n\n" + _end(environment)
    )


def recipients(prototype: Prototype, environment: Environment) -> list[str]:
    """Services that get a question, and the passages found for it, so that they can answer it."""
    found = []
    name = generator_name(prototype.settings, environment)
    if name == "openai":
        found.append(_host(environment.openai_base_url) or "OpenAI")
    elif name == "cohere":
        found.append(_host(environment.cohere_base_url) or "Cohere")
    provider = prototype.settings.embedding_model.partition(":")[0]
    if provider == "openai":
        found.append(_host(environment.openai_base_url) or "OpenAI")
    if provider == "cohere" or prototype.settings.rerank == "cohere":
        found.append(_host(environment.cohere_base_url) or "Cohere")
    return list(dict.fromkeys(found))


def _facts(prototype: Prototype, environment: Environment) -> list[str]:
    stored = (
        "Your questions, the answers with the passages they rest on, and what you say of them (thumbs, "
        "reasons, comments, corrections) are stored by whoever runs this page, who reads them to improve "
        "the answers"
    )
    stored += ", and copied to their Supabase project." if has_copy(environment) else "."
    stored += (
        " Of you, only a hash of your browser's cookie is stored, by which your conversations open again "
        "here. Please write nothing that nobody should read."
    )
    sent = recipients(prototype, environment)
    if not sent:
        return [stored]
    return [
        stored,
        f"A question is sent to {' and '.join(sent)} to be answered, with the passages found for it.",
    ]


def _end(environment: Environment) -> str:
    days = environment.retention_days
    everywhere = "here and in the copy" if has_copy(environment) else "for good"
    delete = f"Deleting a conversation (the menu beside its name) erases it {everywhere}."
    if days is None:
        return f"All of it is kept until it is erased. {delete}"
    return f"All of it is erased after {days:g} day{'' if days == 1 else 's'}. {delete}"


def has_copy(environment: Environment) -> bool:
    """Whether a copy of what is recorded goes to Supabase."""
    return bool(environment.supabase_url and (environment.supabase_key or environment.supabase_secret_key))


def _host(address: str | None) -> str:
    return urlsplit(address).hostname or "" if address else ""
