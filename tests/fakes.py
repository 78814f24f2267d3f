"""Stand-ins that speak the real interfaces: no model, no network, nothing to wait for."""

from __future__ import annotations

import re
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.catalogue import Catalogue
from rag.config import Environment, Settings
from rag.delivery import Delivery
from rag.errors import GenerationError, PrototypeError
from rag.filters import combine, implies, matches, parse, to_json
from rag.generators.failures import CUT_OFF
from rag.guess import Proposal, propose
from rag.pageimage import PageImage
from rag.prototypes import Facet, Prototype, create_prototype, load_prototype
from rag.rerankers import UNAVAILABLE
from rag.store import Store, new_id
from rag.types import (
    Answer,
    Citation,
    DocumentRecord,
    Draft,
    IngestProgress,
    Metadata,
    Passage,
    Proposed,
    Provenance,
    TokenVectors,
    Turn,
    Vectors,
    Where,
)
from tests.fake_librarian import FakeLibrarian, cellar

WINES: Sequence[Metadata] = (
    {
        "name": "Quinta da Pedra 2019",
        "country": "Portugal",
        "price": 14,
        "added": 0,
        "pairs_with": ("lamb", "stew"),
    },
    {
        "name": "Monte Velho 2021",
        "country": "Portugal",
        "price": 9,
        "added": 86_400 * 40,
        "pairs_with": ("pizza",),
    },
    {"name": "Viña Salina 2018", "country": "Spain", "price": 22, "pairs_with": ("lamb", "cheese")},
    {"name": "Clos des Fées 2020", "country": "France", "price": 38, "pairs_with": ("game", "stew")},
    {"name": "Weingut Sonnberg 2022", "country": "Germany", "price": 11, "pairs_with": ("fish",)},
)
HOSTILE = (
    "Read <img src=x onerror=\"fetch('http://127.0.0.1:9/html')\"> and ![x](http://127.0.0.1:9/leak) or "
    "[a](javascript:alert(1)), $$x^2$$, :red[x], :material/home: https://127.0.0.1:9/bare. Sealed with wax."
)
_DAY = 86_400
_FACETS = (
    Facet("country", "Country", "choice"),
    Facet("pairs_with", "Goes with", "list"),
    Facet("price", "Price", "range", unit="€"),
    Facet("added", "Added", "date"),
)


def prototypes() -> dict[str, Prototype]:
    wine = Prototype(
        name="wine",
        folder=Path("wine"),
        title="Wine cellar",
        icon="🍷",
        description="A catalogue of wines: ask for a taste, a dish or a price.",
        greeting="What are you in the mood for?",
        suggestions=("Which wine goes with lamb?", "What is a good wine under 15 €?", "Tell me about Spain"),
        accent="#8B2942",
        ready_made=True,
        facets=_FACETS,
    )
    handbook = Prototype(
        name="handbook",
        folder=Path("handbook"),
        title="Handbook",
        icon="🧭",
        description="Thumbprint's own documentation, answering questions about itself.",
        greeting="Ask how Thumbprint works.",
        suggestions=("What is sealed with wax?",),
        ready_made=True,
    )
    return {p.name: p for p in (wine, handbook)}


@dataclass
class FakePreparation:
    ready: bool = True
    error: str | None = None
    progress: IngestProgress = field(default_factory=lambda: IngestProgress("done", 1, 1, 5, 0.0))

    def wait(self, timeout: float | None = None) -> bool:
        deadline = None if timeout is None else time.monotonic() + timeout
        while not (self.ready or self.error) and (deadline is None or time.monotonic() < deadline):
            time.sleep(0.01)
        return self.ready


@dataclass(frozen=True)
class FakeFacetValues:
    facet: Facet
    values: tuple[tuple[str, int], ...] = ()
    low: float | None = None
    high: float | None = None
    documents: int = 0


@dataclass(frozen=True)
class FakeSearch:
    passages: tuple[Passage, ...]


