"""A visit by link: what the link leads to, and nothing else of this installation."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

import streamlit as st

from pages.ui import access, address, browser, resources
from pages.ui.text import one_line, plain
from rag.errors import ThumbprintError
from rag.link import Link, secret_under, visitor_of
from rag.prototypes import Prototype
from rag.types import LinkKind

_UNLOCKED = 30 * 86_400
"""Seconds for which a browser that gave a link's password is not asked again."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit to a prototype by link."""

    token: str
    link: Link
    prototype: Prototype
    """Under the link's settings."""
    secret: str
    """Of the conversations that this browser has under this link."""
    visitor: str
    """What the caps of the link count this browser as."""


def current() -> Visit | None:
    """The visit that the address says; None without a link. Ends the run where the link opens nothing."""
    token = address.get(address.LINK)
    if token is None:
        return None
    try:
        link = open_link(token, "prototype")
        prototype = resources.links().prototype(link)
    except ThumbprintError as error:
        refused(str(error))
    secret = browser.browser_secret()
    return Visit(token, link, prototype, secret_under(link.id, secret), visitor_of(link.id, secret))


def open_link(token: str, kind: LinkKind) -> Link:
    """The link, once its password was given, where it has one. Raises LinkError; may end the run."""
    link = resources.links().resolve(token, kind)
    if link.terms.password is not None and not _is_unlocked(link):
        with access.narrow():
            st.title(":material/lock: Shared with you", anchor=False)
            if link.terms.label:
                st.markdown(one_line(link.terms.label))
            st.markdown("This link has a password. Whoever sent it can tell you.")
            access.password_form(f"link {link.id}", "Password", partial(_unlock, link))
        browser.remember()
        st.stop()
    return link


def refused(sentence: str) -> NoReturn:
    """Say why the link opens nothing, and end the run."""
    with access.narrow():
        st.title(":material/link_off: This link does not open", anchor=False)
        st.markdown(plain(sentence))
    browser.remember()
    st.stop()
    raise AssertionError("st.stop ends the run")


def _unlock(link: Link, password: str) -> None:
    guard = resources.owner().guard
    guard.check(f"link {link.id}", access.client_address(), password, link.terms.password or "")
    until = f"{time.time() + _UNLOCKED:.0f}"
    resources.engine().store.gate.set_key(_name(link), until)


def _is_unlocked(link: Link) -> bool:
    until = resources.engine().store.gate.key(_name(link))
    return until is not None and time.time() < float(until)


def _name(link: Link) -> str:
    return f"unlocked {visitor_of(link.id, browser.browser_secret())}"
