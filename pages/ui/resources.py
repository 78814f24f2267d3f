"""The only objects that outlive a script run: the engine, the answers being written, the work behind it.

All are made once a server process and shared by every session and thread of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.writing import Writings

if TYPE_CHECKING:
    from rag.compare import Trials
    from rag.engine import Engine
    from rag.insights import Insights


@st.cache_resource(show_spinner=False)
def engine() -> Engine:
    """The engine. Cheap to make: whatever is heavy, it loads in ``prepare``, behind the page."""
    from rag.engine import Engine
    from rag.retention import Keeper

    made = Engine()
    days = made.environment.retention_days
    if days is not None:
        Keeper(lambda: made.store, days).start()
    made.delivery.start()  # returns at once; does nothing where no project is set up
    return made


@st.cache_resource(show_spinner=False)
def writings() -> Writings:
    """The answers being written in this server process."""
    return Writings()


@st.cache_resource(show_spinner=False)
def trials() -> Trials:
    """The comparisons being asked in this server process."""
    from rag.compare import Trials

    return Trials()


@st.cache_resource(show_spinner=False)
def insights() -> Insights:
    """What the feedback page has computed behind it."""
    from rag.insights import Insights

    return Insights(engine())
