"""What is known of each candidate sentence: one row of numbers, which weights turn into a score."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.types import IndexedChunk
from rag.words import content, expected, given_by

Matrix = NDArray[np.float64]

_STEM = 5
"""Characters of a term that must agree: "Norman" then covers "Normandy". Whole terms found the
same right paragraphs and about 0.3 points fewer right sentences (SQuAD, held-out articles)."""
_LONG = 300
"""A longer sentence says more; past about 300 characters it only dilutes."""
_KINDS = ("date", "figure", "name")


class Terms(Protocol):
    """What the signals ask of the keyword index."""

    def analyse(self, texts: Sequence[str]) -> list[list[str]]: ...
    def idf(self, terms: Sequence[str]) -> Mapping[str, float]: ...


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
    columns = [z(values) for values in (window, cosine, bm25, lengths, near, section, pairs)]
    return np.column_stack([*columns, _kinds(question, found)])


def _coverage(question: str, found: Sequence[IndexedChunk], terms: Terms) -> tuple[Matrix, Matrix, Matrix]:
    heads = list(dict.fromkeys(_head(f) for f in found))
    asked, topic, *analysed = terms.analyse(
        [question, content(question), *heads, *(f.chunk.text for f in found)]
    )
    idf = terms.idf([*asked, *topic])
    stems: dict[str, float] = {}
    for term in topic:
        stems[term[:_STEM]] = max(stems.get(term[:_STEM], 0.0), idf[term])
    stem_at = {stem: at for at, stem in enumerate(stems)}
    pair_at = {pair: at for at, pair in enumerate(dict.fromkeys(itertools.pairwise(asked)))}
    pair_idf = [idf[one] + idf[two] for one, two in pair_at]
    in_heads = dict(zip(heads, analysed[: len(heads)], strict=True))

    has = np.zeros((len(found), len(stem_at)), bool)
    follows = np.zeros((len(found), len(pair_at)), bool)
    for row, (f, own) in enumerate(zip(found, analysed[len(heads) :], strict=True)):
        for term in (*own, *in_heads[_head(f)]):
            at = stem_at.get(term[:_STEM])
            if at is not None:
                has[row, at] = True
        for pair in itertools.pairwise(own):
            at = pair_at.get(pair)
            if at is not None:
                follows[row, at] = True

    row_of = {(f.chunk.document_id, f.chunk.n): row for row, f in enumerate(found)}
    around = has.copy()
    sections: dict[tuple[str, int, int], list[int]] = {}
    for row, f in enumerate(found):
        chunk = f.chunk
        sections.setdefault((chunk.document_id, chunk.section.start, chunk.section.end), []).append(row)
        for n in (chunk.n - 1, chunk.n + 1):
            other = row_of.get((chunk.document_id, n))
            if other is not None and found[other].chunk.section == chunk.section:
                around[row] |= has[other]
    for rows in sections.values():
        has[rows] = has[rows].any(axis=0)
        follows[rows] = follows[rows].any(axis=0)
    return _share(around, stems.values()), _share(has, stems.values()), _share(follows, pair_idf)


def _share(held: NDArray[np.bool_], weights: Iterable[float]) -> Matrix:
    """Each row's share of the weights."""
    array = np.fromiter(weights, np.float64)
    total = array.sum()
    return np.asarray(held @ array / total if total > 0 else np.zeros(len(held)), np.float64)


def _head(found: IndexedChunk) -> str:
    return " ".join((found.title, *found.chunk.section.path))


def _kinds(question: str, found: Sequence[IndexedChunk]) -> Matrix:
    flags = np.zeros((len(found), len(_KINDS)))
    asked = expected(question)
    if asked is not None:
        known = frozenset(word.casefold() for word in re.findall(r"\w+", question))
        flags[:, _KINDS.index(asked.name)] = [given_by(asked, f.chunk.text, known) for f in found]
    return flags


def z(values: Iterable[float] | Matrix) -> Matrix:
    """Standard scores; zeros where all values are the same."""
    array = np.asarray(list(values), np.float64)
    spread = array.std() if len(array) else 0.0
    return (array - array.mean()) / spread if spread > 1e-9 else np.zeros_like(array)
