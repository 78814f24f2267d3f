"""The chunks in Tantivy: BM25 on disk, filtered like the vectors.

A keyword index is a copy: everything in it can be rebuilt from the collection of
vectors, so a damaged one is set aside (``<path>.damaged``) and an empty one put in its
place. Reads see the last commit that :meth:`KeywordIndex.refresh` saw; a writer is held
only for one commit, so several processes can share an index.

Scores are Tantivy's BM25 (k1 = 1.2, b = 0.75). A question is a bag of terms: it is
analysed like the text and never parsed as query syntax.
"""

from __future__ import annotations

import math
import re
import shutil
import threading
import time
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

from rag import bm25
from rag.errors import IndexingError
from rag.filters import Filter, Nothing, clean, fact_terms, normalise, to_tantivy
from rag.kept import Entry, Kept
from rag.types import Hit, IndexedChunk, Metadata
from rag.words import FUNCTION_WORDS

Field: TypeAlias = Literal["window", "own"]
_T = TypeVar("_T")

MAX_TERMS = 64
"""Distinct terms of a question that are searched, the rarest first: a long question costs no
more than this, and its commonest words would hardly change the order."""
MAX_QUESTION = 50_000
"""Characters of a question that are analysed."""
FUNCTION_WEIGHT = 0.4
"""What a function word of the question counts in windows, beside 1 for another term. In a
catalogue hardly a row says "is" or "from", so their idf drowned the words that mean
something. Chosen on the public data, where both 1 and 0 find fewer right SQuAD paragraphs
first and less at 200 tokens (tests/benchmarks/quality.py DATA --constant
rag.keyword.FUNCTION_WEIGHT=1). A sentence's own score counts them fully: they tell a
question's kind."""
_HEAP = 50_000_000
"""Bytes that a writer may fill before it puts a segment on disk (Tantivy's least is 15 MB)."""
_LOCK_WAIT = 30.0
"""Seconds to wait for another process's commit."""

# --- analysis ----------------------------------------------------------------

_MARKS = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670]+")
"""Accents (Latin, Greek, Cyrillic) and the vowel points of Hebrew and Arabic. Marks of other
scripts are letters in their own right and stay."""
_UNSPACED = re.compile(
    "[\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7a3"
    "\U00020000-\U0003ffff"  # Han, kana and Hangul,
    "\u0e00-\u0e3e\u0e40-\u0e4f\u0e80-\u0eff\u1000-\u104f\u1780-\u17d3]+"  # Thai, Lao, Burmese, Khmer
)
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_TOKEN = r"\p{L}(?:\+\+|#)|\d+(?:\.\d+)+|[\p{L}\p{M}\p{N}]+"
"""``C++`` and ``C#``, decimals and versions (``3.5``, ``1.2.3``), words. Rust's regex syntax."""


def terms(text: str) -> list[str]:
    """The terms of a text, in order, repeats kept: the one analysis of chunks and questions.

    Case, accents and compatibility forms are folded, English words stemmed, decimals kept
    whole (``3.5``), thousands joined (``1,000`` is ``1000``). Scripts written without
    spaces give overlapping pairs of characters (a lone one stands alone), and so does
    Korean, whose words carry endings. No word is left out: BM25 weighs common ones down.
    """
    found: list[str] = _analyser().analyze(_prepare(text))
    return found


def numbers(text: str) -> bm25.Numbers:
    """The terms of a text as numbers (:mod:`rag.bm25`)."""
    return bm25.numbers(terms(text))


@lru_cache(maxsize=64)
def _asked(question: str) -> tuple[str, ...]:
    """The distinct terms of a question, which is asked of both fields and of several sets of chunks."""
    return tuple(dict.fromkeys(terms(question)))


@cache
def _analyser() -> Any:
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    builder = TextAnalyzerBuilder(Tokenizer.regex(_TOKEN))
    for step in (
        Filter.lowercase(),
        Filter.ascii_fold(),
        Filter.stemmer("english"),
        Filter.remove_long(200),  # bytes; encoded data, not words
    ):
        builder = builder.filter(step)
    return builder.build()


