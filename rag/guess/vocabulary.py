"""What a question can name in one collection: values, ranges and dates, and words that only look so.

Made once for each state of an index and searched for every question.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rag.facets import FacetValues, Table, fold, read_name, word_set
from rag.guess.places import AMBIGUOUS, adjectives, is_place, other_names
from rag.guess.tokens import singular, stems, tokenise
from rag.guess.words import DOCUMENT_NOUNS, ENDERS, SELECTS, WHOLES
from rag.prototypes import Facet

Concept = Literal["money", "rating", "year", "percent", "other"]

CONCEPT_WORDS: dict[Concept, frozenset[str]] = {
    "money": word_set("price priced cost costs costing spend budget pay paying cheap cheaper expensive"),
    "rating": word_set("rated rating score scored scoring point pt star ranked graded"),
    "year": word_set("vintage year harvest harvested picked"),
    "percent": word_set("percent percentage"),
    "other": frozenset(),
}
"""Words of a question that speak of a kind of number, whatever its key is called."""
_MONEY_KEYS = word_set("price cost costs fee fees amount msrp rrp")
_RATING_KEYS = word_set("rating ratings score scores points stars grade")
_YEAR_KEYS = word_set("year vintage")
_CURRENCIES = frozenset({"€", "$", "£", "¥", "CHF", "crowns"})

_SUBJECT = 0.1
"""Share of titles that hold their value, from which a facet's values are words of the subject. Of the
styles of the wines 2 % do, of the topics of the benefits office 27 %."""
_SAMPLE = 5_000
"""Titles that this share is estimated from."""
_NAMES = 20_000
"""Values of one key, and titles, that are read for names."""
_TOGETHER = 20
"""Values that one word may stand for: more would be a filter of a screenful."""
_PHRASE = 8
"""Words of the longest phrase."""
_PARTS = re.compile(r"\s*(?:[,/&(;]|\band\b|\bor\b)\s*", re.IGNORECASE)
_TAILS = re.compile(r"\s+(?:with|for|of|in|from|to|without|on)\s+.*", re.IGNORECASE)
_VAGUE = (
    word_set(
        "other others miscellaneous misc general unknown none all new yes no true false various default good "
        "best may march open"
    )
    | ENDERS
    | SELECTS
    | WHOLES
)
"""Values that nobody names by the word alone."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a phrase stands for: values of one facet.

    ``is_place``: a country; ``is_adjective``: said as French is for France; ``is_risky``: a
    place whose name is another word too; ``in_capitals``: counts only so written (US);
    ``is_subject``: a word that titles are made of, so that naming it selects nothing yet.
    """

    facet: Facet
    values: tuple[str, ...]
    is_place: bool = False
    is_adjective: bool = False
    is_risky: bool = False
    in_capitals: bool = False
    is_subject: bool = False


@dataclass(frozen=True, slots=True)
class Quantity:
    """A facet of numbers: its ends, the kind of number, and words that name it."""

    facet: Facet
    low: float
    high: float
    concept: Concept
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Everything that a question is read against."""

    phrases: dict[tuple[str, ...], tuple[Meaning, ...]] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    """Stems of capitalised words in values that are no facet's: Cabernet, Rioja."""
    blocked: frozenset[tuple[str, ...]] = frozenset()
    """Phrases of other values that hold a facet's value: Vin de France."""
    titles: frozenset[tuple[str, ...]] = frozenset()
    """The same for titles; they count only where the question writes them as names."""
    nouns: frozenset[str] = DOCUMENT_NOUNS
    is_named: bool = False
    """Whether ``nouns`` hold a word for these documents, beside those for any."""
    quantities: tuple[Quantity, ...] = ()
    dates: tuple[FacetValues, ...] = ()
    """The facets of dates, with their first and last moment."""
    labels: dict[str, frozenset[str]] = field(default_factory=dict)
    """Stems of the words of each facet's key and label."""


