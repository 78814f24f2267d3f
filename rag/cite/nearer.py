"""Whether a figure or name of a claim stands by the claim's words in the source, or another of its kind.

"The tent sleeps three" of a source in which three is the number of its doors: all that the claim says is
there, in another place.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, pairwise

from rag.cite.compare import equal
from rag.cite.facts import Name, bare_units, names, quantities
from rag.cite.naming import bare_name
from rag.cite.wording import alike, has_content
from rag.sentences import Span, sentences
from rag.words import FUNCTION_WORDS

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|[,;:()|–—]")
"""Words, and what parts the clauses of a sentence: what stands in another clause is farther off."""
_FADES = 3.0
"""Words over which what a word says of a figure falls to 1/e."""
_AHEAD_OF_FIGURE, _AHEAD_OF_NAME = 0.3, 0.7
"""How much nearer another one is that counts, in words: so much that few true claims have one, and several
times as many of those with a figure or name in another's place."""
_MANY = 24
"""Figures and names of a claim, and of a source, that are compared: what bounds the time."""

Nearness = Callable[[Sequence[str], Iterable[Span]], float]
"""How many of some words stand by that of some places which they stand nearest to, each the less the farther
off."""


def out_of_place(claim: str, source: str) -> Iterator[int]:
    """Where each figure and name of the claim ends that the source has, but has another one of the same
    kind, which the claim has not, nearer to the claim's words."""
    nearness = _nearness(source)
    yield from _figures(claim, source, nearness)
    yield from _names(claim, source, nearness)


def _figures(claim: str, source: str, nearness: Nearness) -> Iterator[int]:
    mine = quantities(claim)
    held = [*quantities(source), *bare_units(source)][:_MANY] if mine else []
    said = [*mine, *bare_units(claim)]
    others = [q for q in held if not any(equal(q, x) or equal(x, q) for x in said)]
    spoken = list(_spoken(claim)) if others else []
    for figure in mine[:_MANY]:
        rivals = [(q.start, q.end) for q in others if q.dimension == figure.dimension]
        same = [(q.start, q.end) for q in held if equal(figure, q)]
        if rivals and same:
            words = [word for word, at in spoken if not figure.start <= at < figure.end]
            if nearness(words, rivals) - nearness(words, same) > _AHEAD_OF_FIGURE:
                yield figure.end


def _names(claim: str, source: str, nearness: Nearness) -> Iterator[int]:
    found = names(source), names(claim)
    # Any word may open a sentence; a name is what has a capital elsewhere, too.
    sure = {bare_name(n.text) for n in chain(*found) if not n.opens and len(n.text) > 2} - FUNCTION_WORDS
    held, mine = ([n for n in some if bare_name(n.text) in sure] for some in found)
    said = {bare_name(n.text) for n in mine}
    spoken = list(_spoken(claim))
    rivals = [
        n
        for run in _runs(held[:_MANY], source)
        if not any(bare_name(n.text) in said for n in run)
        for n in run
        if not any(alike(part, word) for part in _parts(n) for word, _ in spoken)
    ]
    if not rivals:
        return
    words = [word for word, at in spoken if not any(n.start <= at < n.end for n in mine)]
    best = nearness(words, [(n.start, n.end) for n in rivals])
    for name in mine[:_MANY]:
        same = [(n.start, n.end) for n in held[:_MANY] if bare_name(n.text) == bare_name(name.text)]
        if same and best - nearness(words, same) > _AHEAD_OF_NAME:
            yield name.end


def _parts(name: Name) -> list[str]:
    return [m[0] for m in _WORD.finditer(bare_name(name.text))]


def _runs(held: Sequence[Name], source: str) -> Iterator[list[Name]]:
    """Names that stand one behind the other, as those of one person do: none of them is another name than the
    rest."""
    run = [*held[:1]]
    for before, behind in pairwise(held):
        if source[before.end : behind.start] != " ":
            yield run
            run = []
        run.append(behind)
    yield run


def _nearness(source: str) -> Nearness:
    spans = sentences(source)
    words = [list(_content(source, *span)) for span in spans]
    starts = [[at for _, at in some] for some in words]

    @cache
    def places(sentence: int, word: str) -> list[int]:
        return [n for n, (its, _) in enumerate(words[sentence]) if alike(word, its)]

    def near(claimed: Sequence[str], start: int, end: int) -> float:
        sentence = next((n for n, (a, b) in enumerate(spans) if a <= start < b), None)
        if sentence is None:
            return 0.0
        before, behind = (bisect_left(starts[sentence], at) for at in (start, end))
        total = 0.0
        for word in claimed:
            found = places(sentence, word)
            first, last = bisect_left(found, before), bisect_left(found, behind)
            off = [before - 1 - n for n in found[max(0, first - 1) : first]]
            off += [n - behind for n in found[last : last + 1]]
            if off:
                total += math.exp(-min(off) / _FADES)
        return total

    return lambda claimed, some: max((near(claimed, *span) for span in some), default=0.0)


def _spoken(claim: str) -> Iterator[tuple[str, int]]:
    """Each word of content of a claim once, and where it stands first."""
    seen = set[str]()
    for word, at in _content(claim, 0, len(claim)):
        if word[0].isalpha() and word not in seen:
            seen.add(word)
            yield word, at


def _content(text: str, start: int, end: int) -> Iterator[tuple[str, int]]:
    """The words of content of a part of a text and the marks between clauses, casefolded, and where they
    start."""
    for m in _WORD.finditer(text, start, end):
        word = m[0].casefold()
        if has_content(word) or not word[0].isalpha():
            yield word, m.start()
