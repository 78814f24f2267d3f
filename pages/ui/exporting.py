"""Getting feedback out: what is meant, in which format, how private; then a file to download."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import streamlit as st

from pages.ui import frame
from pages.ui.frame import Page
from pages.ui.text import one_line
from rag.errors import ThumbprintError
from rag.export import FORMATS, Options
from rag.export.making import Making
from rag.store import Selection

_MAKING = "export-making"
_DAY = "YYYY-MM-DD"
_UTC = "A day of the calendar of UTC"
_LOOK = 0.5
"""Seconds between two looks at how far it is."""
_ALL = ""
"""Stands for all prototypes; none has an empty name."""
_RATINGS = {
    "any": "Any or none",
    "rated": "Either thumb",
    "up": "Thumbs up",
    "down": "Thumbs down",
    "none": "No thumb",
}
_IDS = {"keep": "As they are", "hash": "Hashed", "drop": "Left out"}
_LABELS = {"named": "Passages that readers named", "cited": "Also what liked answers cite"}
_PROMPTS = {
    "passages": "Instructions, passages and question",
    "messages": "The same, as chat messages",
    "question": "The question alone",
}


@st.fragment
def draw(page: Page) -> None:
    """The whole of it. A fragment: nothing else of the page runs for a choice made here."""
    name = st.selectbox(
        "Format",
        list(FORMATS),
        key="export-format",
        format_func=lambda name: FORMATS[name].title,
    )
    st.caption(FORMATS[name].about)
    selection = _selection(page)
    options = _options(name, selection)
    count = page.engine.store.count(selection)
    making: Making | None = st.session_state.get(_MAKING)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Prepare the file",
            key="export-start",
            type="primary",
            icon=":material/file_save:",
            disabled=making is not None and making.running,
            on_click=_start,
            args=(page, name, options),
        )
        st.caption(f"{count:,} answer{'' if count == 1 else 's'} match{'es' if count == 1 else ''}")
    if making is not None:
        if making.running:
            st.fragment(_watch, run_every=_LOOK)(making)
        else:
            _ended(making)


def _selection(page: Page) -> Selection:
    prototypes, _ = page.engine.prototypes()
    titles = {_ALL: "All prototypes", **{p.name: one_line(f"{p.icon} {p.title}") for p in prototypes}}
    with st.container(horizontal=True):
        prototype = st.selectbox(
            "Prototype", list(titles), key="export-prototype", format_func=lambda name: titles[name]
        )
        rating = st.selectbox(
            "Rating", list(_RATINGS), key="export-rating", format_func=lambda rating: _RATINGS[rating]
        )
    with st.container(horizontal=True):
        since = st.date_input("From", value=None, format=_DAY, key="export-since", help=_UTC)
        until = st.date_input("Up to and with", value=None, format=_DAY, key="export-until", help=_UTC)
        link = st.text_input(
            "Link", key="export-link", help="The id of a shared link: answers of its visitors"
        )
    return Selection(
        prototype=prototype or None,
        link=link.strip() or None,
        since=_midnight(since),
        until=_midnight(until, days=1),
        rating=None if rating == "any" else rating,
    )


def _options(name: str, selection: Selection) -> Options:
    chosen: dict[str, Any] = {}
    with st.container(horizontal=True):
        chosen["ids"] = st.selectbox(
            "Ids of conversations and links",
            list(_IDS),
            key="export-ids",
            format_func=lambda ids: _IDS[ids],
            help="A hash still tells which answers are of one conversation. It cannot be turned back without "
            "the key, which stays in the data folder.",
        )
        if name in ("beir", "trec"):
            chosen["labels"] = st.selectbox(
                "Relevant are", list(_LABELS), key="export-labels", format_func=lambda labels: _LABELS[labels]
            )
        if name in ("kto", "dpo"):
            chosen["prompt"] = st.selectbox(
                "Prompt", list(_PROMPTS), key="export-prompt", format_func=lambda prompt: _PROMPTS[prompt]
            )
    redact = st.toggle(
        "Hide e-mail addresses, phone and card numbers",
        key="export-redact",
        help="In every text, the documents' own too. They are found by their form; names are not.",
    )
    return Options(selection, redact=redact, **chosen)


def _start(page: Page, name: str, options: Options) -> None:
    before: Making | None = st.session_state.get(_MAKING)
    if before is not None:
        before.discard()
    try:
        making = Making(page.engine.store, page.engine.environment.home, name, options)
    except ThumbprintError as error:
        frame.remember_problem(str(error))
        return
    making.start()
    st.session_state[_MAKING] = making


def _watch(making: Making) -> None:
    """How far it is; the rest is drawn anew when it has ended."""
    if not making.running:
        st.rerun()
    now = making.progress
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(now.share if now.total else 0.0, f":small[{now.done:,} of {now.total:,} answers]")
        st.button("Stop", key="export-stop", icon=":material/stop:", on_click=making.discard)


def _ended(making: Making) -> None:
    if making.stopped:
        st.info("The export was stopped; nothing of it was kept.", icon=":material/info:")
        return
    if making.error is not None or making.done is None or making.path is None or not making.path.exists():
        frame.problem(making.error or "The export is not there any more. Prepare it again.")
        return
    counts = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in making.done.counts.items())
    path = making.path
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            f"Download {path.name}",
            data=lambda: path.open("rb"),  # read when it is clicked, not on every run
            file_name=path.name,
            mime="application/octet-stream",
            key="export-download",
            icon=":material/download:",
            on_click="ignore",
        )
        st.caption(f"{making.format.title}, {_size(path.stat().st_size)}: {counts}")


def _midnight(day: date | None, *, days: int = 0) -> float | None:
    if day is None:
        return None
    return (datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=days)).timestamp()


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size / 1e3:,.1f} kB"
