"""A question to an answer: who writes it, what it may cost, and the record that is kept of it.

Joins the search (:mod:`rag.search`) to the generators and their checks (:mod:`rag.answering`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Protocol, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from rag.answering import BUDGET_SPENT, DONT_KNOW, billing, by_model, checked, most, or_quoted
from rag.cite import Entails, Judgement, judge
from rag.cite.attribution import Judge
from rag.config import Embedding, Environment, Settings
from rag.errors import LimitError
from rag.facets import FacetValues
from rag.filters import implies, parse
from rag.generators.choose import ModelGenerator, choose
from rag.generators.extractive import ExtractiveGenerator
from rag.guess import Proposal
from rag.guess.inferred import infer
from rag.limits import Allowance, Purse, Spending
from rag.meanwhile import Meanwhile
from rag.opinion import MOST_ASKED, seconded
from rag.prototypes import Prototype
from rag.response import Bill, Response
from rag.search import Question, Search, Searcher, cleaned
from rag.store import Store, new_id
from rag.types import (
    Answer,
    Draft,
    Embedder,
    Generator,
    Origin,
    Proposed,
    Provenance,
    TokenVectors,
    Turn,
    Vectors,
    Where,
)

NO_DOCUMENT = "No document matches the filters. Drop one of them and ask again."

T = TypeVar("T")
_VECTORS = 500
"""Of sentences, kept while an answer is checked."""
Reading = Callable[[str, str | None], list[Proposal] | None]
"""What reads the filters of a question with a model, from what made it stand alone where something did;
it gives None where that failed."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Where and for whom an answer is made; :meth:`rag.engine.Engine.ask` explains it."""

    conversation_id: str | None = None
    replaces: str | None = None
    origin: Origin = "chat"
    link: str | None = None
    allowance: Allowance | None = None
    proposed: Sequence[Proposed] | None = None
    stopped: threading.Event | None = None
    """Set, from any thread, once nobody waits any more: no model is asked from then on."""

    @property
    def ended(self) -> bool:
        """Whether nobody waits any more."""
        return self.stopped is not None and self.stopped.is_set()


class Sources(Protocol):
    """What an answer is made from: the engine has it all."""

    purse: Purse
    searcher: Searcher

    @property
    def environment(self) -> Environment: ...

    @property
    def store(self) -> Store: ...

    def prototype(self, name: str) -> Prototype: ...

    def ready(self, name: str) -> Prototype: ...

    def embedder(self, wanted: Embedding | str) -> Embedder: ...

    def facets(
        self, name: str, where: Where | None = None, settings: Settings | None = None
    ) -> list[FacetValues]: ...

    def judge(self, name: str) -> Judge: ...


@dataclass(frozen=True, slots=True)
class _Writer:
    """Who writes, and what was set aside for it; ``notices`` say why nobody else does.

    ``folders`` may hold prices of their own.
    """

    generator: ModelGenerator | ExtractiveGenerator
    folders: tuple[Path, ...]
    spending: Spending | None = None
    notices: tuple[str, ...] = ()

    @property
    def model(self) -> ModelGenerator | None:
        """The generator where it calls a model; None where it quotes."""
        return None if isinstance(self.generator, ExtractiveGenerator) else self.generator

    @contextmanager
    def given_back(self) -> Iterator[None]:
        """Where the question fails before anything is written, only the calls that were made are paid."""
        try:
            yield
        except BaseException:
            if self.spending is not None:
                made = billing(cast(ModelGenerator, self.generator), self.folders, called=False)
                self.spending.settle(made(Draft("", ())).cost)
            raise


