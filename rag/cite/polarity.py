"""Negations, quantifiers and opposites: the small words that turn a claim around.

English rules over words, no grammar. Each finding names its kind, so that a reader of a
verdict, or of the measured mistakes, sees what was compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag.cite.turning import EXCLUSIVE, KINDS, MAJORITY, NEGATIVE, NEGATORS, OPPOSITES, UNIVERSAL
from rag.words import FUNCTION_WORDS

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[.;:!?,]")

_NEGATIVE_PREFIX = re.compile(r"^(?:un|in|im|ir|il|non|dis|mis)[a-z]{4,}$")

_AGAINST: dict[str, frozenset[str]] = {}
"""Word -> the words that say the opposite."""
for _set in OPPOSITES:
    for _side in _set:
        for _word in _side:
            _AGAINST[_word] = _AGAINST.get(_word, frozenset()).union(*(s for s in _set if s is not _side))

_BESIDE: dict[str, frozenset[str]] = {}
"""Word -> the words of its own side."""
for _set in OPPOSITES:
    for _side in _set:
        for _word in _side:
            _BESIDE[_word] = _BESIDE.get(_word, frozenset()) | _side
_CLAUSE_STARTS = frozenset("but although because however while whereas though unless if".split())

_PHRASES = (
    (re.compile(r"\bat (?:the )?(?:very )?least\b", re.I), "at-least"),
    (re.compile(r"\bno (?:later|earlier) than\b", re.I), ""),
    (re.compile(r"\bno (?:more|longer) than\b", re.I), "at-most"),
    (re.compile(r"\bno (?:less|fewer) than\b", re.I), "at-least"),
    (re.compile(r"\bat (?:the )?(?:very )?most\b", re.I), "at-most"),
    (re.compile(r"\bup to\b", re.I), "up-to"),
    (re.compile(r"\b(?:each|every|per|an?) (hour|day|week|month|quarter|year|person)\b", re.I), r"per-\1"),
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


def turned(claim: str, evidence: str, others: Sequence[str] = ()) -> list[str]:
    """What turns the claim around: of ``negation``, ``quantifier`` and ``opposite``, each once.

    ``evidence`` is the sentence nearest to the claim; ``others`` count where they deny a word
    of the claim that the nearest does not hold.
    """
    mine, theirs = Words.of(claim), Words.of(evidence)
    found = []
    if _negated(mine, theirs) or any(_denied(mine, theirs, Words.of(other)) for other in others):
        found.append("negation")
    if _quantified(mine, theirs):
        found.append("quantifier")
    if _opposed(mine, theirs):
        found.append("opposite")
    return found


def _governed(words: Words, governors: frozenset[str], most: int) -> list[list[tuple[int, str]]]:
    """For each governor the content words that it bears on: the next ``most`` of its clause."""
    scopes = []
    for at, word in enumerate(words.all):
        if word not in governors:
            continue
        scope: list[tuple[int, str]] = []
        for n, following in enumerate(words.all[at + 1 :], at + 1):
            if following in ".;:!?" or following in _CLAUSE_STARTS or len(scope) == most:
                break
            if following[0].isalnum() and following not in FUNCTION_WORDS and following not in governors:
                scope.append((n, following))
        scopes.append(scope)
    return scopes


def _places(words: Words, wanted: str) -> list[int]:
    return [n for n, word in enumerate(words.all) if word[0].isalnum() and alike(word, wanted)]


# --- negation -------------------------------------------------------------------


def _is_negative(word: str) -> bool:
    return word in NEGATORS or word in NEGATIVE or (len(word) > 7 and bool(_NEGATIVE_PREFIX.match(word)))


def _negated(claim: Words, source: Words) -> bool:
    """Whether one side negates what the other says without a negation."""
    mine, theirs = _governed(claim, NEGATORS, 4), _governed(source, NEGATORS, 4)
    under = {n for scope in theirs for n, _ in scope[:3]}
    negative = [w for w in source.all if _is_negative(w)]
    for scope in mine:
        there = _places(source, scope[0][1]) if scope else []
        if there and not under.intersection(there) and not _near_negative(source, there, claim):
            return True
        if not there and not negative:
            return True
    said = {n for scope in mine for n, _ in scope[:3]}
    if mine or any(w in NEGATIVE or (len(w) > 7 and _NEGATIVE_PREFIX.match(w)) for w in claim.all):
        return False
    for scope in theirs:
        head = [w for _, w in scope[:3]]
        shared = [w for w in head if set(_places(claim, w)) - said]
        plain = [w for w in shared if set(_places(source, w)) - under]
        if head and shared and shared[0] == head[0] and not plain and len(shared) >= len(head) - 1:
            return True
    return False


def _denied(claim: Words, nearest: Words, other: Words) -> bool:
    """Whether another sentence denies, of a word that the nearest lacks, what the claim says."""
    if any(_is_negative(w) for w in claim.all):
        return False
    heads = [scope[0][1] for scope in _governed(other, NEGATORS, 1) if scope]
    return any(_places(claim, head) and not _places(nearest, head) for head in heads)


def _near_negative(words: Words, places: Sequence[int], claim: Words) -> bool:
    """Whether a word that negates by its meaning, and is not the claim's too, stands by one of the places."""
    near = {words.all[n] for p in places for n in range(max(0, p - 4), min(len(words.all), p + 4)) if n != p}
    return any(_is_negative(w) and w not in NEGATORS and w not in claim.all for w in near)


