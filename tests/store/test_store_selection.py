"""Answers chosen by what is known of them, read in pages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import rag.store.selection as module
from rag.store import Selection, Store
from rag.types import Provenance

MADE_WITH = Provenance("wine", "5e77", "1d3", "p1")


@pytest.fixture
def five(store: Store, make_answer: Any) -> Store:
    """a: up, b: down, c: taken back, d: no word, e: of another prototype, in a batch, by a link."""
    for number, name in enumerate("abcd"):
        store.save_answer(make_answer(id=name, created=float(number), provenance=MADE_WITH))
    elsewhere = replace(MADE_WITH, prototype="benefits", link="l1")
    store.save_answer(make_answer(id="e", created=4.0, provenance=elsewhere, origin="batch"))
    store.add_feedback("a", "down")
    store.add_feedback("a", "up", comment="Now I see.")
    store.add_feedback("b", "down")
    store.add_feedback("c", "up")
    store.add_feedback("c", None)
    return store


@pytest.mark.parametrize(
    ("selection", "meant"),
    [
        (Selection(), "abcde"),
        (Selection(prototype="wine"), "abcd"),
        (Selection(link="l1"), "e"),
        (Selection(since=1.0, until=3.0), "bc"),
        (Selection(rating="up"), "a"),
        (Selection(rating="down"), "b"),
        (Selection(rating="rated"), "ab"),
        (Selection(rating="none"), "cde"),
        (Selection(origins=("chat", "command")), "abcd"),
        (Selection(prototype="wine", rating="none", until=3.0), "c"),
        (Selection(prototype="' OR 1 --"), ""),
    ],
)
def test_every_field_that_is_set_must_hold(five: Store, selection: Selection, meant: str) -> None:
    assert "".join(rated.answer.id for rated in five.stream(selection)) == meant
    assert five.count(selection) == len(meant)


def test_each_comes_with_the_feedback_that_counts(five: Store) -> None:
    given = {rated.answer.id: rated.feedback for rated in five.stream(Selection())}
    assert {name: thumb and thumb.rating for name, thumb in given.items()} == {
        **{"a": "up", "b": "down"},
        **dict.fromkeys("cde"),
    }
    assert given["a"] == five.feedback("a")


def test_pages_meet_without_a_gap(five: Store, monkeypatch: pytest.MonkeyPatch, make_answer: Any) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    read = five.stream(Selection())
    first = next(read).answer.id
    five.save_answer(make_answer(id="f"))
    assert first + "".join(rated.answer.id for rated in read) == "abcdef"
