"""A conversation as Markdown: questions, answers, citations with their sources.

Questions, answers and quotations are untrusted text: whoever opens the file must see them as they
were written, and no viewer may take them for HTML, links, images or headings.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from rag.remarks import WIDE_STOPS, marked, notes
from rag.types import Answer, Citation

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$&=:@^])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_STRUCK, _ENDS = "\ufdd0", "\ufdd1"
"""Stand for the marks around what is struck out, which must not be taken for a text's own and escaped.
Unicode has them for a program's own use, and no text is to hold them."""
_VERDICTS = {
    "verbatim": "quoted word for word",
    "supported": "supported by the passage",
    "unsupported": "not found in the passage",
}


def markdown(title: str, answers: Sequence[Answer]) -> str:
    """The conversation as one Markdown text.

    It holds no id of a person, browser or session, and no address but those in the texts
    themselves, which are no links.
    """
    parts = [f"# {_line(title)}"]
    for answer in answers:
        when = datetime.fromtimestamp(answer.created, UTC)
        parts.append(f"## {_line(answer.question)}")
        parts.append(f"{when:%Y-%m-%d %H:%M} UTC, {_line(answer.generator)}")
        if answer.stopped:
            parts.append("(Stopped before its end.)")
        parts += [f"({_line(note)})" for note in notes(answer.notices, answer.claims)]
        parts.append(_checked(answer) or "(Nothing was written.)")
        cited = sorted(answer.citations, key=lambda c: c.number)
        parts += [_citation(answer, citation) for citation in cited]
    return "\n\n".join(parts) + "\n"


def _checked(answer: Answer) -> str:
    """The text of an answer; what is wrong in it is struck out, and the remarks stand in it."""
    text = re.sub(f"[{_STRUCK}{_ENDS}]", "\ufffd", answer.text)
    drawn = _block(marked(text, answer.claims, _struck))
    return drawn.replace(_STRUCK, "~~").replace(_ENDS, "~~")


def _struck(text: str) -> str:
    """Struck out line by line: the marks must hug a text, and reach over no line end."""
    return re.sub(
        rf"(\S(?:.*?\S)?)([{WIDE_STOPS}]*[^\S\n]*)$",
        rf"{_STRUCK}\g<1>{_ENDS}\g<2>",
        _CONTROL.sub("", text),
        flags=re.MULTILINE,
    )


def _citation(answer: Answer, citation: Citation) -> str:
    passage = answer.passages[citation.passage] if 0 <= citation.passage < len(answer.passages) else None
    place = [passage.title] if passage is not None and passage.title != citation.source else []
    place.append(citation.source)
    if passage is not None and passage.page is not None:
        place.append(f"page {passage.page}")
    place.append(f"characters {citation.start} to {citation.end}")
    verdict = _VERDICTS.get(citation.verdict, citation.verdict)
    quote = "\n".join(f"> {line}" if line else ">" for line in _block(citation.quote).split("\n"))
    return f"**{citation.number}** {', '.join(_line(part) for part in place)} ({verdict}):\n\n{quote}"


def _line(text: str) -> str:
    return _escaped(" ".join(_CONTROL.sub("", text).split()))


def _block(text: str) -> str:
    """Several lines: each ends in a hard break, and none is indented into a block of code."""
    lines = [" ".join(line.split()) for line in _CONTROL.sub("", text.replace("\r\n", "\n")).split("\n")]
    joined = "\n".join(lines).strip("\n")
    broken = [_escaped(line) for line in re.sub(r"\n{3,}", "\n\n", joined).split("\n")]
    return "\n".join(
        f"{line}\\" if line and n + 1 < len(broken) and broken[n + 1] else line
        for n, line in enumerate(broken)
    )


def _escaped(text: str) -> str:
    """Every character with a meaning behind a backslash, and no bare address left for a viewer to link."""
    escaped = _SPECIAL.sub(r"\\\1", text).replace("\\@", "&#8203;\\@")
    return re.sub(r"(?i)\b(https?|ftp|www|mailto)(?=\\)", lambda m: f"{m[0][0]}&#8203;{m[0][1:]}", escaped)
