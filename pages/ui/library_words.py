"""Counts, sizes and times as the library page writes them."""

from __future__ import annotations

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def counted(number: int, noun: str) -> str:
    """``1 file``, ``1,000 files``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(number: float) -> str:
    """A number of bytes in decimal units: ``12.3 MB``."""
    for unit in _UNITS[:-1]:
        if number < 999.5:
            return f"{_short(number)} {unit}"
        number /= 1000
    return f"{_short(number)} {_UNITS[-1]}"


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 99.5 else f"{number:.1f}".removesuffix(".0")


def duration(seconds: float) -> str:
    """``8 s``, ``3 min``, ``2 h``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{round(seconds / 3600)} h"
