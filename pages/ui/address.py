"""The address of the page: what of it counts, when, and how it is changed.

A browser sends its address with every request for a run. A request that was on its way
when a callback changed the address (a fragment that looks again by itself, a second
click) still carries the old one, and would lead back to where the reader has left. So
the session keeps what the address should be; the browser's own counts only when the
session begins, when the reader comes from another page, and when they go back or forward.
"""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

CONVERSATION = "conversation"
PROTOTYPE = "prototype"
FILTERS = "filters"
DOCUMENT = "document"
PAIR = "pair"
ANSWER = "answer"
_NAMES = (CONVERSATION, PROTOTYPE, FILTERS, DOCUMENT, PAIR, ANSWER)
_KEPT = "address"
_PAGE = "address-page"
_LEFT = "address-left"


def settle(page: str) -> None:
    """Bring the session and the address of ``page`` into line. Call it at the beginning of a run."""
    shown = {name: st.query_params[name] for name in _NAMES if name in st.query_params}
    kept: dict[str, str] | None = st.session_state.get(_KEPT)
    before: str = st.session_state.get(_PAGE, page)
    st.session_state[_PAGE] = page
    if kept is not None and before != page:
        st.session_state[_LEFT] = {**st.session_state.get(_LEFT, {}), before: kept}
    if kept is None or before != page or _went_back_or_forward():
        st.session_state[_KEPT] = shown
    elif kept != shown:
        for name in _NAMES:
            put(name, kept.get(name))


def towards(page: str, here: str) -> dict[str, str]:
    """The parameters of a link to ``page``: the same prototype, and what was open of it there."""
    kept: dict[str, str] = st.session_state.get(_KEPT) or {}
    left: dict[str, str] = kept if page == here else st.session_state.get(_LEFT, {}).get(page, {})
    prototype = {name: kept[name] for name in (PROTOTYPE,) if name in kept}
    return left if left.get(PROTOTYPE) == prototype.get(PROTOTYPE) else prototype


def get(name: str) -> str | None:
    """The value of one of the parameters."""
    kept: dict[str, str] = st.session_state.get(_KEPT) or {}
    return kept.get(name)


def put(name: str, value: str | None) -> None:
    """Change it, or take it away. For callbacks and pages."""
    kept: dict[str, str] = dict(st.session_state.get(_KEPT) or {})
    if value is None:
        kept.pop(name, None)
        st.query_params.pop(name, None)
    else:
        kept[name] = value
        st.query_params[name] = value
    st.session_state[_KEPT] = kept


def _went_back_or_forward() -> bool:
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation
