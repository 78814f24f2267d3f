"""Whether a figure that a source does not name was reckoned from those that it does.

:mod:`rag.cite.follows` gives the figures that a claim's words speak of. Here one step counts that a writer
might take unspoken; a figure to which none leads was, in a claim that speaks of no reckoning, not drawn
from the source. Hardly any true claim has such a figure in the place of another one, beside no limit that
it is an example of: ``python -m tests.benchmarks.fit_read`` prints what it is worth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, combinations
from math import prod

from rag.cite.measures import Quantity, When

_EXACT, _ABOUT, _BOUND = 0.006, 0.06, 1.3
"""How far off a figure may be, and one after "about"; how many times as large that may be to which "less
than" is said."""
NAMED = 12
"""Up to which a figure may be the number of things that a source names one by one."""
_COUNTS = range(2, 61)
"""Figures of a source that may say how many there are of what another one is the price or the length of."""
_FIGURES = 24
"""Figures of a source that are combined: what bounds the time."""
_DIGITS = re.compile(r"\d(?:[\d.,'’_\u00a0\u202f]*\d)?")
_NO_DIGIT = re.compile(r"\D")
_JOINED = 4
"""Digits that are looked for among those of the source, run together."""
_DAY, _YEAR = 1440, 12
"""Minutes, months."""
_SECONDS = {"months": 2_629_800.0, "time": 1.0}
"""Seconds of a month of the mean year, of a second."""
_SPOKEN = re.compile(
    r"\b(?:less|fewer|more|longer|older|younger|earlier|later|cheaper|dearer|shorter|higher|lower|than|ahead|"
    r"behind|above|below|sav\w+|increas\w*|decreas\w*|ris\w+|rose|grew|grow\w*|fell|fall\w*|drop\w*|cut|"
    r"reduc\w+|shr[aiu]n\w*|gain\w*|lost|los[ei]\w*|extra|differ\w*|others?|rest|remain\w*|left|still|free|"
    r"spare|without|not|none|another|additional|doubl\w*|tripl\w*|twice|half|halv\w*|times|together|total|"
    r"altogether|both|in all|combined|overall|amount\w*|com(?:es?|ing) to|came to|between|apart|gap|margin|"
    r"each|per|every|share|proportion|majority|most|average|mean|aged?|old|used to|before|after|since|until|"
    r"short of|makes?|sum|only|an? (?:year|quarter|month|week|day|hour|head|person)|annual\w*|yearly|"
    r"monthly|weekly|daily)\b|n['’]t\b",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(
    r"\b(?:someone|somebody|anyone|anybody|whoever|person who|if|would|could|suppose|whose)\b", re.IGNORECASE
)
"""What a case is made up with, whose figures need not be the source's."""


def speaks_of_reckoning(claim: str) -> bool:
    """Whether a claim has words in which figures are compared, added up or shared out."""
    return _SPOKEN.search(claim) is not None


def is_supposed(claim: str) -> bool:
    """Whether a claim makes up a case that a rule is applied to."""
    return _SUPPOSED.search(claim) is not None


def is_rewritten(asked: Quantity, source: str, held: Sequence[Quantity]) -> bool:
    """Whether the source may have the figure itself: with the same digits, whatever marks and scales stand by
    them ("7,5 mg", "2,5 Mio.", "83.2" under "in millions"), or with more of them."""
    mine = _significant(f"{asked.figure:.12g}")
    if mine in {_significant(m[0]) for m in _DIGITS.finditer(source)}:
        return True
    if len(mine) >= _JOINED and mine in _NO_DIGIT.sub("", source):
        return True  # a number of a telephone or an account, parted otherwise
    near = max(len(mine), 1)  # digits that a rounded figure of the source would show
    return any(
        abs(asked.value - q.value) <= (_ABOUT if near > 1 else _EXACT) * abs(q.value)
        and float(f"{q.value:.{near - 1}e}") == float(f"{asked.value:.{near - 1}e}")
        for q in held
        if q.dimension == asked.dimension
    )


def _significant(digits: str) -> str:
    return "".join(c for c in digits.partition("e")[0] if c.isdecimal()).strip("0")


def is_reckoned(asked: Quantity, held: Sequence[Quantity], whens: Sequence[When]) -> bool:
    """Whether a figure may have been reckoned from those of a source and its dates, or counted there."""
    if asked.dimension in ("", "ordinal", "times") and asked.value <= NAMED:
        return True
    if asked.dimension in _SECONDS and asked.figure <= NAMED and len(whens) > 1:
        return True  # "on three days": Mondays, Wednesdays and Fridays
    factor = _SECONDS.get(asked.dimension, 1.0)
    off = _ABOUT if asked.hedge == "about" else _EXACT
    low = asked.value * factor * (1 / _BOUND if asked.hedge == "under" else 1 - off)
    high = asked.value * factor * (_BOUND if asked.hedge == "over" else 1 + off)
    held = [q for q in held if q.dimension != "ordinal"][:_FIGURES]
    whens = [*whens[:_FIGURES], *(when for q in held if (when := _dotted(q)) is not None)]
    return any(low <= value <= high for value in _reached(asked, held, whens))


def _dotted(figure: Quantity) -> When | None:
    """The time of day that "20.45" may be, of which one figure cannot tell."""
    if figure.dimension or figure.value >= 24 or figure.value == int(figure.value):
        return None
    hour, minute = divmod(round(100 * figure.value), 100)
    return When(figure.start, figure.end, minute=60 * hour + minute) if minute < 60 else None


def _reached(asked: Quantity, held: Sequence[Quantity], whens: Sequence[When]) -> Iterator[float]:
    """Values in the figure's own dimension, of times in seconds."""
    like = [(q.dimension, value) for q in held if (value := _as(asked, q)) is not None]
    values = {value for _, value in like}
    in_order = [value for dimension, value in like if dimension == asked.dimension]
    same = set(in_order)
    counts = {q.value for q in held if q.dimension in ("", "times") and q.value in _COUNTS}
    shares = {q.value / 100 for q in held if q.dimension == "share"}
    yield from (value for dimension, value in like if dimension or not asked.dimension)
    if asked.dimension in _SECONDS:
        yield from _spans(whens)
    for one, other in combinations(values, 2):
        if one in same or other in same:
            yield from (one + other, abs(one - other))
    for first in range(len(in_order)):
        yield from accumulate(in_order[first:])
    if asked.dimension.startswith(("square ", "cubic ")):
        sides = [q.value for q in held if q.dimension in ("", asked.dimension.partition(" ")[2])]
        for many in (2, 3):
            yield from map(prod, combinations(sides, many))
    for some in combinations(same, 3):
        yield sum(some)
        yield 2 * max(some) - sum(some)  # what two leave of a third
    for value in same:
        for count in counts:
            yield from (value * count, value / count)
        for share in shares:
            yield from (value * share, value * (1 - share), value * (1 + share))
    exact = len(f"{asked.figure:.12g}".strip("0.")) > 2
    # "31 slices at 3.80"
    yield from (
        value * q.figure
        for value in same
        for q in held
        if q.dimension != asked.dimension and (exact or q.per)
    )
    scale = 100 if asked.dimension == "share" else 1
    if asked.dimension == "share":
        yield from (scale * (1 - share) for share in shares)
    for part in held:
        for whole in held:
            if whole.value and part.dimension == whole.dimension != asked.dimension:
                ratio = part.value / whole.value
                if asked.dimension in ("share", "times"):
                    yield from (scale * ratio, scale * abs(ratio - 1))
                elif not asked.dimension:
                    yield ratio


def _as(asked: Quantity, held: Quantity) -> float | None:
    """A figure of the source in the dimension of that which is asked for, if it may be of it."""
    if asked.dimension in _SECONDS and held.dimension in _SECONDS:
        return held.value * _SECONDS[held.dimension]
    if held.dimension in (asked.dimension, "") or not asked.dimension:
        return held.value
    if (asked.dimension, held.dimension) == ("fahrenheit", "degree"):
        return held.value * 1.8 + 32
    if (asked.dimension, held.dimension) == ("degree", "fahrenheit"):
        return (held.value - 32) / 1.8
    if "cent" in (asked.dimension, held.dimension):
        return held.value * (0.01 if held.dimension == "cent" else 100)
    return None


def _spans(whens: Sequence[When]) -> Iterator[float]:
    """Seconds between two dates or times of day of a source."""
    for when in whens:
        if when.minute is not None:  # a runtime of 2:28
            yield from (60.0 * when.minute, 1.0 * when.minute)
    for one, other in combinations(whens, 2):
        if one.minute is not None and other.minute is not None:
            apart = abs(one.minute - other.minute)
            yield from (60.0 * span for span in (apart, _DAY - apart, abs(_DAY // 2 - apart)))
        years = abs(one.year - other.year) if one.year and other.year else 0
        if years:
            yield from (_YEAR * (years + off) * _SECONDS["months"] for off in (-1, 0, 1))
        if one.month and other.month:
            months = abs(_YEAR * years + one.month - other.month)
            yield from (months * _SECONDS["months"], abs(_YEAR - months) * _SECONDS["months"])
            days = abs(30 * (one.month - other.month) + (one.day or 0) - (other.day or 0))
            yield from ((days + off) * 60.0 * _DAY for off in (-1, 0, 1, 2))
        elif one.day and other.day:
            yield abs(one.day - other.day) * 60.0 * _DAY
