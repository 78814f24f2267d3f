"""Long work in the background: each job a thread, its state in copies that anyone may keep.

One :class:`Jobs` serves a process, so that a page that is left and opened again, in this
session or another, finds what goes on. A page only ever sees :class:`Job`, which does not
change; it asks again for a newer one.

What a job is about is also on disk, with a lock that goes when its process does
(:mod:`rag.journal`): the job of a process that was killed is found as ``interrupted``.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeAlias

from rag.errors import NotFound, ThumbprintError
from rag.ingest import Stopped
from rag.journal import Journal, Noted
from rag.types import FileReport, IngestProgress, IngestResult

log = logging.getLogger(__name__)

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


_KEPT = 20
"""Jobs of a prototype that have ended and are still shown."""
_PATIENCE = 0.2
"""Seconds between two looks of a waiting job at whether it was cancelled."""


class Task:
    """A job at work: what its thread reports to, and asks whether to go on."""

    def __init__(self, job: Job, settings: Mapping[str, str], journal: Journal) -> None:
        self.settings = settings
        self.journal = journal
        self._job = job
        self._files: dict[str, JobFile] = {}
        self._lock = threading.Lock()
        self._cancelled = threading.Event()

    @property
    def id(self) -> str:
        return self._job.id

    def snapshot(self) -> Job:
        """The job as it stands."""
        with self._lock:
            files = tuple(self._files.values())
            job = self._job
        return replace(job, files=files, counts=dict(Counter(file.state for file in files)))

    def change(self, **fields: object) -> None:
        with self._lock:
            self._job = replace(self._job, **fields)  # type: ignore[arg-type]

    def add(self, file: JobFile) -> None:
        """Another file of the job, or another state of one."""
        with self._lock:
            self._files[file.name] = file

    def file(self, report: FileReport) -> None:
        """What an ingest says of a file; files of others are passed over."""
        with self._lock:
            known = self._files.get(report.source)
            if known is not None:
                message = report.error or (known.message if report.state == "done" else "")
                self._files[report.source] = JobFile(report.source, report.state, message, report.documents)

    def progress(self, progress: IngestProgress) -> None:
        waits = progress.stage == "waiting"
        self.change(progress=progress, state="waiting" if waits else "running")

    def cancel(self) -> None:
        self._cancelled.set()

    def stop(self) -> bool:
        """Whether the job is to end early."""
        return self._cancelled.is_set()

    def settle(self, state: JobState, error: str | None, result: IngestResult | None) -> None:
        """The job has ended so: give every file an end as well."""
        why = {
            "cancelled": "It was cancelled before this file was indexed.",
            "failed": "The job ended before this file was indexed.",
        }.get(state, "")
        with self._lock:
            for name, file in self._files.items():
                if file.state in ("waiting", "running"):
                    # Of what was done without a word, a sidecar, nothing is to be found by itself.
                    ended: FileState = "done" if state == "done" else "skipped"
                    self._files[name] = replace(file, state=ended, message=why or file.message)
            self._job = replace(self._job, state=state, error=error, result=result, ended=time.time())


Work: TypeAlias = Callable[[Task], IngestResult | None]


class Jobs:
    """The jobs of this process, and in ``folder`` what they are about."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tasks: dict[str, Task] = {}
        self._lock = threading.Lock()
        self._lanes = {"reindex": threading.Lock(), "": threading.Lock()}
        """What writes into the library waits its turn; a re-index builds beside it."""

    def open(
        self, prototype: str, kind: JobKind, title: str, settings: Mapping[str, str] | None = None
    ) -> Task:
        """A job that waits for :meth:`start`. It is noted on disk unless it is a mending."""
        job = Job(uuid.uuid4().hex, prototype, kind, title, "waiting", time.time())
        path = self._folder / prototype / f"{job.id}.jsonl"
        task = Task(job, settings or {}, Journal(path))
        if kind != "mend":
            task.journal.open(Noted(kind, title, job.started, tuple((settings or {}).items())))
        with self._lock:
            self._tasks[job.id] = task
            self._forget_old(prototype)
        return task

    def start(self, task: Task, work: Work) -> Job:
        """Do the work in a thread of its own, after those before it; returns at once."""
        threading.Thread(target=self._run, args=(task, work), name="job", daemon=True).start()
        return task.snapshot()

    def _run(self, task: Task, work: Work) -> None:
        lane = self._lanes.get(task.snapshot().kind, self._lanes[""])
        state: JobState = "failed"
        error: str | None = None
        result = None
        while not lane.acquire(timeout=_PATIENCE):
            if task.stop():
                self._end(task, "cancelled", None, None)
                return
        try:
            if task.stop():
                raise Stopped
            task.change(state="running")
            result = work(task)
            state = "cancelled" if result is not None and result.stopped else "done"
        except Stopped:
            state = "cancelled"
        except ThumbprintError as problem:
            error = str(problem)
        except OSError as problem:
            log.warning("A job failed: %s", problem)
            error = (
                f"The disk refused ({problem.strerror or problem}). Check the free space and the rights of "
                "THUMBPRINT_HOME, then try again."
            )
        except Exception:
            # The thread's last resort: the owner gets a sentence, the log the cause.
            log.exception("A job failed")
            error = "It ended for a reason that nobody foresaw. Run “python -m rag doctor”, then try again."
        finally:
            lane.release()
            self._end(task, state, error, result)

    @staticmethod
    def _end(task: Task, state: JobState, error: str | None, result: IngestResult | None) -> None:
        task.settle(state, error, result)
        left = [(f.name, f.message) for f in task.snapshot().files if f.state in ("failed", "skipped")]
        task.journal.close(None if state == "done" and not left else state, error, left)

    # --- looking, and putting away

    def of(self, prototype: str) -> tuple[Job, ...]:
        """What goes on and what went on lately, newest first; what others were killed at as well."""
        with self._lock:
            tasks = list(self._tasks.values())
        found = {job.id: job for job in (task.snapshot() for task in tasks) if job.prototype == prototype}
        for path in sorted((self._folder / prototype).glob("*.jsonl")):
            if path.stem not in found and path.stem not in self._tasks:
                job = _left(path, prototype)
                if job is not None:
                    found[job.id] = job
        return tuple(sorted(found.values(), key=lambda job: -job.started))

    def get(self, prototype: str, job_id: str) -> Job:
        """Raises :class:`NotFound`."""
        for job in self.of(prototype):
            if job.id == job_id:
                return job
        raise NotFound("There is no such job any more. Reload the page.")

    def settings(self, prototype: str, job_id: str) -> dict[str, str]:
        """What a re-index was asked for."""
        task = self._tasks.get(job_id)
        if task is not None:
            return dict(task.settings)
        noted = Journal(self._folder / prototype / f"{job_id}.jsonl").read()
        return {} if noted is None else dict(noted.settings)

    def cancel(self, job_id: str) -> None:
        task = self._tasks.get(job_id)
        if task is not None:
            task.cancel()

    def dismiss(self, prototype: str, job_id: str) -> None:
        """Forget a job that has ended. Raises :class:`NotFound`."""
        if not self.get(prototype, job_id).active:
            with self._lock:
                self._tasks.pop(job_id, None)
            Journal(self._folder / prototype / f"{job_id}.jsonl").remove()

    def alive(self, prototype: str, job_id: str) -> bool:
        """Whether a process, this or another, is at that job."""
        return Journal(self._folder / prototype / f"{job_id}.jsonl").held

    def _forget_old(self, prototype: str) -> None:
        ended = [job for job in (t.snapshot() for t in self._tasks.values()) if not job.active]
        mine = sorted((job for job in ended if job.prototype == prototype), key=lambda job: -job.ended)
        for job in mine[_KEPT:]:
            self._tasks.pop(job.id, None)


