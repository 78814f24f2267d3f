"""Ask, write anew, stop, try again; and the answer that is being written, as it grows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial

import streamlit as st

from pages.ui import address, admission, chips, conversations, frame, preparation, selection
from pages.ui.answer import answer_markdown, draw_question, remarks
from pages.ui.frame import Page
from pages.ui.writing import Writing
from rag.asking import same_filter
from rag.errors import ThumbprintError
from rag.prototypes import Prototype
from rag.types import Answer, Conversation, Proposed

INPUT = "question"
_LOOK, _LOOK_EACH, _LOOK_MOST = 0.2, 0.03, 2.0
"""Seconds between two looks at an answer being written: text that grows faster reads as a flicker. And
seconds more for each other one: 50 pages that look five times a second leave no time to answer."""
_AT_ONCE = 4_000
"""Characters that a browser draws well within the time between two looks. A longer text is looked at
less often: a browser that cannot keep up comes to a click only after all that it was sent before."""
_STAYS = "No new answer could be written, so the one before stays. "


def submit(page: Page, prototype: Prototype, conversation: Conversation | None) -> None:
    """Callback of the input box."""
    question = str(st.session_state[INPUT] or "").strip()
    if question:
        ask(page, prototype, conversation, question)


def ask(
    page: Page,
    prototype: Prototype,
    conversation: Conversation | None,
    question: str,
    replaces: Answer | None = None,
    proposed: tuple[Proposed, ...] | None = None,
    anyway: bool = False,
) -> None:
    """Callback: begin to answer, in the open conversation or a new one.

    ``replaces`` is the answer to write anew, under the filters of now and those that the
    reader applied of ``proposed``; without them, the engine says what the question proposes.
    ``anyway``: however unsure retrieval is of it.
    """
    allowance = None
    try:
        allowance = admission.admit(page, question)
        opened = conversation.id if conversation else conversations.begin(page, prototype.name, question)
    except ThumbprintError as error:
        if allowance is not None:
            admission.give_back(allowance)
        st.session_state[INPUT] = question  # so that nothing has to be typed again
        frame.remember_problem(str(error))
        return
    preparation.forget_failure(prototype)
    replaced = replaces.id if replaces else None
    where = selection.selected(prototype)
    accepted = None if proposed is None else [chip.where for chip in proposed if chip.applied]
    engine = page.engine
    # Under a link the settings are the link's; otherwise the prototype's at the time of the answer.
    settings = prototype.settings if page.visit else None
    if anyway:
        settings = dataclasses.replace(prototype.settings, abstain="off")

    writing = Writing(
        question,
        where=selection.both(where, *(accepted or ())),
        replaces=replaced,
        proposed=proposed,
    )
    page.writings.begin(
        opened,
        writing,
        prepare=lambda: engine.prepare(prototype.name),
        ask=lambda: engine.ask(
            prototype.name,
            question,
            where=where,
            history=conversations.turns(page, opened, before=replaced),
            conversation_id=opened,
            replaces=replaced,
            accepted=accepted,
            proposed=proposed,
            settings=settings,
            link=allowance.link,
            allowance=allowance,
            stopped=writing.stopped,
        ),
        in_vain=lambda: admission.give_back(allowance),
    )


def written(page: Page) -> tuple[Writing | None, bool]:
    """What is being written (or failed) in the conversation of the address, and whether it has ended."""
    writing = page.writings.of(address.get(address.CONVERSATION))
    has_ended = writing is not None and writing.done
    return (None if writing is not None and writing.succeeded else writing), has_ended


def keeps_earlier(writing: Writing, answers: conversations.Answers) -> bool:
    """Whether what has ended without a word was to replace an answer, which is shown as before.

    Under other filters it is another exchange, with chips of its own.
    """
    replaced = [answer for answer, _ in answers if answer.id == writing.replaces]
    return not writing.text and any(same_filter(answer.where, writing.where) for answer in replaced)


def draw_writing(
    page: Page,
    prototype: Prototype,
    conversation: Conversation,
    writing: Writing,
    *,
    has_ended: bool,
    stays: bool = False,
) -> None:
    """The exchange that is being written, or the one that failed and can be tried again.

    ``has_ended`` as :func:`written` said it: one that ended since has left the page with a
    view of the store from before, so the page is drawn again. ``stays``: the answer that it was
    to replace stands above with its question, and all there is to say is why.
    """
    if stays:
        _ended(page, prototype, conversation, writing, lead=_STAYS)
        return
    shown: Callable[[], None] | None = None
    if writing.proposed and preparation.is_ready(prototype):
        shown = partial(chips.draw, page, prototype, writing.proposed, where=writing.where, again=None)
    draw_question(writing.question, shown)
    with st.chat_message("assistant", avatar=prototype.icon):
        if has_ended:
            _ended(page, prototype, conversation, writing)
        else:
            most, look = pace(len(writing.text), page.writings.busy)
            st.fragment(_growing, run_every=look)(prototype, writing, most)


def pace(length: int, busy: int) -> tuple[int, float]:
    """Seconds between two looks at a text of ``length`` characters, and up to which length they hold.

    ``busy`` is how many answers are being written.
    """
    most = _AT_ONCE
    while most < length:
        most *= 2
    return most, min(max(_LOOK, _LOOK_EACH * busy), _LOOK_MOST) * most / _AT_ONCE


def _growing(prototype: Prototype, writing: Writing, most: int) -> None:
    if writing.done or len(writing.text) > most:
        # The whole page: the answer is in the store now, with its evidence; or it is to be looked at
        # less often from now on, which only a new fragment does.
        st.rerun()
    if writing.text:
        st.markdown(_so_far(writing))
    elif writing.preparing is not None:
        preparation.progress(writing.preparing, "Your question is next.")
    elif writing.turn is not None:
        st.markdown(f":shimmer[{_in_line(writing.turn.ahead)}]")
    else:
        st.markdown(":shimmer[Searching the documents…]")
    remarks(prototype, chips.untold(writing.where, writing.proposed or ()))
    st.button(
        "Stopping…" if writing.stopping else "Stop",
        key="stop",
        icon=":material/stop_circle:",
        on_click=writing.stop,
        disabled=writing.stopping,
    )


def _in_line(ahead: int) -> str:
    if not ahead:
        return "Others are being answered. Yours is next…"
    return f"Others are being answered. {ahead} question{' is' if ahead == 1 else 's are'} before yours…"


def _so_far(writing: Writing) -> str:
    """Half an answer, drawn as the whole will be: a chip for every citation that was checked by now."""
    text, draft = writing.so_far
    return answer_markdown(text, [c for c in draft.citations if c.answer_end <= len(text)], draft.claims)


def _ended(
    page: Page, prototype: Prototype, conversation: Conversation, writing: Writing, lead: str = ""
) -> None:
    if writing.text:
        st.markdown(_so_far(writing))
    if writing.error:
        frame.problem(f"{lead}{writing.error}")
    else:
        st.caption("Stopped before it was asked.")
    with st.container(horizontal=True, gap="xsmall"):
        everything = (page, prototype, conversation, writing)
        st.button("Try again", key="try-again", icon=":material/refresh:", on_click=_again, args=everything)
        st.button(
            "Change the question", key="change", icon=":material/edit:", on_click=_change, args=everything
        )


def _change(page: Page, prototype: Prototype, conversation: Conversation, writing: Writing) -> None:
    page.writings.drop(conversation.id, writing)
    st.session_state[INPUT] = writing.question
    if not conversation.answers:
        conversations.close()


def _again(page: Page, prototype: Prototype, conversation: Conversation, writing: Writing) -> None:
    # One that failed without a word is stored, but it is the one before that stands there.
    instead_of = (writing.partial, writing.replaces)
    replaced = [a for a, _ in conversations.answers(page, conversation) if a.id in instead_of]
    chosen = replaced[0] if replaced else None
    ask(page, prototype, conversation, writing.question, chosen, writing.proposed)
