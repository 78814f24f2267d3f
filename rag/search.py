"""A question to passages, under given settings: filters, ranking, re-ranking, widening, confidence.

This joins the stages of retrieval for one library; which library that is, and whether its
documents are there yet, :mod:`rag.engine` says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import reduce
from unicodedata import category

import numpy as np
from numpy.typing import NDArray

from rag import confidence
from rag.config import Settings
from rag.errors import IndexingError, ThumbprintError, UsageError
from rag.filters import Filter, combine, implies, parse, to_json
from rag.guess import Proposal, propose
from rag.keyword import terms
from rag.library import Library
from rag.prototypes import Prototype
from rag.rerankers import UNAVAILABLE, Rerankers
from rag.retrieve import Ranked, best_sections, breadth, fill_budget, rank, reorder
from rag.rewrite import standalone
from rag.shelf import Shelf
from rag.store import new_id
from rag.types import Embedder, Hit, Passage, Proposed, Turn, Where
from rag.weights import Calibration, Weights, in_force
from rag.words import content, has_content

MAX_QUESTION = 8_000
"""Characters. Far more than a question needs, and the models read 256 tokens of it."""

_HAND_WEIGHTS = (Settings().dense_weight, Settings().keyword_weight)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and all that says how it is searched; :meth:`rag.engine.Engine.search` explains it.

    ``settings`` are by default the prototype's, and ``id`` a new one.
    """

    text: str
    where: Where | None = None
    history: Sequence[Turn] = ()
    settings: Settings | None = None
    id: str | None = None
    propose: bool = False
    accepted: Sequence[Where] | None = None
    rewritten: str | None = None
    named: Sequence[Proposal] | None = None
    beside: Library | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """What retrieval found, and how sure it is that the documents answer the question."""

    id: str
    question: str
    rewritten: str
    passages: tuple[Passage, ...]
    confidence: float
    cosine: float
    """Of the best sentence and the question."""
    coverage: float
    """Share of the question's idf that the best section holds."""
    seconds: Mapping[str, float]
    where: Where | None
    index_version: str
    proposed: tuple[Proposed, ...] = ()
    """Filters that the question named and those given did not say already; see
    :meth:`rag.engine.Engine.search`."""
    notices: tuple[str, ...] = ()
    """``guess-dropped``: those filters would have left nothing, and the search went without;
    ``re-ranking was unavailable``: the passages stand in the fused order."""


