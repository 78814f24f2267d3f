"""Whether a sentence only says that the sources say nothing: it claims nothing that they could support."""

from __future__ import annotations

import re

from rag.cite.telling import is_polite
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
_SAY = (
    r"(?:mention|specif|say|state|address|indicat|tell|told|discuss|describ|refer|answer|cover|explain|"
    r"clarif|disclos|name\b|names\b)"
)
_TELL = rf"(?:{_SAY}|contain|provide|include|find|found|give|know|inform|appear|availab|detail|list)"
_NOT = (
    r"(?:do not|does not|did not|don['’]t|doesn['’]t|didn['’]t|cannot|can['’]t|never|could not|couldn['’]t|"
    r"fails? to|failed to)"
)
_ANY = (
    r"(?:(?:any|all|none|one|either|neither|each)(?: of)? )?(?:the|these|those|this|that|your|my|our|any|"
    rf"{_GIVEN})(?: \w+)?"
)
"""What stands before the sources where an answer means those it was written from: "from other sources" may
be about income."""
_IN_THEM = (
    rf"(?:in|from|by|within|among|based on|part of) (?:{_ANY} {_SOURCE}|(?:passages|excerpts|contexts?))\b"
)
_THEY_DO_NOT = re.compile(
    rf"\b{_SOURCE}(?: {_GIVEN})?,? (?:(?:{_NOT}) (?:\w+ ){{0,2}}?{_TELL}|says? nothing|(?:are|is) silent|"
    rf"lacks?\b|(?:contain|provide|give|have|has|offer)s? no\b|"
    rf"(?:only )?{_TELL}\w* .{{0,80}}?\band {_NOT} {_TELL})|"
    rf"\b{_SOURCE} (?:on|about|for|regarding|concerning) (?:\w+ ){{0,2}}?\w+ {_NOT} {_SAY}|"
    rf"\b(?:none|neither) of (?:the|these|those|your|my|our)(?: \w+)? {_SOURCE}(?: {_GIVEN})? {_TELL}|"
    rf"\bno {_SOURCE}(?: {_GIVEN})? {_SAY}",
    re.IGNORECASE,
)
"""Of the sources that they do not tell: "The documents do not mention the price"."""
_NOT_IN_THEM = re.compile(
    r"(?:(?<!must )(?<!may )(?<!should )(?<!shall )\bnot|\bno|\bnothing|\bnowhere|n['’]t|\bcannot|"
    r"\bunable)\b "
    r"(?!be (?!answered|determined|found|established|derived|inferred|confirmed)\b)"
    rf"(?:\w+ ){{0,5}}?{_TELL}\w*\b[^.!?]{{0,80}}?\b{_IN_THEM}|"
    rf"\b(?:not|nothing|nowhere|no (?:\w+ ){{1,4}}?)(?: \w+)? ?\b{_IN_THEM}|"
    rf"\b(?:unclear|unknown|not clear|not possible|impossible)\b (?:\w+ ){{0,3}}?{_IN_THEM}|"
    rf"\b{_SOURCE}\b[^.!?]{{0,20}}\bno (?:mention|information|indication|reference|details?|answer)\b",
    re.IGNORECASE,
)
"""Of a thing that it is not in them: "The price is not mentioned in the documents"."""
_I_DO_NOT = re.compile(
    r"(?:^|[,:] |\bthat |\band )(?:i|we)(?:['’]m| am| are| was| were| have| had|['’]ve)? "
    rf"(?:(?:{_NOT}|unable to|not able to|not) (?:\w+ ){{0,3}}?"
    r"(?:know|answer|find|found|tell|say|determine|confirm|locate|"
    r"have (?:\w+ ){0,2}?(?:information|details?|answer))|"
    r"(?:found|find|see|have) no(?:thing)?\b)",
    re.IGNORECASE,
)
"""Of itself that it cannot tell: "I could not find any information about parking"."""
_GERMAN = re.compile(
    r"\b(?:dokumente?n?|unterlagen|quellen|textstellen|passagen|auszügen?)\b[^.!?]{0,60}?"
    r"\b(?:nicht|nichts|keine[rn]?)\b|"
    r"\b(?:nicht|nichts|keine[rn]?)\b[^.!?]{0,60}?"
    r"\b(?:dokumente?n|unterlagen|quellen|textstellen|passagen|auszügen)\b",
    re.IGNORECASE,
)
_TELL_IN_GERMAN = re.compile(
    r"\b(?:enthalten|enthält|erwähn\w*|genannt|nenn(?:en|t)|sag(?:en|t)|steh(?:en|t)|finde[nt]|gefunden|hervor|"
    r"beantwort\w*|angaben|information\w*|hinweise?)\b",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"\bje ne sais pas\b|\bje n['’]ai (?:pas |rien )?trouvé|"
    r"\b(?:documents|sources|passages|extraits|textes)\b[^.!?]{0,20}?\bn(?:e |['’])"
    r"(?:mentionn|précis|indiqu|dis|fourni|parl|expliqu|"
    r"contien\w* (?:pas|aucune) (?:d['’])?information)\w*\b|"
    r"\bno lo sé\b|\bno (?:he encontrado|encuentro|se menciona)\b|"
    r"\blos (?:documentos|textos|pasajes)\b[^.!?]{0,20}?"
    r"\bno (?:mencionan|dicen|indican|especifican|contienen (?:información|datos))\b|"
    r"\bich weiß (?:es|das) nicht\b",
    re.IGNORECASE,
)
"""The same in German, French and Spanish."""
_ABOUT_THEM = re.compile(
    rf"\W*(?:\w+ ){{0,2}}?{_SOURCE}(?: {_GIVEN})? (?:only |mainly |just )?{_TELL}\w*(?! that\b)",
    re.IGNORECASE,
)
_NOR_THIS = re.compile(
    rf"\W*(?:and )?(?:they |it )?(?:{_NOT} {_TELL}|says? nothing|(?:is|are) silent)", re.IGNORECASE
)
"""What goes on from a part about the sources: "(The passages describe pets) but do not mention parking"."""
_ADVICE = re.compile(
    r"\W*(?:so |and |therefore,? )?(?:"
    r"(?:(?:if|for) [^,]*, )?please (?:ask|contact|check|consult|call|refer|see|visit|write|provide|share)\b|"
    r"(?:you|i) (?:may|can|could|should|might|would|recommend|suggest)\b.*"
    r"\b(?:contact|ask|check(?:ing)?|consult|refer|reach)\b|(?:it (?:would be|is) best to )?contact\b)",
    re.IGNORECASE,
)
_PARTS = re.compile(
    r"[;—\n]|,? \b(?:[Bb]ut|[Hh]owever|[Aa]lthough|[Tt]hough|[Ww]hereas|[Ww]hile|[Yy]et)\b|, which\b|"
    r"(?<=[.!?…])[\"”’)*]*\s+(?=\W{0,3}[A-ZÀ-Þ])"
)
"""Between sentences, and between what is said and what is said against it."""
_OF = re.compile(r"\W*(?:regarding|as for|about|for|on|concerning|according to)\b[^\d]*", re.IGNORECASE)
"""What the sentence is about, in front of what the sources do not say of it."""
_ASIDE = re.compile(
    rf"\b(?:{_SOURCE}|{_GIVEN}|based|according|unfortunately|sorry|apolog\w*|afraid|i['’]?m|note|however|"
    r"none|neither|other|one|information|provided)\b",
    re.IGNORECASE,
)
"""Words that open such a sentence, and tell nothing of the matter itself."""
_JOINS = re.compile(
    r"[,:]\s+(?:and |so |therefore |thus |hence |meaning (?:that )?|as |since |because )?|\s[–-]\s|"
    r"\b(?:and|so|because|since|therefore|thus|hence|meaning(?: that)?)\s",
    re.IGNORECASE,
)
"""What another clause may stand behind."""
_FINITE = re.compile(
    r"\b(?:is|are|was|were|costs?|takes?|has|have|had|must|can|may|will|shall|should|lasts?|opens?|closes?|pays?|"
    r"gets?|needs?|appl(?:y|ies)|includes?|does|do|did|lies|stands?)\b"
)
_ASKED = re.compile(
    r"\b(?:who|whom|whose|what|which|when|where|why|how|whether|if|that|nor|or|i|we|you)\b", re.IGNORECASE
)
"""Opens what is asked rather than told: "(The passages do not say who pays and) when the fee is due"."""
_NO_ANSWER = re.compile(
    r"\b(?:unclear|unknown|(?:not|n['’]t|cannot) (?:be )?(?:clear|known|possible|stated|specified|available|"
    r"given|mentioned|answered|determined|said|found|confirmed|told)|no answer)\b|"
    rf"^\W*(?:they|it|this|these|those|the {_SOURCE})\b[^\d]*$",
    re.IGNORECASE,
)
"""A clause that says again that nothing is known."""
_PLAINLY = re.compile(
    rf"\b(?:the|these|those|your) {_SOURCE}(?: {_GIVEN})? {_NOT} {_SAY}\w*"
    r"(?: (?:so|this|that|it|anything))?\W*$",
    re.IGNORECASE,
)
_FEW = 2


