"""A sentence turned around: with a "not" more, or without its own.

Of a claim and a sentence that say the same, the claim is nearer to the sentence than the claim
turned around is; of two that say the opposite it is the other way round. How much nearer tells a
denial that uses other words than the rules of :mod:`rag.cite.polarity` know.
"""

from __future__ import annotations

import re

_DENIES = re.compile(
    r"\bcannot\b| not\b|n['’]t\b|\bno longer\b|\b(?:never|without|none|no|nobody|nothing)\b", re.IGNORECASE
)
_AUXILIARY = re.compile(
    r"\b(?:is|are|was|were|can|may|must|will|would|should|could|does|do|did|has|have|had|need|might)\b",
    re.IGNORECASE,
)
_CUT_OFF = {"ca": "can", "wo": "will", "sha": "shall"}
_INSTEAD = (
    (re.compile(r"\bcannot\b", re.IGNORECASE), "can"),
    (re.compile(r"\b(?:do|does|did)(?:n['’]t| not)\b ?", re.IGNORECASE), ""),
    (re.compile(r"n['’]t\b| not\b", re.IGNORECASE), ""),
    (re.compile(r"\bno longer\b", re.IGNORECASE), "still"),
    (re.compile(r"\bnever\b", re.IGNORECASE), "always"),
    (re.compile(r"\bwithout\b", re.IGNORECASE), "with"),
    (re.compile(r"\bnone\b", re.IGNORECASE), "all"),
    (re.compile(r"\bno\b", re.IGNORECASE), "a"),
    (re.compile(r"\bnobody\b", re.IGNORECASE), "everybody"),
    (re.compile(r"\bnothing\b", re.IGNORECASE), "everything"),
)


def flipped(text: str) -> str:
    """The text turned around, by rule: it need not be good English, only be read by a model."""
    if _DENIES.search(text):
        text = re.sub(r"\b(ca|wo|sha)n['’]t\b", lambda m: _CUT_OFF[m[1].casefold()], text, flags=re.IGNORECASE)
        for pattern, instead in _INSTEAD:
            text = pattern.sub(instead, text)
        return text
    auxiliary = _AUXILIARY.search(text)
    if auxiliary:
        return f"{text[: auxiliary.end()]} not{text[auxiliary.end() :]}"
    return f"It is not true that {text[:1].lower()}{text[1:]}"