def ask(engine: Sources, name: str, question: Question, occasion: Occasion) -> Response:
    """The answer to a question, in the making. Raises as :meth:`rag.engine.Engine.ask` does.

    A quotation does not take the place of an answer that a model wrote, where it is only that no
    model could write it anew: then the response fails before its first word, or this raises
    :class:`LimitError` where a budget is spent.
    """
    started = time.perf_counter()
    prototype = engine.prototype(name)
    earlier = _written(engine, occasion.replaces)
    settings = question.settings or prototype.settings
    question = replace(question, settings=settings, propose=occasion.origin == "chat")
    writer = _writer(engine, prototype, question, occasion)
    guess = settings.filters_guess == "on" and question.accepted is None
    read = None
    if writer.model is not None and occasion.proposed is None and settings.filters_by != "rule":
        read = _reading(engine, name, settings, writer.model)
    with writer.given_back():
        asked = _understood(question, settings, writer, occasion, read if guess else None)
        carried: list[Proposal] = []
        if read is not None and guess and occasion.conversation_id is not None:
            asked, carried = _carried(asked)
        found = engine.searcher.search(engine.ready(name), asked)
    sure = engine.searcher.would_answer(found, settings)
    called = sure and not occasion.ended
    # Under other filters the earlier answer is none to this question, and a quotation is.
    stays = earlier is not None and same_filter(earlier.where, found.where)
    if called and stays and BUDGET_SPENT in writer.notices:
        raise LimitError("The budget for answers by a model is used up for now. Ask again later.")
    pieces: Iterator[str | Draft]
    if sure and not called:
        pieces = iter(())
    elif sure:
        judging = engine.judge(name)
        if settings.judge == "model" and writer.model is not None:
            judging = seconded(judging, writer.model)
        pieces = _answered(writer.generator, found, question.history, judging, quote=not stays)
    else:
        pieces = iter([DONT_KNOW if found.passages else NO_DOCUMENT])
    answer = _begun(name, found, settings, writer, occasion, abstained=not sure)
    answer = replace(answer, proposed=(*answer.proposed, *_offered(carried, found)))

    def store(record: Answer) -> None:
        if writer.spending is not None:
            writer.spending.settle(record.cost)
        engine.store.save_answer(
            record,
            replaces=occasion.replaces,
            settings=settings.values,
            system_prompt=writer.generator.system_prompt,
        )

    if writer.model is None:
        return Response(answer, pieces, store, started, lambda draft: Bill("", {}, 0.0))
    bill = billing(writer.model, writer.folders, called=called)
    if not called or read is None or guess or occasion.origin != "chat":
        return Response(answer, pieces, store, started, bill, let_go=writer.model.hang_up)
    return Response(answer, pieces, store, started, bill, _offering(read, asked, found), writer.model.hang_up)


def same_filter(one: Where | None, other: Where | None) -> bool:
    """Whether two filters let the same through, as far as their forms show."""
    first, second = parse(one), parse(other)
    return implies(first, second) and implies(second, first)


def judge_with(embedder: Embedder, entails: Entails | None = None) -> Judge:
    """Claims judged by those models; a source that several claims cite is embedded once."""
    known: dict[str, NDArray[np.float32]] = {}

    @lru_cache(maxsize=100)
    def tokens_of(text: str) -> TokenVectors | None:
        found = embedder.token_vectors([text])
        return found[0] if found else None

    def judged(claim: str, source: str) -> Judgement:
        def embed(texts: Sequence[str]) -> Vectors:
            rows = {text: row for text in texts if (row := known.get(text)) is not None}
            fresh = [text for text in dict.fromkeys(texts) if text not in rows]
            if fresh:
                # All at once: the default model embeds as many side by side as there are cores.
                rows |= zip(fresh, embedder.embed_texts(fresh), strict=True)
                if len(known) + len(fresh) > _VECTORS:
                    known.clear()
                known.update(rows)
            return np.stack([rows[text] for text in texts])

        return judge(claim, source, embed, tokens_of, entails)

    return judged


def _writer(engine: Sources, prototype: Prototype, question: Question, occasion: Occasion) -> _Writer:
    """The generator of the settings; one that quotes where a budget does not have a written answer."""
    settings = question.settings or prototype.settings
    generator = choose(settings, engine.environment, prototype.folder, occasion.stopped)
    folders = (prototype.folder, engine.environment.home)
    if isinstance(generator, ExtractiveGenerator):
        return _Writer(generator, folders)
    opinions = 2 * MOST_ASKED if settings.judge == "model" else 0
    dearest = most(generator, settings, question.text, question.history, folders, opinions=opinions)
    spending = engine.purse.set_aside(dearest, occasion.allowance or Allowance(occasion.link))
    if spending is None:
        return _Writer(ExtractiveGenerator(), folders, notices=(BUDGET_SPENT,))
    return _Writer(generator, folders, spending)


def _reading(engine: Sources, name: str, settings: Settings, model: ModelGenerator) -> Reading:
    return lambda question, rewritten: infer(
        question, engine.facets(name, None, settings), model, now=time.time(), rewritten=rewritten
    )


