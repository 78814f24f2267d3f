"""Conversations: which one is open, the list of them, and renaming or deleting the open one."""

from __future__ import annotations

import streamlit as st

from pages.ui import address, frame, privacy
from pages.ui.frame import Page
from pages.ui.text import cut, one_line
from rag.errors import NotFound, ThumbprintError
from rag.types import Answer, Conversation, Feedback, Turn

_SHOWN = 15
_CACHE = "answers"
_TITLE = 60
"""Characters of the first question that make the title."""

Answers = list[tuple[Answer, Feedback | None]]


def opened(page: Page) -> Conversation | None:
    """The conversation in the address, if this browser may open it; if not, says so."""
    asked = address.get(address.CONVERSATION)
    if not asked:
        return None
    try:
        return page.engine.store.conversation(asked, page.secret)
    except NotFound:
        address.put(address.CONVERSATION, None)
        frame.remember_notice(
            "This conversation does not open here: it belongs to another browser, or was deleted. "
            "Ask something to begin a new one."
        )
        return None


def close() -> None:
    """Leave the open conversation; the page shows the beginning of a new one."""
    frame.forget_notices()
    address.put(address.CONVERSATION, None)


def open_(conversation_id: str) -> None:
    """Open that conversation."""
    frame.forget_notices()
    address.put(address.CONVERSATION, conversation_id)


def begin(page: Page, prototype: str, question: str) -> str:
    """Start a conversation with that question as its title, open it and return its id."""
    started = page.engine.store.start_conversation(page.secret, prototype, cut(question, _TITLE))
    open_(started.id)
    return started.id


def answers(page: Page, conversation: Conversation | None) -> Answers:
    """The answers of a conversation with their feedback; read again only when it changed.

    The session keeps those of the conversation last shown: a rerun for a click must not
    read 50 records. A rating given in another tab shows after a reload.
    """
    if conversation is None:
        return []
    version = (conversation.id, conversation.updated, conversation.answers)
    kept: tuple[tuple[str, float, int], Answers] | None = st.session_state.get(_CACHE)
    if kept is not None and kept[0] == version:
        return kept[1]
    read = page.engine.store.conversation_answers(conversation.id, page.secret)
    st.session_state[_CACHE] = (version, read)
    return read


def turns(page: Page, conversation_id: str, before: str | None = None) -> list[Turn]:
    """The exchanges so far, up to the answer ``before`` which is about to be replaced."""
    found: list[Turn] = []
    for answer, _ in page.engine.store.conversation_answers(conversation_id, page.secret):
        if answer.id == before:
            break
        found.append(Turn(answer.question, answer.text))
    return found


def new_button(current: Conversation | None) -> None:
    """The way to a new conversation."""
    st.button(
        "New conversation",
        key="new-conversation",
        icon=":material/edit_square:",
        width="stretch",
        on_click=close,
        disabled=current is None,
    )


def listed(page: Page, current: Conversation | None, icons: dict[str, str]) -> None:
    """The list, newest first, with a menu beside the open one. Draw it in the sidebar."""
    opened_id = current.id if current else ""
    # One without an answer failed at its first question: only who is in it can go on with it.
    everything = [c for c in page.engine.store.conversations(page.secret) if c.answers or c.id == opened_id]
    if not everything:
        return
    limit = len(everything) if st.session_state.get("all-conversations") else _SHOWN
    with (
        st.expander("Conversations", expanded=True, key="conversations", type="compact"),
        st.container(gap="xxsmall"),
    ):
        for conversation in everything[:limit]:
            _entry(conversation, icons, is_open=conversation.id == opened_id)
        if len(everything) > _SHOWN:
            st.toggle(f"Show all {len(everything)}", key="all-conversations")


def _entry(conversation: Conversation, icons: dict[str, str], *, is_open: bool) -> None:
    title = conversation.title or "Untitled"
    label = f"{icons.get(conversation.prototype, '')} {one_line(title)}".strip()
    if not is_open:
        st.button(
            label,
            key=f"open-{conversation.id}",
            type="tertiary",
            wrap=False,
            on_click=open_,
            args=(conversation.id,),
        )
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", wrap=False):
        st.markdown(f"**{label}**", width="stretch", wrap=False)
        st.menu_button(
            "Edit",
            ["Rename", "Delete"],
            key="conversation-menu",
            type="tertiary",
            help="Rename or delete this conversation",
            on_click=_choose,
        )


def _choose() -> None:
    st.session_state["conversation-dialog"] = st.session_state["conversation-menu"]


def dialogs(page: Page, current: Conversation | None) -> None:
    """The dialog that the menu asked for. Call it outside the sidebar."""
    wanted = st.session_state.pop("conversation-dialog", None)
    if current is not None and wanted == "Rename":
        _rename(page, current)
    elif current is not None and wanted == "Delete":
        _delete(page, current)


@st.dialog("Rename conversation")
def _rename(page: Page, current: Conversation) -> None:
    with st.form("rename", border=False):
        title = st.text_input("Title", value=current.title, max_chars=200)
        if st.form_submit_button("Save", type="primary"):
            try:
                page.engine.store.rename_conversation(current.id, page.secret, title)
            except ThumbprintError as error:
                frame.problem(str(error))
            else:
                st.rerun()


@st.dialog("Delete conversation?")
def _delete(page: Page, current: Conversation) -> None:
    count = f"{current.answers} answer{'' if current.answers == 1 else 's'}"
    st.markdown(
        f"**{one_line(current.title)}** ({count}) will be erased for good, {privacy.where(page)}: its "
        "questions and answers, with every rating and comment. What was exported before is not reached."
    )
    with st.container(horizontal=True):
        if st.button("Delete", type="primary", icon=":material/delete:"):
            try:
                writing = page.writings.of(current.id)
                if writing is not None:
                    writing.stop()
                    page.writings.drop(current.id, writing)
                page.engine.store.delete_conversation(current.id, page.secret)
            except ThumbprintError as error:
                frame.problem(str(error))
            else:
                close()
                st.rerun()
        if st.button("Keep it"):
            st.rerun()
