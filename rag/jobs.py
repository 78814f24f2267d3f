"""Long work in the background: each job a thread, its state in copies that anyone may keep.

One :class:`Jobs` serves a process, so that a page that is left and opened again, in this
session or another, finds what goes on. A page only ever sees :class:`Job`, which does not
change; it asks again for a newer one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from rag.types import IngestProgress, IngestResult

JobKind: TypeAlias = Literal["upload", "reindex", "mend"]
JobState: TypeAlias = Literal["waiting", "running", "done", "failed", "cancelled", "interrupted"]
FileState: TypeAlias = Literal["waiting", "running", "done", "unchanged", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class JobFile:
    """One file of an upload: ``message`` says why it failed or was passed over, or what of it was.

    A file is ``done`` when its documents can be found, and ``documents`` is how many it gave.
    """

    name: str
    state: FileState = "waiting"
    message: str = ""
    documents: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stood when it was asked for.

    ``started`` and ``ended`` are Unix seconds; ``ended`` is 0 while it goes on. ``counts`` are
    the files by state; ``error`` is a sentence where the job as a whole failed. A job is
    ``done`` though files of it failed, and ``interrupted`` where its process was killed.
    """

    id: str
    prototype: str
    kind: JobKind
    title: str
    state: JobState
    started: float
    ended: float = 0.0
    progress: IngestProgress | None = None
    files: tuple[JobFile, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    error: str | None = None
    result: IngestResult | None = None

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ("waiting", "running")
