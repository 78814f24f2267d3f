"""Follow-ups: a question that leans on what went before it, made to stand alone.

Offline, by rule: a question that points back (a pronoun, "what about", or no subject of its
own) takes the words of the last question that stood by itself, and the name that the answer
before it gave first. Retrieval then sees both subjects; what the reader asked stays as it was.

Where a model makes it stand alone, :mod:`rag.rewritten` says what is used of its reply.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.types import Turn
from rag.words import FUNCTION_WORDS

_OPENS = re.compile(
    r"\s*(and|but|or|so|also|then|what about|how about|what if|why not|any others?|anything else|what else|"
    r"which of|more|another|the (same|other|first|second|third|last|next)\b)\b",
    re.IGNORECASE,
)
_POINTS = re.compile(
    r"\b(it|its|they|them|their|theirs|he|him|his|she|her|hers|these|those|mine|ones|others|"
    r"former|latter|both|neither|either|instead|otherwise|"
    # Not "is there", nor a "that" or "this" which begins a clause or belongs to a time.
    r"(?<!is )(?<!are )(?<!was )(?<!were )there|"
    r"(?<!the most )(?<!those )that(?! (?:i|you|we|they|he|she|it|the|a|an|is|are|was|were|can|has|have)\b)|"
    r"this(?! (?:winter|summer|spring|autumn|fall|year|month|week|morning|evening|afternoon|time)\b)|"
    r"(?:the|this|that|which|next|another|other|each|first|second|last|good|better|best|cheaper|older) one|"
    r"the (?:other|others|same|second|first|third|rest))\b",
    re.IGNORECASE,
)
_DEFINES = re.compile(r"\s*(what|who) (is|are|was|were|does|do) (an?|[a-z]+s) ", re.IGNORECASE)
"""Asks what something is, which needs no other subject."""
_WORD = re.compile(r"[^\W_](?:[\w'’-]*\w)?")
_CAPITAL = "[A-ZÀ-ÖØ-Þ]"
_PARTICLE = "(?:of|do|da|de|du|des|del|di|la|le|les|der|von|van)"
_NAME = re.compile(
    rf"(?<!\w){_CAPITAL}[\w’'-]{{0,60}}(?:(?: {_PARTICLE}){{0,2}} {_CAPITAL}[\w’'-]*)+"
    rf"|(?<=[\w,] ){_CAPITAL}[\w’'-]+"
)
"""Several words with capitals, or one that does not begin a sentence."""
_NO_NAME = frozenset(
    "i the a an if on in at for from by no yes you we it this that what which who how when where why "
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july "
    "august september october november december".split()
)
_GENERIC = frozenset(
    "apply applied ask asked able allow allowed amount answer anybody anyone anything back become begin best "
    "better big bring call change cheap cheaper check choose claim come cost costs count counted day days "
    "decide depend different difference does enough else end ends ever every everybody everyone example far "
    "fast find first form forms free full get gets give gives go goes going good happen happens help hour "
    "hours idea keep keeps kind know large late later least less let like limit long longer look lot make "
    "makes maximum mean means mine minimum month months money much must name need needed needs new next "
    "nobody now number often old older once one ones open order own paid part pay pays people person place "
    "possible price put quick quickly reason right rule rules same say says see send sent set short show "
    "somebody someone something soon sort start starts stay still stop stops take taken takes tell thing "
    "things think time times together too top try turn two type until usual use used using usually want way "
    "week weeks well whole work works worth wrong year years yes yet".split()
)
"""Words that any subject may be asked about with."""
_ANY = (
    FUNCTION_WORDS
    | _GENERIC
    | {"i'm", "i’m", "it's", "it’s", "what's", "what’s", "don't", "don’t", "doesn't"}
)
_OWN = 2
"""Words of a subject from which a question stands by itself."""
_TAKEN = 500
"""Characters at most of the question that one leans on, and of what was named since: the default
embedding model reads about 1,000, and what is asked now stands behind them."""


def standalone(question: str, history: Sequence[Turn]) -> str:
    """The question to search with: itself, or with the subject that it leans on before it."""
    if not history or not leans(question):
        return question
    return with_subject(question, history)


def with_subject(question: str, history: Sequence[Turn]) -> str:
    """The question behind the one that it leans on, what was named since, and a name of the answers.

    A question that brings a name of its own and points to none takes the place of the names before
    it: "And for the Food Card?" asks what was asked of something else.
    """
    at = len(history) - 1
    while at and leans(history[at].question):
        at -= 1  # the first question of a conversation has nothing to lean on
    parts = [
        history[at].question.strip()[:_TAKEN],
        *(" ".join(subject(t.question)) for t in history[at + 1 :]),
    ]
    own = names(question)
    if own and not _POINTS.search(question):
        for name in names(parts[0]):
            parts[0] = " ".join(parts[0].replace(name, " ").split())
    else:
        known = " ".join([*parts, question]).casefold()
        given = (name for turn in reversed(history[at:]) for name in names(turn.text)[:1])
        parts += [name for name in given if name.casefold() not in known][:1]
    since = " ".join(filter(None, parts[1:]))[-_TAKEN:].strip()
    return " ".join([*filter(None, (parts[0], since)), question.strip()])


def names(text: str) -> list[str]:
    """What looks like a name, in order: words with capitals that do not only begin a sentence."""
    found = []
    for match in _NAME.findall(text):
        words = match.split()
        while words and words[0].casefold() in _NO_NAME:
            del words[0]
        if words and words[-1].casefold() not in _NO_NAME:
            found.append(" ".join(words))
    return list(dict.fromkeys(found))


def leans(question: str) -> bool:
    """Whether a question needs what was said before it to be understood."""
    if _OPENS.match(question) or _POINTS.search(question):
        return True
    own = subject(question)
    return len(own) < (1 if _DEFINES.match(question) else _OWN) and not names(question)


def subject(question: str) -> list[str]:
    """The words of a question that say what it is about."""
    words = _WORD.findall(question)
    return [w for w in words if w.casefold() not in _ANY]
