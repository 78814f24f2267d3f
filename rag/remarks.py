"""What is said of an answer wherever it is read: what no source supports of it, and how it came about.

In plain text: behind a sentence that says something else than the sources stands that it was not found
there, behind one that is not found in these words a question mark. The pages draw the same in their way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rag.answering import BUDGET_SPENT, UNAVAILABLE
from rag.generators.failures import CUT_OFF
from rag.rerankers import UNAVAILABLE as NOT_RERANKED
from rag.response import BROKE_OFF
from rag.types import Answer, Claim

UNSURE = frozenset({"meaning", "uncited", "quantifier"})
"""Reasons that leave open whether a claim is wrong: the checker errs on free paraphrases."""
NOT_FOUND, DOUBTED = "[not found in the sources]", "[?]"
"""Stand behind a sentence that is wrong, and behind one that may be."""

WIDE_STOPS = "。！？」』）】》”"
"""Marks of the end that stay outside of what is struck out: where a script has no spaces, one between "~~"
and a letter would leave the tildes."""

_BY_OPENING = {UNAVAILABLE: "Quoted instead, because no model could write it. ", BROKE_OFF: "", CUT_OFF: ""}
"""Notices that go on with a sentence, and what is said before that."""
_BY_NOTICE = {
    BUDGET_SPENT: "Quoted instead: the budget for answers by a model is used up for now.",
    NOT_RERANKED: f"{NOT_RERANKED}; the passages stand in the order of the search.",
}


def marked(text: str, claims: Sequence[Claim], strike: Callable[[str], str] = str) -> str:
    """The text of an answer with a remark behind every sentence that no source supports.

    ``strike`` draws what is wrong; a doubted sentence stands as it is before its question mark.
    """
    lost = sorted((c.start, c.end, is_wrong(c)) for c in claims if c.verdict == "unsupported")
    pieces, at = [], 0
    for start, end, wrong in lost:
        start, end = max(start, at), min(end, len(text))
        if start >= end:
            continue
        said = text[start:end]
        pieces += [text[at:start], f"{strike(said)} {NOT_FOUND}" if wrong else f"{said} {DOUBTED}"]
        at = end
    return "".join([*pieces, text[at:]])


def notes(notices: Sequence[str], claims: Sequence[Claim] = (), *, stopped: bool = False) -> list[str]:
    """What a reader should know about how an answer came about, a line each.

    Filters are not among it: what they left, or did not, is told where they are.
    """
    found = [
        f"{said}{notice.removeprefix(opening)}"
        for notice in notices
        for opening, said in _BY_OPENING.items()
        if notice.startswith(opening)
    ]
    found += [said for notice, said in _BY_NOTICE.items() if notice in notices]
    lost = [is_wrong(claim) for claim in claims if claim.verdict == "unsupported"]
    if any(lost):
        found.append(f"{_statements(sum(lost))} not found in the sources.")
    if not all(lost):
        count = len(lost) - sum(lost)
        found.append(f"{_statements(count)} not found in the sources in these words: see {DOUBTED}.")
    if stopped and not any(notice.startswith(BROKE_OFF) for notice in notices):
        found.append("Stopped before its end.")
    return [f"Note: {note}" for note in found]


def plain_text(answer: Answer) -> str:
    """An answer as it is taken elsewhere: its text with the remarks in it, and the notes below."""
    told = notes(answer.notices, answer.claims, stopped=answer.stopped)
    return "\n\n".join(part for part in (marked(answer.text, answer.claims), *told) if part)


def is_wrong(claim: Claim) -> bool:
    """Whether an unsupported claim says something else than the sources."""
    return bool(set(claim.reasons) - UNSURE)


def _statements(count: int) -> str:
    return "1 statement was" if count == 1 else f"{count} statements were"
