"""The wiring: prototypes, their libraries and the model, behind ingest() and ask().

Nothing heavy happens in the constructor or on import: a model loads and a library opens
when the first call needs them. One engine serves all threads of a process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from rag import asking, remains
from rag.beside import Besides
from rag.catalogue import Catalogue
from rag.cite import Entails
from rag.cite.attribution import Judge
from rag.config import Embedding, Environment, Settings
from rag.delivery import Delivery
from rag.errors import UsageError
from rag.facets import FacetValues, count_matching, facet_values
from rag.generators.choose import choose
from rag.generators.extractive import ExtractiveGenerator
from rag.guess import Proposal
from rag.ingest import IngestOptions, Progress
from rag.jobs import Jobs
from rag.librarian import Librarian
from rag.library import Library, totals
from rag.limits import Allowance, Purse
from rag.live import wish
from rag.originals import Originals
from rag.pageimage import PageImage, draw_page
from rag.prepare import Preparation
from rag.prototypes import Prototype, list_names, list_prototypes
from rag.rebuild import index_wish, rebuild
from rag.response import Response
from rag.search import Question, Search, Searcher
from rag.shelf import Shelf, fingerprint
from rag.store import Store
from rag.types import (
    DocumentRecord,
    Embedder,
    IngestResult,
    Origin,
    Proposed,
    Turn,
    Where,
)
from rag.weights import Weights, in_force


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
        """``load_model`` gives the embedder of a name; by default :func:`rag.embed.load_embedder` does, and
        only then a model reads claims together with their sources.

        ``weights`` gives the learned weights under a ``fusion`` setting, None for the hand weights.
        """
        self.environment = environment or Environment.load()
        self.shelf = Shelf(self.environment, load_model)
        self._reads = load_model is None
        self._entails: Entails | None = None
        self.searcher = Searcher(self.shelf, weights)
        self._besides = Besides(self.shelf)
        self._lock = threading.Lock()
        self._store: Store | None = None
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

    def create(self, name: str) -> str:
        """As :func:`rag.remains.create` has it, which puts away what an earlier one of that name left."""
        told = remains.create(self.shelf, self._jobs, lambda: self.store, name)
        with self._lock:
            self._preparations.pop(name, None)
        self._shipped.discard(name)
        return told

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
            shipped = fingerprint(prototype)
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
                # What checks a written answer is made and loaded before somebody waits for one.
                self.judge(name)("The library opens at nine.", "Its doors are open from nine in the morning.")
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
        if name not in list_names(self.environment.home):
            self.create(name)
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

    def facets(
        self, name: str, where: Where | None = None, settings: Settings | None = None
    ) -> list[FacetValues]:
        """The facets with their values, counted under the filters of the others.

        They are the declared ones; where a prototype declares none, they are guessed
        (:func:`rag.facets.guess_facets`). Documents that ``filters.where`` of the settings (by default
        the prototype's) leaves out are neither counted nor guessed from, as if they were not there.
        """
        catalogue = self._let_through(name, settings)
        return facet_values(catalogue.facets, catalogue.table, where)

    def proposals(
        self, name: str, question: str, *, now: float | None = None, settings: Settings | None = None
    ) -> list[Proposal]:
        """The filters that a question names (:func:`rag.guess.propose`); nothing is applied.

        ``now`` is Unix seconds, by default those of the clock; ``settings`` as for :meth:`facets`.
        """
        return self.searcher.proposals(name, question, now=now, settings=settings)

    def page_image(self, name: str, source: str, page: int, sentence: str) -> PageImage | None:
        """A page of a PDF with a sentence marked; None where the file is not there, or not a PDF any more.

        Raises :class:`ReadError` where the page cannot be drawn.
        """
        prototype = self.prototype(name)
        path = Originals(self.environment.home, name).find(source, prototype.document_paths)
        if path is None or path.suffix.casefold() != ".pdf":
            return None
        return _page_image(path, path.stat().st_mtime_ns, page, sentence)

    def matching(self, name: str, where: Where | None, settings: Settings | None = None) -> tuple[int, int]:
        """How many documents match a filter, and how many there are; ``settings`` as for :meth:`facets`."""
        table = self._let_through(name, settings).table
        return count_matching(table, where), len(table)

    def _let_through(self, name: str, settings: Settings | None) -> Catalogue:
        prototype = self.prototype(name)
        return self.shelf.catalogue(prototype, (settings or prototype.settings).where)

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
        asked = Question(
            question,
            where=where,
            history=history,
            settings=settings,
            id=question_id,
            propose=propose,
            accepted=accepted,
            rewritten=rewritten,
            named=named,
            beside=beside,
        )
        return self.searcher.search(prototype, asked)

    def would_answer(self, found: Search, settings: Settings) -> bool:
        """Whether a question is answered from what was found, or "I don't know" is said."""
        return self.searcher.would_answer(found, settings)

    def judge(self, name: str) -> Judge:
        """What says whether a source supports a claim, with the prototype's embedding model and the one that
        reads the two together."""
        with self._lock:
            if self._reads and self._entails is None:
                from rag.embed import load_entailment

                self._entails = load_entailment(self.environment)
        return asking.judge_with(self.embedder(self.prototype(name).settings.embedding), self._entails)

    def reads(self) -> bool:
        """Whether a model reads claims together with their sources: one is there, and works.

        False for an engine that was given its embedding model. Raises :class:`ModelError` where it
        should and cannot; :meth:`judge` then goes by words.
        """
        if self._reads:
            from rag.embed.entailment import Entailment

            Entailment.of(self.environment).load()
        return self._reads

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
        stopped: threading.Event | None = None,
    ) -> Response:
        """Answer a question; the record is stored when the response has been read.

        In a chat the record names the filters that the question proposes, applied or not: as a model
        reads them from it where one writes, while the answer is written, so that nobody waits for it.
        ``proposed`` are those that it proposed before. ``accepted``, ``beside`` and the errors are
        those of :meth:`search`.

        ``link`` is the id of the link that it was asked under, ``allowance`` what a written answer
        is charged to; where a budget does not have it, the answer is quoted. Once ``stopped`` is set,
        by any thread, no call to a model is waited for, and none is begun.
        """
        asked = Question(
            question,
            where=where,
            history=history,
            settings=settings,
            id=question_id,
            accepted=accepted,
            beside=beside,
        )
        occasion = asking.Occasion(
            conversation_id=conversation_id,
            replaces=replaces,
            origin=origin,
            link=link,
            allowance=allowance,
            proposed=proposed,
            stopped=stopped,
        )
        return asking.ask(self, name, asked, occasion)


@lru_cache(maxsize=16)
def _page_image(path: Path, changed: int, page: int, sentence: str) -> PageImage:
    return draw_page(path, page, sentence)
