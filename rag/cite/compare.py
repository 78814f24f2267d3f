"""Which figures, dates and names of a claim are not in its evidence.

A figure is also found where it follows from the evidence by one step that a writer takes
without a thought: "in 1593, after five years" from "between 1588 and 1593", "two metres" from
"four metres, and half that inland", "two thirds were lost" from "a third was recovered".
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.cite.facts import LETTERS, bare_units, dates, quantities
from rag.cite.follows import FEW, following
from rag.cite.measures import Quantity
from rag.cite.naming import joined_otherwise, names_differ
from rag.cite.reckoned import NAMED, is_reckoned, is_rewritten, is_supposed, speaks_of_reckoning
from rag.cite.units import OF_CENTS, UNITS
from rag.cite.whens import dates_differ
from rag.cite.wording import Words, alike

_ABOUT = 0.06
"""How far "about 1,200" may be off; rounding to two digits is at most 5 %."""
_OVER = 1.3
"""How far above "more than 300" a figure may be."""
_ABOUT_A_SHARE = 0.12
"""How far "nearly a third" may be off: 30 % is called that."""
_FRACTIONS = frozenset((20, 25, 33, 50, 67, 75, 80))
_MONTH_IN_DAYS, _MONTH_OFF = 30.44, 0.09
"""Days of a month, and how far off "three months" for "twelve weeks" may be."""
_AROUND = 200
"""Characters beside a figure in which its words are looked for."""
_WORKED = 5 / 7
"""Days of a week that are working days."""
_WEEKS = frozenset((604_800, 1_209_600))
"""Seconds of a week and a fortnight."""
_ITEM = re.compile(r"[,;|](?= )")
"""What parts the items of a list: "short hair £38, long hair £46"."""
_ALL_DAY = re.compile(
    r"24 ?/ ?7|(?:24|twenty-four)[- ]hours?(?: a| per| each)? day|(?:seven|7) days a week", re.IGNORECASE
)
_ALWAYS = re.compile(
    r"\b(?:any (?:hour|time)|all (?:hours|times)|(?:a)?round the clock|(?:by )?day and (?:by )?night)\b",
    re.IGNORECASE,
)
_DAILY = re.compile(r"\b(?:every day|daily|each day)\b", re.IGNORECASE)
_MEASURED = frozenset(("length", "mass", "volume"))
_BARE_UNIT = re.compile(rf"\b(?:an?|one) ({'|'.join(u for u in UNITS if len(u) > 3)})\b", re.IGNORECASE)
_BESIDE = 100
"""Figures of the evidence up to which it is asked whether one stands by other words: what bounds the time."""
_OTHERS = 5
"""Figures of a claim, each with another one in its place, that are looked at for one that is surely wrong."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a claim has and its evidence has not: ``kind`` is number, unit, date or name.

    ``instead``: the evidence has another one of its kind in its place, so that it was
    changed, and not just added or drawn from what the evidence says. ``unreached``: no reckoning
    leads to a figure from those of the source, or it is small and none is spoken of; ``sure``: nor is
    it an example of a limit there, or the claim one that speaks of reckoning. Of a name ``sure``: the
    source joins its parts otherwise.
    """

    kind: str
    instead: bool
    sure: bool = False
    unreached: bool = False


def changed(claim: str, evidence: Sequence[str], source: str, nearest: str) -> list[Finding]:
    """Of ``number`` or ``unit``, ``date`` and ``name``, those of the claim that the evidence lacks.

    ``evidence`` are the sentences that figures and dates may come from, ``nearest`` the one
    nearest to the claim; names may come from all of ``source``.
    """
    claim, source, nearest = (text.translate(LETTERS) for text in (claim, source, nearest))
    evidence = [text.translate(LETTERS) for text in evidence]
    found = []
    reason = _quantities_differ(claim, evidence, source)
    if reason:
        found.append(reason)
    when = dates_differ(claim, evidence)
    if when is not None:
        found.append(Finding("date", when))
    named = names_differ(claim, source, nearest)
    joined = joined_otherwise(claim, source)
    if joined is not None:
        found.append(Finding("name", True, sure=joined[1]))
    elif named is not None:
        found.append(Finding("name", named))
    return found


# --- figures --------------------------------------------------------------------


def _quantities_differ(claim: str, evidence: Sequence[str], source: str) -> Finding | None:
    if _bare_units_differ(claim, " ".join(evidence)):
        return Finding("unit", True)
    worst = None
    others = 0
    for quantity, kind, instead in figures_lacking(claim, evidence):
        if kind != "number":
            return Finding("unit" if kind == "unit" else "number", True)
        if worst is not None and not instead:
            continue
        found = Finding("number", instead, *_grounds(quantity, claim, source))
        if instead and found.sure:
            return found
        if worst is None or (instead, found.unreached) > (worst.instead, worst.unreached):
            worst = found
        others += instead
        if others == _OTHERS:
            break
    return worst


def figures_lacking(claim: str, evidence: Sequence[str]) -> Iterator[tuple[Quantity, str, bool]]:
    """The figures of a claim that the evidence lacks, or has for something else.

    ``unit``: the evidence has the figure, of another unit; ``elsewhere``: of something else; ``number``: not
    at all. Last whether it has another one in its place.
    """
    held = [(q, text) for text in evidence for q in (*quantities(text), *bare_units(text))]
    for bare in bare_units(claim):
        if not any(equal(bare, q) for q, _ in held) and any(
            q.dimension in ("time", "months") for text in evidence for q in bare_units(text)
        ):
            yield bare, "unit", True
    whens = [w for text in evidence for w in dates(text)]
    years = {float(w.year) for w in whens if w.year}
    held_when = {float(x) for w in whens for x in (w.day, w.year) if x}
    hours = {float(w.minute // 60 % 12) for w in whens if w.minute is not None}
    follows = list(following(claim, [q for q, _ in held], years, evidence))
    idioms = [
        m.span()
        for m in _ALL_DAY.finditer(claim)
        if any((_DAILY if m[0][0] in "7sS" else _ALWAYS).search(text) for text in evidence)
    ]
    for quantity in quantities(claim):
        if any(a <= quantity.start < b for a, b in idioms):
            continue  # "24 hours a day": at any hour
        same = [(q, text) for q, text in held if equal(quantity, q)]
        if same:
            if len(held) <= _BESIDE and _bound_elsewhere(quantity, claim, same, held):
                yield quantity, "elsewhere", True
            continue
        if (
            quantity.value in (years | held_when)
            and quantity.dimension in ("", "ordinal")
            and (not quantity.noun or (quantity.value in years and claim[quantity.start].isdigit()))
        ):
            continue  # "Expo 2020 opens"
        if quantity.dimension == "ordinal" and not any(q.dimension == "ordinal" for q, _ in held):
            continue  # "first, send the form": an order of speech
        rates = quantity.per and any(q.dimension == "times" and q.per for q, _ in held)
        if quantity.dimension == "times" and quantity.value <= 1 and not rates:
            continue  # "at once"
        in_words = not claim[quantity.start].isdigit() and quantity.dimension == ""
        if in_words and 2 <= quantity.value <= FEW and not _counted(quantity, claim, held):
            continue  # "the two sisters": the source names them
        if quantity.dimension == "" and quantity.value <= 1 and not held:
            continue
        if quantity.dimension == "" and quantity.value in hours and not quantity.noun:
            continue  # "five in the morning"
        if quantity.dimension == "ordinal" and _century(claim, quantity, years):
            continue
        if any(equal(quantity, q) for q in follows):
            continue
        same_figure = any(math.isclose(q.figure, quantity.figure) for q, _ in held)
        if (
            not same_figure
            and _is_instance(quantity, claim)
            and any(_bounds(q, text) and (_like(quantity, q) or not q.dimension) for q, text in held)
        ):
            continue  # "a ten-year-old" where the source speaks of those under twelve
        if same_figure:
            yield quantity, "unit", True
            continue
        instead = any(_like(quantity, q) for q, _ in held) or _counted(quantity, claim, held)
        yield quantity, "number", instead


def unreached(quantity: Quantity, claim: str, source: str) -> bool:
    """Whether no reckoning leads to a figure of the claim from those of the source."""
    return _grounds(quantity, claim, source)[1]


def _grounds(quantity: Quantity, claim: str, source: str) -> tuple[bool, bool]:
    """``sure`` and ``unreached`` of a figure that the evidence has not."""
    held = [*quantities(source), *bare_units(source)]
    if quantity.dimension == "ordinal" or any(
        equal(quantity, q) or math.isclose(q.figure, quantity.figure) for q in held
    ):
        return False, False
    plain = not speaks_of_reckoning(claim) and not _is_example(quantity, claim, source, held)
    if is_supposed(claim) or is_reckoned(quantity, held, dates(source)):
        # A small figure may always be a count, which says nothing for it.
        return False, plain and quantity.value <= NAMED
    return plain and not is_rewritten(quantity, source, held), True


def _is_example(quantity: Quantity, claim: str, source: str, held: Sequence[Quantity]) -> bool:
    """Whether the source has a limit that the figure may be an example of: "a float of three metres" where
    those up to 2.5 are allowed."""
    if quantity.hedge or _bounds(quantity, claim):
        return False
    around = _context(claim, quantity, 5)
    like = [q for q in held if _like(quantity, q) or not q.dimension]
    shared = [_shared(around, _context(source, q, 5)) for q in like]
    return any(n == max(shared) and _bounds(q, source) for n, q in zip(shared, like, strict=True))


def _like(a: Quantity, b: Quantity) -> bool:
    """Whether two figures measure or count the same."""
    if a.dimension or b.dimension:
        return a.dimension == b.dimension or {a.dimension, b.dimension} == {"time", "months"}
    return bool(a.noun and b.noun and alike(a.noun, b.noun))


_BOUND = re.compile(
    r"(?:more|less|fewer|longer|shorter|older|younger|later|earlier|under|over|above|below|least|most|than|"
    r"until|before|after|since|by|within|to|exceed\w*|beyond) (?:the )?[€$£]?$",
    re.IGNORECASE,
)


def _bounds(quantity: Quantity, text: str) -> bool:
    return quantity.hedge in ("over", "under") or bool(_BOUND.search(_before(text, quantity)))


def _is_instance(quantity: Quantity, claim: str) -> bool:
    """Whether a figure of a claim is an example: "a class of twenty", "a two-day flu"."""
    if quantity.hedge or _bounds(quantity, claim):
        return False
    joined = claim[quantity.start : quantity.end + 1].rstrip(".,")
    adjective = bool(re.search(r"[\w]-[a-z]", joined)) or claim[quantity.end :].startswith("-")
    before = _before(claim, quantity)
    return (adjective and bool(re.search(r"\ban? $", before, re.I))) or bool(
        re.search(
            r"\b(?:an? [\w-]+(?: \w+)? of|aged|an?(?: \w+)? that \w+ on the) [€$£]?$",
            before,
            re.I,
        )
    )


def _bare_units_differ(claim: str, text: str) -> bool:
    """Whether the claim has "a gallon" where the evidence has "a litre"."""
    theirs = {m[1].casefold() for m in _BARE_UNIT.finditer(text)}
    for m in _BARE_UNIT.finditer(claim):
        unit = m[1].casefold()
        other = {u for u in theirs if u != unit and UNITS[u][0] == UNITS[unit][0] in _MEASURED}
        if other and not re.search(rf"\b{unit[:-1]}", text, re.I):
            return True
    return False


def _counted(quantity: Quantity, claim: str, held: Sequence[tuple[Quantity, str]]) -> bool:
    """Whether the source counts what the claim counts."""
    noun = _context(claim, quantity, 5)
    counts = [(q, text) for q, text in held if q.dimension == "" and 1 < q.value < 100]
    return any(_shared(noun, _context(text, q, 3)) for q, text in counts)


def _century(claim: str, quantity: Quantity, years: set[float]) -> bool:
    """Whether "the twentieth century" stands for a year that the evidence names."""
    is_century = claim[quantity.end :].lstrip(" -").casefold().startswith("centur")
    return is_century and any(year // 100 + 1 == quantity.value for year in years)


def equal(claimed: Quantity, held: Quantity) -> bool:
    """Whether the source's figure is the claim's, as far as the claim is exact."""
    kinds = {claimed.dimension, held.dimension}
    if kinds in ({"times", "time"}, {"times", "months"}) or (
        kinds == {"", "time"} and (claimed.per or held.per)
    ):
        return _rate(claimed, held) or _rate(held, claimed)
    if kinds == {"times"} and claimed.per and held.per:
        return _often(claimed) == _often(held)
    a, b = claimed.value, held.value
    about = "about" in (claimed.hedge, held.hedge)
    if kinds == {"months", "time"}:
        a, b = (
            v * _MONTH_IN_DAYS * 86400 if q.dimension == "months" else v for v, q in ((a, claimed), (b, held))
        )
        return min(a, b) >= 26 * 86400 and math.isclose(a, b, rel_tol=_MONTH_OFF)
    if "cent" in kinds and kinds & OF_CENTS:
        a, b = (v / 100 if q.dimension == "cent" else v for v, q in ((a, claimed), (b, held)))
    elif len(kinds) == 2:
        bare = claimed if claimed.dimension == "" else held
        part = "share" in kinds and 0 < bare.value < 1  # "1/2 lemon", "half a lemon"
        if "" not in kinds or ((claimed.noun or held.noun) and "times" not in kinds and not part):
            return False
        if "share" in kinds and a != b:
            a, b = (v / 100 if q.dimension == "share" else v for v, q in ((a, claimed), (b, held)))
    if claimed.per and held.per and claimed.per != held.per:
        return False
    if claimed.working != held.working and claimed.dimension == held.dimension == "time":
        # "Two weeks (10 working days)".
        days, weeks = (claimed, held) if claimed.working else (held, claimed)
        whole = weeks.figure and math.isfinite(weeks.value) and round(weeks.value / weeks.figure) in _WEEKS
        return bool(whole) and math.isclose(days.value, weeks.value * _WORKED)
    if math.isclose(a, b, rel_tol=1e-3):
        return True
    if kinds == {"share"} and claimed.hedge and abs(a - b) <= _ABOUT_A_SHARE * b and round(a) in _FRACTIONS:
        return True
    if about and (claimed.hedge or _digits(a) < _digits(b)):
        return math.isclose(a, b, rel_tol=_ABOUT)
    if claimed.hedge == "over" and not held.hedge:
        return a < b <= _OVER * a
    if claimed.hedge == "under" and not held.hedge:
        return a / _OVER <= b < a
    return False


def _digits(value: float) -> int:
    """Significant digits."""
    return len(f"{value:.6g}".replace(".", "").strip("0"))


def _often(times: Quantity) -> float:
    """Times in a second, or in a month where the figure is for months or years; 0 where it is for neither."""
    _, factor = UNITS.get(times.per, ("", 0.0))
    return round(times.value / factor, 9) if factor else 0.0


def _rate(times: Quantity, every: Quantity) -> bool:
    """Whether "twice a minute" says the same as "every 30 seconds"."""
    dimension, factor = UNITS.get(times.per, ("", 0.0))
    return (
        times.dimension in ("times", "")
        and every.dimension == dimension
        and dimension in ("time", "months")
        and math.isclose(times.value * every.value, factor)
    )


def _bound_elsewhere(
    quantity: Quantity, claim: str, same: Sequence[tuple[Quantity, str]], held: Sequence[tuple[Quantity, str]]
) -> bool:
    """Whether the claim's words stand by another figure of the same kind than the equal one."""
    if re.search(r"\w [A-Z]\w+ $", _before(claim, quantity)):
        return False  # "Windows 8": a name
    around = _context(claim, quantity, 5)
    if len(around) < 2:
        return False
    best = max(_shared(around, _context(text, q, 5)) for q, text in same)
    rivals = [
        _shared(around, _context(text, q, 5))
        for q, text in held
        if q.dimension == quantity.dimension and not any(s is q for s, _ in same)
    ]
    return bool(rivals) and max(rivals) >= best + (2 if best == 0 else 3 if len(around) > 4 else 2)


def _before(text: str, quantity: Quantity) -> str:
    """What stands before a figure, as far as it can matter: claims may hold thousands of figures."""
    return text[max(0, quantity.start - _AROUND) : quantity.start]


@lru_cache(maxsize=4096)
def _context(text: str, quantity: Quantity, reach: int) -> tuple[str, ...]:
    before = Words.of(_before(text, quantity)).content[-reach:]
    behind = _ITEM.split(text[quantity.end : quantity.end + _AROUND], maxsplit=1)[0]
    after = Words.of(behind).content[:reach]
    return tuple(w for w in (*before, *after) if not w[0].isdigit())


def _shared(mine: Sequence[str], theirs: Sequence[str]) -> int:
    return sum(any(alike(w, t) for t in theirs) for w in mine)
