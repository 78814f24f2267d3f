"""The notice of what is recorded: one line that opens."""

from __future__ import annotations

import streamlit as st

from pages.ui.frame import Page
from pages.ui.text import plain
from rag.privacy import has_copy, notice
from rag.prototypes import Prototype


def draw(page: Page, prototype: Prototype) -> None:
    """What a reader of this prototype should know before they ask."""
    told = notice(prototype, page.engine.environment)
    with st.expander(told.summary, icon=":material/shield_person:", type="compact", key="recorded"):
        for paragraph in told.text.split("\n\n"):
            st.caption(plain(paragraph))


def where(page: Page) -> str:
    """Where a conversation is erased, in words for the question before it."""
    return "on this server and in Supabase" if has_copy(page.engine.environment) else "on this server"