class FakeResponse:
    def __init__(
        self,
        pieces: Iterator[str],
        finish: Callable[[str, bool], Answer],
        store: Callable[[Answer], None],
    ) -> None:
        self._pieces, self._finish, self._store = pieces, finish, store
        self._text = ""
        self._answer: Answer | None = None
        self.draft = Draft("", ())

    def __iter__(self) -> Iterator[str]:
        stopped = True
        try:
            for piece in self._pieces:
                self._text += piece
                self.draft = Draft(self._text, self._finish(self._text, True).citations)
                yield piece
            stopped = False
        finally:
            if self._answer is None:
                self._end(stopped)

    def _end(self, stopped: bool) -> None:
        self._answer = self._finish(self._text, stopped)
        self._store(self._answer)

    @property
    def begun(self) -> Answer:
        return self._finish("", True)

    @property
    def answer(self) -> Answer:
        if self._answer is None:
            for _ in self:
                pass
        assert self._answer is not None
        return self._answer

    def close(self) -> None:
        if self._answer is None:
            self._end(True)


class FakeEngine:
    """``rag.engine.Engine`` over five wines. What it does is in the words of the question:

    ``slow`` streams for seconds, ``nowhere`` is not answered, ``break`` fails and
    ``fade`` fails half-way, ``unranked`` had no re-ranker, ``wax``
    quotes a document that tries everything.
    """

    def __init__(self, home: Path, *, delay: float = 0.0, preparation: FakePreparation | None = None) -> None:
        self.environment = Environment(home=home)
        self.store = Store(home / "store.db")
        self.delivery = Delivery(lambda: self.store, self.environment)
        self.delay = delay
        self.preparation = preparation or FakePreparation()
        self.problems: list[str] = []
        self.asked: list[dict[str, Any]] = []
        self.drawn: list[tuple[str, int, str]] = []
        self.searched: list[str] = []
        self.told = ""
        """What there is to tell of a prototype that is made."""
        self.image: PageImage | None = None
        self.version = "1d3"
        self.guessed: tuple[Facet, ...] = ()
        """The facets of a prototype that declares none."""
        self.guess = False
        """``filters.guess=on``."""
        self.librarians: dict[str, FakeLibrarian] = {}
        self.release = threading.Event()
        """``wait`` in a question holds the answer, half written, until this is set."""

    def prototypes(self) -> tuple[list[Prototype], list[str]]:
        return list(self._known().values()), self.problems

    def _known(self) -> dict[str, Prototype]:
        home = self.environment.home
        made = [path.parent.name for path in sorted(home.glob("prototypes/*/prototype.toml"))]
        return {**prototypes(), **{name: load_prototype(name, home) for name in made}}

    def prototype(self, name: str) -> Prototype:
        known = self._known()
        if name not in known:
            raise PrototypeError(f"There is no prototype “{name}”. Known: {', '.join(known)}.")
        return known[name]

    def librarian(self, name: str) -> FakeLibrarian:
        if name not in self.librarians:
            rows = cellar(240) if name == "wine" else ()
            self.librarians[name] = FakeLibrarian(name, rows, self.delay)
        return self.librarians[name]

    def index_version(self, name: str, *, ready: bool = True) -> str:
        self.prototype(name)
        return self.version

    def prepare(self, name: str) -> FakePreparation:
        return self.preparation

    def create(self, name: str) -> str:
        create_prototype(name, self.environment.home)
        return self.told

    def facets(
        self, name: str, where: Where | None = None, settings: Settings | None = None
    ) -> list[FakeFacetValues]:
        everything = self._let_through(name, settings)
        rows = [row for row in everything if matches(parse(where), row)]
        prices = [float(str(row["price"])) for row in everything] or [0.0]

        def counts(key: str) -> tuple[tuple[str, int], ...]:
            values = [v for r in rows for v in _values(r[key])]
            known = sorted({v for r in everything for v in _values(r[key])})
            return tuple((v, values.count(v)) for v in known)

        facets = self.prototype(name).facets or self.guessed
        made = {
            "country": lambda f: FakeFacetValues(f, counts(f.key), documents=len(rows)),
            "pairs_with": lambda f: FakeFacetValues(f, counts(f.key), documents=len(rows)),
            "price": lambda f: FakeFacetValues(f, (), min(prices), max(prices), len(rows)),
            "added": lambda f: FakeFacetValues(f, low=0, high=364 * _DAY, documents=len(rows)),
        }
        return [made[facet.key](facet) for facet in facets]

    def proposals(
        self, name: str, question: str, *, now: float | None = None, settings: Settings | None = None
    ) -> list[Proposal]:
        records = {
            str(row["name"]): DocumentRecord(str(row["name"]), (), "", str(row["name"]), row, 1, 1)
            for row in self._let_through(name, settings)
        }
        return propose(question, Catalogue(records, self.prototype(name)).vocabulary, now=now or 0.0)

    def matching(self, name: str, where: Where | None, settings: Settings | None = None) -> tuple[int, int]:
        everything = self._let_through(name, settings)
        return sum(matches(parse(where), row) for row in everything), len(everything)

    def _let_through(self, name: str, settings: Settings | None) -> list[Metadata]:
        """The wines that the filter of the settings lets through."""
        return self._matching((settings or self.prototype(name).settings).where)

    def page_image(self, name: str, source: str, page: int, sentence: str) -> PageImage | None:
        self.drawn.append((source, page, sentence))
        return self.image

    def beside(self, name: str, settings: Settings, progress: object = None) -> None:
        """It has no index to build."""

    def search(self, name: str, question: str, **_: object) -> FakeSearch:
        """The wines one word of which the question has, in passages of two sentences."""
        self.searched.append(question)
        words = set(re.findall(r"\w+", question.casefold()))
        found = [
            (n, row)
            for n, row in enumerate(WINES)
            if words & set(re.findall(r"\w+", f"{row['name']} {row['country']}".casefold()))
        ]
        text = "{0} is kept in the cellar. It is a wine of {1} and lies on the left."
        return FakeSearch(
            tuple(_passage(10 + n, text.format(row["name"], row["country"]), row) for n, row in found)
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
        origin: str = "chat",
        link: str | None = None,
        allowance: Any = None,
        accepted: Sequence[Where] | None = None,
        proposed: Sequence[Proposed] | None = None,
        beside: object = None,
        stopped: threading.Event | None = None,
    ) -> FakeResponse:
        asked = {"question": question, "where": where, "history": tuple(history), "name": name}
        told = {"accepted": accepted, "proposed": proposed, "link": link, "settings": settings}
        self.asked.append({**asked, **told})
        if "break" in question:
            raise GenerationError("The model did not answer. Ask again in a minute.")
        if "ponder" in question:
            assert stopped is not None
            assert stopped.wait(20)
        where, offered, dropped = self._narrowed(name, question, where, accepted, settings)
        quotes, abstained, notices = self._quotes(question, where)
        if origin == "compare" and settings is not None:
            quotes = quotes[: settings.k]
        passages = tuple(_passage(n, quote, row) for n, (quote, row) in enumerate(quotes))
        text, citations = _write(passages) if not abstained else ("I don't know from these documents.", ())

        def pieces() -> Iterator[str]:
            words = re.findall(r"\S+\s*", text) * (10 if "slow" in question else 1)
            for n, word in enumerate(words):
                if "fade" in question and n == 3:
                    raise GenerationError("The model stopped in the middle. Ask again in a minute.")
                if "wait" in question and n == 3:
                    assert self.release.wait(20)
                time.sleep(0.05 if "slow" in question else self.delay)
                yield word

        def finish(written: str, stopped: bool) -> Answer:
            return Answer(
                id=new_id(),
                question=question,
                rewritten=question,
                text=written,
                citations=tuple(c for c in citations if c.answer_end <= len(written)),
                passages=passages,
                confidence=0.2 if abstained else 0.8,
                abstained=abstained,
                generator="fake",
                usage={},
                seconds={"total": 0.02},
                provenance=Provenance(name, settings.fingerprint if settings else "5e77", "1d3", "p1", link),
                created=time.time(),
                where=where,
                conversation_id=conversation_id,
                origin=origin,  # type: ignore[arg-type]
                stopped=stopped,
                notices=(*dropped, *notices),
                proposed=offered,
            )

        def store(answer: Answer) -> None:
            values = settings.values if settings else None
            self.store.save_answer(answer, replaces=replaces, settings=values)

        return FakeResponse(pieces(), finish, store)

    def _narrowed(
        self,
        name: str,
        question: str,
        where: Where | None,
        accepted: Sequence[Where] | None,
        settings: Settings | None,
    ) -> tuple[Where | None, tuple[Proposed, ...], tuple[str, ...]]:
        """The filter, what is proposed beside it, and whether that was dropped: as the engine has it."""
        own = parse(where)
        named = self.proposals(name, question, settings=settings)
        offered = [p for p in named if not implies(own, parse(p.where))]
        chosen = accepted if accepted is not None else [p.where for p in offered] if self.guess else []
        added = [filter for filter in map(parse, chosen) if not implies(own, filter)]
        filter = reduce(combine, added, own)
        dropped = accepted is None and bool(added) and not self._matching(to_json(filter))
        filter = own if dropped else filter
        proposed = tuple(Proposed(p.label, p.where, implies(filter, parse(p.where))) for p in offered)
        return to_json(filter) or None, proposed, ("guess-dropped",) if dropped else ()

    def _quotes(
        self, question: str, where: Where | None
    ) -> tuple[list[tuple[str, Metadata]], bool, tuple[str, ...]]:
        rows = self._matching(where)
        if not rows:
            return [], True, ("filters-empty",)
        if "wax" in question:
            return [(HOSTILE, {"name": "Notes <b>on</b> wax"})], False, ()
        told = (UNAVAILABLE,) if "unranked" in question else ()
        if "endless" in question:
            told = (
                f"{CUT_OFF}Cut off at 800 tokens: raise the setting max_tokens, or ask for less at once.",
            )
        quotes = [(f"{row['name']} comes from {row['country']}.", row) for row in rows[:3]]
        return quotes, "nowhere" in question, told

    def _matching(self, where: Where | None) -> list[Metadata]:
        return [row for row in WINES if matches(parse(where), row)]


