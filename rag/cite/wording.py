"""The words of a sentence as the rules about claims compare them: phrases joined, forms of one word alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rag.cite.forms import irregular
from rag.cite.turning import NEGATORS
from rag.cite.units import SMALL, TENS
from rag.words import FUNCTION_WORDS

UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
"""Letters of scripts that put no space between words."""

_PHRASES = (
    (re.compile(r"\bat (?:the )?(?:very )?least\b", re.I), "at-least", "least"),
    (re.compile(r"\bno (?:later|earlier) than\b", re.I), "", "than"),
    (re.compile(r"\bno (?:more|longer) than\b", re.I), "at-most", "than"),
    (re.compile(r"\bno (?:less|fewer) than\b", re.I), "at-least", "than"),
    (re.compile(r"\bat (?:the )?(?:very )?most\b", re.I), "at-most", "most"),
    (re.compile(r"\bup to\b", re.I), "up-to", "up to"),
    (
        re.compile(r"\b(?:each|every|per|an?) (hour|day|week|month|quarter|year|person)\b", re.I),
        r"per-\1",
        "hour|day|week|month|quarter|year|person",
    ),
    (re.compile(r"\bha(?:s|ve|d) to\b", re.I), "has-to", "to"),
    (re.compile(r"\ba few\b", re.I), "a-few", "few"),
    (re.compile(r"\bas well\b", re.I), "as-well", "well"),
    (re.compile(r"\bin person\b", re.I), "in-person", "person"),
    (re.compile(r"\bthe most\b", re.I), "", "most"),
    (re.compile(r"\bnot only\b", re.I), "also", "only"),
    (
        re.compile(
            r"\b(?:costs? nothing|(?:do(?:es)? not|do(?:es)?n't) cost (?:you )?anything|for nothing"
            r"|without (?:paying|charge)(?: extra)?"
            r"|(?:at )?no (?:extra |additional |further )?(?:cost|charge|fee)s?)\b",
            re.I,
        ),
        "free",
        "nothing|anything|paying|charge|cost|fee",
    ),
    (re.compile(r"\bdrop(?:s|ped|ping)? support\b", re.I), "excludes", "support"),
    (re.compile(r"\b(?:keep|keeps|kept) (?=[^.;,]{1,40} from [a-z]+ing\b)", re.I), "prevented ", "from"),
    (re.compile(r"\boff[ -]limits\b", re.I), "forbidden", "limits"),
    (re.compile(r"\bg[ia]ve[sn]? up\b", re.I), "quits", "up"),
    (re.compile(r"\bturn(?:s|ed)? down\b", re.I), "rejected", "down"),
    (re.compile(r"\brule[sd]? out\b", re.I), "excluded", "out"),
    (re.compile(r"\b(?:do|does|did|done|get|gets|got|go|goes) without\b", re.I), "lacks", "without"),
    (re.compile(r"\b(?:tear|tears|torn|tore|pull|pulls|pulled) down\b", re.I), "demolished", "down"),
    (re.compile(r"\b(?:go|goes|went|gone) up\b", re.I), "rises", "up"),
    (re.compile(r"\b(?:go|goes|went|gone) down\b", re.I), "falls", "down"),
    (re.compile(r"\bno one\b", re.I), "nobody", "one"),
    (
        re.compile(r"\b(?:the )?(?:bulk|majority|larger part)\b|\bnearly all\b", re.I),
        "most",
        "bulk|majority|part|nearly",
    ),
    (
        re.compile(r"\b(?:less|fewer) than half\b|\b(?:a )?(?:small|minor) (?:part|share|fraction)\b", re.I),
        "minority",
        "half|part|share|fraction",
    ),
    (re.compile(r"\bonly (?=after|when|once|if|then|until|a few)\b", re.I), "", "only"),
    (
        re.compile(rf"\b(?:only|just|each|every) (?=\d|(?:{'|'.join((*SMALL, *TENS))})\b)", re.I),
        "",
        "only|just|each|every",
    ),
    # The month is no modal verb.
    (re.compile(r"(?<=[a-z,] )May\b"), "", "may"),
    (
        re.compile(
            r"\bMay\b(?=,? \d)|(?<=\d )May\b|(?<=\b(?:in|by|of) )May\b|(?<=\bsince )May\b|(?<=\buntil )May\b"
        ),
        "",
        "may",
    ),
    (re.compile(r"\b(?:nobody|no one|no \w+)(?: \w+){1,2} (?:less|fewer) than\b", re.I), "at-least", "than"),
    (re.compile(r"\b(?:nobody|no one|no \w+)(?: \w+){1,3} (?:more|longer) than\b", re.I), "at-most", "than"),
    (re.compile(r"\bnext to (?:no|nothing)\b", re.I), "few", "next to"),
    (re.compile(r"\bno longer\b", re.I), "not", "longer"),
    (re.compile(r"\bnot? (?:un|in)(?=[a-z]{4})", re.I), "", "no"),
    (re.compile(r"\brather than\b", re.I), "not", "rather"),
    (
        re.compile(r"\bapart from\b|\bother than\b|\bwith the exception of\b", re.I),
        "except",
        "from|than|exception",
    ),
    (re.compile(r"\bfree of charge\b", re.I), "free", "charge"),
    (
        re.compile(
            r"\b(?:free of|exempt from) tax(?:es)?\b|\bpays? no tax(?:es)?\b|\bnot tax(?:ed|able)\b|"
            r"\btax[- ](?:free|exempt)\b",
            re.I,
        ),
        "tax-free",
        "tax",
    ),
    (re.compile(r"\bg(?:o|oes|oing|one) on(?= |[.,;]|$)(?! to\b)", re.I), "continues", "on"),
    (re.compile(r"\bthe following\b|\bas follows\b", re.I), "", "follow"),
    (re.compile(r"\bmore than one\b", re.I), "several", "than"),
)
"""What a phrase is read as, and parts of which it has one: most sentences have none of them, and to look for
a part takes less time than for the phrase."""
_JOINED = [
    (pattern, joined.replace("-", "\u2011"), needed.split("|")) for pattern, joined, needed in _PHRASES
]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a sentence, casefolded, phrases joined, in order; punctuation marks stay."""

    all: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Words:
        return _read(text)

    @property
    def content(self) -> list[str]:
        return [w for w in self.all if has_content(w)]


