"""Charts as Vega-Lite specifications: plain values in, a dictionary out, drawn by Streamlit's own Vega.

Nothing is loaded from elsewhere: the values stand in the specification, with no address in it. They
stand in its layers, because what stands at the top Streamlit turns into a table first, by libraries that
take half a second to load. Texts come from readers and documents: they are values, never field
names, and Vega draws them as text, tooltips too.

Colours read on the light and the dark theme alike; everything else is the theme's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.ui.text import cut
from rag.dashboard import STEPS, Step
from rag.metrics import Rate

BLUE, RED, GRAY = "#5c7cfa", "#e8590c", "#868e96"
_BAND = 0.22
"""Opacity of an interval."""
_ROW = 34
"""Pixels of a row of a chart of groups."""
_LABEL = 150
"""Pixels of the longest name beside a row: a phone has 330 in all."""
_NAME = 60
"""Characters of a name."""
_WIDTHS: Mapping[str, float] = {name: 1_000.0 * seconds for name, seconds in STEPS.items()}
"""Milliseconds of a step."""
_FILLED = 0.86
"""Of a step, what its bar takes."""
_FEWEST = 7
"""Steps that an axis of time shows at least: one bar over the whole width says nothing."""
Spec = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Point:
    """A value at a time: Unix milliseconds of a clock that shows the reader's time as UTC."""

    at: float
    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""


def rate_point(at: float, rate: Rate | None, noun: str) -> Point:
    """A share as a point of a line; ``noun`` is what it is a share of."""
    if rate is None:
        return Point(at, None)
    return Point(at, rate.value, rate.low, rate.high, f"{rate.n:,} {noun}")


def draw(spec: Spec, alt: str) -> None:
    """Draw it at the width that there is; ``alt`` says in words what it shows."""
    st.vega_lite_chart(spec=spec, width="stretch", alt=alt)


def line(points: Sequence[Point], name: str, step: Step, *, share: bool, colour: str = BLUE) -> Spec:
    """A value over time, with its interval as a band where it has one.

    Shares have the axis from 0 to 100 %, so that what looks like a change is one.
    """
    rows = [
        {"at": p.at, "value": p.value, "low": p.low, "high": p.high, "note": p.note}
        for p in points
        if p.value is not None
    ]
    number = ".0%" if share else ".2~f"
    scale = {"domain": [0, 1]} if share else {"zero": True}
    axis = {"format": number, "title": None, "tickCount": 4, "grid": True}
    x = _time([row["at"] for row in rows], step)
    y = {"field": "value", "type": "quantitative", "scale": scale, "axis": axis}
    tips = [
        {"field": "at", "type": "temporal", "title": f"{step.capitalize()} from", "format": "%-d %b %Y"},
        {"field": "value", "type": "quantitative", "title": name, "format": ".1%" if share else ".3~f"},
    ]
    if any(row["low"] is not None for row in rows):
        tips += [
            {"field": "low", "type": "quantitative", "title": "at least (95 %)", "format": ".1%"},
            {"field": "high", "type": "quantitative", "title": "at most (95 %)", "format": ".1%"},
        ]
    if any(row["note"] for row in rows):
        tips.append({"field": "note", "type": "nominal", "title": "of"})
    # In layers, Vega-Lite puts all points of a temporal domain that is given on its first one.
    x = {**x, "scale": {"type": "utc"}}
    band = {
        "mark": {"type": "area", "opacity": _BAND, "color": colour},
        "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
    }
    marks = [
        {"mark": {"type": "line", "color": colour, "strokeWidth": 2}, "encoding": {"x": x, "y": y}},
        {
            "mark": {"type": "point", "filled": True, "size": 40, "color": colour, "opacity": 1},
            "encoding": {"x": x, "y": y, "tooltip": tips},
        },
    ]
    return {"height": 190, "layer": [{"data": {"values": rows}, "layer": [band, *marks]}]}


def counts_over_time(series: Sequence[tuple[float, int, int]], step: Step) -> Spec:
    """Thumbs up and down, stacked, over time: ``(at, up, down)``."""
    # Stacked by hand: Vega stacks no bars that have a width of their own.
    rows = [
        {
            "at": at,
            "end": at + _FILLED * _WIDTHS[step],
            "times": times,
            "thumb": thumb,
            "low": low,
            "high": low + times,
        }
        for at, up, down in series
        for thumb, times, low in (("Up", up, 0), ("Down", down, up))
    ]
    x = _time([row["at"] for row in rows], step)
    bars = {
        "mark": {"type": "rect"},
        "encoding": {
            "x": x,
            "x2": {"field": "end"},
            "y": {
                "field": "low",
                "type": "quantitative",
                "axis": {"title": None, "tickCount": 4, "tickMinStep": 1},
            },
            "y2": {"field": "high"},
            "color": {
                "field": "thumb",
                "type": "nominal",
                "scale": {"domain": ["Up", "Down"], "range": [BLUE, RED]},
                "legend": {"title": None, "orient": "top"},
            },
            "tooltip": [
                {
                    "field": "at",
                    "type": "temporal",
                    "title": f"{step.capitalize()} from",
                    "format": "%-d %b %Y",
                },
                {"field": "thumb", "type": "nominal", "title": "Thumb"},
                {"field": "times", "type": "quantitative", "title": "Times"},
            ],
        },
    }
    return {"height": 190, "layer": [{"data": {"values": rows}, **bars}]}


