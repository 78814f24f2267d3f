"""What the author of a conversation can do with it: a read-only link to it, and its Markdown."""

from __future__ import annotations

import streamlit as st

from pages.ui import frame, resources
from pages.ui.frame import Page
from pages.ui.links_making import address_of
from rag.errors import ThumbprintError
from rag.transcript import markdown
from rag.types import Conversation


@st.dialog("Share conversation")
def share(page: Page, current: Conversation) -> None:
    """A link to what was asked and answered so far; or the links taken back."""
    if page.visit is not None:
        st.markdown("What was shared with you by link is not shared further here. Export it instead.")
        return
    links = resources.links()
    try:
        count = len(links.shared(current.id, page.secret))
        st.markdown(
            "Whoever has the link can read the questions and answers so far, with their citations and "
            "evidence; what you ask later is not in it, nor is your name or browser."
        )
        if st.button("Make a link", key="share-make", type="primary", icon=":material/add_link:"):
            _, token = links.share(current.id, page.secret)
            count += 1
            st.markdown("Copy it now: it is not shown again.")
            st.code(address_of(token, "conversation"), language=None, wrap_lines=True)
        if count:
            words = "1 link opens" if count == 1 else f"{count} links open"
            st.caption(f"{words} this conversation.")
            if st.button("Take all of them back", key="share-stop", icon=":material/link_off:"):
                links.stop_sharing(current.id, page.secret)
                st.rerun()
    except ThumbprintError as error:
        frame.problem(str(error))


@st.dialog("Export conversation")
def export(page: Page, current: Conversation) -> None:
    """The conversation as a file."""
    try:
        stored = page.engine.store.conversation_answers(current.id, page.secret)
    except ThumbprintError as error:
        frame.problem(str(error))
        return
    st.markdown("Questions, answers and quotations with their sources, as Markdown.")
    st.download_button(
        "Download",
        markdown(current.title or "Conversation", [answer for answer, _ in stored]),
        file_name="conversation.md",
        mime="text/markdown",
        icon=":material/download:",
        type="primary",
        on_click="ignore",
        key="export-markdown",
    )
