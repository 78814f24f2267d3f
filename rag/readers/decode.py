"""Bytes to text: UTF-8 unchanged, UTF-16 and UTF-32 by their mark, anything else with care.

A wrong guess makes nonsense that is indexed and quoted, so a guess is only accepted where
the text that it gives is plausible; the rest is refused with a sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.errors import ReadError

_MARKS = (  # longest first: the UTF-32 mark begins with that of UTF-16
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\xfe\xff", "utf-16"),
    (b"\xff\xfe", "utf-16"),
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MULTIBYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_SURROGATE = re.compile("[\ud800-\udfff]")

_WESTERN = frozenset("ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜßàáâãäåæçèéêëìíîïñòóôõöøùúûüÿŒœŸ")
_SIGNS = frozenset("€‚„…‹‘’“”•–—™›\xa0¡¢£§©ª«¬\xad®°±²³´µ¶·¹º»¼½¾¿×÷¦¨¯¸")
_GUESSES = (
    "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "iso8859_2",
    "koi8_r", "cp866", "mac_roman", "cp932", "euc_jp", "gb18030", "big5", "cp949",
)  # fmt: skip
_FORMED = frozenset({"cp932", "euc_jp", "gb18030", "big5", "cp949"})
_SAMPLE = 200_000
"""Bytes that a guess looks at: enough for any language, and quick for a file of any size."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, and a sentence about what was lost on the way to it, where anything was."""

    text: str
    notice: str | None = None


def decode(data: bytes) -> Decoded:
    """The text of a file. Valid UTF-8 comes back unchanged, mark and line ends included.

    Raises ``ReadError`` for what is binary, or of an encoding that cannot be told.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decode_marked(data, encoding)
    if b"\0" in data:
        raise ReadError("This looks like a binary file, not text. Convert it to text, or leave it out.")
    try:
        return Decoded(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        whole = data[: error.start]
        # Without another character beyond ASCII, a last "\xe9" is rather an accent in a legacy encoding.
        if error.reason == "unexpected end of data" and not whole.isascii():
            notice = "The file ends in the middle of a character; the rest of it was read."
            return Decoded(whole.decode("utf-8"), notice)
    return _decode_legacy(data)


def clean(text: str) -> str:
    """Text that every store takes: no lone surrogates and no NUL, each replaced by ``\\ufffd``.

    Surrogates that stand as a pair become the character they mean; offsets may change then.
    """
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", "\ufffd")


def has_words(text: str) -> bool:
    """Whether there is anything to read: more than white space, marks and control characters."""
    return any(c.isalnum() or (ord(c) > 0x2FF and c not in "\ufeff\ufffd" and c.isprintable()) for c in text)


def _decode_marked(data: bytes, encoding: str) -> Decoded:
    try:
        text = data.decode(encoding)
        notice = None
    except UnicodeDecodeError:
        text = data.decode(encoding, "replace")
        notice = f"The file is marked as {encoding.upper()} but is damaged; what could be read was."
        if text.count("\ufffd") * 10 > len(text):
            raise ReadError(
                f"The file is marked as {encoding.upper()} but is not. Save it as UTF-8."
            ) from None
    if "\0" in text:
        raise ReadError("This looks like a binary file, not text. Convert it to text, or leave it out.")
    return Decoded(text, notice)


def _decode_legacy(data: bytes) -> Decoded:
    if len(_CONTROL.findall(data[:_SAMPLE])) * 100 > len(data[:_SAMPLE]):
        raise ReadError("This looks like a binary file, not text. Convert it to text, or leave it out.")
    mostly_utf8 = _decode_damaged_utf8(data)
    if mostly_utf8 is not None:
        return mostly_utf8
    western = _decode_western(data)
    if western is not None:
        return Decoded(western)
    guess = _guess(data)
    if guess is None:
        raise ReadError("The text is not UTF-8, and its encoding could not be told. Save it as UTF-8.")
    return Decoded(guess)


def _decode_damaged_utf8(data: bytes) -> Decoded | None:
    """UTF-8 with a few broken bytes: at least ten whole characters beside each broken place."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    if len(_MULTIBYTE.findall(data)) < 10 * broken:
        return None
    places = "one place" if broken == 1 else f"{broken:,} places"
    return Decoded(
        text, f"The file is not valid UTF-8 in {places}, shown as \ufffd; the rest of it was read."
    )


def _decode_western(data: bytes) -> str | None:
    """Windows-1252 where every character beyond ASCII is one that Western European text uses.

    Tried before detection, which calls a short French text Polish or Chinese.
    """
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return None
    foreign = [(i, c) for i, c in enumerate(text[:_SAMPLE]) if c > "\x7f"]
    strange = 0
    for i, c in foreign:
        before, after = text[i - 1 : i], text[i + 1 : i + 2]
        if c in _WESTERN:
            strange += c.isupper() and before.islower()
            strange += before in _WESTERN and after in _WESTERN and bool(after)
        elif c not in _SIGNS or (before.isalpha() and after.isalpha() and c not in "’‘·\xad–—…"):
            strange += 1
    return text if strange * 20 <= len(foreign) else None


def _guess(data: bytes) -> str | None:
    """The first guess in which letters make words of a known language.

    Encodings of several bytes are told by their form; those of one byte make letters of
    anything, so they need the evidence of letter frequencies too.
    """
    from charset_normalizer import from_bytes

    for match in from_bytes(data[:_SAMPLE], cp_isolation=list(_GUESSES), enable_fallback=False):
        if match.chaos > 0.1 or (match.encoding not in _FORMED and match.coherence == 0):
            continue
        try:
            text = data.decode(match.encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        if not re.search(r"[\x80-\x9f\ue000-\uf8ff]|[^\W\d_][¡-©«-´¶-¹»-¿×÷][^\W\d_]", text):
            return clean(text)
    return None
