"""Whether the names of a claim are those of its source, and each in its own place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from itertools import combinations

from rag.cite.facts import Name, names
from rag.cite.units import MONTHS, SMALL, TENS, WEEKDAYS
from rag.cite.wording import Words, alike
from rag.words import FUNCTION_WORDS


def names_differ(claim: str, source: str, nearest: str) -> bool | None:
    """Whether the source has another name in the place of one that it lacks; None where it lacks none."""
    missing = names_lacking(claim, source)
    if _turned_round(claim, nearest) or _titles_differ(claim, source) or _exchanged(claim, source):
        return True
    # The first word of a sentence is capitalised whatever it is.
    lacking = [n for n in missing if not n.opens or _goes_on_as_name(n, claim, nearest)]
    if not lacking:
        return None
    said = {n.text.casefold() for n in names(claim)}
    held = {(n.text, n.opens): n for n in names(source)}.values()  # a long source repeats its names
    left = [n for n in held if n.text.casefold() not in said and (not n.opens or never_small(n.text, source))]
    # "PhD" for a doctorate, "Wi-Fi" for what is wireless: written so, and no other one is.
    short = [
        n for n in lacking if not _SHORT_FORM.search(n.text) or any(_SHORT_FORM.search(x.text) for x in left)
    ]
    return bool(left and short)


def names_lacking(claim: str, source: str) -> list[Name]:
    """The names of a claim that the source lacks, and the word that opens it where it may be one."""
    both = source if source.isascii() else f"{source} {_without_accents(source)}"
    there = [m.casefold().rstrip(".'’-") for m in re.findall(r"[^\W\d_][\w'’.-]*", both)]
    initials = _initials(source)
    missing = []
    for name in names(claim):
        folded = name.text.casefold().strip(".")
        if name.text == "Q" or (name.opens and folded in _ANYONE):
            continue
        if folded in FUNCTION_WORDS or len(folded) < 2 or re.split(r"[^a-z]", folded)[0] in _FIGURES:
            continue
        parts = [p for p in re.split(r"[-.’']", folded) if len(p) > 1 and p != "non"] or [folded]
        if (
            folded in there
            or all(any(_same_name(p, t) or (name.opens and alike(p, t)) for t in there) for p in parts)
            or any(_nearly(_without_accents(folded), t) for t in there)
            or folded in _KNOWN
            or folded in initials
            or folded.replace(".", "") in initials
        ):
            continue
        if name.text.isupper() and len(name.text) <= 6 and folded in _initials(claim):
            continue
        missing.append(name)
    nation = _NATIONS & {t.casefold() for t in there}
    # "The Greek thinker": knowledge of the world, where the source names no nation.
    missing = [n for n in missing if n.text.casefold() not in _NATIONS or nation or _country_in(there)]
    return [
        n for n in missing if n.text.casefold() not in _CONTINENTS or any(t in _CONTINENTS for t in there)
    ]


def joined_otherwise(claim: str, source: str) -> tuple[int, bool] | None:
    """Where a name of the claim ends that stands behind another one which the source joins to others only:
    "Annette Brakel" where Annette Kuhlmann is mayor of Brakel. And whether it is sure: of a title or the
    name of a kind, like "Lake", the source need not say all bearers, and a sentence that has both names may
    mean what the claim does ("the Castle of Edinburgh").

    Hardly any true claim has such a name.
    """
    mine = [
        (m.end(2), bare_name(m[1]), bare_name(m[2]))
        for m in _TOGETHER.finditer(claim)
        if not _POSSESSIVE.search(m[1])
    ]
    if not mine:
        return None
    theirs = {(bare_name(a), bare_name(b)) for a, b in _TOGETHER.findall(source)}
    # Any other word may open a sentence and stand before a name: "Press Enter".
    inside = {bare_name(n.text) for n in (*names(source), *names(claim)) if not n.opens}
    firsts, known = {a for a, _ in theirs} & inside, {bare_name(n.text) for n in names(source)}
    both = f"{source} {claim}"
    mine = [
        (end, a, b)
        for end, a, b in mine
        if (a, b) not in theirs
        and a in firsts
        and b in known
        and not {a, b} & _NO_FIRST_NAMES
        and never_small(a, both)
        and never_small(b, both)
    ]
    # "Annette Maria Brakel" and "Microsoft Word, Excel and PowerPoint" are runs of names.
    runs = [[bare_name(w) for w in _NAMED.findall(run[0])] for run in _RUN.finditer(source)] if mine else []
    for end, a, b in mine:
        in_a_run = any(a in run and b in run[run.index(a) :] for run in runs)
        if in_a_run or re.search(rf"\b{re.escape(b)}\W+{re.escape(a)}\b", source, re.IGNORECASE):
            continue
        beside = any({a, b} <= set(map(bare_name, _NAMED.findall(text))) for text in _SENTENCE.split(source))
        return end, not (beside or a in _BORNE_BY_MANY or b in _BORNE_BY_MANY)
    return None


def bare_name(name: str) -> str:
    """A name in small letters, without the "'s" of a possessive."""
    return _POSSESSIVE.sub("", name.casefold())


def _without_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def _nearly(a: str, b: str) -> bool:
    """Whether two long names are one but for a letter that is missing or another: a slip of the pen."""
    if min(len(a), len(b)) < 7 or a[0] != b[0] or abs(len(a) - len(b)) > 1:
        return False
    n = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return a[n + 1 :] == b[n + 1 :] or a[n:] == b[n + 1 :] or a[n + 1 :] == b[n:]


def opens_name(name: Name, claim: str) -> bool:
    """Whether a name follows the word that opens a claim."""
    return re.match(r" [A-Z][a-z]", claim[name.end :]) is not None


def _goes_on_as_name(name: Name, claim: str, nearest: str) -> bool:
    """Whether the word that opens a claim is a name: one follows it, or all that follows is the source's."""
    if opens_name(name, claim):
        return True
    behind = claim[name.end :]
    if _NO_NAME.match(claim[name.start :]) or (_COMMON.search(name.text) and _OF_A_NOUN.match(behind)):
        return False
    rest, theirs = Words.of(claim).content[1:], Words.of(nearest).content
    held = sum(any(alike(w, t) for t in theirs) for w in rest)
    said = Words.of(claim).all
    has_left = any(
        (not n.opens or never_small(n.text, nearest))
        and n.text.casefold() not in FUNCTION_WORDS
        and not any(alike(n.text.casefold(), w) for w in said)
        for n in names(nearest)
    )
    return len(rest) > 1 and held >= 0.75 * len(rest) and has_left


