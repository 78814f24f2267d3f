"""BM25 of a few chunks that are known already, from their terms as numbers.

A search walks the lists of a term; to score a hundred given chunks it would walk them once
more. So each chunk carries its terms, four bytes each, and its score is a sum over those:
the same as Tantivy's (k1 = 1.2, b = 0.75), which tests/test_bm25.py compares it with.

A number holds two hashes: of the term's first :data:`STEM` characters in the upper 20 bits, of
the whole term in the lower 12. Two terms are taken for one another once in four billion pairs,
or once in four thousand where they begin alike; two beginnings once in a million.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from struct import Struct
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.uint32]

STEM = 5
"""Characters that :func:`stems` tells terms apart by: "Norman" then covers "Normandy". Whole terms
found the same right paragraphs and about 0.3 points fewer right sentences (SQuAD, held-out
articles)."""
_SHIFT = 12
_LOW = (1 << _SHIFT) - 1
_K1, _B = 1.2, 0.75


def _lengths() -> NDArray[np.float64]:
    """The lengths that Tantivy tells apart: one byte a text, exact up to 40 terms, then ever coarser."""
    values = list(range(24))
    for byte in range(24, 256):
        shift, low = divmod(byte - 24, 8)
        values.append(24 + (low if shift == 0 else (low | 8) << (shift - 1)))
    return np.array(values, np.float64)


LENGTHS = _lengths()


@lru_cache(maxsize=50_000)
def number(term: str) -> int:
    """The number of a term."""
    whole = zlib.crc32(term.encode("utf-8", "surrogatepass"))
    return (zlib.crc32(term[:STEM].encode("utf-8", "surrogatepass")) & ~_LOW) | (whole & _LOW)


def numbers(terms: Iterable[str]) -> Numbers:
    """The numbers of terms, in their order."""
    return np.fromiter(map(number, terms), np.uint32)


def stems(terms: Numbers) -> Numbers:
    """What terms that begin alike have in common."""
    return terms >> np.uint32(_SHIFT)


class Terms(NamedTuple):
    """The terms of a chunk: of its window, of its title and headings, and its own.

    A tuple, because a question makes some hundreds, and a frozen dataclass takes thrice as long.
    ``section`` holds the numbers of the chunks of its section; it is empty where they are not known.
    """

    window: Numbers
    head: Numbers
    own: Numbers
    section: range = range(0)


_HEADER = Struct("<6I")


def pack(terms: Terms, at: int | None = None) -> bytes:
    """``terms`` as bytes. The head opens the window; ``at`` is where the chunk's own terms stand in
    it, None where they do not."""
    window, own, section = terms.window, terms.own, terms.section
    head = [len(window), len(window) if at is None else at, len(own), len(terms.head)]
    parts = (window, own) if at is None else (window,)
    header = _HEADER.pack(*head, section.start, section.stop)
    return header + b"".join(part.astype("<u4").tobytes() for part in parts)


def unpack(packed: bytes) -> Terms:
    """The terms of :func:`pack`."""
    length, at, own, head, first, end = _HEADER.unpack_from(packed)
    values = np.frombuffer(packed, "<u4", offset=_HEADER.size)
    return Terms(values[:length], values[:head], values[at : at + own], range(first, end))


def scores(weights: Mapping[str, float], texts: Sequence[Numbers], average: float) -> NDArray[np.float64]:
    """BM25 of each text, shape ``(n,)``.

    ``weights`` holds each term's idf, times what the term counts; ``average`` is the mean length
    of a text in terms.
    """
    if not texts or not weights:
        return np.zeros(len(texts))
    asked = numbers(weights)
    order = np.argsort(asked)
    asked, idf = asked[order], np.fromiter(weights.values(), np.float64)[order]
    counts = occurrences(asked, texts)
    lengths = np.array([len(text) for text in texts])
    rounded = LENGTHS[np.searchsorted(LENGTHS, lengths, side="right") - 1]
    norm = _K1 * (1 - _B + _B * rounded / max(average, 1e-9))
    shares = counts * (1 + _K1) / (counts + norm[:, None])
    return np.asarray(shares @ idf, np.float64)


def occurrences(asked: Numbers, texts: Sequence[Numbers]) -> NDArray[np.int64]:
    """How often each of ``asked`` (ascending) stands in each text: shape ``(texts, asked)``."""
    if not texts or not len(asked):
        return np.zeros((len(texts), len(asked)), np.int64)
    flat = np.concatenate(texts)
    # Nearly all terms of a text are not asked for, and the lower bits tell of nearly all of those.
    some = np.zeros(_LOW + 1, bool)
    some[asked & _LOW] = True
    places = np.flatnonzero(some[flat & _LOW])
    values = flat[places]
    at = np.minimum(np.searchsorted(asked, values), len(asked) - 1)
    hit = asked[at] == values
    row = np.searchsorted(np.cumsum([len(text) for text in texts]), places[hit], side="right")
    found = np.bincount(row * len(asked) + at[hit], minlength=len(texts) * len(asked))
    return found.reshape(len(texts), len(asked))
