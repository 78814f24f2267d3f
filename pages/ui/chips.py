"""The filters that a question names, as chips under it: offered, applied, removed, pinned.

A question is answered as it was asked, and what it names is offered: one click asks again
under a chip, a second one takes it back, and the pin has it hold for the questions to
come. With ``filters.guess=on`` the chips stand there applied from the start. So no filter
counts that the reader does not see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from pages.ui import facets, selection
from pages.ui.describe import conditions
from pages.ui.frame import Page
from pages.ui.text import one_line
from rag.prototypes import Prototype
from rag.types import Answer, Proposed, Where

Ask = Callable[[tuple[Proposed, ...]], None]
"""Callback: ask the question again with these chips, applied or not."""
_LABEL = 60
"""Characters of a chip; three values and "2 more" fit."""
_STYLE = """<style>
.st-key-applied-chips button, .st-key-offered-chips button, .st-key-pinned-chips button {
  min-height: 2rem; padding: 0 0.75rem; border-radius: 1rem; line-height: 1.3;
}
.st-key-applied-chips button[kind="tertiary"], .st-key-offered-chips button[kind="tertiary"] {
  padding: 0 0.5rem;
}
.st-key-applied-chips button[kind="primary"] {
  border-color: transparent; background-image: linear-gradient(rgb(0 0 0 / 0.2), rgb(0 0 0 / 0.2));
}
</style>"""
"""Buttons that look like the pills of the filters, for they do the same. The primary colour of
the dark theme is too light for white text of this size (3.5 to 1), so it is darkened."""


def style() -> None:
    """How chips look. Call it once on the page. HTML of ours alone: no text of anyone is in it."""
    st.html(_STYLE)


def draw_of(page: Page, prototype: Prototype, answer: Answer, again: Ask) -> None:
    """The chips of the question of an answer."""
    dropped = "guess-dropped" in answer.notices
    draw(page, prototype, answer.proposed, where=answer.where, again=again, dropped=dropped)


def draw(
    page: Page,
    prototype: Prototype,
    proposed: Sequence[Proposed],
    *,
    where: Where | None,
    again: Ask | None,
    dropped: bool = False,
) -> None:
    """The chips of one question.

    ``where`` is the filter that it was answered under, for the counts beside what is
    offered. Without ``again`` (it is being answered) they are shown and cannot be clicked.
    ``dropped``: they were to hold, and left no document.
    """
    if not proposed:
        return
    applied = [n for n, chip in enumerate(proposed) if chip.applied]
    offered = [n for n, chip in enumerate(proposed) if not chip.applied]
    with st.container(gap="xsmall", key="chips"):
        if applied:
            with _row("Filtered by", "applied-chips"):
                for n in applied:
                    _applied(page, prototype, proposed, n, again)
                if len(applied) > 1:
                    _all(prototype, proposed, "Remove all", again, applied=False)
        if offered:
            with _row("Narrow to", "offered-chips"):
                for n in offered:
                    _offered(page, prototype, proposed, n, where, again)
                if len(offered) > 1:
                    _all(prototype, proposed, "Apply all", again, applied=True)
        if dropped:
            st.caption("No document matches them all, so the answer was found without them.")


def untold(where: Where | None, proposed: Sequence[Proposed]) -> Where | None:
    """A filter less what the chips say that are applied."""
    told = [part for chip in proposed if chip.applied for part in conditions(selection.both(chip.where))]
    return selection.both(*(part for part in conditions(selection.both(where)) if part not in told))


def _row(label: str, key: str) -> st.delta_generator.DeltaGenerator:
    row = st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=key)
    row.caption(label, width="content")
    return row


def _applied(
    page: Page, prototype: Prototype, proposed: Sequence[Proposed], n: int, again: Ask | None
) -> None:
    chip = proposed[n]
    is_pinned = selection.says(selection.selected(prototype), chip.where)
    with st.container(horizontal=True, vertical_alignment="center", gap=None, wrap=False, width="content"):
        st.button(
            one_line(chip.label, _LABEL),
            key=f"chip-{n}",
            icon=":material/close:",
            icon_position="right",
            type="primary",
            help="Remove this filter and ask again",
            on_click=_change,
            args=(prototype, proposed, (n,), False, again),
            disabled=again is None,
        )
        st.button(
            "Pinned" if is_pinned else "Pin",
            key=f"pin-{n}",
            icon=":material/keep:",
            type="tertiary",
            help="Pinned for your next questions: click to unpin"
            if is_pinned
            else "Keep this filter for your next questions",
            on_click=selection.unpin if is_pinned else selection.pin,
            args=(prototype, chip.where) if is_pinned else (page, prototype, chip.where),
            disabled=again is None,
        )


def _offered(
    page: Page,
    prototype: Prototype,
    proposed: Sequence[Proposed],
    n: int,
    where: Where | None,
    again: Ask | None,
) -> None:
    chip = proposed[n]
    count, _ = facets.matching(page, prototype, selection.both(where, chip.where))
    st.button(
        f"{one_line(chip.label, _LABEL)} :gray[{count}]",
        key=f"chip-{n}",
        icon=":material/add:",
        help=f"Ask again among the {count} documents that match",
        on_click=_change,
        args=(prototype, proposed, (n,), True, again),
        disabled=again is None,
    )


def _all(
    prototype: Prototype, proposed: Sequence[Proposed], label: str, again: Ask | None, *, applied: bool
) -> None:
    st.button(
        label,
        key="apply-all" if applied else "remove-all",
        type="tertiary",
        on_click=_change,
        args=(prototype, proposed, range(len(proposed)), applied, again),
        disabled=again is None,
    )


def _change(
    prototype: Prototype, proposed: Sequence[Proposed], which: Sequence[int], applied: bool, again: Ask
) -> None:
    """Callback: apply or remove some of the chips; what is removed is no longer pinned either."""
    changed = [replace(chip, applied=applied) if n in which else chip for n, chip in enumerate(proposed)]
    if not applied:
        for n in which:
            selection.unpin(prototype, proposed[n].where)
    again(tuple(changed))
