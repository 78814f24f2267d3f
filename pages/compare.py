"""The compare page: one question under two settings, two answers side by side, blind."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.ui import address, choice, frame, preparation, resources
from pages.ui import compare_ask as asking
from pages.ui import compare_results as results
from pages.ui import compare_settings as settings
from pages.ui import compare_trial as trial_of
from pages.ui.browser import remember
from pages.ui.frame import Page
from pages.ui.text import one_line
from rag.errors import NotFound
from rag.prototypes import Prototype
from rag.types import Preference

_CHOICE = "compare-prototype"


def main() -> None:
    """Draw the page: whose answers, what differs, the comparison or the next question, the results."""
    page = frame.open_page("Compare", "⚖️", at=frame.COMPARE, wide=True, owner=True)
    prototypes, broken = page.engine.prototypes()
    prototype = choice.chosen(prototypes, None)
    trials = resources.trials()
    with st.container(width=1040, key="compare"):
        _head(prototypes, prototype)
        frame.notices()
        choice.problems(broken)
        preparation.status(page, prototype, told=False, remark="")
        trial = trials.of(address.get(address.PAIR))
        preference = _opened(page, prototype)
        if preference is not None:
            known = page.engine.store.settings
            sides = (known(preference.left_settings), known(preference.right_settings))
            settings.adopt(prototype, sides)
        elif trial is None and address.get(address.PAIR):
            address.put(address.PAIR, None)
            frame.remember_notice("This comparison is not here any more. Ask the next question.")
            st.rerun()
        is_open = preference is not None or trial is not None
        ask = partial(asking.begin, page, prototype, trials)
        with st.expander(
            settings.title(prototype) if is_open else "What is compared",
            expanded=not is_open,
            key=f"compare-settings-{is_open}",
        ):
            settings.draw(prototype)
        frame.remembered_problem()  # here, where the click was: on a phone, the top is out of sight
        if preference is not None:
            trial_of.draw(page, prototype, preference)
        elif trial is not None:
            trial_of.draw_asking(trial, partial(ask, trial.question))
        else:
            asking.draw(page, prototype, ask)
        results.draw(page, prototype)
    remember()


def _head(prototypes: list[Prototype], prototype: Prototype) -> None:
    st.title("Compare", anchor=False)
    st.caption(
        "Ask one question under two settings and say which answer is better, not knowing which is which."
    )
    by_name = {p.name: p for p in prototypes}
    st.session_state[_CHOICE] = prototype.name  # the address decides, also after Back
    st.selectbox(
        "Answers of",
        list(by_name),
        key=_CHOICE,
        format_func=lambda name: f"{by_name[name].icon} {one_line(by_name[name].title)}",
        on_change=_choose,
        width=340,
    )


def _choose() -> None:
    frame.forget_notices()
    address.put(address.PAIR, None)
    address.put(address.PROTOTYPE, st.session_state[_CHOICE])


def _opened(page: Page, prototype: Prototype) -> Preference | None:
    """The comparison of the address, once both of its answers are there."""
    pair = address.get(address.PAIR)
    if not pair:
        return None
    try:
        found = page.engine.store.preferences.of(pair)
    except NotFound:
        return None
    return found if found.prototype == prototype.name else None


with frame.told():
    main()
