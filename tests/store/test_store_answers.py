"""Answers and what people thought of them."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from typing import Any

import pytest

import rag.store.thumbs as module
from rag.errors import NotFound, StoreError, UsageError
from rag.store import Store, new_id, new_secret
from rag.types import Feedback, Relevant


def test_an_answer_comes_back_whole(store: Store, make_answer: Any) -> None:
    answer = make_answer()
    store.save_answer(answer)
    assert store.answer(answer.id) == answer
    assert repr(Store(store.path).answer(answer.id)) == repr(answer)


def test_what_is_queried_stands_in_columns(store: Store, make_answer: Any) -> None:
    store.save_answer(make_answer(id="a", origin="batch"))
    with sqlite3.connect(store.path) as connection:
        row = connection.execute(
            "SELECT prototype, created, origin, confidence, abstained, generator, settings, index_version,"
            " prompt_version, link, conversation_id, replaces, question, text FROM answers"
        ).fetchone()
    connection.close()
    assert row == (
        *("wine", 1_700_000_000.25, "batch", 0.9, 0, "extractive", "5e77", "1d3", "p1", "l1", None, None),
        *("Which red is dry?", "Tempranillo, 2019. [1]"),
    )


def test_saving_the_same_answer_again_does_nothing(store: Store, make_answer: Any) -> None:
    answer = make_answer()
    store.save_answer(answer)
    store.add_feedback(answer.id, "up")
    store.save_answer(answer)
    assert [thumb.rating for thumb in store.feedback_history(answer.id)] == ["up"]


def test_other_content_under_a_known_id_is_refused(store: Store, make_answer: Any) -> None:
    store.save_answer(make_answer(id="a", text="first"))
    with pytest.raises(StoreError, match="'a' is already stored with other content"):
        store.save_answer(make_answer(id="a", text="second"))
    assert store.answer("a").text == "first"


def test_the_same_content_in_place_of_another_answer_is_other_content(store: Store, make_answer: Any) -> None:
    store.save_answer(make_answer(id="a"))
    store.save_answer(make_answer(id="b"))
    with pytest.raises(StoreError, match="'b' is already stored"):
        store.save_answer(make_answer(id="b"), replaces="a")


def test_an_answer_of_five_million_characters(store: Store, make_answer: Any) -> None:
    store.save_answer(make_answer(id="a", text="čaj 🍵 " * 833_334))
    assert store.answer("a").text == "čaj 🍵 " * 833_334


def test_unstorable_text_is_mended_and_saving_it_twice_is_still_once(store: Store, make_answer: Any) -> None:
    answer = make_answer(id="a", text="cut \ud83d", question="\udcff?")
    store.save_answer(answer)
    store.save_answer(answer)
    assert (store.answer("a").text, store.answer("a").question) == ("cut \ufffd", "\ufffd?")


@pytest.mark.parametrize("unknown", ["nothing", "", "\ud800", "a\x00b", "' OR 1=1 --", "x" * 100_000])
def test_an_unknown_answer_is_not_found_in_one_short_line(store: Store, unknown: str) -> None:
    with pytest.raises(NotFound) as caught:
        store.answer(unknown)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 160
    str(caught.value).encode()  # can be printed


def test_an_answer_without_an_id_or_with_a_foreign_conversation(store: Store, make_answer: Any) -> None:
    with pytest.raises(UsageError, match="needs an id"):
        store.save_answer(make_answer(id=""))
    with pytest.raises(NotFound, match="no conversation 'gone'"):
        store.save_answer(make_answer(id="a", conversation_id="gone"))
    with pytest.raises(NotFound, match="'a'"):
        store.answer("a")


# --- feedback -----------------------------------------------------------------


@pytest.fixture
def answered(store: Store, make_answer: Any) -> Store:
    """A store with the answers a, b and c, of two citations each."""
    (first,) = make_answer().citations
    for name in "abc":
        store.save_answer(make_answer(id=name, citations=(replace(first, number=2), first)))
    return store


def test_a_thumb_is_read_back(answered: Store) -> None:
    given = answered.add_feedback(
        *("a", "down"),
        reasons=["wrong", "out of date", "wrong"],
        comment="It is from 2020.",
        correction="Tempranillo, 2020.",
        origin="command",
    )
    assert given == Feedback(
        *("a", 1, "down", ("wrong", "out of date"), "It is from 2020.", "Tempranillo, 2020."),
        created=given.created,
        origin="command",
        id=given.id,
    )
    assert answered.feedback("a") == given


def test_a_thumb_names_the_right_passage_and_the_wrong_citations(answered: Store) -> None:
    passage = Relevant("cellar", 4, 22, "wines/cellar.csv", "Tempranillo, 2019.", retrieved=0)

    given = answered.add_feedback("a", "down", passage=passage, reported=[2, 1, 2])

    assert (given.passage, given.reported) == (passage, (1, 2))
    assert answered.feedback("a") == given


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"passage": Relevant("cellar", 4, 4)}, "a span of at least one character"),
        ({"passage": Relevant("", 0, 4)}, "needs its document"),
        ({"passage": Relevant("cellar", 0, 4, text="x" * 20_001)}, "20,001 characters"),
        ({"passage": Relevant("cellar", 0, 2**31)}, "beyond character 2,147,483,647"),
        ({"passage": Relevant("cellar", 0, 10**20)}, "beyond character 2,147,483,647"),
        ({"reported": [0]}, "counted from 1"),
        ({"reported": [2**31]}, "counted from 1 to 2,147,483,647 at most"),
        ({"reported": list(range(1, 102))}, "at most 100"),
        ({"reported": [2, 3]}, "no citation 3 to report: it has the citations 1, 2"),
    ],
)
def test_evidence_that_is_none_is_refused(answered: Store, given: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        answered.add_feedback("a", "down", **given)
    assert answered.feedback("a") is None


def test_the_last_character_that_a_document_may_have_is_taken(answered: Store) -> None:
    passage = Relevant("cellar", 0, 2**31 - 1)
    assert answered.add_feedback("a", "down", passage=passage).passage == passage


def test_an_answer_that_cites_nothing_has_no_citation_to_report(store: Store, make_answer: Any) -> None:
    store.save_answer(make_answer(id="none", citations=()))
    with pytest.raises(UsageError, match="no citation 1 to report: it cites nothing"):
        store.add_feedback("none", "down", reported=[1])


def test_a_number_that_was_taken_once_keeps_no_thumb_from_being_turned(answered: Store) -> None:
    answered.add_feedback("a", "down", reasons=["wrong"], passage=Relevant("cellar", 4, 22), reported=[1])
    with answered._database.writing() as connection:
        connection.execute(
            "UPDATE feedback SET reported = '[1, 7, 3000000000]', "
            "passage = replace(passage, '22', '100000000000000000000')"
        )
    newest = answered.feedback("a")
    assert newest is not None
    assert newest.passage is not None
    assert (newest.passage.end, newest.reported) == (10**20, (1, 7, 3_000_000_000))

    said = {"reasons": newest.reasons, "passage": newest.passage, "reported": newest.reported}
    again = answered.add_feedback("a", "down", comment="Too old.", **said)

    assert (again.comment, again.passage, again.reported) == ("Too old.", None, (1,))
    with pytest.raises(UsageError, match="no citation 7"):
        answered.add_feedback("a", "down", reported=[1, 7])


def test_the_highest_revision_counts_whatever_the_clock_says(
    answered: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for rating, clock in (("down", 300.0), ("up", 100.0), (None, 200.0), ("up", 50.0)):
        monkeypatch.setattr(module.time, "time", lambda clock=clock: clock)
        answered.add_feedback("a", rating)
    newest = answered.feedback("a")
    assert newest is not None
    assert (newest.revision, newest.rating, newest.created) == (4, "up", 50.0)
    assert [(each.revision, each.rating) for each in answered.feedback_history("a")] == [
        *((1, "down"), (2, "up"), (3, None), (4, "up"))
    ]


def test_a_thumb_taken_back_is_feedback_without_a_rating(answered: Store) -> None:
    answered.add_feedback("a", "up")
    answered.add_feedback("a", None)
    newest = answered.feedback("a")
    assert newest is not None
    assert (newest.revision, newest.rating) == (2, None)


def test_feedback_of_many_answers_at_once(answered: Store) -> None:
    answered.add_feedback("a", "down")
    answered.add_feedback("a", "up")
    answered.add_feedback("c", "down")
    many = ["a", "b", "c", *(new_id() for _ in range(2_000)), "\ud800"]  # more than SQL takes as parameters
    assert {key: (each.revision, each.rating) for key, each in answered.feedback_for(many).items()} == {
        "a": (2, "up"),
        "c": (1, "down"),
    }
    assert answered.feedback_for([]) == {}
    assert answered.feedback("b") is None
    assert answered.feedback_history("b") == []


def test_feedback_on_an_unknown_answer_is_refused(answered: Store) -> None:
    with pytest.raises(NotFound, match="'nothing'"):
        answered.add_feedback("nothing", "up")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"rating": "sideways"}, "up, down or none, not 'sideways'"),
        ({"rating": "up", "origin": "dream"}, "chat, batch, command, compare, not 'dream'"),
        ({"rating": "down", "reasons": "wrong"}, "list of short texts"),
        ({"rating": "down", "reasons": [" "]}, "none of them empty"),
        ({"rating": "down", "reasons": ["r"] * 21}, "at most 20 reasons of at most 64"),
        ({"rating": "down", "reasons": ["r" * 65]}, "at most 20 reasons of at most 64"),
        ({"rating": "down", "comment": "c" * 5_001}, "comment has 5,001 characters; shorten it to 5,000"),
        ({"rating": "down", "correction": "c" * 20_001}, "correction has 20,001 characters"),
    ],
)
def test_feedback_out_of_bounds_is_refused_in_a_sentence(
    answered: Store, given: dict[str, Any], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        answered.add_feedback("a", **given)
    assert answered.feedback("a") is None


def test_feedback_at_the_bounds_and_of_odd_characters_is_kept(answered: Store) -> None:
    given = answered.add_feedback(
        "a", "down", reasons=["r" * 64] * 20, comment="\x00\ud800'" + "🍷" * 4_997, correction="ö" * 20_000
    )
    assert given.comment == "\x00\ufffd'" + "🍷" * 4_997
    assert answered.feedback("a") == given


def test_eight_threads_lose_and_double_no_feedback(answered: Store) -> None:
    stores = [answered, Store(answered.path)]  # the second knows the first only through the file
    barrier = threading.Barrier(8)
    failures: list[Exception] = []

    def rate(thread: int) -> None:
        barrier.wait()
        try:
            for n in range(100):
                stores[thread % 2].add_feedback("abc"[n % 3], "up", comment=f"{thread}.{n}")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=rate, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    histories = [answered.feedback_history(name) for name in "abc"]
    assert [[each.revision for each in history] for history in histories] == [
        *(list(range(1, 273)), list(range(1, 265)), list(range(1, 265)))  # 8 x 34, 33 and 33
    ]
    assert sorted(each.comment for history in histories for each in history) == sorted(
        f"{thread}.{n}" for thread in range(8) for n in range(100)
    )


def test_ids_and_secrets_do_not_repeat() -> None:
    assert len({new_id() for _ in range(1_000)} | {new_secret() for _ in range(1_000)}) == 2_000
    assert len(new_id()) == 32
    assert len(new_secret()) == 43
