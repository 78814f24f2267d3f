"""Negations, quantifiers and opposites: the small words that turn a claim around.

English rules over words, no grammar. Each finding names its kind, so that a reader of a
verdict, or of the measured mistakes, sees what was compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rag.cite.turning import (
    BELIEF,
    COMPARING,
    EXCLUSIVE,
    KINDS,
    MAJORITY,
    NEGATIVE,
    NEGATORS,
    OPPOSITES,
    PERMISSIVE,
    PROHIBITING,
    REVERSING,
    TIMES_OF_YEAR,
    TRANSPARENT,
    UNIVERSAL,
)
from rag.cite.wording import Words, alike
from rag.words import FUNCTION_WORDS

_NEGATIVE_PREFIX = re.compile(
    r"^(?:un(?!d|i[oqtv]|less|til|ple)|non(?!e)|dis(?=a[bgl]|con|qual|hon|obe))[a-z]{4,}$"
)

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
_BREAKS = _CLAUSE_STARTS | frozenset(".;:!?")
_PRONOUNS = frozenset("nothing none nobody neither nowhere".split())
"""Negators that stand for a thing: what follows them is not all that they deny."""
_QUANTIFIERS = frozenset(word for kind in KINDS for side in kind for word in side)
_COMPARING = frozenset(
    "under over below above more less fewer older younger longer shorter than exceeds".split()
)
_CONDITIONS = frozenset("if unless except only provided until before after when while".split())
_EXCEPT = frozenset(("except", "unless"))
_OFTEN = frozenset("more-than-half common commonly often frequently regularly".split())
_COMPARED = frozenset("longer more less later earlier further higher lower older younger".split())
_MORE = frozenset("better faster stronger often richer older longer heavier cheaper".split())
_LESS = frozenset("worse slower weaker seldom poorer younger shorter lighter".split())
_NEARLY_ALL = 0.75
"""Share of a claim's words from which a sentence says the same but for the word that turns it."""


def turned(claim: str, evidence: str, others: Sequence[str] = ()) -> list[str]:
    """What turns the claim around: of ``negation``, ``quantifier`` and ``opposite``, each once.

    ``evidence`` is the sentence nearest to the claim, ``others`` are those it may also rest on.
    A free paraphrase says no with other words: a turn counts where what it governs is the same
    word on both sides, or where the sentence otherwise holds nearly all of the claim.
    """
    mine = Words.of(claim)
    held = [Words.of(text) for text in (evidence, *others)]
    found = []
    if _negated(mine, held):
        found.append("negation")
    if _quantified(mine, held):
        found.append("quantifier")
    if any(_opposed(mine, theirs) for theirs in held) or _order_differs(mine, held[0]):
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
            ends = following in ".;:!?," or following in _CLAUSE_STARTS
            if ends or (following == "and" and governors is NEGATORS) or len(scope) == most:
                break
            if following[0].isalnum() and not _passed(following, governors):
                scope.append((n, following))
        scopes.append(scope)
    return scopes


def _passed(word: str, governors: frozenset[str]) -> bool:
    return word in FUNCTION_WORDS or word in governors or word in TRANSPARENT


def _places(words: Words, wanted: str) -> list[int]:
    return [n for n, word in enumerate(words.all) if word[0].isalnum() and alike(word, wanted)]


# --- negation -------------------------------------------------------------------


def is_negative(word: str) -> bool:
    return word in NEGATORS or word in NEGATIVE or _is_prefixed(word)


def _is_prefixed(word: str) -> bool:
    return len(word) > 7 and bool(_NEGATIVE_PREFIX.match(word))


def _held(claim: Words, source: Words) -> float:
    """Share of the claim's content words, without those that turn, that the source holds."""
    words = {
        w for w in claim.content if not is_negative(w) and w not in _QUANTIFIERS and w not in TRANSPARENT
    }
    return sum(one_of(w, source.all) for w in words) / len(words) if words else 0.0


