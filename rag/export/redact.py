"""Personal data out of text: e-mail addresses, phone numbers and card numbers, by their form.

What has no form of its own (a name, an address) is not found. A redaction that misses a number
is worse than one that hides a number too many, but prices, years, dates, ISBNs and plain ids
stay. The rules are kept here and not taken from a library: the tables of ``phonenumbers`` have
48 MB and need to be told a country, ``scrubadub`` brings a language model.
"""

from __future__ import annotations

import re

EMAIL, PHONE, CARD = "[e-mail]", "[phone]", "[card]"

_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}")

_S = "[ \t\u00a0\u2007\u2009\u202f.\u2010-\u2015/-]"
"""What stands between the groups of a phone number. Never a comma or a colon: prices and times."""
_BEFORE = r"(?<![\w.,@#/+-])"
_AFTER = r"(?![\w@]|[.,:]\d|-\d)"

# Issuers with the lengths that they give (ISO/IEC 7812). Without the 13 digits of old Visa cards,
# which are the length of an EAN.
_CARD = re.compile(
    "(?<![\\w.,+-])\\d(?:[ \u00a0\u2007\u2009\u202f\u2010-\u2015-]?\\d){13,18}(?![\\w]|[.,]\\d|-\\d)"
)
_ISSUERS = re.compile(
    r"4\d{15}(?:\d{3})?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[689]\d)\d{11}|35\d{14}|6(?:011|4[4-9]\d|5\d\d|2\d\d)\d{12,15}|(?:50|5[6-8]|6\d)\d{14,17}"
)

_PHONES = (
    # +49 30 1234567, +1 (415) 555-0100
    re.compile(rf"{_BEFORE}\+ ?\d(?:{_S}?\(?{_S}?\d\)?){{6,14}}{_AFTER}"),
    # 0049 30 1234567
    re.compile(rf"{_BEFORE}00[1-9]\d{{0,2}}{_S}\(?\d(?:{_S}?\d\)?){{5,12}}{_AFTER}"),
    # 00493012345678
    re.compile(rf"{_BEFORE}00[1-9]\d{{9,12}}{_AFTER}"),
    # (415) 555-0100, 415-555-0100, 1 415 555 0100
    re.compile(rf"{_BEFORE}(?:1{_S})?(?:\(\d{{3}}\){_S}?|\d{{3}}{_S})\d{{3}}{_S}\d{{4}}{_AFTER}"),
    # 030/1234567, (020) 7946 0018, 06 12 34 56 78
    re.compile(
        rf"{_BEFORE}(?:\(0[1-9]\d{{0,4}}\){_S}?|0[1-9]\d{{0,4}}{_S})\d{{2,8}}(?:{_S}{{1,3}}\d{{2,6}}){{0,4}}{_AFTER}"
    ),
    # 07911123456, 0612345678
    re.compile(rf"{_BEFORE}0[1-9]\d{{8,9}}{_AFTER}"),
)
_LABELLED = re.compile(
    r"(?P<label>\b(?:tel|telephone|telefon|téléphone|phone|mobile|cell|handy|móvil|fax|whatsapp|call)\b"
    r"[.:]?(?:[ \t]+(?:no\.?|number|nummer|is|me|us|at|on)\b)*[:.]?[ \t]*)"
    rf"(?P<number>\d(?:{_S}?\d){{5,14}}){_AFTER}",
    re.IGNORECASE,
)
_NAMED_OTHERWISE = re.compile(
    r"(?:isbn(?:-1[03])?|issn|ean|sku|id|no\.|nr\.|order|invoice|ref\.?|article|version)[ \t:#]*$",
    re.IGNORECASE,
)
_DATE = re.compile(r"(?:19|20)\d\d[./-]\d{1,2}[./-]\d{1,2}|\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d\d")
_THOUSANDS = re.compile(r"\+?\d{1,3}(?:[ .\u00a0]\d{3})+")
_THOUSANDS_DIGITS = 9
"""Up to here, groups of three digits are rather a number than a phone."""


def redact(text: str) -> str:
    """``text`` with what was found replaced by ``[e-mail]``, ``[phone]`` and ``[card]``."""
    if "@" in text:
        text = _EMAIL.sub(EMAIL, text)
    if sum(map(str.isdigit, text)) < 6:  # of any script: people write numbers as they read them
        return text
    text = _CARD.sub(lambda found: CARD if _is_card(found[0]) else found[0], text)
    text = _LABELLED.sub(lambda m: m["label"] + (PHONE if _is_phone(m, m["number"]) else m["number"]), text)
    for pattern in _PHONES:
        text = pattern.sub(lambda m: PHONE if _is_phone(m, m[0]) else m[0], text)
    return text


def _is_card(text: str) -> bool:
    digits = re.sub(r"\D", "", text)
    return bool(_ISSUERS.fullmatch(digits)) and _luhn(digits)


def _luhn(digits: str) -> bool:
    """The check digit of card numbers: from the right, every second digit doubled (ISO/IEC 7812-1)."""
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0


def _is_phone(found: re.Match[str], number: str) -> bool:
    digits = sum(character.isdigit() for character in number)
    if not 6 <= digits <= 15 or (number.lstrip("(").startswith("0") and digits < 9):
        return False
    if _DATE.search(number) or (_THOUSANDS.fullmatch(number) and digits <= _THOUSANDS_DIGITS):
        return False
    return not _NAMED_OTHERWISE.search(found.string[max(0, found.start() - 20) : found.start()])
