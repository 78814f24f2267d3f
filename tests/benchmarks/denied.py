"""Claims and what a rule makes of them by denying their verb, or by no longer denying it.

Of a true claim the denial is false, and of a claim that the source contradicts it is true. A model that
has read many pairs still takes many of the first for said: authors seldom write a claim and its bare denial
beside the same source. What teaching with them was worth stands in ``tests/claims/README.md``.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from tests.benchmarks.labelled import Row
from tests.benchmarks.negated import negated
from tests.benchmarks.plain import MANNER

_EXTENT = (
    r"all|every\w*|each|both|some\w*|only|just|alone|most\w*|many|few|several|half|part\w*|more|less|fewer|least|"
    r"always|often|sometimes|usually|about|almost|nearly|up to|exactly|exclusive\w*|solely|completely|fully|"
    r"whole|entire\w*"
)
_COUNTED = re.compile(
    r"\b(?:\d[\d.,]*|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|"
    r"(?:twen|thir|for|fif|six|seven|eigh|nine)ty|dozen|few|many|most|some|several|half|part|another|other)\b"
    rf".*(?:{MANNER.pattern})",
    re.IGNORECASE,
)
"""Of three things that are so, three others may not be."""
_OPEN = re.compile(
    rf"\b(?:{_EXTENT}|must|should|needs?|and|but|or|too|so|by|because|again|still)\b|[,;\d]", re.IGNORECASE
)
"""Where a claim is false but its denial need not be true: another part of it may be what is false."""
_DEEPER = re.compile(r"^the \w+(?:er|more|less)\b", re.IGNORECASE)


def denied(some: Sequence[Row], draw: random.Random, each: int) -> list[Row]:
    """Claims, each before its counterpart: as many true as false ones, with and without a word of denial.

    At most ``each`` claims of a kind: true or false, with such a word or without.
    """
    groups: dict[tuple[str, bool], list[tuple[Row, Row]]] = {}
    for kind, claim, source in draw.sample(list(some), len(some)):
        if kind not in ("true", "negation"):
            continue
        group = groups.setdefault((kind, MANNER.search(claim) is not None), [])
        other = _counterpart(kind, claim) if len(group) < each else None
        if other is not None:
            made = "negation" if kind == "true" else "true"
            group.append(((kind, claim, source), (made, other, source)))
    found = []
    for denies in (False, True):
        both = [groups.get((kind, denies), []) for kind in ("true", "negation")]
        least = min(map(len, both))
        found += [row for group in both for two in group[:least] for row in two]
    return found


def _counterpart(kind: str, claim: str) -> str | None:
    if _DEEPER.match(claim) or (kind == "negation" and _OPEN.search(claim)):
        return None
    other = negated(claim)
    if other is None or (kind == "true" and any(_COUNTED.search(text) for text in (claim, other))):
        return None
    return other
