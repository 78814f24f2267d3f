"""Quantities, dates and names in a text: what a claim must not change.

Figures are read in digits and in English words, with their unit brought to a common one
where units convert ("two weeks" is 14 days, "half" is 50 %). A month is not a number of
days, so weeks and months do not convert into each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rag.cite.figures import Tokens, figure_at, noun_at, unit_at
from rag.cite.fractions import fraction_at, power_at
from rag.cite.measures import Hedge, Quantity, When
from rag.cite.ranges import between_hours, between_weekdays, joined, ranged, slashed
from rag.cite.units import (
    BEFORE_A_MONTH,
    MONTHS,
    ORDINALS,
    SMALL,
    TENS,
    UNITS,
    WEEKDAYS,
)

_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_WEEKDAY_NAMES = "|".join(WEEKDAYS)

LETTERS = str.maketrans("\u0130\u0131\u017f\u212a", "IisK")
"""Letters that a pattern takes for these where case is ignored, though no table has them."""
_DATE = re.compile(
    rf"""\b(?:
      (?P<iso>(?P<iy>\d{{4}})-(?P<im>\d{{2}})(?:-(?P<id>\d{{2}}))?)
    | (?P<d1>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<m1>{_MONTH})\b\.?(?:,?\s+(?P<y1>\d{{4}}))?
    | (?P<m2>{_MONTH})\b\.?\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b(?!\s*[%€])(?:,?\s+(?P<y2>\d{{4}}))?
    | (?P<m3>{_MONTH})\b\.?(?:\s+(?:of\s+)?(?P<y3>\d{{4}}))?
    | (?<![€$£¥])(?<![€$£¥]\ )(?P<y4>(?:1[0-9]|20)\d{{2}})s?
      (?:(?<=[Ii]n\ \d{{4}})|(?!\s*(?:[%€$]|[a-z]*metre|k[mg]\b|euro|dollar|pound|people|word|page)))
    )(?![\w-]*\d)""",
    re.IGNORECASE | re.VERBOSE,
)
_COUNTS = re.compile(
    r" (?!(?:was|is|has|his|its|this|as|us|versus|plus|does|news|series)\b)[a-z]+s\b|"
    r" (?:people|men|women|children)\b"
)
_OF_A_YEAR = re.compile(
    r"\b(?:in|since|of|by|until|till|from|before|after|during|year|and|(?<!up )to|the|early|late|mid|around|"
    r"this|that)[ -]$",
    re.IGNORECASE,
)
"""What stands before a year, so that "1990 elections" are no 1,990 of them."""
_WEEKDAY = re.compile(rf"\b({_WEEKDAY_NAMES})s?\b", re.IGNORECASE)
_HOURS = "|".join(word for word, n in SMALL.items() if 1 <= n <= 12)
_OFF = {"quarter": 15, "a quarter": 15, "half": 30, "five": 5, "ten": 10, "twenty-five": 25, "twenty": 20}
_CLOCK = re.compile(
    r"\b(?:(?P<h>[01]?\d|2[0-3])[:.](?P<m>[0-5]\d)\s*(?P<p>[ap]\.?m\b\.?)?|(?P<h2>1[0-2]|\d)\s*(?P<p2>[ap]\.?m\b\.?))"
    r"|\b(?P<word>noon|midnight)\b"
    rf"|\b(?P<spoken>{_HOURS}|1[0-2]|\d) (?:o[’']clock|(?:in the|at) "
    r"(?P<when>morning|afternoon|evening|night)\b)"
    r"|(?:(?<=\bat )|(?<=\bby )|(?<=\btill )|(?<=\buntil )|(?<=\bfrom )|(?<=\bbefore )|(?<=\bafter )|"
    r"\b(?=[\w-]+ past\b))"
    rf"(?P<off>{'|'.join(_OFF)}) (?:minutes )?(?P<side>past|to) (?P<full>{_HOURS}|1[0-2]|\d|noon|midnight)\b"
    r"(?![.,]?\d| ?[%€$£]| (?:hundred|thousand|million|billion|per ?cent)\b)",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"[€$£¥]|%|[0-9]*[½¼¾]|°[CFcf]?|(?<!\d )[1-9]\d{0,2}(?: \d{3})+(?!\d| \d)(?! (?:ml|cl|mg|g|m|mm|kg)\b)|"
    r"\d{1,3}(?:[,\u00a0\u202f'’]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|"
    r"[^\W\d_]+(?:['’][^\W\d_]+)*|[^\w\s]"
)
_DIVIDED = "day|dozen|" + "|".join(
    sorted((u for u in UNITS if len(u) > 3 and not u.endswith("s")), key=len, reverse=True)
)
_FEW_WORDS = "|".join((*TENS, *SMALL))
_PART = re.compile(
    rf"""(?:
      (?:half\ an?|half|(?:a\ |one\ |three\ )?quarters?\ of\ an?)[ -](?P<unit>{_DIVIDED})
    | (?:an?|first|last|next|another)\ (?P<whole>{_DIVIDED})\ and\ a\ half
    | every\ (?P<nth>other|second|third|fourth)\ (?P<each>{_DIVIDED})
    | an?\ (?P<fortnight>fortnight)
    | an?\ (?P<alone>hour|day|week|month|year)
      (?=\ and\ (?:\d+|{_FEW_WORDS})\ (?:second|minute|hour|day|week|month)s?\b)
    | (?P<one>one(?=\ [a-z]+\ in)|\d+|{_FEW_WORDS})(?:(?<=one)\ [a-z]+)?\ (?:in|out\ of)\ (?:every\ )?
      (?P<of>\d{{1,3}}|{_FEW_WORDS})
      (?!\ ?[\w%€]*(?:day|week|year|month))
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
_PER = re.compile(
    r"\s*(?:(?:a|an|per|each|every|/)\s*)?(second|minute|hour|day|night|week|month|quarter|year|person|hourly|daily|weekly|"
    r"monthly|quarterly|yearly|annually|annual)\b(?<!\d\s)",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"\b(?:for|within|after|in|about|around|under|over|least|most|than|lasts?|takes?) "
    r"(?:about |around )?an? (?:full |whole )?"
    r"(?P<unit>second|minute|hour|day|week|fortnight|month|year|decade|century)\b(?! and a half| or two| ago)"
    r"|\ban? (?P<early>minute|hour|day|week|fortnight|month|year)"
    r"(?= (?:ahead|before|earlier|later|in advance)\b)",
    re.IGNORECASE,
)
_NOUN_AND_PER = re.compile(
    r"(?: [a-z]+){1,2} (?:an?|per|each|every) (second|minute|hour|day|night|week|month|quarter|year|person)\b"
)
_RATES = {
    "hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month", "quarterly": "quarter",
    "yearly": "year", "annually": "year", "annual": "year",
}  # fmt: skip
_HEDGES: tuple[tuple[re.Pattern[str], Hedge], ...] = (
    (re.compile(r"(?:no|not) (?:more|longer|later|older|higher) than\s*$", re.IGNORECASE), "under"),
    (re.compile(r"(?:no|not) (?:less|fewer|shorter|earlier|younger|lower) than\s*$", re.IGNORECASE), "over"),
    (
        re.compile(
            r"(?:about|around|roughly|approximately|nearly|almost|some|circa|close to)\s*$",
            re.IGNORECASE,
        ),
        "about",
    ),
    (re.compile(r"(?:more than|over|above|at least|exceed(?:s|ing)?|upwards of)\s*$", re.IGNORECASE), "over"),
    (
        re.compile(r"(?:less than|fewer than|under|below|at most|up to|no more than)\s*$", re.IGNORECASE),
        "under",
    ),
)


@dataclass(frozen=True, slots=True)
class Name:
    """A capitalised word inside a sentence, or one that opens it (``opens``)."""

    text: str
    start: int
    opens: bool

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def dates(text: str) -> tuple[When, ...]:
    """The dates, weekdays and times of day of a text, in order."""
    return _dates(text.translate(LETTERS))


@lru_cache(maxsize=4_000)
def _dates(text: str) -> tuple[When, ...]:
    found = []
    for m in _DATE.finditer(text):
        part = m.groupdict()
        year = part["iy"] or part["y1"] or part["y2"] or part["y3"] or part["y4"]
        word = part["m1"] or part["m2"] or part["m3"]
        day = part["id"] or part["d1"] or part["d2"]
        month = int(part["im"]) if part["im"] else MONTHS[word.casefold()] if word else None
        if word and not year and not day and not word[0].isupper():
            continue  # "may", "march": verbs
        if (
            word
            and word.casefold() in ("may", "march")
            and not year
            and not day
            and not _is_month(text, m.start())
        ):
            continue
        if part["y4"] and m[0].endswith("s"):
            found.append(When(*m.span(), decade=int(year)))
            continue
        before = text[max(0, m.start() - 12) : m.start()]
        if part["y4"] and _COUNTS.match(text, m.end()) and not _OF_A_YEAR.search(before):
            continue  # "1500 crowns"
        found.append(When(*m.span(), int(year) if year else None, month, int(day) if day else None))
    written = slashed(text)
    found = [w for w in found if not any(s.start <= w.start < s.end for s in written)] + written
    spoken = between_hours(text)
    found += spoken
    found += [When(*m.span(), weekday=m[1].casefold()) for m in _WEEKDAY.finditer(text) if m[1][0].isupper()]
    for m in _CLOCK.finditer(text):
        if any(when.start <= m.start() < when.end for when in (*written, *spoken)):
            continue
        either = False
        if m["off"]:
            full = m["full"].casefold()
            named = {"noon": 12, "midnight": 0}
            hour = named[full] if full in named else int(full) if full.isdigit() else SMALL[full]
            off = _OFF[m["off"].casefold()]
            minute = (60 * hour + (off if m["side"].casefold() == "past" else -off)) % 1440
            either = full not in named
        elif m["word"]:
            minute = 720 if m["word"].casefold() == "noon" else 0
        elif m["spoken"]:
            hour = int(m["spoken"]) if m["spoken"].isdigit() else SMALL[m["spoken"].casefold()]
            late = (m["when"] or "").casefold() in ("afternoon", "evening", "night")
            noon = (m["when"] or "").casefold() == "afternoon"
            minute = 60 * (hour % 12 + 12 if noon or (late and hour > 4) else hour)
            either = not m["when"]
        elif m["h2"] or m["p"] or ":" in m[0]:
            half = (m["p"] or m["p2"] or "").casefold()
            hour = int(m["h"] or m["h2"])
            if half:
                hour = hour % 12 + (12 if half[0] == "p" else 0)
            minute = 60 * hour + int(m["m"] or 0)
        else:
            continue  # "3.50": a figure
        found.append(When(*m.span(), minute=minute, either=either))
    found += between_weekdays(text, found)
    return tuple(sorted(found, key=lambda when: when.start))


def _is_month(text: str, at: int) -> bool:
    before = text[:at].rstrip().rpartition(" ")[2].casefold()
    return before in BEFORE_A_MONTH


def quantities(text: str) -> tuple[Quantity, ...]:
    """The figures of a text, in order; those of dates and times of day are left out."""
    return _quantities(text.translate(LETTERS))


@lru_cache(maxsize=4_000)
def _quantities(text: str) -> tuple[Quantity, ...]:
    taken = [(w.start, w.end) for w in dates(text)]
    tokens = [(m[0], m.start(), m.end()) for m in _TOKEN.finditer(text)]
    found: list[Quantity] = []
    n = 0
    while n < len(tokens):
        _, start, end = tokens[n]
        if any(a <= start < b for a, b in taken):
            n += 1
            continue
        part = _PART.match(text, start)
        if part and not (n and tokens[n - 1][0].casefold() in ("first", "second", "other", "latter")):
            share, dimension, factor = _part(part)
            hedge = _hedge(text[max(0, start - 24) : start])
            found.append(Quantity(share * factor, dimension, start, part.end(), hedge, figure=share))
            while n < len(tokens) and tokens[n][1] < part.end():
                n += 1
            continue
        written = fraction_at(text, start) or power_at(text, start)
        if written is not None:
            figure, value, dimension, end = written
            after = _token_from(tokens, n, end)
        else:
            read = figure_at(tokens, n)
            if read is None:
                n += 1
                continue
            figure, after, dimension = read
            value, end = figure, tokens[after - 1][2]
        working = False
        if not dimension:
            dimension, value, after, working = unit_at(tokens, n, after, value)
            end = max(end, tokens[after - 1][2])
        hedge = _hedge(text[max(0, start - 24) : start])
        per = _PER.match(text, end) or (None if dimension else _NOUN_AND_PER.match(text, end))
        rate = per[1].casefold() if per else ""
        noun = "" if dimension else noun_at(tokens, after)
        found.append(
            Quantity(value, dimension, start, end, hedge, working, figure, noun, _RATES.get(rate, rate))
        )
        n = after
    return tuple(joined(ranged(found, text), text))


def _token_from(tokens: Tokens, n: int, end: int) -> int:
    """The first token from ``n`` on that does not begin before ``end``."""
    while n < len(tokens) and tokens[n][1] < end:
        n += 1
    return n


def bare_units(text: str) -> list[Quantity]:
    """Spans of one unit without a figure: "for an hour", "within a month"; those of dates are left out."""
    found = []
    for m in _BARE.finditer(text.translate(LETTERS)):
        unit = m["unit"] or m["early"]
        dimension, factor = UNITS[unit.casefold()]
        found.append(Quantity(factor, dimension, m.end() - len(unit), m.end(), figure=1.0))
    return found


def _part(m: re.Match[str]) -> tuple[float, str, float]:
    """The figure of "half an hour", "a minute and a half", "every other year" or "one in four".

    Its value, its dimension, and the factor to the dimension's own unit.
    """
    if m["of"]:
        words = SMALL | TENS
        low, high = (float(w) if w.isdigit() else float(words[w.casefold()]) for w in (m["one"], m["of"]))
        return (100 * low / high if high else 0.0), "share", 1.0
    if m["nth"]:
        return float(ORDINALS.get(m["nth"].casefold(), 2)), *UNITS[m["each"].casefold()]
    if m["fortnight"] or m["alone"]:
        return 1.0, *UNITS[m["alone"].casefold() if m["alone"] else "fortnight"]
    unit = (m["whole"] or m["unit"]).casefold()
    dimension, factor = ("", 12.0) if unit == "dozen" else UNITS[unit]
    return (1.5 if m["whole"] else _quarters(m[0].casefold())), dimension, factor


def _quarters(text: str) -> float:
    if "quarter" not in text:
        return 0.5
    return 0.75 if text.startswith("three") else 0.25


def _hedge(before: str) -> Hedge:
    before = before.rstrip("€$£¥ ")
    return next((hedge for pattern, hedge in _HEDGES if pattern.search(before)), "")


def names(text: str) -> tuple[Name, ...]:
    """The capitalised words of a text; months and weekdays are dates, and left out."""
    return _names(text)


@lru_cache(maxsize=4_000)
def _names(text: str) -> tuple[Name, ...]:
    return tuple(_capitalised(text))


def _capitalised(text: str) -> Iterator[Name]:
    opens = True
    for m in re.finditer(r"[^\W\d_][\w’'.-]*[\w]|[^\W\d_]|[.!?:;\n]|[“\"(]", text):
        word = m[0]
        if not word[0].isalpha():
            opens = opens or word in '.!?:\n“"'
            continue
        folded = word.casefold().removesuffix("'s").removesuffix("’s")
        dated = folded in MONTHS or folded.removesuffix("s") in WEEKDAYS
        if word[0].isupper() and not dated and folded not in ("i", "i'm", "am", "pm"):
            yield Name(word.removesuffix("'s").removesuffix("’s"), m.start(), opens)
        opens = False
