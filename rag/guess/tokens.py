"""A question as tokens: words without case, accents and plurals, numbers, signs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.facets import fold

_TOKEN = re.compile(
    r"(?P<date>\b\d{4}-(?:0[1-9]|1[0-2])(?:-\d{2})?(?![\d-]))"
    r"|(?P<number>\d+(?:[.,]\d+)*)"
    r"|(?P<word>(?:[^\W\d_][\u0300-\u036f]*)+(?:['’](?:[^\W\d_][\u0300-\u036f]*)+)*)"
    r"|(?P<sign>\S)"
)
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_IRREGULAR = {
    "children": "child",
    "people": "person",
    "women": "woman",
    "men": "man",
    "goes": "go",
    "does": "do",
    "series": "series",
    "species": "species",
    "news": "news",
}
_SMALL_WORDS = """
two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen
"""
_TENS_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL = {word: float(n) for n, word in enumerate(_SMALL_WORDS.split(), 2)}
_TENS = {word: 10.0 * n for n, word in enumerate(_TENS_WORDS.split(), 2)}
_TIMES = {"k": 1e3, "thousand": 1e3, "million": 1e6, "hundred": 1e2}
MAX_TOKENS = 400
"""Tokens of a question that are looked at: nobody states a filter after these."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number, date or sign and where it stands in the question (characters, half-open).

    ``word`` is folded, without a possessive ``'s``; ``stem`` is its singular. ``value`` is
    that of a number in digits.
    """

    text: str
    word: str
    stem: str
    start: int
    end: int
    value: float | None = None
    is_date: bool = False

    @property
    def is_word(self) -> bool:
        return self.word[:1].isalpha()

    @property
    def is_capital(self) -> bool:
        """Whether it is written as a name is."""
        return self.text[:1].isupper()


class Tokens:
    """The tokens of one question, and their words by place."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.words = [token.word for token in tokens]

    def word(self, at: int) -> str:
        """Empty before the first and after the last."""
        return self.words[at] if 0 <= at < len(self.words) else ""


def tokenise(text: str) -> list[Token]:
    """The tokens of a text, in order. A hyphen between letters joins nothing and is left out."""
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        if len(found) == MAX_TOKENS:
            break
        raw, start, end = match.group(), match.start(), match.end()
        if match["word"]:
            word = fold(raw).replace("’", "'")
            word = word.removesuffix("'s") or word
            found.append(Token(raw, word, singular(word), start, end))
        elif match["number"]:
            found.append(Token(raw, raw, raw, start, end, value=_number(raw)))
        elif match["date"]:
            found.append(Token(raw, raw, raw, start, end, is_date=True))
        elif not (raw in "-‐‑" and _between_letters(text, start)):
            found.append(Token(raw, raw, raw, start, end))
    return found


def singular(word: str) -> str:
    """The singular of an English plural, by its ending; other words stay as they are."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "zes", "toes")):
        return word[:-2]
    return word[:-1]


def stems(text: str) -> tuple[str, ...]:
    """The stems of the words and numbers of a text: how phrases are compared."""
    return tuple(token.stem for token in tokenise(text) if token.is_word or token.value is not None)


def number_at(tokens: Sequence[Token], at: int) -> tuple[float, int] | None:
    """The number that begins at a token, in digits or words, and the token after it.

    ``one`` is no number here: it is a pronoun more often (``a sweet one``).
    """
    if at >= len(tokens):
        return None
    token = tokens[at]
    if token.value is not None:
        value, at = token.value, at + 1
    elif token.word in _TENS:
        value, at = _TENS[token.word], at + 1
        unit = {"one": 1.0, **_SMALL}.get(tokens[at].word, 10.0) if at < len(tokens) else 10.0
        if unit < 10:
            value, at = value + unit, at + 1
    elif token.word in _SMALL:
        value, at = _SMALL[token.word], at + 1
    elif (
        token.word in ("a", "one") and at + 1 < len(tokens) and tokens[at + 1].word in ("hundred", "thousand")
    ):
        value, at = 1.0, at + 1
    else:
        return None
    while at < len(tokens) and tokens[at].word in _TIMES and value < 1e6:
        value, at = value * _TIMES[tokens[at].word], at + 1
    return value, at


def _number(text: str) -> float:
    """Thousands with commas, else the last sign is the decimal point: ``1,500``, ``12.50``, ``12,50``."""
    if _THOUSANDS.fullmatch(text):
        return float(text.replace(",", ""))
    parts = re.split(r"[.,]", text)[:3]
    digits = [part[:15] for part in parts]
    return float(digits[0]) if len(digits) == 1 else float(f"{''.join(digits[:-1])}.{digits[-1]}")


def _between_letters(text: str, at: int) -> bool:
    return 0 < at < len(text) - 1 and text[at - 1].isalpha() and text[at + 1].isalpha()
