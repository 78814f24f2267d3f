"""The few hundred words of English grammar that say how a value in a question is meant."""

from __future__ import annotations

from rag.facets import word_set

DETERMINERS = word_set("a an the any some this that these those another each every all both")
POSSESSIVES = word_set("my your his her its our their whose")
PREPOSITIONS = word_set(
    "of in on at by for from with without about under over above below between among into to than like as "
    "per via during since until before after within near beside alongside against except excluding regarding "
    "concerning through across outside inside behind beyond towards up around beneath"
)
CONJUNCTIONS = word_set("and or but nor so because if while when whereas although though & / plus")
PRONOUNS = word_set(
    "i you he she it we they me him us them who which that what where how why someone something anything "
    "everything nothing i'm i'd i've we're we'd you're it's that's what's there"
)
AUXILIARIES = word_set(
    "is are was were be been being am do does did has have had can could will would shall should may might "
    "must get gets got isn't aren't wasn't weren't don't doesn't didn't hasn't haven't can't couldn't won't "
    "wouldn't shouldn't"
)
_VERBS = word_set(
    "go goes going pair pairs match matches cost costs costing come comes coming make makes made need needs "
    "want wants please living working using having claiming live work claim pay use apply taste tastes smell "
    "smells suit suits keep keeps"
)
_ADVERBS = word_set(
    "tonight today tomorrow now too also instead only here there then not no never please less more fewer "
    "cheaper older younger newer lower higher dearer pricier ideally preferably but rather"
)
ENDERS = DETERMINERS | POSSESSIVES | PREPOSITIONS | CONJUNCTIONS | PRONOUNS | AUXILIARIES | _VERBS | _ADVERBS
"""A noun phrase is over where one of these comes next."""

PREDICATES = word_set("enough good better best available possible fine ok okay right wrong")
"""What is said of a noun after it: "is a small tent enough"."""

DOCUMENT_NOUNS = word_set("article page document doc guide leaflet item result one option")
"""What documents are called in any collection, in the singular; no verbs, such as file and report."""

WHOLES = word_set("anything everything something nothing all information info material those ones")
"""Words that stand for documents where a filter follows: ``everything about housing``."""

SENSES = word_set(
    "note flavour flavor aroma taste smell scent hint colour color peel zest juice skin flesh tone"
)
"""After these, and before them, a value describes and does not select: ``notes of chocolate``."""

DEGREES = word_set(
    "too very so quite slightly fairly rather extremely really always never often usually almost bit"
)
CONTAINERS = word_set("bottle glass case kind type list range selection magnum box choice lot")
COMPASS = word_set("north south east west part rest corner region all")

SELECTS = word_set(
    "show list find give recommend recommendation suggest suggestion pick choose want need prefer looking "
    "something anything everything any only offer stock sell filter idea"
)
"""Words by which people ask for documents rather than for an explanation."""

_NEGATORS = word_set(
    "not no non without except excluding excl minus neither nor avoid avoiding never dislike hate nothing "
    "cannot"
)
_NEGATING_PAIRS = frozenset(
    {
        ("other", "than"),
        ("apart", "from"),
        ("aside", "from"),
        ("rather", "than"),
        ("instead", "of"),
        ("anything", "but"),
        ("everything", "but"),
        ("all", "but"),
        ("except", "for"),
        ("outside", "of"),
        ("allergic", "to"),
        ("tired", "of"),
    }
)
_NEGATION_FILLERS = (
    DETERMINERS
    | word_set(
        "from of in for with to go goes like want drink serve be been it is are made come comes care need "
        "have fond keen on interested about ones one anything something taste"
    )
) - {"all"}
_ASKING = word_set("there you we i they it that this he she")


def is_negated(words: list[str], at: int, nouns: frozenset[str] = frozenset()) -> bool:
    """Whether a negation reaches the word at ``at`` over at most five fillers.

    ``isn't there a red`` and ``why not a red`` ask, and ``not only red`` adds: no negations.
    """
    for back in range(at - 1, max(at - 7, -1), -1):
        word, before = words[back], words[back - 1] if back else ""
        if (before, word) in _NEGATING_PAIRS:
            return True
        if word in _NEGATORS or word.endswith("n't"):
            after = words[back + 1] if back + 1 < len(words) else ""
            asks = word.endswith("n't") and after in _ASKING
            adds = word == "not" and (after in ("only", "just", "necessarily", "sure") or before == "why")
            return not (asks or adds)
        if word == "outside":
            return True
        if word not in _NEGATION_FILLERS and word not in nouns:
            return False
    return False


def ends_phrase(word: str) -> bool:
    """Whether a noun phrase cannot go on with this word (empty at the end of the question)."""
    if not word or not word[0].isalnum() or word in ENDERS:
        return True
    # A participle: "reds aged in oak", "pages updated since"; not "seed" or "breed".
    return len(word) >= 5 and word.endswith("ed") and not word.endswith("eed")
