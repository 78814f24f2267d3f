"""What the name of a metadata key says: words for a label, a unit, and what kind of thing it holds."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass


def word_set(words: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(words.split())


UNITS = {
    **dict.fromkeys(("€", "eur", "euro", "euros"), "€"),
    **dict.fromkeys(("$", "usd", "dollar", "dollars"), "$"),
    **dict.fromkeys(("£", "gbp", "pound", "pounds"), "£"),
    **dict.fromkeys(("¥", "jpy", "yen"), "¥"),
    "chf": "CHF",
    "crowns": "crowns",
    **dict.fromkeys(("%", "pct", "percent", "percentage"), "%"),
    **dict.fromkeys(("kg", "kgs", "kilogram", "kilograms", "kilos"), "kg"),
    **dict.fromkeys(("g", "gram", "grams"), "g"),
    **dict.fromkeys(("km", "kilometre", "kilometres", "kilometer", "kilometers"), "km"),
    **dict.fromkeys(("m", "metre", "metres", "meter", "meters"), "m"),
    **dict.fromkeys(("cm", "centimetre", "centimetres", "centimeter", "centimeters"), "cm"),
    **dict.fromkeys(("mm", "millimetre", "millimetres", "millimeter", "millimeters"), "mm"),
    **dict.fromkeys(("l", "litre", "litres", "liter", "liters"), "l"),
    **dict.fromkeys(("ml", "millilitre", "millilitres", "milliliter", "milliliters"), "ml"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "min"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("days", "day"), "days"),
    **dict.fromkeys(("weeks", "week"), "weeks"),
    **dict.fromkeys(("months", "month"), "months"),
    **dict.fromkeys(("yrs", "years"), "years"),
    **dict.fromkeys(("points", "point", "pts"), "points"),
    **dict.fromkeys(("stars", "star"), "stars"),
    **dict.fromkeys(("pages", "page"), "pages"),
    **dict.fromkeys(("words", "word"), "words"),
    **dict.fromkeys(("kb", "kilobytes"), "kB"),
    **dict.fromkeys(("mb", "megabytes"), "MB"),
    **dict.fromkeys(("gb", "gigabytes"), "GB"),
    **dict.fromkeys(("kwh",), "kWh"),
    **dict.fromkeys(("°c", "celsius"), "°C"),
}
"""Words of a name, and of a question, that are units: what a reader sees."""

CURRENCIES = frozenset({"€", "$", "£", "¥", "CHF", "crowns"})

_SPLIT = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^\w€$£¥%°]+|_+|(?<=\w)(?=[€$£¥%])|(?<=[€$£¥%])(?=\w)")
_TIMES = frozenset({"duration", "time", "length", "runtime", "cooking", "reading"})

DATE_WORDS = word_set(
    "date dates day time timestamp datetime updated update modified changed revised created published "
    "publication issued added posted written released release launched born birth birthday died founded "
    "opened closed start started starts end ended ends begin begins due deadline expires expiry expiration "
    "valid since until reviewed review sent received at on"
)
"""Words of a key that say it holds moments."""

_IDS = word_set(
    "id ids uuid guid key sku code barcode ean isbn issn doi url uri link href email mail phone tel "
    "telephone fax slug path file filename hash sha md5 checksum etag token revision version serial zip "
    "zipcode postcode postal lat lon lng long latitude longitude coordinates coords index row nr rank order "
    "position"
)
_TEXTS = word_set(
    "title name headline subject heading description summary abstract notes note comment comments text body "
    "content excerpt address image photo picture thumbnail caption"
)


@dataclass(frozen=True, slots=True)
class Name:
    """A key's ``label`` without its ``unit``, and its words in lower case without accents."""

    label: str
    unit: str
    words: tuple[str, ...]

    @property
    def is_id(self) -> bool:
        """Whether it names an identifier, an address or a place in an order: nothing to choose from."""
        return bool(self.words) and (self.words[-1] in _IDS or self.words[0] in ("url", "lat", "lon"))

    @property
    def is_text(self) -> bool:
        """Whether it names prose or a title."""
        return bool(self.words) and self.words[-1] in _TEXTS

    @property
    def is_date(self) -> bool:
        """Whether it names a moment."""
        return any(word in DATE_WORDS for word in self.words)


def read_name(key: str, label: str = "") -> Name:
    """What ``key`` and the ``label`` that people see say: ``price_eur`` and ``Price €`` are Price in €.

    A unit is the last word, if it is not the only one. ``min`` is minutes only after a
    word for time: ``price_min`` is the least price.
    """
    shown, unit = _unit(_words(label or key))
    _, of_key = _unit(_words(key))
    words = tuple(dict.fromkeys(fold(word) for word in (*shown, *_words(key)) if fold(word) not in UNITS))
    text = " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in shown)
    return Name(text[:1].upper() + text[1:] or key, unit or of_key, words)


def fold(text: str) -> str:
    """Lower case without accents: ``Rosé`` is ``rose``."""
    if text.isascii():
        return text.lower()
    marks = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in marks if not unicodedata.combining(c))


def _words(name: str) -> list[str]:
    return [word for word in _SPLIT.split(name) if word]


def _unit(words: list[str]) -> tuple[list[str], str]:
    """The words without their unit, and the unit."""
    last = fold(words[-1]) if len(words) > 1 else ""
    unit = UNITS.get(last, "")
    if last in ("min", "mins") and not _TIMES & {fold(word) for word in words[:-1]}:
        unit = ""
    if last in ("day", "week", "month", "page", "word", "point", "star", "second"):
        unit = ""  # in the singular it is what the key is about
    return (words[:-1], unit) if unit else (words, "")
