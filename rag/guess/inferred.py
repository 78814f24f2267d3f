"""Filters that a model inferred from a question: what it is told, and what is taken of its reply.

The reply is of no trust. Every key must be a facet, every operation one that the facet takes,
every value one that the documents have, and the words that are said to state it must stand in the
question and say no other number, comparison or negation; the whole must be a filter. Anything else,
and nothing of it is proposed: a filter that is missing costs a click, a wrong one hides the answer.
"""

from __future__ import annotations

import json
import logging
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple, Protocol

from rag.errors import FilterError, GenerationError
from rag.facets import FacetValues
from rag.filters import parse
from rag.generators.prompt import Prompt, load_prompt, visible
from rag.guess.comparisons import BEFORE
from rag.guess.places import adjectives, is_place
from rag.guess.proposal import Proposal, date_label, range_label, today, value_label
from rag.guess.tokens import number_at, tokenise
from rag.guess.words import is_negated
from rag.words import FUNCTION_WORDS, content, has_content

_log = logging.getLogger(__name__)

_MOST_VALUES = 60
"""Values of a facet that a model is told, the most frequent first."""
_MOST_FILTERS = 8
_LONGEST = 20_000
"""Characters of a reply that is read."""
_RANGES = {"at least": "$gte", "at most": "$lte", "over": "$gt", "under": "$lt", "is": "$eq"}
_OPS = ("is", "is not", "has", "at least", "at most", "over", "under", "since", "before")
_OBJECT = re.compile(r"\{.*\}", re.DOTALL)
_WORD = re.compile(r"\w+")
_MORE_DIGITS = re.compile(r"[.,]?\d|[\s'’]\d{3}(?!\d)")
_SPACE_OF_THOUSANDS = re.compile(r"(?<=\d)[\s'’](?=\d{3}(?!\d))")
_POINTS_OF_THOUSANDS = re.compile(r"\d{1,3}(?:\.\d{3})+")
_COMPARES = re.compile(
    "(?<!\\S)(?:"
    + "|".join(
        re.escape(" ".join(phrase))
        for phrase, (op, concept) in sorted(BEFORE.items(), key=lambda row: -len(row[0]))
        if concept is None and op.startswith("$")
    )
    + ")(?!\\S)"
)
"""What compares any number; of two phrases that begin alike the longer one."""
_JOINS = "\u0590"
"""The first character behind Latin, Greek and Cyrillic: Hebrew, Arabic and the scripts of Asia follow."""


class _Said(NamedTuple):
    """Words that state a filter, where the question says so, and whether they are denied."""

    words: str
    start: int
    end: int
    denied: bool


class Completes(Protocol):
    """A generator that answers a short prompt as a whole, in the form of a JSON schema."""

    def complete(self, prompt: Prompt, values: Mapping[str, str], *, schema: Mapping[str, Any]) -> str: ...


def infer(
    question: str,
    facets: Sequence[FacetValues],
    generator: Completes,
    *,
    now: float,
    rewritten: str | None = None,
) -> list[Proposal] | None:
    """The filters that a model reads from a question; None where it could not be asked, or its reply is
    not as it should be.

    ``now`` is Unix seconds. Of a follow-up that was made to stand alone the model reads ``rewritten``,
    which names what the follow-up only points at. Nothing is asked where there is nothing to filter by.
    """
    if not facets:
        return []
    values = {
        "facets": visible(facet_sheet(facets)),
        "today": today(now).isoformat(),
        "question": visible(rewritten or question),
    }
    try:
        reply = generator.complete(load_prompt("filters-1"), values, schema=schema(facets))
    except GenerationError as error:
        _log.warning("Filters were read from a question by rule: %s", error)
        return None
    return read_inferred(reply, facets, question, rewritten)


def facet_sheet(facets: Sequence[FacetValues]) -> str:
    """The facets and their values, a line each, as the model is told them."""
    return "\n".join(f"- {found.facet.key} ({found.facet.label}): {_values(found)}" for found in facets)


def schema(facets: Sequence[FacetValues]) -> dict[str, Any]:
    """The JSON schema of a reply, of what services that take one all know: no alternatives, no bounds."""
    text = {"type": "string"}
    properties = {
        "key": {"type": "string", "enum": [found.facet.key for found in facets]},
        "op": {"type": "string", "enum": list(_OPS)},
        "values": {"type": "array", "items": text},
        "words": text,
    }
    item = _closed(properties)
    return _closed({"filters": {"type": "array", "items": item}})


