"""Is everything in order, and if not, what to do: each check a sentence."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from rag.config import Embedding, Environment
from rag.errors import ThumbprintError
from rag.library import Agreement, Library, totals
from rag.prices import troubles
from rag.prototypes import Prototype
from rag.recall import ENOUGH, QUESTIONS, Recall, measure, typical_filters
from rag.store import Store
from rag.supabase_checks import look
from rag.types import Embedder


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    message: str
    figures: Mapping[str, float] = field(default_factory=dict)
    """What was measured, for ``--json``."""


class Installation(Protocol):
    """What is looked at: the engine has it all."""

    @property
    def environment(self) -> Environment: ...

    @property
    def store(self) -> Store: ...

    def prototype(self, name: str) -> Prototype: ...

    def library(self, prototype: Prototype) -> Library: ...

    def embedder(self, wanted: Embedding | str) -> Embedder: ...

    def reads(self) -> bool: ...


_DELETED = 0.5
"""Share of deleted elements in the graph from which they are mentioned: a search walks over them."""
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
    for finding in look(engine.environment):
        yield Check(finding.name, finding.ok, finding.message)
    try:
        prototype = engine.prototype(name)
        yield Check("prototype", True, f"“{name}” loads.")
        for path, trouble in troubles((prototype.folder, home)):
            message = f"{trouble} It is in {path.parent}; until then its prices do not count."
            yield Check("prices", False, message)
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
        model = engine.embedder(prototype.settings.embedding)
        facts = f"{model.name}: {model.dimensions} dimensions, {model.max_tokens} tokens; {model.backend}."
        yield Check("model", True, facts)
    except ThumbprintError as error:
        yield Check("model", False, str(error))
        return
    try:
        if engine.reads():
            yield Check("checker", True, "Claims of answers are read together with their sources.")
    except ThumbprintError as error:
        yield Check("checker", False, f"Claims of answers are checked by their words only: {error}")
    if not agreement.good:
        return  # what the keyword index lacks would count as found
    try:
        records = library.index.records().values()
        filters = typical_filters([record.metadata for record in records])
        found = measure(library, model, engine.store.questions(name, QUESTIONS), filters)
        if found is not None:
            yield _recall(found)
    except ThumbprintError as error:
        yield Check("recall", False, str(error))


def _recall(found: Recall) -> Check:
    kind = "questions asked before" if found.stored else "sentences of the documents"
    message = f"{100 * found.plain:.1f} % of the nearest chunks are found"
    figures = {"plain": found.plain, "questions": found.questions, "deleted": found.deleted}
    if found.filtered is not None:
        message += f", {100 * found.filtered:.1f} % under a filter"
        figures["filtered"] = found.filtered
    message += f" ({found.questions} {kind}, against an exact search)."
    if found.deleted >= _DELETED:
        message += f" {100 * found.deleted:.0f} % of the graph are deleted chunks, which slow it down."
    if not found.good:
        message += f" Less than {100 * ENOUGH:.0f} % is too little: ingest the files into a new prototype."
    return Check("recall", found.good, message, {**figures, "seconds": found.seconds})


def _describe(agreement: Agreement) -> str:
    return (
        f"{agreement.chunks} chunks; the keyword index lacks {agreement.missing} and has "
        f"{agreement.extra} too many; {agreement.incomplete} documents interrupted, "
        f"{agreement.unfinished} not settled."
    )
