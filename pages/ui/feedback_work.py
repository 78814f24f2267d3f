"""What the page has computed behind it: since when the topics stand, how many thumbs down wait."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.ui import feedback_filters as filters
from pages.ui import frame, resources
from pages.ui.frame import Page
from pages.ui.text import one_line
from rag.topics import FEWEST

_LOOK = 1.0
"""Seconds between two looks at what runs."""


def begin() -> None:
    """Look, in the background, at what came since the last visit. Call it last on the page."""
    resources.insights().catch_up()


def draw() -> None:
    """How far the work is, while there is any."""
    running = resources.insights().work.running
    st.fragment(_watch, run_every=_LOOK if running else None, key="feedback-work")(running)


def _watch(running: bool) -> None:
    work = resources.insights().work
    if running != work.running:
        st.rerun()  # it has ended: there is something new to draw
    if work.error:
        frame.problem(work.error)
    if work.running:
        share = min(work.done / work.total, 1.0) if work.total else 0.0
        of = f": {work.done:,} of {work.total:,}" if work.total else ""
        st.progress(share, f":small[{one_line(work.what, 80)}{of}]")


def topics(page: Page, prototypes: Sequence[str]) -> None:
    """Since when the topics of these prototypes stand, and a button to compute them anew."""
    running = resources.insights().work.running
    known = [topic for topic in page.engine.store.topics.all() if topic.prototype in prototypes]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="feedback-topics"):
        if known:
            when = filters.minute(min(topic.computed for topic in known))
            st.caption(f"Topics computed {one_line(when)}. New questions join the nearest.", width="content")
        else:
            st.caption(
                f"Questions have not been put together by topic yet. It takes {FEWEST} different ones.",
                width="content",
            )
        if st.button(
            "Compute anew" if known else "Find topics",
            key="feedback-regroup",
            icon=":material/refresh:" if known else ":material/category:",
            type="tertiary",
            disabled=running,
        ):
            resources.insights().regroup(prototypes)
            st.rerun()
