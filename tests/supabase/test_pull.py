"""The owner's copy of what other replicas delivered."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag.config import Environment, Settings
from rag.delivery import Delivery
from rag.errors import NotFound, UsageError
from rag.pull import Puller
from rag.store import Selection, Store, new_id
from rag.store.supabase import Supabase
from rag.types import Relevant
from tests.supabase.servers import SECRET, Api

pytestmark = pytest.mark.slow

At = Callable[..., Environment]


@pytest.fixture
def other(tmp_path: Path) -> Store:
    """The store of another machine, which has the publishable key alone."""
    return Store(tmp_path / "other" / "store.db")


@pytest.fixture
def mine(api: Api, store: Store, at: At) -> Delivery:
    """Delivery of the owner's machine."""
    return Delivery(lambda: store, at(api.url, owner=True))


@pytest.fixture
def theirs(api: Api, other: Store, at: At) -> Delivery:
    return Delivery(lambda: other, at(api.url, home="other"))


def test_what_others_delivered_is_here_once_and_is_not_delivered_again(
    mine: Delivery, theirs: Delivery, store: Store, other: Store, make_answer: Any
) -> None:
    conversation = other.start_conversation("secret", "wine")
    settings = Settings(k=7)
    made = make_answer(conversation_id=conversation.id)
    first = replace(made, provenance=replace(made.provenance, settings=settings.fingerprint))
    again = make_answer(conversation_id=conversation.id)
    other.save_answer(first, settings=settings.values)
    other.save_answer(again, replaces=first.id)
    passage = Relevant("cellar", 4, 22, "wines/cellar.csv", "Tempranillo, 2019.", retrieved=0)
    other.add_feedback(first.id, "down", reasons=["wrong"], comment="No", passage=passage, reported=[1])
    rated = other.add_feedback(first.id, "up", comment="Yes after all")
    pair = new_id()
    preferred = other.preferences.add(pair, first.id, again.id, "right", reason="better")
    theirs.deliver()

    came, second = mine.pull(), mine.pull()

    assert (came.taken, came.skipped, second.taken) == (5, 0, 0)
    assert store.answer(first.id) == first
    assert store.feedback_history(first.id)[0].passage == passage
    assert replace(store.feedback(first.id), created=0) == replace(rated, created=0)  # type: ignore[type-var]
    assert store.feedback(first.id).created == pytest.approx(rated.created, abs=1e-5)  # type: ignore[union-attr]
    assert replace(store.preferences.of(pair), created=0) == replace(preferred, created=0)
    assert store.settings(settings.fingerprint) == settings.values
    assert store.outbox.waiting().rows == 0
    assert mine.deliver().rows == 0


def test_no_secret_opens_a_conversation_that_came_along(
    mine: Delivery, theirs: Delivery, store: Store, other: Store, make_answer: Any
) -> None:
    conversation = other.start_conversation("secret", "wine")
    other.save_answer(make_answer(conversation_id=conversation.id))
    theirs.deliver()
    mine.pull()

    for secret in ("secret", "imported", ""):
        with pytest.raises(NotFound):
            store.conversation(conversation.id, secret)
    assert store.conversations("imported") == []
    assert store.count(Selection()) == 1


def test_only_what_is_new_is_asked_for(
    api: Api, theirs: Delivery, store: Store, other: Store, make_answer: Any
) -> None:
    now = 0.0
    asked: list[tuple[str, int]] = []

    class Watched(Supabase):
        def page(self, table: str, *arguments: Any, after: int = 0, **more: Any) -> Any:
            asked.append((table, after))
            return super().page(table, *arguments, after=after, **more)

        def rows(self, table: str, columns: Any, ids: Any) -> Any:
            asked.append((table, -len(ids)))
            return super().rows(table, columns, ids)

    remote = Watched(api.url, SECRET)
    puller = Puller(store, remote, clock=lambda: now)
    for _ in range(3):
        other.save_answer(make_answer())
    theirs.deliver()
    newest = api.sql("SELECT max(n) AS n FROM answers")[0]["n"]

    def answers_asked() -> list[int]:
        asked.clear()
        list(puller.pull())
        return [after for table, after in asked if table == "answers"]

    try:
        assert answers_asked() == [0, -3, newest]
        assert answers_asked() == [0, newest]  # a row might yet appear before these; ids only
        now = 61.0
        assert answers_asked() == [newest]
        api.sql("UPDATE answers SET received = received - interval '2 minutes'")
        other.save_answer(make_answer())
        theirs.deliver()
        assert answers_asked() == [newest, -1, newest + 1]
        assert store.arrivals.cursor("answers") == newest
    finally:
        remote.close()


def test_rows_that_were_long_ago_are_settled_at_once(
    api: Api, mine: Delivery, theirs: Delivery, store: Store, other: Store, make_answer: Any
) -> None:
    for _ in range(3):
        other.save_answer(make_answer())
    theirs.deliver()
    api.sql(
        "UPDATE answers SET received = received - interval '2 minutes' WHERE n < (SELECT max(n) FROM answers)"
    )

    mine.pull()

    assert store.arrivals.cursor("answers") == api.sql("SELECT max(n) - 1 AS n FROM answers")[0]["n"]


