"""Which pieces of an answer tell something that a source could support."""

from __future__ import annotations

import re

from rag.cite.wording import UNSPACED
from rag.sentences.abbreviations import MONTHS
from rag.words import FUNCTION_WORDS

_FEW = 2
"""Content words from which a piece of a sentence is a claim of its own."""
_NUMBERED = re.compile(r"\(?\d{1,2}(?:\.\d{1,3})*[.)]*")
"""The number of a list or a heading, without its marks: "**1.1.**"."""
_AMOUNT = re.compile(r"[-*•\s]*(?:[€$£¥]\s?\d[\d.,]*|\d[\d.,]*\s?[€$£¥%])[\s.]*")
_FIGURE = re.compile(r"\s*[-+]?\d[\d.,]*\s*")
_EXACT = re.compile(r"\d{2}|\d[.,]\d|[€$£¥%]")
"""A figure of a line that opens a list: "3 ways to pay:" counts what follows, "50 euros:" does not."""
_BARE = frozenset("yes no true false right correct exactly indeed see source sources".split())
"""Words that tell nothing by themselves."""
_OPENING = re.compile(r"[ \t\n,;:.!?)\-*#>|•]*")
_ITEM = re.compile(r"(?:\(?\d{1,3}[.)]|\(?[a-z]\))[*_]*[ \t]+[*_#>]*")
_LETTERS = re.compile(r"[^\W\d_]+")
_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]|[ \t]*(\*\*|__)(?:(?!\1).){1,60}\1:?[ \t]*\Z")
_SENTENCE = re.compile(r"[.!?…][*_]*\s*\Z")
_POLITE = re.compile(
    r"\W*(?:(?:please )?let me know\b|(?:please )?feel free to (?:ask|reach|contact|let)\b|"
    r"(?:i )?hope this\b|"
    r"if you (?:need|have|want|would)\b.*\b(?:let me know|feel free|please (?:ask|share|provide)|reach out|"
    r"i can|happy to|just ask)\b|would you like\b|here (?:is|are)\b[^.:]*:?\W*\Z|in summary\W*\Z|"
    r"(?:sure|of course|certainly)\W*\Z)",
    re.IGNORECASE,
)
"""What an answer says to its reader rather than of the matter."""
_POINTER = re.compile(
    r"\W*(?:see|cf\.?|compare|refer to|for (?:more|further) \w+,? see) the sources(?: for [^\d,:;]*)?\W*\Z",
    re.IGNORECASE,
)
_LEADS = re.compile(
    r"(?:\b(?:according to|as per|based on)|(?:\A\W*|[(;,.]\s*|\bplease )see|\A\W*(?:in|from|per|by)|"
    r"\b(?:shown|stated|said|described|noted|explained|mentioned|listed|set out|found|given|specified|"
    r"detailed|reported|outlined|confirmed|discussed|provided) (?:in|by|under)|"
    r"(?P<other>\b(?:laut|selon|según)))"
    r"(?P<noun> (?:the )?(?:documents?|sources?|passages?))?\s*\Z",
    re.IGNORECASE,
)
_OTHERS = {"laut": "den Quellen", "selon": "les sources", "según": "las fuentes"}
_LINKS = re.compile(r"\W*(?:and|but|while|whereas)\s*\Z", re.IGNORECASE)
SAYS = frozenset(
    "states says mentions notes explains describes shows indicates lists specifies confirms gives reports "
    "adds defines requires provides suggests state say mention note explain describe show indicate list "
    "specify confirm give report also".split()
)
"""What follows on a marker that is the subject of its sentence: "[1] states that …"."""
_BULLET = re.compile(r"[ \t]*(?:[-*•>]|\(?\d{1,3}[.)])?[ \t]*")


def begins(text: str, at: int, end: int) -> int:
    """Where the claim in ``text[at:end]`` begins, behind marks of Markdown and the number of its item."""
    found = _OPENING.match(text, at, end)
    start = found.end() if found else at
    if text[:start].rpartition("\n")[2].strip(" \t-*#>|•_("):
        return start  # within a line
    item = _ITEM.match(text, start, end)
    if item is None:
        return start
    word = _LETTERS.match(text, item.end(), end)
    return start if word and word[0].casefold() in MONTHS else item.end()


def is_claim(text: str, marked: bool) -> bool:
    """Whether a piece of text says something that can be checked: not "Yes.", not "Let me know".

    Of a piece that cites something one word is enough: "Berlin [1]."; and a line may be an amount alone.
    """
    ending = text.rstrip().rstrip("*_")
    if ending.endswith("?"):
        return False
    if ending.endswith(":") and not (any(map(str.isdigit, text)) if marked else _EXACT.search(text)):
        return False
    if _POINTER.match(text):
        return False
    if not marked and is_polite(text) and not any(map(str.isdigit, text)):
        return False
    told, plain = telling(text), text.strip(" \n*#_")
    if told >= _FEW or _AMOUNT.fullmatch(text):
        return True
    bare = plain.strip(".,;:!()[]\"'`-").casefold() in _BARE or _NUMBERED.fullmatch(plain)
    return marked and told > 0 and not bare


def is_polite(text: str) -> bool:
    """Whether it is said to the reader rather than of the matter: "Let me know if …"."""
    return _POLITE.match(text) is not None


def is_figure(text: str) -> bool:
    """Whether it is a figure alone, and not the number of an item: "12", not "12."."""
    return _FIGURE.fullmatch(text) is not None and not text.rstrip().endswith((".", ","))


def is_title(line: str) -> bool:
    """Whether a line that has ended is a heading without a figure."""
    if any(map(str.isdigit, line)):
        return False
    heading = _HEADING.match(line)
    return heading is not None and (heading[1] is None or not _SENTENCE.search(line.strip("*_ \t")))


def leads(text: str) -> str | None:
    """The words in the place of a marker behind ``text`` that is a word of its sentence ("According to [1],
    …"), "" where the sentence has them; None where it is none."""
    found = _LEADS.search(text)
    if found is None:
        return None
    return "" if found["noun"] else _OTHERS.get((found["other"] or "").casefold(), "the sources")


def links(text: str) -> bool:
    """Whether a marker behind ``text`` may be the subject of what follows: "and [2] says …"."""
    return _LINKS.fullmatch(text) is not None


def begins_line(line: str) -> bool:
    """Whether a marker behind ``line`` opens an item: "- [1] The fee is …"."""
    return _BULLET.fullmatch(line) is not None


def telling(text: str) -> int:
    """How many words and figures of content it has; of a script without spaces, a word for two letters."""
    words = [w.strip(".,;:!?()[]\"'*#_`-").casefold() for w in text.split()]
    told = sum(any(c.isalnum() for c in w) and w not in FUNCTION_WORDS for w in words)
    return told + len(UNSPACED.findall(text)) // _FEW
