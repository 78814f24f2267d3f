"""English function words: they carry a question's grammar, not its topic."""

from __future__ import annotations

import re

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
    words = [word.strip(_PUNCTUATION) for word in question.split()]
    words = [word for word in words if word and word.casefold() not in FUNCTION_WORDS]
    return " ".join(words) or question


_KINDS: tuple[tuple[re.Pattern[str], re.Pattern[str], float], ...] = (
    (
        re.compile(r"\bwhen\b|\b(?:what|which) (?:year|date|century|decade|month|day)\b", re.IGNORECASE),
        re.compile(
            r"\b(?:1\d{3}|20\d{2}|January|February|March|April|May|June|July|August|September|October|"
            r"November|December|century|centuries)\b"
        ),
        2.4,
    ),
    (
        re.compile(
            r"\bhow (?:many|much|old|long|far|tall|large|big|high|often|fast|wide|deep)\b|"
            r"\bwhat (?:percent|percentage|number|amount|fraction|proportion)\b",
            re.IGNORECASE,
        ),
        re.compile(r"\d"),
        1.3,
    ),
    (
        re.compile(
            r"\bwho(?:m|se)?\b|\bwhere\b|\b(?:what|which) (?:city|country|place|state|region|town)\b",
            re.IGNORECASE,
        ),
        re.compile(r"(?<=[a-z,;:] )[A-Z]\w"),
        2.0,
    ),
)


def expected(question: str) -> tuple[re.Pattern[str], float] | None:
    """What an English question of its kind is answered with, and what that is worth.

    A date for "when", a figure for "how many", a name inside the sentence for "who" and
    "where"; None for any other question. The worth is in the units of
    ``rag.retrieve``'s evidence, fitted with its weights.
    """
    for asks, answers, worth in _KINDS:
        if asks.search(question):
            return answers, worth
    return None
