"""What was read of the keyword index is held, within bounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag import kept
from rag.keyword import KeywordEntry, KeywordIndex


@pytest.fixture
def index(tmp_path: Path) -> KeywordIndex:
    index = KeywordIndex(tmp_path / "keyword")
    index.write([KeywordEntry(f"d:{n}", "d", f"tea {n}", f"tea {n}", {}, b"%d" % n) for n in range(30)])
    return index


@pytest.mark.parametrize("few", [0, 200])
def test_one_by_one_or_as_a_set_the_same_chunks_are_found(
    index: KeywordIndex, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "_FEW", few)

    found = index.entries(["d:7", "d:11", "nowhere:0", "d:7"])

    assert {key: entry.record for key, entry in found.items()} == {"d:7": b"7", "d:11": b"11"}


def test_what_is_held_stays_within_bounds(index: KeywordIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_HELD", 8)

    for n in range(30):
        assert index.entries([f"d:{n}"])[f"d:{n}"].record == b"%d" % n
    assert len(index.entries(f"d:{n}" for n in range(30))) == 30

    held = index._kept._held
    assert sum(len(generation.by_id) for generation in held) <= 8
    assert sum(len(generation.by_address) for generation in held) <= 8


def test_a_chunk_that_is_looked_at_again_and_again_is_read_once(
    index: KeywordIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "_HELD", 8)
    first = index.entries(["d:0"])["d:0"]

    for n in range(1, 30):
        index.entries([f"d:{n}"])
        assert index.entries(["d:0"])["d:0"] is first