class Searcher:
    """What searches the libraries of a shelf. Safe to share between threads.

    ``weights`` gives the learned weights under a ``fusion`` setting, None for the hand weights.
    """

    def __init__(self, shelf: Shelf, weights: Callable[[str], Weights | None] = in_force) -> None:
        self._shelf = shelf
        self._in_force = weights
        self._rerankers = Rerankers(shelf.environment)
        self._beside = ThreadPoolExecutor(32, thread_name_prefix="question")

    def proposals(
        self, name: str, question: str, *, now: float | None = None, settings: Settings | None = None
    ) -> list[Proposal]:
        """The filters that a question to a prototype names; ``now`` is by default the clock's.

        Only values of documents that ``filters.where`` of the settings lets through can be named.
        """
        prototype = self._shelf.prototype(name)
        vocabulary = self._shelf.catalogue(prototype, (settings or prototype.settings).where).vocabulary
        return propose(question, vocabulary, now=time.time() if now is None else now)

    def would_answer(self, found: Search, settings: Settings) -> bool:
        """Whether a question is answered from what was found, or "I don't know" is said."""
        least = confidence.threshold(settings.abstain, _calibration(self._weights(settings)))
        return bool(found.passages) and found.confidence >= least

    def search(self, prototype: Prototype, question: Question) -> Search:
        """Passages for a question. Where the index is swapped meanwhile, the new one is searched.

        Raises as :meth:`rag.engine.Engine.search` does.
        """
        library = self._shelf.library(prototype)
        if question.beside is not None:
            return self._search(prototype, question)
        try:
            found = self._search(prototype, question)
        except ThumbprintError:
            if self._shelf.library(prototype) is library:
                raise
        else:
            if self._shelf.library(prototype) is library:
                return found
        # Another index came in force meanwhile, and this one is gone.
        before, prototype = prototype.settings, self._shelf.prototype(prototype.name)
        now, settings = prototype.settings, question.settings
        if settings is not None and settings.embedding_model == before.embedding_model:
            settings = replace(
                settings, embedding_model=now.embedding_model, section_tokens=now.section_tokens
            )
        return self._search(prototype, replace(question, settings=settings))

    def _search(self, prototype: Prototype, question: Question) -> Search:
        started = time.perf_counter()
        question = replace(question, text=cleaned(question.text))
        history = [Turn(_printable(turn.question), _printable(turn.text)) for turn in question.history]
        settings = question.settings or prototype.settings
        if question.beside is None and settings.embedding_model != prototype.settings.embedding_model:
            raise UsageError(
                f"“{prototype.name}” was indexed with {prototype.settings.embedding_model}, and a question "
                "must be embedded by the same model. Set embedding.model in its prototype.toml and ingest "
                "again."
            )
        given = combine(parse(settings.where), parse(question.where))
        rewritten = question.rewritten
        if rewritten is None:
            rewritten = question.text if settings.rewrite == "off" else standalone(question.text, history)
        library = question.beside or self._shelf.library(prototype)
        library.refresh()
        model = self._shelf.embedder(settings.embedding)
        embedding_since = time.perf_counter()
        # The model runs beside the keyword search, which does not wait for it.
        embedding = self._beside.submit(model.embed_query, rewritten)
        weights = self._weights(settings)
        narrowing = self._narrowing(prototype.name, question, settings, given)
        by_words = library.keywords.search(rewritten, breadth(settings), narrowing.holding)
        run = _Run(rewritten, embedding.result(), settings, weights, library, model)
        ranking_since = time.perf_counter()
        ranked = run.rank(narrowing.holding, by_words)
        dropped = narrowing.guessed and not ranked
        if dropped:
            narrowing = replace(narrowing, holding=given)
            ranked = run.rank(given)
        if not ranked and library.index.count() == 0:
            raise IndexingError(
                f"There are no documents in “{prototype.name}” yet. Add some: python -m rag ingest PATH "
                f"--prototype {prototype.name}"
            )
        widening_since = time.perf_counter()
        widened = self._widened(run, ranked)
        cosine = covered = sure = 0.0
        if ranked and widened.passages:
            # Fused signals, whatever re-ranks: scores of another scorer have other thresholds.
            first = (widened.candidates or widened.passages)[0]
            covered = topic_covered(rewritten, first, library, narrowing.known(question.text))
            cosine = ranked[0].cosine
            sure = confidence.confidence(cosine, covered, _calibration(weights))
        now = time.perf_counter()
        return Search(
            id=question.id or new_id(),
            question=question.text,
            rewritten=rewritten,
            passages=tuple(widened.passages),
            confidence=sure,
            cosine=cosine,
            coverage=covered,
            seconds={
                "embed": ranking_since - embedding_since,
                "retrieve": widening_since - ranking_since,
                "widen": now - widening_since - widened.seconds.get("rerank", 0.0),
                **widened.seconds,
                "total": now - started,
            },
            where=to_json(narrowing.holding) or None,
            index_version=library.index.facts(seen=True).get("index_version", ""),
            proposed=narrowing.proposed(),
            notices=(
                *(("guess-dropped",) if dropped and ranked else ()),
                *((UNAVAILABLE,) if widened.unavailable else ()),
            ),
        )

    def _weights(self, settings: Settings) -> Weights | None:
        """The learned weights; None for the hand weights, which a person who sets them wants used."""
        by_hand = (settings.dense_weight, settings.keyword_weight) != _HAND_WEIGHTS
        return self._in_force("hand" if settings.fusion == "auto" and by_hand else settings.fusion)

    def _narrowing(
        self, name: str, question: Question, settings: Settings, given: Filter | None
    ) -> _Narrowing:
        guess = settings.filters_guess == "on" and question.accepted is None
        named = question.named
        if named is None:
            wanted = guess or question.propose or question.accepted
            named = self.proposals(name, question.text, settings=settings) if wanted else []
        offered = [proposal for proposal in named if not implies(given, parse(proposal.where))]
        chosen = [proposal.where for proposal in offered] if guess else question.accepted or ()
        added = [filter for filter in map(parse, chosen) if not implies(given, filter)]
        return _Narrowing(reduce(combine, added, given), named, offered, guessed=guess and bool(added))

    def _widened(self, run: _Run, ranked: Sequence[Ranked]) -> _Widened:
        """Re-rank where the settings say so, and widen to sections or to what the budget holds."""
        settings, model = run.settings, run.model
        candidates: list[Passage] = []
        reranked: list[Passage] | None = None
        seconds: dict[str, float] = {}
        if settings.rerank != "none" and ranked:
            candidates = run.sections(ranked, max(settings.k, settings.rerank_candidates))
            begun = time.perf_counter()
            late = run.weights.late if run.weights else None
            reranked = self._rerankers.rerank(
                run.rewritten, candidates, settings, model, run.library.keywords, late or None
            )
            seconds["rerank"] = time.perf_counter() - begun
        if settings.budget:
            order = ranked if reranked is None else reorder(ranked, reranked)
            passages = fill_budget(order, model.count_tokens, settings.budget, model.token_offsets)
            if reranked:
                passages = [replace(p, scorer=reranked[0].scorer) for p in passages]
        else:
            passages = run.sections(ranked, settings.k) if reranked is None else reranked[: settings.k]
        return _Widened(passages, candidates, seconds, unavailable=bool(seconds) and reranked is None)


