"""The filter that a reader has set: the values of the facet widgets, and pinned conditions.

The widgets' own values in the session are the state, so a callback reads the same filter
as the page does. A condition that no widget can show (a negation, a bound that a slider
does not reach) is pinned beside them. The whole filter is kept in the address as well, so
that a reload, a bookmark or the way back finds it again; what stands there may have been
written by anyone, and is read as such.

A widget's key holds the kind of its facet: where documents change, a guessed facet may
become another kind, and a list of texts is no place for a slider.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from itertools import product
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui import address, frame
from pages.ui.describe import conditions
from pages.ui.frame import Page
from rag.errors import FilterError
from rag.filters import combine, implies, parse, to_json
from rag.prototypes import Facet, Prototype
from rag.types import Where

if TYPE_CHECKING:
    from rag.facets import FacetValues

_DAY = 86_400
_EPOCH = date(1970, 1, 1)
_DAYS = (date(1000, 1, 1) - _EPOCH).days, (date(9999, 12, 31) - _EPOCH).days
"""The days of a calendar: a number that is declared a date may be none."""
_WIDE = 20
"""A range at least so wide is chosen in whole numbers."""
_LARGE = 1e15
"""A bound beyond this has no tenths left, nor a place on a slider."""
_LONGEST = 2_000
"""Characters of a filter in the address: what browsers and proxies pass on without cutting."""
_SEEN = "filters-seen"
"""The filter of the address that widgets and pins agree with."""

Bounds = tuple[float, float, float]
"""The ends of a slider, and its step."""


def both(*filters: Where | None) -> Where | None:
    """All of these filters at once; None where they restrict nothing."""
    found = conditions(to_json(reduce(combine, map(parse, filters), None)))
    return {"$and": found} if len(found) > 1 else found[0] if found else None


def says(given: Where | None, wanted: Where) -> bool:
    """Whether the first filter says already what the second one says."""
    return implies(parse(given), parse(wanted))


# --- what is selected ---------------------------------------------------------


def selected(prototype: Prototype) -> Where | None:
    """The filter of now; None where nothing is selected.

    Before the documents are read there are no widgets, and the filter of the address counts.
    """
    if _SEEN not in st.session_state:
        return _from_address()
    return both(*(clause(prototype, facet) for facet in prototype.facets), *pins(prototype))


def pins(prototype: Prototype) -> list[Where]:
    """The conditions that are pinned beside the widgets, the oldest first."""
    return list(st.session_state.get(_pins_key(prototype), ()))


def clause(prototype: Prototype, facet: Facet) -> Where | None:
    """What the widget of one facet selects."""
    at = key(prototype, facet)
    return _clause(facet, st.session_state.get(at), st.session_state.get(f"{at}-bounds"))


def key(prototype: Prototype, facet: Facet) -> str:
    """The session's key of the facet's widget."""
    return f"facet-{prototype.name}-{facet.key}-{facet.kind}"


def bounds(ends: FacetValues) -> Bounds | None:
    """The slider over a range of values; None where there is nothing to choose."""
    if ends.low is None or ends.high is None or ends.low == ends.high:
        return None
    integers = float(ends.low).is_integer() and float(ends.high).is_integer()
    if integers or ends.high - ends.low >= _WIDE:
        return math.floor(ends.low), math.ceil(ends.high), 1
    return math.floor(ends.low * 10) / 10, math.ceil(ends.high * 10) / 10, 0.1


def days(ends: FacetValues) -> tuple[date, date] | None:
    """The first and the last day of a calendar; None where no document has a date."""
    if ends.low is None or ends.high is None:
        return None
    at = (min(max(math.floor(end / _DAY), _DAYS[0]), _DAYS[1]) for end in (ends.low, ends.high))
    first, last = (_EPOCH + timedelta(days=day) for day in at)
    return first, last


def _pins_key(prototype: Prototype) -> str:
    return f"pins-{prototype.name}"


def _clause(facet: Facet, value: Any, ends: Bounds | None) -> Where | None:
    if not value:
        return None
    if facet.kind == "choice":
        return {facet.key: {"$in": list(value)}}
    if facet.kind == "list":
        each: list[Where] = [{facet.key: {"$contains": item}} for item in value]
        return each[0] if len(each) == 1 else {"$or": each}
    if facet.kind == "date":
        if len(value) != 2:  # the reader has chosen the first day and not yet the last
            return None
        first, last = (_seconds(day) for day in value)
        return {facet.key: {"$gte": first, "$lte": last + _DAY - 1}}
    low, high = ends[:2] if ends else value
    test = {op: v for op, v, end in (("$gte", value[0], low), ("$lte", value[1], high)) if v != end}
    return {facet.key: test} if test else None


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


# --- dropping -----------------------------------------------------------------


def drop(prototype: Prototype, facet: Facet) -> None:
    """Let every value of that facet through again."""
    at = key(prototype, facet)
    if at in st.session_state:
        ends: Bounds | None = st.session_state.get(f"{at}-bounds")
        st.session_state[at] = {"date": (), "range": ends and ends[:2]}.get(facet.kind, [])


def drop_all(prototype: Prototype) -> None:
    """Take every filter away."""
    st.session_state.pop(_pins_key(prototype), None)
    for facet in prototype.facets:
        drop(prototype, facet)


def unpin(prototype: Prototype, where: Where) -> None:
    """Take that condition away: its pin, or whatever widgets say the same."""
    st.session_state[_pins_key(prototype)] = [pin for pin in pins(prototype) if not says(pin, where)]
    for facet in prototype.facets:
        if says(clause(prototype, facet), where):
            drop(prototype, facet)


# --- pinning ------------------------------------------------------------------


def pin(page: Page, prototype: Prototype, where: Where) -> None:
    """Have that condition hold for the questions to come.

    It moves into the widget of its facet where that selects the very same documents, on
    top of what it selects already; else it is pinned as it is.
    """
    if says(selected(prototype), where):
        return
    for values in page.engine.facets(prototype.name, None, prototype.settings):
        facet = values.facet
        if _key_of(where) != facet.key:
            continue
        now = clause(prototype, facet)
        for value in _candidates(values, where, st.session_state.get(key(prototype, facet))):
            then = _clause(facet, value, bounds(values))
            if then and _is_same(page, prototype, then, both(now, where)):
                _set(prototype, values, value)
                return
    st.session_state[_pins_key(prototype)] = [*pins(prototype), where]


def _is_same(page: Page, prototype: Prototype, one: Where, other: Where | None) -> bool:
    """Whether two filters leave the same documents: as many each, and as many together."""
    return len({_count(page, prototype, where) for where in (one, other, both(one, other))}) == 1


def _count(page: Page, prototype: Prototype, where: Where | None) -> int:
    """How many documents match, of those that the reader's questions reach."""
    return page.engine.matching(prototype.name, where, prototype.settings)[0]