def _negated(claim: Words, held: Sequence[Words]) -> bool:
    """Whether one side negates what the other says without a negation."""
    mine = [scope for scope in _governed(claim, NEGATORS - _PRONOUNS, 3) if scope]
    negators = sum(w in NEGATORS for w in claim.all)
    if negators > 1:
        return False  # "without the course you cannot": what two negations say is beyond words
    compared = any(w in _COMPARING for w in claim.all)
    if mine and compared and max(_held(claim, source) for source in held) < _NEARLY_ALL:
        return False  # "those under eighteen cannot": those who are at least that can
    if mine:
        return _denies(claim, held, mine[0])
    if negators or any(w in BELIEF for w in claim.all):
        return False
    return any(_denied(claim, source) or _permits(claim, source) for source in held)


def _permits(claim: Words, source: Words) -> bool:
    """Whether the claim permits what a clause of the source forbids."""
    at = next((n for n, w in enumerate(claim.all) if w in PERMISSIVE), None)
    if at is None or any(w in _CONDITIONS for w in claim.all):
        return False
    subject = [w for w in claim.all[:at] if w[0].isalnum() and w not in FUNCTION_WORDS]
    for clause in _clauses(source):
        forbids = any(w in PROHIBITING for w in clause) or (
            any(w in NEGATORS for w in clause) and any(w in PERMISSIVE or w == "must" for w in clause)
        )
        if not forbids or any(w in _CONDITIONS or w in _COMPARED for w in clause):
            continue
        shared = sum(one_of(w, clause) for w in set(claim.content) - PERMISSIVE)
        # "Grandparents cannot be paid with it, but childminders can": the subject is another one.
        if one_of(subject[-1], clause) if subject else shared >= 2:
            return True
    return False


def _clauses(words: Words) -> list[list[str]]:
    found: list[list[str]] = [[]]
    for word in words.all:
        if word in _BREAKS or word == ",":
            found.append([])
        else:
            found[-1].append(word)
    return found


def _denies(claim: Words, held: Sequence[Words], scope: Sequence[tuple[int, str]]) -> bool:
    """Whether the claim denies what the source says plainly."""
    shares = [_held(claim, source) for source in held]
    for n in sorted(range(len(held)), key=lambda n: -shares[n]):
        there = _places(held[n], scope[0][1])
        if there:
            return shares[n] >= (0.3 if n == 0 else 0.5) and not any(
                _under_negation(held[n], place, claim, shares[n]) for place in there
            )
        if shares[n] >= _NEARLY_ALL and not any(is_negative(w) or w in EXCLUSIVE for w in held[n].all):
            return True
    return False


def _under_negation(words: Words, place: int, claim: Words, share: float) -> bool:
    """Whether something in the clause around a place says no, and is not the claim's too."""
    start, end = place, place
    while start > 0 and words.all[start - 1] not in _BREAKS:
        start -= 1
    while end < len(words.all) and words.all[end] not in _BREAKS and words.all[end] != ",":
        end += 1
    before = words.all[max(start - 1, 0, place - 7) : place]
    clause = (*before[-5:], *words.all[place : min(end, place + 6)])
    limited = any(w in _COMPARED for w in words.all[place:end]) and not any(w in _COMPARED for w in claim.all)
    if any(w in NEGATORS for w in before):
        return not limited  # "may not work there for longer than a week": a limit
    if any(one_of(w, claim.all) for scope in _governed(words, _EXCEPT, 4) for _, w in scope):
        return True  # "bathing is permitted except by the waterworks"
    # A sentence that holds every word of the claim says what it says with these, too.
    loose = () if share == 1 else EXCLUSIVE | REVERSING
    return any((w in NEGATIVE or _is_prefixed(w) or w in loose) and w not in claim.all for w in clause)


