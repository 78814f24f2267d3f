"""How delivery to Supabase stands: what waits, what was set aside and why, and a way to try again.

Part of the owner's feedback page. It looks again by itself while something waits.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import frame
from pages.ui.library_words import counted
from pages.ui.text import plain
from rag.errors import ThumbprintError

if TYPE_CHECKING:
    from rag.engine import Engine
    from rag.standing import Standing
    from rag.store.outbox import Refused

_LOOK = 2.0
"""Seconds between two looks while something waits."""
_SHOWN = 20
"""Rows set aside that are listed."""
_KINDS = {
    "answer": "Answer",
    "feedback": "Feedback",
    "preference": "Comparison",
    "link": "Link",
    "erase": "Erasure",
}


def draw(page: frame.Page) -> None:
    """Where what people said is kept by now, in a line; more where there is something to do.

    Nothing where no project is set up.
    """
    if page.engine.delivery.configured:
        waiting = page.engine.delivery.standing().waiting
        watched = st.fragment(_watch, run_every=_LOOK if waiting.rows else None)
        watched(page.engine)


def _watch(engine: Engine) -> None:
    standing = engine.delivery.standing()
    first, *more = standing.sentences
    with st.container(gap="xsmall", key="delivery"):
        st.markdown(f"{_icon(standing)} :small[{plain(first)}]")
        problem = standing.waiting.problem
        for sentence in more:
            if sentence == problem:
                since = standing.waiting.problem_since
                when = "" if since is None else f" (since {_clock(since)})"
                st.warning(plain(sentence) + when, icon=":material/cloud_off:")
            elif "set aside" not in sentence:  # the list below says it
                st.markdown(f":small[{plain(sentence)}]")
        if standing.waiting.refused:
            _set_aside(engine, standing.waiting.refused)


def _icon(standing: Standing) -> str:
    waiting = standing.waiting
    if waiting.problem or waiting.refused:
        return ":orange[:material/cloud_alert:]"
    return ":blue[:material/cloud_upload:]" if waiting.rows else ":green[:material/cloud_done:]"


def _set_aside(engine: Engine, count: int) -> None:
    with st.expander(f"{counted(count, 'row')} set aside", icon=":material/inventory_2:"):
        st.button(
            "Try again",
            key="delivery-retry",
            icon=":material/refresh:",
            on_click=_retry,
            args=(engine,),
            help="All of them. What Supabase still does not take comes back here, with the reason.",
        )
        rows = engine.store.outbox.refused(_SHOWN)
        for row in rows:
            st.markdown(_line(row))
        if count > len(rows):
            st.caption(f"and {count - len(rows):,} more")


def _line(row: Refused) -> str:
    kind = _KINDS.get(row.kind, row.kind)
    return f"**{kind}** :gray[{_clock(row.created)}, `{row.row_id[:8]}`]  \n:small[{plain(row.reason)}]"


def _clock(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%d %b %Y, %H:%M} UTC"


def _retry(engine: Engine) -> None:
    try:
        engine.delivery.retry()
    except ThumbprintError as error:
        frame.remember_problem(str(error))
