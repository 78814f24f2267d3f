"""The facets of a prototype as widgets in the sidebar; what they select is in ``selection``."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from pages.ui import selection
from pages.ui.describe import filter_words
from pages.ui.frame import Page
from pages.ui.text import one_line
from rag.prototypes import Prototype
from rag.types import Where

if TYPE_CHECKING:
    from rag.facets import FacetValues

T = TypeVar("T")
_PILLS = 12
"""Up to so many values are pills; more go into a list that can be searched."""
_FRESH = 5.0
"""Seconds for which counts are not asked for again, so that clicks do not wait for them."""


def completed(page: Page, prototype: Prototype) -> Prototype:
    """The prototype with the facets that its documents suggest, where it declares none.

    Ask once it is ready: before, there is nothing to guess from.
    """
    if prototype.facets:
        return prototype
    return replace(prototype, facets=tuple(v.facet for v in _values(page, prototype, None)))


def unrestricted(prototype: Prototype) -> Prototype:
    """The prototype without the filter that always holds: the owner's list has all documents."""
    return replace(prototype, settings=replace(prototype.settings, where=None))


def draw(page: Page, prototype: Prototype) -> None:
    """The widgets with their counts. Draw it in the sidebar, once the prototype is ready."""
    where = selection.selected(prototype)
    if not prototype.facets and not where:
        return
    matched, total = matching(page, prototype, where)
    with st.expander("Filters", expanded=True, key="facets", type="compact"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.caption(f"{matched} of {total} documents match", width="stretch")
            if where:
                st.button(
                    "Clear",
                    key="clear-facets",
                    type="tertiary",
                    on_click=selection.drop_all,
                    args=(prototype,),
                )
        for values in _values(page, prototype, where):
            _widget(prototype, values)


def active(page: Page, prototype: Prototype) -> None:
    """The active filter, and ways out where it leaves nothing. Draw it by the input.

    What the widgets select is a line; what is pinned beside them has its button here, for
    there is no other place to take it away.
    """
    where = selection.selected(prototype)
    if not where:
        return
    if not matching(page, prototype, where)[0]:
        _dropping(prototype)
        return
    pinned = selection.pins(prototype)
    shown = [clause for facet in prototype.facets if (clause := selection.clause(prototype, facet))]
    words = " · ".join(phrase for part in shown for phrase in filter_words(part, prototype.facets))
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="pinned-chips"):
        st.caption(f":material/filter_alt: Filtered: {one_line(words, 160)}", width="content")
        for n, part in enumerate(pinned):
            st.button(
                _phrase(prototype, part),
                key=f"unpin-{n}",
                icon=":material/close:",
                help="Pinned for every question: click to remove it",
                on_click=selection.unpin,
                args=(prototype, part),
            )


def _dropping(prototype: Prototype) -> None:
    """Say that the filter leaves nothing, and offer to drop each part of it, or all."""
    parts = {f.key: clause for f in prototype.facets if (clause := selection.clause(prototype, f))}
    parts |= {f"pin-{n}": part for n, part in enumerate(selection.pins(prototype))}
    with st.container(border=True, key="no-match-input", gap="xsmall"):
        st.markdown(":material/filter_alt_off: **No document matches these filters.** Drop one:")
        with st.container(horizontal=True, gap="xsmall"):
            for name, part in parts.items():
                st.button(
                    _phrase(prototype, part),
                    key=f"drop-input-{name}",
                    icon=":material/close:",
                    on_click=selection.unpin,
                    args=(prototype, part),
                )
            if len(parts) > 1:
                st.button("Drop all", key="drop-input", on_click=selection.drop_all, args=(prototype,))


def _phrase(prototype: Prototype, part: Where) -> str:
    return one_line(" · ".join(filter_words(part, prototype.facets)), 60)


# --- the widgets ------------------------------------------------------------


def _widget(prototype: Prototype, values: FacetValues) -> None:
    facet, key = values.facet, selection.key(prototype, values.facet)
    label = one_line(facet.label)
    if facet.kind == "range":
        _range(key, f"{label} ({one_line(facet.unit)})" if facet.unit else label, values)
    elif facet.kind == "date":
        _dates(key, label, values)
    else:
        _values_of(key, label, dict(values.values))


def _values_of(key: str, label: str, counts: dict[str, int]) -> None:
    chosen = st.session_state.get(key) or []
    options = [*counts, *(value for value in chosen if value not in counts)]
    if not options:
        return

    def named(value: str) -> str:
        return f"{one_line(str(value))} :gray[{counts.get(value, 0)}]"

    if len(options) <= _PILLS:
        st.pills(label, options, selection_mode="multi", key=key, format_func=named, persist_state="session")
    else:
        st.multiselect(
            label,
            options,
            key=key,
            format_func=lambda value: f"{value} ({counts.get(value, 0)})",
            placeholder="Any",
            persist_state="session",
        )


def _range(key: str, label: str, values: FacetValues) -> None:
    ends = selection.bounds(values)
    if ends is None:
        return
    low, high, step = ends
    st.session_state[f"{key}-bounds"] = ends
    if key in st.session_state:  # other documents since: what the slider cannot show would be refused
        first, last = (min(max(end, low), high) for end in st.session_state[key])
        at = (math.floor(first), math.ceil(last)) if step == 1 else (float(first), float(last))
        if repr(at) != repr(tuple(st.session_state[key])):
            st.session_state[key] = at
        st.slider(label, low, high, key=key, step=step, persist_state="session")
    else:
        st.slider(label, low, high, (low, high), key=key, step=step, persist_state="session")


def _dates(key: str, label: str, values: FacetValues) -> None:
    calendar = selection.days(values)
    if calendar is None:
        return
    first, last = calendar
    inside = tuple(min(max(day, first), last) for day in st.session_state.get(key) or ())
    if inside != tuple(st.session_state.get(key) or ()):  # other documents since, as above
        st.session_state[key] = inside
    st.date_input(
        label, [], min_value=first, max_value=last, key=key, format="YYYY-MM-DD", persist_state="session"
    )


# --- what the engine knows --------------------------------------------------


def _values(page: Page, prototype: Prototype, where: Where | None) -> list[FacetValues]:
    def ask() -> list[FacetValues]:
        return page.engine.facets(prototype.name, where, prototype.settings)

    return _fresh("values", prototype, where, ask)


def matching(page: Page, prototype: Prototype, where: Where | None) -> tuple[int, int]:
    """How many documents match, and how many there are; a few seconds old at most."""

    def ask() -> tuple[int, int]:
        return page.engine.matching(prototype.name, where, prototype.settings)

    return _fresh("matching", prototype, where, ask)


def _fresh(what: str, prototype: Prototype, where: Where | None, ask: Callable[[], T]) -> T:
    """What ``ask`` gives, or gave a moment ago under the same filters: the settings have one of their own."""
    kept: dict[str, tuple[float, T]] = st.session_state.setdefault("facets-cache", {})
    key = json.dumps((what, prototype.name, prototype.settings.where, where))
    known = kept.get(key)
    if known is None or time.monotonic() - known[0] > _FRESH:
        if len(kept) > 50:
            kept.clear()
        known = kept[key] = (time.monotonic(), ask())
    return known[1]
