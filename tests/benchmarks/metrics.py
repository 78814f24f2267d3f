"""What the benchmarks compute, as pure functions.

Texts are compared by character offsets into their source, so that every contender is
scored by one rule, whatever it calls a chunk.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Span = tuple[int, int]
"""Half-open character offsets."""
Place = tuple[str, int, int]
"""A source, and a span of its text."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Characters of the context against those of the relevant excerpts; shares in [0, 1]."""

    recall: float
    """Of the relevant characters, the share that the context holds."""
    precision: float
    """Of the context's characters, the share that is relevant."""
    iou: float
    """Characters in both, over characters in either."""


def merged(spans: Sequence[Span]) -> list[Span]:
    """The spans in order of the text, those that overlap or touch made one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        elif start < end:
            found.append((start, end))
    return found


def fill(ranked: Sequence[Place], tokens: Mapping[str, Sequence[Span]], budget: int) -> list[Place]:
    """The ranked places, best first, until ``budget`` unique tokens are held; merged per source.

    ``tokens`` gives the character span of every token of every source. A token that is held
    already costs nothing. The first place that does not fit is cut behind the last token
    that does, so that coarse chunks are not punished with an empty rest; nothing follows it.
    """
    held: dict[str, set[int]] = {}
    spans: dict[str, list[Span]] = {}
    left = budget
    for source, start, end in ranked:
        of_source = tokens[source]
        first = bisect_right(of_source, start, key=lambda token: token[1])
        last = bisect_left(of_source, end, key=lambda token: token[0])
        mine = held.setdefault(source, set())
        new = [at for at in range(first, last) if at not in mine]
        if len(new) > left:
            # Whatever stands before the first token that does not fit is held or paid for.
            behind = new[left] - 1
            if behind >= first:
                spans.setdefault(source, []).append((start, of_source[behind][1]))
            break
        mine.update(new)
        left -= len(new)
        spans.setdefault(source, []).append((start, end))
    return [(source, *span) for source, found in spans.items() for span in merged(found)]


def overlap(context: Sequence[Place], relevant: Sequence[Place]) -> Overlap:
    """How the context covers the relevant excerpts, character by character."""
    held = {(source, at) for source, start, end in context for at in range(start, end)}
    wanted = {(source, at) for source, start, end in relevant for at in range(start, end)}
    both = len(held & wanted)
    return Overlap(
        recall=both / len(wanted) if wanted else 0.0,
        precision=both / len(held) if held else 0.0,
        iou=both / len(held | wanted) if held or wanted else 0.0,
    )


def locate(piece: str, text: str, near: int | None = None) -> Span | None:
    """Where a piece of a text stands in it: verbatim, else with other white space; None where nowhere.

    Of several places the one closest to ``near``, else the first.
    """
    found = _verbatim(piece.strip(), text, near)
    if found is not None:
        return found
    # Some splitters join sentences with one blank, whatever stood between them.
    kept = [at for at, letter in enumerate(text) if not letter.isspace()]
    close = None if near is None else bisect_left(kept, near)
    bare = _verbatim("".join(piece.split()), "".join(text.split()), close)
    return None if bare is None else (kept[bare[0]], kept[bare[1] - 1] + 1)


def _verbatim(piece: str, text: str, near: int | None) -> Span | None:
    if not piece:
        return None
    starts = [text.find(piece)]
    while near is not None and starts[-1] >= 0:
        starts.append(text.find(piece, starts[-1] + 1))
    starts = [start for start in starts if start >= 0]
    if not starts:
        return None
    start = starts[0] if near is None else min(starts, key=lambda at: abs(at - near))
    return start, start + len(piece)


def hit(ranked: Sequence[str], relevant: str, k: int) -> float:
    """1 where the relevant id is among the first ``k``, else 0."""
    return float(relevant in ranked[:k])


def reciprocal_rank(ranked: Sequence[str], relevant: str, k: int = 10) -> float:
    """1 / rank of the relevant id, 0 beyond ``k``; its mean is MRR@k."""
    return 1 / (ranked.index(relevant) + 1) if relevant in ranked[:k] else 0.0


def ndcg(ranked: Sequence[str], relevant: str, k: int = 10) -> float:
    """nDCG@k with one relevant id: 1 / log2(1 + rank), as the ideal gain is 1."""
    return 1 / math.log2(ranked.index(relevant) + 2) if relevant in ranked[:k] else 0.0


def interval(
    values: Sequence[float], level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """The percentile bootstrap interval of the mean of one value a question.

    Of differences between two contenders on the same questions it is the paired interval.
    """
    array = np.asarray(values, np.float64)
    drawn = np.random.default_rng(seed).integers(0, len(array), (resamples, len(array)))
    low, high = np.quantile(array[drawn].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


MEASURES: dict[str, Callable[[Sequence[str], str], float]] = {
    "hit@1": lambda ranked, relevant: hit(ranked, relevant, 1),
    "hit@5": lambda ranked, relevant: hit(ranked, relevant, 5),
    "MRR@10": reciprocal_rank,
    "nDCG@10": ndcg,
}
"""Of a ranking of documents with one relevant one."""
