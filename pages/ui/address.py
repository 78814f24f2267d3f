"""The address of the page: what of it counts, when, and how it is changed.

A browser sends its address with every request for a run. A request that was on its way
when a callback changed the address (a fragment that looks again by itself, a second
click) still carries the old one, and would lead back to where the reader has left. So
the session keeps what the address should be; the browser's own counts only when the
session begins and when the reader goes back or forward.
"""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

CONVERSATION = "conversation"
PROTOTYPE = "prototype"
FILTERS = "filters"
_NAMES = (CONVERSATION, PROTOTYPE, FILTERS)
_KEPT = "address"


def settle() -> None:
    """Bring the session and the address into line. Call it at the beginning of a run."""
    shown = {name: st.query_params[name] for name in _NAMES if name in st.query_params}
    kept: dict[str, str] | None = st.session_state.get(_KEPT)
    if kept is None or _went_back_or_forward():
        st.session_state[_KEPT] = shown
    elif kept != shown:
        for name in _NAMES:
            put(name, kept.get(name))


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
