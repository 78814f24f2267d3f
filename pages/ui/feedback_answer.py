"""One answer in full: as its reader saw it, what they said of it, and what the owner says of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast, get_args

import streamlit as st

from pages.ui import evidence, frame
from pages.ui import feedback_filters as filters
from pages.ui.answer import answer_markdown, draw_question, remarks
from pages.ui.feedback_answers import open_
from pages.ui.frame import Page
from pages.ui.text import badge, one_line, plain
from rag.errors import NotFound, ThumbprintError
from rag.prototypes import Prototype
from rag.store.annotations import MAX_NOTE
from rag.types import Answer, Failure, Feedback, Finding, Relevant

_THUMBS = {"up": ":green[:material/thumb_up: Thumb up]", "down": ":red[:material/thumb_down: Thumb down]"}
_TAKEN_BACK = ":gray[:material/undo: Taken back]"
_AS_FOUND = "as-found"
_BASES = {
    "label": "from the passage that the reader named",
    "correction": "from the reader's correction",
    "report": "from the reader's report",
    "reason": "from the reader's reasons",
    "guess": "a guess",
}


def draw(page: Page, prototypes: Mapping[str, Prototype], answer_id: str) -> None:
    """The answer, or that there is none."""
    st.button(
        "Back",
        key="feedback-back",
        icon=":material/arrow_back:",
        type="tertiary",
        on_click=open_,
        args=(None,),
    )
    store = page.engine.store
    try:
        answer = store.answer(answer_id)
    except NotFound as error:
        frame.problem(str(error))
        return
    name = answer.provenance.prototype
    prototype = prototypes.get(name) or Prototype(name=name, folder=page.engine.environment.home, title=name)
    history = store.feedback_history(answer.id)
    _as_seen(prototype, answer)
    left, right = st.columns(2, gap="medium")
    with left:
        _said(history, answer)
    with right:
        _owner(page, answer, history)
    _facts(page, answer)


def _as_seen(prototype: Prototype, answer: Answer) -> None:
    draw_question(answer.question)
    with st.chat_message("assistant", avatar=prototype.icon):
        drawn = answer_markdown(answer.text, answer.citations, answer.claims)
        st.markdown(drawn or ":gray[Nothing was written.]")
        remarks(prototype, answer.where, stopped=answer.stopped, answer=answer)
        evidence.draw(prototype, answer)
        if answer.passages and not answer.abstained:
            label = f"Everything it was made from: {len(answer.passages)} passages"
            with st.expander(label, type="compact", key="feedback-context"):
                # As for a refusal, every passage is an exhibit; another id keeps the choices apart.
                evidence.draw(prototype, replace(answer, id=f"{answer.id}-all", abstained=True))


# --- what the reader said ---------------------------------------------------


def _said(history: Sequence[Feedback], answer: Answer) -> None:
    st.markdown("**What the reader said**")
    if not history:
        st.caption("Nobody has rated this answer.")
        return
    _feedback(history[-1], answer)
    if len(history) > 1:
        with st.expander(f"Before that: {len(history) - 1}", type="compact", key="feedback-history"):
            for feedback in reversed(history[:-1]):
                _feedback(feedback, answer)


def _feedback(feedback: Feedback, answer: Answer) -> None:
    with st.container(border=True, gap="xsmall"):
        thumb = _THUMBS[feedback.rating] if feedback.rating else _TAKEN_BACK
        st.markdown(f"{thumb}&ensp;:small[:gray[{one_line(filters.minute(feedback.created))}]]")
        if feedback.reasons:
            st.markdown(" ".join(badge(filters.reason_name(reason), "orange") for reason in feedback.reasons))
        for title, text in (("Comment", feedback.comment), ("Corrected answer", feedback.correction)):
            if text:
                st.markdown(f":small[:gray[{title}]]\n\n{plain(text)}")
        if feedback.reported:
            numbers = ", ".join(str(number) for number in feedback.reported)
            st.markdown(f":small[:gray[Citations reported]]\n\n{numbers}")
        if feedback.passage is not None:
            _named(feedback.passage, answer)


def _named(passage: Relevant, answer: Answer) -> None:
    at = passage.retrieved
    retrieved = at is not None and 0 <= at < len(answer.passages)
    place = f"number {at + 1} of its passages" if retrieved and at is not None else "found by a search"
    source = one_line(passage.source or passage.document_id, 80)
    st.markdown(f":small[:gray[The passage that answers: {source}, {place}]]\n\n{plain(passage.text)}")


# --- what the owner says ----------------------------------------------------


def _owner(page: Page, answer: Answer, history: Sequence[Feedback]) -> None:
    store = page.engine.store
    kept = store.annotations.of([answer.id]).get(answer.id)
    finding = store.findings.of([answer.id]).get(answer.id)
    down = bool(history) and history[-1].rating == "down"
    st.markdown("**What you make of it**")
    if down:
        _found(finding)
    options = [_AS_FOUND, *get_args(Failure)]
    failure_key, note_key = f"annotate-failure-{answer.id}", f"annotate-note-{answer.id}"
    st.session_state.setdefault(failure_key, (kept.failure if kept else None) or _AS_FOUND)
    st.session_state.setdefault(note_key, kept.note if kept else "")
    as_found = "As the program found it" if down else "Nothing went wrong"
    with st.form(f"annotate-{answer.id}", border=False):
        st.selectbox(
            "Went wrong",
            options,
            key=failure_key,
            format_func=lambda f: as_found if f == _AS_FOUND else filters.failure_name(f),
        )
        st.text_area("Note", key=note_key, max_chars=MAX_NOTE, placeholder="Only you see this.")
        st.form_submit_button("Save", icon=":material/save:", on_click=_save, args=(page, answer.id))
    frame.remembered_problem()
    if st.session_state.pop(f"annotated-{answer.id}", False):
        st.caption(":green[:material/check: Saved]")


def _found(finding: Finding | None) -> None:
    if finding is None:
        st.caption("The program has not looked at this one yet.")
        return
    name = filters.failure_name(finding.failure or "unclear")
    st.markdown(f":orange-badge[{name}] :small[:gray[{_BASES.get(finding.basis, '')}]]")
    st.markdown(f":small[{one_line(finding.why)}]")


def _save(page: Page, answer_id: str) -> None:
    chosen = st.session_state[f"annotate-failure-{answer_id}"]
    failure = None if chosen == _AS_FOUND else cast(Failure, chosen)
    try:
        page.engine.store.annotations.add(answer_id, failure, st.session_state[f"annotate-note-{answer_id}"])
    except ThumbprintError as error:
        frame.remember_problem(f"This was not saved. {error}")
        return
    st.session_state[f"annotated-{answer_id}"] = True


# --- how it was made --------------------------------------------------------


def _facts(page: Page, answer: Answer) -> None:
    made = answer.provenance
    with st.expander("How it was made", type="compact", key="feedback-facts"):
        stages = [f"{name} {seconds:.3g} s" for name, seconds in answer.seconds.items() if name != "total"]
        tokens = [f"{count:,} {name}" for name, count in answer.usage.items()]
        rows = {
            "Asked": f"{filters.minute(answer.created)}, {answer.origin}",
            "Searched for": answer.rewritten if answer.rewritten != answer.question else "",
            "Written by": answer.generator,
            "Confidence": f"{answer.confidence:.2f}",
            "Seconds": f"{answer.seconds.get('total', 0):.3g} ({', '.join(stages)})",
            "Tokens": ", ".join(tokens),
            "Cost": "" if answer.cost is None else f"US$ {answer.cost:.6f}",
            "Settings": made.settings,
            "Index": made.index_version,
            "Prompt": made.prompt_version,
            "Link": made.link or "",
            "Answer": answer.id,
        }
        told = "\n".join(f"- :gray[{name}] {one_line(value, 300)}" for name, value in rows.items() if value)
        st.markdown(told)
        settings = page.engine.store.settings(made.settings)
        if settings:
            words = "\n".join(f"{key} = {value}" for key, value in settings.items())
            st.code(words, language=None)
