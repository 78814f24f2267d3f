"""Whose documents the library page shows, and a new prototype by typing a name."""

from __future__ import annotations

import re
import unicodedata

import streamlit as st

from pages.ui import address, frame
from pages.ui.frame import Page
from pages.ui.text import one_line
from rag.errors import ThumbprintError
from rag.prototypes import Prototype

_CHOICE = "library-prototype"
_NEW = "library-new"
_POPOVER = "library-new-popover"
_LONGEST = 40
"""Characters of a name: it stands on pills and in addresses."""


def choose(page: Page, prototypes: list[Prototype], prototype: Prototype) -> None:
    """The head of the page: its name, the prototypes with one of them chosen, and a way to a new one."""
    st.title("Library", anchor=False)
    by_name = {p.name: p for p in prototypes}
    st.session_state[_CHOICE] = prototype.name  # the address decides, also after Back
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="library-head"):
        st.selectbox(
            "Documents of",
            list(by_name),
            key=_CHOICE,
            format_func=lambda name: f"{by_name[name].icon} {by_name[name].title}",
            on_change=_choose,
            width=340,
        )
        with (
            st.popover("New prototype", icon=":material/add:", key=_POPOVER, on_change="rerun"),
            st.form("library-new-form", border=False),
        ):
            st.text_input(
                "Name",
                key=_NEW,
                max_chars=_LONGEST,
                placeholder="My notes",
                help="A prototype is a set of documents with a chat of its own.",
            )
            st.form_submit_button("Make it", type="primary", on_click=_make, args=(page,))
    if prototype.description:
        st.caption(one_line(prototype.description))


def slug(name: str) -> str:
    """The name as a prototype may bear it: ``Café notes`` is ``cafe-notes``; empty where nothing is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST].rstrip("-")


def _choose() -> None:
    frame.forget_notices()
    _open(st.session_state[_CHOICE])


def _open(name: str) -> None:
    address.put(address.DOCUMENT, None)
    address.put(address.PROTOTYPE, name)


def _make(page: Page) -> None:
    frame.forget_notices()
    typed = str(st.session_state[_NEW] or "").strip()
    name = slug(typed)
    if not name:
        frame.remember_problem("A prototype needs a name with letters of a to z or digits. Type another one.")
        return
    try:
        known = {prototype.name for prototype in page.engine.prototypes()[0]}
        if name in known:
            frame.remember_notice(f"There is a prototype “{name}” already: here it is.")
        else:
            told = page.engine.create(name)
            if told:
                frame.remember_notice(told)
    except ThumbprintError as error:
        frame.remember_problem(str(error))
        return
    st.session_state[_NEW] = ""
    st.session_state[_POPOVER] = False
    _open(name)
