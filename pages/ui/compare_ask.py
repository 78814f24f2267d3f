"""Which question is compared next: written, or one of those that lie at hand."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.ui import address, frame
from pages.ui import compare_settings as settings
from pages.ui.frame import Page
from pages.ui.text import one_line
from rag.compare import Trials
from rag.errors import ThumbprintError
from rag.prototypes import Prototype
from rag.search import MAX_QUESTION

_BOX = "compare-question"
_OFFERED = 5
_LOOKED_AT = 50
"""Questions asked before among which those not compared yet are looked for."""
_LABEL = 90


def draw(page: Page, prototype: Prototype, ask: Callable[[str | None], None]) -> None:
    """A box for a question, and questions to click. ``ask`` takes None for that of the box."""
    with st.form("compare-form", border=False):
        st.text_input(
            "Question",
            key=_BOX,
            max_chars=MAX_QUESTION,
            placeholder=f"Ask {prototype.title} under A and B",
        )
        st.form_submit_button(
            "Compare", type="primary", icon=":material/compare:", on_click=ask, args=(None,)
        )
    offered = offers(page, prototype)
    if offered:
        st.caption("Or one of these, which were not compared under these settings yet")
        with st.container(gap="xxsmall"):
            for n, question in enumerate(offered):
                st.button(
                    one_line(question, _LABEL),
                    key=f"compare-offer-{n}",
                    icon=":material/arrow_forward:",
                    type="tertiary",
                    wrap=False,
                    on_click=ask,
                    args=(question,),
                )


def offers(page: Page, prototype: Prototype) -> list[str]:
    """The prototype's suggestions and questions asked before, but for those compared already."""
    try:
        sides = {wanted.fingerprint for wanted in settings.settings(prototype)}
    except ThumbprintError:
        sides = set()
    store = page.engine.store
    compared = {
        preference.question
        for preference in store.preferences.all(prototype.name)
        if {preference.left_settings, preference.right_settings} == sides
    }
    known = dict.fromkeys([*prototype.suggestions, *store.questions(prototype.name, _LOOKED_AT)])
    return [question for question in known if question not in compared][:_OFFERED]


def begin(page: Page, prototype: Prototype, trials: Trials, question: str | None) -> None:
    """Callback: ask under both settings."""
    asked = str(st.session_state.get(_BOX) or "") if question is None else question
    try:
        one, other = settings.settings(prototype)
        trial = trials.begin(page.engine, prototype.name, asked, one, other)
    except ThumbprintError as error:
        frame.remember_problem(str(error))
        return
    frame.forget_notices()
    address.put(address.PAIR, trial.pair)
    if question is None:
        st.session_state[_BOX] = ""