# --- quantifiers ----------------------------------------------------------------


def _quantified(claim: Words, source: Words) -> bool:
    """Whether the claim says of all, most, only or must what the source says of fewer, or otherwise."""
    for kind in KINDS:
        mine, theirs = _sides(claim, kind), _sides(source, kind)
        for side, heads in mine.items():
            same = [w for s, ws in theirs.items() if s == side for w in ws]
            other = [w for s, ws in theirs.items() if s != side for w in ws]
            if (
                not same
                and other
                and (not heads or any(_one_of(h, other) for h in heads) or len(theirs) == 1)
            ):
                return True
            bound = [h for h in heads if _one_of(h, other) and not _one_of(h, same)]
            if bound and not any(_one_of(h, same) for h in heads):
                return True
    return _unfounded(claim, source, UNIVERSAL, UNIVERSAL | {"any", "whole", "entire", "both", "must"}) or (
        _unfounded(claim, source, MAJORITY, MAJORITY | UNIVERSAL)
        or _unfounded(claim, source, EXCLUSIVE, EXCLUSIVE | {"nothing", "nobody", "no", "without"})
    )


def _unfounded(claim: Words, source: Words, strong: frozenset[str], enough: frozenset[str]) -> bool:
    """Whether the claim says of a word with ``strong`` what the source says of it without ``enough``."""
    held = {w for scope in _governed(source, enough, 2) for _, w in scope}
    negative = any(w in ("no", "none", "nobody", "nothing", "never", "without") for w in source.all)
    for scope in _governed(claim, strong, 2):
        heads = [w for _, w in scope[:1]]
        if any(_one_of(h, held) for h in heads):
            continue
        if heads and _places(source, heads[0]):
            if strong is EXCLUSIVE and any(w in enough for w in source.all):
                continue
            return True
        if not any(w in enough for w in source.all) and not negative:
            return True
    return False


def _sides(words: Words, kind: Sequence[frozenset[str]]) -> dict[int, list[str]]:
    """The sides of a kind that a sentence is on, each with the words that it governs."""
    found: dict[int, list[str]] = {}
    for n, side in enumerate(kind):
        scopes = _governed(words, side, 2)
        if scopes:
            found[n] = [w for scope in scopes for _, w in scope]
    return found


def _one_of(word: str, words: Iterable[str]) -> bool:
    return any(alike(word, w) for w in words)


# --- opposites ------------------------------------------------------------------


def _opposed(claim: Words, source: Words) -> bool:
    """Whether the claim has a word where the source has its opposite."""
    mine, theirs = set(claim.all), set(source.all)
    for word in mine:
        against = _AGAINST.get(word, frozenset()) & theirs
        if not against or any(alike(word, w) for w in theirs) or _BESIDE[word] & theirs:
            continue
        if not any(w in mine for w in against):
            return True
    return _order_differs(claim, source)


def _order_differs(claim: Words, source: Words) -> bool:
    """ "A before B" against "A after B"; "B after A" says the same as "A before B"."""
    for side, other in (("before", "after"), ("after", "before")):
        if side not in claim.all or other not in source.all or side in source.all or other in claim.all:
            continue
        at, there = claim.all.index(side), source.all.index(other)
        left, right = claim.all[:at], claim.all[at + 1 :]
        first, second = source.all[:there], source.all[there + 1 :]
        straight = _common(left, first) + _common(right, second)
        if straight >= _common(left, second) + _common(right, first):
            return True
    return False


def _common(mine: Sequence[str], theirs: Sequence[str]) -> int:
    words = [w for w in mine if w[0].isalnum() and w not in FUNCTION_WORDS]
    return sum(_one_of(w, theirs) for w in words)
