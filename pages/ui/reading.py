"""A conversation to be read: nothing to click but its evidence, nothing of whoever had it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import streamlit as st

from pages.ui import evidence, resources
from pages.ui.answer import answer_markdown, draw_question, remarks
from pages.ui.text import one_line
from rag.errors import PrototypeError
from rag.prototypes import Prototype
from rag.transcript import markdown
from rag.types import Answer


def draw(name: str, answers: Sequence[Answer]) -> None:
    """The exchanges in order. No id of an answer, browser or conversation gets into the page."""
    prototype = _prototype(name)
    st.caption(f"{prototype.icon} {one_line(prototype.title)} · read only")
    shown = [replace(a, id=f"shared-{n}", conversation_id=None) for n, a in enumerate(answers, 1)]
    for answer in shown:
        draw_question(answer.question)
        with st.chat_message("assistant", avatar=prototype.icon):
            drawn = answer_markdown(answer.text, answer.citations, answer.claims)
            st.markdown(drawn or ":gray[Nothing was written.]")
            remarks(prototype, answer.where, stopped=answer.stopped, answer=answer)
            evidence.draw(prototype, answer)
    st.download_button(
        "Download as Markdown",
        markdown(prototype.title, shown),
        file_name="conversation.md",
        mime="text/markdown",
        icon=":material/download:",
        on_click="ignore",
    )


def _prototype(name: str) -> Prototype:
    """How it looks; one that is gone looks plain."""
    try:
        return resources.engine().prototype(name)
    except PrototypeError:
        return Prototype(name=name, folder=Path(), title=name)
