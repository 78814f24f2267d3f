"""Headings between equals signs, as wikis export them: ``== Plot ==``, `` = = Plot = = ``.

Files called ``.md`` or ``.txt`` hold such exports too. A line is taken for a heading only
where the whole file speaks for it, because ``=`` has other uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.readers.structure import lines

MAX_LINE = 250
"""A heading is a name; a longer line between equals signs is something else."""

_HEADING = re.compile(r"[ \t\ufeff]?(=(?: =){0,5}|={2,6})[ \t]*([^=\s](?:[^=]|=(?!=))*?)[ \t]*\1[ \t]*")
_CODE_FENCE = re.compile(r" {0,3}(?:`{3,}|~{3,})")
_ANY_ATX = re.compile(r"^ {0,3}#{1,6}[ \t]+\S", re.MULTILINE)
_CANDIDATE = re.compile(r"^[ \t\ufeff]?=", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class WikiHeading:
    """A heading line: the line's span, the title's span, and its level from 1."""

    line_start: int
    line_end: int
    start: int
    end: int
    level: int


def wiki_headings(text: str) -> list[WikiHeading]:
    """The headings of a wiki export; none where the file is not one.

    It is one where at least two such lines stand in it (or one, as its first line), no
    Markdown heading does, and the first of them is of the highest level that occurs.
    """
    if _CANDIDATE.search(text) is None or _ANY_ATX.search(text) is not None:
        return []
    found = list(_candidates(text))
    if not found or found[0].level > min(heading.level for heading in found):
        return []
    if len(found) == 1 and text[: found[0].line_start].strip():
        return []
    return found


def _candidates(text: str) -> Iterator[WikiHeading]:
    fence = ""
    for start, end in lines(text):
        opened = _CODE_FENCE.match(text, start, end)
        if opened is not None:
            mark = opened.group().strip()
            if not fence:
                fence = mark
            elif mark.startswith(fence):
                fence = ""
            continue
        if fence or end - start > MAX_LINE:
            continue
        match = _HEADING.fullmatch(text, start, end)
        # " ; " stands in legends ("= Wins ; L ="), which exports leave behind from tables.
        if match is None or " ; " in match.group(2) or not any(c.isalnum() for c in match.group(2)):
            continue
        level = match.group(1).count("=")
        yield WikiHeading(start, end, match.start(2), match.end(2), level)
