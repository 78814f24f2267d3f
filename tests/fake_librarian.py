"""``rag.librarian.Librarian`` over documents in memory, with jobs that take their time."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, BinaryIO

from rag.doctor import Check
from rag.errors import NotFound, UsageError
from rag.filters import matches, parse
from rag.jobs import Job, JobFile, JobState
from rag.librarian import DocumentPage, DocumentRow, DocumentView, SectionView, Status
from rag.types import DocumentRecord, IngestProgress, Metadata, MetaValue, SourceFile, Where

_GRAPES = ("Touriga Nacional", "Tempranillo", "Riesling", "Gamay", "Syrah", "Chenin Blanc")
_PLACES = (("Portugal", "Douro"), ("Spain", "Priorat"), ("Germany", "Mosel"), ("France", "Loire"))
_FAILS = "bad"
"""A file with this in its name fails, until it is tried again."""


def cellar(count: int) -> list[DocumentRow]:
    """So many wines: ``Quinta 001 ...``, a third of them from each country in turn."""
    rows = []
    for n in range(count):
        country, region = _PLACES[n % len(_PLACES)]
        metadata: Metadata = {
            "country": country,
            "price": 8 + n % 40,
            "pairs_with": ("lamb", "stew"),
            "added": 86_400 * (20_000 + n),
            "region": region,
            "organic": n % 3 == 0,
            "type": "csv",
        }
        title = f"Quinta {n + 1:03} {_GRAPES[n % len(_GRAPES)]} {2010 + n % 12}"
        rows.append(DocumentRow(f"w{n + 1:03}", title, "wines.csv", "csv", metadata, 4, 1, False))
    return rows


class FakeLibrarian:
    """What it does with a file is in the file's name: ``bad`` fails once.

    ``delay`` seconds go by for each file; ``hold`` keeps jobs from ending until it is set.
    """

    def __init__(self, name: str, rows: Iterable[DocumentRow] = (), delay: float = 0.0) -> None:
        self.name, self.delay = name, delay
        self.rows = {row.id: row for row in rows}
        self.original = dict(self.rows)
        self.texts: dict[str, str] = {}
        self.uploaded: list[tuple[str, int]] = []
        self.mended = 0
        self.reindexed: list[dict[str, str]] = []
        self.hold = threading.Event()
        self.hold.set()
        self.checks = (
            Check("python", True, "Python 3.11.9; 3.11 or newer is needed."),
            Check("indexes", True, "0 chunks are missing."),
        )
        self._jobs: dict[str, Job] = {}
        self._cancelled: set[str] = set()
        self._lock = threading.Lock()

    # --- documents -------------------------------------------------------------

    def documents(
        self,
        *,
        query: str = "",
        where: Where | None = None,
        sort: str = "title",
        descending: bool = False,
        offset: int = 0,
        limit: int = 25,
    ) -> DocumentPage:
        words = query.casefold().split()
        found = [
            row
            for row in self.rows.values()
            if all(word in f"{row.title} {row.source} {row.metadata}".casefold() for word in words)
            and matches(parse(where), row.metadata)
        ]
        found.sort(key=lambda row: (getattr(row, sort), row.title), reverse=descending)
        return DocumentPage(len(found), offset, tuple(found[offset : offset + limit]))

    def document(self, document_id: str) -> DocumentView:
        row = self._row(document_id)
        text = (
            self.texts.get(document_id)
            or f"{row.title}. A wine for lamb. Keep it five years.\n\nDrink slowly."
        )
        sections, chunks = _cut(text)
        edited = {k for k, v in row.metadata.items() if self.original[document_id].metadata.get(k) != v}
        if row.title != self.original[document_id].title:
            edited.add("title")
        record = DocumentRecord(
            id=row.id,
            files=(SourceFile(row.source, "5e77"),),
            content_hash="5e77",
            title=row.title,
            metadata=row.metadata,
            chunks=len(chunks),
            sections=len(sections),
        )
        return DocumentView(record, text, sections, chunks, frozenset(edited))

    def edit(
        self, document_id: str, *, title: str | None = None, metadata: Mapping[str, MetaValue | None]
    ) -> DocumentRecord:
        row = self._row(document_id)
        if "forbidden" in metadata:
            raise UsageError("“forbidden” cannot name a fact. Choose another name.")
        kept = {k: v for k, v in {**row.metadata, **metadata}.items() if v is not None}
        self.rows[document_id] = replace(row, title=title or row.title, metadata=kept, edited=True)
        return self.document(document_id).record

    def revert(self, document_id: str) -> DocumentRecord:
        self.rows[document_id] = self.original[document_id]
        return self.document(document_id).record

    def delete(self, document_ids: Sequence[str]) -> int:
        return sum(self.rows.pop(i, None) is not None for i in document_ids)

    def _row(self, document_id: str) -> DocumentRow:
        if document_id not in self.rows:
            raise NotFound(f"There is no document “{document_id}” in “{self.name}”.")
        return self.rows[document_id]

    # --- jobs --------------------------------------------------------------------

    def upload(self, files: Iterable[tuple[str, bytes | BinaryIO]]) -> Job:
        named = [(n, c if isinstance(c, bytes) else c.read()) for n, c in files]
        self.uploaded += [(name, len(content)) for name, content in named]
        contents = dict(named)
        return self._begin("upload", f"{len(named)} files", [name for name, _ in named], contents)

    def retry(self, job_id: str) -> Job:
        again = [f.name for f in self._jobs[job_id].files if f.state == "failed"]
        self.dismiss(job_id)
        contents = {name.replace(_FAILS, "mended"): b"Mended." for name in again}
        return self._begin("upload", f"{len(again)} files", list(contents), contents)

    def reindex(self, settings: Mapping[str, str]) -> Job:
        self.reindexed.append(dict(settings))
        return self._begin("reindex", "Re-index: fake, sections of 100", [], {})

    def mend(self) -> Job:
        self.mended += 1
        return self._begin("mend", "Check and mend", [], {})

    def jobs(self) -> tuple[Job, ...]:
        with self._lock:
            return tuple(reversed(self._jobs.values()))

    def cancel(self, job_id: str) -> None:
        self._cancelled.add(job_id)

    def dismiss(self, job_id: str) -> None:
        with self._lock:
            self._jobs.pop(job_id, None)

    def put(self, job: Job) -> None:
        """Have a job as it is, for tests."""
        with self._lock:
            self._jobs[job.id] = job

    def status(self, *, checks: bool = True) -> Status:
        rows = self.rows.values()
        return Status(
            documents=len(rows),
            sections=sum(row.sections for row in rows),
            chunks=sum(row.chunks for row in rows),
            disk={"vectors": 1_500_000, "keywords": 250_000, "uploads": 0},
            index_version="1d3a5e77",
            embedding_model="fake",
            section_tokens=200,
            checks=self.checks if checks else (),
            outdated=False,
        )

    def _begin(self, kind: Any, title: str, names: list[str], contents: Mapping[str, bytes]) -> Job:
        with self._lock:
            job_id = f"{self.name}-{len(self._jobs) + 1}-{time.monotonic_ns()}"
        files = tuple(JobFile(name) for name in names)
        job = Job(job_id, self.name, kind, title, "running", time.time(), files=files)
        self.put(replace(job, counts=Counter(f.state for f in files)))
        threading.Thread(target=self._run, args=(job, contents), daemon=True).start()
        return self._jobs[job_id]

    def _run(self, job: Job, contents: Mapping[str, bytes]) -> None:
        files = list(job.files)
        state: JobState = "done"
        for n, file in enumerate(files):
            if job.id in self._cancelled:
                state = "cancelled"
                break
            self._show(job, files, n)
            time.sleep(self.delay)
            files[n] = self._read(file, contents[file.name])
        self.hold.wait(60)
        counts = Counter(f.state for f in files)
        self.put(replace(job, state=state, ended=time.time(), files=tuple(files), counts=counts))

    def _show(self, job: Job, files: list[JobFile], n: int) -> None:
        files[n] = replace(files[n], state="running")
        share, left = n / len(files), (len(files) - n) * self.delay
        progress = IngestProgress("reading", n, len(files), 4 * n, 0.1 * n, left, files[n].name, share)
        counts = Counter(f.state for f in files)
        self.put(replace(job, progress=progress, files=tuple(files), counts=counts))

    def _read(self, file: JobFile, content: bytes) -> JobFile:
        if _FAILS in file.name:
            return replace(file, state="failed", message="The file is damaged. Save it anew and try again.")
        if file.name.endswith(".exe"):
            return replace(file, state="skipped", message="No reader handles this type of file.")
        text = content.decode("utf-8", "replace")
        sections, chunks = _cut(text)
        row = DocumentRow(
            file.name, file.name, file.name, "text", {"type": "text"}, len(chunks), len(sections), False
        )
        self.rows[row.id] = self.original[row.id] = row
        self.texts[row.id] = text
        return replace(file, state="done", documents=1)


def _cut(text: str) -> tuple[tuple[SectionView, ...], tuple[tuple[int, int], ...]]:
    """A section a paragraph, a chunk a sentence."""
    sections = [
        SectionView(m.start(), m.end(), ("Notes", f"Part {n}"), None, "prose")
        for n, m in enumerate(re.finditer(r"\S(?:.|\n(?!\n))*", text), 1)
    ]
    chunks = [
        (s.start + m.start(), s.start + m.end())
        for s in sections
        for m in re.finditer(r"\S[^.!?]*[.!?]*", text[s.start : s.end])
    ]
    return tuple(sections), tuple(chunks)
