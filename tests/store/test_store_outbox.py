"""The queue for Supabase: what is in it, in what order it goes, and what is set aside."""

from __future__ import annotations

import time
from typing import Any

import pytest

from rag.store import Store, new_id
from rag.store.outbox import BATCH, BATCH_BYTES


def places(store: Store, kind: Any, **how: Any) -> list[str]:
    return [str(parcel.values["id"]).replace("-", "") for parcel in store.outbox.claim(kind, **how)]


def test_rows_are_queued_with_what_they_say(store: Store, make_answer: Any) -> None:
    answer = make_answer()
    store.save_answer(answer, settings={"k": 5}, system_prompt="Be brief.")
    given = store.add_feedback(answer.id, "down", comment="No.")

    [parcel] = store.outbox.claim("answer")
    store.outbox.delivered([parcel.n])
    [thumb] = store.outbox.claim("feedback")

    assert parcel.values["created"] == "2023-11-14T22:13:20.250000+00:00"
    assert parcel.values["record"]["text"] == answer.text
    assert parcel.values["settings_values"] == {"k": 5}
    assert parcel.values["system_prompt"] == "Be brief."
    assert thumb.values["answer_id"] == parcel.values["id"]
    assert (thumb.values["rating"], thumb.values["comment"], thumb.values["revision"]) == ("down", "No.", 1)
    assert given.id == str(thumb.values["id"]).replace("-", "")


def test_what_belongs_to_an_answer_goes_after_it(store: Store, make_answer: Any) -> None:
    left, right = make_answer(), make_answer()
    store.save_answer(left)
    store.save_answer(right)
    store.add_feedback(left.id, "up")
    store.preferences.add(new_id(), left.id, right.id, "left")
    assert places(store, "feedback") == places(store, "preference") == []

    first, second = store.outbox.claim("answer")
    store.outbox.delivered([first.n])
    assert len(places(store, "feedback")) == 1
    assert places(store, "preference") == []

    store.outbox.refuse(second.n, "too long")
    assert places(store, "preference") == []
    store.outbox.retry()
    store.outbox.delivered([second.n])
    assert len(places(store, "preference")) == 1


def test_a_batch_is_bounded_in_rows_and_in_bytes(store: Store, make_answer: Any) -> None:
    ids = [new_id() for _ in range(BATCH + 5)]
    for each in ids[:4]:
        store.save_answer(make_answer(id=each, text="x" * (BATCH_BYTES // 5)))
    for each in ids[4:]:
        store.save_answer(make_answer(id=each))

    first = places(store, "answer")
    after = store.outbox.claim("answer", limit=2)[-1].n

    assert first == ids[:2]
    assert places(store, "answer", after=after)[:2] == ids[2:4]
    assert len(places(store, "answer", after=after + 2)) == BATCH


def test_a_row_larger_than_a_batch_goes_alone(store: Store, make_answer: Any) -> None:
    large, small = make_answer(text="x" * (BATCH_BYTES + 1)), make_answer()
    store.save_answer(large)
    store.save_answer(small)

    assert places(store, "answer") == [large.id]


def test_how_the_queue_stands(store: Store, make_answer: Any) -> None:
    before = time.time()
    answer = make_answer()
    store.save_answer(answer)
    store.add_feedback(answer.id, "up")
    store.add_feedback(answer.id, "down")
    waiting = store.outbox.waiting()
    [parcel] = store.outbox.claim("answer")
    store.outbox.refuse(parcel.n, "It is too long.")
    store.outbox.note("Nobody there.")

    later = store.outbox.waiting()

    assert (waiting.rows, waiting.refused, waiting.problem) == (3, 0, None)
    assert waiting.oldest is not None
    assert before - 1 <= waiting.oldest <= time.time()
    assert (later.rows, later.refused, later.problem) == (2, 1, "Nobody there.")
    assert [(row.kind, row.row_id, row.reason) for row in store.outbox.refused()] == [
        ("answer", answer.id, "It is too long.")
    ]
    store.outbox.note(None)
    assert store.outbox.waiting().problem is None
    assert store.outbox.retry() == 1
    assert store.outbox.waiting().rows == 3


def test_an_id_that_is_no_uuid_is_set_aside_and_keeps_no_other(store: Store, make_answer: Any) -> None:
    good = make_answer()
    store.save_answer(make_answer(id="mine"))
    store.save_answer(good)

    assert places(store, "answer") == [good.id]
    assert "'mine' is no UUID" in store.outbox.refused()[0].reason


def test_nul_is_replaced_wherever_it_stands(store: Store, make_answer: Any) -> None:
    answer = make_answer(text="a\0b", where={"a\0": ["\0", 1.5]})
    store.save_answer(answer)

    [parcel] = store.outbox.claim("answer")

    assert parcel.values["text"] == "a\ufffdb"
    assert parcel.values["record"]["text"] == "a\ufffdb"
    assert parcel.values["record"]["where"] == {"a\ufffd": ["\ufffd", 1.5]}


def test_what_was_erased_is_not_delivered_any_more(store: Store, make_answer: Any) -> None:
    conversation = store.start_conversation("secret", "wine")
    answer = make_answer(conversation_id=conversation.id)
    store.save_answer(answer)
    store.add_feedback(answer.id, "up")
    store.delete_conversation(conversation.id, "secret")

    assert store.outbox.waiting().rows == 0
    [parcel] = store.outbox.claim("erase")
    assert str(parcel.values["conversation_id"]).replace("-", "") == conversation.id


def test_every_write_wakes_whoever_waits(store: Store, make_answer: Any) -> None:
    store.outbox.changed.clear()
    store.save_answer(make_answer())
    assert store.outbox.changed.is_set()


def test_a_write_that_failed_wakes_nobody(store: Store, make_answer: Any) -> None:
    store.outbox.changed.clear()
    with pytest.raises(Exception, match="No answer is stored"):
        store.add_feedback(new_id(), "up")
    assert not store.outbox.changed.is_set()
