"""The facets of a prototype as widgets in the sidebar, and the filter that they select.

The widgets' own values in the session are the only state, so a callback reads the same
filter as the page does.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from pages.ui.describe import filter_words
from pages.ui.frame import Page
from pages.ui.text import one_line
from rag.prototypes import Facet, Prototype
from rag.types import Where

if TYPE_CHECKING:
    from rag.facets import FacetValues

T = TypeVar("T")
_PILLS = 12
"""Up to so many values are pills; more go into a list that can be searched."""
_WIDE = 20
"""A range at least so wide is chosen in whole numbers."""
_FRESH = 5.0
"""Seconds for which counts are not asked for again, so that clicks do not wait for them."""
_DAY = 86_400


def completed(page: Page, prototype: Prototype) -> Prototype:
    """The prototype with the facets that its documents suggest, where it declares none.

    Ask once it is ready: before, there is nothing to guess from.
    """
    if prototype.facets:
        return prototype
    return replace(prototype, facets=tuple(v.facet for v in _values(page, prototype, None)))


def selected(prototype: Prototype) -> Where | None:
    """The filter that the widgets select now; None where they select nothing."""
    clauses = [clause for facet in prototype.facets if (clause := _clause(prototype, facet))]
    if not clauses:
        return None
    return clauses[0] if len(clauses) == 1 else {"$and": clauses}


def draw(page: Page, prototype: Prototype) -> None:
    """The widgets with their counts. Draw it in the sidebar, once the prototype is ready."""
    if not prototype.facets:
        return
    where = selected(prototype)
    matched, total = _matching(page, prototype, where)
    with st.expander("Filters", expanded=True, key="facets", type="compact"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.caption(f"{matched} of {total} documents match", width="stretch")
            if where:
                st.button("Clear", key="clear-facets", type="tertiary", on_click=drop_all, args=(prototype,))
        for values in _values(page, prototype, where):
            _widget(prototype, values)


def active(page: Page, prototype: Prototype) -> None:
    """The active filter in a line, and ways out where it leaves nothing. Draw it by the input."""
    where = selected(prototype)
    if not where:
        return
    matched, _ = _matching(page, prototype, where)
    if not matched:
        dropping(prototype)
        return
    words = " · ".join(filter_words(where, prototype.facets))
    st.caption(f":material/filter_alt: Filtered: {one_line(words, 160)}")


def dropping(prototype: Prototype, place: str = "input") -> None:
    """Say that the filter leaves nothing, and offer to drop each part of it, or all."""
    parts = [f for f in prototype.facets if _clause(prototype, f)]
    if not parts:
        return
    with st.container(border=True, key=f"no-match-{place}", gap="xsmall"):
        st.markdown(":material/filter_alt_off: **No document matches these filters.** Drop one:")
        with st.container(horizontal=True, gap="xsmall"):
            for facet in parts:
                phrase = filter_words(_clause(prototype, facet), prototype.facets)[0]
                st.button(
                    one_line(phrase, 60),
                    key=f"drop-{place}-{facet.key}",
                    icon=":material/close:",
                    on_click=drop,
                    args=(prototype, facet),
                )
            if len(parts) > 1:
                st.button("Drop all", key=f"drop-{place}", on_click=drop_all, args=(prototype,))


def drop(prototype: Prototype, facet: Facet) -> None:
    """Let every value of that facet through again."""
    key = _key(prototype, facet)
    if key in st.session_state:
        empty: dict[str, Any] = {"date": (), "range": st.session_state.get(f"{key}-bounds")}
        st.session_state[key] = empty.get(facet.kind, [])


def drop_all(prototype: Prototype) -> None:
    """Take every filter away."""
    for facet in prototype.facets:
        drop(prototype, facet)


# --- what the widgets select ------------------------------------------------


def _key(prototype: Prototype, facet: Facet) -> str:
    return f"facet-{prototype.name}-{facet.key}"


def _clause(prototype: Prototype, facet: Facet) -> dict[str, Any] | None:
    value = st.session_state.get(_key(prototype, facet))
    if not value:
        return None
    if facet.kind == "choice":
        return {facet.key: {"$in": list(value)}}
    if facet.kind == "list":
        each: list[dict[str, Any]] = [{facet.key: {"$contains": item}} for item in value]
        return each[0] if len(each) == 1 else {"$or": each}
    if facet.kind == "date":
        if len(value) != 2:  # the reader has chosen the first day and not yet the last
            return None
        first, last = (_seconds(day) for day in value)
        return {facet.key: {"$gte": first, "$lte": last + _DAY - 1}}
    low, high = st.session_state.get(f"{_key(prototype, facet)}-bounds", value)
    test = {op: v for op, v, end in (("$gte", value[0], low), ("$lte", value[1], high)) if v != end}
    return {facet.key: test} if test else None


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


# --- the widgets ------------------------------------------------------------


def _widget(prototype: Prototype, values: FacetValues) -> None:
    facet, key = values.facet, _key(prototype, values.facet)
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


def _range(key: str, label: str, ends: FacetValues) -> None:
    if ends.low is None or ends.high is None or ends.low == ends.high:
        return
    integers = float(ends.low).is_integer() and float(ends.high).is_integer()
    whole = integers or ends.high - ends.low >= _WIDE
    low: float = math.floor(ends.low) if whole else math.floor(ends.low * 10) / 10
    high: float = math.ceil(ends.high) if whole else math.ceil(ends.high * 10) / 10
    st.session_state[f"{key}-bounds"] = (low, high)
    if key in st.session_state:  # other documents since: a value outside the ends would be refused
        at = st.session_state[key]
        inside = (min(max(at[0], low), high), min(max(at[1], low), high))
        if inside != tuple(at):
            st.session_state[key] = inside
        st.slider(label, low, high, key=key, step=1 if whole else 0.1, persist_state="session")
    else:
        st.slider(label, low, high, (low, high), key=key, step=1 if whole else 0.1, persist_state="session")


def _dates(key: str, label: str, ends: FacetValues) -> None:
    if ends.low is None or ends.high is None:
        return
    epoch = date(1970, 1, 1)
    first, last = (epoch + timedelta(days=math.floor(end / _DAY)) for end in (ends.low, ends.high))
    st.date_input(
        label, [], min_value=first, max_value=last, key=key, format="YYYY-MM-DD", persist_state="session"
    )


# --- what the engine knows --------------------------------------------------


def _values(page: Page, prototype: Prototype, where: Where | None) -> list[FacetValues]:
    return _fresh(("values", prototype.name, where), lambda: page.engine.facets(prototype.name, where))


def _matching(page: Page, prototype: Prototype, where: Where | None) -> tuple[int, int]:
    return _fresh(("matching", prototype.name, where), lambda: page.engine.matching(prototype.name, where))


def _fresh(question: tuple[str, str, Where | None], ask: Callable[[], T]) -> T:
    kept: dict[str, tuple[float, T]] = st.session_state.setdefault("facets-cache", {})
    key = json.dumps(question)
    known = kept.get(key)
    if known is None or time.monotonic() - known[0] > _FRESH:
        if len(kept) > 50:
            kept.clear()
        known = kept[key] = (time.monotonic(), ask())
    return known[1]
