"""Rows of a table among the sentences of a source: which a claim is about, and which belong together."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.cite.facts import quantities
from rag.cite.wording import Words, alike

_COMPARES = re.compile(
    r"\b(?:only|most|least|all|every|each|both|than|\w{3,}(?<!inter)(?<!inv)(?<!arr)(?<!requ)(?<!gu)est)\b",
    re.IGNORECASE,
)
_BARS = 2
"""From which a line is a row."""


def rows_asked(claim: str, texts: Sequence[str]) -> list[int]:
    """Numbers of ``texts`` without the rows of tables that speak of something else.

    A row speaks of what its first cell says. Where the claim has all its words, the other rows go, whose
    figures would be mistaken for its own; the head of a table stays. So do all where the claim compares, or
    has more figures than those rows, as it sums up several.
    """
    if _COMPARES.search(claim):
        return list(range(len(texts)))
    mine = Words.of(claim).content
    rows, told = set(), set()
    for n, text in enumerate(texts):
        if not _is_row(text) or _rules(text) or not (n and _is_row(texts[n - 1])):
            continue
        rows.add(n)
        key = Words.of(_first_cell(text)).content
        if key and all(any(alike(word, w) for w in mine) for word in key):
            told.add(n)
    figures = sum(len(quantities(texts[n])) for n in told)
    if not told or len(quantities(claim)) > figures:
        return list(range(len(texts)))
    return [n for n in range(len(texts)) if n not in rows or n in told]


def table_of(texts: Sequence[str], at: int) -> range:
    """Numbers of the rows of the table that text ``at`` is a row of; none where it is no row."""
    if not _is_row(texts[at]):
        return range(0)
    first = last = at
    while first and _is_row(texts[first - 1]):
        first -= 1
    while last + 1 < len(texts) and _is_row(texts[last + 1]):
        last += 1
    return range(first, last + 1)


def _is_row(text: str) -> bool:
    return text.count("|") >= _BARS


def _rules(text: str) -> bool:
    """Whether it is the line under a table's head."""
    return "--" in text


def _first_cell(row: str) -> str:
    return row.strip().splitlines()[0].strip().strip("|").split("|")[0]
