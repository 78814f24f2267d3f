"""The labelled pairs under ``tests/claims``: kind, claim and source.

A line of a file is one pair (``{"kind", "claim", "source"}``) or one source with all its claims
(``{"source", "claims": [[kind, claim], ...]}``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

SETS = Path(__file__).resolve().parent.parent / "claims"
Row = tuple[str, str, str]
"""Kind, claim and source."""


def rows(path: Path) -> Iterator[Row]:
    """The pairs of a file, in its order."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip():
            continue
        row = json.loads(line)
        for kind, claim in row.get("claims") or [(row.get("kind"), row.get("claim"))]:
            yield kind, claim, row["source"]
