"""Which answers the feedback page is about: the period, the prototype, and what else the reader sets."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, cast

import streamlit as st

from pages.ui.frame import Page
from pages.ui.text import cut
from rag.dashboard import group_names
from rag.prototypes import Prototype
from rag.store import Order, Outcome, Query, Selection
from rag.types import REASONS, Origin

DAY = 86_400
_PERIODS: Mapping[str, int] = {
    "All time": 0,
    "Last 7 days": 7,
    "Last 30 days": 30,
    "Last 90 days": 90,
    "Last 365 days": 365,
}
_BETWEEN = "Between two days"
_RATINGS = {"up": "Thumbs up", "down": "Thumbs down", "rated": "Rated", "none": "Not rated"}
_ORDERS: Mapping[Order, str] = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "rated": "Last rated first",
    "slowest": "Slowest first",
    "dearest": "Dearest first",
}
_ORIGINS: Mapping[Origin, str] = {
    "chat": "Chat",
    "batch": "Batch",
    "command": "Command line",
    "compare": "Comparison",
}
FAILURES: Mapping[Outcome, str] = {
    "not-in-corpus": "Not in the corpus",
    "not-retrieved": "Not retrieved",
    "ranked-low": "Ranked too low",
    "not-used": "In the context, not used",
    "bad-citation": "Citation wrong",
    "should-refuse": "Should have refused",
    "unclear": "Not clear",
    "waiting": "Not looked at yet",
}
"""In the order of the steps that an answer goes through."""
_KEYS = (
    "period",
    "days",
    "prototype",
    "rating",
    "reason",
    "settings",
    "topic",
    "failure",
    "origin",
    "text",
    "order",
)
_OTHER_NAMES = 60
"""Characters of a name in a list."""
ORDER = "feedback-order"


def shift() -> float:
    """Seconds by which the reader's clock is ahead of UTC."""
    return -60.0 * (st.context.timezone_offset or 0)


def day(seconds: float) -> str:
    """The day of Unix seconds by the reader's clock: ``3 May 2026``."""
    return _moment(seconds).strftime("%-d %b %Y")


def minute(seconds: float) -> str:
    """The minute of Unix seconds by the reader's clock."""
    return _moment(seconds).strftime("%-d %b %Y, %H:%M")


def _moment(seconds: float) -> datetime:
    # Clocks go wrong, and what they said is stored: the years are kept to those that can be written.
    return datetime.fromtimestamp(min(max(seconds + shift(), 0.0), 4e9), UTC)


def title(prototypes: Mapping[str, Prototype], name: str) -> str:
    """What people call a prototype; its name where it is not there any more."""
    known = prototypes.get(name)
    return f"{known.icon} {known.title}" if known else name


def scope(page: Page, prototypes: Mapping[str, Prototype], changed: Callable[[], None]) -> Query:
    """The period and the prototype, in one row. ``changed`` is called when one of them is."""
    store = page.engine.store
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="feedback-scope"):
        period = _choose("Period", "period", [*_PERIODS, _BETWEEN], str, changed, width=160)
        since, until = _days(changed) if period == _BETWEEN else (_since(_PERIODS.get(period, 0)), None)
        names = store.digest.values("prototype")
        everything = "All prototypes"
        chosen = _choose(
            "Prototype",
            "prototype",
            [everything, *names],
            lambda name: name if name == everything else cut(title(prototypes, name), _OTHER_NAMES),
            changed,
            width=182,
        )
    return Query(Selection(prototype=None if chosen == everything else chosen, since=since, until=until))


