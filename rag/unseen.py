"""Characters that a reader does not see, taken out of text that models read and write.

Text that nobody sees can carry instructions into a prompt (in tag characters, variation
selectors, zero-width bits) and data out of an answer that is copied. What scripts and emoji need
stays where they need it: joiners behind their letters, and the two selectors that choose
between a sign and its picture. Half a character of UTF-16 (what JSON can hold and no file, store or
page takes) is joined with its other half, or becomes U+FFFD.
"""

from __future__ import annotations

import re

_NEVER = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but tab and line end
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufff9-\ufffb"  # fillers
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"  # zero width, and directions
    "\ufe00-\ufe0d\U000e0000-\U000e0fff"  # selectors and tags
)
_JOINS = "\u200c\u200d\ufe0e\ufe0f"
_JOINING = re.compile(
    "[\u0600-\u0dff\u0f00-\u109f\u1780-\u18af\u00a9\u00ae\u203c-\u3299\ufe0f\U0001f000-\U0001faff]"
)
"""Arabic and Indic letters, and emoji: what a joiner may stand behind."""
_PAIR = "[\ud800-\udbff][\udc00-\udfff]"
_TO_DECIDE = re.compile(f"{_PAIR}|[{_NEVER}{_JOINS}\r\n\ud800-\udfff]")


def without_unseen(text: str) -> str:
    """``text`` without what is not seen; every kind of line end is a line feed."""
    unseen = Unseen()
    return unseen.feed(text) + unseen.end()


class Unseen:
    """Takes it out of a text that comes in pieces, and knows what was where.

    Any split of a text gives the same, for what stays depends on what was given out before.
    """

    def __init__(self) -> None:
        self._last = ""
        """The last character that was given out."""
        self._ended = False
        """Whether a carriage return was read, of which the line feed may follow."""
        self._taken: list[int] = []
        """Places, in the text as it came, of the characters that were taken out."""
        self._read = 0
        self._half = ""
        """The first half of a character, of which the other may follow."""

    def feed(self, piece: str) -> str:
        """What is seen of the next piece."""
        piece = self._half + piece
        self._half = piece[-1:] if "\ud800" <= piece[-1:] <= "\udbff" else ""
        return self._seen(piece[: len(piece) - len(self._half)])

    def end(self) -> str:
        """What was held back."""
        half, self._half = self._half, ""
        return self._seen(half)

    def _seen(self, piece: str) -> str:
        kept, at = [], 0
        for match in _TO_DECIDE.finditer(piece):
            if match.start() > at:
                kept.append(piece[at : match.start()])
                self._last, self._ended = piece[match.start() - 1], False
            at = match.end()
            seen = self._decide(match[0])
            if seen:
                kept.append(seen)
                self._last = seen
            self._taken += [self._read + match.start()] * (len(match[0]) - len(seen))
            self._ended = match[0] == "\r"
        if at < len(piece):
            kept.append(piece[at:])
            self._last, self._ended = piece[-1], False
        self._read += len(piece)
        return "".join(kept)

    def place(self, at: int) -> int:
        """Where a place of the text as it came is in the text that was given out."""
        return at - sum(taken < at for taken in self._taken)

    def _decide(self, character: str) -> str:
        if len(character) == 2:
            return without_unseen(character.encode("utf-16-le", "surrogatepass").decode("utf-16-le"))
        if "\ud800" <= character <= "\udfff":
            return "\ufffd"
        if character == "\r":
            return "\n"
        if character == "\n":
            return "" if self._ended else character
        if character in _JOINS and _JOINING.fullmatch(self._last):
            return character
        return ""