def _understood(
    question: Question, settings: Settings, writer: _Writer, occasion: Occasion, read: Reading | None
) -> Question:
    """The question with what a model makes of it before the search: made to stand alone, its filters."""
    rewritten = None
    if question.history and settings.rewrite == "auto" and writer.model is not None:
        text, model = cleaned(question.text), writer.model
        rewritten = _unless_ended(occasion, model, lambda: by_model(model, text, question.history))
    named = None
    if occasion.proposed is not None:
        named = [Proposal("", p.where, p.label, 0, 0) for p in occasion.proposed]
    elif read is not None and writer.model is not None:
        plain = cleaned(question.text)
        named = _unless_ended(occasion, writer.model, lambda: read(plain, rewritten))
    return replace(question, rewritten=rewritten, named=named)


def _carried(question: Question) -> tuple[Question, list[Proposal]]:
    """The question with the filters that its own words name, and those that only its rewriting brings.

    In a conversation these do not hold by themselves: the reader may have removed them from the question
    that named them.
    """
    if question.named is None:
        return question, []
    own = [proposal for proposal in question.named if proposal.end]
    return replace(question, named=own), [proposal for proposal in question.named if not proposal.end]


def _unless_ended(occasion: Occasion, model: ModelGenerator, call: Callable[[], T | None]) -> T | None:
    """What a call to a model gives; None once nobody waits any more, when its line is hung up."""
    stopped = occasion.stopped
    if stopped is None:
        return call()
    if stopped.is_set():
        return None
    found = Meanwhile(call).unless(stopped)
    if occasion.ended:
        model.hang_up()
        model.spent.append({})  # nobody learns what it took
    return found


def _written(engine: Sources, answer_id: str | None) -> Answer | None:
    """The answer of that id, where a model wrote it. Raises NotFound."""
    if answer_id is None:
        return None
    answer = engine.store.answer(answer_id)
    quoted = answer.generator == ExtractiveGenerator.name
    return None if quoted or answer.abstained or not answer.text.strip() else answer


def _answered(
    generator: Generator, found: Search, history: Sequence[Turn], judge: Judge, *, quote: bool
) -> Iterator[str | Draft]:
    """What is written from the passages; ``quote``: where no model can, they are quoted instead."""
    if isinstance(generator, ExtractiveGenerator):
        return generator.generate(found.rewritten, found.passages, history)
    quoting = ExtractiveGenerator()
    written = generator.generate(found.question, found.passages, history)
    pieces = checked(written, found.passages, judge)
    if not quote:
        return pieces
    return or_quoted(
        pieces,
        lambda: quoting.generate(found.rewritten, found.passages, history),
        quoting.name,
    )


def _begun(
    name: str, found: Search, settings: Settings, writer: _Writer, occasion: Occasion, *, abstained: bool
) -> Answer:
    """The record before anything is written."""
    return Answer(
        id=new_id(),
        question=found.question,
        rewritten=found.rewritten,
        text="",
        citations=(),
        passages=found.passages,
        confidence=found.confidence,
        abstained=abstained,
        generator=writer.generator.name,
        usage={},
        seconds=found.seconds,
        provenance=Provenance(
            prototype=name,
            settings=settings.fingerprint,
            index_version=found.index_version,
            prompt_version=writer.generator.prompt_version,
            link=occasion.link,
        ),
        created=time.time(),
        where=found.where,
        conversation_id=occasion.conversation_id,
        origin=occasion.origin,
        notices=(*writer.notices, *found.notices, *(() if found.passages else ("filters-empty",))),
        proposed=found.proposed,
    )


def _offering(
    read: Reading, asked: Question, found: Search
) -> Callable[[float], tuple[Proposed, ...] | None]:
    """Starts to read the filters of a question, and gives what awaits them for so many seconds."""
    meanwhile = Meanwhile(lambda: read(found.question, asked.rewritten))

    def offered(seconds: float) -> tuple[Proposed, ...] | None:
        inferred = meanwhile.result(seconds)
        return None if inferred is None else _offered(inferred, found)

    return offered


def _offered(proposals: Sequence[Proposal], found: Search) -> tuple[Proposed, ...]:
    """Those that the search was not under already, as chips that do not hold."""
    held = parse(found.where)
    new = [p for p in proposals if not implies(held, parse(p.where))]
    return tuple(Proposed(p.label, p.where, applied=False) for p in new)
