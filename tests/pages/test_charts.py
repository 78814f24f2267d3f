"""Charts as specifications: the values in them, and nothing that is fetched."""

from __future__ import annotations

import json

import pytest

from pages.ui.charts import Point, Spec, bars, counts_over_time, intervals, line, rate_point
from rag.metrics import wilson

DAY = 86_400_000.0
LIKED = wilson(8, 10)


def values(spec: Spec) -> list[dict[str, object]]:
    (layer,) = spec["layer"]
    found: list[dict[str, object]] = layer["data"]["values"]
    return found


def all_charts() -> list[Spec]:
    assert LIKED is not None
    return [
        line([rate_point(0.0, LIKED, "ratings")], "Thumbs up", "day", share=True),
        counts_over_time([(0.0, 3, 1)], "week"),
        intervals([("wine", LIKED)], "ratings"),
        bars([("Wrong", 3)], "Thumbs down"),
    ]


def test_a_share_is_drawn_with_its_interval_and_what_it_is_of() -> None:
    (row,) = values(line([rate_point(DAY, LIKED, "ratings"), Point(2 * DAY, None)], "Up", "day", share=True))
    assert row["value"] == 0.8
    assert row["low"] == pytest.approx(0.490162, abs=1e-6)
    assert row["note"] == "10 ratings"


def test_thumbs_are_stacked() -> None:
    rows = values(counts_over_time([(0.0, 3, 1)], "day"))
    assert [(row["thumb"], row["low"], row["high"]) for row in rows] == [("Up", 0, 3), ("Down", 3, 4)]


def test_a_single_day_does_not_fill_the_axis() -> None:
    (layer,) = counts_over_time([(70 * DAY, 3, 1)], "day")["layer"]
    assert layer["encoding"]["x"]["scale"]["domain"] == [67 * DAY, 74 * DAY]


def test_rows_of_one_name_stay_apart() -> None:
    rows = values(bars([("same", 1), ("same", 2)], "Times"))
    assert [row["name"] for row in rows] == ["same", "same (2)"]


@pytest.mark.parametrize("spec", all_charts())
def test_nothing_is_fetched_and_nothing_is_read_as_a_table(spec: Spec) -> None:
    written = json.dumps(spec)
    assert "http" not in written
    assert "url" not in written
    assert "href" not in written
    assert "data" not in spec  # at the top, Streamlit makes a table of it


def test_names_are_values_never_fields() -> None:
    name = "a.b['c'] <img src=x> :red[x]"
    (row,) = values(bars([(name, 1)], "Times"))
    assert row["name"] == name
    spec = json.dumps(bars([(name, 1)], "Times"))
    assert spec.count(json.dumps(name)) == spec.count("img src=x")
