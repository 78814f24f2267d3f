"""Draw an exchange: the question, the answer with its citation chips, and what lies under it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import streamlit as st

from pages.ui import evidence, frame
from pages.ui.copying import copy_button
from pages.ui.describe import filter_words
from pages.ui.frame import Page
from pages.ui.text import MARKUP, composed, cut, one_line, plain
from rag.errors import ThumbprintError
from rag.prototypes import Prototype
from rag.rerankers import UNAVAILABLE
from rag.types import Answer, Citation, Rating, Where

_MARKERS = re.compile(r"([”“\"'’»«.,;:!?)]{0,3})\s?((?:\[\d+\])+)")
"""The markers behind a quotation, after the marks that close it."""
CHIP_GAP = "&#8239;"
"""The narrow space between a sentence and its chip."""
_NUMBER = re.compile(r"\[(\d+)\]")
_THUMBS: dict[Rating, int] = {"up": 1, "down": 0}
_RATINGS: dict[int, Rating] = {number: rating for rating, number in _THUMBS.items()}
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
    rating: Rating | None,
    *,
    where: Where | None,
    regenerate: Callable[[Answer], None] | None,
) -> None:
    """The answer with its citations, rating, copy button and evidence.

    ``where`` is as much of its filter as is to be told with it. ``regenerate`` writes it
    anew; it is given for the newest answer only. What lies under the text is a fragment of
    its own: a thumb or a look at the evidence runs that fragment and nothing else of the
    page.
    """
    with st.chat_message("assistant", avatar=prototype.icon):
        st.markdown(answer_markdown(answer.text, answer.citations) or ":gray[Nothing was written.]")
        remarks(prototype, where, stopped=answer.stopped, notices=answer.notices)
        _under(page, prototype, answer, rating, regenerate)


def remarks(
    prototype: Prototype, where: Where | None, *, stopped: bool = False, notices: Sequence[str] = ()
) -> None:
    """What a reader should know about how an answer came about."""
    notes: list[str] = []
    if stopped:
        notes.append(":material/stop_circle: Stopped before its end")
    if where:
        words = " · ".join(filter_words(where, prototype.facets))
        notes.append(f":material/filter_alt: Filtered: {one_line(words, 200)}")
    if UNAVAILABLE in notices:
        notes.append(
            ":material/info: Re-ranking was unavailable: the passages stand in the order of the search"
        )
    if notes:
        st.caption("  \n".join(notes))


def answer_markdown(text: str, citations: Sequence[Citation]) -> str:
    """The answer's text as Markdown, with a chip for every marker that a citation stands for.

    A marker is ``[1]`` behind the span that it supports. Numbers in brackets anywhere
    else are the document's own words and stay text.
    """
    verdicts = {c.number: c.verdict for c in citations}
    pieces: list[tuple[str, str]] = []
    at = 0
    for end in sorted({c.answer_end for c in citations}):
        marker = _MARKERS.match(text, end)
        if end < at or marker is None:
            continue
        numbers = [int(n) for n in _NUMBER.findall(marker[2])]
        if not all(number in verdicts for number in numbers):
            continue
        pieces.append((text[at:end] + marker[1], ""))
        pieces.append((CHIP_GAP + " ".join(chip(number, verdicts[number]) for number in numbers), MARKUP))
        at = marker.end()
    pieces.append((text[at:], ""))
    return composed(pieces)


def chip(number: int, verdict: str) -> str:
    """The chip of a citation; a quotation that does not support its sentence stands out."""
    return f":{'orange' if verdict == 'unsupported' else 'blue'}-badge[{number}]"


@st.fragment
def _under(
    page: Page,
    prototype: Prototype,
    answer: Answer,
    rating: Rating | None,
    regenerate: Callable[[Answer], None] | None,
) -> None:
    thumbs, again = f"thumbs-{answer.id}", False
    if thumbs not in st.session_state and rating is not None:
        st.session_state[thumbs] = _THUMBS[rating]
    told = st.session_state.pop(f"told-{answer.id}", None)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"under-{answer.id}"):
        st.feedback("thumbs", key=thumbs, on_change=_rate, args=(page, answer.id))
        copy_button(answer.text, key=f"copy-{answer.id}")
        if regenerate is not None:
            again = st.button(
                "Regenerate",
                key=f"regenerate-{answer.id}",
                icon=":material/refresh:",
                type="tertiary",
                on_click=regenerate,
                args=(answer,),
            )
        if told == "":
            st.caption(":green[:material/check: Saved]", width="content")
    if told:
        frame.problem(told)
    evidence.draw(prototype, answer)
    if again:
        st.rerun()  # the click ran this fragment alone; the new answer is drawn by the page


def _rate(page: Page, answer_id: str) -> None:
    value = st.session_state[f"thumbs-{answer_id}"]
    told = ""
    try:
        page.engine.store.add_feedback(answer_id, None if value is None else _RATINGS[value])
    except ThumbprintError as error:
        told = f"The rating was not saved. {error}"
    st.session_state[f"told-{answer_id}"] = told
