"""What an export is: what was asked for, what a format is, what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from rag.store import Selection

if TYPE_CHECKING:
    from rag.export.source import Source

Ids: TypeAlias = Literal["keep", "hash", "drop"]
Labels: TypeAlias = Literal["named", "cited"]
PromptForm: TypeAlias = Literal["passages", "question", "messages"]
Counts: TypeAlias = Mapping[str, int]
"""How much was written of each kind, by the name of the kind."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is exported, and in what form.

    ``ids``: conversations and links as they are, as a keyed hash that is the same in every
    export of this installation, or left out. ``redact``: see :mod:`rag.export.redact`.
    ``labels`` says what counts as relevant (:mod:`rag.export.collection`), ``prompt`` what a
    prompt is made of (:mod:`rag.export.training`).
    """

    selection: Selection = field(default_factory=Selection)
    ids: Ids = "keep"
    redact: bool = False
    labels: Labels = "named"
    prompt: PromptForm = "passages"


@dataclass(frozen=True, slots=True)
class Progress:
    """How many of the records are through, and the seconds so far."""

    done: int
    total: int
    seconds: float

    @property
    def share(self) -> float:
        """In [0, 1]."""
        return min(self.done / self.total, 1.0) if self.total else 1.0


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written where. ``size`` is in bytes, of all files together."""

    format: str
    path: Path
    counts: Counts
    size: int
    seconds: float


Write: TypeAlias = "Callable[[Source, Path], Counts]"
"""Writes everything of the source to a path that does not exist yet; a folder makes it itself."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format that other tools read. ``suffix`` is that of its file; empty for a folder."""

    name: str
    title: str
    about: str
    suffix: str
    write: Write
    parts: tuple[str, ...] = ()
    """Of a folder: the files in it, which a later export may replace."""
