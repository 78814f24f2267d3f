"""The feedback in figures: one value for the page to draw, computed from the local store alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from rag.dates import seconds_to_iso
from rag.prototypes import Facet
from rag.store import By, Outcome, Query, Store, Tally

Step: TypeAlias = Literal["day", "week", "month"]
DAY = 86_400
STEPS: Mapping[Step, int] = {"day": DAY, "week": 7 * DAY, "month": 30 * DAY}
"""Seconds of each."""
_MOST_POINTS = 60
"""Points of a line: more are too close to be read at the width of a phone."""
_MONDAY = 4 * DAY
"""Unix time began on a Thursday; its first Monday was this many seconds later."""
_LONG = 40
"""Characters of a setting's value in a name."""


@dataclass(frozen=True, slots=True)
class Group:
    """Some of the answers, under the name that people know them by."""

    key: str | int | None
    name: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class Overview:
    """Answers of a chat, and what people thought of them.

    ``series`` are spans of ``step`` in order, each with the Unix seconds of its beginning; those
    without an answer are left out. ``groups`` are ordered by their number of answers, what belongs
    to none last; those of ranges and years by value. ``reasons`` and ``failures`` count thumbs down.
    """

    total: Tally
    step: Step
    series: tuple[tuple[float, Tally], ...]
    groups: tuple[Group, ...]
    reasons: tuple[tuple[str, int], ...]
    failures: Mapping[Outcome, int]
    elsewhere: int
    """Answers of batches, commands and comparisons, which are not counted."""


def overview(store: Store, query: Query, by: By | Facet, shift: float = 0.0) -> Overview:
    """The answers that the query means, in figures.

    Whatever the query says of it, only answers in a chat are counted: nobody reads those of a batch to
    rate them, and a response rate over them would say nothing. ``by`` is what ``groups`` are;
    ``shift`` the seconds by which the reader's clock is ahead of UTC.
    """
    chat = replace(query, selection=replace(query.selection, origins=("chat",)))
    step = _step(store, chat)
    column: By = "prototype" if isinstance(by, Facet) else by
    ahead = shift - (_MONDAY if step == "week" else 0)
    found = store.digest.breakdown(chat, column, STEPS[step], ahead)
    if isinstance(by, Facet):
        groups = [
            Group(_key(value), fact_name(value, by), tally)
            for value, tally in store.digest.by_fact(chat, by.key, by.kind).items()
        ]
    else:
        names = group_names(store, by, found.groups)
        groups = [Group(key, names[key], tally) for key, tally in found.groups.items()]
    if not isinstance(by, Facet) or by.kind in ("choice", "list"):
        groups.sort(key=lambda group: (not group.key, -group.tally.answers, group.name))
    everywhere = replace(query, selection=replace(query.selection, origins=()))
    return Overview(
        total=found.total,
        step=step,
        series=tuple(found.series.items()),
        groups=tuple(groups),
        reasons=tuple(store.digest.reasons(chat).items()),
        failures=store.digest.failures(chat),
        elsewhere=store.digest.count(everywhere) - found.total.answers,
    )


def group_names(store: Store, by: By, keys: Iterable[Any]) -> dict[Any, str]:
    """What the values of a column are called."""
    if by == "settings":
        return settings_names({key: store.settings(key) for key in keys})
    if by == "topic":
        topics = {topic.id: topic for topic in store.topics.all()}
        several = len({topics[key].prototype for key in keys if key in topics}) > 1
        return {key: _topic(topics.get(key), key, several=several) for key in keys}
    return {key: "No link" if key is None else str(key) for key in keys}


def settings_names(known: Mapping[str, Mapping[str, object]]) -> dict[str, str]:
    """Fingerprints named by the settings in which they differ: ``k=8, rerank=late``.

    Settings that were never told keep their fingerprint, and so do those that differ in nothing.
    """
    told = [values for values in known.values() if values]
    keys = dict.fromkeys(key for values in told for key in values)
    unlike = [key for key in keys if len({_written(values.get(key)) for values in told}) > 1]
    names = {}
    for fingerprint, values in known.items():
        parts = [f"{key}={_written(values.get(key))[:_LONG]}" for key in unlike]
        names[fingerprint] = ", ".join(parts) if values and parts else fingerprint
    return names


def fact_name(value: Any, facet: Facet) -> str:
    """A value of a fact, or a range of it, with its unit."""
    if isinstance(value, tuple):
        low, high = (f"{bound:g}" for bound in value)
        return f"{low if low == high else f'{low} to {high}'} {facet.unit}".strip()
    if isinstance(value, float):
        value = f"{value:g}"
    return f"{value} {facet.unit}".strip() if facet.kind == "range" else str(value)


def _topic(topic: Any, key: int | None, *, several: bool) -> str:
    if key == 0:
        return "In no topic"
    if topic is None:
        return "Not grouped yet"
    return f"{topic.name} ({topic.prototype})" if several else str(topic.name)


def _step(store: Store, query: Query) -> Step:
    """The finest step that leaves few enough points."""
    span = store.digest.span()
    first, last = span or (0.0, 0.0)
    first = max(first, query.selection.since or first)
    last = min(last, query.selection.until or last)
    for step, seconds in STEPS.items():
        if (last - first) / seconds <= _MOST_POINTS:
            return step
    return "month"


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _key(value: Any) -> str:
    return "-".join(map(str, value)) if isinstance(value, tuple) else str(value)


def date_of(seconds: float, shift: float = 0.0) -> str:
    """The day of Unix seconds, by a clock that is ``shift`` seconds ahead of UTC."""
    return seconds_to_iso(seconds + shift).partition("T")[0]
