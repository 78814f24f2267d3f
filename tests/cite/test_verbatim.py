"""A quote is verbatim where it stands, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.cite import check
from rag.types import Citation, Passage

PASSAGE = Passage("doc", "a.txt", "A", 100, 118, "Bees make honey. 🐝", 1.0, "fused")
CITATION = Citation(1, "doc", "a.txt", 105, 115, "make honey", "unsupported", 0, 10, passage=0)


def verdict(citation: Citation) -> str:
    return check([citation], [PASSAGE])[0].verdict


def test_a_quote_that_stands_there_is_verbatim() -> None:
    assert verdict(CITATION) == "verbatim"


def test_offsets_count_code_points() -> None:
    assert verdict(replace(CITATION, start=117, end=118, quote="🐝")) == "verbatim"


@pytest.mark.parametrize(
    "changes",
    [
        {"quote": "make Honey"},
        {"quote": "make honey."},
        {"quote": ""},
        {"start": 106, "end": 116},
        {"end": 116},
        {"start": 5, "end": 15},
        {"start": 110, "end": 130},
        {"start": 115, "end": 105},
        {"document_id": "other"},
        {"passage": 1},
        {"passage": -1},
    ],
)
def test_a_quote_that_does_not_is_unsupported(changes: dict[str, object]) -> None:
    claimed = replace(CITATION, verdict="verbatim", **changes)  # type: ignore[arg-type]

    assert verdict(claimed) == "unsupported"


def test_nothing_but_the_verdict_changes_and_the_order_stays() -> None:
    other = replace(CITATION, number=2, start=100, end=104, quote="Bees")

    assert check([other, CITATION], [PASSAGE]) == (
        replace(other, verdict="verbatim"),
        replace(CITATION, verdict="verbatim"),
    )