def read_inferred(
    reply: str, facets: Sequence[FacetValues], question: str, rewritten: str | None = None
) -> list[Proposal] | None:
    """What a model's reply proposes; None where any part of it is not as it should be.

    What only ``rewritten`` says stands nowhere in the question: such a proposal ends at 0.
    """
    known = {found.facet.key: found for found in facets}
    try:
        rows = _rows(reply)
        return [_proposal(row, known, (question, rewritten or "")) for row in rows]
    except (ValueError, OverflowError, RecursionError, FilterError):
        return None


def _closed(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _values(found: FacetValues) -> str:
    facet = found.facet
    if facet.kind in ("choice", "list"):
        names = [json.dumps(value, ensure_ascii=False) for value, _ in found.values[:_MOST_VALUES]]
        more = len(found.values) - len(names)
        what = "one value of" if facet.kind == "choice" else "a list of"
        return f"{what} {', '.join(names)}{f' and {more} more' if more else ''}"
    low, high = found.low or 0.0, found.high or 0.0
    if facet.kind == "date":
        first, last = (datetime.fromtimestamp(at, UTC).date().isoformat() for at in (low, high))
        return f"a date from {first} to {last}"
    return f"a number from {low:g} to {high:g}{f' {facet.unit}' if facet.unit else ''}"


def _rows(reply: str) -> list[Mapping[str, Any]]:
    """The filters of a reply; a model that takes no schema may put words or a fence around its JSON."""
    found = _OBJECT.search(reply[:_LONGEST])
    value = json.loads(found[0]) if found else None
    rows = value.get("filters") if isinstance(value, Mapping) else None
    if not isinstance(rows, list) or len(rows) > _MOST_FILTERS:
        raise ValueError
    if not all(isinstance(row, Mapping) for row in rows):
        raise ValueError
    return rows


def _proposal(
    row: Mapping[str, Any], known: Mapping[str, FacetValues], questions: tuple[str, str]
) -> Proposal:
    found = known.get(str(row.get("key")))
    op, values, words = str(row.get("op")), row.get("values"), row.get("words")
    if found is None or not isinstance(values, list) or not values or not isinstance(words, str):
        raise ValueError
    facet = found.facet
    chosen = facet.kind in ("choice", "list")
    names = list(dict.fromkeys(_known(value, found) if chosen else str(value) for value in values))
    said = _said(words, names, *questions)
    if said.denied and op in ("is", "has"):
        raise ValueError
    if chosen:
        if op not in (("is", "is not") if facet.kind == "choice" else ("has", "is")):
            raise ValueError
        negated = op == "is not"
        where: dict[str, Any]
        if facet.kind == "list":
            parts = [{facet.key: {"$contains": name}} for name in names]
            where = parts[0] if len(parts) == 1 else {"$or": parts}
        else:
            where = {facet.key: {"$nin" if negated else "$in": names}}
        label = value_label(facet, names, negated=negated, together=False)
    elif facet.kind == "date":
        if op not in ("since", "before") or len(values) != 1:
            raise ValueError
        day = date.fromisoformat(str(values[0]).strip()[:10])
        seconds = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
        where = {facet.key: {"$gte" if op == "since" else "$lt": seconds}}
        negated = False
        label = date_label(facet, day, None) if op == "since" else date_label(facet, None, day)
    else:
        if op not in _RANGES or len(values) != 1 or isinstance(values[0], bool):
            raise ValueError
        number = float(str(values[0]).strip())
        if not (math.isfinite(number) and _agrees(said.words, op, number)):
            raise ValueError
        where, negated = {facet.key: {_RANGES[op]: number}}, False
        years = number.is_integer() and 1_000 <= (found.low or 0) <= (found.high or 0) <= 2_200
        label = range_label(facet, {_RANGES[op]: number}, is_year=years and not facet.unit)
    parse(where)
    return Proposal(facet.key, where, label, said.start, said.end, negated)


def _known(value: object, found: FacetValues) -> str:
    """The value as the documents have it. Raises ``ValueError`` where they do not."""
    folded = str(value).strip().casefold()
    for name, _ in found.values:
        if name.casefold() == folded:
            return name
    raise ValueError


def _said(words: str, values: Sequence[str], question: str, rewritten: str) -> _Said:
    """What the question says so; nowhere where only its rewriting does, and not in other forms of the
    question's words ("Which Spanish wines" for "And from Spain?").

    Raises ``ValueError`` where neither does, and for words that any question may have ("in the").
    """
    wanted = "".join(folded for folded, _ in _letters(words)).strip()
    if not wanted:
        raise ValueError
    own = _place(wanted, question)
    text, found = (question, own) if own else (rewritten, _place(wanted, rewritten))
    if found is None or not _states(text[slice(*found)], values):
        raise ValueError
    start, end = own or _alike(wanted, question) or _alike(" ".join(values), question) or (0, 0)
    denied = _denied(text, *found) or _denied(question, start, end)
    return _Said(text[slice(*found)], start, end, denied)


def _states(words: str, values: Sequence[str]) -> bool:
    """Whether words are not only grammar; a value may be spelt like it: "the US", "WHO", "May"."""
    spelt = "|".join(map(re.escape, filter(None, [*values, "May"])))
    return has_content(words) or bool(re.search(rf"(?<!\w)(?:{spelt}|[A-Z]{{2,}})(?!\w)", words))


def _denied(text: str, start: int, end: int) -> bool:
    """Whether a negation stands in these characters, or reaches them from before."""
    words = [token.word for token in tokenise(text[:end])]
    return any(is_negated(words, at) for at in range(len(tokenise(text[:start])), len(words)))


def _agrees(words: str, op: str, number: float) -> bool:
    """Whether the number is one of those that the words say, where they say any, and compared as they do."""
    tokens = tokenise(_SPACE_OF_THOUSANDS.sub(",", words))
    at = behind = 0
    while at < len(tokens):
        said = number_at(tokens, at)
        if said is None:
            at += 1
            continue
        numbers, before = {said[0]}, tokens[behind:at]
        if _POINTS_OF_THOUSANDS.fullmatch(tokens[at].text):
            numbers.add(float(tokens[at].text.replace(".", "")))
        if abs(number) in numbers:
            return _compares(" ".join(token.word for token in before), op)
        at = behind = said[1]
    return not behind and _compares(" ".join(token.word for token in tokens), op)


def _compares(words: str, op: str) -> bool:
    """Whether the last comparison of these words, where they make one, has the direction of the operation."""
    found = _COMPARES.findall(words)
    return not found or BEFORE[tuple(found[-1].split())][0][:2] == _RANGES[op][:2]


def _letters(text: str) -> list[tuple[str, int]]:
    """Casefolded characters with where they stand, without what is not seen; one space for spaces and
    marks, but for those inside a figure."""
    letters: list[tuple[str, int]] = []
    for at, character in enumerate(text):
        inside = character in ".," and text[at - 1 : at].isdigit() and text[at + 1 : at + 2].isdigit()
        if character.isspace() or (unicodedata.category(character)[0] in "PSZ" and not inside):
            if letters and letters[-1][0] != " ":
                letters.append((" ", at))
        elif character.isprintable():
            letters += [(folded, at) for folded in character.casefold()]
    return letters


def _place(wanted: str, question: str) -> tuple[int, int] | None:
    """The characters of the question that say it: whole figures, and words from their beginning."""
    letters = _letters(question)
    text = "".join(folded for folded, _ in letters)
    at = text.find(wanted)
    while at >= 0:
        end = at + len(wanted)
        before = text[at - 1 : at]
        # Scripts without spaces, and those that join articles to their words, begin a word anywhere.
        glued = before in {".", ","} or (before.isalnum() and wanted[0].isalnum() and before < _JOINS)
        start, behind = letters[at][1], letters[end - 1][1] + 1
        if not glued and not (wanted[-1].isdigit() and _MORE_DIGITS.match(question, behind)):
            return start, behind
        at = text.find(wanted, at + 1)
    return None


def _alike(wanted: str, question: str) -> tuple[int, int] | None:
    """From the first to the last word of the question that is a form of one of these, where all are there."""
    said = [word for word in _WORD.finditer(question) if word[0].casefold() not in FUNCTION_WORDS]
    words = _WORD.findall(content(wanted))
    places = [[word.span() for word in said if _forms(word[0]) & _forms(form)] for form in words]
    if not words or not all(places):
        return None
    spans = [span for found in places for span in found]
    return min(spans)[0], max(spans)[1]


def _forms(word: str) -> set[str]:
    """What inflected forms of a word have in common, roughly, and of a country what its adjectives have; a
    figure has one form."""
    folded = word.casefold()
    if folded[0].isdigit():
        return {folded}
    return {form[:4] for form in (folded, *(adjectives(folded) if is_place(folded) else ()))}
