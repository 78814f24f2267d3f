"""Claims and what a rule makes of them by denying their verb, or by no longer denying it.

Of a true claim the denial is false, and of a claim that the source contradicts it is true. A model that
had read 300,000 pairs still took the denials of 45 of 100 true claims for said: authors seldom write a claim
and its bare denial beside the same source. No model that was taught with them was kept yet: 16,000 of them
beside hardly any other pairs halved that, and lost more elsewhere.
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
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty|dozen|few|many|most|some|"
    r"several|half|part|another|other)\b.*\b(?:not|n't|never|no|cannot)\b",
    re.IGNORECASE,
)
"""Of three things that are so, three others may not be."""
_OPEN = re.compile(
    rf"\b(?:{_EXTENT}|must|should|needs?|and|but|or|too|so|by|because|again|still)\b|[,;\d]", re.IGNORECASE
)
"""Where a claim is false but its denial need not be true: another part of it may be what is false."""
_DEEPER = re.compile(r"^the \w+(?:er|more|less)\b", re.IGNORECASE)


def denied(some: Sequence[Row], draw: random.Random, each: int) -> list[Row]:
    """Claims and their counterparts: as many true ones as false ones, with and without a word of denial.

    ``each``: how many claims at most of the true that do not deny, of the false that do not, and of those
    that do, for a kind of four.
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
    return None if other is None or _COUNTED.search(other if kind == "true" else "") else other
