"""The vocabulary: every value that travels between the stages.

All of them are frozen, slotted dataclasses. A stage takes one and returns new ones;
none reaches back. Offsets count Unicode code points, half-open, into
``Document.text``. Scores of different scorers are never compared. Times are seconds,
shares are fractions in [0, 1].
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

MetaValue: TypeAlias = str | int | float | bool | tuple[str, ...]
Metadata: TypeAlias = Mapping[str, MetaValue]
Where: TypeAlias = Mapping[str, object]
"""A metadata filter as JSON; see :mod:`rag.filters` for the language."""

Vectors: TypeAlias = NDArray[np.float32]
"""Shape ``(n, d)``, float32, every row of unit length."""

BlockKind: TypeAlias = Literal["heading", "prose", "list", "table", "code", "row"]
Scorer: TypeAlias = Literal["dense", "bm25", "fused", "late", "cross", "cohere"]
Verdict: TypeAlias = Literal["verbatim", "supported", "unsupported"]
Change: TypeAlias = Literal[
    "true", "number", "date", "unit", "name", "negation", "quantifier", "half", "unrelated"
]
"""What a claim is beside its source: it follows, or what of it was changed or added."""
Rating: TypeAlias = Literal["up", "down"]
Origin: TypeAlias = Literal["chat", "batch", "command", "compare"]
LinkKind: TypeAlias = Literal["prototype", "conversation"]
Choice: TypeAlias = Literal["left", "right", "tie", "neither"]
Failure: TypeAlias = Literal[
    "not-in-corpus", "not-retrieved", "ranked-low", "not-used", "bad-citation", "should-refuse"
]
"""Where an answer went wrong, from the corpus to the words: see :class:`Annotation`."""
Basis: TypeAlias = Literal["label", "correction", "report", "reason", "guess"]


# --- ingest -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Block:
    """A structural span of a document, as its reader saw it.

    ``path`` is the heading path that the block stands under, outermost first (a
    heading belongs to its own path). ``page`` counts from 1. Text between blocks
    (front matter, blank lines) belongs to no block and is never searched, but stays
    part of the document's text.
    """

    start: int
    end: int
    kind: BlockKind = "prose"
    path: tuple[str, ...] = ()
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """One source text with its metadata.

    ``metadata`` holds what was declared (front matter, columns, a sidecar) and what
    was found (``type``, dates as numbers); not ``source`` and ``title``, which are
    fields. ``blocks`` are ordered and do not overlap. ``named`` tells an id that was
    given from one that hashes the content.
    """

    id: str
    text: str
    source: str
    title: str
    metadata: Metadata = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    named: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """The big text: a span that reads on its own, about 200 tokens."""

    start: int
    end: int
    path: tuple[str, ...] = ()
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """The small text: about a sentence, embedded and keyword-indexed.

    Chunks tile their document: ``text`` is ``document.text[start:end]`` and ``gap``
    is what stands between ``end`` and the next chunk's start (or the document's end),
    so any span is rebuilt by joining ``text + gap``. What stands before the first
    chunk is the ``lead`` of the document's record.
    """

    document_id: str
    n: int
    start: int
    end: int
    text: str
    gap: str
    section: Section
    kind: BlockKind = "prose"

    @property
    def id(self) -> str:
        """The chunk's key in both indexes: ``<document id>:<n>``."""
        return f"{self.document_id}:{self.n}"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that a document was read from.

    ``sha256`` hashes the file's bytes together with what shapes its chunks (reader
    options, chunking), so a change of either makes the file count as changed; it is
    empty where a part of the file failed, so that the file is read again next time.
    ``documents`` is how many documents the file gave: fewer records than that with this
    hash mean an ingest that was interrupted. ``member`` is the path inside the file, where the
    file holds others (an archive, an e-mail): what changed is judged by the file as a whole.
    """

    path: str
    sha256: str
    documents: int = 1
    member: str = ""

    @property
    def source(self) -> str:
        """The path shown to people: ``archive.zip/inner`` for a member."""
        return f"{self.path}/{self.member}" if self.member else self.path


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """What an index keeps of a document beside its chunks.

    ``files`` are all the places that the same content came from; the first one is the
    one shown. ``content_hash`` tells whether a document with a given id has changed.
    ``lead`` is the text before the first chunk, ``added`` when it first came (Unix seconds; 0
    where that is not known).
    """

    id: str
    files: tuple[SourceFile, ...]
    content_hash: str
    title: str
    metadata: Metadata
    chunks: int
    sections: int
    lead: str = ""
    added: float = 0.0

    @property
    def source(self) -> str:
        """The path shown to people: that of the first file."""
        return self.files[0].source if self.files else ""


@dataclass(frozen=True, slots=True)
class IndexedChunk:
    """A chunk as an index gives it back, with its document's facts beside it."""

    chunk: Chunk
    source: str
    title: str
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk id and its score under one scorer (cosine, or BM25)."""

    chunk_id: str
    score: float


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """A file, or a line of one, that could not be read: which, and why, in a sentence."""

    path: str
    error: str


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file of an ingest, or that it is being read.

    ``done``: its documents, ``documents`` of them, are in the index. ``error`` says in sentences
    what could not be read of it; of a ``failed`` one that is all of it.
    """

    source: str
    state: Literal["running", "done", "unchanged", "failed"]
    documents: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class IngestProgress:
    """Where an ingest stands; ``share`` of it is done. ``seconds_left`` is None until it is known."""

    stage: Literal["waiting", "loading", "reading", "embedding", "done"]
    files_done: int
    files_total: int
    chunks_done: int
    seconds: float
    seconds_left: float | None = None
    current: str = ""
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What one ingest did. Counts are documents of this run; the last three are totals."""

    prototype: str
    files: int
    added: int
    unchanged: int
    replaced: int
    removed: int
    failed: tuple[ReadFailure, ...]
    documents: int
    sections: int
    chunks: int
    seconds: Mapping[str, float]
    skipped: tuple[str, ...] = ()
    """Files in folders that no reader handles, or links that lead out of them."""
    stopped: bool = False
    """Whether it was ended early; what was finished is kept."""


# --- ask --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a passage, and how well it answers the question by itself.

    ``start:end`` are offsets into the document. ``score`` is comparable within one
    answer only; ``cosine`` is that of its vector with the question's.
    """

    start: int
    end: int
    score: float
    cosine: float
    kind: BlockKind = "prose"


