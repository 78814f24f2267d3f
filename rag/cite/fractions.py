"""Figures that several tokens write together: fractions, parts of a million, powers of ten."""

from __future__ import annotations

import re

from rag.cite.units import AMBIGUOUS, FRACTIONS, SCALES, SMALL, UNITS

_NTHS = FRACTIONS | {"sixth": 1 / 6, "seventh": 1 / 7, "eighth": 1 / 8, "ninth": 1 / 9, "twelfth": 1 / 12}
_FEW = {word: number for word, number in SMALL.items() if 0 < number < 12} | {"a": 1, "an": 1}
_FRACTION = re.compile(
    rf"""(?:
      (?<![\w/.,^-])(?:(?P<whole>\d{{1,3}})[ -])?(?P<upper>\d{{1,2}})/(?P<lower>\d{{1,2}})(?![\w/^-]|[.,]\d)
    | \b(?:(?P<count>{"|".join(_FEW)})(?P<joint>[ -]))?(?P<nth>{"|".join(_NTHS)})s?\b
    )
    (?:
      [ -](?:of[ ])?(?:an?[ -])?(?P<scale>{"|".join(SCALES)})\b
    | (?:[ ]of[ ]an?[ ]|[ -])(?P<unit>[A-Za-z]+)\b
    | (?P<of>[ ]of\b)
    )?""",
    re.IGNORECASE | re.VERBOSE,
)
_LOWER = frozenset((2, 3, 4, 8, 16))
"""Of bare fractions: "9/11" and "3/5" are a date and a score as often."""
_LOWER_OF = frozenset((*range(2, 13), 16, 32))
"""Of fractions with a unit, or of something."""
_NUMBERED = re.compile(
    r"\b(?:grades?|phases?|stages?|years?|pages?|pp?\.?|terminals?|types?|class(?:es)?|flats?|levels?|"
    r"chapters?|sections?|steps?|forms?|parts?|units?|rooms?|gates?|tracks?|platforms?|lanes?|weeks?|days?|"
    r"no\.?|numbers?|versions?|ap(?:artmen)?ts?\.?|roads?|routes?|lines?|bus|tram|on|until|before|from|due|"
    r"dated|of) $",
    re.IGNORECASE,
)
"""Behind these two figures with a stroke are names or a date."""
_TIME = re.compile(r" time\b")
_REACH = 14
"""Characters before a fraction in which such a word is looked for."""
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "0123456789--")
_POWER = re.compile(
    r"(?<![\w.,^/])(?:(?P<first>\d+(?:\.\d+)?)(?: ?[×x*·⋅] ?(?=10)))?"
    r"10(?:\^(?P<caret>[-−]?\d{1,2})|(?P<raised>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2}))(?!\w)"
    r"|(?<![\w.,^/])(?P<base>\d+(?:\.\d+)?)e(?P<e>[-−+]?\d{1,2})(?!\w)"
)
_FOOTNOTES = frozenset("¹²³")


Written = tuple[float, float, str, int]
"""A figure, its value in its dimension's own unit, the dimension, and where it ends."""


def fraction_at(text: str, start: int) -> Written | None:
    """The fraction that begins at a place.

    "1 1/2 cups" has no dimension, "one-third of a mile" is a length, "3/4 of them" and "one-third"
    are shares of a hundred, "half a million" is a figure.
    """
    m = _FRACTION.match(text, start)
    if m is None:
        return None
    spelled = m["nth"] is not None
    if spelled:
        measured = m["scale"] or ((m["unit"] or "").casefold() in UNITS and text[m.end("nth")] == "-")
        if m["count"] is None and not (measured and m["nth"].casefold() in ("half", "quarter")):
            return None  # "quarter-inch", "half a million"
        figure = _FEW[(m["count"] or "a").casefold()] * _NTHS[m["nth"].casefold()]
        end = m.end("nth") + (text[m.end("nth") : m.end("nth") + 1] == "s")
    else:
        upper, lower = int(m["upper"]), int(m["lower"])
        before = text[max(0, start - _REACH) : start]
        numbered = not m["whole"] and _NUMBERED.search(before)
        if not 0 < upper < lower or numbered or _TIME.match(text, m.end("lower")):
            return None
        figure, end = int(m["whole"] or 0) + upper / lower, m.end("lower")
    if m["scale"]:
        value = figure * SCALES[m["scale"].casefold()]
        return value, value, "", m.end("scale")
    unit = (m["unit"] or "").casefold()
    clear = unit not in AMBIGUOUS or not spelled or (unit == "second" and " of " in m[0])
    if unit in UNITS and clear and (spelled or lower in _LOWER_OF):
        dimension, factor = UNITS[unit]
        return figure, figure * factor, dimension, m.end("unit")
    whole = m["whole"] is not None
    part_of = m["of"] is not None or text.startswith(" of ", end)
    if spelled:
        # "a third person", "two fifth floors": only what is joined or parts something is a share.
        if m["joint"] != "-" and not (part_of and m["nth"].casefold() not in FRACTIONS):
            return None
        return 100 * figure, 100 * figure, "share", end
    if lower not in (_LOWER_OF if part_of else _LOWER):
        return None
    if part_of and not whole:
        return 100 * figure, 100 * figure, "share", end
    return figure, figure, "", end


def power_at(text: str, start: int) -> Written | None:
    """ "3.2e5", "10^6" or "3 × 10⁵"; what unit stands behind is not read."""
    m = _POWER.match(text, start)
    if m is None or (m["raised"] and not m["first"] and m["raised"] in _FOOTNOTES):
        return None
    first, power = (m["base"], m["e"]) if m["e"] else (m["first"] or "1", m["caret"] or m["raised"])
    value = float(f"{first}e{power.translate(_SUPERSCRIPTS)}")
    return value, value, "", m.end()
