"""Claims in a source's own words, made from its sentences: as they stand, or with one spot changed.

What people write as a paraphrase teaches a model to distrust plain words: near to the source there are
hardly any but changed claims. Here true and changed ones alike are a sentence, a clause or what a
relative clause says of its noun, so that only the one spot tells them apart; and as many true ones as
changed ones deny.
"""

from __future__ import annotations

import calendar
import random
import re
from collections.abc import Iterator, Sequence, Set

from rag.cite.facts import names
from rag.cite.opposites import AGAINST
from rag.sentences import sentences
from tests.benchmarks.labelled import Row

Claim = tuple[str, str]
"""Its kind and its text."""

_SUBJECT = (
    r"(?:[A-Z]\w+|[Tt]he|[Aa]n?|[Hh]is|[Hh]er|[Ii]ts|[Tt]heir|[Ii]t|[Hh]e|[Ss]he|[Tt]hey|[Aa]ll|[Nn]o|[Bb]oth|"
    r"[Ee]ach|[Mm]ost|[Nn]one)"
)
_AUX = (
    "is|are|was|were|can|could|will|would|may|might|must|should|has|have|had|does|do|did|"
    "costs?|runs?|opens?|closes?|lasts?|took|takes|became|began|remains?|contains?|holds?|needs?|applies|apply"
)
_JOINT = re.compile(r"(?:;|, (?:and|but|while|whereas))\s+(?=" + _SUBJECT + r"\b)")
_CLAUSE = re.compile(rf"{_SUBJECT}\b[^;]*?\b(?:{_AUX})\b")
_REASON = re.compile(r",? (?:because|since|so that|as a result|although|even though|whereas) [^,;]+$")
_ASIDE = re.compile(r", (?:which|who|where) [^,;]+(?=$|,)")
_FIRST = re.compile(r"^(?:In|On|From|Since|By|At|During|After|Before) [^,;]{3,40}, (?=[A-Za-z])")
_WHICH = re.compile(
    r"\b(?:an?|the|its|their|his|her|this) ((?:\w+ )?\w+), which "
    r"((?:\w+ly )?\w+s|was|were|is|are|had|has|may|must|can) ([^,;:()]+)"
)
_WHO = re.compile(
    r"\b((?:[A-Z]\w+ )+)?([A-Z]\w+), who ((?:had|has|was|is|did|never|later|also|once|\w+ed) [^,;:()]+)"
)
_NUMBER = re.compile(r"(?<![\w.,:/-])[€$£]?(\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)(?![\w:/-]|[.,]\d)")
_WORDED = (
    "two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty"
).split()
_WORD = re.compile(rf"\b({'|'.join(_WORDED)})\b", re.I)
_MONTHS, _DAYS = list(calendar.month_name)[1:], list(calendar.day_name)
_WHEN = re.compile(rf"\b({'|'.join(_MONTHS + _DAYS)})\b")
_UNITS = (
    "days weeks months years hours minutes seconds", "day week month year hour minute",
    "kilometres miles metres centimetres feet", "kilograms grams pounds tonnes",
    "litres millilitres gallons", "euros pounds dollars", "million thousand billion",
)  # fmt: skip
_UNIT = {unit: tuple(row.split()) for row in _UNITS for unit in row.split()}
_MEASURE = re.compile(rf"(?<=[\d\w] )({'|'.join(sorted(_UNIT, key=len, reverse=True))})\b")
_EXTENTS = {
    row.split(": ")[0]: tuple(row.split(": ")[1].split(" | "))
    for row in (
        "most: all | few | no",
        "some: all | no",
        "all: few | no",
        "every: no",
        "at least: at most",
        "at most: at least",
        "more than: fewer than",
        "less than: more than",
        "up to: at least",
        "no more than: no fewer than",
        "always: never | rarely",
        "never: always | usually | sometimes",
        "usually: always | rarely",
        "often: always | never",
        "sometimes: always | never",
        "rarely: often | usually",
        "both: neither",
        "few: most | many",
        "several: all | none of the",
        "many: all | few",
        "no: some | all",
        "none: all | most | some",
        "half: all",
    )
}
_EXTENT = re.compile(rf"\b({'|'.join(sorted(_EXTENTS, key=len, reverse=True))})\b", re.I)
_NOT = re.compile(
    r"\b(is|are|was|were|can|could|will|would|may|must|should|has|had|have|do|does|did)( not|n't)\b"
)
_YES = re.compile(r"\b(is|are|was|were|can|could|will|would|may|must|should)\b(?! not|n't)")
MANNER = re.compile(r"\b(?:not?|never|none|nobody|nothing|neither|nor|without|cannot|nowhere)\b|n't\b", re.I)
"""Words of denial, which sets by one author may have more often in true claims or in false ones."""
_WORDS = re.compile(r"\b[a-z]+\b")
_MOST_WORDS, _LEAST_WORDS = 30, 3