def _country_in(there: Sequence[str]) -> bool:
    return any(_same_name(word, nation) for nation in _NATIONS for word in there)


def _exchanged(claim: str, source: str) -> bool:
    """Whether a clause of the source says what the claim says, of another name of the source."""
    found = names(source)
    everyone = {n.text.casefold() for n in found if not n.opens}
    everyone |= {
        text.casefold() for text in {n.text for n in found} if never_small(text, f"{source} {claim}")
    }
    mine = [n.text.casefold() for n in names(claim) if n.text.casefold() in everyone]
    rest = [w for w in Words.of(claim).content if w not in everyone]
    if len(mine) != 1 or not rest:
        return False
    for clause in _CLAUSES.split(source):
        words = Words.of(clause).all
        if mine[0] in clause.casefold() or not any(w in everyone for w in words[:3]):
            continue
        if sum(any(alike(w, t) for t in words) for w in rest) >= 0.8 * len(rest):
            return not _said_of(mine[0], rest, source)
    return False


def _turned_round(claim: str, nearest: str) -> bool:
    """Whether two names stand round the same word in the other order: "Renard succeeded Vasseur".

    Not where one of them is in the passive: "Vasseur was succeeded by Renard" says the same.
    """
    if _PASSIVE.search(claim) or _PASSIVE.search(nearest):
        return False
    mine, theirs = Words.of(claim).all, Words.of(nearest).all
    called = dict.fromkeys(n.text.casefold() for n in names(claim) if len(n.text) > 2)
    once = [name for name in called if mine.count(name) == 1 and theirs.count(name) == 1]
    for first, last in combinations(sorted(once, key=mine.index), 2):
        start, end = theirs.index(last), theirs.index(first)
        between = [w for w in theirs[start + 1 : end] if _tells(w, called)]
        here = [w for w in mine[mine.index(first) + 1 : mine.index(last)] if _tells(w, called)]
        if any(alike(a, b) for a in here for b in between):
            return True
    return False


def _tells(word: str, called: Collection[str]) -> bool:
    return len(word) > 3 and word.isalpha() and word not in FUNCTION_WORDS and word not in called


def _said_of(name: str, rest: Sequence[str], source: str) -> bool:
    """Whether another clause says the same of the name itself."""
    clauses = [Words.of(clause).all for clause in _CLAUSES.split(source)]
    return any(
        name in words and sum(any(alike(w, t) for t in words) for w in rest) >= 0.6 * len(rest)
        for words in clauses
    )


def never_small(name: str, source: str) -> bool:
    """Whether a capitalised word is never written small: a name also where it opens a sentence."""
    return name.casefold() not in FUNCTION_WORDS and not re.search(
        rf"\b{re.escape(name.casefold())}\b", source
    )


def _titles_differ(claim: str, source: str) -> bool:
    """Whether a title stands before another name than in the source: roles were exchanged."""
    pairs = re.compile(r"\b([A-Z][a-z]+\.?) ([A-Z][\w’'-]+)")
    theirs = {(a.casefold(), b.casefold()) for a, b in pairs.findall(source)}
    titles, called = {a for a, _ in theirs}, {b for _, b in theirs}
    mine = {(a.casefold(), b.casefold()) for a, b in pairs.findall(claim)}
    return any((a, b) not in theirs and a in titles and b in called and a not in called for a, b in mine)


def _same_name(a: str, b: str) -> bool:
    if a == b:
        return True
    shorter, longer = sorted((a, b), key=len)
    if (
        longer.removesuffix("s") == shorter
        or longer.removesuffix("'s") == shorter
        or longer.removesuffix("’s") == shorter
    ):
        return True
    common = 0
    for x, y in zip(shorter, longer, strict=False):
        if x != y:
            break
        common += 1
    # "Portugal" and "Portuguese", "Sweden" and "Swedish": the nation's word begins alike.
    return common >= 4 and shorter[common:] in _COUNTRY and longer[common:] in _DEMONYM