def _prepare(text: str) -> str:
    """What Tantivy's analyser cannot do: folding of every script, pairs of characters."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", clean(text))
        text = unicodedata.normalize("NFKC", _MARKS.sub("", decomposed)).casefold()
        text = _UNSPACED.sub(_pairs, text)
    return _THOUSANDS.sub(lambda number: number[0].replace(",", ""), text)


def _pairs(run: re.Match[str]) -> str:
    characters = run[0]
    if len(characters) == 1:
        return f" {characters} "
    return f" {' '.join(characters[i : i + 2] for i in range(len(characters) - 1))} "


# --- the index ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeywordEntry:
    """A chunk as the keyword index takes it.

    ``window`` is the text that is searched (heading path, neighbouring sentences),
    ``own`` the chunk's text alone, ``metadata`` what filters see. ``record`` and
    ``vector`` are only kept, for :mod:`rag.stored` to give back; ``terms`` are those of both
    texts (:func:`rag.bm25.pack`), made of the texts where they are not given.
    """

    chunk_id: str
    document_id: str
    window: str
    own: str
    metadata: Metadata
    record: bytes = b""
    vector: bytes = b""
    terms: bytes = b""


class KeywordIndex:
    """The keyword index of one collection, in the folder ``path``.

    Safe to share between threads. A missing or damaged folder gives an empty index,
    never an error: ask :attr:`empty`, and write the entries again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing = threading.Lock()
        self._swapping = threading.Lock()
        self._index: Any
        self._kept: Kept
        self._commit: tuple[int, ...] | None
        with self._swapping:
            self._open()

    # reading

    @property
    def empty(self) -> bool:
        """Whether there is nothing to search: new, cleared, or set aside as damaged."""
        return self.count() == 0

    def count(self) -> int:
        return int(self._searcher.num_docs)

    @property
    def _searcher(self) -> Any:
        return self._kept.searcher

    def entries(self, chunk_ids: Iterable[str]) -> dict[str, Entry]:
        """What is kept of these chunks, in no order; ids that are not there are left out."""
        with self._mended():
            return self._kept.get(chunk_ids)

    @contextmanager
    def reading(self) -> Iterator[tuple[Any, Any]]:
        """The ``tantivy`` searcher of the last commit seen, and its index; damage is mended and said."""
        with self._mended():
            yield self._searcher, self._index

    def chunk_ids(self) -> set[str]:
        import tantivy

        with self._mended():
            found = self._searcher.terms_with_prefix("id", "", tantivy.Query.all_query())
        return {chunk_id for chunk_id, _ in found}

    def search(
        self, question: str, n: int, where: Filter | None = None, field: Field = "window"
    ) -> list[Hit]:
        """The ``n`` best chunks that share a term with the question, best first (BM25 > 0)."""
        if n < 1 or isinstance(where, Nothing):
            return []
        with self._mended():
            return self._hits(question, n, field, lambda: where and to_tantivy(where, self._index))

    def scores(self, question: str, chunk_ids: Sequence[str], field: Field = "window") -> dict[str, float]:
        """BM25 of the given chunks; 0 for a chunk that shares no term with the question."""
        if not chunk_ids:
            return {}
        with self._mended():
            kept = self._kept
            found = kept.get(chunk_ids)
            entries = [found[key] for key in dict.fromkeys(chunk_ids) if key in found]
            texts = [entry.terms.window if field == "window" else entry.terms.own for entry in entries]
            counts = self._weights(question, field)
            idf = self.idf(list(counts), field)
            weights = {term: count * idf[term] for term, count in counts.items()}
            values = bm25.scores(weights, texts, kept.average(field))
        scores = {entry.id: float(value) for entry, value in zip(entries, values, strict=True)}
        return dict.fromkeys(chunk_ids, 0.0) | scores

    def idf(self, terms: Sequence[str], field: Field = "own") -> dict[str, float]:
        """BM25's weight of each term: ``ln(1 + (N - df + 0.5) / (df + 0.5))`` over N chunks."""
        kept = self._kept
        total = kept.searcher.num_docs
        weights = {}
        for term in dict.fromkeys(terms):
            # Chunks deleted since the last merge still count in df.
            frequency = min(kept.frequency(field, term), total)
            weights[term] = math.log(1 + (total - frequency + 0.5) / (frequency + 0.5))
        return weights

    def analyse(self, texts: Sequence[str]) -> list[list[str]]:
        """The :func:`terms` of each text."""
        return [terms(text) for text in texts]

    def numbers(self, found: Sequence[IndexedChunk]) -> list[tuple[bm25.Numbers, bm25.Numbers]]:
        """The terms of each chunk's title and headings, and of its own text, as numbers."""
        kept = self.entries(one.chunk.id for one in found)
        entries = [kept.get(one.chunk.id) for one in found]
        return [
            (numbers(" ".join((one.title, *one.chunk.section.path))), numbers(one.chunk.text))
            if entry is None
            else (entry.terms.head, entry.terms.own)
            for one, entry in zip(found, entries, strict=True)
        ]

    def refresh(self) -> None:
        """See what other processes committed. Costs one look at a file when nothing changed."""
        if self._stat() == self._commit:
            return
        with self._swapping:
            self._reload()

    # writing

    def write(self, entries: Sequence[KeywordEntry], *, delete: Collection[str] = ()) -> None:
        """Delete documents by id, then add entries (replacing those of the same chunk id): one commit.

        Raises :class:`IndexingError` when another process holds the index for half a
        minute, or the disk refuses.
        """
        import tantivy

        if not entries and not delete:
            return

        def fill(writer: Any) -> None:
            for document_id in delete:
                writer.delete_documents_by_term("document", clean(document_id))
            for entry in entries:
                writer.delete_documents_by_term("id", clean(entry.chunk_id))
                document = tantivy.Document()
                document.add_text("id", clean(entry.chunk_id))
                document.add_text("document", clean(entry.document_id))
                document.add_text("window", _prepare(entry.window))
                document.add_text("own", _prepare(entry.own))
                document.add_bytes("record", entry.record)
                document.add_bytes("vector", entry.vector)
                packed = entry.terms or _packed(entry.window, entry.own)
                found = bm25.unpack(packed)
                document.add_bytes("terms", packed)
                document.add_unsigned("window_length", len(found.window))
                document.add_unsigned("own_length", len(found.own))
                for term in fact_terms(normalise(entry.metadata)):
                    document.add_text("facts", term)
                writer.add_document(document)

        self._commit_with(fill)

    def clear(self) -> None:
        """Delete every entry."""
        self._commit_with(lambda writer: writer.delete_all_documents())

    # inside

    def _hits(self, question: str, n: int, field: Field, restriction: Callable[[], Any]) -> list[Hit]:
        import tantivy

        query, occur = tantivy.Query, tantivy.Occur
        kept, schema = self._kept, self._index.schema
        weights = self._weights(question, field)
        if not weights:
            return []
        bag = query.boolean_query(
            [
                (occur.Should, query.boost_query(query.term_query(schema, field, term, "freq"), weight))
                for term, weight in weights.items()
            ]
        )
        allowed = restriction()
        if allowed is not None:
            bag = query.boolean_query(
                [(occur.Must, bag), (occur.Must, query.const_score_query(allowed, 0.0))]
            )
        found = kept.searcher.search(bag, min(n, max(1, kept.searcher.num_docs)), count=False).hits
        entries = kept.at([address for _, address in found])
        hits = [Hit(entry.id, float(score)) for entry, (score, _) in zip(entries, found, strict=True)]
        return sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))

    def _weights(self, question: str, field: Field) -> dict[str, float]:
        """What each term of the question that stands in any chunk counts, the rarest first."""
        kept = self._kept
        frequencies = {term: kept.frequency(field, term) for term in _asked(question[:MAX_QUESTION])}
        light = _function_terms() if field == "window" else frozenset()
        known = sorted((term for term, count in frequencies.items() if count), key=frequencies.__getitem__)
        return {term: FUNCTION_WEIGHT if term in light else 1.0 for term in known[:MAX_TERMS]}

    def _commit_with(self, fill: Callable[[Any], None]) -> None:
        with self._writing:
            writer = self._writer()
            try:
                fill(writer)
                writer.commit()
                writer.wait_merging_threads()  # dropped at once, it would cut merges short
            except BaseException as error:
                if not _is_damage(error):
                    raise
                raise IndexingError(
                    f"The keyword index could not be written ({_line(error)}); "
                    "check the free disk space, then run: python -m rag doctor"
                ) from error
            finally:
                del writer
            with self._swapping:
                self._reload()

    def _writer(self) -> Any:
        end = time.monotonic() + _LOCK_WAIT
        while True:
            try:
                return self._index.writer(_HEAP, 1)
            except ValueError as error:
                if "LockBusy" not in str(error):
                    raise IndexingError(f"The keyword index cannot be written: {_line(error)}") from error
                if time.monotonic() > end:
                    raise IndexingError(
                        "Another process is writing the keyword index; try again when it is done."
                    ) from error
            time.sleep(0.05)

    def _stat(self) -> tuple[int, ...] | None:
        try:
            found = (self.path / "meta.json").stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def _open(self) -> None:
        try:
            self._attach()
        except BaseException as error:
            if not _is_damage(error):
                raise
            if "schema does not match" in str(error):
                shutil.rmtree(self.path, ignore_errors=True)  # of another version: made anew, not damaged
            else:
                self._set_aside()
            try:
                self._attach()
            except (ValueError, OSError) as again:
                raise IndexingError(
                    f"No keyword index can be made in {self.path.name}: {_line(again)}"
                ) from again

    def _attach(self) -> None:
        import tantivy

        self.path.mkdir(parents=True, exist_ok=True)
        commit = self._stat()
        index = tantivy.Index(_schema(), str(self.path))
        index.register_tokenizer("text", _analyser())
        index.reload()
        searcher = index.searcher()
        for _, address in searcher.search(tantivy.Query.all_query(), 1, count=False).hits:
            searcher.doc(address)
        self._index, self._commit = index, commit or self._stat()
        self._kept = Kept(searcher, index.schema)

    def _reload(self) -> None:
        try:
            commit = self._stat()
            if commit is None:
                raise OSError("the folder is gone")
            self._index.reload()
            self._kept, self._commit = Kept(self._index.searcher(), self._index.schema), commit
        except BaseException as error:
            if not _is_damage(error):
                raise
            self._open()

    def _set_aside(self) -> None:
        aside = self.path.with_name(self.path.name + ".damaged")
        shutil.rmtree(aside, ignore_errors=True)
        if self.path.exists():
            self.path.rename(aside)

    @contextmanager
    def _mended(self) -> Iterator[None]:
        """Turn damage found while reading into an empty index and a sentence."""
        try:
            yield
        except BaseException as error:
            if not _is_damage(error):
                raise
            with self._swapping:
                self._set_aside()
                self._open()
            raise IndexingError(
                "The keyword index was damaged and has been set aside; "
                "ask again: it is rebuilt from the vectors."
            ) from error


@cache
def _function_terms() -> frozenset[str]:
    return frozenset(term for word in FUNCTION_WORDS for term in terms(word))


def _packed(window: str, own: str) -> bytes:
    return bm25.pack(bm25.Terms(numbers(window), numbers(""), numbers(own)))


def _schema() -> Any:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("document", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("window", tokenizer_name="text", index_option="freq")
    builder.add_text_field("own", tokenizer_name="text", index_option="freq")
    builder.add_text_field("facts", tokenizer_name="raw", index_option="basic")
    builder.add_bytes_field("record", stored=True, indexed=False)
    builder.add_bytes_field("vector", stored=True, indexed=False)
    builder.add_bytes_field("terms", stored=True, indexed=False)
    builder.add_unsigned_field("window_length", fast=True)
    builder.add_unsigned_field("own_length", fast=True)
    return builder.build()


def _is_damage(error: BaseException) -> bool:
    """Tantivy reports damage as ValueError, and as a panic (no Exception) where it is surprised."""
    return isinstance(error, ValueError | OSError) or type(error).__name__ == "PanicException"


def _line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