def _set(prototype: Prototype, values: FacetValues, value: Any) -> None:
    at = key(prototype, values.facet)
    st.session_state[at] = value
    if values.facet.kind == "range":
        st.session_state[f"{at}-bounds"] = bounds(values)


def _key_of(where: Where) -> str | None:
    """The one key that a condition is about; None for anything else."""
    inner = where.get("$or")
    each = inner if isinstance(inner, Sequence) and len(where) == 1 else [where]
    found = {name for part in each for name in part}
    return found.pop() if len(found) == 1 else None


def _candidates(values: FacetValues, where: Where, now: Any) -> Iterator[Any]:
    """Values of the facet's widget that may mean ``where`` on top of the value of ``now``."""
    facet = values.facet
    if facet.kind in ("choice", "list"):
        wanted = _named(facet, where)
        known = {value for value, _ in values.values}
        if wanted and known.issuperset(wanted):
            both_say = [value for value in wanted if value in now] if now else wanted
            yield both_say if facet.kind == "choice" else wanted
        return
    test = where.get(facet.key)
    test = test if isinstance(test, Mapping) else {"$eq": test}
    if facet.kind == "date":
        yield from _periods(values, test)
    elif (ends := bounds(values)) is not None:
        low, high, step = ends
        at = now or (low, high)
        for first, last in product(_starts(test, low, step), _stops(test, high, step)):
            value = max(first, at[0], low), min(last, at[1], high)
            if value[0] <= value[1]:
                yield value


def _named(facet: Facet, where: Where) -> list[str]:
    """The values that a condition on a choice or a list allows; none where it says more than that."""
    inner = where.get("$or")
    each = inner if isinstance(inner, Sequence) else [where]
    found: list[object] = []
    for part in each:
        test = part.get(facet.key)
        test = test if isinstance(test, Mapping) else {"$eq": test}
        if len(test) != 1:
            return []
        ((op, operand),) = test.items()
        if op == ("$contains" if facet.kind == "list" else "$eq"):
            found.append(operand)
        elif op == "$in" and facet.kind == "choice" and isinstance(operand, Sequence):
            found += operand
        else:
            return []
    return [value for value in found if isinstance(value, str)] if found else []


