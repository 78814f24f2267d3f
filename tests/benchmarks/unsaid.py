"""True claims beside a text about the same that does not say them, as pairs to teach with.

A claim beside any other text is told apart by its subject alone. What a reader meets is the passage next to
the right one: the same names, and nothing of what is claimed. Two rules make such pairs of true ones, and
both call them ``unrelated``: the sentence that says it is left out (:func:`left_out`), or the source is
one of the nearest texts about something else (:func:`nearby`).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.cite.signals import EmbedTexts
from rag.sentences import sentences
from tests.benchmarks.labelled import Row

NEAR, AHEAD = 0.4, 0.2
"""Cosine of a claim and the sentence that says it, and how much nearer that is than each other one."""
FROM, TO = 5, 30
"""Of which of the nearest sources, by rank, one is drawn: nearer ones say the same now and then."""
AT_ONCE = 2_048


def left_out(true: Sequence[Row], embed: EmbedTexts) -> Iterator[Row]:
    """Each claim beside its source without the one sentence that is near to it; those of which several
    are near, or none, are passed over."""
    sources = list(dict.fromkeys(source for _, _, source in true))
    spans = {source: sentences(source) for source in sources}
    texts = list(dict.fromkeys(source[a:b] for source in sources for a, b in spans[source]))
    rows = _vectors(texts, embed)
    number = {text: n for n, text in enumerate(texts)}
    for (_, claim, source), vector in zip(true, _vectors([c for _, c, _ in true], embed), strict=True):
        if len(spans[source]) < 3:
            continue
        near = rows[[number[source[a:b]] for a, b in spans[source]]] @ vector
        *_, second, best = np.sort(near)
        if best >= NEAR and best - second >= AHEAD:
            a, b = spans[source][int(near.argmax())]
            yield "unrelated", claim, f"{source[:a].rstrip()} {source[b:].lstrip()}".strip()


def nearby(
    true: Sequence[Row], sources: Sequence[str], embed: EmbedTexts, draw: random.Random
) -> Iterator[Row]:
    """Each claim beside one of ``sources`` that is near and not its own; they are more than ``FROM``."""
    rows = _vectors(sources, embed)
    number = {source: n for n, source in enumerate(sources)}
    vectors = _vectors([claim for _, claim, _ in true], embed)
    for at in range(0, len(true), AT_ONCE):
        part = true[at : at + AT_ONCE]
        near = vectors[at : at + AT_ONCE] @ rows.T
        for (_, claim, source), of in zip(part, near, strict=True):
            of[number[source]] = -np.inf  # the last of all
            nearest = np.argsort(-of)[: len(sources) - 1][FROM:TO]
            yield "unrelated", claim, sources[int(draw.choice(nearest.tolist()))]


def _vectors(texts: Sequence[str], embed: EmbedTexts) -> NDArray[np.float32]:
    """Unit vectors ``(n, dimensions)``."""
    return np.vstack([embed(texts[at : at + AT_ONCE]) for at in range(0, len(texts), AT_ONCE)])
