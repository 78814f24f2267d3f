"""Quantities, dates and names in a text: what a claim must not change.

Figures are read in digits and in English words, with their unit brought to a common one
where units convert ("two weeks" is 14 days, "half" is 50 %). A month is not a number of
days, so weeks and months do not convert into each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rag.cite.units import (
    AMBIGUOUS,
    BEFORE_A_MONTH,
    BETWEEN_FIGURE_AND_UNIT,
    CURRENCIES,
    FRACTIONS,
    GLUED_SCALES,
    MONTHS,
    ORDINALS,
    SCALES,
    SMALL,
    TENS,
    TIMES,
    UNITS,
    WEEKDAYS,
)
from rag.words import FUNCTION_WORDS

Hedge = Literal["", "about", "over", "under"]

_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_WEEKDAY_NAMES = "|".join(sorted(WEEKDAYS))

_DATE = re.compile(
    rf"""\b(?:
      (?P<iso>(?P<iy>\d{{4}})-(?P<im>\d{{2}})(?:-(?P<id>\d{{2}}))?)
    | (?P<d1>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<m1>{_MONTH})\b\.?(?:,?\s+(?P<y1>\d{{4}}))?
    | (?P<m2>{_MONTH})\b\.?\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b(?!\s*[%€])(?:,?\s+(?P<y2>\d{{4}}))?
    | (?P<m3>{_MONTH})\b\.?(?:\s+(?:of\s+)?(?P<y3>\d{{4}}))?
    | (?P<y4>(?:1[0-9]|20)\d{{2}})s?(?!\s*(?:[%€$]|[a-z]*metre|k[mg]\b|euro|dollar|pound|people|word|page))
    )(?![\w-]*\d)""",
    re.IGNORECASE | re.VERBOSE,
)
_WEEKDAY = re.compile(rf"\b({_WEEKDAY_NAMES})s?\b", re.IGNORECASE)
_HOURS = "|".join(word for word, n in SMALL.items() if 1 <= n <= 12)
_CLOCK = re.compile(
    r"\b(?:(?P<h>[01]?\d|2[0-3])[:.](?P<m>[0-5]\d)\s*(?P<p>[ap]\.?m\b\.?)?|(?P<h2>1[0-2]|\d)\s*(?P<p2>[ap]\.?m\b\.?))"
    r"|\b(?P<word>noon|midnight)\b"
    rf"|\b(?P<spoken>{_HOURS}|1[0-2]|\d) (?:(?P<clock>o[’']clock)|(?:in the|at) (?P<when>morning|afternoon|evening|night)\b)",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"[€$£¥]|%|°[CFcf]?|\d{1,3}(?:[,\u00a0\u202f'’]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|"
    r"[^\W\d_]+(?:['’][^\W\d_]+)*|[^\w\s]"
)
_DIVIDED = "second|minute|hour|day|week|month|year|decade|century|mile|metre|meter|kilo|litre|liter|dozen"
_FEW_WORDS = "|".join((*TENS, *SMALL))
_PART = re.compile(
    rf"""(?:
      (?:half\ an?|half|(?:a\ |one\ |three\ )?quarters?\ of\ an?)[ -](?P<unit>{_DIVIDED})
    | an?\ (?P<whole>{_DIVIDED})\ and\ a\ half
    | every\ (?P<nth>other|second|third|fourth)\ (?P<each>{_DIVIDED})
    | an?\ (?P<fortnight>fortnight)
    | (?P<one>\d+|{_FEW_WORDS})\ (?:in|out\ of)\ (?:every\ )?(?P<of>\d{{1,3}}|{_FEW_WORDS})
      (?!\ ?[\w%€]*(?:day|week|year|month))
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
_PER = re.compile(
    r"\s*(?:(?:a|an|per|each|every|/)\s*)?(second|minute|hour|day|night|week|month|quarter|year|person|hourly|daily|weekly|"
    r"monthly|quarterly|yearly|annually|annual)\b(?<!\d\s)",
    re.IGNORECASE,
)
_RATES = {
    "hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month", "quarterly": "quarter",
    "yearly": "year", "annually": "year", "annual": "year",
}  # fmt: skip
_HEDGES: tuple[tuple[re.Pattern[str], Hedge], ...] = (
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
class Quantity:
    """A figure: its value in ``dimension``'s own unit. ``dimension`` is "" where no unit is known,
    "ordinal" for "third", "times" for "twice"."""

    value: float
    dimension: str
    start: int
    end: int
    hedge: Hedge = ""
    working: bool = False
    """Working days, which are no days."""
    figure: float = 0.0
    """The value as it is written, before its unit is brought to the common one."""
    noun: str = ""
    """The word right behind a figure without a known unit: "412 inhabitants"."""
    per: str = ""
    """Of a rate, what it is for: "a month", "per day" give "month" and "day"."""


@dataclass(frozen=True, slots=True)
class When:
    """A date, as far as it is given; a weekday or a time of day has nothing else."""

    start: int
    end: int
    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: str | None = None
    minute: int | None = None
    """Of the day."""
    decade: int | None = None
    """The first year of "the 1980s"."""

    def says(self, other: When) -> bool:
        """Whether ``other`` holds all that this one says."""
        if self.decade is not None:
            return self.decade == (other.decade if other.year is None else other.year // 10 * 10)
        mine = (self.year, self.month, self.day, self.weekday, self.minute)
        theirs = (other.year, other.month, other.day, other.weekday, other.minute)
        return all(a is None or a == b for a, b in zip(mine, theirs, strict=True))


@dataclass(frozen=True, slots=True)
class Name:
    """A capitalised word inside a sentence, or one that opens it (``opens``)."""

    text: str
    start: int
    opens: bool


def dates(text: str) -> list[When]:
    """The dates, weekdays and times of day of a text, in order."""
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
        found.append(When(*m.span(), int(year) if year else None, month, int(day) if day else None))
    found += [When(*m.span(), weekday=m[1].casefold()) for m in _WEEKDAY.finditer(text) if m[1][0].isupper()]
    for m in _CLOCK.finditer(text):
        if m["word"]:
            minute = 720 if m["word"].casefold() == "noon" else 0
        elif m["spoken"]:
            hour = int(m["spoken"]) if m["spoken"].isdigit() else SMALL[m["spoken"].casefold()]
            late = (m["when"] or "").casefold() in ("afternoon", "evening", "night")
            minute = 60 * (hour % 12 + 12 if late and hour > 4 else hour)
        elif m["h2"] or m["p"] or ":" in m[0]:
            half = (m["p"] or m["p2"] or "").casefold()
            hour = int(m["h"] or m["h2"])
            if half:
                hour = hour % 12 + (12 if half[0] == "p" else 0)
            minute = 60 * hour + int(m["m"] or 0)
        else:
            continue  # "3.50": a figure
        found.append(When(*m.span(), minute=minute))
    return sorted(found, key=lambda when: when.start)


def _is_month(text: str, at: int) -> bool:
    before = text[:at].rstrip().rpartition(" ")[2].casefold()
    return before in BEFORE_A_MONTH


def quantities(text: str) -> list[Quantity]:
    """The figures of a text, in order; those of dates and times of day are left out."""
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
            found.append(
                Quantity(share * factor, dimension, start, part.end(), _hedge(text[max(0, start - 24) : start]),
                         figure=share)
            )  # fmt: skip
            while n < len(tokens) and tokens[n][1] < part.end():
                n += 1
            continue
        read = _figure(tokens, n)
        if read is None:
            n += 1
            continue
        figure, after, dimension = read
        value = figure
        end = tokens[after - 1][2]
        working = False
        if not dimension:
            dimension, value, after, working = _unit(tokens, n, after, value)
            end = tokens[after - 1][2]
        hedge = _hedge(text[max(0, start - 24) : start])
        per = _PER.match(text, end)
        rate = per[1].casefold() if per else ""
        noun = "" if dimension else _noun(tokens, after)
        found.append(
            Quantity(value, dimension, start, end, hedge, working, figure, noun, _RATES.get(rate, rate))
        )
        n = after
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
    if m["fortnight"]:
        return 1.0, *UNITS["fortnight"]
    unit = (m["whole"] or m["unit"]).casefold()
    dimension, factor = ("", 12.0) if unit == "dozen" else UNITS[unit]
    return (1.5 if m["whole"] else _quarters(m[0].casefold())), dimension, factor


def _quarters(text: str) -> float:
    if "quarter" not in text:
        return 0.5
    return 0.75 if text.startswith("three") else 0.25


def _noun(tokens: list[tuple[str, int, int]], at: int) -> str:
    word = tokens[at][0].casefold() if at < len(tokens) else ""
    return word if len(word) > 2 and word.isalpha() and word not in FUNCTION_WORDS | BEFORE_A_MONTH else ""


def _hedge(before: str) -> Hedge:
    before = before.rstrip("€$£¥ ")
    return next((hedge for pattern, hedge in _HEDGES if pattern.search(before)), "")


def _figure(tokens: list[tuple[str, int, int]], n: int) -> tuple[float, int, str] | None:
    """The figure that begins at token ``n``: value, the token after it, and a dimension of its own."""
    word = tokens[n][0].casefold()
    follows = tokens[n + 1][0].casefold() if n + 1 < len(tokens) else ""
    if word[0].isdigit():
        value = float(re.sub(r"[,\u00a0\u202f'’]", "", word))
        glued = n + 1 < len(tokens) and tokens[n + 1][1] == tokens[n][2]
        if glued and follows in ("st", "nd", "rd", "th"):
            return value, n + 2, "ordinal"
        scale = SCALES.get(follows) or (GLUED_SCALES.get(follows) if glued else None)
        if scale:
            return value * scale, n + 2, ""
        return value, n + 1, ""
    if word in TIMES:
        return TIMES[word], n + 1, "times"
    if word == "dozen":
        return 12.0, n + 1, ""
    if (
        word == "half"
        and n
        and tokens[n - 1][0].casefold() in ("first", "second", "latter", "other", "better")
    ):
        return None  # a part of a time or a game
    if word == "half" or (word in ("a", "one") and follows in ("half", "third", "quarter", "fifth", "tenth")):
        at = n if word == "half" else n + 1
        if at + 1 < len(tokens) and tokens[at + 1][0].casefold() in (
            "year",
            "hour",
            "day",
            "past",
            "century",
        ):
            return None
        return 100 * FRACTIONS[tokens[at][0].casefold()], at + 1, "share"
    if word in SMALL and follows.removesuffix("s") in FRACTIONS and follows.endswith("s"):
        return 100 * SMALL[word] * FRACTIONS[follows.removesuffix("s")], n + 2, "share"
    if word in ORDINALS and word != "second":
        return float(ORDINALS[word]), n + 1, "ordinal"
    if (
        word == "second"
        and follows not in ("s",)
        and n
        and tokens[n - 1][0].casefold() in ("the", "a", "its", "their")
    ):
        return 2.0, n + 1, "ordinal"
    return _words(tokens, n)


def _words(tokens: list[tuple[str, int, int]], n: int) -> tuple[float, int, str] | None:
    """A figure in words: "two hundred and fifty thousand", "twenty-five", "a hundred"."""
    total, current, at, any_word = 0.0, 0.0, n, False
    while at < len(tokens):
        word = tokens[at][0].casefold()
        if word in SMALL:
            if any_word and current % 10 != 0 and current % 100 != 0:
                break
            current += SMALL[word]
        elif word in TENS:
            current += TENS[word]
        elif word in ("hundred", "thousand", "million", "billion", "trillion") and (
            any_word or _article(tokens, at)
        ):
            scale = SCALES[word]
            current = max(current, 1) * scale
            if scale > 100:
                total, current = total + current, 0.0
        elif word == "dozen" and any_word:
            current *= 12
        elif (
            word in ("-", "and")
            and any_word
            and at + 1 < len(tokens)
            and _continues(tokens, at, current, total)
        ):
            at += 1
            continue
        else:
            break
        any_word = True
        at += 1
    if not any_word:
        return None
    if at == n + 1 and tokens[n][0].casefold() == "one" and not _counts(tokens, at):
        return None  # the pronoun
    return total + current, at, ""


def _article(tokens: list[tuple[str, int, int]], at: int) -> bool:
    return at > 0 and tokens[at - 1][0].casefold() in ("a", "one")


def _continues(tokens: list[tuple[str, int, int]], at: int, current: float, total: float) -> bool:
    following = tokens[at + 1][0].casefold()
    if tokens[at][0] == "-":
        return following in SMALL and current % 100 >= 20 and current % 10 == 0
    is_number = following in SMALL or following in TENS
    return is_number and (total > 0 or (current >= 100 and current % 100 == 0))


def _counts(tokens: list[tuple[str, int, int]], at: int) -> bool:
    if at + 1 < len(tokens) and tokens[at][0].casefold() in BETWEEN_FIGURE_AND_UNIT:
        at += 1
    return at < len(tokens) and tokens[at][0].casefold() in UNITS


def _unit(
    tokens: list[tuple[str, int, int]], n: int, after: int, value: float
) -> tuple[str, float, int, bool]:
    """The unit before or behind a figure: dimension, value in its own unit, next token, working days."""
    if n and tokens[n - 1][0] in CURRENCIES:
        return tokens[n - 1][0], value, after, False
    if n and tokens[n - 1][0].casefold() in ("eur", "usd", "gbp", "jpy"):
        return UNITS[tokens[n - 1][0].casefold()][0], value, after, False
    at = after
    if at < len(tokens) and tokens[at][0] == "-":
        at += 1  # "a 30-day limit"
    working = at < len(tokens) and tokens[at][0].casefold() in ("working", "business")
    measured = ""  # "square", "cubic": another dimension
    if at + 1 < len(tokens) and tokens[at][0].casefold() in BETWEEN_FIGURE_AND_UNIT:
        measured = tokens[at][0].casefold() if tokens[at][0].casefold() in ("square", "cubic") else ""
        at += 1
    if at + 1 < len(tokens) and tokens[at][0].casefold() == "per" and tokens[at + 1][0].casefold() == "cent":
        return "share", value, at + 2, False
    if at < len(tokens):
        unit = tokens[at][0].casefold()
        digits = tokens[n][0][0].isdigit()
        if unit in UNITS and (unit not in AMBIGUOUS or digits):
            dimension, factor = UNITS[unit]
            if (
                dimension == "degree"
                and at + 1 < len(tokens)
                and tokens[at + 1][0].casefold() == "fahrenheit"
            ):
                return "fahrenheit", value, at + 2, False
            if measured:
                return (
                    f"{measured} {dimension}",
                    value * factor ** (3 if measured == "cubic" else 2),
                    at + 1,
                    False,
                )
            return dimension, value * factor, at + 1, working and dimension == "time"
    return "", value, after, False


def names(text: str) -> Iterator[Name]:
    """The capitalised words of a text; months and weekdays are dates, and left out."""
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
