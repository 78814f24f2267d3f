"""Whether a sentence only says that the sources say nothing: it claims nothing that they could support."""

from __future__ import annotations

import re

from rag.words import FUNCTION_WORDS

_SOURCE = r"(?:passages?|documents?|sources?|texts?|contexts?|excerpts?)"
_GIVEN = (
    r"(?:provided|given|above|below|available|supplied|cited|retrieved|here|at hand|"
    r"that (?:were|was|are|is) \w+|"
    r"(?:that )?(?:i|you|we) (?:have|had|gave|was|were|see|can see|provided|shared|uploaded)"
    r"(?: (?:me|given|here))*)"
)  # fmt: skip
_TELL = (
    r"(?:mention|contain|provide|include|answer|specif|say|state|find|found|give|know|address|inform|indicat|"
    r"tell|told|cover|discuss|describ|appear|availab|detail|refer)"
)
_NOT = r"(?:do not|does not|did not|don['’]t|doesn['’]t|didn['’]t|cannot|can['’]t|never)"
_THEY_DO_NOT = re.compile(
    rf"\b{_SOURCE}(?: {_GIVEN})?,? (?:(?:{_NOT}) (?:\w+ ){{0,2}}?{_TELL}|says? nothing|(?:are|is) silent|"
    rf"(?:contain|provide|give|have|has|offer)s? no\b)",
    re.IGNORECASE,
)
"""Of the sources that they do not tell: "The documents do not mention the price"."""
_NOT_IN_THEM = re.compile(
    r"(?:\bnot|\bno|\bnothing|\bnowhere|n['’]t|\bcannot|\bunable)\b "
    rf"(?:\w+ ){{0,5}}?{_TELL}\w*\b[^.!?]{{0,80}}?"
    rf"\b(?:in|from|by|within|among)\b (?:\w+ ){{0,3}}?{_SOURCE}\b",
    re.IGNORECASE,
)
"""Of a thing that it is not in them: "The price is not mentioned in the documents"."""
_BUT = re.compile(r"[;—]|,? \b(?:but|however|although|though|whereas|while|which|yet)\b", re.IGNORECASE)
_ASIDE = re.compile(
    rf"\b(?:{_SOURCE}|{_GIVEN}|based|according|unfortunately|sorry|apolog\w*|afraid|i['’]?m|note|however|"
    r"none|neither|other|one|information|provided)\b",
    re.IGNORECASE,
)
"""Words that open such a sentence, and tell nothing of the matter itself."""
_FEW = 2


def says_nothing(text: str) -> bool:
    """Whether all of it says that something is not in the sources.

    A part that tells something else ("The fee is 900 euros, but the documents do not say so") is a claim
    all the same, and so is a denial about documents ("You do not need to provide any documents").
    """
    found = False
    for part in _BUT.split(text):
        told = _THEY_DO_NOT.search(part)
        lacks = (
            told is not None
            and _content(part[: told.start()]) < _FEW
            and not _figure_behind(part[told.end() :])
        )
        lacks = lacks or _NOT_IN_THEM.search(part) is not None
        found = found or lacks
        if not lacks and (_content(part) >= _FEW or any(c.isdigit() for c in part)):
            return False
    return found


def _content(text: str) -> int:
    words = (word.strip(".,;:!?()[]\"'*#_`-").casefold() for word in _ASIDE.sub(" ", text).split())
    return sum(any(c.isalnum() for c in word) and word not in FUNCTION_WORDS for word in words)


def _figure_behind(rest: str) -> bool:
    """Whether a figure stands behind a comma: "…, tickets cost 5 euros"."""
    return any(c.isdigit() for c in rest.partition(",")[2])