def _starts(test: Mapping[str, Any], low: float, step: float) -> list[float]:
    if "$gt" in test:
        return _on_step(test["$gt"], step, math.ceil) + _on_step(test["$gt"] + step, step, math.floor)
    bound = test.get("$gte", test.get("$eq"))
    return [low] if bound is None else _on_step(bound, step, math.ceil)


def _stops(test: Mapping[str, Any], high: float, step: float) -> list[float]:
    if "$lt" in test:
        return _on_step(test["$lt"], step, math.floor) + _on_step(test["$lt"] - step, step, math.ceil)
    bound = test.get("$lte", test.get("$eq"))
    return [high] if bound is None else _on_step(bound, step, math.floor)


def _on_step(bound: Any, step: float, rounded: Any) -> list[float]:
    if not isinstance(bound, (int, float)) or isinstance(bound, bool) or abs(bound) > _LARGE:
        return []
    return [rounded(bound)] if step == 1 else [rounded(round(bound * 10, 6)) / 10]


def _periods(values: FacetValues, test: Mapping[str, Any]) -> Iterator[tuple[date, date]]:
    """The days of a period that has both ends; one that is open grows with its documents, a calendar not."""
    calendar = days(values)
    first = test.get("$gte")
    last = test["$lt"] - 1 if "$lt" in test else test.get("$lte")
    if calendar is None or len(test) != 2 or first is None or last is None:
        return
    at = [math.floor(end / _DAY) for end in (first, last)]
    begin, end = ((day - _EPOCH).days for day in calendar)
    if max(at[0], begin) <= min(at[1], end):
        yield _EPOCH + timedelta(max(at[0], begin)), _EPOCH + timedelta(min(at[1], end))


# --- the address --------------------------------------------------------------


def restore(page: Page, prototype: Prototype) -> None:
    """Bring widgets and pins to the filter of the address, where it is not theirs.

    That is when the session begins and when the reader goes back or forward. Call it
    before the widgets are drawn, once the documents are read. What fits no document is left
    out, and told.
    """
    state, raw = st.session_state, address.get(address.FILTERS)
    if _SEEN in state and state[_SEEN] == raw:
        return
    where = _from_address()
    if _SEEN in state:
        drop_all(prototype)
    state[_SEEN] = raw
    facets = page.engine.facets(prototype.name, None, prototype.settings) if where else []
    known = {values.facet.key: values for values in facets}
    left_out = where is None and raw is not None
    for part in conditions(where):
        values = known.get(_key_of(part) or "")
        value = next(_exact(prototype, values, part), None) if values else None
        if values and value is not None:
            _set(prototype, values, value)
        elif _count(page, prototype, part):
            state[_pins_key(prototype)] = [*pins(prototype), part]
        else:
            left_out = True
    if left_out:
        frame.remember_notice("A filter in this address fits none of these documents and was left out.")


def share() -> None:
    """Let the widgets count on a page whose address keeps no filter. Call it before :func:`selected`."""
    st.session_state.setdefault(_SEEN, None)


def keep(prototype: Prototype) -> None:
    """Write the filter of now into the address. Call it when the widgets have been drawn."""
    where = selected(prototype)
    raw = json.dumps(where, ensure_ascii=False, separators=(",", ":")) if where else None
    if raw is not None and len(raw) > _LONGEST:
        raw = None
    if raw != address.get(address.FILTERS):
        address.put(address.FILTERS, raw)
    st.session_state[_SEEN] = raw


def _exact(prototype: Prototype, values: FacetValues, part: Where) -> Iterator[Any]:
    """The value of a widget that is still free and says exactly that."""
    if clause(prototype, values.facet):
        return
    for value in _candidates(values, part, None):
        said = _clause(values.facet, value, bounds(values))
        if said and parse(said) == parse(part):
            yield value


def _from_address() -> Where | None:
    """The filter of the address; None where there is none, or it is no filter."""
    raw = address.get(address.FILTERS)
    if raw is None or len(raw) > _LONGEST:
        return None
    try:
        return both(json.loads(raw))
    except (ValueError, RecursionError, FilterError):
        return None