def test_a_row_that_appears_behind_one_that_was_read_is_not_missed(
    api: Api, mine: Delivery, theirs: Delivery, store: Store, other: Store, make_answer: Any
) -> None:
    late, soon = make_answer(), make_answer()
    other.save_answer(late)
    other.save_answer(soon)
    theirs.deliver()
    # As if the transaction of the first were still open.
    api.sql("CREATE TABLE held AS SELECT * FROM answers WHERE n = (SELECT min(n) FROM answers)")
    api.sql("DELETE FROM answers WHERE id IN (SELECT id FROM held)")
    mine.pull()
    api.sql("INSERT INTO answers OVERRIDING SYSTEM VALUE SELECT * FROM held; DROP TABLE held")

    assert mine.pull().taken == 1
    assert store.answer(late.id) == late


def test_a_strangers_rows_are_checked_and_kept_apart(
    api: Api, mine: Delivery, theirs: Delivery, store: Store, other: Store, make_answer: Any
) -> None:
    here = store.start_conversation("secret", "wine")
    known = make_answer(conversation_id=here.id)
    store.save_answer(known)
    good = make_answer()
    for answer in (
        good,
        make_answer(text="not what its record says"),
        make_answer(),
    ):
        other.save_answer(answer)
    other.add_feedback(good.id, "up")
    other.add_feedback(good.id, "down", comment="long")
    theirs.deliver()
    api.sql("UPDATE answers SET record = '{\"id\": 1}' WHERE text LIKE 'not what%'")
    # Another's answer, put into a conversation that began here.
    api.sql(
        f"UPDATE answers SET conversation_id = '{here.id}', "
        f"record = jsonb_set(record, '{{conversation_id}}', '\"{here.id}\"') "
        "WHERE n = (SELECT max(n) FROM answers)"
    )
    api.sql("UPDATE feedback SET reasons = '[\"\"]' WHERE comment = 'long'")

    came = mine.pull()

    assert came.taken == 2  # the good answer and its good feedback
    assert came.skipped == 3
    assert [answer.id for answer, _ in store.conversation_answers(here.id, "secret")] == [known.id]
    assert [each.rating for each in store.feedback_history(good.id)] == ["up"]


def test_a_false_explanation_of_settings_is_not_believed(
    api: Api, mine: Delivery, theirs: Delivery, store: Store, other: Store, make_answer: Any
) -> None:
    settings = Settings(k=7)
    made = make_answer()
    answer = replace(made, provenance=replace(made.provenance, settings=settings.fingerprint))
    other.save_answer(answer, settings={**settings.values, "k": 99})
    theirs.deliver()
    mine.pull()

    assert store.answer(answer.id) == answer
    assert store.settings(settings.fingerprint) == {}


def test_what_was_erased_here_does_not_come_back(
    api: Api, mine: Delivery, store: Store, at: At, make_answer: Any
) -> None:
    conversation = store.start_conversation("secret", "wine")
    store.save_answer(make_answer(conversation_id=conversation.id))
    Delivery(lambda: store, at(api.url)).deliver()
    store.delete_conversation(conversation.id, "secret")

    assert mine.pull().taken == 0  # Supabase still has it
    assert mine.deliver().rows == 1
    assert (api.count("answers"), store.count(Selection())) == (0, 0)


def test_what_the_owner_erased_elsewhere_goes_here_too(
    api: Api, mine: Delivery, theirs: Delivery, store: Store, other: Store, at: At, make_answer: Any
) -> None:
    conversation = other.start_conversation("secret", "wine")
    answer = make_answer(conversation_id=conversation.id)
    other.save_answer(answer)
    other.add_feedback(answer.id, "up")
    theirs.deliver()
    mine.pull()
    other.delete_conversation(conversation.id, "secret")
    Delivery(lambda: other, at(api.url, owner=True, home="other")).deliver()

    mine.pull()

    assert store.count(Selection()) == 0
    assert store.outbox.waiting().erasures == 0  # Supabase knows already
    with pytest.raises(NotFound):
        store.answer(answer.id)


def test_a_thumb_given_on_the_copy_reaches_supabase(
    api: Api, mine: Delivery, theirs: Delivery, store: Store, other: Store, make_answer: Any
) -> None:
    answer = make_answer()
    other.save_answer(answer)
    theirs.deliver()
    mine.pull()
    store.add_feedback(answer.id, "down")

    assert mine.deliver().rows == 1
    assert api.sql("SELECT reaction FROM response") == [{"reaction": "down"}]


def test_it_goes_on_by_itself(
    mine: Delivery, theirs: Delivery, store: Store, other: Store, make_answer: Any
) -> None:
    other.save_answer(make_answer())
    theirs.deliver()
    mine.start()
    end = time.monotonic() + 20
    while store.count(Selection()) == 0 and time.monotonic() < end:
        time.sleep(0.05)
    mine.stop()

    assert store.count(Selection()) == 1


def test_without_the_owners_key_nothing_is_read(theirs: Delivery) -> None:
    with pytest.raises(UsageError, match="SUPABASE_SECRET_KEY"):
        theirs.pull()
