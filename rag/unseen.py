"""Characters that a reader does not see, taken out of text that models read and write.

Text that nobody sees can carry instructions into a prompt (in tag characters, variation
selectors, zero-width bits) and data out of an answer that is copied. What scripts and emoji need
stays where they need it: joiners behind their letters, and the two selectors that choose
between a sign and its picture.
"""

from __future__ import annotations

import re

_NEVER = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but tab and line end
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufff9-\ufffb"  # fillers
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"  # zero width, and directions
    "\ufe00-\ufe0d\U000e0000-\U000e0fff"  # selectors and tags
)
_JOINING = "\u0600-\u0dff\u0f00-\u109f\u1780-\u18af\u00a9\u00ae\u203c-\u3299\ufe0f\U0001f000-\U0001faff"
"""Arabic and Indic letters, and emoji: what a joiner may stand behind."""
_UNSEEN = re.compile(
    f"[{_NEVER}]|(?<![{_JOINING}])[\u200c\u200d\ufe0e\ufe0f]|[\u200c\u200d](?=[\u200c\u200d])"
)


def without_unseen(text: str) -> str:
    """``text`` without what is not seen; a carriage return with its line end is a line end."""
    return _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


class Unseen:
    """Takes it out of a text that comes in pieces, and knows what was where.

    Any split of a text gives the same.
    """

    def __init__(self) -> None:
        self._held = ""
        self._before = ""
        self._taken: list[int] = []
        """Places, in the text as it came, of the characters that were taken out."""
        self._read = 0

    def feed(self, piece: str) -> str:
        """What is seen of the next piece; its last character may be held back."""
        text = self._held + piece
        self._held = text[-1:] if text[-1:] in "\r\u200c\u200d" else ""
        return self._clean(text[: len(text) - len(self._held)])

    def end(self) -> str:
        """What was held back."""
        held, self._held = self._held, ""
        return self._clean(held)

    def place(self, at: int) -> int:
        """Where a place of the text as it came is in the text that was given out."""
        return at - sum(taken < at for taken in self._taken)

    def _clean(self, text: str) -> str:
        whole = self._before + text
        start, kept, at = len(self._before), "", len(self._before)
        for match in re.finditer(rf"\r\n?|{_UNSEEN.pattern}", whole):
            if match.start() < start:
                continue
            kept += whole[at : match.start()] + ("\n" if match[0][0] == "\r" else "")
            gone = range(match.start() + (match[0][0] == "\r"), match.end())
            self._taken += [self._read + n - start for n in gone]
            at = match.end()
        kept += whole[at:]
        self._read += len(text)
        self._before = whole[-1:]
        return kept
