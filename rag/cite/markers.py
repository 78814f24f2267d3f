"""Citation markers in a text that arrives in pieces: ``[1]``, ``[1, 3]``, ``[1-3]``, ``【1】``.

What may still become a marker is held back until it is one or is not, so that no half of
one is ever shown. Inside code nothing is a marker. A marker whose numbers are not those of
a passage is dropped and counted. Blocks of code are told from text: they claim nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from unicodedata import normalize

from rag.cite.telling import SAYS

_OPEN, _CLOSE = "[【［⟦〔〖", "]】］⟧〕〗"
_MOST = 120
"""Characters within which a marker must close; what is longer is text."""
_BLOCK = 3
"""Backticks that open a block of code."""
_PROSE = frozenset(("markdown", "md"))
"""What an answer calls itself that stands in a block as a whole: it is no code."""
_LONGEST_CODE = 200
"""Characters of code within a line."""
_WORD = (
    r"(?:sources?|passages?|docs?|documents?|citations?|cite|refs?|references?|chunks?|numbers?|see|cf|"
    r"excerpts?|results?|quellen?|fuentes?|extraits?|p(?=\d))"
)
_WORDS = rf"(?:{_WORD}[\s:.=#_]*){{0,2}}"
_NUMBER = r"\^?#?0{0,3}\d{1,3}"
_DASH = "[-–—‐‑−]|[.]{2,3}"
_AND = rf"(?:{_DASH}|to|[,;]\s*(?:and|or|und|et|y|&)|[,;、]|/|\||and|or|und|et|y|&|(?<=\d)(?=\s+\d))"
_TAIL = (
    r"(?:[.:,;]|\s*\([^()]*\)|\s*[:;]\s+(?=[^\W\d]).*|"
    r"\s*,\s*(?=pp?\b|pages?\b|sec|§|lines?\b|para|chapter).*)?"
)
"""What stands behind the numbers and is no number of a passage: "1, p. 3", "1: prices.md"."""
_BODY = re.compile(
    rf"\s*{_WORDS}{_NUMBER}(?:\s*{_AND}\s*{_WORDS}{_NUMBER}(?!\d))*(?P<tail>{_TAIL})\s*",
    re.IGNORECASE | re.DOTALL,
)
_RANGE = re.compile(rf"(\d{{1,6}})\s*(?:{_DASH}|to)\s*\D{{0,12}}?(\d{{1,6}})|(\d{{1,6}})")
_OPENING, _CLOSING = re.escape(_OPEN), re.escape(_CLOSE)
_NAMED = re.compile(rf"(?::\d{{1,3}})?†[^{_OPENING}{_CLOSING}]*")
"""What some models put behind a number: the name of its source, with a place in it."""
_NESTED = re.compile(rf"[\s,]*[{_OPENING}{_CLOSING}][\s,{_OPENING}{_CLOSING}]*")
_BROKEN = re.compile(rf"[{_OPENING}{_CLOSING}`\n]")
_TITLE = re.compile(r"[:;]\s+(?:[^\W\da-z]|[\"“‘']|\S*\.\w{2,5}\b)")
"""The name of a document behind a number: "1: prices.md", "1: Handbook"."""
_FURTHER = re.compile(rf"[;,]\s*{_WORDS}(\d{{1,3}})\s*:", re.IGNORECASE)
_JOIN = re.compile(r" ?[-–—‐‑−] ?")
"""What stands between two markers that are the ends of a range: "[1]-[3]"."""
_EMPHASIS = re.compile(r"[*_]+")
_WRAPPERS = ("***", "**", "*", "__", "_",
    "(", "(see ", "(see: ", "(cf. ", "(source ", "(source: ", "(sources ", "(sources: ")  # fmt: skip
"""What opens around a marker, and goes with it: of "([1])" no "()" is left."""
_BETWEEN = re.compile(r"(?:[\s,;&]|and\b)*")
_APART = re.compile(rf"[ \t]*(?:[,;&][ \t]*)?(?:(?:and|or|und|et|y)[ \t]*)?(?=[{_OPENING}])")
_MAY_PART = re.compile(r"[ \t]*(?:[,;&][ \t]*)?(?:a|an|and|o|or|u|un|und|e|et|y)?[ \t]*")
"""What stands between one marker and another, and goes with them: "[1], [2], and [3]"; and what may become
that."""
_WORD_BEHIND = re.compile(r"[ \t]*([a-z]*)")
_TARGET = re.compile(r"\([^()\s]{0,200}\)")


@dataclass(frozen=True, slots=True)
class Marker:
    """Passage numbers (from 1) that a marker names, in order, each once."""

    numbers: tuple[int, ...]
    unknown: int = 0
    """How many it names that no passage has."""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a block of code, of which the fences are a part."""

    text: str


