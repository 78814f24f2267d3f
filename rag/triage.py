"""Where an answer that got a thumb down went wrong: the first step that failed, of corpus to words.

Rules, in order; the first that applies decides. "The context" is the passages that the answer was
made from.

1. The reader **named the passage** that answers (basis ``label``). In the context: the answer cites
   it and a citation was reported: ``bad-citation``; cites it: not clear; else ``not-used`` (also of
   a refusal). Not in the context: among the first DEEP of the same search: ``ranked-low``; its
   document is in the library: ``not-retrieved``; else ``not-in-corpus``.
2. The reader **wrote the right answer** (``correction``). It says that the documents do not answer:
   ``should-refuse``. Else the passage that holds it is looked for: in the context: ``not-used``;
   further down the same search: ``ranked-low``; by a search for the correction itself, or without
   the filter: ``not-retrieved``; nowhere: ``not-in-corpus``.
3. A citation was **reported**, or "bad citation" given: ``bad-citation`` (``report``).
4. Other **reasons**: "not in the sources" or "unsafe", and it answered: ``should-refuse``; "out of
   date": ``not-in-corpus``, for the documents hold nothing newer as far as anyone knows.
5. A **guess**. It refused: sure without its filter: ``not-retrieved``, else ``not-in-corpus``. It
   answered: though the search is not sure enough: ``should-refuse``; with statements that their
   citations do not support: ``bad-citation``; and by late interaction, a scorer that had no say,
   the best passage is outside the context: ``ranked-low``, or in it and not cited: ``not-used``.
   Else it is not clear.

A passage holds a correction where the checker of citations finds at least half of its sentences
supported, or where all of its content words stand in it (a correction may be "30 days").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.keyword import terms
from rag.sentences import sentences
from rag.types import Answer, Basis, Failure, Feedback, Finding, Passage, Relevant
from rag.words import content, has_content

RULES = 1
"""Raise it when a rule changes: what was found by other rules is then looked at again."""
DEEP = 50
"""Passages of the deeper search. Ten times what an answer reads: what is further down would not be
reached by reading somewhat more."""
_COMPARED = 20
"""Passages of a search that a correction is compared with, at some 5 ms each."""
_SENTENCES = 4
_DENIAL = re.compile(
    r"\b(?:I (?:do not|don['’]t) know"
    r"|(?:not|nothing|nowhere|no answer)\b.{0,40}\b(?:documents?|sources?|passages?)"
    r"|(?:documents?|sources?|passages?)\b.{0,40}\b(?:not|n['’]t|nothing|no)\b|should (?:have )?refused?)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Found:
    """Passages, best first, and whether an answer would be given from them."""

    passages: tuple[Passage, ...]
    sure: bool


class Look(Protocol):
    """The library that the answer came from, as it is now."""

    def search(self, question: str, *, own: bool, filtered: bool = True, late: bool = False) -> Found:
        """The first DEEP passages under the answer's settings.

        ``own``: ``question`` is the answer's, follow-up or not. ``filtered``: under its filter.
        ``late``: in the order of late interaction; without passages where the model has none.
        """

    def supports(self, source: str, claim: str) -> bool:
        """Whether the checker of citations finds the claim supported."""

    def holds(self, document_id: str) -> bool:
        """Whether the document is there."""


def triage(answer: Answer, feedback: Feedback, look: Look) -> Finding:
    """Where the answer went wrong, by the rules above."""
    failure, basis, why = _triage(answer, feedback, look)
    return Finding(answer.id, failure, basis, why)


_Verdict = tuple[Failure | None, Basis, str]


def _triage(answer: Answer, feedback: Feedback, look: Look) -> _Verdict:
    if feedback.passage is not None:
        failure, why = _by_label(answer, feedback, feedback.passage, look)
        return failure, "label", why
    correction = feedback.correction.strip()
    if has_content(correction):
        failure, why = _by_correction(answer, correction, look)
        return failure, "correction", why
    reasons = set(feedback.reasons)
    if feedback.reported or "bad-citation" in reasons:
        numbers = ", ".join(str(number) for number in feedback.reported)
        what = f"citation {numbers}" if numbers else "a citation"
        return "bad-citation", "report", f"The reader says that {what} does not support its sentence."
    if not answer.abstained and reasons & {"not-in-sources", "unsafe"}:
        said = "is not in the sources" if "not-in-sources" in reasons else "is unsafe"
        return "should-refuse", "reason", f"The reader says that the answer {said}."
    if "out-of-date" in reasons:
        why = "The reader says that the answer is out of date: the documents lack what is true now."
        return "not-in-corpus", "reason", why
    failure, why = _guess(answer, look)
    return failure, "guess", why


def _by_label(answer: Answer, feedback: Feedback, named: Relevant, look: Look) -> tuple[Failure | None, str]:
    place = named.retrieved
    if place is None or not 0 <= place < len(answer.passages):
        place = _place(answer.passages, named)
    if place is not None:
        where = f"The passage that the reader named was in the context, as number {place + 1}"
        if answer.abstained:
            return "not-used", f"{where}, and the answer refused all the same."
        if not any(citation.passage == place for citation in answer.citations):
            return "not-used", f"{where}, and the answer does not cite it."
        if feedback.reported or "bad-citation" in feedback.reasons:
            return "bad-citation", f"{where}, and the reader reports what the answer cites."
        return None, f"{where}, and the answer cites it: what is wrong with it is in its words."
    rank = _place(look.search(answer.question, own=True).passages, named)
    read = len(answer.passages)
    if rank is not None:
        return "ranked-low", (
            f"The passage that the reader named is number {rank + 1} of the search; the answer read {read}."
        )
    if look.holds(named.document_id):
        return "not-retrieved", (
            f"The passage that the reader named is in the library; the first {DEEP} of the search are others."
        )
    return "not-in-corpus", "The document that the reader named is not in the library."


def _by_correction(answer: Answer, correction: str, look: Look) -> tuple[Failure | None, str]:
    if _DENIAL.search(correction) and len(correction) < 200 and not answer.abstained:
        return "should-refuse", "By the reader's correction, the documents do not answer this."
    place = _holding(answer.passages, correction, look)
    if place is not None:
        return "not-used", f"Passage {place + 1} of the context holds what the reader says is right."
    deep = look.search(answer.question, own=True).passages
    place = _holding(deep, correction, look)
    if place is not None:
        return "ranked-low", (
            f"Passage {place + 1} of the search holds what the reader says is right; the answer read "
            f"{len(answer.passages)}."
        )
    found = look.search(correction, own=False).passages
    if _holding(found, correction, look) is not None:
        return "not-retrieved", (
            "A search for the reader's correction finds it in the library; one for the question does not."
        )
    if answer.where:
        found = look.search(correction, own=False, filtered=False).passages
        if _holding(found, correction, look) is not None:
            return "not-retrieved", "The library holds what the reader says is right; the filter left it out."
    return "not-in-corpus", "Nothing in the library holds what the reader says is right."


def _guess(answer: Answer, look: Look) -> tuple[Failure | None, str]:
    if answer.abstained:
        if answer.where and look.search(answer.question, own=True, filtered=False).sure:
            return "not-retrieved", "Without its filter, the question is answered from these documents."
        return "not-in-corpus", "It refused: the nearest passages are too far from the question."
    deep = look.search(answer.question, own=True)
    if not deep.sure:
        return "should-refuse", "It answered, although the nearest passages are too far from the question."
    doubtful = sum(claim.verdict == "unsupported" for claim in answer.claims)
    doubtful = doubtful or sum(citation.verdict == "unsupported" for citation in answer.citations)
    if doubtful:
        what = "1 statement is" if doubtful == 1 else f"{doubtful} statements are"
        return "bad-citation", f"{what} not supported by what is cited."
    late = look.search(answer.question, own=True, late=True).passages
    if late:
        place = _place(answer.passages, late[0])
        if place is None:
            return "ranked-low", "The best passage by late interaction is none of those that the answer read."
        if not any(citation.passage == place for citation in answer.citations):
            where = f"in the context, as number {place + 1}"
            return "not-used", f"The best passage by late interaction was {where}, and is not cited."
    return None, "Nothing stands out. The right passage or the right answer would tell."


def _place(passages: Sequence[Passage], wanted: Relevant | Passage) -> int | None:
    """The first of the passages that shares text with ``wanted``, counted from 0."""
    for number, passage in enumerate(passages):
        same = passage.document_id == wanted.document_id
        if same and passage.start < wanted.end and wanted.start < passage.end:
            return number
    return None


def _holding(passages: Sequence[Passage], correction: str, look: Look) -> int | None:
    """The first passage that holds the correction, counted from 0."""
    words = set(terms(content(correction)))
    parts = [correction[start:end] for start, end in sentences(correction)][:_SENTENCES]
    for number, passage in enumerate(passages[:_COMPARED]):
        if words and words <= set(terms(passage.text)):
            return number
        supported = sum(look.supports(passage.text, part) for part in parts)
        if supported and 2 * supported >= len(parts):
            return number
    return None
