"""A claim as the model reads it: as its source writes it, with marks on what the rules do not find there, or
find in another place.

To a model of this size 17 and 70 are nearly the same, and so are names that are parted into the same
pieces. Rules compare both letter by letter, but do not know what is drawn from what is said. So they
mark in the claim what they miss, and the model, which was taught with the marks, weighs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import islice

from rag.cite.compare import figures_lacking, unreached
from rag.cite.facts import LETTERS
from rag.cite.naming import joined_otherwise, names_lacking, opens_name
from rag.cite.nearer import out_of_place
from rag.cite.opposites import AGAINST
from rag.cite.polarity import one_of
from rag.cite.restate import restated, said
from rag.cite.whens import dates_lacking
from rag.cite.wording import Words, coverage
from rag.sentences import sentences

OTHER, UNREACHED, OPPOSITE, ELSEWHERE = "\u2020", "\u2021", "\u00b6", "\u00a7"
"""Behind what the source lacks, or has for something else as the rules see it; behind a figure to which no
reckoning leads from its own; behind a word whose opposite it has instead, which to the model is a word of
nearly the same meaning; behind a figure or name that it has, in a place to whose words another one is nearer.
"""
_WORD = re.compile(r"(?<![\w-])[A-Za-z]{2,}(?![\w-])")
_JOINED = re.compile(r"\w|[^\w\s]+\w")
"""What a mark would part: "30m2", "2.3.1"."""
_MARKED, _RECKONED = 16, 8
"""Figures of a claim that are marked, and of which it is asked whether a reckoning leads there: what bounds
the time."""


def marked(claim: str, evidence: str) -> str:
    """``claim`` in the notation of ``evidence``, with marks behind what that lacks, turns round, or has in
    another place."""
    written = restated(claim, evidence)
    marks: dict[int, str] = {}
    for end, mark in _marks(written, evidence):
        if written.startswith(("'s", "’s"), end):
            end += 2
        if not _JOINED.match(written, end):
            marks.setdefault(end, mark)
    for end, mark in sorted(marks.items(), reverse=True):
        written = f"{written[:end]} {mark}{written[end:]}"
    return written


def _marks(claim: str, evidence: str) -> Iterator[tuple[int, str]]:
    """Where what is marked ends, and its mark, which the first one to stand there is; figures first."""
    claim, evidence = claim.translate(LETTERS), evidence.translate(LETTERS)
    for n, (quantity, _, _) in enumerate(islice(figures_lacking(claim, [evidence]), _MARKED)):
        reckoned = n >= _RECKONED or not unreached(quantity, claim, evidence)
        yield quantity.end, OTHER if reckoned else UNREACHED
    for when, _ in dates_lacking(claim, [evidence]):
        yield when.start + len(said(claim, when)), OTHER
    for name in names_lacking(claim, evidence):
        if not name.opens or opens_name(name, claim):
            yield name.end, OTHER
    joined = joined_otherwise(claim, evidence)
    if joined is not None:
        yield joined[0], OTHER
    texts = [evidence[a:b] for a, b in sentences(evidence)]
    theirs = Words.of(max(texts, key=partial(coverage, claim), default="")).all
    for word in _WORD.finditer(claim):
        against = AGAINST.get(word[0].lower())
        if against and not against.isdisjoint(theirs) and not one_of(word[0].lower(), theirs):
            yield word.end(), OPPOSITE
    for end in out_of_place(claim, evidence):
        yield end, ELSEWHERE
