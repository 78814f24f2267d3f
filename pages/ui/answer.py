"""Draw an exchange: the question, the answer with its citation chips, and what lies under it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import streamlit as st

from pages.ui import access, details, evidence, rating
from pages.ui.cited_links import linked, targets
from pages.ui.copying import copy_button
from pages.ui.describe import filter_words
from pages.ui.frame import Page
from pages.ui.text import MARKUP, STRUCK, composed, cut, one_line, plain
from rag.answering import BUDGET_SPENT, UNAVAILABLE
from rag.generators.failures import CUT_OFF
from rag.prototypes import Prototype
from rag.remarks import is_wrong, plain_text
from rag.rerankers import UNAVAILABLE as NOT_RERANKED
from rag.response import BROKE_OFF
from rag.types import Answer, Citation, Claim, Feedback, Where

_CLOSING = re.compile(r"([”“\"'’»«.,;:!?)]{0,3})\s?(?=\[)")
"""What closes a quotation before its markers."""
CHIP_GAP = "&#8239;"
"""The narrow space between a sentence and its chip."""
_NUMBER = re.compile(r"\[([1-9]\d{0,2})\]")
_LONG = 500
"""Characters of a question that are shown at once; a page of text would bury its answer."""
_READER = ":material/person:"


def draw_question(question: str, chips: Callable[[], None] | None = None) -> None:
    """The reader's message, and below it what ``chips`` draws."""
    with st.chat_message("user", avatar=_READER):
        if len(question) <= _LONG:
            st.markdown(plain(question))
        else:
            st.markdown(plain(cut(question, _LONG)))
            with st.expander(f"The whole question, {len(question):,} characters", type="compact"):
                st.markdown(plain(question))
        if chips is not None:
            chips()


def draw_answer(
    page: Page,
    prototype: Prototype,
    answer: Answer,
    feedback: Feedback | None,
    *,
    where: Where | None,
    regenerate: Callable[[Answer], None] | None,
    anyway: Callable[[Answer], None] | None = None,
) -> None:
    """The answer with its citations, rating, copy button and evidence.

    ``where`` is as much of its filter as is to be told with it. ``regenerate`` writes it
    anew, and ``anyway`` answers what was refused; both are given for the newest answer only.
    What lies under the text is a fragment of its own: a thumb or a look at the evidence runs
    that fragment and nothing else of the page.
    """
    with st.chat_message("assistant", avatar=prototype.icon):
        # The library is the owner's: to others its documents are what they read in the evidence.
        owned = "](" in answer.text and page.visit is None and access.is_owner()
        links = partial(linked, prototype=prototype.name, documents=targets(answer)) if owned else iter
        drawn = answer_markdown(answer.text, answer.citations, answer.claims, links)
        st.markdown(drawn or ":gray[Nothing was written.]")
        remarks(prototype, where, stopped=answer.stopped, answer=answer)
        _under(page, prototype, answer, feedback, regenerate, anyway)


def remarks(
    prototype: Prototype, where: Where | None, *, stopped: bool = False, answer: Answer | None = None
) -> None:
    """What a reader should know about how an answer came about."""
    notes: list[str] = []
    for notice in answer.notices if answer else ():
        if notice.startswith(UNAVAILABLE):
            reason = one_line(notice.removeprefix(UNAVAILABLE), 300)
            notes.append(f":material/format_quote: Quoted instead, because no model could write it. {reason}")
        if notice.startswith(BROKE_OFF):
            notes.append(f":material/link_off: {one_line(notice.removeprefix(BROKE_OFF), 300)}")
        if notice.startswith(CUT_OFF):
            notes.append(f":material/content_cut: {one_line(notice.removeprefix(CUT_OFF), 300)}")
    if answer and BUDGET_SPENT in answer.notices:
        notes.append(
            ":material/savings: Quoted instead: the budget for answers by a model is used up for now"
        )
    if answer and not answer.abstained:
        notes += _doubts(answer.claims)
    if stopped and not any(notice.startswith(BROKE_OFF) for notice in (answer.notices if answer else ())):
        notes.append(":material/stop_circle: Stopped before its end")
    if where:
        words = " · ".join(filter_words(where, prototype.facets))
        notes.append(f":material/filter_alt: Filtered: {one_line(words, 200)}")
    if answer and NOT_RERANKED in answer.notices:
        notes.append(
            ":material/info: Re-ranking was unavailable: the passages stand in the order of the search"
        )
    if notes:
        st.caption("  \n".join(notes))


