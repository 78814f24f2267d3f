"""Which passage answers the question: one of those retrieved, or one that a reader finds.

One click names it; after that it can be narrowed to a sentence. It is a relevance label, the
stuff that an evaluation of retrieval is made of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from pages.ui import admission, evidence, frame
from pages.ui.frame import Page
from pages.ui.text import one_line
from rag.errors import ThumbprintError
from rag.prototypes import Prototype
from rag.sentences import sentences
from rag.types import Answer, Passage, Relevant

_FOUND = 8
"""Passages that a search of the reader's own shows."""
_SNIPPET = 140
"""Characters of a passage in the list: its best sentence, in two lines."""
_QUOTED = 400
"""Characters of the passage that is chosen."""
_NAME = 60
_SENTENCE = 110
_QUESTION = "Which passage answers the question?"
_WIDGETS = ("right", "other", "sentence")
_STYLE = """<style>
[class*="st-key-right-"] [role="radiogroup"], [class*="st-key-other-"] [role="radiogroup"] { gap: 0.5rem; }
</style>"""
"""Passages of several lines each need more between them than Streamlit leaves."""

Record = Callable[[Page, str, Relevant | None], None]
"""Callback: this is what answers the question, or None."""


def draw(page: Page, prototype: Prototype, answer: Answer, chosen: Relevant | None, record: Record) -> None:
    """The passages of the answer, a search for others, and what is chosen. ``record`` stores it."""
    found = _found(answer.id)
    st.html(_STYLE)
    if answer.passages:
        _list(page, answer, "right", answer.passages, chosen, record)
    st.text_input(
        "None of these? Search the documents" if answer.passages else _QUESTION,
        key=_key("lookup", answer.id),
        icon=":material/search:",
        max_chars=500,
        placeholder="Words of the passage that you have in mind",
        on_change=_look,
        args=(page, prototype, answer),
    )
    told = st.session_state.get(_key("lookup-told", answer.id))
    if told:
        frame.problem(told)
    elif found is not None and not found:
        st.caption("Nothing else was found. Try other words.")
    elif found:
        _list(page, answer, "other", found, chosen, record)
    if chosen is not None:
        _chosen(page, answer, [*answer.passages, *(found or ())], chosen, record)


def forget(answer_id: str) -> None:
    """Let the widgets be drawn anew from what is recorded. For callbacks."""
    for name in (*_WIDGETS, "lookup", "lookup-found", "lookup-told"):
        st.session_state.pop(_key(name, answer_id), None)


def _list(
    page: Page,
    answer: Answer,
    name: str,
    passages: Sequence[Passage],
    chosen: Relevant | None,
    record: Record,
) -> None:
    key = _key(name, answer.id)
    if key not in st.session_state:
        holding = (n for n, passage in enumerate(passages) if chosen and _holds(passage, chosen))
        st.session_state[key] = next(holding, None)
    names = [one_line(evidence.name_of(passage), _NAME) for passage in passages]
    st.radio(
        _QUESTION if name == "right" else "Passages found",
        range(len(passages)),
        key=key,
        # Not as captions: of a radio button, Streamlit's captions cannot be clicked.
        format_func=lambda n: f"**{names[n]}** :small[:gray[{one_line(_best(passages[n]), _SNIPPET)}]]",
        label_visibility="visible" if name == "right" else "collapsed",
        on_change=_choose,
        args=(page, answer.id, name, passages, record),
    )


def _chosen(
    page: Page, answer: Answer, passages: Sequence[Passage], chosen: Relevant, record: Record
) -> None:
    st.markdown(f":green[:material/check_circle:] :small[{one_line(chosen.text or chosen.source, _QUOTED)}]")
    within = next((passage for passage in passages if _holds(passage, chosen)), None)
    spans = sentences(within.text) if within else []
    with st.container(horizontal=True, vertical_alignment="center"):
        if within is not None and len(spans) > 1:
            key = _key("sentence", answer.id)
            options = [(within.start, within.end), *((within.start + a, within.start + b) for a, b in spans)]
            span = (chosen.start, chosen.end)
            st.session_state[key] = span if span in options else options[0]
            st.selectbox(
                "Which sentence of it",
                options,
                key=key,
                format_func=lambda span: (
                    "The whole passage"
                    if span == options[0]
                    else one_line(within.text[span[0] - within.start : span[1] - within.start], _SENTENCE)
                ),
                label_visibility="collapsed",
                on_change=_narrow,
                args=(page, answer.id, within, chosen, record),
                width=340,
            )
        st.button(
            "None of these",
            key=f"no-passage-{answer.id}",
            icon=":material/close:",
            type="tertiary",
            on_click=_take_back,
            args=(page, answer.id, record),
        )


def relevant(passage: Passage, retrieved: int | None) -> Relevant:
    """The whole passage as a relevance label."""
    return Relevant(
        passage.document_id, passage.start, passage.end, passage.source, passage.text, retrieved=retrieved
    )


def _best(passage: Passage) -> str:
    """The sentence that answers best by its score: a row of a catalogue begins like any other."""
    if not passage.sentences:
        return passage.text
    best = max(passage.sentences, key=lambda sentence: sentence.score)
    text = passage.text[max(0, best.start - passage.start) : best.end - passage.start]
    return text.removeprefix(passage.title).strip() or passage.text


def _holds(passage: Passage, chosen: Relevant) -> bool:
    return (
        passage.document_id == chosen.document_id
        and passage.start <= chosen.start
        and chosen.end <= passage.end
    )


def _found(answer_id: str) -> list[Passage] | None:
    found: list[Passage] | None = st.session_state.get(_key("lookup-found", answer_id))
    return found


# --- callbacks ----------------------------------------------------------------


def _choose(page: Page, answer_id: str, name: str, passages: Sequence[Passage], record: Record) -> None:
    n: int | None = st.session_state.get(_key(name, answer_id))
    if n is None:
        return
    other = "other" if name == "right" else "right"
    if _key(other, answer_id) in st.session_state:
        st.session_state[_key(other, answer_id)] = None
    st.session_state.pop(_key("sentence", answer_id), None)
    record(page, answer_id, relevant(passages[n], n if name == "right" else None))


def _narrow(page: Page, answer_id: str, within: Passage, chosen: Relevant, record: Record) -> None:
    start, end = st.session_state[_key("sentence", answer_id)]
    text = within.text[start - within.start : end - within.start]
    record(page, answer_id, replace(chosen, start=start, end=end, text=text))


def _take_back(page: Page, answer_id: str, record: Record) -> None:
    for name in _WIDGETS:
        st.session_state.pop(_key(name, answer_id), None)
    record(page, answer_id, None)


def _look(page: Page, prototype: Prototype, answer: Answer) -> None:
    state = st.session_state
    words = str(state[_key("lookup", answer.id)] or "").strip()
    for name in ("other", "lookup-found", "lookup-told"):
        state.pop(_key(name, answer.id), None)
    if not words:
        return
    plainly = replace(prototype.settings, k=_FOUND, budget=0, rerank="none")
    try:
        admission.search(page, words)
        found = page.engine.search(prototype.name, words, settings=plainly, accepted=(), prepared=True)
    except ThumbprintError as error:
        state[_key("lookup-told", answer.id)] = f"The search failed. {error}"
        return
    known = {(p.document_id, p.start, p.end) for p in answer.passages}
    state[_key("lookup-found", answer.id)] = [
        p for p in found.passages if (p.document_id, p.start, p.end) not in known
    ]


def _key(name: str, answer_id: str) -> str:
    return f"{name}-{answer_id}"