def plain(source: str, words: Set[str], draw: random.Random, most: int = 4) -> Iterator[Claim]:
    """At most so many true claims of a source, each with one that is changed where a rule knows how.

    ``words`` are those that people write: of the forms that an ending makes of an opposite some are none.
    """
    said = list(dict.fromkeys(_facts(source)))
    draw.shuffle(said)
    for claim in said[:most]:
        changed = [c for c in _changes(claim, source, draw) if words >= words_of(c[1])]
        if changed:
            yield "true", claim
            yield draw.choice(changed)
        elif draw.random() < 0.1:
            yield "true", claim


def words_of(text: str) -> set[str]:
    """Those in lower case: names and figures are no words."""
    return set(_WORDS.findall(text))


def _facts(source: str) -> Iterator[str]:
    for start, end in sentences(source):
        text = " ".join(source[start:end].split()).strip(" .\"“”'")
        if text.endswith(("?", "!", ":")) or not text[:1].isupper():
            continue
        for m in _WHICH.finditer(text):
            yield _sentence(f"the {m[1]} {m[2]} {m[3]}")
        for m in _WHO.finditer(text):
            yield _sentence(f"{m[1] or ''}{m[2]} {m[3]}")
        parts = _JOINT.split(text)
        whole = all(_CLAUSE.match(part) for part in parts)
        for part in parts if whole else [text]:
            for made in (part, _REASON.sub("", part), _ASIDE.sub("", part), _FIRST.sub("", part)):
                if _LEAST_WORDS <= len(made.split()) <= _MOST_WORDS:
                    yield _sentence(made)


def _sentence(text: str) -> str:
    text = text.strip(" ,;")
    return f"{text[0].upper()}{text[1:]}."


def _changes(claim: str, source: str, draw: random.Random) -> Iterator[Claim]:
    """One of each kind that a rule can make."""
    for made in (_number, _when, _unit, _name, _denied, _extent, _opposite):
        changed = made(claim, source, draw)
        if changed is not None and changed[1] != claim:
            yield changed


def _put(claim: str, m: re.Match[str], other: str, group: int = 1) -> str:
    if m[group][:1].isupper() and not other[:1].isupper():
        other = other[:1].upper() + other[1:]
    made = claim[: m.start(group)] + other + claim[m.end(group) :]
    return re.sub(r"\b(a|A) (?=[aeio])", r"\1n ", re.sub(r"\b(a|A)n (?=[^aeiouh\d])", r"\1 ", made))


def _any(pattern: re.Pattern[str], claim: str, draw: random.Random) -> re.Match[str] | None:
    found = list(pattern.finditer(claim))
    return draw.choice(found) if found else None


