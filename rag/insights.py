"""What the feedback page shows and nobody should wait for: topics, and where answers went wrong.

Both are computed in the background or by a command, kept in the store, and completed when
something new has come. One :class:`Insights` serves a process. Two processes that do the same work
at once write the same rows.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag.config import Settings, with_settings
from rag.engine import Engine
from rag.errors import IndexingError, PrototypeError, ThumbprintError, UsageError
from rag.search import Search
from rag.store import Query, Selection
from rag.topics import nearest, topics
from rag.triage import DEEP, RULES, Found, triage
from rag.types import Answer, Embedder, Feedback, Finding, Vectors

log = logging.getLogger(__name__)

AGAIN = 60.0
"""Seconds after a failure before the work is begun anew by itself."""
_FEW = 20
"""Thumbs down that are read from the store at a time; their records are several kilobytes each."""
_QUESTIONS = 2_000
"""Questions that are given their topics at a time."""
_BATCH = 32
"""Questions that are embedded at a time, between two reports."""
_RETRIEVAL = (
    "fusion",
    "retrieval.dense_weight",
    "retrieval.keyword_weight",
    "retrieval.candidates",
    "retrieval.passage_tokens",
)
"""Settings of the answer that the deeper search keeps."""

Report = Callable[[str, int, int], None]
"""Takes what is being done, how many are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Work:
    """Where the background work stands."""

    running: bool = False
    what: str = ""
    done: int = 0
    total: int = 0
    error: str | None = None
    """A sentence: why the last work ended early."""