@dataclass(frozen=True, slots=True)
class _Run:
    """One question, embedded, with what it is searched in and how."""

    rewritten: str
    vector: NDArray[np.float32]
    settings: Settings
    weights: Weights | None
    library: Library
    model: Embedder

    def rank(self, filters: Filter | None, by_words: Sequence[Hit] | None = None) -> list[Ranked]:
        """Sentences, best first; ``by_words`` is what the keyword search has found already."""
        return rank(
            self.rewritten,
            self.vector,
            self.library.chunks,
            self.library.keywords,
            self.settings,
            filters,
            self.weights.signals if self.weights else None,
            by_words,
        )

    def sections(self, ranked: Sequence[Ranked], k: int) -> list[Passage]:
        """The best windows of ``k`` sections."""
        return best_sections(
            self.rewritten,
            self.vector,
            ranked,
            self.library.chunks,
            self.library.keywords,
            self.model.count_tokens,
            replace(self.settings, k=k),
            learned=self.weights is not None,
        )


@dataclass(frozen=True, slots=True)
class _Narrowing:
    """The filters that hold, and those that the question names: all, and what those given leave to say.

    ``guessed`` tells that some hold because the question names them, and not because anybody said so.
    """

    holding: Filter | None
    named: Sequence[Proposal]
    offered: Sequence[Proposal]
    guessed: bool

    def proposed(self) -> tuple[Proposed, ...]:
        return tuple(Proposed(p.label, p.where, implies(self.holding, parse(p.where))) for p in self.offered)

    def known(self, question: str) -> list[str]:
        """Terms of the question that the filters say: every document found holds them."""
        applied = [p for p in self.named if implies(self.holding, parse(p.where))]
        return [term for p in applied for term in terms(question[p.start : p.end] or p.label)]


@dataclass(frozen=True, slots=True)
class _Widened:
    """Passages, best first, and the ``candidates`` in fused order where they were to be re-ranked."""

    passages: Sequence[Passage]
    candidates: Sequence[Passage]
    seconds: Mapping[str, float]
    unavailable: bool


def topic_covered(topic: str, first: Passage, library: Library, known: Iterable[str] = ()) -> float:
    """Share of the idf of the topic's content words that the passage's section holds; 0 without any.

    ``known`` are terms that count as held.
    """
    if not has_content(topic):
        return 0.0
    words = {*terms(" ".join((first.title, *first.path, first.context or first.text))), *known}
    asked = terms(content(topic))
    return confidence.coverage(asked, library.keywords.idf(asked), words)


def cleaned(question: str) -> str:
    """The question without control characters; raises :class:`UsageError` if it is none."""
    plain = _printable(question)
    if not any(c.isprintable() and not c.isspace() for c in plain):
        raise UsageError("The question is empty. Write one.")
    if len(plain) > MAX_QUESTION:
        raise UsageError(
            f"The question has {len(plain):,} characters, and the limit is {MAX_QUESTION:,}. Shorten it."
        )
    return plain


def _printable(text: str) -> str:
    """The text with control characters, and what is no Unicode, as spaces."""
    return "".join(" " if category(c) in ("Cc", "Cs") and c not in "\n\t" else c for c in text).strip()


def _calibration(weights: Weights | None) -> Calibration:
    return weights.calibration if weights else confidence.HAND