def upload_title(names: Sequence[str]) -> str:
    """What an upload of these files is called: the file, or how many there are."""
    return names[0] if len(names) == 1 else f"{len(names):,} files"


def _left(path: Path, prototype: str) -> Job | None:
    """The job that another process left; None where it is still at it, or nothing is known."""
    journal = Journal(path)
    if journal.held:
        return None
    noted = journal.read()
    if noted is None:
        return None
    state: JobState = "interrupted" if noted.state is None else noted.state  # type: ignore[assignment]
    problems = dict(noted.left)
    files = _files(noted.files, problems, state)
    return Job(
        id=path.stem,
        prototype=prototype,
        kind=noted.kind,  # type: ignore[arg-type]
        title=upload_title([file.name for file in files]) if noted.kind == "upload" else noted.title,
        state=state,
        started=noted.started,
        ended=noted.ended,
        files=files,
        counts=dict(Counter(file.state for file in files)),
        error=noted.error,
    )


def _files(names: Iterable[str], problems: Mapping[str, str], state: JobState) -> tuple[JobFile, ...]:
    def one(name: str) -> JobFile:
        if state == "interrupted":
            return JobFile(name, "waiting", "It is stored, and may not be indexed yet.")
        return JobFile(name, "failed" if name in problems else "done", problems.get(name, ""))

    return tuple(one(name) for name in dict.fromkeys((*names, *problems)))
