"""Which figures, dates and names of a claim are not in its evidence.

A figure is also found where it follows from the evidence by one step that a writer takes
without a thought: "in 1993, after five years" from "between 1588 and 1593", "two metres" from
"four metres, and half that inland", "two thirds were lost" from "a third was recovered".
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from rag.cite.facts import Quantity, When, dates, names, quantities
from rag.cite.polarity import Words, alike
from rag.cite.units import SMALL, TENS, UNITS
from rag.words import FUNCTION_WORDS

_ABOUT = 0.06
"""How far "about 1,200" may be off; rounding to two digits is at most 5 %."""
_ABOUT_A_SHARE = 0.12
"""How far "nearly a third" may be off: 30 % is called that."""
_FRACTIONS = frozenset((20, 25, 33, 50, 67, 75, 80))
_MONTH_IN_DAYS, _MONTH_OFF = 30.44, 0.09
"""Days of a month, and how far off "three months" for "twelve weeks" may be."""
_OTHER_YEAR = re.compile(
    r"\b(?:the )?(?:year before|previous year|year after|next year|following year|year earlier|year later)\b",
    re.I,
)
_LESS = re.compile(
    r"\b(?:not|no|never|none|without|un\w{4,}|lost|missing|rest|remain\w*|other|only|fewer|less)\b|n't\b",
    re.I,
)


def changed(claim: str, evidence: Sequence[str], source: str, nearest: str) -> list[str]:
    """Of ``number`` or ``unit``, ``date`` and ``name``, those of the claim that the evidence lacks.

    ``evidence`` are the sentences that figures and dates may come from, ``nearest`` the one
    nearest to the claim; names may come from all of ``source``.
    """
    reasons = []
    reason = _quantities_differ(claim, evidence)
    if reason:
        reasons.append(reason)
    if _dates_differ(claim, evidence):
        reasons.append("date")
    if _names_differ(claim, source, nearest):
        reasons.append("name")
    return reasons


# --- figures --------------------------------------------------------------------


def _quantities_differ(claim: str, evidence: Sequence[str]) -> str:
    asked = quantities(claim)
    if not asked:
        return ""
    held = [(q, text) for text in evidence for q in quantities(text)]
    whens = [w for text in evidence for w in dates(text)]
    years = {float(w.year) for w in whens if w.year}
    held_when = {float(x) for w in whens for x in (w.day, w.year) if x}
    hours = {float(w.minute // 60 % 12) for w in whens if w.minute is not None}
    follows = list(_following([q for q, _ in held], years, " ".join(evidence)))
    for quantity in asked:
        same = [(q, text) for q, text in held if _equal(quantity, q)]
        if same:
            if _bound_elsewhere(quantity, claim, same, held):
                return "number"
            continue
        if quantity.value in (years | held_when) and quantity.dimension in ("", "ordinal"):
            continue
        if quantity.dimension == "ordinal" and not any(q.dimension == "ordinal" for q, _ in held):
            continue  # "first, send the form": an order of speech
        if (
            quantity.dimension == "times"
            and quantity.value <= 1
            and not any(q.dimension == "times" for q, _ in held)
        ):
            continue
        if quantity.dimension == "" and quantity.value <= 1 and not held:
            continue
        if quantity.dimension == "" and quantity.value in hours:
            continue  # "five in the morning"
        if quantity.dimension == "ordinal" and _century(claim, quantity, years):
            continue
        if any(_equal(quantity, q) for q in follows):
            continue
        return "unit" if any(math.isclose(q.figure, quantity.figure) for q, _ in held) else "number"
    return ""


def _following(held: Sequence[Quantity], years: set[float], text: str) -> Iterator[Quantity]:
    """The figures that follow from those of the evidence by one step."""
    for a in sorted(years):
        for b in sorted(years):
            if b > a:
                yield Quantity(12 * (b - a), "months", 0, 0, figure=b - a)
    scales = [q.value / 100 for q in held if q.dimension == "share" and q.value == 50]
    scales += [q.value for q in held if q.dimension == "times" and not q.per and q.value in (2, 3)]
    for q in held:
        if q.dimension == "share":
            yield Quantity(100 - q.value, "share", 0, 0, q.hedge and "about", figure=100 - q.value)
        if q.dimension not in ("share", "times", "ordinal"):
            for scale in scales:
                for value in (q.value * scale, q.value / scale):
                    yield Quantity(value, q.dimension, 0, 0, q.hedge, figure=value, per=q.per)
    for m in re.finditer(r"\b(\d+) (?:out )?of (?:the )?(\d+)\b", text):
        part, whole = float(m[1]), float(m[2])
        if 0 < part < whole:
            yield Quantity(whole - part, "", 0, 0, figure=whole - part)
            yield Quantity(100 * part / whole, "share", 0, 0, figure=100 * part / whole)


def _century(claim: str, quantity: Quantity, years: set[float]) -> bool:
    """Whether "the twentieth century" stands for a year that the evidence names."""
    is_century = claim[quantity.end :].lstrip(" -").casefold().startswith("centur")
    return is_century and any(year // 100 + 1 == quantity.value for year in years)


def _equal(claimed: Quantity, held: Quantity) -> bool:
    """Whether the source's figure is the claim's, as far as the claim is exact."""
    kinds = {claimed.dimension, held.dimension}
    if kinds == {"times", "time"}:
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
    if "cent" in kinds and kinds & set("€$£"):
        a, b = (v / 100 if q.dimension == "cent" else v for v, q in ((a, claimed), (b, held)))
    elif len(kinds) == 2:
        if "" not in kinds or ((claimed.noun or held.noun) and "times" not in kinds):
            return False
        if "share" in kinds and a != b:
            a, b = (v / 100 if q.dimension == "share" else v for v, q in ((a, claimed), (b, held)))
    if claimed.per and held.per and claimed.per != held.per:
        return False
    if claimed.working != held.working and claimed.dimension == held.dimension == "time":
        return False
    if math.isclose(a, b, rel_tol=1e-3):
        return True
    if kinds == {"share"} and claimed.hedge and abs(a - b) <= _ABOUT_A_SHARE * b and round(a) in _FRACTIONS:
        return True
    if about:
        return math.isclose(a, b, rel_tol=_ABOUT)
    if claimed.hedge == "over" and not held.hedge:
        return a < b <= 1.5 * a
    if claimed.hedge == "under" and not held.hedge:
        return 0.6 * a <= b < a
    return False


def _often(times: Quantity) -> float:
    """Times in a second, or in a month where the figure is for months or years; 0 where it is for neither."""
    _, factor = UNITS.get(times.per, ("", 0.0))
    return round(times.value / factor, 9) if factor else 0.0


def _rate(times: Quantity, every: Quantity) -> bool:
    """Whether "twice a minute" says the same as "every 30 seconds"."""
    dimension, factor = UNITS.get(times.per, ("", 0.0))
    return (
        times.dimension == "times"
        and every.dimension == dimension == "time"
        and math.isclose(times.value * every.value, factor)
    )


def _bound_elsewhere(
    quantity: Quantity, claim: str, same: Sequence[tuple[Quantity, str]], held: Sequence[tuple[Quantity, str]]
) -> bool:
    """Whether the claim's words stand by another figure of the same kind than the equal one."""
    if re.search(r"\w [A-Z]\w+ $", claim[: quantity.start]):
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


