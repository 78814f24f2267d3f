"""English function words: they carry a question's grammar, not its topic."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

FUNCTION_WORDS = frozenset(
    "a an the of in on at to for from by with about as into over after before between through during and "
    "or but nor not no is are was were be been being am do does did done have has had having can could "
    "will would shall should may might must what which who whom whose when where why how that this these "
    "those there here it its they them their he she his her him we our you your i my me us than then so "
    "such any some all many much more most other another also just only very".split()
)
_PUNCTUATION = ".,;:!?…\"'“”‘’«»()[]{}"


def content(question: str) -> str:
    """The question without its function words; all of it where nothing else is left."""
    return " ".join(_content(question)) or question


def has_content(question: str) -> bool:
    """Whether any word of the question says something of its topic."""
    return any(char.isalnum() for word in _content(question) for char in word)


def _content(question: str) -> list[str]:
    words = [word.strip(_PUNCTUATION) for word in question.split()]
    return [word for word in words if word and word.casefold() not in FUNCTION_WORDS]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of question, and what answers it."""

    name: Literal["date", "figure", "name"]
    asks: re.Pattern[str]
    answers: re.Pattern[str]
    worth: float
    """What a match is worth to the hand weights, in the units of ``rag.retrieve``'s evidence."""
    gives: re.Pattern[str]
    """Each match is one thing that could be the answer; the learned weights ask for a new one."""


_DATE = re.compile(
    r"\b(?:1\d{3}|20\d{2}|January|February|March|April|May|June|July|August|September|October|"
    r"November|December|century|centuries)\b"
)
_KINDS = (
    Kind(
        "date",
        re.compile(r"\bwhen\b|\b(?:what|which) (?:year|date|century|decade|month|day)\b", re.IGNORECASE),
        answers=_DATE,
        worth=2.4,
        gives=_DATE,
    ),
    Kind(
        "figure",
        re.compile(
            r"\bhow (?:many|much|old|long|far|tall|large|big|high|often|fast|wide|deep)\b|"
            r"\bwhat (?:percent|percentage|number|amount|fraction|proportion)\b",
            re.IGNORECASE,
        ),
        answers=re.compile(r"\d"),
        worth=1.3,
        gives=re.compile(
            r"\d+(?:[.,]\d+)*|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|"
            r"twenty|thirty|forty|fifty|sixty|hundreds?|thousands?|millions?|billion|half|third|quarter|"
            r"percent|once|twice|double|several)\b",
            re.IGNORECASE,
        ),
    ),
    Kind(
        "name",
        re.compile(
            r"\bwho(?:m|se)?\b|\bwhere\b|\b(?:what|which) (?:city|country|place|state|region|town)\b",
            re.IGNORECASE,
        ),
        answers=re.compile(r"(?<=[a-z,;:] )[A-Z]\w"),
        worth=2.0,
        gives=re.compile(r"(?<=[a-z0-9,;:()\"] )[(\"“]?([A-Z]\w+)"),
    ),
)


def expected(question: str) -> Kind | None:
    """What an English question of its kind is answered with.

    A date for "when", a figure for "how many", a name inside the sentence for "who" and
    "where"; None for any other question.
    """
    return next((kind for kind in _KINDS if kind.asks.search(question)), None)


def given_by(kind: Kind, text: str, known: Collection[str]) -> bool:
    """Whether the text has something of the kind that is not among the ``known`` words (casefolded)."""
    # The last group, or all where there is none; most texts need not be read to their end.
    group = kind.gives.groups
    return any(found[group].casefold() not in known for found in kind.gives.finditer(text))
