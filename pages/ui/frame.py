"""What every page opens with: its set-up, who is looking, and how errors are told.

A deep link runs the script of its page alone, so each of them calls :func:`open_page`
first and draws inside :func:`told`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import streamlit as st

from pages.ui import address, resources
from pages.ui.browser import browser_secret
from pages.ui.text import plain
from pages.ui.writing import Writings
from rag.errors import ThumbprintError

if TYPE_CHECKING:
    from rag.engine import Engine

NAME = "Thumbprint"
CHAT = "app.py"
LIBRARY = "pages/library.py"
FEEDBACK = "pages/feedback.py"
COMPARE = "pages/compare.py"
_MENU = (
    (CHAT, "Chat", ":material/chat:"),
    (LIBRARY, "Library", ":material/folder_open:"),
    (FEEDBACK, "Feedback", ":material/thumbs_up_down:"),
    (COMPARE, "Compare", ":material/compare:"),
)
_NOTICES = "notices"
_PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Page:
    """What a page works with: the engine, the answers being written, the reader's secret."""

    engine: Engine
    writings: Writings
    secret: str


def open_page(title: str = "", icon: str | None = None, *, at: str = CHAT, wide: bool = False) -> Page:
    """Set the page up, draw the menu and say who is looking. The first call of every page.

    ``at`` is the page that calls, as the menu names it.
    """
    layout: Literal["wide", "centered"] = "wide" if wide else "centered"
    st.set_page_config(page_title=f"{title} · {NAME}" if title else NAME, page_icon=icon, layout=layout)
    address.settle(at)
    with st.sidebar:  # drawn first, so that the page does not move aside when the rest of it comes
        st.markdown(f"### :material/fingerprint: {NAME}")
        with st.container(gap="xsmall", key="menu"):
            for script, label, symbol in _MENU:
                link(script, label, symbol, here=at)
    return Page(resources.engine(), resources.writings(), browser_secret())


def link(script: str, label: str, symbol: str, *, here: str) -> None:
    """A link to a page of the menu, which keeps the prototype. ``here`` is the page it stands on."""
    st.page_link(script, label=label, icon=symbol, query_params=address.towards(script, here))


@contextmanager
def told() -> Iterator[None]:
    """Whatever goes wrong inside in a way that a person can act on, is told in its own words."""
    try:
        yield
    except ThumbprintError as error:
        problem(str(error))


def problem(sentence: str) -> None:
    """Draw an error: one or two sentences, what happened and what to do."""
    st.error(plain(sentence), icon=":material/error:")


def remember_notice(sentence: str) -> None:
    """Keep something to tell about where the reader was led; shown until their next step."""
    kept: list[str] = st.session_state.setdefault(_NOTICES, [])
    if sentence not in kept:
        kept.append(sentence)


def notices() -> None:
    """Draw what is to be told."""
    for sentence in st.session_state.get(_NOTICES, []):
        st.info(plain(sentence), icon=":material/info:")


def forget_notices() -> None:
    """The reader has taken a step. For callbacks."""
    st.session_state.pop(_NOTICES, None)


def remember_problem(sentence: str) -> None:
    """Keep an error of a callback for :func:`remembered_problem`; a callback must not draw."""
    st.session_state[_PROBLEM] = sentence


def remembered_problem() -> None:
    """Draw the error that a callback met, once."""
    sentence = st.session_state.pop(_PROBLEM, None)
    if sentence:
        problem(sentence)
