"""Erasing: by the owner, and by age; what goes along, and what stays in order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.ui.text import cut
from rag.errors import NotFound
from rag.store import Erased, Store
from rag.store.erasing import _names, alone, answer_of

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


# --- of one prototype ----------------------------------------------------------------------------


def test_only_the_prototype_that_is_named_loses_what_is_old(store: Store, make_answer: Any) -> None:
    of = {name: store.start_conversation(SECRET, name).id for name in ("wine", "handbook")}
    for name, conversation in of.items():
        made_with = {"provenance": replace(make_answer().provenance, prototype=name)}
        store.save_answer(
            make_answer(id=f"{name}-old", created=1.0, conversation_id=conversation, **made_with)
        )
        store.save_answer(make_answer(id=f"{name}-new", created=3 * DAY, **made_with))
        store.add_feedback(f"{name}-old", "up")
        store.add_feedback(f"{name}-new", "up")
    with store._database.writing() as connection:  # conversations are stamped with the clock
        connection.execute("UPDATE conversations SET created = 1, updated = 2")

    assert store.count_before(2 * DAY, "handbook") == Erased(1, 1, 1)
    assert store.erase_before(2 * DAY, "handbook") == Erased(1, 1, 1)

    left = rows(store, "SELECT id FROM answers ORDER BY n")
    assert left == [("wine-old",), ("wine-new",), ("handbook-new",)]
    assert rows(store, "SELECT id FROM conversations") == [(of["wine"],)]
    assert store.erase_before(2 * DAY, "nobody's") == Erased()
    assert store.count_before(2 * DAY) == store.erase_before(2 * DAY) == Erased(1, 1, 1)


# --- the titles of conversations -----------------------------------------------------------------

LONG = "Which of the red wines in the cellar is dry enough for a very rich stew, and why is that so?"


@pytest.mark.parametrize(
    ("title", "asked", "left"),
    [
        ("Which red is dry?", "Which red is dry?", "And which white?"),
        (cut(LONG, 60), LONG, "And which white?"),  # as the chat begins a conversation
        (LONG[:80], LONG, "And which white?"),  # as one that came from elsewhere is named
        ("Which red is dry? And so on", "Which red\n is\u202e dry? And  so on", "And which white?"),
        ("Dinner on Sunday", "Which red is dry?", "Dinner on Sunday"),  # a reader named it so
        ("Which red", "Which red is dry?", "Which red"),
        ("", "Which red is dry?", ""),
    ],
)
def test_a_question_that_goes_is_no_title_any_more(
    store: Store, make_answer: Any, title: str, asked: str, left: str
) -> None:
    conversation = store.start_conversation(SECRET, "wine", title).id
    of = {"conversation_id": conversation}
    store.save_answer(make_answer(id="a", created=1.0, question=asked, **of))
    store.save_answer(make_answer(id="b", created=3 * DAY, question="And which white?", **of))
    store.save_answer(make_answer(id="c", created=4 * DAY, question="And a rosé?", **of))

    store.erase_before(DAY)

    assert store.conversation(conversation, SECRET).title == left


def test_the_title_follows_the_first_question_that_is_left(
    store: Store, make_answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.store.erasing._PAGE", 1)
    conversation = store.start_conversation(SECRET, "wine", "Question 0?").id
    for number in range(4):
        question = f"Question {number}?" if number < 2 else f"{number} {LONG}"
        store.save_answer(make_answer(created=number * DAY, question=question, conversation_id=conversation))

    titles = []
    for days in (1, 2, 3, 4):
        store.erase_before(days * DAY)
        titles.append(store.conversation(conversation, SECRET).title)

    assert titles == ["Question 1?", cut(f"2 {LONG}", 60), cut(f"3 {LONG}", 60), ""]


def test_an_answer_in_the_place_of_an_erased_one_keeps_the_title(store: Store, make_answer: Any) -> None:
    conversation = store.start_conversation(SECRET, "wine", "Which red?").id
    of = {"conversation_id": conversation, "question": "Which red?"}
    store.save_answer(make_answer(id="a", created=1.0, **of))
    store.save_answer(make_answer(id="b", created=3 * DAY, **of), replaces="a")

    store.erase_before(DAY)

    assert store.conversation(conversation, SECRET).title == "Which red?"


def test_an_erased_title_is_not_left_in_the_file(store: Store, make_answer: Any) -> None:
    asked = "Is a xylophagous beetle in the barrel?"
    conversation = store.start_conversation(SECRET, "wine", asked).id
    of = {"conversation_id": conversation}
    store.save_answer(make_answer(id="a", created=1.0, question=asked, rewritten=asked, **of))
    store.save_answer(make_answer(id="b", created=3 * DAY, question="And now?", **of))
    store.erase_before(DAY)

    for path in store.path.parent.iterdir():
        assert b"xylophagous" not in path.read_bytes()


@given(st.text(min_size=1))
def test_every_title_that_the_chat_makes_is_known_for_its_question(question: str) -> None:
    title = cut(question, 60)

    assert _names(title, question) or not title.strip("\ufffd… ")
