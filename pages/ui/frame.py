"""What every page opens with: its set-up, who is looking, and how errors are told.

A deep link runs the script of its page alone, so each of them calls :func:`open_page`
first and draws inside :func:`told`. A page of the owner's opens with ``owner=True``: then
nothing of it runs for anyone else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar, cast

import streamlit as st

from pages.ui import access, address, browser, resources, visit
from pages.ui.browser import browser_secret
from pages.ui.text import plain
from pages.ui.visit import Visit
from pages.ui.writing import Writings
from rag.errors import ThumbprintError
from rag.prototypes import Prototype

if TYPE_CHECKING:
    from rag.engine import Engine


T = TypeVar("T")
NAME = "Thumbprint"
CHAT = "app.py"
LIBRARY = "pages/library.py"
FEEDBACK = "pages/feedback.py"
COMPARE = "pages/compare.py"
LINKS = "pages/links.py"
SHARED = "pages/shared.py"
_MENU = (
    (CHAT, "Chat", ":material/chat:"),
    (LIBRARY, "Library", ":material/folder_open:"),
    (FEEDBACK, "Feedback", ":material/thumbs_up_down:"),
    (COMPARE, "Compare", ":material/compare:"),
    (LINKS, "Links", ":material/share:"),
)
_NOTICES = "notices"
_PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Page:
    """What a page works with: the engine, the answers being written, the reader's secret.

    ``visit`` is there where the reader came by a link to a prototype, and sees nothing but that.
    """

    engine: Engine
    writings: Writings
    secret: str
    visit: Visit | None = None

    def prototypes(self) -> tuple[list[Prototype], list[str]]:
        """Those that this reader may ask, and a sentence for each that does not load."""
        return self.engine.prototypes() if self.visit is None else ([self.visit.prototype], [])

    def guarded(self, owned: T) -> T:
        """Something of the owner's, checked for at every use as the engine of an owner's page is."""
        return cast("T", access.Guarded(owned))


def open_page(
    title: str = "", icon: str | None = None, *, at: str = CHAT, wide: bool = False, owner: bool = False
) -> Page:
    """Set the page up, draw the menu and say who is looking. The first call of every page.

    ``at`` is the page that calls, as the menu names it. With ``owner``, the run ends here for
    everyone but the owner, before anything was read, and the engine that is given checks again
    at every use.
    """
    layout: Literal["wide", "centered"] = "wide" if wide else "centered"
    st.set_page_config(page_title=f"{title} · {NAME}" if title else NAME, page_icon=icon, layout=layout)
    address.settle(at)
    visited = visit.current() if at == CHAT else None
    owner = owner or (at == CHAT and visited is None and resources.engine().environment.chat == "links")
    if owner:
        access.require_owner()
    if at != SHARED:  # where there is nothing to go to, there is no sidebar
        with st.sidebar:  # drawn first, so that the page does not move aside when the rest of it comes
            st.markdown(f"### :material/fingerprint: {NAME}")
            if visited is None:
                _menu(at)
    engine = resources.engine()
    if owner:
        engine = cast("Engine", access.Guarded(engine))
    secret = browser_secret() if visited is None else visited.secret
    return Page(engine, resources.writings(), secret, visited)


def _menu(at: str) -> None:
    """The pages, for the owner; for everyone else the way to sign in."""
    is_owner = access.is_owner()
    with st.container(gap="xsmall", key="menu"):
        if is_owner or access.may_claim():
            for script, label, symbol in _MENU:
                link(script, label, symbol, here=at)
        else:
            link(LIBRARY, "For the owner", ":material/lock:", here=at)
        if is_owner and browser.owner_session():
            st.button(
                "Sign out",
                key="sign-out",
                icon=":material/logout:",
                type="tertiary",
                on_click=access.sign_out,
            )


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