def says_nothing(text: str) -> bool:
    """Whether all of it says that something is not in the sources.

    A part that tells something else ("The fee is 900 euros, but the documents do not say so"), and a sentence
    that does, is a claim all the same, and so is a denial about documents ("You do not need to provide any
    documents").
    """
    found = about = False
    for part in _PARTS.split(text):
        lacks = _lacks(part) or (about and _NOR_THIS.match(part) is not None)
        of_them = _ABOUT_THEM.match(part) is not None
        about = about or of_them
        found = found or lacks
        figures = any(c.isdigit() for c in part)
        if lacks or (of_them and not figures) or _ADVICE.match(part):
            continue
        if not figures and (is_polite(part) or part.rstrip().endswith("?")):
            continue
        if figures or _content(part) >= _FEW:
            return False
    return found


def cannot_be_cited(text: str) -> bool:
    """Whether all of it says of what a model was given, or of itself, that something is not there: "The
    passages do not mention parking [1]", "I don't know [1]". No passage can be cited for that.

    Of documents the source itself may say that they tell nothing: "Travel documents do not give a right to
    stay [1]".
    """
    own = any(pattern.search(text) for pattern in (_THESE, _I_DO_NOT, _GERMAN, _ELSEWHERE, _PLAINLY))
    return own and says_nothing(text)