def has_content(word: str) -> bool:
    """Whether a word, casefolded, says more than how others are joined or denied."""
    return word[0].isalnum() and word not in FUNCTION_WORDS and word not in NEGATORS


@lru_cache(maxsize=4_000)
def _read(text: str) -> Words:
    """Kept, as the rules read a sentence many times, and several claims a source."""
    text = text.replace("’", "'")
    folded = text.casefold()
    for pattern, joined, needed in _JOINED:
        if any(word in folded for word in needed):
            text = pattern.sub(joined, text)
    found = re.finditer(r"[^\W_]+(?:['\u2011][^\W_]+)*|[.;:!?,]", text)
    return Words(tuple(m[0].casefold().replace("\u2011", "-") for m in found))


@lru_cache(maxsize=100_000)
def alike(a: str, b: str) -> bool:
    """Whether two words are forms of one: a long common beginning, or the table's."""
    if a == b or irregular(a, b):
        return True
    shorter, longer = sorted((a, b), key=len)
    common = 0
    for x, y in zip(shorter, longer, strict=False):
        if x != y:
            break
        common += 1
    return common >= 4 and common >= 0.7 * len(shorter) and common >= 0.5 * len(longer)


def coverage(claim: str, text: str) -> float:
    """Share of the claim's content words that the text holds in some form."""
    mine, theirs = set(Words.of(claim).content), Words.of(text).content
    if not mine:
        return 0.0
    return sum(any(alike(w, t) for t in theirs) for w in mine) / len(mine)
