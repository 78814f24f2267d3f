"""The only objects that outlive a script run: the engine, what stands on it, the answers being written.

All are made once a server process and shared by every session and thread of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.writing import Writings

if TYPE_CHECKING:
    from rag.access import Owner
    from rag.compare import Trials
    from rag.engine import Engine
    from rag.insights import Insights
    from rag.limits import Rates
    from rag.links import Links


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
    """The answers being written in this server process, so many at once."""
    from rag.limits import Turns

    limits = engine().environment.limits
    return Writings(Turns(limits.concurrent, limits.waiting))


@st.cache_resource(show_spinner=False)
def _ended_sessions() -> dict[str, int]:
    """Sessions of the owner that were signed out, in this server process."""
    return {}


def owner() -> Owner:
    """Who the owner is. It keeps nothing itself but what was signed out: its facts are in the store."""
    from rag.access import Owner

    made = engine()
    environment = made.environment
    return Owner(
        lambda: made.store, environment.owner_password, environment.owner_hours, ended=_ended_sessions()
    )


@st.cache_resource(show_spinner=False)
def rates() -> Rates:
    """How much each client asked lately, in this server process."""
    from rag.limits import Rates

    return Rates()


@st.cache_resource(show_spinner=False)
def links() -> Links:
    """The links, resolved with Supabase where the owner's key is there."""
    from rag.links import Links

    return Links.of(engine())


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
