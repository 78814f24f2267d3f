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
_THESE = re.compile(
    rf"\b(?:passages?|excerpts?|contexts?|{_SOURCE} {_GIVEN}|"
    rf"(?:provided|given|supplied|cited|retrieved) {_SOURCE})\b",
    re.IGNORECASE,
)
"""What a model calls what it was given to answer from."""
_SAY = r"(?:mention|specif|say|state|address|indicat|tell|told|discuss|describ|refer|answer|cover)"
_TELL = rf"(?:{_SAY}|contain|provide|include|find|found|give|know|inform|appear|availab|detail)"
_NOT = r"(?:do not|does not|did not|don['’]t|doesn['’]t|didn['’]t|cannot|can['’]t|never)"
_THEY_DO_NOT = re.compile(
    rf"\b{_SOURCE}(?: {_GIVEN})?,? (?:(?:{_NOT}) (?:\w+ ){{0,2}}?{_TELL}|says? nothing|(?:are|is) silent|"
    rf"(?:contain|provide|give|have|has|offer)s? no\b|(?:only )?{_TELL}\w* .{{0,80}}?\band {_NOT} {_TELL})|"
    rf"\b{_SOURCE} (?:on|about|for|regarding|concerning) (?:\w+ ){{0,2}}?\w+ {_NOT} {_SAY}",
    re.IGNORECASE,
)
"""Of the sources that they do not tell: "The documents do not mention the price"."""
_NOT_IN_THEM = re.compile(
    r"(?:\bnot|\bno|\bnothing|\bnowhere|n['’]t|\bcannot|\bunable)\b "
    rf"(?:\w+ ){{0,5}}?{_TELL}\w*\b[^.!?]{{0,80}}?"
    rf"\b(?:in|from|by|within|among)\b (?:\w+ ){{0,3}}?{_SOURCE}\b|"
    rf"\b{_SOURCE}\b[^.!?]{{0,20}}\bno (?:mention|information|indication|reference|details?|answer)\b",
    re.IGNORECASE,
)
"""Of a thing that it is not in them: "The price is not mentioned in the documents"."""
_ABOUT_THEM = re.compile(rf"\W*(?:\w+ ){{0,2}}?{_SOURCE}(?: {_GIVEN})? (?:only )?{_TELL}", re.IGNORECASE)
_NOR_THIS = re.compile(rf"\W*(?:they |it )?{_NOT} {_TELL}", re.IGNORECASE)
"""What goes on from a part about the sources: "(The passages describe pets) but do not mention parking"."""
_ADVICE = re.compile(
    r"\W*(?:so |and |therefore,? )?(?:please\b|"
    r"(?:you|i) (?:may|can|could|should|might|would|recommend|suggest)\b.*"
    r"\b(?:contact|ask|check|consult|call|write|visit|look|refer|reach)\b)",
    re.IGNORECASE,
)
_BUT = re.compile(r"[;—]|,? \b(?:but|however|although|though|whereas|while|which|yet)\b", re.IGNORECASE)
_OF = re.compile(r"\W*(?:regarding|as for|about|for|on|concerning|according to)\b[^\d]*", re.IGNORECASE)
"""What the sentence is about, in front of what the sources do not say of it."""
_ASIDE = re.compile(
    rf"\b(?:{_SOURCE}|{_GIVEN}|based|according|unfortunately|sorry|apolog\w*|afraid|i['’]?m|note|however|"
    r"none|neither|other|one|information|provided)\b",
    re.IGNORECASE,
)
"""Words that open such a sentence, and tell nothing of the matter itself."""
_TELLS_BEHIND = re.compile(
    r",[^,]*\b(?:is|are|was|were|costs?|takes?|has|have|must|can|may|will|lasts?|opens?|closes?|pays?)\b[^,]*\d",
    re.IGNORECASE,
)
"""A figure behind a comma that something is said of: "…, tickets cost 5 euros"."""
_FEW = 2


def says_nothing(text: str) -> bool:
    """Whether all of it says that something is not in the sources.

    A part that tells something else ("The fee is 900 euros, but the documents do not say so") is a claim
    all the same, and so is a denial about documents ("You do not need to provide any documents").
    """
    found = about = False
    for part in _BUT.split(text):
        lacks = _lacks(part) or (about and _NOR_THIS.match(part) is not None)
        about = about or _ABOUT_THEM.match(part) is not None
        found = found or lacks
        if lacks or about or _ADVICE.match(part):
            continue
        if _content(part) >= _FEW or any(c.isdigit() for c in part):
            return False
    return found


def cannot_be_cited(text: str) -> bool:
    """Whether all of it says of what a model was given that something is not there: "The passages do not
    mention parking [1]". No passage can be cited for that.

    Of documents the source itself may say that they tell nothing: "Travel documents do not give a right to
    stay [1]".
    """
    return _THESE.search(text) is not None and says_nothing(text)


def _lacks(part: str) -> bool:
    told = _THEY_DO_NOT.search(part)
    if told is not None and not _TELLS_BEHIND.search(part[told.end() :]):
        before = part[: told.start()]
        return _content(before) < _FEW or _OF.fullmatch(before) is not None
    return told is None and _NOT_IN_THEM.search(part) is not None


def _content(text: str) -> int:
    words = (word.strip(".,;:!?()[]\"'*#_`-").casefold() for word in _ASIDE.sub(" ", text).split())
    return sum(any(c.isalnum() for c in word) and word not in FUNCTION_WORDS for word in words)
