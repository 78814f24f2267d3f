"""Lines of a page, as a PDF gives them, back to paragraphs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rag.readers.decode import clean
from rag.types import BlockKind

_LIGATURES = {
    "ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st",
}  # fmt: skip
_SYMBOL_BULLETS = dict.fromkeys("\uf0b7\uf0a7\uf076\uf0d8\uf0fc", "•")
_TRANSLATED = str.maketrans({**_LIGATURES, **_SYMBOL_BULLETS, "\xa0": " ", "\t": " "})

_CONTROL = re.compile(r"[\x01-\x08\x0b-\x1f\x7f-\x9f\u200b\ufeff]")
_SPACES = re.compile(r" {2,}")
_BULLET = re.compile(r"(?:[•‣◦▪●○·]|[-–*](?= )|\(?\d{1,3}[.)](?= )|\(?[a-z][.)](?= ))\s*\S")
_STOPPED = re.compile(r"[.!?:;。！？][\"'”’»)\]]*$")
_SPLIT_WORD = re.compile(r"([^\W\d_]{2,})[-\u2010]$")
_FIRST_WORD = re.compile(r"[^\W\d_]{2,}")
_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*")
_NOT_WORD = re.compile(r"[\W_]+")
_NUMBERING = re.compile(r"^(?:[\divxIVX]+[.)]?|[A-Z][.)])(?:\d+[.)]?)*\s+")

_FULL = 0.75
"""A line of at least this share of the page's usual width goes on in the next one."""
_LEAST_WIDTH = 40


def clean_lines(text: str) -> list[str]:
    """The lines of a page without control characters, typographic ligatures and doubled spaces."""
    text = _CONTROL.sub("", clean(text.replace("\r", "\n").replace("\0", "")).translate(_TRANSLATED))
    return [_SPACES.sub(" ", line).strip() for line in text.split("\n")]


class Hyphens:
    """Tells a word divided at a line's end from one with a hyphen, by the words of the document."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._words: Counter[str] = Counter()
        for line in lines:
            self._words.update(word.casefold() for word in _WORD.findall(line))

    def join(self, before: str, after: str) -> str:
        """Two lines of a paragraph as one.

        The hyphen goes only where the whole word stands elsewhere in the document, and the
        word with the hyphen does not; a soft hyphen always goes.
        """
        if before.endswith("\xad"):
            return before[:-1] + after
        left = _SPLIT_WORD.search(before)
        right = _FIRST_WORD.match(after)
        if left is None or right is None or not after[0].islower():
            return f"{before} {after}"
        whole = (left.group(1) + right.group()).casefold()
        hyphened = f"{left.group(1)}-{right.group()}".casefold()
        if self._words[whole] and not self._words[hyphened]:
            return before[:-1] + after
        return before + after


def paragraphs(lines: Sequence[str], hyphens: Hyphens) -> Iterator[tuple[BlockKind, str]]:
    """Paragraphs and lists of a page.

    A full line goes on in the next. A short one that ends a sentence ends a paragraph, and so
    does one before a full line (a heading); other short lines keep their breaks (a table, an
    address).
    """
    width = _width(lines)
    done: list[str] = []  # lines of the paragraph that are complete
    kind: BlockKind = "prose"
    last = ""
    for line in lines:
        is_item = bool(_BULLET.match(line))
        goes_on = bool(done) and bool(line) and not _ends(last, line, width)
        if done and (not line or (is_item and kind != "list") or (not is_item and not goes_on)):
            yield kind, _finish(done)
            done.clear()
        if not line:
            continue
        if not done:
            done.append(line)
            kind = "list" if is_item else "prose"
        elif is_item or (len(last) < _FULL * width and not last.endswith("\xad")):
            done.append(line)
        else:
            done[-1] = hyphens.join(done[-1], line)
        last = line
    if done:
        yield kind, _finish(done)


def find_title(title: str, lines: Sequence[str], begin: int) -> tuple[int, int] | None:
    """The lines (up to three) that are a bookmark's title, give or take its numbering, or None."""
    wanted = {_key(title), _key(_NUMBERING.sub("", title))} - {""}
    for start in range(begin, len(lines)):
        text = ""
        for end in range(start + 1, min(start + 4, len(lines) + 1)):
            text = f"{text} {lines[end - 1]}".strip()
            if len(text) > 2 * len(title) + 40:
                break
            if wanted & {_key(text), _key(_NUMBERING.sub("", text))}:
                return start, end
    return None


def _ends(last: str, line: str, width: float) -> bool:
    """Whether a paragraph ends between two lines that are not blank."""
    if len(last) >= _FULL * width:
        return False
    return bool(_STOPPED.search(last)) or (len(line) >= _FULL * width and not line[0].islower())


def _width(lines: Sequence[str]) -> float:
    """How long the long lines of the page are: nine of ten are no longer."""
    lengths = sorted(len(line) for line in lines if line)
    return max(lengths[int(0.9 * (len(lengths) - 1))] if lengths else 0, _LEAST_WIDTH)


def _finish(lines: Sequence[str]) -> str:
    return "\n".join(lines).replace("\xad", "")


def _key(text: str) -> str:
    return _NOT_WORD.sub(" ", text).strip().casefold()