class Insights:
    """Topics and triage over one engine. Safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._work = Work()
        self._failed = -AGAIN

    # --- in the background

    @property
    def work(self) -> Work:
        """What goes on."""
        with self._lock:
            return self._work

    def catch_up(self) -> Work:
        """Look at what came since the last time, in the background; returns at once.

        Where nothing waits, nothing is loaded; after a failure it is left alone for a while.
        """
        store = self._engine.store
        if self.work.running or time.monotonic() < self._failed + AGAIN:
            return self.work
        if store.findings.waiting(RULES) or self._assignable():
            self._begin(self._complete)
        return self.work

    def regroup(self, prototypes: Sequence[str]) -> Work:
        """Compute the topics of these prototypes anew, in the background; returns at once."""

        def work(report: Report) -> None:
            for name in prototypes:
                self.group(name, report)

        self._begin(work)
        return self.work

    def _begin(self, work: Callable[[Report], None]) -> None:
        with self._lock:
            if self._work.running:
                return
            self._work = Work(running=True, what="Beginning")
        threading.Thread(target=self._run, args=(work,), name="insights", daemon=True).start()

    def _run(self, work: Callable[[Report], None]) -> None:
        def report(what: str, done: int, total: int) -> None:
            with self._lock:
                self._work = Work(True, what, done, total)

        error = None
        try:
            work(report)
        except ThumbprintError as problem:
            error = str(problem)
        except Exception:
            log.exception("The work behind the feedback page failed.")
            error = "The work behind this page failed; the log says why. It is tried again in a minute."
        with self._lock:
            self._failed = time.monotonic() if error else -AGAIN
            self._work = Work(error=error)

    def _complete(self, report: Report) -> None:
        for name in self._assignable():
            self.assign(name, report)
        self.triage(report)

    # --- topics

    def _assignable(self) -> list[str]:
        """Prototypes with topics, and with questions that have not been given one."""
        waiting = self._engine.store.topics.waiting()
        if not waiting:
            return []
        known = {prototype.name: prototype for prototype in self._engine.prototypes()[0]}
        model = {topic.prototype: topic.model for topic in self._engine.store.topics.all()}
        # Vectors of another model than the one in use say nothing of nearness.
        return [
            name for name in waiting if name in known and known[name].settings.embedding_model == model[name]
        ]

    def group(self, name: str, report: Report) -> int:
        """Compute the topics of a prototype anew and give its answers theirs; how many topics there are.

        Raises PrototypeError where there is none of that name.
        """
        store = self._engine.store
        settings = self._engine.prototype(name).settings
        asked = [question for _, question in store.topics.questions(name)]
        report(f"Reading the questions to {name}", 0, 0)
        model: Embedder | None = None

        def embed(questions: Sequence[str]) -> Vectors:
            nonlocal model
            model = self._engine.embedder(settings.embedding)
            return _embed(model, questions, lambda n, of: report(f"Grouping the questions to {name}", n, of))

        made = topics(asked, embed)
        store.topics.replace(
            name, settings.embedding_model, [(each.name, each.centre, each.least) for each in made]
        )
        if made:
            self.assign(name, report)
        return len(made)

    def assign(self, name: str, report: Report) -> int:
        """Give answers that have none their topic; how many there were."""
        store = self._engine.store
        known = store.topics.all(name)
        if not known:
            return 0
        centres, least = np.stack([topic.centre for topic in known]), [topic.least for topic in known]
        model = self._engine.embedder(self._engine.prototype(name).settings.embedding)
        total = store.topics.waiting().get(name, 0)
        after = done = 0
        seen: dict[str, int] = {}
        while asked := store.topics.questions(name, assigned=False, after=after, limit=_QUESTIONS):
            new = list(dict.fromkeys(question for _, question in asked if question not in seen))
            if new:
                vectors = _embed(model, new, lambda n, of: report(f"Topics of {name}", n, of))
                for question, at in zip(new, nearest(vectors, centres, least), strict=True):
                    seen[question] = known[at].id if at >= 0 else 0
            store.topics.assign({n: seen[question] for n, question in asked})
            after, done = asked[-1][0], done + len(asked)
            report(f"Topics of {name}", done, total)
        return done

    def topics(self, name: str) -> list[tuple[str, int]]:
        """The topics of a prototype and how many answers each has, the largest first."""
        store = self._engine.store
        counted = store.digest.breakdown(Query(Selection(prototype=name)), "topic", 7 * 86_400).groups
        named = [
            (topic.name, counted[topic.id].answers) for topic in store.topics.all(name) if topic.id in counted
        ]
        return sorted(named, key=lambda one: (-one[1], one[0]))

    # --- triage

    def triage(self, report: Report) -> int:
        """Look at the thumbs down that wait; how many there were."""
        store = self._engine.store
        total = store.findings.waiting(RULES)
        after = done = 0
        while some := store.findings.next(RULES, _FEW, after):
            for n, answer, feedback in some:
                report("Thumbs down", done, total)
                store.findings.put(self._find(answer, feedback), feedback.revision, RULES)
                after, done = n, done + 1
        return done

    def _find(self, answer: Answer, feedback: Feedback) -> Finding:
        try:
            return triage(answer, feedback, _Library(self._engine, answer))
        except PrototypeError:
            name = answer.provenance.prototype
            why = f"The prototype “{name}” does not load, so that its documents could not be searched."
            return Finding(answer.id, None, "guess", why)


class _Library:
    """The library of an answer, as :class:`rag.triage.Look` wants it."""

    def __init__(self, engine: Engine, answer: Answer) -> None:
        self._engine = engine
        self._answer = answer
        self._name = answer.provenance.prototype
        self._prototype = engine.ready(self._name)
        self._settings = self._deep(engine, answer)
        self._judge = engine.judge(self._name)

    def _deep(self, engine: Engine, answer: Answer) -> Settings:
        """The answer's settings of retrieval where they are known, else those of today; and k."""
        recorded = engine.store.settings(answer.provenance.settings)
        kept = {key: recorded[key] for key in _RETRIEVAL if key in recorded}
        settings = replace(self._prototype.settings, k=DEEP, budget=0, rerank="none")
        try:
            return with_settings(settings, kept)
        except UsageError:  # written by another version
            return settings

    def search(self, question: str, *, own: bool, filtered: bool = True, late: bool = False) -> Found:
        settings = self._settings
        if late:
            settings = replace(settings, rerank="late", rerank_candidates=DEEP)
        try:
            found = self._engine.search(
                self._name,
                question,
                where=self._answer.where if filtered else None,
                settings=settings,
                accepted=(),
                rewritten=self._answer.rewritten if own else question,
            )
        except (UsageError, IndexingError):  # no words to search with, or nothing to search in
            return Found((), False)
        if late and found.passages and found.passages[0].scorer != "late":
            return Found((), False)
        return Found(found.passages, self._sure(found))

    def _sure(self, found: Search) -> bool:
        return self._engine.would_answer(found, self._settings)

    def supports(self, source: str, claim: str) -> bool:
        return self._judge(claim, source).verdict != "unsupported"

    def holds(self, document_id: str) -> bool:
        return document_id in self._engine.records(self._prototype)


def _embed(model: Embedder, texts: Sequence[str], report: Callable[[int, int], None]) -> Vectors:
    parts = []
    for start in range(0, len(texts), _BATCH):
        parts.append(model.embed_texts(texts[start : start + _BATCH]))
        report(min(start + _BATCH, len(texts)), len(texts))
    return np.concatenate(parts)
