"""Whether a text is English, for what reads only that."""

from __future__ import annotations

import re

from rag.words import FUNCTION_WORDS

_WORD = re.compile(r"[^\W\d_]+")
_OTHERS = frozenset(
    # Spanish, Portuguese, Italian, French, German, Dutch, Swedish, Danish, Polish, Turkish: words of which
    # a sentence hardly does without one, and which are no words, units or parts of names in English.
    "los las del que una unos se por con para es su más pero sin hay "
    "os dos das em não uma na nas ao mais "
    "il gli della delle che sono non nel dal alla "
    "les et une dans qui aux sur pas sont avec ou ne ce cette "
    "das und ist nicht ein eine einen mit zu den dem für auf im sind wird sich auch bei "
    "het een niet voor te zijn wordt op "
    "och att det är en ett som på inte av för med til af ikke er "
    "nie się jest na ve bir bu için ile".split()
)
_ENGLISH = FUNCTION_WORDS | frozenset(("per", "there's", "it's", "must", "never", "each", "every", "both"))
_TELLS = _ENGLISH | frozenset(
    "one two three four five six seven eight nine ten twelve twenty hundred day days week weeks month months "
    "year years hour hours minute minutes once twice up over under about gets keeps costs opens closes free "
    "weekly daily monthly yearly within via single first last next new old open closed only also".split()
)
"""Words of which a sentence in the manner of notes has one: "Red wine keeps three days once opened"."""
_LONG = 7
"""Words of a sentence from which English has one of its function words, were it of names and figures."""


def is_english(sentence: str) -> bool:
    """Whether a sentence seems to be English; a short one without a word that tells counts as such."""
    words = _words(sentence)
    return may_be_english(sentence) and (len(words) < _LONG or any(w.casefold() in _TELLS for w in words))


def may_be_english(text: str) -> bool:
    """Whether nothing says that a text is not: a table has no function words, in whatever language.

    Names are left out: Los Angeles and Vincent van Gogh are spoken of in English too.
    """
    words = _words(text)
    if sum(not word.isascii() for word in words) > len(words) / 2:
        return False
    plain = [word for word in words if word.islower()]
    others = sum(word in _OTHERS or not word.isascii() for word in plain)
    return others <= sum(word.casefold() in _ENGLISH for word in words)


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text) if len(word) > 1 or word in "aAI"]