def _lacks(part: str) -> bool:
    told = _THEY_DO_NOT.search(part)
    if told is not None:
        before = part[: told.start()]
        opens = _content(before) < _FEW or _OF.fullmatch(before) is not None
        return opens and not _tells(part[told.end() :])
    for pattern in (_NOT_IN_THEM, _I_DO_NOT, _GERMAN, _ELSEWHERE):
        found = pattern.search(part)
        if pattern is _GERMAN and not _TELL_IN_GERMAN.search(part):
            continue
        if found is not None:
            return not _tells_before(part[: found.start()]) and not _tells(part[found.end() :])
    return False


def _tells(rest: str) -> bool:
    """Whether a clause that tells something stands behind what is not told: "(The documents do not mention a
    fee,) so parking is free"."""
    for joint in _JOINS.finditer(rest):
        clause = re.split(r"[,:;]", rest[joint.end() :], maxsplit=1)[0]
        verb = _FINITE.search(clause)
        if verb is None or _ASKED.search(rest[: joint.start()]) or _ASKED.search(clause[: verb.start()]):
            continue
        if clause[: verb.start()].strip() and not _NO_ANSWER.search(clause):
            return True
    return False


def _tells_before(text: str) -> bool:
    """Whether a clause that tells something stands in front: "The permit costs 24 euros and (dogs are not
    mentioned in the passages)"."""
    for joint in _JOINS.finditer(text):
        clause = re.split(r"[,:;]", text[: joint.start()])[-1]
        verb = _FINITE.search(clause)
        if verb and not _ASKED.search(clause[: verb.start()]) and not _OF.match(clause):
            return True
    return False


def _content(text: str) -> int:
    words = (word.strip(".,;:!?()[]\"'*#_`-").casefold() for word in _ASIDE.sub(" ", text).split())
    return sum(any(c.isalnum() for c in word) and word not in FUNCTION_WORDS for word in words)
