from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.dates import iso_to_seconds, seconds_to_iso


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01", 0),
        ("2026-05-01", 1_777_593_600),
        ("2026-05-01T10:00:00Z", 1_777_629_600),
        ("2026-05-01T10:00", 1_777_629_600),
        ("2026-05-01 12:00:00+02:00", 1_777_629_600),
        ("2026-05-01T12:00:00+0200", 1_777_629_600),
        ("1970-01-01T00:00:00.5", 0.5),
        ("1969-12-31T23:59:59.5Z", -0.5),
        ("1000-01-01", -30_610_224_000),
        ("9999-12-31T23:59:59Z", 253_402_300_799),
    ],
)
def test_an_iso_date_is_its_unix_seconds(text: str, seconds: float) -> None:
    assert iso_to_seconds(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026-05", "20260501", "2026-W18-5", "2026-02-30", "2026-05-01T25:00", "0999-12-31",
     "1 May 2026", " 2026-05-01", "2026-05-01\n", "٢٠٢٦-٠٥-٠١", "9999-12-31T23:00-02:00", "2026-05-01T10",
     "2026-05-01Z"],
)  # fmt: skip
def test_what_is_not_a_strict_iso_date_is_none(text: str) -> None:
    assert iso_to_seconds(text) is None


def test_whole_seconds_are_integers() -> None:
    assert isinstance(iso_to_seconds("2026-05-01T10:00:00.000Z"), int)


def test_midnight_is_written_as_a_date() -> None:
    assert seconds_to_iso(1_777_593_600) == "2026-05-01"
    assert seconds_to_iso(1_777_629_600.0) == "2026-05-01T10:00:00Z"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e20, -1e20])
def test_a_number_that_is_no_moment_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="is not a moment"):
        seconds_to_iso(value)


@given(st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)))
def test_a_moment_survives_the_way_there_and_back(moment: datetime) -> None:
    seconds = iso_to_seconds(moment.isoformat())
    assert seconds is not None
    assert iso_to_seconds(seconds_to_iso(seconds)) == seconds