def read_vocabulary(facets: Sequence[FacetValues], table: Table, nouns: Collection[str] = ()) -> Vocabulary:
    """The vocabulary of facets with all their values over the documents of ``table``.

    ``nouns`` are words for what these documents are (``wine``), beside those that stand in
    many of their titles.
    """
    own = {singular(fold(noun)) for noun in nouns} | _nouns_of_titles(table)
    known = DOCUMENT_NOUNS | own
    phrases: dict[tuple[str, ...], list[Meaning]] = {}
    for facet in facets:
        for phrase, meaning in _meanings(facet, table, known):
            meanings = phrases.setdefault(phrase, [])
            same = next((m for m in meanings if m.facet.key == meaning.facet.key), None)
            if same is None:
                meanings.append(meaning)
            elif same.values != meaning.values and meaning.values[0] not in same.values:
                merged = tuple(dict.fromkeys((*same.values, *meaning.values)))
                meanings[meanings.index(same)] = Meaning(facet.facet, merged, is_subject=same.is_subject)
    words = {word for phrase in phrases for word in phrase}
    keys = {facet.facet.key for facet in facets} | {"type"}
    blocked: set[tuple[str, ...]] = set()
    names: set[str] = set()
    for key in table.keys:
        column = table.column(key)
        if key in keys or read_name(key).is_id or read_name(key).is_text:
            continue
        for value in column.names[:_NAMES]:
            if len(value) > 60:
                continue
            tokens = [token for token in tokenise(value) if token.is_word]
            names.update(token.stem for token in tokens if token.is_capital and len(token.stem) > 2)
            phrase = tuple(token.stem for token in tokens)
            if 1 < len(phrase) <= _PHRASE and words.intersection(phrase):
                blocked.add(phrase)
    titles: set[tuple[str, ...]] = set()
    for record in table.records[:_NAMES]:
        phrase = stems(record.title[:100])
        if 1 < len(phrase) <= _PHRASE and words.intersection(phrase):
            titles.add(phrase)
    return Vocabulary(
        phrases={phrase: tuple(meanings) for phrase, meanings in phrases.items()},
        names=frozenset(names),
        blocked=frozenset(blocked - phrases.keys()),
        titles=frozenset(titles - phrases.keys()),
        nouns=frozenset(known),
        is_named=bool(own - DOCUMENT_NOUNS),
        quantities=tuple(quantity for facet in facets if (quantity := _quantity(facet)) is not None),
        dates=tuple(facet for facet in facets if facet.facet.kind == "date"),
        labels={facet.facet.key: _label_words(facet.facet) for facet in facets},
    )


