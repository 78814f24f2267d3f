"""What is known of each candidate sentence: one row of numbers, which weights turn into a score."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rag import bm25
from rag.types import IndexedChunk
from rag.words import content, expected, given_by

Matrix = NDArray[np.float64]

_LONG = 300
"""A longer sentence says more; past about 300 characters it only dilutes."""
_KINDS = ("date", "figure", "name")


class Terms(Protocol):
    """What the signals ask of the keyword index."""

    def analyse(self, texts: Sequence[str]) -> list[list[str]]: ...
    def idf(self, terms: Sequence[str]) -> Mapping[str, float]: ...
    def numbers(self, found: Sequence[IndexedChunk]) -> list[tuple[bm25.Numbers, bm25.Numbers]]: ...


def signals(
    question: str,
    found: Sequence[IndexedChunk],
    window: Sequence[float],
    cosine: Sequence[float],
    bm25: Sequence[float],
    terms: Terms,
) -> Matrix:
    """Shape ``(sentences, signals)``, the columns those of :data:`rag.weights.SIGNALS`.

    - ``window``: the best fused window that holds the sentence;
    - ``cosine``, ``bm25``: of the sentence itself;
    - ``length``: its characters, up to 300;
    - ``near``, ``section``: the share of the idf of the question's content words that stands in
      the sentence and its neighbours, and in those of its section that are candidates; title and
      headings included;
    - ``pairs``: the share of the question's pairs of adjacent terms, by idf, that are adjacent in
      a sentence of the section.

    These are z-scores over the sentences. ``date``, ``figure`` and ``name`` are 1 where the question
    asks for one and the sentence has one that the question does not give.
    """
    if not found:
        return np.zeros((0, 7 + len(_KINDS)))
    near, section, pairs = _coverage(question, found, terms)
    lengths = [min(len(f.chunk.text), _LONG) for f in found]
    rows = z(np.array([window, cosine, bm25, lengths, near, section, pairs], np.float64))
    return np.column_stack([*rows, _kinds(question, found)])


def _coverage(question: str, found: Sequence[IndexedChunk], terms: Terms) -> tuple[Matrix, Matrix, Matrix]:
    asked, topic = terms.analyse([question, content(question)])
    idf = terms.idf([*asked, *topic])
    heads, own = zip(*terms.numbers(found), strict=True)
    at, flat = _flat(own)
    head_at, head_flat = _flat(heads)

    stems: dict[str, float] = {}
    for term in topic:
        stems[term[: bm25.STEM]] = max(stems.get(term[: bm25.STEM], 0.0), idf[term])
    begins = bm25.stems(bm25.numbers(stems))
    has = _holds(begins, bm25.stems(flat), at, len(found))
    has |= _holds(begins, bm25.stems(head_flat), head_at, len(found))
    pairs = list(dict.fromkeys(itertools.pairwise(asked)))
    pair_idf = [idf[one] + idf[two] for one, two in pairs]
    beside = at[:-1] == at[1:]
    follows = _holds(
        _joined(bm25.numbers(one for one, _ in pairs), bm25.numbers(two for _, two in pairs)),
        _joined(flat[:-1], flat[1:])[beside],
        at[:-1][beside],
        len(found),
    )

    order, first, beside = _runs(found)
    back = np.argsort(order)
    has, follows = has[order], follows[order]
    around = has.copy()
    around[1:] |= has[:-1] & beside[:, None]
    around[:-1] |= has[1:] & beside[:, None]
    section = np.cumsum(first) - 1
    starts = np.flatnonzero(first)
    whole = np.logical_or.reduceat(has, starts)[section]
    follows = np.logical_or.reduceat(follows, starts)[section]
    shares = (_share(around, stems.values()), _share(whole, stems.values()), _share(follows, pair_idf))
    near, of_section, of_pairs = (share[back] for share in shares)
    return near, of_section, of_pairs


def _runs(found: Sequence[IndexedChunk]) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """The sentences in reading order, section by section.

    Gives the rows in that order, shape ``(n,)``; whether each of them is the first of its section,
    ``(n,)``; and whether each but the last stands just before the next in one section, ``(n - 1,)``.
    """
    numbers: dict[tuple[str, int, int], int] = {}
    sections = np.empty(len(found), np.int64)
    places = np.empty(len(found), np.int64)
    for row, one in enumerate(found):
        chunk = one.chunk
        key = (chunk.document_id, chunk.section.start, chunk.section.end)
        sections[row] = numbers.setdefault(key, len(numbers))
        places[row] = chunk.n
    order = np.lexsort((places, sections))
    sections, places = sections[order], places[order]
    same = sections[1:] == sections[:-1]
    return order, np.concatenate([[True], ~same]), same & (places[1:] == places[:-1] + 1)


def _flat(texts: Sequence[bm25.Numbers]) -> tuple[NDArray[np.int64], bm25.Numbers]:
    """All terms one after another, and the row that each belongs to."""
    return np.repeat(np.arange(len(texts)), [len(text) for text in texts]), np.concatenate(texts)


def _joined(one: bm25.Numbers, two: bm25.Numbers) -> NDArray[np.uint64]:
    return (one.astype(np.uint64) << np.uint64(32)) | two.astype(np.uint64)


def _holds(asked: NDArray[Any], values: NDArray[Any], row: NDArray[np.int64], rows: int) -> NDArray[np.bool_]:
    """Whether each of ``asked`` is among the values of each row: shape ``(rows, asked)``."""
    held = np.zeros((rows, len(asked)), bool)
    for at, one in enumerate(asked):
        held[row[values == one], at] = True
    return held


def _share(held: NDArray[np.bool_], weights: Iterable[float]) -> Matrix:
    """Each row's share of the weights."""
    array = np.fromiter(weights, np.float64)
    total = array.sum()
    return np.asarray(held @ array / total if total > 0 else np.zeros(len(held)), np.float64)


def _kinds(question: str, found: Sequence[IndexedChunk]) -> Matrix:
    flags = np.zeros((len(found), len(_KINDS)))
    asked = expected(question)
    if asked is not None:
        known = frozenset(word.casefold() for word in re.findall(r"\w+", question))
        flags[:, _KINDS.index(asked.name)] = [given_by(asked, f.chunk.text, known) for f in found]
    return flags


def z(values: Iterable[float] | Matrix) -> Matrix:
    """Standard scores of each row, or of the one there is; zeros where all its values are the same."""
    array = np.asarray(values if isinstance(values, np.ndarray) else list(values), np.float64)
    if not array.size:
        return np.zeros_like(array)
    array = array - array.mean(axis=-1, keepdims=True)
    spread = np.sqrt(np.square(array).mean(axis=-1, keepdims=True))
    scores: Matrix = np.divide(array, spread, out=np.zeros_like(array), where=spread > 1e-9)
    return scores