Token = str | Marker | Block


class MarkerParser:
    """Feed it pieces; it gives text, markers and code. ``passages`` is how many numbers there are.

    Any split of a text into pieces gives the same text, markers and code.
    """

    def __init__(self, passages: int) -> None:
        self._passages = passages
        self._held = ""
        self._fence = ""
        """The backticks that opened the block of code that the text stands in."""
        self._shell = ""
        """The backticks that stand around the answer as a whole."""
        self._begun = False
        """Whether anything was read that is seen."""
        self._line = ""
        """What was read of the line."""
        self._given = ""
        """The end of the text that was given out."""
        self._parts = False
        """Whether a marker stood behind code, and nothing was given out since."""
        self._behind = False
        """Whether a marker stands right before what is held."""
        self._dangling = False
        """Whether a marker stood behind ``[2``: what closes that would make a number that was not read."""

    def feed(self, piece: str) -> Iterator[Token]:
        """What is certain with this piece."""
        self._held += piece
        yield from self._apart(self._read(final=False))

    def end(self) -> Iterator[Token]:
        """What was held back."""
        yield from self._apart(self._read(final=True))

    def _apart(self, tokens: Iterator[Token]) -> Iterator[Token]:
        """The tokens, without a bracket that would close a number around a marker: ``[2[1]]``."""
        for token in tokens:
            if isinstance(token, Marker):
                self._parts = self._given.endswith("`")
                self._dangling = self._dangling or _UNCLOSED.search(self._given) is not None
                yield token
                continue
            if isinstance(token, Block):  # it begins a line, or goes on with what does
                self._parts = self._dangling = False
                self._given = token.text[-_MOST:]
                yield token
                continue
            if self._dangling:
                rest = token.lstrip(_CLOSE + " \t\n")
                before = token[: len(token) - len(rest)]
                token = "".join(c for c in before if c not in _CLOSE) + rest
                if token[:1].isdecimal():
                    token = f" {token}"  # "[2[1]3]" must not become "[23]"
                self._dangling = not rest
            if self._parts and token.startswith("`"):
                token = f" {token}"  # two pieces of code must not become one
            self._parts = self._parts and not token
            self._given = (self._given + token)[-_MOST:]
            if token:
                yield token

    def _read(self, final: bool) -> Iterator[Token]:
        text = ""
        while self._held:
            if self._behind and not self._between(final):
                break  # another marker may follow
            at, within = self._next(), bool(self._fence)
            if within:
                if at is not None and not at:
                    at = self._code(final)
                    if at is None:
                        break  # more backticks may come
                yield Block(self._pass(len(self._held) if at is None else at))
                continue
            if at is None:
                text += self._pass(len(self._held))
                break
            text += self._pass(at)
            if self._held[0] == "`":
                around = self._around(final)
                if around is None:
                    break  # the line may go on
                if around:
                    self._drop(around)
                    continue
                length = self._code(final)
                if length is None:
                    break  # it may still close
                if not self._fence:
                    text += self._pass(length)
                    continue
                if text:
                    yield text
                    text = ""
                yield Block(self._pass(length))
                continue
            if self._held[0] == "\\":
                if len(self._held) == 1 and not final:
                    break
                escaped = self._held[1:2] and self._held[1] in _OPEN + _CLOSE
                if escaped:
                    self._drop(1)
                else:
                    text += self._pass(1)
                continue
            if self._held[0] in "(*_":
                wrapped = self._wrapped(final)
            else:
                one = self._bracket(self._held, final)
                wrapped = one and ([one[0]] if one[0] else [], one[1])
            if wrapped is None:
                break  # it may still close
            markers, length = wrapped
            if not markers:
                text += self._pass(length)
                continue
            self._drop(length)
            if text:
                yield text
                text = ""
            yield from markers
            self._behind = True
        if text:
            yield text

    def _between(self, final: bool) -> bool:
        """Take off what stands between the last marker and the next; whether that is decided."""
        if not final and _MAY_PART.fullmatch(self._held):
            return False
        apart = _APART.match(self._held)
        if apart and apart.end():
            following = self._bracket(self._held[apart.end() :], final)
            if following is None:
                return False
            behind = _WORD_BEHIND.match(self._held, apart.end() + following[1])
            if behind and behind.end() == len(self._held) and not final:
                return False
            within = self._given.rpartition("\n")[2].strip(" \t-*•")
            goes_on = behind and behind[1] in SAYS and within  # "24 euros [1], and [2] says that …"
            if following[0] and self._held[: apart.end()].strip() and not goes_on:
                self._drop(apart.end())
        self._behind = False
        return True

    def _pass(self, length: int) -> str:
        """So much of what is held, which is decided."""
        passed, self._held = self._held[:length], self._held[length:]
        self._line = (self._line + passed).rpartition("\n")[2]
        self._begun = self._begun or bool(passed.strip())
        return passed

    def _drop(self, length: int) -> None:
        """Take off what is not shown: what follows may begin the line that is."""
        self._held = self._held[length:]

    def _next(self) -> int | None:
        """Where the next thing to decide begins."""
        wanted = "`" if self._fence else "`\\(*_" + _OPEN
        found = [at for c in wanted if (at := self._held.find(c)) >= 0]
        return min(found, default=None)

    def _around(self, final: bool) -> int | None:
        """How much of what is held opens or closes a block around the whole answer, which is not shown."""
        ticks = len(self._held) - len(self._held.lstrip("`"))
        if self._line.strip() or (self._begun and not self._shell) or ticks < len(self._shell):
            return 0
        line, end, _ = self._held.partition("\n")
        if not end and not final:
            return None if len(line) < _LONGEST_CODE else 0
        named = line[ticks:].strip().casefold()
        if self._shell and not named:
            self._shell = ""
        elif not self._begun and ticks >= _BLOCK and named in _PROSE:
            self._shell, self._begun = "`" * ticks, True
        else:
            return 0
        return len(line) + len(end)

    def _code(self, final: bool) -> int | None:
        """How much is code, or marks its beginning or end, of what is held; it opens with a backtick.

        A block of code begins and ends with lines of their own. What begins elsewhere, or has another
        backtick in the line that would open a block, ends in its line, or its backticks are letters
        like others: else a lone one would hide all markers behind it.
        """
        ticks = len(self._held) - len(self._held.lstrip("`"))
        if ticks == len(self._held) and not final:
            return None  # more of them may come
        begins_line = not self._line.strip()
        if self._fence:
            if begins_line and ticks >= len(self._fence):
                self._fence = ""
            return ticks
        line = self._held[: _LONGEST_CODE + 1].partition("\n")[0]
        if begins_line and ticks >= _BLOCK and "`" not in line[ticks:]:
            if not final and len(line) == len(self._held):
                return None  # it may be code within the line
            self._fence = self._held[:ticks]
            return ticks
        for run in re.finditer("`+", line[ticks:]):
            end = ticks + run.end()
            if end > _LONGEST_CODE:
                break  # more backticks may follow where the line was cut
            if len(run[0]) == ticks and (final or end < len(self._held)):
                return end
        return ticks if final or len(line) < len(self._held) else None

    def _wrapped(self, final: bool) -> tuple[list[Marker], int] | None:
        """The markers in what opens there, and its length with what closes it: "(see [1], [2])"; none where
        it is text."""
        held = self._held
        start = held[:12].casefold()
        opened = (w for w in _WRAPPERS if start.startswith(w) and held[len(w) : len(w) + 1] in tuple(_OPEN))
        wrapper = next(opened, None)
        if wrapper is None:
            return None if not final and any(w.startswith(start) for w in _WRAPPERS) else ([], 1)
        close = ")" if wrapper[0] == "(" else wrapper
        markers: list[Marker] = []
        at = len(wrapper)
        while True:
            one = self._bracket(held[at:], final)
            if one is None:
                return None
            if one[0] is None:
                return [], 1
            markers.append(one[0])
            at += one[1]
            if held.startswith(close, at):
                return markers, at + len(close)
            following = _BETWEEN.match(held, at)
            behind = following.end() if following else at
            if not final and ("and".startswith(held[behind:]) or close.startswith(held[at:])):
                return None
            if held[behind : behind + 1] not in tuple(_OPEN) or behind > _MOST:
                return [], 1
            at = behind

    def _bracket(self, held: str, final: bool) -> tuple[Marker | None, int] | None:
        """The marker at the start of what is held and its length; None as marker where it is text."""
        depth, end = 0, None
        for at, c in enumerate(held[:_MOST]):
            depth += (c in _OPEN) - (c in _CLOSE)
            if not depth:
                end = at + 1
                break
        if end is None:
            if final and _CUT_OFF.fullmatch(normalize("NFKC", held)):
                return Marker((), 1), len(held)  # the stream ended inside a marker
            return None if len(held) < _MOST and not final else (None, 1)
        body = _body(held[1 : end - 1])
        if body is None:
            return None, 1
        # A link of which the text is a number: what it points to is not shown.
        if held[end:] in ("", " ") and not final:
            return None
        if held[end : end + 1] == "(":
            target = _TARGET.match(held, end)
            if target:
                end = target.end()
            elif not final and ")" not in held[end:] and len(held) - end < 200:
                return None
            if held[end:] in ("", " ") and not final:
                return None
        joined = _JOIN.match(held, end)
        if joined and joined.end() == len(held) and not final:
            return None
        if joined and held[joined.end() : joined.end() + 1] in tuple(_OPEN):
            close = next(
                (n for n in range(joined.end(), min(len(held), joined.end() + _MOST)) if held[n] in _CLOSE),
                None,
            )
            if close is None and not final and len(held) - joined.end() < _MOST:
                return None
            upto = _body(held[joined.end() + 1 : close]) if close else None
            if close and upto and held[close + 1 : close + 2] != "(":  # not a link
                if close + 1 == len(held) and not final:
                    return None
                return self._marker(f"{body}-{upto}"), close + 1
        return self._marker(body), end

    def _marker(self, body: str) -> Marker:
        numbers: dict[int, None] = {}
        unknown = 0
        for low, high, one in _RANGE.findall(body):
            first, last = (int(one), int(one)) if one else (int(low), int(high))
            for number in range(min(first, last), max(first, last) + 1):
                if 1 <= number <= self._passages:
                    numbers.setdefault(number)
                else:
                    unknown += 1
        return Marker(tuple(numbers), unknown)


_UNCLOSED = re.compile(rf"[{_OPENING}]\s*{_NUMBER}\s*$")
_CUT_OFF = re.compile(rf"[{_OPENING}]+\s*{_WORDS}{_NUMBER}[\s\d,;&†\\-]*", re.IGNORECASE)


def _body(text: str) -> str | None:
    """The numbers and words between the brackets of a marker; None where it is none."""
    # Other digits ("¹", "①", "１") read as a number all the same, and brackets may be escaped.
    plain = _EMPHASIS.sub(" ", normalize("NFKC", text)).strip(" \t\n\\")
    body = _NESTED.sub(",", _NAMED.sub("", plain)).strip(" ,")
    found = _BODY.fullmatch(body)
    if found is None:
        return None
    tail = found["tail"].strip()
    if len(tail) > 1 and (_BROKEN.search(plain) or (tail[0] in ":;" and not _TITLE.match(tail))):
        return None  # words of the text: "[3: not refundable]"
    others = "".join(f",{number}" for number in _FURTHER.findall(tail))
    return body[: found.start("tail")].rstrip() + others