def _nouns_of_titles(table: Table) -> set[str]:
    """Words of a third of the titles: what they all are ("Nordvik backpack", "Alder backpack")."""
    counts: Counter[str] = Counter()
    titles = [table.records[row].title[:200] for row in range(0, len(table), max(1, len(table) // _SAMPLE))]
    for title in titles:
        counts.update(set(stems(title)))
    return {
        word
        for word, count in counts.items()
        if 3 * count >= max(len(titles), 12) and len(word) > 2 and word.isalpha() and word not in ENDERS
    }


# --- values -------------------------------------------------------------------


def _meanings(
    facet: FacetValues, table: Table, nouns: frozenset[str]
) -> Iterator[tuple[tuple[str, ...], Meaning]]:
    """Every phrase that stands for values of a choice or a list, the values themselves first."""
    values = [value for value, _ in facet.values]
    exact = {phrase: value for value in values if (phrase := stems(value))}
    subject = _speaks_of_subjects(facet, table)
    for phrase, value in exact.items():
        folded = fold(value)
        if not _is_vague(phrase):
            place = is_place(folded)
            yield (
                phrase,
                Meaning(
                    facet.facet, (value,), is_place=place, is_risky=folded in AMBIGUOUS, is_subject=subject
                ),
            )
            if place:
                yield from _of_country(facet.facet, value, folded)
        if len(phrase) > 1 and phrase[-1] in nouns and not _is_vague(phrase[:-1]):
            yield phrase[:-1], Meaning(facet.facet, (value,), is_subject=subject)  # Red wine: red
    for phrase, named in _aliases(values).items():
        if phrase not in exact and not _is_vague(phrase) and not (len(phrase) == 1 and phrase[0] in nouns):
            yield phrase, Meaning(facet.facet, tuple(named), is_subject=subject)


def _of_country(facet: Facet, value: str, folded: str) -> Iterator[tuple[tuple[str, ...], Meaning]]:
    for name in other_names(folded):
        capitals = name.isupper()
        yield stems(name), Meaning(facet, (value,), is_place=True, in_capitals=capitals)
    for adjective in adjectives(folded):
        yield stems(adjective), Meaning(facet, (value,), is_place=True, is_adjective=True)


def _aliases(values: Sequence[str]) -> dict[tuple[str, ...], list[str]]:
    """Parts of values that stand for all values they are a part of.

    ``Rent and housing`` is rent, and housing; ``Families with children`` is families;
    ``blue cheese`` and ``goat cheese`` are both cheese.
    """
    found: dict[tuple[str, ...], list[str]] = {}
    heads: dict[tuple[str, ...], list[str]] = {}
    for value in values:
        parts = [part for part in _PARTS.split(value.rstrip(")")) if part]
        if len(parts) > 1:
            for part in parts:
                found.setdefault(stems(part), []).append(value)
        elif _TAILS.sub("", value) != value:
            found.setdefault(stems(_TAILS.sub("", value)), []).append(value)
        elif len(phrase := stems(value)) > 1:
            heads.setdefault(phrase[-1:], []).append(value)
    for head, named in heads.items():
        if len(named) > 1 and head not in found and 2 * len(named) <= len(values):
            found[head] = named
    return {phrase: named for phrase, named in found.items() if len(named) <= _TOGETHER}


def _is_vague(phrase: tuple[str, ...]) -> bool:
    if not phrase or len(phrase) > _PHRASE or not any(word[0].isalpha() for word in phrase):
        return True
    return len(phrase) == 1 and (len(phrase[0]) < 2 or phrase[0] in _VAGUE)


def _speaks_of_subjects(facet: FacetValues, table: Table) -> bool:
    """Whether titles are made of the facet's values: a topic, and not a style.

    The share of a value's documents whose titles hold it, averaged over the values.
    """
    if facet.facet.kind != "choice":
        return False
    column = table.column(facet.facet.key)
    phrases = [stems(name) for name in column.names]
    held: dict[int, list[bool]] = {}
    for row in range(0, len(table), max(1, len(table) // _SAMPLE)):
        place = int(column.texts[row])
        if place >= 0:
            words = set(stems(table.records[row].title[:200]))
            held.setdefault(place, []).append(words.issuperset(phrases[place]))
    shares = [sum(found) / len(found) for found in held.values()]
    return bool(shares) and sum(shares) / len(shares) >= _SUBJECT


# --- numbers ------------------------------------------------------------------


def _quantity(facet: FacetValues) -> Quantity | None:
    if facet.facet.kind != "range" or facet.low is None or facet.high is None:
        return None
    words = _label_words(facet.facet)
    named = {*words, *(fold(word) for word in read_name(facet.facet.key, facet.facet.label).words)}
    concept: Concept = "other"
    if facet.facet.unit == "%":
        concept = "percent"
    elif facet.facet.unit in _CURRENCIES or named & _MONEY_KEYS:
        concept = "money"
    elif named & _YEAR_KEYS and 1000 <= facet.low <= facet.high <= 2200:
        concept = "year"
    elif named & _RATING_KEYS or facet.facet.unit in ("points", "stars"):
        concept = "rating"
    return Quantity(facet.facet, facet.low, facet.high, concept, words | CONCEPT_WORDS[concept])


def _label_words(facet: Facet) -> frozenset[str]:
    words = read_name(facet.key, facet.label).words
    return frozenset(singular(fold(word)) for word in words if word not in ENDERS and len(word) > 1) | (
        frozenset({"go"}) if "goes" in words or "go" in words else frozenset()
    )