def _number(claim: str, source: str, draw: random.Random) -> Claim | None:
    if m := _any(_NUMBER, claim, draw):
        year = re.fullmatch(r"1\d{3}|20\d\d", m[1]) is not None
        rivals = [r[1] for r in _NUMBER.finditer(source) if r[1] not in claim]
        rivals = [r for r in rivals if (re.fullmatch(r"1\d{3}|20\d\d", r) is not None) is year]
        if rivals and draw.random() < 0.6:
            return "date" if year else "number", _put(claim, m, draw.choice(rivals))
        value = float(m[1].replace(",", ""))
        step = draw.choice((1, 2, 3, 10) if value >= 10 else (1, 2, 3))
        other = value + step if draw.random() < 0.5 or value <= step else value - step
        text = f"{other:,.{len(m[1].partition('.')[2])}f}"
        text = text if "," in m[1] else text.replace(",", "")
        return ("date" if year else "number", _put(claim, m, text)) if text not in source else None
    if m := _any(_WORD, claim, draw):
        other_word = draw.choice([w for w in _WORDED if w != m[1].lower()])
        return ("number", _put(claim, m, other_word)) if not re.search(rf"\b{other_word}\b", claim) else None
    return None


def _when(claim: str, source: str, draw: random.Random) -> Claim | None:
    if m := _any(_WHEN, claim, draw):
        row = _MONTHS if m[1] in _MONTHS else _DAYS
        return "date", _put(claim, m, draw.choice([w for w in row if w not in claim]))
    return None


def _unit(claim: str, source: str, draw: random.Random) -> Claim | None:
    if m := _any(_MEASURE, claim, draw):
        return "unit", _put(claim, m, draw.choice([u for u in _UNIT[m[1]] if u != m[1]]))
    return None


def _name(claim: str, source: str, draw: random.Random) -> Claim | None:
    mine = [n.text for n in names(claim) if not n.opens and len(n.text) > 2 and not _WHEN.search(n.text)]
    theirs = [n.text for n in names(source) if not n.opens and len(n.text) > 2 and not _WHEN.search(n.text)]
    theirs = [t for t in theirs if not any(t in m or m in t for m in mine) and t not in claim]
    if not mine or not theirs:
        return None
    return "name", claim.replace(draw.choice(mine), draw.choice(theirs), 1)


def _denied(claim: str, source: str, draw: random.Random) -> Claim | None:
    # Of any verb: what is denied in part is false, too. The denial of a whole claim, which is true where the
    # claim is false, is that of tests.benchmarks.negated.
    if m := _any(_NOT, claim, draw):
        verb = m[1]
        if verb in ("do", "does", "did"):
            return None
        return "negation", claim[: m.start(2)] + claim[m.end(2) :]
    if MANNER.search(claim) or _EXTENT.search(claim):
        return None
    if m := _YES.search(claim):
        said = f"{claim[: m.end()]} not{claim[m.end() :]}"
        return "negation", said.replace("can not ", "cannot ")
    return None


def _extent(claim: str, source: str, draw: random.Random) -> Claim | None:
    if m := _any(_EXTENT, claim, draw):
        return "quantifier", _put(claim, m, draw.choice(_EXTENTS[m[1].lower()]))
    return None


def _opposite(claim: str, source: str, draw: random.Random) -> Claim | None:
    found = [m for m in re.finditer(r"\b[a-z]{4,}\b", claim) if m[0] in AGAINST and not MANNER.search(claim)]
    if not found:
        return None
    m = draw.choice(found)
    ending = next((e for e in ("ed", "ing", "s", "") if m[0].endswith(e)), "")
    others = sorted(
        o for o in AGAINST[m[0]] if o.endswith(ending) and (ending or not o.endswith(("ed", "ing", "s")))
    )
    others = [o for o in others if not re.search(rf"\b{re.escape(o)}\b", source)]
    return ("negation", claim[: m.start()] + draw.choice(others) + claim[m.end() :]) if others else None


def deny_alike(made: Sequence[Row], draw: random.Random, *, fewer_true: bool = False) -> list[Row]:
    """So few of the changed that deny that among them no larger a share does than among the true; or so few
    of the true."""
    kept, cut = ([row for row in made if (row[0] == "true") is said] for said in (not fewer_true, fewer_true))
    denying, other = ([row for row in cut if _denies(row[1]) is said] for said in (True, False))
    share = sum(_denies(claim) for _, claim, _ in kept) / max(1, len(kept))
    most = round(len(other) * share / max(1e-9, 1 - share))
    return [*kept, *other, *draw.sample(denying, min(len(denying), most))]


def _denies(claim: str) -> bool:
    return MANNER.search(claim) is not None
