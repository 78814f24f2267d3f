"""Follow-ups: a question that leans on the one before it, made to stand alone.

Offline, by rule: a question that points back (a pronoun, "what about", hardly any words
of its own) takes the words of the last question that stood by itself. Retrieval then
sees both subjects; what the reader asked stays as it was.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.types import Turn

_OPENS = re.compile(
    r"\s*(and|but|or|so|also|then|what about|how about|what if|why not|any others?|anything else|"
    r"which of|more|another|the (same|other|first|second|third|last|next)\b)\b",
    re.IGNORECASE,
)
_POINTS = re.compile(
    r"\b(it|its|they|them|their|theirs|he|him|his|she|her|hers|this|that|these|those|there|ones?|"
    r"former|latter|both|neither)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")
_FEW_WORDS = 3


def standalone(question: str, history: Sequence[Turn]) -> str:
    """The question to search with: itself, or with the subject it leans on before it."""
    if not history or not _leans(question):
        return question
    for turn in reversed(history):
        if not _leans(turn.question):
            return f"{turn.question.strip()} {question.strip()}"
    return f"{history[-1].question.strip()} {question.strip()}"


def _leans(question: str) -> bool:
    words = _WORD.findall(question)
    return len(words) < _FEW_WORDS or bool(_OPENS.match(question)) or bool(_POINTS.search(question))
