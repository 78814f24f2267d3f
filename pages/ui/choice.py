"""Which prototype is asked, and the beginning of a conversation: choose, be greeted, ask."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.ui import address, frame
from pages.ui.text import coloured, cut, one_line, plain
from rag.config import DEFAULT_PROTOTYPE
from rag.errors import PrototypeError
from rag.prototypes import Prototype
from rag.types import Conversation

_CHOICE = "prototype-choice"


def chosen(prototypes: list[Prototype], conversation: Conversation | None) -> Prototype:
    """The prototype of the open conversation, else that of the address, else the first-run one.

    A name that does not exist is told in a sentence. Raises :class:`PrototypeError` where
    there is none at all.
    """
    if not prototypes:
        raise PrototypeError("There is no prototype to ask. Make one: python -m rag ingest FOLDER.")
    by_name = {prototype.name: prototype for prototype in prototypes}
    fallback = by_name.get(DEFAULT_PROTOTYPE, prototypes[0])
    asked = conversation.prototype if conversation else address.get(address.PROTOTYPE)
    if asked and asked not in by_name:
        frame.remember_notice(f"There is no prototype “{cut(asked, 60)}” here, so this is {fallback.title}.")
    found = by_name.get(asked or "", fallback)
    if address.get(address.PROTOTYPE) != found.name:
        address.put(address.PROTOTYPE, found.name)
    return found


def welcome(prototypes: list[Prototype], prototype: Prototype, ask: Callable[[str], None]) -> None:
    """The beginning: the prototypes with one of them chosen, its greeting, questions to click."""
    if len(prototypes) > 1:
        _chooser(prototypes, prototype)
    st.title(f"{prototype.icon} {one_line(prototype.title)}", anchor=False)
    if prototype.description:
        st.caption(one_line(prototype.description))
    if prototype.greeting:
        st.markdown(plain(prototype.greeting))
    if prototype.suggestions:
        st.space("small")
        st.caption("Try one of these, or ask your own below")
        for n, suggestion in enumerate(prototype.suggestions):
            st.button(
                one_line(suggestion),
                key=f"suggestion-{n}",
                icon=":material/arrow_forward:",
                on_click=ask,
                args=(suggestion,),
            )


def _chooser(prototypes: list[Prototype], prototype: Prototype) -> None:
    in_order = sorted(prototypes, key=lambda p: p.name != DEFAULT_PROTOTYPE)  # the first-run one first
    by_name = {p.name: p for p in in_order}
    st.session_state[_CHOICE] = prototype.name  # the address decides, also after Back
    st.pills(
        "Ask about",
        list(by_name),
        key=_CHOICE,
        required=True,
        format_func=lambda name: f"{by_name[name].icon} {one_line(by_name[name].title)}",
        on_change=_choose,
    )


def _choose() -> None:
    frame.forget_notices()
    address.put(address.PROTOTYPE, st.session_state[_CHOICE])


def heading(prototype: Prototype) -> None:
    """The head of an open conversation: whose documents answer."""
    st.markdown(coloured(f"{prototype.icon} {prototype.title}", prototype.accent))


def problems(sentences: list[str]) -> None:
    """Prototypes that do not load, each in its sentence."""
    for sentence in sentences:
        frame.problem(sentence)