def more(page: Page, query: Query, changed: Callable[[], None]) -> Query:
    """The query narrowed by what the list of answers can be narrowed by, and its order beside it."""
    store = page.engine.store
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="feedback-find"):
        text = st.text_input(
            "Search",
            key="feedback-text",
            placeholder="Search questions, answers, comments and notes",
            icon=":material/search:",
            label_visibility="collapsed",
            on_change=changed,
            persist_state="session",
        )
        ratings = {"any": "Any rating", **_RATINGS}
        rating = _choose("Rating", "rating", list(ratings), lambda name: ratings[name], changed, width=150)
        _choose(
            "Order", "order", list(_ORDERS), lambda order: _ORDERS[cast(Order, order)], changed, width=170
        )
    set_ = [key for key in ("reason", "settings", "topic", "failure", "origin") if _set(key)]
    with (
        st.expander(
            f"More filters{f' · {len(set_)} set' if set_ else ''}", type="compact", key="feedback-more"
        ),
        st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
    ):
        reasons = dict.fromkeys([*REASONS, *store.digest.reasons(query)])
        reason = _pick("Reason", "reason", list(reasons), reason_name, changed)
        settings = _pick(
            "Settings", "settings", store.digest.values("settings"), _names(page, "settings"), changed
        )
        topics = _names(page, "topic")
        of = query.selection.prototype
        topic = _pick("Topic", "topic", [str(t.id) for t in store.topics.all(of)] + ["0"],
                      lambda key: topics(int(key)), changed)  # fmt: skip
        failure = _pick("Went wrong", "failure", list(FAILURES), failure_name, changed)
        origin = _pick(
            "Asked in", "origin", list(_ORIGINS), lambda name: _ORIGINS[cast(Origin, name)], changed
        )
    return Query(
        replace(
            query.selection, rating=None if rating == "any" else rating, origins=(origin,) if origin else ()
        ),
        reason=reason,
        settings=settings,
        topic=None if topic is None else int(topic),
        failure=failure,
        text=text or "",
    )


def reason_name(reason: str) -> str:
    """A reason as people read it; their own words as they are."""
    return REASONS.get(reason, cut(reason, _OTHER_NAMES))


def failure_name(failure: str) -> str:
    """Where an answer went wrong, in words; of a later version's steps, their name."""
    return FAILURES.get(cast(Outcome, failure), failure)


def is_narrowed() -> bool:
    """Whether anything is set."""
    return any(_set(key) for key in _KEYS if key not in ("order", "days"))


def clear() -> None:
    """Callback: everything, in the order it began with."""
    for key in _KEYS:
        st.session_state.pop(f"feedback-{key}", None)
    st.session_state["feedback-text"] = ""


def _set(key: str) -> bool:
    value = st.session_state.get(f"feedback-{key}")
    return value not in (None, "", "any", "All time", "All prototypes")


def _choose(
    label: str,
    key: str,
    options: Sequence[str],
    words: Callable[[str], str],
    changed: Callable[[], None],
    *,
    width: int,
) -> Any:
    """One of several; the first to begin with, and again where the chosen one is gone."""
    key = f"feedback-{key}"
    if st.session_state.get(key) not in options:
        st.session_state[key] = options[0]
    return st.selectbox(
        label,
        options,
        key=key,
        format_func=words,
        label_visibility="collapsed",
        on_change=changed,
        width=width,
        persist_state="session",
    )


def _pick(
    label: str, key: str, options: Sequence[str], words: Callable[[str], str], changed: Callable[[], None]
) -> Any:
    """One of several, or none of them."""
    key = f"feedback-{key}"
    if st.session_state.get(key) not in options:
        st.session_state[key] = None
    return st.selectbox(
        label,
        options,
        key=key,
        index=None,
        placeholder="Any",
        format_func=words,
        on_change=changed,
        width=190,
        persist_state="session",
    )


def _names(page: Page, by: Literal["settings", "topic"]) -> Callable[[Any], str]:
    store = page.engine.store
    keys: list[Any] = [*(t.id for t in store.topics.all()), 0] if by == "topic" else store.digest.values(by)
    known = group_names(store, by, keys)
    return lambda key: cut(known.get(key, str(key)), _OTHER_NAMES)


def _since(days: int) -> float | None:
    """The midnight, by the reader's clock, with which the last so many days begin."""
    if not days:
        return None
    today = (time.time() + shift()) // DAY
    return float((today - days + 1) * DAY - shift())


def _days(changed: Callable[[], None]) -> tuple[float | None, float | None]:
    today = _moment(time.time()).date()
    key = "feedback-days"
    if not st.session_state.get(key):
        st.session_state[key] = (today - timedelta(days=29), today)
    chosen = st.date_input(
        "Days", key=key, label_visibility="collapsed", on_change=changed, width=240, persist_state="session"
    )
    days = chosen if isinstance(chosen, tuple) else (chosen,)
    if not days:
        return None, None
    return _midnight(days[0]), _midnight(days[-1] + timedelta(days=1))


def _midnight(of: date) -> float:
    return datetime(of.year, of.month, of.day, tzinfo=UTC).timestamp() - shift()
