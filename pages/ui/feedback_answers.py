"""The list of answers: filtered, searched, in pages; and the list of what went wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import streamlit as st

from pages.ui import address, frame
from pages.ui import feedback_filters as filters
from pages.ui.feedback_overview import draw_failures
from pages.ui.frame import Page
from pages.ui.library_words import counted
from pages.ui.text import cut, one_line
from rag.prototypes import Prototype
from rag.store import Order, Query, Row
from rag.types import Finding

_ROWS = 25
_PAGES = ("feedback-page-answers", "feedback-page-failures")
_WRONG = "feedback-wrong"
_THUMBS = {
    "up": ":green[:material/thumb_up:]",
    "down": ":red[:material/thumb_down:]",
    None: ":gray[:material/remove:]",
}


def draw(page: Page, prototypes: Mapping[str, Prototype], query: Query) -> None:
    """The answers that the query means."""
    order = cast(Order, st.session_state.get(filters.ORDER, "newest"))
    _list(page, prototypes, query, order, "answer")


def draw_failures_of(page: Page, prototypes: Mapping[str, Prototype], query: Query) -> None:
    """The thumbs down, each with where it went wrong, as the program found it or the owner says."""
    store = page.engine.store
    failures = store.digest.failures(query)
    total = sum(failures.values())
    if not total:
        st.markdown(
            "**No thumbs down in this period.** When somebody gives one, the program looks for the step that "
            "failed, and says here what it found."
        )
        return
    draw_failures(failures)
    options = [failure for failure in filters.FAILURES if failures.get(failure)]
    if st.session_state.get(_WRONG) not in options:
        st.session_state[_WRONG] = None
    chosen = st.pills(
        "Show",
        options,
        key=_WRONG,
        format_func=lambda failure: f"{filters.failure_name(failure)} :gray[{failures[failure]:,}]",
        label_visibility="collapsed",
        on_change=from_the_first,
        persist_state="session",
    )
    narrowed = Query(replace(query.selection, rating="down"), failure=chosen)
    _list(page, prototypes, narrowed, "rated", "thumb down", plural="thumbs down", findings=True)


def from_the_first() -> None:
    """Callback: something was set, so the list begins anew."""
    for key in _PAGES:
        if key in st.session_state:  # to set what is not drawn yet would make it a second default
            st.session_state[key] = 1


def open_(answer_id: str | None) -> None:
    """Callback: show that answer, or the list again."""
    frame.forget_notices()
    address.put(address.ANSWER, answer_id)


def _list(
    page: Page,
    prototypes: Mapping[str, Prototype],
    query: Query,
    order: Order,
    noun: str,
    *,
    plural: str = "",
    findings: bool = False,
) -> None:
    digest = page.engine.store.digest
    total = digest.count(query)
    if not total:
        st.markdown("**Nothing matches.** Change the words or the filters above, or clear them.")
        return
    pages = math.ceil(total / _ROWS)
    key = _PAGES[findings]
    number = st.session_state.get(key, 1)
    if number > pages:
        number = st.session_state[key] = pages
    first = (number - 1) * _ROWS
    rows = digest.page(query, order, first, _ROWS)
    of = "" if total <= _ROWS else f"{first + 1:,} to {first + len(rows):,} of "
    st.caption(f"{of}{f'{total:,} {plural}' if plural and total > 1 else counted(total, noun)}")
    found = page.engine.store.findings.of(row.answer_id for row in rows) if findings else {}
    with st.container(gap="xxsmall", key="feedback-rows"):
        for n, row in enumerate(rows):
            _row(n, row, prototypes, found.get(row.answer_id), findings=findings)
    if pages > 1:
        st.pagination(pages, key=key, max_visible_pages=7, persist_state="session")


def _row(
    n: int, row: Row, prototypes: Mapping[str, Prototype], finding: Finding | None, *, findings: bool
) -> None:
    """A line for an answer. Keys are places in the list, so that a new page changes only words."""
    facts = [filters.day(row.created), cut(filters.title(prototypes, row.prototype), 30)]
    facts += [filters.reason_name(reason) for reason in row.reasons]
    if row.abstained:
        facts.append("“I don't know”")
    if row.origin != "chat":
        facts.append(row.origin)
    words = one_line(" · ".join(facts))
    if row.note:
        words += " · :material/edit_note:"
    # Isolated: a question written from right to left would draw the date behind it into itself.
    question = f"\u2068{one_line(row.question, 110)}\u2069"
    label = f"{_THUMBS[row.rating]} **{question}**&ensp;:gray[{words}]"
    st.button(
        label, key=f"feedback-open-{n}", type="tertiary", on_click=open_, args=(row.answer_id,), wrap=False
    )
    if findings:
        corrected = row.failure not in ("waiting", finding.failure or "unclear" if finding else "waiting")
        why = "Corrected by you." if corrected else finding.why if finding else ""
        badge = f":{'gray' if row.failure in ('waiting', 'unclear') else 'orange'}-badge"
        st.markdown(f"{badge}[{filters.failure_name(row.failure)}] :small[:gray[{one_line(why, 200)}]]")
