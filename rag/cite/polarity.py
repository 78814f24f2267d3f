"""Negations, quantifiers and opposites: the small words that turn a claim around.

English rules over words, no grammar. Each finding names its kind, so that a reader of a
verdict, or of the measured mistakes, sees what was compared.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.cite.turning import KINDS, NEGATIVE, NEGATORS, OPPOSITES
from rag.words import FUNCTION_WORDS

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[.;:!?,]")

_NEGATIVE_PREFIX = re.compile(r"^(?:un|in|im|ir|il|non|dis|mis)[a-z]{4,}$")

_AGAINST: dict[str, frozenset[str]] = {}
"""Word -> the words that say the opposite."""
for _set in OPPOSITES:
    for _side in _set:
        for _word in _side:
            _AGAINST[_word] = _AGAINST.get(_word, frozenset()).union(*(s for s in _set if s is not _side))

_PHRASES = (
    (re.compile(r"\bat (?:the )?(?:very )?least\b", re.I), "at-least"),
    (re.compile(r"\bno (?:more|later|longer) than\b", re.I), "at-most"),
    (re.compile(r"\bno (?:less|fewer|earlier) than\b", re.I), "at-least"),
    (re.compile(r"\bat (?:the )?(?:very )?most\b", re.I), "at-most"),
    (re.compile(r"\bup to\b", re.I), "up-to"),
    (re.compile(r"\bha(?:s|ve|d) to\b", re.I), "has-to"),
    (re.compile(r"\ba few\b", re.I), "a-few"),
    (re.compile(r"\bas well\b", re.I), "as-well"),
    (re.compile(r"\bin person\b", re.I), "in-person"),
    (re.compile(r"\bnot only\b", re.I), "also"),
    # The month is no modal verb.
    (
        re.compile(
            r"\bMay\b(?=,? \d)|(?<=\d )May\b|(?<=\b(?:in|by|of) )May\b|(?<=\bsince )May\b|(?<=\buntil )May\b"
        ),
        "",
    ),
    (re.compile(r"\bno longer\b", re.I), "not"),
    (re.compile(r"\bnot? (?:un|in)(?=[a-z]{4})", re.I), ""),
    (re.compile(r"\brather than\b", re.I), "not"),
    (re.compile(r"\bfree of charge\b", re.I), "free"),
    (re.compile(r"\bthe (?:whole|entire)\b", re.I), "all"),
    (re.compile(r"\bthe following\b|\bas follows\b", re.I), ""),
    (re.compile(r"\bmore than one\b", re.I), "several"),
)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a sentence, casefolded, phrases joined, in order; punctuation marks stay."""

    all: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Words:
        text = text.replace("’", "'")
        for pattern, joined in _PHRASES:
            text = pattern.sub(joined.replace("-", "\u2011"), text)
        return cls(
            tuple(
                m[0].casefold().replace("\u2011", "-")
                for m in re.finditer(r"[^\W_]+(?:['\u2011][^\W_]+)*|[.;:!?,]", text)
            )
        )

    @property
    def content(self) -> list[str]:
        return [w for w in self.all if w[0].isalnum() and w not in FUNCTION_WORDS and w not in NEGATORS]


def alike(a: str, b: str) -> bool:
    """Whether two words are forms of one: a long common beginning."""
    if a == b:
        return True
    shorter, longer = sorted((a, b), key=len)
    common = 0
    for x, y in zip(shorter, longer, strict=False):
        if x != y:
            break
        common += 1
    return common >= 4 and common >= 0.7 * len(shorter) and common >= 0.5 * len(longer)


def turned(claim: str, evidence: str) -> list[str]:
    """What turns the claim around: of ``negation``, ``quantifier`` and ``opposite``, each once."""
    mine, theirs = Words.of(claim), Words.of(evidence)
    found = []
    if _negations_differ(mine, theirs):
        found.append("negation")
    if _quantifiers_differ(mine, theirs):
        found.append("quantifier")
    if _opposites(mine, theirs):
        found.append("opposite")
    return found


def _scopes(words: Words) -> list[list[str]]:
    """For each negator the content words that it bears on: the next four of its clause."""
    scopes = []
    for at, word in enumerate(words.all):
        if word not in NEGATORS:
            continue
        scope: list[str] = []
        for following in words.all[at + 1 :]:
            if (
                following in ".;:!?"
                or following in ("but", "although", "because", "however")
                or len(scope) == 4
            ):
                break
            if following[0].isalnum() and following not in FUNCTION_WORDS:
                scope.append(following)
        scopes.append(scope)
    return scopes


def _is_negative(words: Words) -> bool:
    return any(
        w in NEGATORS or w in NEGATIVE or bool(_NEGATIVE_PREFIX.match(w) and len(w) > 7) for w in words.all
    )


def _negations_differ(claim: Words, source: Words) -> bool:
    mine, theirs = _scopes(claim), _scopes(source)
    if mine and not _is_negative(source):
        return True
    if mine and not theirs:
        # The source negates by a word's meaning: enough where that word is not the claim's own too.
        shared = {w for w in source.all if w in NEGATIVE and w in claim.all}
        negative = {w for w in source.all if w in NEGATIVE or _NEGATIVE_PREFIX.match(w)}
        return bool(shared) and shared == negative
    if theirs and not mine and not any(w in NEGATIVE or _NEGATIVE_PREFIX.match(w) for w in claim.all):
        # Negated in the source: does it bear on what the claim says?
        for scope in theirs:
            head = scope[:3]
            said = sum(any(alike(w, c) for c in claim.content) for w in head)
            if head and said >= max(1, len(head) - 1):
                return True
    return False


def _which(words: Words, family: Sequence[frozenset[str]]) -> set[int]:
    return {n for n, side in enumerate(family) if any(w in side for w in words.all)}


def _quantifiers_differ(claim: Words, source: Words) -> bool:
    for family in KINDS:
        mine, theirs = _which(claim, family), _which(source, family)
        if mine and theirs and not mine & theirs:
            return True
    strong = {
        "all",
        "every",
        "each",
        "always",
        "everyone",
        "everybody",
        "only",
        "solely",
        "exclusively",
        "never",
        "none",
    }
    said = strong & set(claim.all)
    if not said:
        return False
    held = strong & set(source.all)
    return (
        not held
        and not _is_negative(source)
        and not {"any", "whole", "entire", "both", "unless", "must"} & set(source.all)
    )


def _opposites(claim: Words, source: Words) -> bool:
    mine, theirs = set(claim.all), set(source.all)
    for word in mine:
        against = _AGAINST.get(word, frozenset()) & theirs
        if not against or any(alike(word, w) for w in theirs):
            continue
        if any(w in mine for w in against):
            continue  # the claim speaks of both
        return True
    return False