def _denied(claim: Words, source: Words) -> bool:
    """Whether the source denies what the claim says plainly."""
    answered = [w for w in claim.all if is_negative(w) and not one_of(w, source.all)]
    if answered or _held(claim, source) < 0.3:
        return False
    scopes = _governed(source, NEGATORS, 3)
    under = {n for scope in scopes for n, _ in scope}
    for scope in scopes:
        head = [w for _, w in scope]
        if any(w in _COMPARED and w not in claim.all for w in head):
            continue  # "nobody may stay longer"
        shared = [w for w in head if _places(claim, w)]
        plain = set(_places(source, head[0])) - under if head else set()
        if len(shared) < 2 and _held(claim, source) < 0.5:
            continue
        if shared and not plain and shared[0] == head[0] and 3 * len(shared) >= 2 * len(head):
            return True
    return False


# --- quantifiers ----------------------------------------------------------------


def _quantified(claim: Words, held: Sequence[Words]) -> bool:
    """Whether the claim says of all, most, only or must what the source says of fewer, or otherwise."""
    nearly = [_held(claim, source) >= _NEARLY_ALL for source in held]
    for kind in KINDS:
        mine = _sides(claim, kind)
        found = [_sides(source, kind) for source in held]
        if "must" in kind[0] and any(w in NEGATORS for w in claim.all):
            continue  # "need not": may
        if kind is COMPARING:
            if any(w in NEGATORS for w in claim.all) or any("others" in source.all for source in held):
                continue  # "those with six or more cannot": fewer can
            than = _compared_otherwise(claim, held)
            if than is not None:
                if than:
                    return True
                continue
        if (
            "most" in kind[0] | kind[-1]
            and any(w in MAJORITY for w in claim.all)
            and any(w in NEGATORS for w in claim.all)
        ):
            continue  # "most do not": few do
        for side, heads in mine.items():
            same = [w for theirs in found for w in theirs.get(side, ())]
            if any(side in theirs for theirs in found) and (not heads or any(one_of(h, same) for h in heads)):
                continue
            for theirs, near in zip(found, nearly, strict=True):
                other = [w for s, ws in theirs.items() if s != side for w in ws]
                if any(one_of(h, other) for h in heads[:1]) or (near and theirs and side not in theirs):
                    return True
    return (
        _unfounded(claim, held, UNIVERSAL, UNIVERSAL | {"any", "both", "must", "per"})
        or _unfounded(claim, held, MAJORITY, MAJORITY | UNIVERSAL | _OFTEN)
        or _unfounded(
            claim, held, EXCLUSIVE, EXCLUSIVE | {"nothing", "nobody", "no", "without", "single", "but"}
        )
    )


def sweeping(claim: str, nearest: str) -> bool:
    """Whether the claim says "all" or "at least" where nothing in the nearest sentence says so.

    Less sure than a changed quantifier: a writer says so of what is meant so, too.
    """
    mine, theirs = Words.of(claim), frozenset(Words.of(nearest).all)
    scopes = _governed(mine, UNIVERSAL - {"each"}, 2)
    timed = all(bool(scope) and scope[0][1] in TIMES_OF_YEAR for scope in scopes)
    each = any(w.startswith("per-") for w in theirs)  # "each person"
    if scopes and not timed and not each and not theirs & (UNIVERSAL | _WHOLE):
        return True
    return any(w in _BOUNDS for w in mine.all) and not theirs & (_BOUNDS | _LIMITING)


_WHOLE = frozenset("any both whole entire full complete never none nobody nothing".split())
_BOUNDS = frozenset("at-least at-most up-to minimum maximum".split())
_LIMITING = frozenset("within exceed exceeds than over under until limit limited below above between".split())