_TOGETHER = re.compile(r"(?<![\w’'-])(?=([^\W\da-z_][\w’'-]*[^\W\dA-Z_]) ([^\W\da-z_][\w’'-]*[^\W\dA-Z_]))")
_JOINS = (
    "of de von van vom der den del della la le the and or & di da dos das du al el bin y e zu zur am upon on "
    "for in und et"
)
_RUN = re.compile(
    rf"""(?<![\w’'-])[^\W\da-z_][\w’'-]*
    (?:,?[ "“”'’(]+(?:(?:{_JOINS.replace(" ", "|")})[ "“”'’(]+)*[^\W\da-z_][\w’'-]*\.?["”’)]?)+""",
    re.VERBOSE,
)
"""Capitalised words in a row, with what joins them, or parts them in an enumeration."""
_POSSESSIVE = re.compile(r"['’]s?$")
_NAMED = re.compile(r"[\w’'-]+")
_SENTENCE = re.compile(r"[.!?]\s|\n")
_BORNE_BY_MANY = frozenset(
    """
    king queen prince princess duke duchess count countess emperor empress pope bishop archbishop cardinal
    saint st president minister chancellor governor mayor senator councillor judge justice captain major
    colonel general admiral sergeant inspector officer director manager chair chairman chairwoman secretary
    lord lady father mother sister brother uncle aunt actor actress coach doctor nurse teacher
    lake river mount mountain hurricane storm hotel cafe restaurant room hall house line windows street road
    avenue square park island port fort cape bay bridge station airport school university college hospital
    church museum theatre city town county district state republic province committee council commission
    department ministry office agency board bank company group team club party project plan act report fund
    north south east west northern southern eastern western upper lower new old great little
    """.split()
)
_PASSIVE = re.compile(r"\b(?:was|were|is|are|been|being|be|got)\b|\bby\b")
_NO_NAME = re.compile(
    r"(?:Around|About|Nearly|Almost|Roughly|Over|Some|\w+ (?:the|an?|your|his|her|its|their|it))\b"
)
"""Openings of a sentence that are no name: an imperative goes on with an article."""
_COMMON = re.compile(r"[a-z](?:tions?|sions?|ments?|ances?|ences?|ness|ity|ities|ings?|ages?|ures?)$")
_OF_A_NOUN = re.compile(
    r" (?:is|are|was|were|has|have|can|may|must|will|do|does|of|for|to|in|by|from|on|at|take|takes|costs?)\b"
)
"""Common nouns that open a sentence end so, and go on so: "Applications are accepted"."""
_CLAUSES = re.compile(r"[.;:,!?]\s|\b(?:whereas|while|but|although)\b")
_NATIONS = frozenset(
    """
    american british english scottish welsh irish french german italian spanish portuguese dutch belgian
    swiss austrian polish czech slovak hungarian romanian bulgarian greek turkish russian ukrainian swedish
    norwegian danish finnish icelandic chinese japanese korean indian pakistani persian iranian iraqi arab
    egyptian moroccan algerian tunisian nigerian kenyan ethiopian ghanaian african asian european canadian
    mexican brazilian argentine argentinian chilean peruvian colombian cuban australian israeli syrian
    lebanese thai vietnamese indonesian malaysian filipino roman
    """.split()
)
_NO_FIRST_NAMES = (
    _NATIONS
    | MONTHS.keys()
    | frozenset(WEEKDAYS)
    | frozenset("mr mrs ms miss dr prof professor sir madam while when".split())
)
_CONTINENTS = frozenset("european african asian american".split())
"""Wider than a nation: they name no other one than the source does."""
_ANYONE = frozenset("neither either nobody everyone everybody".split())
_KNOWN = frozenset("christmas earth sun moon god internet middle ages celsius fahrenheit".split())
"""Capitalised, and known to everyone: no source has to name them."""
_SHORT_FORM = re.compile(r"^(?:[A-Z]{2,5}|\w*[a-z][A-Z]\w*|[A-Z][a-z]+-[A-Z][a-z]+)$")
_COUNTRY = frozenset(["", "al", "y", "ay", "en", "a", "e", "o", "ia", "ey", "and"])
_FIGURES = SMALL.keys() | TENS.keys()
_DEMONYM = frozenset(
    "an ian ese ish uese ic i n s es er ean egian ch ns ans ians ers ander anders nian".split()
)


def _initials(text: str) -> set[str]:
    """The acronyms of runs of capitalised words: "World Health Organization" gives "who"."""
    found = set()
    words = re.findall(r"[^\W\d_][\w'’-]*", text)
    for at in range(len(words)):
        letters = ""
        for word in words[at : at + 7]:
            if word[0].isupper():
                letters += word[0].casefold()
            elif word.casefold() not in ("of", "the", "and", "for", "in"):
                break
            if len(letters) >= 2:
                found.add(letters)
    return found