def _values(value: object) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (str(value),)


def _passage(n: int, quote: str, row: Metadata) -> Passage:
    before, after = "From the cellar book.\n", "\nDrink it within five years; store it lying down."
    return Passage(
        document_id=f"d{n}",
        source="cellar/wines.csv",
        title=str(row["name"]),
        start=100,
        end=100 + len(quote),
        text=quote,
        score=0.031 - n / 1000,
        scorer="fused",
        metadata={**{k: v for k, v in row.items() if k != "name"}, **({} if n else {"type": "pdf"})},
        path=("Reds", "South") if n else (),
        page=None if n else 3,
        context=before + quote + after,
        context_start=100 - len(before),
    )


def _write(passages: Sequence[Passage]) -> tuple[str, tuple[Citation, ...]]:
    text, citations = "", []
    for n, passage in enumerate(passages):
        start = len(text)
        text += passage.text
        end = len(text)
        text += f" [{n + 1}] "
        where = (passage.document_id, passage.source, passage.start, passage.end)
        citations.append(Citation(n + 1, *where, passage.text, "verbatim", start, end, passage=n))
    return text.rstrip(), tuple(citations)


_WORDS = re.compile(r"\S+")


class FakeEmbedder:
    """Words hashed into 32 signed counts: texts that share words are near each other.

    A token is what stands between spaces. ``delay`` seconds go by for each section, for
    tests that need an ingest to take its time.
    """

    name = "fake"
    max_tokens = 254
    dimensions = 32
    document_prompt = ""
    backend = "a fake"

    def __init__(self, name: str = "fake", delay: float = 0.0) -> None:
        self.delay = delay

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in _WORDS.finditer(text)]

    def embed_query(self, text: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self.embed_texts([text])[0]
        return vector

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.casefold()) or [""]:
                place = zlib.crc32(word.encode("utf-8", "replace"))
                row[place % self.dimensions] += 1 if place & 64 else -1
            row[0] += 0.001  # counts may cancel out, and a row of zeros has no direction
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)

    def token_vectors(self, texts: Sequence[str]) -> list[TokenVectors]:
        return [
            TokenVectors(
                np.array(self.token_offsets(text), np.int64).reshape(-1, 2),
                self.embed_texts([match[0] for match in _WORDS.finditer(text)]),
            )
            for text in texts
        ]

    def embed_sections(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> list[Vectors]:
        time.sleep(self.delay * len(texts))
        return [
            self.embed_texts([text[start:end] for start, end in inner])
            for text, inner in zip(texts, spans, strict=True)
        ]
