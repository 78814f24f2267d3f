"""Which of two answers was preferred, and what the owner notes of them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from rag.errors import NotFound, UsageError
from rag.store import Store, new_id
from rag.types import Annotation


@pytest.fixture
def two(store: Store, make_answer: Any) -> Store:
    for name in ("a", "b"):
        store.save_answer(make_answer(id=name), settings={"k": 5})
    return store


def waiting(store: Store) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(store.path)) as connection:
        return connection.execute("SELECT kind, thread FROM outbox ORDER BY n").fetchall()


def test_of_a_pair_the_newest_choice_counts(two: Store) -> None:
    pair = new_id()
    two.preferences.add(pair, "a", "b", "left")
    newest = two.preferences.add(pair, "a", "b", "tie", reason="The same.")

    assert newest.revision == 2
    assert two.preferences.of(pair) == newest
    assert list(two.preferences.all()) == [newest]
    assert (newest.question, newest.prototype) == ("Which red is dry?", "wine")


def test_a_choice_that_was_taken_back_counts_for_nothing(two: Store) -> None:
    two.preferences.add("p", "a", "b", "right")
    two.preferences.add("p", "a", "b", None)
    assert list(two.preferences.all("wine")) == []


def test_a_comparison_out_of_bounds_is_refused(two: Store, make_answer: Any) -> None:
    two.save_answer(make_answer(id="c", question="Another?"))
    two.preferences.add("p", "a", "b", "left")
    for pair, left, right, choice, said in (
        ("q", "a", "b", "both", "left, right, tie or neither"),
        ("q", "a", "c", "left", "same question"),
        ("p", "b", "a", "left", "has other answers"),
        (" ", "a", "b", "left", "needs an id"),
    ):
        with pytest.raises(UsageError, match=said):
            two.preferences.add(pair, left, right, choice)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        two.preferences.add("q", "a", "unknown", "left")
    with pytest.raises(NotFound):
        two.preferences.of("q")


def test_the_owner_corrects_a_failure_and_notes_why(two: Store) -> None:
    two.annotations.add("a", "not-used", "It stands in the second passage.")
    newest = two.annotations.add("a", None, "Seen.")

    assert two.annotations.of(["a", "b"]) == {"a": newest}
    assert newest == Annotation("a", 2, None, "Seen.", newest.created)
    with pytest.raises(UsageError, match="not-in-corpus"):
        two.annotations.add("a", "tired")  # type: ignore[arg-type]


def test_settings_are_kept_beside_the_answers(two: Store) -> None:
    assert two.settings("5e77") == {"k": 5}
    assert two.settings("unknown") == {}


def test_everything_that_is_written_is_queued_with_it(two: Store) -> None:
    two.add_feedback("a", "up")
    two.preferences.add("p", "a", "b", "left")
    assert waiting(two) == [("answer", "a"), ("answer", "b"), ("feedback", "a"), ("preference", "p")]


def test_what_hangs_on_an_erased_conversation_goes_with_it(store: Store, make_answer: Any) -> None:
    opened = store.start_conversation("secret", "wine").id
    for name in ("a", "b"):
        store.save_answer(make_answer(id=name, conversation_id=opened))
    store.save_answer(make_answer(id="other"))
    store.add_feedback("a", "down")
    store.preferences.add("p", "a", "b", "left")
    store.annotations.add("b", "not-used")

    store.delete_conversation(opened, "secret")

    assert waiting(store) == [("answer", "other"), ("erase", opened)]
    assert list(store.preferences.all()) == []
    assert store.annotations.of(["b"]) == {}
