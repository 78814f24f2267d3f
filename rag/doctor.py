"""Is everything in order, and if not, what to do: each check a sentence."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from rag.config import Environment
from rag.errors import ThumbprintError
from rag.library import Agreement, Library, totals
from rag.prototypes import Prototype
from rag.store import Store
from rag.types import Embedder


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    message: str


class Installation(Protocol):
    """What is looked at: the engine has it all."""

    @property
    def environment(self) -> Environment: ...

    @property
    def store(self) -> Store: ...

    def prototype(self, name: str) -> Prototype: ...

    def library(self, prototype: Prototype) -> Library: ...

    def embedder(self, model: str) -> Embedder: ...


_WAIT = 10.0
"""Seconds to wait for another process that is writing; what it is at is not for mending."""


def examine(engine: Installation, name: str, *, mend: bool = False) -> list[Check]:
    """Look at the installation and at one prototype; ``mend`` repairs its indexes, and says so."""
    return list(_checks(engine, name, mend))


def _checks(engine: Installation, name: str, mend: bool) -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("python", sys.version_info >= (3, 11), f"Python {version}; 3.11 or newer is needed.")
    home = engine.environment.home
    try:
        home.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(home).free / 1e9
        yield Check("disk", free > 0.5, f"{free:.1f} GB free where the data lives.")
        engine.store.feedback_for([])
        yield Check("store", True, "Answers and feedback can be written and read.")
    except (ThumbprintError, OSError) as error:
        yield Check("store", False, str(error))
    try:
        prototype = engine.prototype(name)
        yield Check("prototype", True, f"“{name}” loads.")
        library = engine.library(prototype)
        agreement = library.compare()
        message = _describe(agreement)
        if mend and not agreement.good:
            library.mend(timeout=_WAIT)
            message += " Mended; ingest the files again to complete them."
            agreement = library.compare()
            if not agreement.good:
                message += f" And still: {_describe(agreement)}"
        elif not agreement.good:
            message += " Run “python -m rag doctor”, then ingest again."
        yield Check("indexes", agreement.good, message)
        documents, sections, chunks = totals(library.index.records().values())
        yield Check(
            "documents",
            documents > 0 or bool(prototype.documents),
            f"{documents} documents, {sections} sections, {chunks} chunks; index version "
            f"{library.index.facts().get('index_version') or 'none yet'}.",
        )
    except (ThumbprintError, OSError) as error:
        yield Check("prototype", False, str(error))
        return
    try:
        model = engine.embedder(prototype.settings.embedding_model)
        yield Check("model", True, f"{model.name}: {model.dimensions} dimensions, {model.max_tokens} tokens.")
    except ThumbprintError as error:
        yield Check("model", False, str(error))


def _describe(agreement: Agreement) -> str:
    return (
        f"{agreement.chunks} chunks; the keyword index lacks {agreement.missing} and has "
        f"{agreement.extra} too many; {agreement.incomplete} documents interrupted, "
        f"{agreement.unfinished} not settled."
    )
