"""Topics: questions that mean something alike, found without being told any.

Vectors of the questions are put into clusters by spherical k-means (Dhillon and Modha 2001,
"Concept decompositions for large sparse text data using clustering", Mach. Learn. 42), and a
cluster is named by the words that set it apart (class-based tf-idf: Grootendorst 2022, "BERTopic",
arXiv:2203.05794). The number of clusters is the one of highest simplified silhouette (Vendramin,
Campello and Hruschka 2010, "Relative clustering validity criteria", Stat. Anal. Data Min. 3),
which asks only for the distances to the centres.

All of it is a matter of a few thousand questions: more are assigned to what those gave.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.keyword import terms
from rag.types import Vectors
from rag.words import FUNCTION_WORDS

FEWEST = 12
"""Different questions below which nothing is put together: one reads them as quickly."""
MOST_TOPICS = 15
"""A chart of more is not read."""
SAMPLE = 4_000
"""Questions that the clusters are made from, evenly spaced over all of them."""
_STARTS = 3
"""Starts of k-means for each number of clusters, of which the best counts."""
_ROUNDS = 30
_OUTSIDE = 0.02
"""Share of a cluster's own questions that are too far from its centre: what is as far as they
are belongs to no topic."""
_SLACK = 0.9
"""Of that cosine: a new question is seldom as near to a centre as those that made it."""
_NAMED_BY = 3
_REPEATED = 2
"""Questions of the cluster that a word must stand in to name it: what one person alone wrote
is not put up as a title."""
_ASKING = frozenset(
    "tell show give find please want know need help explain describe list name get use make like go "
    "best good way".split()
)
"""Words of asking, which say nothing of what is asked about."""
_LONG = 24
"""Characters of a word in a name."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """``centre`` has shape ``(d,)`` and unit length; see :class:`rag.store.Topic` for ``least``."""

    name: str
    centre: NDArray[np.float32]
    least: float


def topics(questions: Sequence[str], embed: Callable[[Sequence[str]], Vectors]) -> list[Cluster]:
    """The topics of some questions, the largest first; none where there are too few questions.

    The same questions in the same order give the same topics. Repeated questions count once.
    """
    distinct = list(dict.fromkeys(question.strip() for question in questions))
    if len(distinct) < FEWEST:
        return []
    places = np.unique(np.linspace(0, len(distinct) - 1, min(SAMPLE, len(distinct))).astype(int))
    sample = [distinct[at] for at in places]
    vectors = np.asarray(embed(sample), np.float32)
    centres, member = _best(vectors)
    sizes = np.bincount(member, minlength=len(centres))
    order = [int(at) for at in np.argsort(-sizes, kind="stable") if sizes[at]]
    names = _names([[q for q, m in zip(sample, member, strict=True) if m == at] for at in order])
    found = []
    for at, name in zip(order, names, strict=True):
        near = vectors[member == at] @ centres[at]
        found.append(Cluster(name, centres[at], _SLACK * float(np.quantile(near, _OUTSIDE))))
    return found


def nearest(vectors: Vectors, centres: Vectors, least: Sequence[float]) -> NDArray[np.int64]:
    """For each row of ``vectors`` the number of the nearest centre, -1 where it is not near enough."""
    cosines = vectors @ centres.T
    best: NDArray[np.int64] = cosines.argmax(axis=1)
    near = cosines[np.arange(len(vectors)), best]
    return np.where(near >= np.asarray(least, np.float32)[best] - 1e-6, best, -1)


def _best(vectors: Vectors) -> tuple[Vectors, NDArray[np.int64]]:
    """Centres and the membership of each row, for the number of clusters that fits best."""
    # Mardia, Kent and Bibby's rule of thumb bounds it: few questions in many clusters fit perfectly.
    most = max(2, min(MOST_TOPICS, round(math.sqrt(len(vectors) / 2))))
    runs = []
    for k in range(2, most + 1):
        centres, member = _k_means(vectors, k)
        runs.append((_silhouette(vectors, centres, member), centres, member))
    _, centres, member = max(runs, key=lambda run: run[0])
    return centres, member


def _k_means(vectors: Vectors, k: int) -> tuple[Vectors, NDArray[np.int64]]:
    """Spherical k-means; of several seeded starts, that of the highest sum of cosines."""
    tries = []
    for seed in range(_STARTS):
        centres = _begin(vectors, k, np.random.default_rng(seed))
        member = np.full(len(vectors), -1)
        for _ in range(_ROUNDS):
            cosines = vectors @ centres.T
            now = cosines.argmax(axis=1)
            if (now == member).all():
                break
            member = now
            for at in range(k):
                rows = vectors[member == at]
                if len(rows):
                    total = rows.sum(axis=0)
                    centres[at] = total / max(float(np.linalg.norm(total)), 1e-9)
        tries.append((float((vectors @ centres.T).max(axis=1).sum()), centres, member))
    _, centres, member = max(tries, key=lambda one: one[0])
    return centres, member


def _begin(vectors: Vectors, k: int, random: np.random.Generator) -> Vectors:
    """The first centres as k-means++ chooses them (Arthur and Vassilvitskii 2007): far from each other."""
    chosen = [int(random.integers(len(vectors)))]
    while len(chosen) < k:
        far = np.clip(1.0 - (vectors @ vectors[chosen].T).max(axis=1), 0.0, None).astype(np.float64)
        weights = far / far.sum() if far.sum() > 0 else np.full(len(far), 1 / len(far))
        chosen.append(int(random.choice(len(vectors), p=weights)))
    return vectors[chosen].copy()


def _silhouette(vectors: Vectors, centres: Vectors, member: NDArray[np.int64]) -> float:
    """Mean of (b - a) / max(a, b): ``a`` is the distance 1 - cosine to the own centre, ``b`` to the next.

    A row that is alone in its cluster counts 0, as in Rousseeuw (1987).
    """
    distances = np.sort(1.0 - vectors @ centres.T, axis=1)
    a, b = np.clip(distances[:, 0], 0.0, None), distances[:, 1]
    alone = np.bincount(member, minlength=len(centres))[member] == 1
    return float(np.mean(np.where(alone, 0.0, (b - a) / np.maximum(np.maximum(a, b), 1e-9))))


def _names(clusters: Sequence[Sequence[str]]) -> list[str]:
    """A name for each cluster: the words of highest class-based tf-idf, W = tf · log(1 + A / f).

    ``tf``: questions of the cluster that hold the word; ``f``: those of all clusters; ``A``: mean
    number of words of a cluster. Words are told apart by their stems, and shown in the form that is
    met most.
    """
    forms: dict[str, Counter[str]] = {}
    held = []
    for cluster in clusters:
        counts: Counter[str] = Counter()
        for question in cluster:
            words = dict(_words(question))
            counts.update(words.keys())
            for stem, form in words.items():
                forms.setdefault(stem, Counter())[form] += 1
        held.append(counts)
    total = sum(held, Counter())
    mean = sum(total.values()) / max(len(held), 1)
    names: list[str] = []
    for number, counts in enumerate(held, start=1):
        score = {
            stem: count * math.log(1 + mean / total[stem])
            for stem, count in counts.items()
            if count >= _REPEATED
        }
        best = sorted(score, key=lambda stem: (-score[stem], stem))[:_NAMED_BY]
        name = ", ".join(min(forms[stem].items(), key=lambda form: (-form[1], form[0]))[0] for stem in best)
        name = name or f"Topic {number}"
        names.append(name if name not in names else f"{name} ({number})")
    return names


def _words(question: str) -> list[tuple[str, str]]:
    """Stem and form of each word of a question that may name its topic."""
    found = []
    for word in question.casefold().split():
        form = "".join(c if c.isalnum() or c in "-'’" else " " for c in word)
        for part in form.split():
            part = part.strip("-'’")
            if part in FUNCTION_WORDS or part in _ASKING or not any(c.isalpha() for c in part):
                continue
            stems = terms(part)
            # Scripts without spaces give pairs of characters, each of which is a word here.
            pairs = [(stem, stem) for stem in stems] if len(stems) > 1 and not part.isascii() else []
            found += pairs or [(" ".join(stems), part[:_LONG])]
    return [(stem, form) for stem, form in found if len(stem) > 1]