def _compared_otherwise(claim: Words, held: Sequence[Words]) -> bool | None:
    """Whether "A has more than B" stands where a source says so of B and A; None where neither compares."""
    more, less = COMPARING[0] | _MORE, COMPARING[1] | _LESS
    for source in held:
        sides = []
        for words in (claim, source):
            at = next((n for n, w in enumerate(words.all) if w in ("than", "as") and n > 1), None)
            there = [n for n, w in enumerate(words.all[:at]) if w in more or w in less] if at else []
            if at is None or (not there and "as" not in words.all[at : at + 1]):
                break
            before, behind = words.all[:at], words.all[at + 1 :]
            both = {w for w in before if one_of(w, behind)}
            sides.append(
                (
                    [w for w in before if w not in both],
                    [w for w in behind if not one_of(w, both)],
                    not there or words.all[there[-1]] in more,
                )
            )
        if len(sides) < 2:
            continue
        (left, right, up), (first, second, high) = sides
        straight = bool(_common(left[:4], first[:6])) + bool(_common(right[:4], second[:4]))
        crossed = bool(_common(left[:4], second[:4])) + bool(_common(right[:4], first[:6]))
        if straight == crossed or max(straight, crossed) < 2:
            continue
        return (up == high) != (straight > crossed)
    return None


def _unfounded(claim: Words, held: Sequence[Words], strong: frozenset[str], enough: frozenset[str]) -> bool:
    """Whether the claim says of a word with ``strong`` what the sources say of it without ``enough``."""
    scopes = _governed(claim, strong, 2)
    if not scopes:
        return False
    if any(w in ("never", "nothing", "none", "nobody") for w in held[0].all):
        return False  # "all of it is theirs": none of it is others'
    founding = [w for source in held for found in _governed(source, enough, 2) for _, w in found[:2]]
    synonyms = [w for w in founding if w not in TIMES_OF_YEAR and not _places(claim, w)]
    for scope in scopes:
        head = scope[0][1] if scope else ""
        if not head or one_of(head, founding):
            continue
        for source in held:
            share = _held(claim, source)
            if strong is MAJORITY and any(w in enough for w in source.all):
                continue
            if share >= _NEARLY_ALL and not one_of(head, source.all) and synonyms:
                continue
            if share >= _NEARLY_ALL or (_places(source, head) and share >= 0.4):
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


def one_of(word: str, words: Iterable[str]) -> bool:
    return any(alike(word, w) for w in words)


# --- opposites ------------------------------------------------------------------


def _opposed(claim: Words, source: Words) -> bool:
    """Whether the claim has a word where the source has its opposite."""
    mine, theirs = set(claim.all), set(source.all)
    for at, word in enumerate(claim.all):
        against = _AGAINST.get(word, frozenset()) & theirs
        if not against or any(alike(word, w) for w in theirs) or _BESIDE[word] & theirs:
            continue
        if any(w in mine for w in against) or any(w in NEGATORS for w in (*claim.all[max(0, at - 4) : at],)):
            continue
        if any(_negated_at(source, w) for w in against):
            continue
        before = next((w for w in reversed(claim.all[:at]) if w[0].isalnum() and w not in FUNCTION_WORDS), "")
        if _held(claim, source) >= 0.5 or (before and one_of(before, theirs) and _held(claim, source) >= 0.3):
            return True
    return False


def _negated_at(words: Words, word: str) -> bool:
    return any(w in NEGATORS for n in _places(words, word) for w in words.all[max(0, n - 4) : n])


def _order_differs(claim: Words, source: Words) -> bool:
    """ "A before B" against "A after B"; "B after A" says the same as "A before B"."""
    for side, other in (("before", "after"), ("after", "before")):
        if side not in claim.all or other not in source.all or side in source.all or other in claim.all:
            continue
        at, there = claim.all.index(side), source.all.index(other)
        left, right = claim.all[:at], claim.all[at + 1 :]
        first, second = source.all[:there], source.all[there + 1 :]
        straight = _common(left, first) + _common(right, second)
        if straight > max(1, _common(left, second) + _common(right, first)):
            return True
    return False


def _common(mine: Sequence[str], theirs: Sequence[str]) -> int:
    words = [w for w in mine if w[0].isalnum() and w not in FUNCTION_WORDS]
    return sum(one_of(w, theirs) for w in words)
