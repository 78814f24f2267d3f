"""The chat page, and the entry point: ``streamlit run app.py``."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from pages.ui import (
    admission,
    chat,
    chips,
    choice,
    conversations,
    facets,
    frame,
    preparation,
    privacy,
    selection,
)
from pages.ui.answer import draw_answer, draw_question
from pages.ui.browser import is_refused, remember
from rag.types import Answer


def main() -> None:
    """Draw the page: the sidebar, the conversation or its beginning, the input."""
    page = frame.open_page()
    prototypes, broken = page.prototypes()
    # Before the store is read: an answer that is finished by now is in there.
    writing, has_ended = chat.written(page)
    conversation = conversations.opened(page)
    prototype = choice.chosen(prototypes, conversation)
    with st.bottom:
        ready = preparation.status(page, prototype, told=writing is not None)
    if ready:
        prototype = facets.completed(page, prototype)
        selection.restore(page, prototype)
    st.set_page_config(page_title=f"{prototype.title} · {frame.NAME}", page_icon=prototype.icon)
    answers = conversations.answers(page, conversation)

    def ask(question: str, *chosen: Any) -> None:
        chat.ask(page, prototype, conversation, question, *chosen)

    def regenerate(answer: Answer) -> None:
        ask(answer.question, answer, answer.proposed or None)

    def anyway(answer: Answer) -> None:
        ask(answer.question, answer, answer.proposed or None, True)

    chips.style()
    frame.notices()
    if conversation is None:
        choice.welcome(prototypes, prototype, ask)
        choice.problems(broken)
        privacy.draw(page, prototype)
    else:
        choice.heading(prototype)
        anew = (writing.replaces, writing.partial) if writing else ()
        stays = writing is not None and has_ended and chat.keeps_earlier(writing, answers)
        for answer, feedback in answers:
            if answer.id in anew and not stays:
                continue  # only the last one is ever written anew: it stands below
            newest = answer is answers[-1][0] and (writing is None or stays)
            shown = None
            if newest and ready:
                again = partial(ask, answer.question, answer)
                shown = partial(chips.draw_of, page, prototype, answer, again)
            draw_question(answer.question, shown)
            draw_answer(
                page,
                prototype,
                answer,
                feedback,
                where=chips.untold(answer.where, answer.proposed) if shown else answer.where,
                regenerate=regenerate if newest else None,
                anyway=anyway if newest else None,
            )
        if writing is not None:
            chat.draw_writing(page, prototype, conversation, writing, has_ended=has_ended, stays=stays)
    frame.remembered_problem()
    with st.bottom:
        if ready:
            facets.active(page, prototype)
        admission.left(page)
        if is_refused():
            st.caption("This browser keeps no cookies, so conversations end when this page is closed.")
    st.chat_input(  # not inside st.bottom: Streamlit follows the newest message only when it puts it there
        f"Ask {prototype.title}", key=chat.INPUT, on_submit=chat.submit, args=(page, prototype, conversation)
    )
    with st.sidebar:
        conversations.new_button(conversation)
        if ready:
            facets.draw(page, prototype)
            selection.keep(prototype)
        conversations.listed(page, conversation, {p.name: p.icon for p in prototypes})
        if conversation is not None:
            privacy.draw(page, prototype)
    conversations.dialogs(page, conversation)
    remember()


with frame.told():
    main()