def _time(ats: Sequence[float], step: Step) -> Spec:
    """The axis of time, from the first to the last point, but never shorter than a few steps."""
    first, last = min(ats, default=0.0), max(ats, default=0.0) + _WIDTHS[step]
    missing = max(0.0, _FEWEST - (last - first) / _WIDTHS[step]) * _WIDTHS[step] / 2
    return {
        "field": "at",
        "type": "temporal",
        "scale": {"type": "utc", "domain": [first - missing, last + missing]},
        "axis": {
            "title": None,
            "format": "%b %Y" if step == "month" else "%-d %b",
            "labelOverlap": True,
            "tickCount": 6,
            "grid": False,
        },
    }


def intervals(rates: Sequence[tuple[str, Rate]], noun: str) -> Spec:
    """A share for each name, as a point on its 95 % interval, in the order given."""
    rows = [
        {"name": cut(name, _NAME), "value": r.value, "low": r.low, "high": r.high, "of": f"{r.n:,} {noun}"}
        for name, r in _unlike(rates)
    ]
    y = _names([row["name"] for row in rows])
    axis = {"format": ".0%", "title": None, "tickCount": 5}
    x = {"field": "value", "type": "quantitative", "scale": {"domain": [0, 1]}, "axis": axis}
    tips = [
        {"field": "name", "type": "nominal", "title": "Of"},
        {"field": "value", "type": "quantitative", "title": "Thumbs up", "format": ".1%"},
        {"field": "low", "type": "quantitative", "title": "at least (95 %)", "format": ".1%"},
        {"field": "high", "type": "quantitative", "title": "at most (95 %)", "format": ".1%"},
        {"field": "of", "type": "nominal", "title": "of"},
    ]
    marks = [
        {
            "mark": {"type": "rule", "strokeWidth": 6, "opacity": 0.35, "color": BLUE},
            "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}, "tooltip": tips},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 90, "color": BLUE, "opacity": 1},
            "encoding": {"y": y, "x": x, "tooltip": tips},
        },
    ]
    return {"height": _height(rows), "layer": [{"data": {"values": rows}, "layer": marks}]}


def bars(values: Sequence[tuple[str, int]], what: str, colour: str = RED) -> Spec:
    """A count for each name, in the order given, with the number beside the bar."""
    rows = [{"name": cut(name, _NAME), "times": times} for name, times in _unlike(values)]
    y = _names([row["name"] for row in rows])
    most = max((times for _, times in values), default=1)
    x = {"field": "times", "type": "quantitative", "axis": None, "scale": {"domain": [0, most * 1.15]}}
    tips = [
        {"field": "name", "type": "nominal", "title": "Of"},
        {"field": "times", "type": "quantitative", "title": what},
    ]
    marks = [
        {
            "mark": {"type": "bar", "color": colour, "height": {"band": 0.62}, "cornerRadiusEnd": 3},
            "encoding": {"y": y, "x": x, "tooltip": tips},
        },
        {
            "mark": {"type": "text", "align": "left", "dx": 5, "color": GRAY},
            "encoding": {"y": y, "x": x, "text": {"field": "times", "type": "quantitative", "format": ","}},
        },
    ]
    return {"height": _height(rows), "layer": [{"data": {"values": rows}, "layer": marks}]}


def _names(names: Sequence[str]) -> Mapping[str, Any]:
    axis = {"title": None, "labelLimit": _LABEL, "ticks": False, "domain": False, "grid": False}
    return {"field": "name", "type": "nominal", "sort": list(names), "axis": axis}


def _height(rows: Sequence[object]) -> int:
    return _ROW * max(len(rows), 1) + 30


def _unlike(values: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Names told apart: rows of one name would be drawn on top of each other."""
    seen: dict[str, int] = {}
    found = []
    for name, value in values:
        seen[name] = seen.get(name, 0) + 1
        found.append((name if seen[name] == 1 else f"{name} ({seen[name]})", value))
    return found
