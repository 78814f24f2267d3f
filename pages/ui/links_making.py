"""Make a link: whose documents, until when, for how much; and its address, which is shown once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

import streamlit as st

from pages.ui import frame
from pages.ui.text import one_line
from rag.config import parse_assignments, with_settings
from rag.errors import ThumbprintError
from rag.link import MAX_LABEL
from rag.links import Links
from rag.prototypes import Prototype
from rag.types import LinkCaps, LinkKind

_MADE = "links-made"
_ROUND = "links-round"
"""Counts the links made, so that the next form begins empty and one that was refused does not."""
_DAY = 86_400
_UNTIL = {
    "No end": None,
    "A day": _DAY,
    "A week": 7 * _DAY,
    "A month": 30 * _DAY,
    "A quarter": 91 * _DAY,
    "A year": 365 * _DAY,
}


def address_of(token: str, kind: LinkKind) -> str:
    """The address that is sent: of this server as this browser knows it."""
    path = "shared" if kind == "conversation" else ""
    here = urlsplit(st.context.url or "")
    base = here.path.rsplit("/", 1)[0] if here.path.rsplit("/", 1)[-1] in ("links", "library") else here.path
    return urlunsplit((here.scheme, here.netloc, f"{base.rstrip('/')}/{path}", f"link={token}", ""))


def draw(links: Links, prototypes: Sequence[Prototype], chosen: Prototype) -> None:
    """The form, and the address of the link that was just made."""
    made = st.session_state.get(_MADE)
    if made:
        with st.container(border=True):
            st.markdown(":material/check_circle: **The link is ready.** Copy it now: it is not shown again.")
            st.code(made, language=None, wrap_lines=True)
            st.button("Done", key="links-done", on_click=_forget)
    by_name = {p.name: p for p in prototypes}
    with st.expander("Make a link", icon=":material/add_link:", expanded=not made, key="links-new"):
        st.caption(
            "A link leads to the chat of one prototype and to nothing else. Its settings are frozen as they "
            "are now; the documents may change."
        )
        with st.form("links-form", border=False):
            left, right = st.columns(2)
            left.selectbox(
                "Prototype",
                list(by_name),
                index=list(by_name).index(chosen.name),
                key=_key("prototype"),
                format_func=lambda name: f"{by_name[name].icon} {by_name[name].title}",
            )
            right.text_input(
                "Label", key=_key("label"), max_chars=MAX_LABEL, placeholder="For whom, for what"
            )
            left.selectbox("Ends after", list(_UNTIL), key=_key("until"))
            right.text_input(
                "Password", key=_key("password"), type="password", placeholder="None", autocomplete="off"
            )
            columns = st.columns(4)
            count = {"min_value": 1, "value": None, "step": 1, "placeholder": "No cap"}
            columns[0].number_input("Questions per visitor", key=_key("visitor"), **count)
            columns[1].number_input("Questions a day", key=_key("day"), **count)
            columns[2].number_input("Questions in all", key=_key("total"), **count)
            columns[3].number_input(
                "Budget, US$",
                key=_key("dollars"),
                min_value=0.0,
                value=None,
                step=1.0,
                placeholder="No cap",
                help="For answers that a model writes. Beyond it, answers are quoted from the documents.",
            )
            st.text_area(
                "Settings of its own",
                key=_key("settings"),
                height="content",
                placeholder="One KEY=VALUE a line, on top of the prototype's",
            )
            st.form_submit_button(
                "Make the link",
                type="primary",
                icon=":material/add_link:",
                on_click=_make,
                args=(links, by_name),
            )


def _make(links: Links, by_name: dict[str, Prototype]) -> None:
    state = st.session_state
    prototype = by_name[state[_key("prototype")]]
    seconds = _UNTIL[state[_key("until")]]
    lines = [line for line in str(state[_key("settings")] or "").splitlines() if line.strip()]
    try:
        settings = with_settings(prototype.settings, parse_assignments(lines))
        _, token = links.create(
            prototype.name,
            label=state[_key("label")] or "",
            expires=None if seconds is None else time.time() + seconds,
            password=state[_key("password")] or None,
            caps=LinkCaps(
                visitor=state[_key("visitor")],
                day=state[_key("day")],
                total=state[_key("total")],
                dollars=state[_key("dollars")],
            ),
            settings=settings,
        )
    except ThumbprintError as error:
        frame.remember_problem(str(error))
        return
    state[_MADE] = address_of(token, "prototype")
    state[_ROUND] = state.get(_ROUND, 0) + 1


def _key(field: str) -> str:
    return f"links-{field}-{st.session_state.get(_ROUND, 0)}"


def _forget() -> None:
    st.session_state.pop(_MADE, None)


def describe(label: str) -> str:
    """A link's name on the page."""
    return one_line(label) or "Without a label"
