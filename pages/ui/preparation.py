"""The line that says how far a prototype's documents are read, until they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import frame
from pages.ui.frame import Page
from pages.ui.text import one_line
from rag.prototypes import Prototype
from rag.types import IngestProgress

if TYPE_CHECKING:
    from rag.prepare import Preparation

_LOOK = 0.5
"""Seconds between two looks at how far it is."""


def status(page: Page, prototype: Prototype, *, told: bool, remark: str = "You can ask already.") -> bool:
    """Begin to prepare if need be, and show how far it is. True once it is ready.

    While it is not, a fragment looks again by itself, and has the page drawn anew when
    it is ready, so that the filters appear. ``told``: a question that waits for it shows
    how far it is already. ``remark`` ends the line.
    """
    key = _key(prototype)
    if key not in st.session_state:  # the engine would begin again after a failure; that is for the reader
        st.session_state[key] = page.engine.prepare(prototype.name)
    preparation: Preparation = st.session_state[key]
    if preparation.ready:
        return True
    if preparation.error and not told:
        frame.problem(preparation.error)
        st.button(
            "Try again",
            key="prepare-again",
            icon=":material/refresh:",
            on_click=forget_failure,
            args=(prototype,),
        )
        return False
    if not told:
        st.fragment(_watch, run_every=_LOOK)(preparation, remark)
    return False


def is_ready(prototype: Prototype) -> bool:
    """Whether this session knows already that the documents are read."""
    found = st.session_state.get(_key(prototype))
    return found is not None and bool(found.ready)


def forget_failure(prototype: Prototype) -> None:
    """Callback: let the next run begin again where it failed, because a reader tries again."""
    found = st.session_state.get(_key(prototype))
    if found is not None and found.error:
        del st.session_state[_key(prototype)]


def _key(prototype: Prototype) -> str:
    return f"preparation-{prototype.name}"


def _watch(preparation: Preparation, remark: str) -> None:
    if preparation.ready or preparation.error:
        st.rerun()
    progress(preparation, remark)


def progress(preparation: Preparation, remark: str) -> None:
    """A bar and a line: what is being done, how far it is, how long it takes."""
    now: IngestProgress = preparation.progress
    st.progress(min(max(now.share, 0.0), 1.0), f":small[{words(now)} {remark}]")


def words(now: IngestProgress) -> str:
    """One line on how far an ingest is."""
    if now.stage in ("waiting", "loading"):
        return "Loading the language model."
    left = "" if now.seconds_left is None else f", {_left(now.seconds_left)}"
    name = f" {one_line(now.current, 40)}" if now.current else ""
    if now.stage == "reading":
        return f"Reading{name or ' the documents'}: {now.files_done} of {now.files_total}{left}."
    return f"Indexing the documents: {now.share:.0%} done{left}."


def _left(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(1, round(seconds))} s left"
    return f"about {round(seconds / 60)} min left"