def _context(text: str, quantity: Quantity, reach: int) -> list[str]:
    before = Words.of(text[: quantity.start]).content[-reach:]
    after = Words.of(text[quantity.end :]).content[:reach]
    return [w for w in (*before, *after) if not w[0].isdigit()]


def _shared(mine: Sequence[str], theirs: Sequence[str]) -> int:
    return sum(any(alike(w, t) for t in theirs) for w in mine)


# --- dates ----------------------------------------------------------------------


def _dates_differ(claim: str, evidence: Sequence[str]) -> bool:
    asked = dates(claim)
    if not asked:
        return False
    held = [w for text in evidence for w in dates(text)]
    found = [q for text in evidence for q in quantities(text)]
    figures = {q.value for q in found}
    years = {w.year for w in held if w.year}
    # A year and a span of years give another: "in 2009", "within six years".
    later = {
        y + s * round(q.value / 12) for y in years for q in found if q.dimension == "months" for s in (-1, 1)
    }
    if any(_OTHER_YEAR.search(text) for text in evidence):
        later |= {y + s for y in years for s in (-1, 1)}
    for when in asked:
        if any(when.says(h) for h in held) or _pieced(when, held):
            continue
        if when.year and not when.month and (float(when.year) in figures or when.year in later):
            continue
        if when.month and not when.day and _in_half(when, " ".join(evidence)):
            continue
        return True
    return False


def _in_half(when: When, text: str) -> bool:
    """Whether a month bounds the half of a year that the evidence names."""
    bounds = {"first": (1, 6), "second": (7, 12)}
    return any(
        when.month in bounds[m[1].casefold()] for m in re.finditer(r"\b(first|second) half of\b", text, re.I)
    )


