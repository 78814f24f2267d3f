"""Untrusted text in Streamlit's Markdown: shown as it is written, never interpreted.

Documents, questions, model output, file names and messages of errors all pass through
here before they reach the screen. Three layers of Streamlit's front end would otherwise
read them (version 1.67, ``StreamlitMarkdown``):

1. CommonMark, GitHub tables and bare links, directives (``:red[..]``), ``$`` formulas. They
   see the source, so every character with a meaning is written as a numeric character
   reference, which CommonMark never takes for structure.
2. Replacements that run on the parsed text and so see through references: bare links and
   e-mail addresses, ``:material_x:``, ``:streamlit:``, and arrows (``->``, ``--``, ``>=``).
   Their patterns are cut in two by :data:`_CUT`, an empty span, which changes no letter.
3. Emoji short codes and formulas: loaded only when the source holds ``:name:`` or ``$``,
   which it never does after step 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, urlencode

from rag.remarks import WIDE_STOPS
from rag.shorten import shortened

_CUT = ":small[]"
"""A directive without text: the browser gets an empty span, the parser two text nodes."""

_REFERENCES = {ord(c): f"&#{ord(c)};" for c in "!#$&()*+-.:<=>@[\\]^_`{|}~\ufeff"}
_SEAMS = re.compile(r"(?<=[<>=~-])(?=[<>=~-])|(?<=:)(?=[A-Za-z/])|(?<=www)(?=\.)|(?=@)", re.IGNORECASE)
_LINE_ENDS = re.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")
_NOT_SHOWN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_DIRECTIONS = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Marks that turn the direction of writing, and can make a text read as another one."""
_SPACES = re.compile(r"^ +| {2,}", re.MULTILINE)
_BREAK = "\\\n"
"""A hard line break; unlike two spaces before the line end, it survives trimming."""

MARKUP = "markup"
"""Marks a piece of :func:`composed` that is Markdown already."""

STRUCK = "struck"
"""Marks a piece of :func:`composed` that is drawn struck out."""

_NBSP = "&#160;"
"""A space that neither Markdown nor ``str.strip`` takes away."""


def shown(text: str) -> str:
    """What a reader sees of ``text``: one kind of line end, no control characters.

    Tabs are four spaces; control characters and halves of surrogate pairs, which a
    browser cannot show (or, for the latter, be sent), are U+FFFD. Marks of direction are left
    out: a file named ``exe.<U+202E>fdp`` must not read as a PDF, and a browser sets scripts
    that run from right to left without them.
    """
    text = _DIRECTIONS.sub("", _LINE_ENDS.sub("\n", text).replace("\t", "    "))
    return _NOT_SHOWN.sub("\ufffd", text)


def plain(text: str) -> str:
    """Markdown that Streamlit draws as exactly ``shown(text)``, lines kept apart.

    Runs of spaces become non-breaking ones so that indented text (code, tables) keeps
    its shape. Blank lines at both ends are dropped.
    """
    return _BREAK.join(_lines(shown(text).strip("\n")))


def one_line(text: str, limit: int = 0) -> str:
    """:func:`plain` for labels: white space becomes single spaces, cut after ``limit`` characters."""
    return plain(cut(text, limit))


def cut(text: str, limit: int = 0) -> str:
    """``text`` on one line; beyond ``limit`` characters (0: no limit) cut at a word, with an ellipsis."""
    return shortened(shown(text), limit)


def highlighted(text: str, spans: Iterable[tuple[int, int]], directive: str = "yellow-background") -> str:
    """:func:`plain` with some spans of ``text`` marked by a directive of Streamlit.

    Spans are half-open, in characters of ``text``; those that overlap are merged, and
    what lies outside the text is left out.
    """
    return composed(_pieces(text, _merged(spans, len(text)), directive))


def composed(pieces: Iterable[tuple[str, str]]) -> str:
    """One Markdown paragraph of untrusted texts, each under a directive, or under none ("").

    A piece under :data:`MARKUP` is Markdown of ours and goes in as it is. A directive
    cannot reach over a line break, so a piece of several lines is marked line by line.
    """
    lines = [""]
    for piece, directive in pieces:
        if directive == MARKUP:
            lines[-1] += piece
            continue
        for n, line in enumerate(_lines(piece, begins_line=not lines[-1])):
            if n:
                lines.append("")
            lines[-1] += _marked(line, directive) if directive else line
    while len(lines) > 1 and not lines[0].strip():
        del lines[0]
    while len(lines) > 1 and not lines[-1].strip():
        del lines[-1]
    return _BREAK.join(lines)


def _marked(line: str, directive: str) -> str:
    """The line inside the directive, which would swallow spaces at its ends: they stay outside."""
    match = re.fullmatch(rf"((?:{_NBSP}| )*)(.*?)((?:{_NBSP}| )*)", line, re.DOTALL)
    before, inner, after = match.groups() if match else ("", line, "")
    if directive == STRUCK:
        said = inner.rstrip(WIDE_STOPS)
        return f"{before}~~{said}~~{inner[len(said) :]}{after}" if said else line
    return f"{before}:{directive}[{inner}]{after}" if inner else line


def link(text: str, page: str, **query: str) -> str:
    """A link in Markdown to a page of this app, and so to this server: ``page`` is a name of ours.

    All that is untrusted is the text, which is drawn as it is written, and the values of the
    query, of which every character with a meaning is encoded.
    """
    return f"[{one_line(text)}]({page}?{urlencode(query, quote_via=quote, safe='')})"


def badge(text: str, colour: str = "gray") -> str:
    """A badge in Markdown with that text."""
    return f":{colour}-badge[{one_line(text)}]"


def coloured(text: str, colour: str) -> str:
    """``text`` in white on ``colour`` (``#rrggbb``), which reads alike in light and dark."""
    return f':color[{_NBSP}{one_line(text)}{_NBSP}]{{foreground="#ffffff" background="{colour}"}}'


def _lines(text: str, *, begins_line: bool = True) -> list[str]:
    """The lines of ``text`` as Markdown; the first may continue a line begun elsewhere."""
    lines = shown(text).split("\n")
    return [_inline(line, at_start=begins_line or n > 0) for n, line in enumerate(lines)]


def _inline(line: str, *, at_start: bool) -> str:
    def keep(run: re.Match[str]) -> str:
        if run.start() == 0 and at_start:
            return _NBSP * len(run[0])
        return _NBSP * (len(run[0]) - 1) + " "

    escaped = _CUT.join(part.translate(_REFERENCES) for part in _SEAMS.split(line))
    return _SPACES.sub(keep, escaped)


def _merged(spans: Iterable[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted((max(0, s), min(length, e)) for s, e in spans):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _pieces(text: str, spans: list[tuple[int, int]], directive: str) -> Iterator[tuple[str, str]]:
    at = 0
    for start, end in spans:
        yield text[at:start], ""
        yield text[start:end], directive
        at = end
    yield text[at:], ""
