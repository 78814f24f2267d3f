"""Whether a claim and a clause say the opposite, by how many words turn the one against the other."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.cite.opposites import AGAINST
from rag.cite.polarity import is_negative, one_of
from rag.cite.turning import NEGATORS, PROHIBITING
from rag.cite.wording import Words

_MOST_OTHERS = 0.6
"""Share of a claim's other words that a sentence has which says the contrary with another word."""


@dataclass(frozen=True, slots=True)
class Turns:
    """Whether a claim and a clause differ by an odd number of words that turn them around, and which of the
    claim's words do."""

    odd: bool
    words: frozenset[str]


def turns(claim: str, clause: str) -> Turns:
    """The negations and opposites by which claim and clause differ: an odd number says the opposite.

    A negation on each side cancel out, whatever words they use; a word against its opposite
    counts as one.
    """
    mine, theirs = _plain_words(claim), _plain_words(clause)
    turning, count = set(), 0
    for word in mine:
        against = AGAINST.get(word)
        if not against or one_of(word, theirs):
            continue
        other = next((w for w in theirs if w in against and not one_of(w, mine)), None)
        if other:
            theirs.remove(other)
            turning.add(word)
            count += 1
    left = sum(_denies_alone(w) for w in theirs)
    denials = [w for w in mine if w not in turning and _denies_alone(w)]
    return Turns((count + abs(len(denials) - left)) % 2 == 1, frozenset((*turning, *denials)))


def contrary(claim: str, evidence: str) -> bool:
    """Whether an odd number of the claim's words stands against words of a sentence that has most others."""
    mine, theirs = Words.of(claim), Words.of(evidence)
    turned = {
        word
        for word in mine.all
        if not one_of(word, theirs.all)
        and any(w in AGAINST.get(word, ()) and not one_of(w, mine.all) for w in theirs.all)
        and not any(AGAINST.get(w, frozenset()) & AGAINST[word] for w in theirs.all)  # one of its own side
    }
    rest = [w for w in mine.content if w not in turned and not is_negative(w)]
    held = sum(one_of(w, theirs.all) for w in rest)
    denies = any(w in NEGATORS for w in mine.all) != any(w in NEGATORS for w in theirs.all)
    return (len(turned) % 2 == 1) != denies and bool(turned and rest) and held >= _MOST_OTHERS * len(rest)


def _plain_words(text: str) -> list[str]:
    return [w for w in Words.of(_TOO.sub(r"not \1", text)).all if w[0].isalnum()]


def _denies_alone(word: str) -> bool:
    denies = is_negative(word) or word in PROHIBITING or word in _ENDING
    return denies and word not in _LOOSELY_NEGATIVE


_TOO = re.compile(r"\btoo (\w+) (?:for \w+ )?to\b", re.IGNORECASE)
_ENDING = frozenset("closed shut gone loses lose ends ended ban bans".split())
_LOOSELY_NEGATIVE = frozenset(
    "instead rather free poor zero nil drop drops dropped stop stopped stops unlimited unlike optional "
    "spared bad wrong lost empty unchanged unaffected".split()
)
"""They answer a negation, and deny nothing by themselves."""
