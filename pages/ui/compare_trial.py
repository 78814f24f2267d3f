"""One comparison: two answers side by side without a word on how they were made, and the vote.

Both are shown together when both are there, so that the quicker one does not give itself away.
Who was who, what wrote it and how long it took is told after the vote.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import address, details, evidence, frame, preparation
from pages.ui import compare_settings as settings
from pages.ui.answer import answer_markdown, remarks
from pages.ui.frame import Page
from pages.ui.text import one_line, plain
from rag.compare import differing
from rag.errors import ThumbprintError
from rag.prototypes import Prototype
from rag.store.preferences import MAX_PREFERENCE_REASON
from rag.types import Answer, Choice, Preference

if TYPE_CHECKING:
    from rag.compare import Trial

_LOOK = 0.3
"""Seconds between two looks at how far the answers are."""
_CHOICES: dict[Choice, str] = {
    "left": ":material/arrow_back: Left is better",
    "tie": "Equally good",
    "neither": "Neither is good",
    "right": "Right is better :material/arrow_forward:",
}
_TOLD = "compare-told"
_LONG = 300
"""Characters of a question that stand as a heading; more would push the answers out of sight."""


def draw_asking(trial: Trial, again: Callable[[], None]) -> None:
    """A comparison that is being asked, or that went wrong. ``again`` asks it once more."""
    _question(trial.question)
    if not trial.preparation.error:
        st.fragment(_asking, run_every=_LOOK)(trial)
        return
    frame.problem(f"{trial.preparation.error} Nothing was counted.")
    with st.container(horizontal=True, gap="xsmall"):
        st.button("Try again", key="compare-again", icon=":material/refresh:", on_click=again)
        st.button("Drop it", key="compare-drop", type="tertiary", on_click=close)


def _asking(trial: Trial) -> None:
    if trial.preparation.ready or trial.preparation.error:
        st.rerun()  # the whole page: both answers are in the store now
    if trial.asking:
        st.markdown(":shimmer[Both answers are being written…]")
        st.caption("They appear together, so that the quicker one does not give itself away.")
    else:
        preparation.progress(trial.preparation, "Then both answers are written.")


def draw(page: Page, prototype: Prototype, preference: Preference) -> None:
    """Both answers, the vote, and once there is one, who was who."""
    store = page.engine.store
    left, right = store.answer(preference.left), store.answer(preference.right)
    known = differing(store.settings(preference.left_settings), store.settings(preference.right_settings))
    blind = preference.choice is None
    _question(preference.question)
    for n, (name, answer, column) in enumerate(
        zip(("Left", "Right"), (left, right), st.columns(2, gap="medium"), strict=True)
    ):
        with column.container(border=True, height="stretch", gap="small", key=f"side-{name.lower()}"):
            won = preference.choice == name.lower()
            st.markdown(f":{'green' if won else 'gray'}[**{name}**{' :material/check:' if won else ''}]")
            if not blind:
                st.markdown(f":blue-badge[{settings.words(known, n)}]")
                st.caption(_made(answer))
            drawn = answer_markdown(answer.text, answer.citations, answer.claims)
            st.markdown(drawn or ":gray[Nothing was written.]")
            # Under which filter it was found would tell one setting from another.
            remarks(prototype, None if blind else answer.where, stopped=answer.stopped, answer=answer)
            evidence.draw(prototype, answer, blind=blind)
            if not blind:
                details.draw(answer)
    _vote(page, preference)


def _question(question: str) -> None:
    st.markdown(f"#### {one_line(question, _LONG)}")
    if len(question) > _LONG:
        with st.expander(f"The whole question, {len(question):,} characters", type="compact"):
            st.markdown(plain(question))


def _made(answer: Answer) -> str:
    parts = [
        one_line(f"{answer.model} ({answer.generator})" if answer.model else answer.generator),
        f"{answer.seconds.get('total', 0):.2f} s",
        f"confidence {answer.confidence:.2f}",
        f"{len(answer.passages)} passages",
    ]
    return " · ".join(parts)


def _vote(page: Page, preference: Preference) -> None:
    key, reason = f"vote-{preference.pair}", f"why-{preference.pair}"
    st.session_state[key] = preference.choice  # as it is on disk, also where it could not be stored
    if reason not in st.session_state:
        st.session_state[reason] = preference.reason
    st.segmented_control(
        "Which answer is better?",
        list(_CHOICES),
        key=key,
        format_func=_CHOICES.__getitem__,
        on_change=_choose,
        args=(page, preference, key),
    )
    st.text_input(
        "Why?",
        key=reason,
        max_chars=MAX_PREFERENCE_REASON,
        placeholder="Optional",
        on_change=_explain,
        args=(page, preference, reason),
    )
    told = st.session_state.pop(_TOLD, None)
    if told:
        frame.problem(told)
    with st.container(horizontal=True, vertical_alignment="center"):
        voted = preference.choice is not None
        st.button(
            "Next question" if voted else "Skip it",
            key="compare-next",
            type="primary" if voted else "tertiary",
            icon=":material/arrow_forward:" if voted else ":material/skip_next:",
            on_click=close,
        )
        if voted:
            saved = ":green[:material/check: Saved] " if told == "" else ""
            st.caption(f"{saved}Click your vote again to take it back.", width="content")


def close() -> None:
    """Callback: leave the comparison; the page asks for the next question."""
    address.put(address.PAIR, None)


def _choose(page: Page, preference: Preference, key: str) -> None:
    choice: Choice | None = st.session_state[key]
    _store(page, preference, lambda newest: (choice, newest.reason))


def _explain(page: Page, preference: Preference, key: str) -> None:
    reason = str(st.session_state[key] or "").strip()
    _store(page, preference, lambda newest: (newest.choice, reason))


def _store(
    page: Page, preference: Preference, change: Callable[[Preference], tuple[Choice | None, str]]
) -> None:
    preferences = page.engine.store.preferences
    try:
        newest = preferences.of(preference.pair)
        choice, reason = change(newest)
        if (choice, reason) != (newest.choice, newest.reason):
            preferences.add(preference.pair, preference.left, preference.right, choice, reason=reason)
        st.session_state[_TOLD] = ""
    except ThumbprintError as error:
        st.session_state[_TOLD] = f"The vote was not saved. {error}"
