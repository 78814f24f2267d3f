"""The wiring: prototypes, their libraries and the model, behind ingest() and ask().

Nothing heavy happens in the constructor or on import: a model loads and a library opens
when the first call needs them. One engine serves all threads of a process.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from pathlib import Path
from typing import cast
from unicodedata import category

import numpy as np

from rag import confidence
from rag.answering import BUDGET_SPENT, DONT_KNOW, billing, by_model, checked, most, or_quoted
from rag.beside import Besides
from rag.catalogue import Catalogue
from rag.chunk import Chunking
from rag.cite import Judgement, judge
from rag.cite.stream import Judge
from rag.config import Embedding, Environment, Settings
from rag.delivery import Delivery
from rag.errors import IndexingError, ThumbprintError, UsageError
from rag.facets import FacetValues, count_matching, facet_values
from rag.filters import combine, implies, parse, to_json
from rag.generators.choose import ModelGenerator, choose
from rag.generators.extractive import ExtractiveGenerator
from rag.guess import Proposal, propose
from rag.guess.inferred import infer
from rag.ingest import IngestOptions, Progress
from rag.jobs import Jobs
from rag.keyword import terms
from rag.librarian import Librarian
from rag.library import Library, totals
from rag.limits import Allowance, Purse, Spending
from rag.live import wish
from rag.meanwhile import Meanwhile
from rag.opinion import MOST_ASKED, seconded
from rag.originals import Originals
from rag.pageimage import PageImage, draw_page
from rag.prepare import Preparation
from rag.prototypes import Prototype, create_prototype, list_names, list_prototypes
from rag.rebuild import index_wish, rebuild
from rag.rerankers import UNAVAILABLE, Rerankers
from rag.response import Bill, Response
from rag.retrieve import best_sections, breadth, fill_budget, rank, reorder
from rag.rewrite import standalone
from rag.shelf import Shelf
from rag.store import Store, new_id
from rag.types import (
    Answer,
    DocumentRecord,
    Draft,
    Embedder,
    Generator,
    IngestResult,
    Origin,
    Passage,
    Proposed,
    Provenance,
    TokenVectors,
    Turn,
    Where,
)
from rag.versions import VERSION
from rag.weights import Calibration, Weights, in_force
from rag.words import content, has_content

MAX_QUESTION = 8_000
"""Characters. Far more than a question needs, and the models read 256 tokens of it."""

_HAND_WEIGHTS = (Settings().dense_weight, Settings().keyword_weight)

NO_DOCUMENT = "No document matches the filters. Drop one of them and ask again."


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
    """Filters that the question named and those given did not say already; see :meth:`Engine.search`."""
    notices: tuple[str, ...] = ()
    """``guess-dropped``: those filters would have left nothing, and the search went without;
    ``re-ranking was unavailable``: the passages stand in the fused order."""


class Engine:
    """Everything that the pages and the command line call.

    Raises :class:`rag.errors.ThumbprintError` and nothing else that a person could mend.
    """

    def __init__(
        self,
        environment: Environment | None = None,
        load_model: Callable[[str], Embedder] | None = None,
        weights: Callable[[str], Weights | None] = in_force,
    ) -> None:
        """``load_model`` gives the embedder of a name; by default :func:`rag.embed.load_embedder` does.

        ``weights`` gives the learned weights under a ``fusion`` setting, None for the hand weights.
        """
        self._in_force = weights
        self.environment = environment or Environment.load()
        self.shelf = Shelf(self.environment, load_model)
        self._besides = Besides(self.shelf)
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._rerankers = Rerankers(self.environment)
        self._beside = ThreadPoolExecutor(32, thread_name_prefix="question")
        self._preparations: dict[str, Preparation] = {}
        self._shipped: set[str] = set()
        """Prototypes whose own documents are known to be in their library."""
        self._delivery = Delivery(lambda: self.store, self.environment)
        self._jobs = Jobs(self.environment.home / "jobs")
        self.purse = Purse(lambda: self.store, self.environment.limits)

    @property
    def store(self) -> Store:
        """Answers, feedback and conversations."""
        with self._lock:
            if self._store is None:
                self._store = Store(self.shelf.home() / "thumbprint.sqlite3")
            return self._store

    @property
    def delivery(self) -> Delivery:
        """What delivers to Supabase; a server starts it, and a command calls it."""
        return self._delivery

    # --- prototypes ------------------------------------------------------------

    def prototypes(self) -> tuple[list[Prototype], list[str]]:
        """The prototypes that load, and a sentence for each that does not."""
        return list_prototypes(self.environment.home, self.environment.overrides)

    def prototype(self, name: str) -> Prototype:
        """The prototype with the settings that its index was built with.

        Raises :class:`PrototypeError` where there is none of that name.
        """
        return self.shelf.prototype(name)

    def prepare(self, name: str) -> Preparation:
        """Load the model and ingest a ready-made prototype in the background; returns at once.

        One thread a prototype; a preparation that failed is started again.
        """
        with self._lock:
            found = self._preparations.get(name)
            if found is None or found.error is not None:
                found = Preparation(lambda progress: self._warm(name, progress))
                self._preparations[name] = found
                found.start()
            return found

    def ready(self, name: str, progress: Progress | None = None) -> Prototype:
        """The prototype, its own documents ingested if they were not or have changed."""
        prototype = self.prototype(name)
        if prototype.documents and name not in self._shipped:
            shipped = _fingerprint(prototype)
            if self.library(prototype).index.facts().get("shipped") != shipped:
                how = IngestOptions(progress=progress, asked=False)
                result = self.shelf.ingest(prototype, prototype.document_paths, how=how)
                library = self.library(prototype)
                if not result.failed:  # else the next process tries what failed again
                    with library.writing():
                        library.index.set_facts(shipped=shipped)
                        library.settle()
            self._shipped.add(name)
        return prototype

    def _warm(self, name: str, progress: Progress) -> None:
        prototype = self.prototype(name)
        self.embedder(prototype.settings.embedding)
        self.ready(name, progress)
        with suppress(UsageError):  # it is said when a question is asked
            generator = choose(prototype.settings, self.environment, prototype.folder)
            if not isinstance(generator, ExtractiveGenerator):
                generator.warm()
        if self.records(prototype):
            self.search(name, "warm up", prepared=True)

    def library(self, prototype: Prototype) -> Library:
        """The prototype's pair of indexes, opened once."""
        return self.shelf.library(prototype)

    def beside(self, name: str, settings: Settings, progress: Progress | None = None) -> Library | None:
        """The index for settings that cut or embed the documents another way; see :mod:`rag.beside`.

        None where they ask for the index in force. Built, or brought up to date, if need be.
        """
        self.ready(name, progress)
        return self._besides.library(name, settings, progress)

    def embedder(self, wanted: Embedding | str) -> Embedder:
        """The embedding model of some settings, or of a name; loaded on the first call."""
        return self.shelf.embedder(wanted)

    def librarian(self, name: str) -> Librarian:
        """The upkeep of a prototype's documents. Raises :class:`PrototypeError`."""
        return Librarian(self, self.shelf, self._jobs, self.prototype(name).name)

    # --- documents ---------------------------------------------------------------

    def ingest(
        self, name: str, paths: Sequence[Path], *, prune: bool = False, progress: Progress | None = None
    ) -> IngestResult:
        """Ingest files and folders into a prototype, which is made if there is none of that name.

        Where its settings ask for another index than the one there is, that is built first.
        """
        home = self.environment.home
        if name not in list_names(home):
            create_prototype(name, home)
        prototype = self.prototype(name)
        if self.shelf.outdated(name):
            rebuild(self.shelf, name, *wish(self.shelf.wanted(name).settings), progress=progress)
        return self.shelf.ingest(prototype, paths, prune=prune, how=IngestOptions(progress=progress))

    def reindex(
        self, name: str, settings: Mapping[str, str], *, progress: Progress | None = None
    ) -> IngestResult:
        """Build the index anew, and wait for it; see :meth:`rag.librarian.Librarian.reindex`."""
        model, tokens = index_wish(self.shelf.wanted(name), settings)
        return rebuild(self.shelf, name, model, tokens, progress=progress)

    def records(self, prototype: Prototype) -> Mapping[str, DocumentRecord]:
        """The records of all documents, kept until the library changes."""
        return self.catalogue(prototype).records

    def catalogue(self, prototype: Prototype) -> Catalogue:
        """What the metadata of all documents says, kept until the library or the prototype changes."""
        return self.shelf.catalogue(prototype)

    def delete_document(self, name: str, document_id: str) -> None:
        """Raises :class:`NotFound` where the prototype has no such document."""
        self.librarian(name).delete([document_id])

    def facets(self, name: str, where: Where | None = None) -> list[FacetValues]:
        """The facets with their values, counted under the filters of the others.

        They are the declared ones; where a prototype declares none, they are guessed
        (:func:`rag.facets.guess_facets`).
        """
        catalogue = self.catalogue(self.prototype(name))
        return facet_values(catalogue.facets, catalogue.table, where)

    def proposals(self, name: str, question: str, *, now: float | None = None) -> list[Proposal]:
        """The filters that a question names (:func:`rag.guess.propose`); nothing is applied.

        ``now`` is Unix seconds, by default those of the clock.
        """
        vocabulary = self.catalogue(self.prototype(name)).vocabulary
        return propose(question, vocabulary, now=time.time() if now is None else now)

    def page_image(self, name: str, source: str, page: int, sentence: str) -> PageImage | None:
        """A page of a PDF with a sentence marked; None where the file is not there, or not a PDF any more.

        Raises :class:`ReadError` where the page cannot be drawn.
        """
        prototype = self.prototype(name)
        path = Originals(self.environment.home, name).find(source, prototype.document_paths)
        if path is None or path.suffix.casefold() != ".pdf":
            return None
        return _page_image(path, path.stat().st_mtime_ns, page, sentence)

    def matching(self, name: str, where: Where | None) -> tuple[int, int]:
        """How many documents match a filter, and how many there are."""
        table = self.catalogue(self.prototype(name)).table
        return count_matching(table, where), len(table)

    def totals(self, name: str) -> tuple[int, int, int]:
        """Documents, sections and chunks of a prototype."""
        return totals(self.records(self.prototype(name)).values())

    def index_version(self, name: str, *, ready: bool = True) -> str:
        """The version of the index that answers now; empty where there is none.

        ``ready``: a ready-made prototype's own documents are ingested first, if they were not.
        Raises :class:`PrototypeError`.
        """
        prototype = self.ready(name) if ready else self.prototype(name)
        return str(self.library(prototype).index.facts().get("index_version", ""))

    # --- ask ---------------------------------------------------------------------

    def search(
        self,
        name: str,
        question: str,
        *,
        where: Where | None = None,
        history: Sequence[Turn] = (),
        settings: Settings | None = None,
        question_id: str | None = None,
        prepared: bool = False,
        propose: bool = False,
        accepted: Sequence[Where] | None = None,
        rewritten: str | None = None,
        named: Sequence[Proposal] | None = None,
        beside: Library | None = None,
    ) -> Search:
        """Passages for a question, best first; none where the filters leave no document.

        With ``filters.guess=on`` the filters that the question names hold as well, unless they
        leave no document. ``accepted`` says instead which of them hold, whatever they leave.
        ``propose`` finds what the question names even where nothing of it is to hold: the
        words for it then count as covered as far as the filters given say the same.

        ``rewritten`` is what to search with; by default a follow-up is made to stand alone by rule.
        ``named`` are the filters that the question names; by default :meth:`proposals` finds them.
        ``beside`` is a side index (:meth:`beside`) of these settings, to search instead.

        Raises :class:`UsageError` for a question without words, one that is too long, or a
        filter that means nothing, and :class:`IndexingError` for an empty library.
        """
        prototype = self.prototype(name) if prepared else self.ready(name)
        library = self.library(prototype)

        def under(prototype: Prototype, settings: Settings | None) -> Search:
            return self._search(
                prototype,
                settings,
                question,
                where,
                history,
                question_id,
                propose,
                accepted,
                rewritten,
                named,
                beside,
            )

        if beside is not None:
            return under(prototype, settings)
        try:
            found = under(prototype, settings)
        except ThumbprintError:
            if self.library(prototype) is library:
                raise
        else:
            if self.library(prototype) is library:
                return found
        # Another index came in force meanwhile, and this one is gone.
        before, prototype = prototype.settings, self.prototype(name)
        now = prototype.settings
        if settings is not None and settings.embedding_model == before.embedding_model:
            settings = replace(
                settings, embedding_model=now.embedding_model, section_tokens=now.section_tokens
            )
        return under(prototype, settings)

    def _search(
        self,
        prototype: Prototype,
        settings: Settings | None,
        question: str,
        where: Where | None,
        history: Sequence[Turn],
        question_id: str | None,
        propose: bool,
        accepted: Sequence[Where] | None,
        rewritten: str | None,
        named: Sequence[Proposal] | None,
        beside: Library | None,
    ) -> Search:
        started = time.perf_counter()
        question = _clean(question)
        history = [Turn(_printable(turn.question), _printable(turn.text)) for turn in history]
        name = prototype.name
        settings = settings or prototype.settings
        if beside is None and settings.embedding_model != prototype.settings.embedding_model:
            raise UsageError(
                f"“{name}” was indexed with {prototype.settings.embedding_model}, and a question must be "
                "embedded by the same model. Set embedding.model in its prototype.toml and ingest again."
            )
        asked_for = combine(parse(settings.where), parse(where))
        if rewritten is None:
            rewritten = question if settings.rewrite == "off" else standalone(question, history)
        library = beside or self.library(prototype)
        library.refresh()
        model = self.embedder(settings.embedding)
        clock = [time.perf_counter()]
        # The model runs beside the keyword search, which does not wait for it.
        embedding = self._beside.submit(model.embed_query, rewritten)
        weights = self._weights(settings)
        learned = weights.signals if weights else None
        guess = settings.filters_guess == "on" and accepted is None
        if named is None:
            named = self.proposals(name, question) if guess or propose or accepted else []
        offered = [proposal for proposal in named if not implies(asked_for, parse(proposal.where))]
        chosen = [proposal.where for proposal in offered] if guess else accepted or ()
        added = [filter for filter in map(parse, chosen) if not implies(asked_for, filter)]
        filters = reduce(combine, added, asked_for)
        by_words = library.keywords.search(rewritten, breadth(settings), filters)
        vector = embedding.result()
        clock.append(time.perf_counter())
        ranked = rank(
            rewritten, vector, library.chunks, library.keywords, settings, filters, learned, by_words
        )
        dropped = guess and bool(added) and not ranked
        if dropped:
            filters = asked_for
            ranked = rank(rewritten, vector, library.chunks, library.keywords, settings, filters, learned)
        if not ranked and library.index.count() == 0:
            raise IndexingError(
                f"There are no documents in “{name}” yet. Add some: python -m rag ingest PATH "
                f"--prototype {name}"
            )
        clock.append(time.perf_counter())

        def sections(k: int) -> list[Passage]:
            wanted = replace(settings, k=k)
            return best_sections(
                rewritten,
                vector,
                ranked,
                library.chunks,
                library.keywords,
                model.count_tokens,
                wanted,
                learned=learned is not None,
            )

        candidates: list[Passage] = []
        reranked: list[Passage] | None = None
        seconds: dict[str, float] = {}
        if settings.rerank != "none" and ranked:
            candidates = sections(max(settings.k, settings.rerank_candidates))
            begun = time.perf_counter()
            late = weights.late if weights else None
            reranked = self._rerankers.rerank(
                rewritten, candidates, settings, model, library.keywords, late or None
            )
            seconds["rerank"] = time.perf_counter() - begun
        if settings.budget:
            order = ranked if reranked is None else reorder(ranked, reranked)
            passages = fill_budget(order, model.count_tokens, settings.budget, model.token_offsets)
            if reranked:
                passages = [replace(p, scorer=reranked[0].scorer) for p in passages]
        else:
            passages = sections(settings.k) if reranked is None else reranked[: settings.k]
        cosine = covered = sure = 0.0
        if ranked and passages:
            # Fused signals, whatever re-ranks: scores of another scorer have other thresholds.
            # Where the filters say a part of the question, every document found holds it.
            applied = [p for p in named if implies(filters, parse(p.where))]
            known = [term for p in applied for term in terms(question[p.start : p.end] or p.label)]
            covered = topic_covered(rewritten, (candidates or passages)[0], library, known)
            cosine = ranked[0].cosine
            sure = confidence.confidence(cosine, covered, _calibration(weights))
        now = time.perf_counter()
        return Search(
            id=question_id or new_id(),
            question=question,
            rewritten=rewritten,
            passages=tuple(passages),
            confidence=sure,
            cosine=cosine,
            coverage=covered,
            seconds={
                "embed": clock[1] - clock[0],
                "retrieve": clock[2] - clock[1],
                "widen": now - clock[2] - seconds.get("rerank", 0.0),
                **seconds,
                "total": now - started,
            },
            where=to_json(filters) or None,
            index_version=library.index.facts(seen=True).get("index_version", ""),
            proposed=tuple(Proposed(p.label, p.where, implies(filters, parse(p.where))) for p in offered),
            notices=(
                *(("guess-dropped",) if dropped and ranked else ()),
                *((UNAVAILABLE,) if seconds and reranked is None else ()),
            ),
        )

    def _weights(self, settings: Settings) -> Weights | None:
        """The learned weights; None for the hand weights, which a person who sets them wants used."""
        by_hand = (settings.dense_weight, settings.keyword_weight) != _HAND_WEIGHTS
        return self._in_force("hand" if settings.fusion == "auto" and by_hand else settings.fusion)

    def would_answer(self, found: Search, settings: Settings) -> bool:
        """Whether a question is answered from what was found, or "I don't know" is said."""
        calibration = _calibration(self._weights(settings))
        least = confidence.threshold(settings.abstain, calibration)
        return bool(found.passages) and found.confidence >= least

    def judge(self, name: str) -> Judge:
        """What says whether a source supports a claim, with the prototype's embedding model."""
        return _judge(self.embedder(self.prototype(name).settings.embedding))

    def _answered(
        self, generator: Generator, found: Search, history: Sequence[Turn], judge: Judge
    ) -> Iterator[str | Draft]:
        if isinstance(generator, ExtractiveGenerator):
            return generator.generate(found.rewritten, found.passages, history)
        quoting = ExtractiveGenerator()
        written = generator.generate(found.question, found.passages, history)
        return or_quoted(
            checked(written, found.passages, judge),
            lambda: quoting.generate(found.rewritten, found.passages, history),
            quoting.name,
        )

    def ask(
        self,
        name: str,
        question: str,
        *,
        where: Where | None = None,
        history: Sequence[Turn] = (),
        settings: Settings | None = None,
        conversation_id: str | None = None,
        replaces: str | None = None,
        origin: Origin = "chat",
        link: str | None = None,
        allowance: Allowance | None = None,
        question_id: str | None = None,
        accepted: Sequence[Where] | None = None,
        proposed: Sequence[Proposed] | None = None,
        beside: Library | None = None,
    ) -> Response:
        """Answer a question; the record is stored when the response has been read.

        In a chat the record names the filters that the question proposes, applied or not: as a model
        reads them from it where one writes, while the answer is written, so that nobody waits for it.
        ``proposed`` are those that it proposed before. ``accepted``, ``beside`` and the errors are
        those of :meth:`search`.

        ``link`` is the id of the link that it was asked under, ``allowance`` what a written answer
        is charged to; where a budget does not have it, the answer is quoted.
        """
        started = time.perf_counter()
        prototype = self.prototype(name)
        settings = settings or prototype.settings
        generator = choose(settings, self.environment, prototype.folder)
        folders = (prototype.folder, self.environment.home)
        spending: Spending | None = None
        quoted: tuple[str, ...] = ()
        if not isinstance(generator, ExtractiveGenerator):
            opinions = 2 * MOST_ASKED if settings.judge == "model" else 0
            dearest = most(generator, settings, question, history, folders, opinions=opinions)
            spending = self.purse.set_aside(dearest, allowance or Allowance(link))
            if spending is None:
                generator, quoted = ExtractiveGenerator(), (BUDGET_SPENT,)
        with _given_back(spending, generator, folders):
            rewritten = None
            if history and settings.rewrite == "auto" and not isinstance(generator, ExtractiveGenerator):
                rewritten = by_model(generator, _clean(question), history)
            named = None if proposed is None else [Proposal("", p.where, p.label, 0, 0) for p in proposed]
            asked = None if named is not None or settings.filters_by == "rule" else self._asked(generator)
            guess = settings.filters_guess == "on" and accepted is None
            if asked and guess:
                named = asked(name, _clean(question))
            found = self.search(
                name,
                question,
                where=where,
                history=history,
                settings=settings,
                question_id=question_id,
                propose=origin == "chat",
                accepted=accepted,
                rewritten=rewritten,
                named=named,
                beside=beside,
            )
        sure = self.would_answer(found, settings)
        pieces: Iterator[str | Draft]
        if sure:
            judge = _judge(self.embedder(prototype.settings.embedding))
            if settings.judge == "model" and not isinstance(generator, ExtractiveGenerator):
                judge = seconded(judge, generator)
            pieces = self._answered(generator, found, history, judge)
        else:
            pieces = iter([DONT_KNOW if found.passages else NO_DOCUMENT])
        answer = Answer(
            id=new_id(),
            question=found.question,
            rewritten=found.rewritten,
            text="",
            citations=(),
            passages=found.passages,
            confidence=found.confidence,
            abstained=not sure,
            generator=generator.name,
            usage={},
            seconds=found.seconds,
            provenance=Provenance(
                prototype=name,
                settings=settings.fingerprint,
                index_version=found.index_version,
                prompt_version=generator.prompt_version,
                link=link,
            ),
            created=time.time(),
            where=found.where,
            conversation_id=conversation_id,
            origin=origin,
            notices=(*quoted, *found.notices, *(() if found.passages else ("filters-empty",))),
            proposed=found.proposed,
        )

        def store(record: Answer) -> None:
            if spending is not None:
                spending.settle(record.cost)
            self.store.save_answer(record, replaces=replaces, settings=settings.values)

        if isinstance(generator, ExtractiveGenerator):
            return Response(answer, pieces, store, started, lambda draft: Bill("", {}, 0.0))
        bill = billing(generator, folders, called=sure)
        let_go = generator.hang_up
        if not sure or asked is None or guess or origin != "chat":
            return Response(answer, pieces, store, started, bill, let_go=let_go)
        meanwhile = Meanwhile(lambda: asked(name, found.question))

        def offered(seconds: float) -> tuple[Proposed, ...] | None:
            inferred = meanwhile.result(seconds)
            if inferred is None:
                return None
            held = parse(found.where)
            new = [p for p in inferred if not implies(held, parse(p.where))]
            return tuple(Proposed(p.label, p.where, applied=False) for p in new)

        return Response(answer, pieces, store, started, bill, offered, let_go)

    def _asked(self, generator: Generator) -> Callable[[str, str], list[Proposal] | None] | None:
        """What reads the filters of a question to a prototype with a model; None without one."""
        if isinstance(generator, ExtractiveGenerator):
            return None
        model = cast(ModelGenerator, generator)
        return lambda name, question: infer(question, self.facets(name), model, now=time.time())


