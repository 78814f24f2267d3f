"""Figures in digits and in English words, and the units that stand by them, read from tokens."""

from __future__ import annotations

import re

from rag.cite.units import (
    AMBIGUOUS,
    BEFORE_A_MONTH,
    BETWEEN_FIGURE_AND_UNIT,
    CURRENCIES,
    FRACTIONS,
    GLUED_SCALES,
    MONEY_SCALES,
    ORDINALS,
    SCALES,
    SMALL,
    TENS,
    TIMES,
    UNITS,
)
from rag.words import FUNCTION_WORDS

Tokens = list[tuple[str, int, int]]
"""Words, figures and marks of a text, each with where it starts and ends."""


_VULGAR = {"½": 0.5, "¼": 0.25, "¾": 0.75}
_TO = frozenset(("to", "or", "-", "–"))
_COMPARED = frozenset("less fewer longer later earlier higher lower".split())


def noun_at(tokens: Tokens, at: int) -> str:
    """The word at a token where it says what a figure counts, else ""."""
    word = tokens[at][0].casefold() if at < len(tokens) else ""
    return (
        word
        if len(word) > 2 and word.isalpha() and word not in FUNCTION_WORDS | BEFORE_A_MONTH | _COMPARED
        else ""
    )


def figure_at(tokens: Tokens, n: int) -> tuple[float, int, str] | None:
    """The figure that begins at token ``n``: value, the token after it, and a dimension of its own."""
    read = _figure_at(tokens, n)
    if read is None or read[2]:
        return read
    value, after, _ = read
    part = [t[0].casefold() for t in tokens[after : after + 4]]
    if part[:2] == ["and", "a"] and part[2:3] in (["half"], ["quarter"]):
        value, after = value + FRACTIONS[part[2]], after + 3  # "two and a half"
        scale = SCALES.get(part[3]) if len(part) == 4 else None
        return (value * scale, after + 1, "") if scale else (value, after, "")
    return read


def _figure_at(tokens: Tokens, n: int) -> tuple[float, int, str] | None:
    word = tokens[n][0].casefold()
    follows = tokens[n + 1][0].casefold() if n + 1 < len(tokens) else ""
    if word[-1] in _VULGAR and (len(word) == 1 or word[:-1].isdecimal()):
        return float(word[:-1] or 0) + _VULGAR[word[-1]], n + 1, ""
    if word[0].isdecimal():
        value = float(re.sub(r"[, \u00a0\u202f'’]", "", word))
        glued = n + 1 < len(tokens) and tokens[n + 1][1] == tokens[n][2]
        if glued and follows in ("st", "nd", "rd", "th"):
            return value, n + 2, "ordinal"
        scale = SCALES.get(follows) or (GLUED_SCALES.get(follows) if glued else None)
        if glued and not scale and n and tokens[n - 1][0] in CURRENCIES:
            scale = MONEY_SCALES.get(follows)
        if scale:
            return value * scale, n + 2, ""
        return value, n + 1, ""
    if word in TIMES:
        return TIMES[word], n + 1, "times"
    if word == "dozen":
        return 12.0, n + 1, ""
    if word in ("halve", "halves", "halved", "halving"):
        return 50.0, n + 1, "share"
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


def _words(tokens: Tokens, n: int) -> tuple[float, int, str] | None:
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
    halved = [t[0].casefold() for t in tokens[at : at + 3]] == ["and", "a", "half"]
    ranges = at + 1 < len(tokens) and tokens[at][0].casefold() in _TO and _is_figure(tokens[at + 1][0])
    if at == n + 1 and tokens[n][0].casefold() == "one" and not (halved or ranges or _counts(tokens, at)):
        return None  # the pronoun
    return total + current, at, ""


def _is_figure(word: str) -> bool:
    return word[0].isdecimal() or word.casefold() in SMALL or word.casefold() in TENS


def _article(tokens: Tokens, at: int) -> bool:
    return at > 0 and tokens[at - 1][0].casefold() in ("a", "one")


def _continues(tokens: Tokens, at: int, current: float, total: float) -> bool:
    following = tokens[at + 1][0].casefold()
    if tokens[at][0] == "-":
        return following in SMALL and current % 100 >= 20 and current % 10 == 0
    is_number = following in SMALL or following in TENS
    return is_number and (total > 0 or (current >= 100 and current % 100 == 0))


def _counts(tokens: Tokens, at: int) -> bool:
    if at + 1 < len(tokens) and tokens[at][0].casefold() in BETWEEN_FIGURE_AND_UNIT:
        at += 1
    return at < len(tokens) and tokens[at][0].casefold() in UNITS


def unit_at(tokens: Tokens, n: int, after: int, value: float) -> tuple[str, float, int, bool]:
    """The unit before or behind a figure: dimension, value in its own unit, next token, working days."""
    if n and tokens[n - 1][0] in CURRENCIES:
        return tokens[n - 1][0], value, after, False
    if n and tokens[n - 1][0].casefold() in ("eur", "usd", "gbp", "jpy"):
        return UNITS[tokens[n - 1][0].casefold()][0], value, after, False
    at = after
    if at < len(tokens) and tokens[at][0] == "-":
        at += 1  # "a 30-day limit"
    more = [token[0].casefold() for token in tokens[at : at + 3]]
    if len(more) == 3 and more[0] == "or" and more[1] in ("more", "less", "fewer", "over", "so"):
        at += 2  # "25 or more hours"
    elif len(more) > 1 and more[0] == "+":
        at += 1
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
