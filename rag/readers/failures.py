"""Broken parts of a file, named one by one while they are few."""

from __future__ import annotations

from collections.abc import Sequence

from rag.types import ReadFailure

MAX_LISTED = 100
"""A file that is broken throughout says so in a hundred lines and a sum."""


class LineFailures:
    """Gathers what is wrong with the lines of one file, or with its rows (``part``)."""

    def __init__(self, source: str, part: str = "line") -> None:
        self._source = source
        self._part = part
        self._listed: list[tuple[int, str]] = []
        self._count = 0

    def __bool__(self) -> bool:
        return self._count > 0

    def add(self, line: int, error: str) -> None:
        """``line`` counts from 1."""
        self._count += 1
        if len(self._listed) < MAX_LISTED:
            self._listed.append((line, error))

    def listed(self) -> tuple[ReadFailure, ...]:
        """In the order of the lines, and how many more there are."""
        found = [
            ReadFailure(f"{self._source}, {self._part} {line}", error) for line, error in sorted(self._listed)
        ]
        more = self._count - len(self._listed)
        if more:
            found.append(ReadFailure(self._source, f"{more:,} more {self._part}s could not be read."))
        return tuple(found)


def shortened(failures: Sequence[ReadFailure], source: str) -> tuple[ReadFailure, ...]:
    """The failures of the members of a file, summed up from the hundred-and-first on."""
    more = len(failures) - MAX_LISTED
    if more <= 0:
        return tuple(failures)
    return (*failures[:MAX_LISTED], ReadFailure(source, f"{more:,} more failures like these are not listed."))