def _pieced(when: When, held: Sequence[When]) -> bool:
    """A day and month in one place, the year in another: together they say it."""
    if when.year and (when.month or when.day):
        without = When(when.start, when.end, None, when.month, when.day)
        return any(h.year == when.year for h in held) and any(
            without.says(h) and h.year in (None, when.year) for h in held
        )
    return False


# --- names ----------------------------------------------------------------------


def _names_differ(claim: str, source: str, nearest: str) -> bool:
    there = [m.casefold().rstrip(".'’-") for m in re.findall(r"[^\W\d_][\w'’.-]*", source)]
    initials = _initials(source)
    missing = []
    for name in names(claim):
        folded = name.text.casefold().strip(".")
        if folded in FUNCTION_WORDS or len(folded) < 2 or re.split(r"[^a-z]", folded)[0] in _FIGURES:
            continue
        parts = [p for p in re.split(r"[-.’']", folded) if len(p) > 1] or [folded]
        if (
            folded in there
            or all(any(_same_name(p, t) or (name.opens and alike(p, t)) for t in there) for p in parts)
            or folded in initials
            or folded.replace(".", "") in initials
        ):
            continue
        if name.text.isupper() and len(name.text) <= 6 and folded in _initials(claim):
            continue
        missing.append(name)
    if any(not name.opens for name in missing) or _titles_differ(claim, source):
        return True
    if not missing:
        return False
    # The first word of a sentence is capitalised whatever it is: it counts as a name where
    # a name of the source is left over.
    said = [m.casefold() for m in re.findall(r"[^\W\d_][\w'’-]*", claim)]
    left = [
        n
        for n in names(nearest)
        if n.text.casefold() not in FUNCTION_WORDS and not any(_same_name(n.text.casefold(), s) for s in said)
    ]
    return any(not n.opens for n in left) or (
        bool(left) and len(Words.of(nearest).content) > 1 and _opens_with_name(nearest, claim)
    )


def _titles_differ(claim: str, source: str) -> bool:
    """Whether a title stands before another name than in the source: roles were exchanged."""
    pairs = re.compile(r"\b([A-Z][a-z]+\.?) ([A-Z][\w’'-]+)")
    theirs = {(a.casefold(), b.casefold()) for a, b in pairs.findall(source)}
    titles, called = {a for a, _ in theirs}, {b for _, b in theirs}
    mine = {(a.casefold(), b.casefold()) for a, b in pairs.findall(claim)}
    return any((a, b) not in theirs and a in titles and b in called and a not in called for a, b in mine)


def _opens_with_name(nearest: str, claim: str) -> bool:
    """Whether both sentences go on alike after their first word: then it is the first that was changed."""
    mine, theirs = Words.of(claim).content[1:4], Words.of(nearest).content[1:5]
    return bool(mine) and sum(any(alike(w, t) for t in theirs) for w in mine) >= min(2, len(mine))


def _same_name(a: str, b: str) -> bool:
    if a == b:
        return True
    shorter, longer = sorted((a, b), key=len)
    if (
        longer.removesuffix("s") == shorter
        or longer.removesuffix("'s") == shorter
        or longer.removesuffix("’s") == shorter
    ):
        return True
    common = 0
    for x, y in zip(shorter, longer, strict=False):
        if x != y:
            break
        common += 1
    # "Portugal" and "Portuguese", "Sweden" and "Swedish": the nation's word begins alike.
    return common >= 4 and shorter[common:] in _COUNTRY and longer[common:] in _DEMONYM


_COUNTRY = frozenset(["", "al", "y", "ay", "en", "a", "e", "o", "ia", "ey", "and"])
_FIGURES = SMALL.keys() | TENS.keys()
_DEMONYM = frozenset(
    "an ian ese ish uese ic i n s es er ean egian ch ns ans ians ers ander anders nian".split()
)


def _initials(text: str) -> set[str]:
    """The acronyms of runs of capitalised words: "World Health Organization" gives "who"."""
    found = set()
    words = re.findall(r"[^\W\d_][\w'’-]*", text)
    for at in range(len(words)):
        letters = ""
        for word in words[at : at + 7]:
            if word[0].isupper():
                letters += word[0].casefold()
            elif word.casefold() not in ("of", "the", "and", "for", "in"):
                break
            if len(letters) >= 2:
                found.add(letters)
    return found
