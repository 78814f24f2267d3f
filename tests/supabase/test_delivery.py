"""Delivery to a project over HTTP, through everything that goes wrong on the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from rag.config import Environment
from rag.delivery import Delivery
from rag.errors import StoreError, UsageError
from rag.store import Store, new_id
from rag.store.parcels import MAX_PROMPT
from rag.types import Relevant
from tests.supabase.conftest import LATE
from tests.supabase.fault_proxy import FaultProxy
from tests.supabase.servers import Api

pytestmark = pytest.mark.slow

At = Callable[..., Environment]


def delivery(store: Store, environment: Environment, **changes: float) -> Delivery:
    return Delivery(lambda: store, environment, **{"timeout": LATE / 2, "pause": 0.01, **changes})


def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_every_kind_of_row_arrives_as_it_was_stored(api: Api, store: Store, at: At, make_answer: Any) -> None:
    conversation = store.start_conversation("secret", "wine")
    (cited,) = make_answer().citations
    first = make_answer(
        conversation_id=conversation.id,
        question="Which?\0 🍷",
        created=1_700_000_000.123456,
        citations=(cited, replace(cited, number=2)),
    )
    again = make_answer(conversation_id=conversation.id, question=first.question)
    store.save_answer(first, settings={"k": 5, "filters.where": None})
    store.save_answer(again, replaces=first.id)
    given = store.add_feedback(
        first.id,
        "down",
        reasons=["wrong", "ганц"],
        comment="Not\0 this “one”",
        correction="That one",
        passage=Relevant("cellar", 4, 22, "wines/cellar.csv", "Tempranillo, 2019.", retrieved=0),
        reported=[2, 1],
    )
    store.add_feedback(first.id, None)
    pair = store.preferences.add(new_id(), first.id, again.id, "left", reason="shorter")

    done = delivery(store, at(api.url)).deliver()

    assert (done.rows, done.refused, done.problem) == (5, 0, None)
    assert store.outbox.waiting().rows == 0
    answers = api.sql("SELECT *, extract(epoch FROM created) AS seconds_of FROM answers ORDER BY n")
    assert [row["id"].replace("-", "") for row in answers] == [first.id, again.id]
    assert answers[0]["question"] == "Which?� 🍷"  # PostgreSQL has no NUL
    assert answers[0]["conversation_id"].replace("-", "") == conversation.id
    assert answers[1]["replaces"] == answers[0]["id"]
    assert answers[0]["settings_values"] == {"k": 5, "filters.where": None}
    assert float(answers[0]["seconds_of"]) == 1_700_000_000.123456
    assert answers[0]["record"]["passages"][0]["metadata"]["tags"] == ["red", "dry"]
    rows = api.sql("SELECT * FROM feedback ORDER BY revision")
    assert [row["rating"] for row in rows] == ["down", None]
    assert rows[0]["id"].replace("-", "") == given.id
    assert (rows[0]["reasons"], rows[0]["reported"]) == (["wrong", "ганц"], [1, 2])
    assert (rows[0]["comment"], rows[0]["correction"]) == ("Not� this “one”", "That one")
    assert rows[0]["passage"]["text"] == "Tempranillo, 2019."
    [preference] = api.sql("SELECT * FROM preferences")
    assert preference["id"].replace("-", "") == pair.id
    assert (preference["choice"], preference["reason"]) == ("left", "shorter")
    assert "secret" not in str(api.sql("SELECT a::text FROM answers a"))


def test_the_columns_of_the_first_prototype_can_be_read(
    api: Api, store: Store, at: At, make_answer: Any
) -> None:
    quoted = make_answer()
    made = replace(quoted.provenance, prompt_version="cited-1-abcdef")
    written = make_answer(generator="openai", provenance=made)
    store.save_answer(quoted)
    store.save_answer(written, system_prompt="You answer\0 from passages. 🍷")
    store.add_feedback(written.id, "up")
    store.add_feedback(written.id, "down")

    delivery(store, at(api.url)).deliver()

    assert api.sql("SELECT * FROM response ORDER BY reaction NULLS FIRST") == [
        {
            "system_prompt": prompt,
            "user_prompt": "Which red is dry?",
            "response": "Tempranillo, 2019. [1]",
            "prototype": "wine",
            "reaction": reaction,
        }
        for prompt, reaction in (("", None), ("You answer\ufffd from passages. 🍷", "down"))
    ]


def test_an_endless_prompt_keeps_no_answer_back(api: Api, store: Store, at: At, make_answer: Any) -> None:
    store.save_answer(make_answer(), system_prompt="🍷" * (MAX_PROMPT + 1))

    assert delivery(store, at(api.url)).deliver().refused == 0
    assert api.sql("SELECT length(system_prompt) AS length FROM answers") == [{"length": MAX_PROMPT}]


@pytest.mark.parametrize("key", ["anon", "service"])
def test_legacy_keys_deliver_too(api: Api, store: Store, at: At, make_answer: Any, key: str) -> None:
    store.save_answer(make_answer())
    environment = replace(at(api.url), supabase_key=getattr(api, key))

    assert delivery(store, environment).deliver().rows == 1
    assert api.count("answers") == 1


@pytest.mark.parametrize("fault", ["refuse", "reset", "delay", "late", "drop", "500", "503", "520", "html"])
def test_a_fault_loses_and_doubles_nothing(
    api: Api, proxy: FaultProxy, store: Store, at: At, make_answer: Any, fault: Any
) -> None:
    answer = make_answer()
    store.save_answer(answer)
    for number in range(20):
        store.add_feedback(answer.id, "up" if number % 2 else "down", comment=f"no. {number}")
    proxy.script(fault, fault, None, fault)

    done = delivery(store, at(proxy.url)).deliver(attempts=5)

    assert done.problem is None
    assert done.rows == 21
    assert (api.count("answers"), api.count("feedback")) == (1, 20)
    assert proxy.met[fault] >= 2


def test_an_outage_is_waited_out_and_told(
    api: Api, proxy: FaultProxy, store: Store, at: At, make_answer: Any
) -> None:
    proxy.choose = lambda: "503"
    background = delivery(store, at(proxy.url), longest=0.1)
    background.start()
    answer = make_answer()
    store.save_answer(answer)
    store.add_feedback(answer.id, "up")

    until(lambda: store.outbox.waiting().problem is not None)
    standing = background.standing()
    proxy.choose = lambda: None
    until(lambda: api.count("feedback") == 1)
    until(lambda: background.standing().sentences == ("Saved here and in Supabase.",))
    background.stop()

    assert standing.sentences[0] == "Saved here, 2 waiting for Supabase."
    assert "Database connection error" in standing.sentences[1]


def test_a_new_row_goes_at_once(api: Api, store: Store, at: At, make_answer: Any) -> None:
    background = delivery(store, at(api.url))
    background.start()
    store.save_answer(make_answer())
    until(lambda: api.count("answers") == 1)  # the client is loaded by now
    started = time.monotonic()

    store.save_answer(make_answer())
    until(lambda: api.count("answers") == 2)
    background.stop()

    assert time.monotonic() - started < 3


def test_one_bad_row_of_a_batch_costs_no_other(api: Api, store: Store, at: At, make_answer: Any) -> None:
    answer = make_answer()
    store.save_answer(answer)
    for number in range(10):
        store.add_feedback(answer.id, "up", comment=f"no. {number}")
    with store._database.writing() as connection:  # such a row is not taken from a reader
        connection.execute("UPDATE feedback SET comment = ? WHERE revision = 4", ("x" * 5_001,))

    mine = delivery(store, at(api.url))
    done = mine.deliver()

    assert (done.rows, done.refused) == (10, 1)
    [aside] = store.outbox.refused()
    assert aside.kind == "feedback"
    assert "feedback_comment_check" in aside.reason
    assert "xxx" not in aside.reason
    assert mine.standing().sentences[-1] == "1 set aside: Supabase does not take them as they are."
    with store._database.writing() as connection:
        connection.execute("UPDATE feedback SET comment = 'shorter' WHERE revision = 4")
    assert mine.retry() == 1
    assert mine.deliver().rows == 1
    assert api.count("feedback") == 10


def test_feedback_waits_for_an_answer_that_was_set_aside(
    api: Api, store: Store, at: At, make_answer: Any
) -> None:
    good, bad = make_answer(), make_answer(text="x" * 400_001)
    for answer in (bad, good):
        store.save_answer(answer)
        store.add_feedback(answer.id, "up")
    store.preferences.add(new_id(), good.id, bad.id, "left")

    done = delivery(store, at(api.url)).deliver()

    assert (done.rows, done.refused) == (2, 1)
    assert [row.kind for row in store.outbox.refused()] == ["answer"]
    assert store.outbox.waiting().rows == 2


def test_an_id_that_is_no_uuid_is_set_aside(api: Api, store: Store, at: At, make_answer: Any) -> None:
    store.save_answer(make_answer(id="my answer"))

    done = delivery(store, at(api.url)).deliver()

    assert done.problem is None
    assert "'my answer' is no UUID" in store.outbox.refused()[0].reason


def test_a_row_on_which_supabase_always_fails_is_set_aside_in_the_end(
    api: Api, store: Store, at: At, make_answer: Any
) -> None:
    api.sql(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF new.comment = 'bad' THEN RAISE EXCEPTION 'out of luck' USING errcode = '57014'; END IF; "
        "RETURN new; END $$; CREATE TRIGGER fail BEFORE INSERT ON feedback EXECUTE FUNCTION fail()".replace(
            "feedback EXECUTE", "feedback FOR EACH ROW EXECUTE"
        )
    )
    answer = make_answer()
    store.save_answer(answer)
    store.add_feedback(answer.id, "up", comment="bad")
    background = delivery(store, at(api.url), longest=0.02)
    background.start()
    try:
        for _ in range(400):  # others come all the time
            if store.outbox.waiting().refused:
                break
            store.add_feedback(answer.id, "up", comment="good")
            time.sleep(0.05)
        until(lambda: store.outbox.waiting().rows == 0)
    finally:
        background.stop()
        api.sql("DROP TRIGGER fail ON feedback; DROP FUNCTION fail()")
    [aside] = store.outbox.refused()
    assert "Others went, and this failed 20 times" in aside.reason
    assert api.sql("SELECT count(*) AS n FROM feedback WHERE comment = 'bad'")[0]["n"] == 0


def test_a_schema_that_is_behind_waits_and_names_the_migration(
    api: Api, store: Store, at: At, make_answer: Any
) -> None:
    answer = make_answer()
    store.save_answer(answer)
    store.add_feedback(answer.id, "up")
    api.sql("ALTER TABLE feedback RENAME COLUMN correction TO other")
    try:
        behind = delivery(store, at(api.url)).deliver(attempts=1)
        waiting = store.outbox.waiting()
    finally:
        api.sql("ALTER TABLE feedback RENAME COLUMN other TO correction")

    assert behind.rows == 1
    assert "Could not find the 'correction' column of 'feedback'" in str(behind.problem)
    assert "supabase/migrations/20261126080000_feedback.sql" in str(behind.problem)
    assert (waiting.rows, waiting.refused) == (1, 0)
    assert delivery(store, at(api.url)).deliver().rows == 1


def test_a_table_that_is_missing_keeps_no_other_waiting(
    api: Api, store: Store, at: At, make_answer: Any
) -> None:
    left, right = make_answer(), make_answer()
    store.save_answer(left)
    store.save_answer(right)
    store.preferences.add(new_id(), left.id, right.id, "tie")
    api.sql("ALTER TABLE preferences RENAME TO elsewhere")
    try:
        behind = delivery(store, at(api.url)).deliver(attempts=1)
    finally:
        api.sql("ALTER TABLE elsewhere RENAME TO preferences")

    assert behind.rows == 2
    assert "Could not find the table 'public.preferences'" in str(behind.problem)


def test_a_wrong_key_waits(api: Api, store: Store, at: At, make_answer: Any) -> None:
    store.save_answer(make_answer())

    done = delivery(store, replace(at(api.url), supabase_key="sb_publishable_other")).deliver(attempts=1)

    assert "Supabase refuses the key in SUPABASE_KEY (Invalid API key)" in str(done.problem)
    assert store.outbox.waiting().rows == 1


def test_a_wrong_secret_key_slows_down_nothing_else(api: Api, store: Store, at: At, make_answer: Any) -> None:
    environment = replace(at(api.url), supabase_secret_key="sb_secret_other")
    background = delivery(store, environment, pause=30.0)
    background.start()
    until(lambda: store.outbox.waiting().problem is not None)

    store.save_answer(make_answer())
    until(lambda: api.count("answers") == 1)
    background.stop()

    assert "refuses the key in SUPABASE_SECRET_KEY" in str(store.outbox.waiting().problem)


def test_nobody_there_waits(store: Store, at: At, make_answer: Any) -> None:
    store.save_answer(make_answer())

    for url, says in (
        ("http://name:word@127.0.0.1:9", "cannot be reached at 127.0.0.1:9"),
        ("http://127.0.0.1:9", "cannot be reached at 127.0.0.1:9"),
        ("https://nowhere.invalid", "cannot be reached at nowhere.invalid"),
        ("my project", "SUPABASE_URL is no address"),
    ):
        assert says in str(delivery(store, at(url)).deliver(attempts=1).problem)
    assert store.outbox.waiting().rows == 1


def test_a_locked_store_and_a_removed_one_are_waited_for(
    api: Api, tmp_path: Any, at: At, make_answer: Any
) -> None:
    import sqlite3

    store = Store(tmp_path / "home" / "store.db", busy_seconds=0.1)
    background = delivery(store, at(api.url), longest=0.05)
    store.save_answer(make_answer())
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        background.start()
        time.sleep(1.0)
        assert api.count("answers") == 0
        other.execute("ROLLBACK")
    until(lambda: api.count("answers") == 1)
    background.stop()


def test_a_disk_that_is_full_when_a_delivery_is_to_be_noted(
    api: Api, store: Store, at: At, make_answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = make_answer()
    store.save_answer(answer)
    store.add_feedback(answer.id, "up")
    noted = store.outbox.delivered
    full = 2

    def on_a_full_disk(places: Any) -> None:
        nonlocal full
        if full:
            full -= 1
            raise StoreError("The disk is full.")
        noted(places)

    monkeypatch.setattr(store.outbox, "delivered", on_a_full_disk)
    background = delivery(store, at(api.url), longest=0.05)
    background.start()
    until(lambda: store.outbox.waiting().rows == 0)
    background.stop()

    assert (api.count("answers"), api.count("feedback")) == (1, 1)


def test_two_processes_deliver_each_row_once(api: Api, store: Store, at: At, make_answer: Any) -> None:
    answer = make_answer()
    store.save_answer(answer)
    both = [delivery(Store(store.path), at(api.url)) for _ in range(2)]
    for each in both:
        each.start()
    for number in range(200):
        store.add_feedback(answer.id, "up", comment=f"no. {number}")
    until(lambda: store.outbox.waiting().rows == 0)
    for each in both:
        each.stop()

    assert api.count("feedback") == 200
    assert api.sql("SELECT max(n) - min(n) AS span FROM feedback")[0]["span"] >= 199


def test_erasing_reaches_supabase_with_the_owners_key_alone(
    api: Api, store: Store, at: At, make_answer: Any
) -> None:
    conversation = store.start_conversation("secret", "wine")
    answer, kept = make_answer(conversation_id=conversation.id), make_answer()
    for each in (answer, kept):
        store.save_answer(each)
        store.add_feedback(each.id, "down", comment="my name is")
    store.preferences.add(new_id(), answer.id, kept.id, "left")
    delivery(store, at(api.url)).deliver()
    store.delete_conversation(conversation.id, "secret")

    without = delivery(store, at(api.url))
    without.deliver()
    said, there = without.standing().sentences, api.count("answers")
    delivery(store, at(api.url, owner=True)).deliver()

    assert "1 erasure can be carried out in Supabase only with the owner's key" in said[1]
    assert there == 2
    assert store.outbox.waiting().erasures == 0
    assert [row["id"].replace("-", "") for row in api.sql("SELECT id FROM answers")] == [kept.id]
    assert (api.count("feedback"), api.count("preferences"), api.count("erased")) == (1, 0, 1)


def test_what_was_on_its_way_while_it_was_erased_does_not_arrive(
    api: Api, proxy: FaultProxy, store: Store, at: At, make_answer: Any
) -> None:
    conversation = store.start_conversation("secret", "wine")
    store.save_answer(make_answer(conversation_id=conversation.id))
    rows = store.outbox.claim("answer")
    store.delete_conversation(conversation.id, "secret")
    mine = delivery(store, at(api.url, owner=True))
    mine.deliver()

    with pytest.raises(Exception, match="this conversation was erased"):
        mine._remote("answer").insert("answers", [row.values for row in rows])
    mine._close()
    assert api.count("answers") == 0


def test_clocks_play_no_part(
    api: Api, store: Store, at: At, make_answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = make_answer()
    store.save_answer(answer)
    for rating, now in (("down", 2_000_000_000.0), ("up", 1_000_000_000.0)):  # set back between the two
        monkeypatch.setattr(time, "time", lambda now=now: now)
        store.add_feedback(answer.id, rating)  # type: ignore[arg-type]

    delivery(store, at(api.url)).deliver()

    assert api.sql("SELECT reaction FROM response") == [{"reaction": "up"}]


def test_without_a_project_nothing_happens(store: Store, make_answer: Any, tmp_path: Any) -> None:
    store.save_answer(make_answer())
    before = threading.active_count()

    mine = Delivery(lambda: store, Environment(home=tmp_path))
    mine.start()

    assert threading.active_count() == before
    assert mine.standing().sentences == ("Saved here. No Supabase project is set up to deliver to.",)
    with pytest.raises(UsageError, match="set SUPABASE_URL"):
        mine.deliver()