@contextmanager
def _given_back(spending: Spending | None, generator: Generator, folders: Sequence[Path]) -> Iterator[None]:
    """Where the question fails before anything is written, only the calls that were made are paid."""
    try:
        yield
    except BaseException:
        if spending is not None:
            made = billing(cast(ModelGenerator, generator), folders, called=False)
            spending.settle(made(Draft("", ())).cost)
        raise


def topic_covered(topic: str, first: Passage, library: Library, known: Iterable[str] = ()) -> float:
    """Share of the idf of the topic's content words that the passage's section holds; 0 without any.

    ``known`` are terms that count as held.
    """
    if not has_content(topic):
        return 0.0
    words = {*terms(" ".join((first.title, *first.path, first.context or first.text))), *known}
    asked = terms(content(topic))
    return confidence.coverage(asked, library.keywords.idf(asked), words)


def _calibration(weights: Weights | None) -> Calibration:
    return weights.calibration if weights else confidence.HAND


@lru_cache(maxsize=16)
def _page_image(path: Path, changed: int, page: int, sentence: str) -> PageImage:
    return draw_page(path, page, sentence)


def _judge(embedder: Embedder) -> Judge:
    """Claims judged by that model; a source that several claims cite is embedded once."""
    embed_one = lru_cache(maxsize=500)(lambda text: embedder.embed_texts([text]))

    @lru_cache(maxsize=100)
    def tokens_of(text: str) -> TokenVectors | None:
        found = embedder.token_vectors([text])
        return found[0] if found else None

    def judged(claim: str, source: str) -> Judgement:
        return judge(claim, source, lambda texts: np.vstack([embed_one(text) for text in texts]), tokens_of)

    return judged


def _printable(text: str) -> str:
    """The text with control characters, and what is no Unicode, as spaces."""
    return "".join(" " if category(c) in ("Cc", "Cs") and c not in "\n\t" else c for c in text).strip()


def _clean(question: str) -> str:
    """The question without control characters; raises :class:`UsageError` if it is none."""
    cleaned = _printable(question)
    if not any(c.isprintable() and not c.isspace() for c in cleaned):
        raise UsageError("The question is empty. Write one.")
    if len(cleaned) > MAX_QUESTION:
        raise UsageError(
            f"The question has {len(cleaned):,} characters, and the limit is {MAX_QUESTION:,}. Shorten it."
        )
    return cleaned


def _fingerprint(prototype: Prototype) -> str:
    """Changes when the documents that a prototype brings, its prototype.toml, or the reading of them do."""
    digest = hashlib.sha256(f"{VERSION} {Chunking().version}".encode())
    for path in [prototype.folder / "prototype.toml", *prototype.document_paths]:
        for file in sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]:
            digest.update(f"\n{file.name}\n".encode())
            if file.is_file():  # a missing one is reported by the ingest
                digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
