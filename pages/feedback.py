"""The feedback page, the owner's: what people thought of the answers, and what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from pages.ui import address, delivery, exporting, frame
from pages.ui import feedback_answer as one
from pages.ui import feedback_answers as answers
from pages.ui import feedback_filters as filters
from pages.ui import feedback_overview as overview
from pages.ui import feedback_work as work
from pages.ui.browser import remember
from rag.prototypes import Prototype

OVERVIEW, ANSWERS, FAILURES = "Overview", "Answers", "Failures"
_VIEWS = (OVERVIEW, ANSWERS, FAILURES)
# Views that do without the filters of the others, by name.
_MORE: dict[str, Callable[[frame.Page], None]] = {
    "Export": exporting.draw,
}


def main() -> None:
    """Draw the page: one answer that is open, or one of the views over all of them."""
    page = frame.open_page("Feedback", "👍", at=frame.FEEDBACK, wide=True, owner=True)
    prototypes = {prototype.name: prototype for prototype in page.engine.prototypes()[0]}
    opened = address.get(address.ANSWER)
    with st.container(width=1040, key="feedback"):
        st.title("Feedback", anchor=False)
        frame.notices()
        delivery.draw(page)
        if opened:
            one.draw(page, prototypes, opened)
        else:
            _views(page, prototypes)
    work.begin()
    remember()


def _views(page: frame.Page, prototypes: Mapping[str, Prototype]) -> None:
    view = str(
        st.segmented_control(
            "View",
            [*_VIEWS, *_MORE],
            key="feedback-view",
            required=True,
            default=OVERVIEW if "feedback-view" not in st.session_state else None,
            label_visibility="collapsed",
            persist_state="session",
        )
    )
    if view in _MORE:
        _MORE[view](page)
        return
    if page.engine.store.digest.span() is None:
        _nothing_yet(page)
        return
    query = filters.scope(page, prototypes, answers.from_the_first)
    work.draw()
    if view == OVERVIEW:
        overview.draw(page, prototypes, query, overview.chosen(page, prototypes, query))
    elif view == FAILURES:
        answers.draw_failures_of(page, prototypes, query)
    else:
        answers.draw(page, prototypes, filters.more(page, query, answers.from_the_first))


def _nothing_yet(page: frame.Page) -> None:
    st.markdown("### No answers yet")
    st.markdown(
        "Every answer of the chat is kept with its passages, and readers rate it with a thumb. "
        "What they think shows here: how many liked the answers, what they asked, and what went wrong."
    )
    st.markdown("Ask a first question, rate its answer, and come back.")
    frame.link(frame.CHAT, "Open the chat", ":material/chat:", here=frame.FEEDBACK)


with frame.told():
    main()
