"""Conversations: whose they are, what stands in them, and how they end."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rag.errors import NotFound, UsageError
from rag.store import Erased, Store, new_secret

MINE, YOURS = new_secret(), new_secret()


def files_of(store: Store) -> bytes:
    """All bytes on disk of the store, its log included."""
    return b"".join(path.read_bytes() for path in sorted(store.path.parent.iterdir()))


def test_a_conversation_starts_empty(store: Store) -> None:
    begun = store.start_conversation(MINE, "wine", "  Dry\n reds  ")
    assert (begun.title, begun.prototype, begun.answers) == ("Dry reds", "wine", 0)
    assert begun.created == begun.updated
    assert store.conversation(begun.id, MINE) == begun


def test_only_the_hash_of_the_secret_is_on_disk(store: Store) -> None:
    store.start_conversation(MINE, "wine")
    assert MINE.encode() not in files_of(store)
    assert hashlib.sha256(MINE.encode()).hexdigest().encode() in files_of(store)


def test_a_foreign_secret_meets_the_same_error_as_an_unknown_id(store: Store) -> None:
    mine = store.start_conversation(MINE, "wine").id
    for call in (
        store.conversation,
        store.conversation_answers,
        store.delete_conversation,
        lambda id, secret: store.rename_conversation(id, secret, "Taken"),
    ):
        with pytest.raises(NotFound) as foreign:
            call(mine, YOURS)
        with pytest.raises(NotFound) as unknown:
            call("0" * 32, YOURS)
        assert str(foreign.value).replace(mine, "0" * 32) == str(unknown.value)
    assert store.conversation(mine, MINE).title == ""
    for odd in ("", " ", "\ud800", "é"):
        with pytest.raises(NotFound):
            store.conversation(mine, odd)


def test_a_blank_secret_binds_nothing(store: Store) -> None:
    with pytest.raises(UsageError, match="needs the secret"):
        store.start_conversation(" ", "wine")
    assert store.conversations("") == []


def test_conversations_of_one_browser_the_last_used_first(store: Store, make_answer: Any) -> None:
    first = store.start_conversation(MINE, "wine", "first").id
    store.start_conversation(MINE, "handbook", "second")
    store.start_conversation(YOURS, "wine", "yours")
    store.start_conversation(MINE, "wine", "third")
    assert [each.title for each in store.conversations(MINE)] == ["third", "second", "first"]

    store.save_answer(make_answer(conversation_id=first))
    listed = store.conversations(MINE)
    assert [(each.title, each.answers) for each in listed] == [("first", 1), ("third", 0), ("second", 0)]
    assert [each.title for each in store.conversations(MINE, "wine")] == ["first", "third"]
    assert [each.title for each in store.conversations(MINE, limit=2)] == ["first", "third"]
    assert store.conversations(MINE, limit=0) == []


def test_answers_stand_in_order_with_the_feedback_that_counts(store: Store, make_answer: Any) -> None:
    talk = store.start_conversation(MINE, "wine").id
    answers = [make_answer(conversation_id=talk, created=when) for when in (3.0, 1.0, 2.0)]
    for answer in answers:
        store.save_answer(answer)
    store.save_answer(make_answer(origin="batch"))  # of no conversation
    store.add_feedback(answers[1].id, "down")
    up = store.add_feedback(answers[1].id, "up")
    assert store.conversation_answers(talk, MINE) == [
        (answers[0], None),
        (answers[1], up),
        (answers[2], None),
    ]


def test_a_regenerated_answer_stands_where_the_first_one_stood(store: Store, make_answer: Any) -> None:
    talk = store.start_conversation(MINE, "wine").id
    for name, replaced in (("a", None), ("b", None), ("a2", "a"), ("a3", "a2"), ("c", None), ("b2", "b")):
        store.save_answer(make_answer(id=name, conversation_id=talk), replaces=replaced)
    assert [answer.id for answer, _ in store.conversation_answers(talk, MINE)] == ["a3", "b2", "c"]
    assert store.conversation(talk, MINE).answers == 3
    assert store.answer("a").id == "a"  # kept, with what was thought of it


def test_of_two_answers_in_place_of_one_the_last_saved_is_shown(store: Store, make_answer: Any) -> None:
    talk = store.start_conversation(MINE, "wine").id
    for name, replaced in (("a", None), ("left", "a"), ("right", "a")):
        store.save_answer(make_answer(id=name, conversation_id=talk), replaces=replaced)
    assert [answer.id for answer, _ in store.conversation_answers(talk, MINE)] == ["right"]


def test_an_answer_without_a_word_takes_the_place_of_none_that_has_any(
    store: Store, make_answer: Any
) -> None:
    talk = store.start_conversation(MINE, "wine").id

    def shown() -> list[str]:
        return [answer.id for answer, _ in store.conversation_answers(talk, MINE)]

    def save(name: str, text: str, replaces: str | None) -> None:
        store.save_answer(make_answer(id=name, conversation_id=talk, text=text), replaces=replaces)

    save("a", "", None)
    save("a2", " \n", "a")
    assert shown() == ["a2"]
    save("a3", "Good.", "a2")
    save("b", "Next.", None)
    save("a4", "", "a3")
    up = store.add_feedback("a3", "up")
    assert store.conversation_answers(talk, MINE)[0] == (store.answer("a3"), up)
    assert store.answer("a4").text == ""  # kept all the same
    save("a5", "Better.", "a3")
    assert shown() == ["a5", "b"]
    assert store.conversation(talk, MINE).answers == 2


def test_an_answer_replaces_only_within_its_conversation(store: Store, make_answer: Any) -> None:
    mine, other = (store.start_conversation(MINE, "wine").id for _ in range(2))
    store.save_answer(make_answer(id="a", conversation_id=mine))
    with pytest.raises(UsageError, match="of its own conversation"):
        store.save_answer(make_answer(conversation_id=other), replaces="a")
    with pytest.raises(NotFound, match="'gone'"):
        store.save_answer(make_answer(conversation_id=mine), replaces="gone")
    assert store.conversation(other, MINE).answers == 0


def test_renaming_keeps_the_order_and_long_titles_are_cut(store: Store) -> None:
    first = store.start_conversation(MINE, "wine", "first").id
    store.start_conversation(MINE, "wine", "second")
    assert store.rename_conversation(first, MINE, "x" * 20_000).title == "x" * 200
    assert [each.title for each in store.conversations(MINE)] == ["second", "x" * 200]
    with pytest.raises(UsageError, match="at least one character"):
        store.rename_conversation(first, MINE, " \n ")


def test_deleting_erases_the_answers_and_their_feedback_from_the_disk(store: Store, make_answer: Any) -> None:
    gone, kept = (store.start_conversation(MINE, "wine", f"talk {n}").id for n in range(2))
    for name, replaced in (("a", None), ("b", None), ("b2", "b")):
        store.save_answer(
            make_answer(id=name, conversation_id=gone, text=f"private {name} " * 1_000), replaces=replaced
        )
    store.add_feedback("a", "up", comment="private comment")
    store.add_feedback("a", None)
    store.add_feedback("b", "down")
    store.save_answer(make_answer(id="other", conversation_id=kept))
    store.add_feedback("other", "up")
    with closing(sqlite3.connect(store.path)) as other:  # while it is open, the log stays
        other.execute("SELECT * FROM answers").fetchall()
        store.add_feedback("a", "up", comment="private comment, in the log")
        assert b"private comment, in the log" in files_of(store)

        assert store.delete_conversation(gone, MINE) == Erased(conversations=1, answers=3, feedback=4)

        assert b"private" not in files_of(store)
    with pytest.raises(NotFound):
        store.answer("b2")
    with pytest.raises(NotFound):
        store.delete_conversation(gone, MINE)
    assert store.feedback_history("a") == []
    assert [
        (answer.id, thumb and thumb.rating) for answer, thumb in store.conversation_answers(kept, MINE)
    ] == [("other", "up")]


def test_the_store_makes_its_folder(tmp_path: Path) -> None:
    assert Store(tmp_path / "a" / "b" / "store.db").path.is_file()
