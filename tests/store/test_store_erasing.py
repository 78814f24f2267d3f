"""Erasing: by the owner, and by age; what goes along, and what stays in order."""

from __future__ import annotations

from typing import Any

import pytest

from rag.errors import NotFound
from rag.store import Erased, Store
from rag.store.erasing import alone, answer_of

SECRET = "s"
DAY = 86_400.0


def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    with store._database.reading() as connection:
        return [tuple(row) for row in connection.execute(sql)]


def test_the_owner_erases_a_conversation_without_its_secret(store: Store, make_answer: Any) -> None:
    conversation = store.start_conversation(SECRET, "wine", "Reds")
    store.save_answer(make_answer(id="a", conversation_id=conversation.id))
    store.save_answer(make_answer(id="b", conversation_id=conversation.id), replaces="a")
    store.save_answer(make_answer(id="c"))
    store.add_feedback("a", "up")
    store.add_feedback("c", "down", comment="Stays.")
    store.preferences.add("pair", "b", "c", "left")
    store.annotations.add("b", None, "Hm.")

    assert store.erase_conversation(conversation.id) == Erased(conversations=1, answers=2, feedback=1)

    assert rows(store, "SELECT id FROM answers") == [("c",)]
    assert rows(store, "SELECT answer_id FROM feedback") == [("c",)]
    assert rows(store, "SELECT * FROM preferences") == rows(store, "SELECT * FROM annotations") == []
    assert rows(store, "SELECT kind, row_id FROM outbox WHERE thread != 'c'") == [("erase", conversation.id)]
    assert rows(store, "SELECT conversation_id FROM erased") == [(conversation.id,)]
    with pytest.raises(NotFound, match="No conversation"):
        store.erase_conversation(conversation.id)


def test_what_is_older_goes_with_all_that_hangs_on_it(store: Store, make_answer: Any) -> None:
    for number, name in enumerate("abcd"):
        store.save_answer(make_answer(id=name, created=number * DAY))
        store.add_feedback(name, "up")
    store.preferences.add("pair", "a", "d", "left")

    would = store.count_before(2 * DAY)
    done = store.erase_before(2 * DAY)

    assert would == done == Erased(conversations=0, answers=2, feedback=2)
    assert rows(store, "SELECT id FROM answers") == [("c",), ("d",)]
    assert rows(store, "SELECT count(*) FROM preferences") == [(0,)]
    waiting = rows(store, "SELECT kind, row_id FROM outbox WHERE kind = 'erase'")
    assert waiting == [("erase", alone("a")), ("erase", alone("b"))]
    assert [answer_of(name) for _, name in waiting] == ["a", "b"]
    assert answer_of("a conversation") is None
    assert store.erase_before(2 * DAY) == Erased()


def test_a_conversation_loses_its_old_answers_and_goes_when_it_is_empty(
    store: Store, make_answer: Any
) -> None:
    old, mixed = store.start_conversation(SECRET, "wine"), store.start_conversation(SECRET, "wine")
    store.save_answer(make_answer(id="a", created=1.0, conversation_id=old.id))
    store.save_answer(make_answer(id="b", created=2.0, conversation_id=mixed.id))
    store.save_answer(make_answer(id="c", created=3 * DAY, conversation_id=mixed.id))
    new = store.start_conversation(SECRET, "wine")
    with store._database.writing() as connection:  # conversations are stamped with the clock
        connection.execute("UPDATE conversations SET created = 1, updated = 2 WHERE id = ?", (old.id,))
        connection.execute("UPDATE conversations SET created = 1, updated = 3 WHERE id = ?", (mixed.id,))

    assert store.count_before(2 * DAY) == Erased(1, 2, 0)
    assert store.erase_before(2 * DAY) == Erased(1, 2, 0)

    assert {c.id for c in store.conversations(SECRET)} == {mixed.id, new.id}
    assert [answer.id for answer, _ in store.conversation_answers(mixed.id, SECRET)] == ["c"]


def test_what_replaced_an_old_answer_takes_its_place(store: Store, make_answer: Any) -> None:
    conversation = store.start_conversation(SECRET, "wine")
    of = {"conversation_id": conversation.id}
    store.save_answer(make_answer(id="a", created=1.0, **of))
    store.save_answer(make_answer(id="b", created=2 * DAY, **of), replaces="a")
    store.save_answer(make_answer(id="c", created=2 * DAY, **of), replaces="b")
    store.save_answer(make_answer(id="d", created=2 * DAY, **of))

    store.erase_before(DAY)

    assert [answer.id for answer, _ in store.conversation_answers(conversation.id, SECRET)] == ["c", "d"]
    assert store.conversation(conversation.id, SECRET).answers == 2
    store.save_answer(make_answer(id="e", created=2 * DAY, **of), replaces="c")
    assert [answer.id for answer, _ in store.conversation_answers(conversation.id, SECRET)] == ["e", "d"]


def test_many_go_in_more_than_one_transaction(
    store: Store, make_answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.store.erasing._PAGE", 2)
    for number in range(5):
        store.save_answer(make_answer(id=str(number), created=float(number)))

    assert store.erase_before(4.0).answers == 4
    assert rows(store, "SELECT id FROM answers") == [("4",)]


def test_one_that_came_back_is_erased_again(store: Store, make_answer: Any) -> None:
    answer = make_answer(id="a", created=1.0)
    store.save_answer(answer)
    store.erase_before(2.0)
    store.save_answer(answer)

    assert store.erase_before(2.0).answers == 1
    assert rows(store, "SELECT row_id FROM outbox") == [(alone("a"),)]


def test_erased_text_is_not_left_in_the_file(store: Store, make_answer: Any) -> None:
    store.save_answer(make_answer(id="a", created=1.0, question="Xylophagous?", rewritten="Xylophagous?"))
    store.add_feedback("a", "down", comment="Quixotically wrong")
    store.erase_before(2.0)

    for path in store.path.parent.iterdir():
        assert b"Xylophagous" not in path.read_bytes()
        assert b"Quixotically" not in path.read_bytes()
