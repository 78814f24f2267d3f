"""Dates as numbers: ISO 8601 text to Unix seconds and back.

Metadata keeps dates as seconds (UTC) because the indexes compare ranges of numbers
only; filters are written with ISO dates, so both sides share this one reading of them.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(
    r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_FIRST = -30_610_224_000
"""1000-01-01T00:00:00Z in Unix seconds."""
_AFTER_LAST = 253_402_300_800
"""10000-01-01T00:00:00Z in Unix seconds: the first moment that has no four-digit year."""


def iso_to_seconds(text: str) -> int | float | None:
    """Unix seconds (UTC) of an ISO 8601 calendar date or date-time, else None.

    ``2026-05-01``, ``2026-05-01T10:00``, ``2026-05-01 10:00:00.5+02:00`` are read; a date
    is its midnight, a time without a zone is UTC. The years are 1000 to 9999, so that a
    code such as ``0012-01-01`` stays text. The result is an int where the second is whole.
    Week dates, ordinal dates, the form without dashes and surrounding space are refused.
    """
    if _ISO.fullmatch(text) is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:  # the 31st of February, 25 o'clock
        return None
    return datetime_to_seconds(moment)


def datetime_to_seconds(moment: datetime) -> int | float | None:
    """Unix seconds of a date-time (UTC where it names no zone); None outside years 1000-9999."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - _EPOCH
    whole = since // timedelta(seconds=1)
    if not _FIRST <= whole < _AFTER_LAST:
        return None
    return whole if not since.microseconds else since.total_seconds()


def is_moment(value: int | float) -> bool:
    """Whether a number of Unix seconds is within the years 1000 to 9999, as all dates here are."""
    return _FIRST <= value < _AFTER_LAST


def seconds_to_iso(value: int | float) -> str:
    """ISO 8601 text of Unix seconds: the date alone at midnight UTC, else with time and ``Z``.

    Raises ``ValueError`` for a number outside the years 1000 to 9999 (or not finite).
    """
    if not is_moment(value):
        raise ValueError(f"{value} is not a moment between the years 1000 and 9999")
    moment = (_EPOCH + timedelta(seconds=value)).replace(tzinfo=None)
    if (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0):
        return moment.date().isoformat()
    return moment.isoformat() + "Z"