def _doubts(claims: Sequence[Claim]) -> list[str]:
    """How much of an answer no source supports."""
    lost = [is_wrong(claim) for claim in claims if claim.verdict == "unsupported"]
    notes = []
    for wrong, icon, what in (
        (True, "strikethrough_s", "not found in the sources, and struck out"),
        (False, "question_mark", "not found in the sources in these words"),
    ):
        count = lost.count(wrong)
        if count:
            notes.append(
                f":material/{icon}: {'1 statement was' if count == 1 else f'{count} statements were'} {what}"
            )
    return notes


def answer_markdown(
    text: str,
    citations: Sequence[Citation],
    claims: Sequence[Claim] = (),
    links: Callable[[list[tuple[str, str]]], Iterable[tuple[str, str]]] = iter,
) -> str:
    """The answer's text as Markdown, with a chip for every marker that a citation stands for.

    A marker is ``[1]`` behind the span that it supports. Numbers in brackets anywhere
    else are the document's own words and stay text. What says something else than the
    sources is struck out; what was not found in them in these words has a question mark.
    ``links`` makes links of some text; without it all links stay text.
    """
    verdicts = {c.number: c.verdict for c in citations}
    lost = deque(sorted((c.start, c.end, is_wrong(c)) for c in claims if c.verdict == "unsupported"))
    pieces: list[tuple[str, str]] = []
    at = 0
    ending: dict[int, set[int]] = {}
    for citation in citations:
        ending.setdefault(citation.answer_end, set()).add(citation.number)
    for end, numbers in sorted(ending.items()):
        closing = _CLOSING.match(text, end)
        if end < at or closing is None:
            continue
        behind, shown = closing.end(), []
        # Any other number in brackets is text, which no citation stands for.
        while (marker := _NUMBER.match(text, behind)) and int(marker[1]) in numbers:
            shown.append(int(marker[1]))
            behind = marker.end()
        if not shown:
            continue
        pieces += _marked(text, at, end, lost)
        pieces.append((closing[1], ""))
        pieces.append((CHIP_GAP + " ".join(chip(number, verdicts[number]) for number in shown), MARKUP))
        at = behind
    pieces += _marked(text, at, len(text), lost)
    return composed(links(pieces))


def _marked(text: str, start: int, end: int, spans: deque[tuple[int, int, bool]]) -> list[tuple[str, str]]:
    """The text from ``start`` to ``end``; the wrong spans struck out, the others doubted.

    ``spans`` are sorted; those that end before ``start`` are taken off, for what comes is behind them.
    """
    pieces: list[tuple[str, str]] = []
    while spans and spans[0][1] <= start:
        spans.popleft()
    for left, right, wrong in spans:
        if left >= end:
            break
        left, right = max(left, start), min(right, end)
        if left >= right:
            continue
        pieces.append((text[start:left], ""))
        pieces += [(text[left:right], STRUCK if wrong else "")]
        if not wrong:
            pieces.append((f"{CHIP_GAP}:orange-badge[?]", MARKUP))
        start = right
    return [*pieces, (text[start:end], "")]


def chip(number: int, verdict: str) -> str:
    """The chip of a citation; a quotation that does not support its sentence stands out."""
    return f":{'orange' if verdict == 'unsupported' else 'blue'}-badge[{number}]"


@st.fragment
def _under(
    page: Page,
    prototype: Prototype,
    answer: Answer,
    feedback: Feedback | None,
    regenerate: Callable[[Answer], None] | None,
    anyway: Callable[[Answer], None] | None,
) -> None:
    again = False
    rated = rating.Rated(page, prototype, answer, feedback)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"under-{answer.id}"):
        rated.thumbs()
        copy_button(plain_text(answer), key=f"copy-{answer.id}")
        details.draw(answer)
        if regenerate is not None:
            again = st.button(
                "Regenerate",
                key=f"regenerate-{answer.id}",
                icon=":material/refresh:",
                type="tertiary",
                on_click=regenerate,
                args=(answer,),
            )
        if anyway is not None and answer.abstained and answer.passages:
            again = again or st.button(
                "Answer anyway",
                key=f"anyway-{answer.id}",
                icon=":material/quickreply:",
                type="tertiary",
                help="Answer from the nearest passages, however far off they are.",
                on_click=anyway,
                args=(answer,),
            )
        rated.more()
    rated.details()
    evidence.draw(prototype, answer, rated.report, page=page)
    if again:
        st.rerun()  # the click ran this fragment alone; the new answer is drawn by the page
