"""Which generator answers, by the settings and the keys that there are."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import cast

from rag.config import Environment, Settings
from rag.errors import UsageError
from rag.generators.cohere import CohereGenerator
from rag.generators.extractive import ExtractiveGenerator
from rag.generators.openai import OpenAIGenerator
from rag.generators.prompt import Order, load_prompt

_WHOLE = 5
"""Times the longest silence: what a whole answer may take of a server that drips."""

ModelGenerator = OpenAIGenerator | CohereGenerator


def generator_name(settings: Settings, environment: Environment) -> str:
    """``openai``, ``cohere`` or ``extractive``: what ``auto`` comes to here."""
    return environment.auto if settings.generator == "auto" else settings.generator


def choose(
    settings: Settings,
    environment: Environment,
    folder: Path | None = None,
    stopped: threading.Event | None = None,
) -> ModelGenerator | ExtractiveGenerator:
    """The generator; ``folder`` is the prototype's, whose prompts win.

    Once ``stopped`` is set, from any thread, it makes no further call.
    Raises :class:`UsageError` where the one that was asked for has no key, or its prompt does not load.
    """
    name = generator_name(settings, environment)
    if name == "extractive":
        return ExtractiveGenerator()
    prompt = load_prompt(settings.prompt, folder)
    order = cast(Order, settings.prompt_order)  # as rag.config checked it
    if name == "openai":
        if not (environment.openai_api_key or environment.openai_base_url):
            raise UsageError(
                "The generator “openai” needs OPENAI_API_KEY, or OPENAI_BASE_URL. Set one of them."
            )
        return OpenAIGenerator(
            key=environment.openai_api_key,
            base_url=environment.openai_base_url,
            model=settings.model,
            prompt=prompt,
            order=order,
            temperature=settings.temperature,
            max_tokens=settings.max_tokens,
            timeout=settings.timeout,
            deadline=_WHOLE * settings.timeout,
            stopped=stopped,
        )
    if not environment.cohere_api_key:
        raise UsageError("The generator “cohere” needs COHERE_API_KEY. Set it, or choose another generator.")
    return CohereGenerator(
        key=environment.cohere_api_key,
        base_url=environment.cohere_base_url,
        model=settings.model,
        prompt=prompt,
        order=order,
        temperature=settings.temperature,
        max_tokens=settings.max_tokens,
        timeout=settings.timeout,
        deadline=_WHOLE * settings.timeout,
        stopped=stopped,
    )