@dataclass(frozen=True, slots=True)
class Passage:
    """Retrieved text, with where it stands and why it was retrieved.

    ``text == document.text[start:end]``. ``context`` is the text of the section around
    it, from ``context_start``, so that a reader sees the evidence where it stands, and
    a stored answer can still show it when the document is gone.
    """

    document_id: str
    source: str
    title: str
    start: int
    end: int
    text: str
    score: float
    scorer: Scorer
    metadata: Metadata = field(default_factory=dict)
    path: tuple[str, ...] = ()
    page: int | None = None
    context: str = ""
    context_start: int = 0
    sentences: tuple[Sentence, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """A number in the answer, what it supports there, and what it quotes.

    ``answer_start:answer_end`` is a span of ``Answer.text``; ``start:end`` one of the
    document's text, equal to ``quote``. ``passage`` is the index of the passage (from
    0) in ``Answer.passages`` that the quote stands in.
    """

    number: int
    document_id: str
    source: str
    start: int
    end: int
    quote: str
    verdict: Verdict
    answer_start: int
    answer_end: int
    passage: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of a written answer, or the part of one up to its marker, as it was checked.

    ``start:end`` is a span of ``Answer.text``. ``reasons`` say what was not found: a number,
    date, unit, name, negation, quantifier or opposite that was changed; ``unsaid``: the sources surely
    do not say it; ``meaning``: they seem not to.
    ``cited`` are the passages (from 0) that the model gave for it; ``attributed`` tells that a
    citation which supports it was found elsewhere.
    """

    start: int
    end: int
    verdict: Verdict
    score: float
    reasons: tuple[str, ...] = ()
    cited: tuple[int, ...] = ()
    attributed: bool = False


@dataclass(frozen=True, slots=True)
class CitationQuality:
    """Of the citations as the model gave them, before any was moved or dropped.

    As ALCE defines them (Gao et al. 2023, "Enabling Large Language Models to Generate Text
    with Citations", section 4.3), with the claim checker in the place of its entailment model.
    ``recall``: share of claims that all their cited passages together support. ``precision``:
    share of citations that belong to such a claim and either support it alone or are needed,
    the others not supporting it together. None where there is nothing to divide by.
    """

    recall: float | None
    precision: float | None
    unknown: int = 0
    """Markers that named no passage."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier exchange of a conversation."""

    question: str
    text: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """What an answer was made with, so that it can be told apart and repeated."""

    prototype: str
    settings: str
    """Fingerprint of the settings."""
    index_version: str
    prompt_version: str
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Proposed:
    """A filter that the question named, in words, and whether the answer was found under it."""

    label: str
    where: Where
    applied: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """A question, what was answered, and the whole evidence for it.

    ``citations`` come best evidence first. ``abstained`` answers cite nothing; their
    passages are the nearest that were found. ``usage`` counts tokens where a model
    reported them. ``stopped`` is true where the reader ended it early.
    """

    id: str
    question: str
    rewritten: str
    text: str
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    confidence: float
    abstained: bool
    generator: str
    usage: Mapping[str, int]
    seconds: Mapping[str, float]
    provenance: Provenance
    created: float
    """Unix seconds, UTC."""
    where: Where | None = None
    conversation_id: str | None = None
    origin: Origin = "chat"
    stopped: bool = False
    notices: tuple[str, ...] = ()
    proposed: tuple[Proposed, ...] = ()
    claims: tuple[Claim, ...] = ()
    """Of an answer that a model wrote; a quotation is its own claim."""
    quality: CitationQuality | None = None
    model: str = ""
    """The model that wrote it, by its name at the service."""
    cost: float | None = None
    """US dollars of all calls for it, by the prices of that day; None where they are unknown."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a generator made of its passages, before the engine wraps it in an Answer."""

    text: str
    citations: tuple[Citation, ...]
    usage: Mapping[str, int] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    quality: CitationQuality | None = None
    abstained: bool = False
    """A model said that the passages do not answer."""
    generator: str = ""
    """Who wrote it, where that is another than was asked for."""
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation that a model gave beside its text: the span of it, and passages (from 0)."""

    start: int
    end: int
    passages: tuple[int, ...]


# --- learn ------------------------------------------------------------------


REASONS: Mapping[str, str] = {
    "wrong": "Wrong",
    "incomplete": "Incomplete",
    "not-in-sources": "Not in the sources",
    "bad-citation": "Bad citation",
    "out-of-date": "Out of date",
    "off-topic": "Off topic",
    "unsafe": "Unsafe",
    "other": "Other",
}
"""Reasons that a reader is offered with a thumb down: as stored, and as shown."""


@dataclass(frozen=True, slots=True)
class Relevant:
    """A span that a reader named as what answers the question: a relevance label.

    ``text == document.text[start:end]`` at the time. ``retrieved`` is its place (from 0) among
    the passages of the answer, None where it was found by a search of the reader's own.
    """

    document_id: str
    start: int
    end: int
    source: str = ""
    text: str = ""
    retrieved: int | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a reader thought of an answer. Append-only: the highest revision counts.

    ``rating`` is None where it was taken back. ``reasons`` are of :data:`REASONS`, or words of
    the reader's own. ``passage`` is what should have been cited, ``reported`` the numbers of
    citations that do not support what they stand for. ``origin`` is where it was given. ``id``
    is a random UUID in hexadecimal, by which a second delivery is recognised.
    """

    answer_id: str
    revision: int
    rating: Rating | None
    reasons: tuple[str, ...] = ()
    comment: str = ""
    correction: str = ""
    created: float = 0.0
    origin: Origin = "chat"
    passage: Relevant | None = None
    reported: tuple[int, ...] = ()
    id: str = ""


@dataclass(frozen=True, slots=True)
class Preference:
    """Which of two answers to one question a reader preferred, not knowing which was which.

    Append-only, as feedback is: of one ``pair`` the highest revision counts. ``left`` and
    ``right`` are the answers as they stood on the page, ``left_settings`` and ``right_settings``
    the fingerprints of what they were made with. ``choice`` is None where it was taken back.
    """

    id: str
    pair: str
    revision: int
    prototype: str
    question: str
    left: str
    right: str
    left_settings: str
    right_settings: str
    choice: Choice | None
    reason: str = ""
    created: float = 0.0


@dataclass(frozen=True, slots=True)
class Annotation:
    """What the owner says of an answer; append-only, the highest revision counts.

    ``failure`` corrects what the program found (None: nothing was corrected).
    """

    answer_id: str
    revision: int
    failure: Failure | None
    note: str = ""
    created: float = 0.0


@dataclass(frozen=True, slots=True)
class Finding:
    """Where an answer went wrong, as the program found it; see :mod:`rag.triage`.

    ``failure`` is None where it cannot be told. ``basis`` is what it was told from, the surest
    first: ``label`` (the passage that the reader named), ``correction``, ``report`` (of a
    citation), ``reason``, or ``guess``. ``why`` is a sentence.
    """

    answer_id: str
    failure: Failure | None
    basis: Basis
    why: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """A list of answers under one title, bound to the secret of one browser."""

    id: str
    title: str
    prototype: str
    created: float
    updated: float
    answers: int = 0


# --- share ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LinkCaps:
    """The most that may be asked and spent under a link; None: no limit of its own."""

    visitor: int | None = None
    """Questions of one visitor."""
    day: int | None = None
    """Questions a day (UTC), of all visitors."""
    total: int | None = None
    dollars: float | None = None
    """For answers that a model writes; beyond it they are quoted."""


@dataclass(frozen=True, slots=True)
class LinkTerms:
    """What a link was made with, and holds as long as it lives. ``revoked`` comes with a new revision.

    Of a prototype: all of its ``settings`` by their stable keys, with their ``fingerprint``, the
    version of the prompt and of the index at that time. Of a conversation: its id and those of
    the ``answers`` it had. ``password`` is a hash (:func:`rag.access.hash_password`). Times are
    Unix seconds.
    """

    label: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)
    fingerprint: str = ""
    prompt_version: str = ""
    index_version: str = ""
    expires: float | None = None
    password: str | None = None
    caps: LinkCaps = LinkCaps()
    conversation: str | None = None
    answers: tuple[str, ...] = ()
    revoked: float | None = None


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One revision of a link, as the store keeps it. Append-only; of the token, the SHA-256."""

    id: str
    link_id: str
    revision: int
    kind: LinkKind
    token_hash: str
    prototype: str
    terms: LinkTerms
    created: float


# --- plug-ins ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TokenVectors:
    """A text's tokens, special ones left out: where each stands, and its vector in context.

    ``offsets`` has shape ``(t, 2)``, characters into the text; ``vectors`` ``(t, d)``, unit
    rows. A text longer than the model's window is cut there.
    """

    offsets: NDArray[np.int64]
    vectors: Vectors


class Embedder(Protocol):
    """Texts to unit vectors, one model behind it."""

    @property
    def name(self) -> str:
        """The model's name, as in the settings."""

    @property
    def max_tokens(self) -> int:
        """Most tokens of a text that the model reads, without special tokens."""

    @property
    def dimensions(self) -> int: ...

    @property
    def document_prompt(self) -> str:
        """What stands before every text that is embedded but a question; it shapes the index."""

    @property
    def backend(self) -> str:
        """What computes the vectors, in words for a person."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text under the model's tokenizer, without special tokens."""

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Character span in ``text`` of each token, without special tokens."""

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """One question: shape ``(d,)``, unit length."""

    def embed_sections(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> list[Vectors]:
        """Late pooling: for each section, one unit row for each of its sentences."""

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Whole texts: shape ``(n, d)``."""

    def token_vectors(self, texts: Sequence[str]) -> list[TokenVectors] | None:
        """Each text's tokens, for late interaction; None where the model gives none."""


class Reranker(Protocol):
    """Puts the passages that a search found in a better order."""

    scorer: Scorer

    def rerank(self, question: str, passages: Sequence[Passage]) -> list[Passage]:
        """All of ``passages``, best first, with scores of this scorer.

        The scores of their sentences say where the evidence stands: the highest of a
        passage is the sentence that carries it. Raises :class:`rag.errors.RerankError`
        where the re-ranker cannot be loaded or reached.
        """


class Generator(Protocol):
    """Writes the answer from the passages, a piece at a time."""

    name: str
    prompt_version: str
    system_prompt: str
    """What the model is told to be; empty where there is no model."""

    def generate(
        self, question: str, passages: Sequence[Passage], history: Sequence[Turn]
    ) -> Iterator[str | Cited | Draft]:
        """Yield pieces of text as they are ready, and what has been made so far as a Draft.

        A Draft may come more than once; the last one counts. What a model writes holds markers
        (``[2]``) of passages, or comes with ``Cited``; its citations are not checked yet.
        Raises :class:`rag.errors.GenerationError`.
        """
