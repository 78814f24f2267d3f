"""What the owner sees of delivery to Supabase."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from page_steps import run, texts
from streamlit.testing.v1 import AppTest

from rag.delivery import Delivery
from rag.store import new_id
from rag.types import Answer
from tests.fakes import FakeEngine
from tests.store.conftest import ANSWER


def page() -> None:
    """A page with that part alone."""
    from pages.ui import delivery, frame, resources

    delivery.draw(frame.Page(resources.engine(), resources.writings(), "s" * 43))


@pytest.fixture
def opened(engine: FakeEngine) -> Callable[[], AppTest]:
    """The page of a machine that has a project."""
    environment = replace(
        engine.environment, supabase_url="http://127.0.0.1:9", supabase_key="sb_publishable_x"
    )
    engine.delivery = Delivery(lambda: engine.store, environment)

    def visit() -> AppTest:
        at = AppTest.from_function(page, default_timeout=20)
        return run(at)

    return visit


def answer() -> Answer:
    return replace(ANSWER, id=new_id())


def test_without_a_project_there_is_nothing_to_say(engine: FakeEngine) -> None:
    engine.store.save_answer(answer())
    at = AppTest.from_function(page, default_timeout=20)

    assert texts(run(at)) == ""


def test_what_waits_is_counted_and_a_problem_is_told(
    engine: FakeEngine, opened: Callable[[], AppTest]
) -> None:
    engine.store.save_answer(answer())
    engine.store.save_answer(answer())
    engine.store.outbox.note("The Supabase project is paused.")

    at = opened()

    assert "Saved here, 2 waiting for Supabase&#46;" in texts(at)
    assert at.warning[0].value.startswith("The Supabase project is paused&#46; (since ")
    assert not at.expander


def test_all_delivered_is_one_line(engine: FakeEngine, opened: Callable[[], AppTest]) -> None:
    assert "Saved here and in Supabase&#46;" in texts(opened())


def test_what_was_set_aside_is_shown_with_its_reason_and_can_be_tried_again(
    engine: FakeEngine, opened: Callable[[], AppTest]
) -> None:
    engine.store.save_answer(answer())
    [parcel] = engine.store.outbox.claim("answer")
    engine.store.outbox.refuse(parcel.n, "It is *longer* than <b>Supabase</b> takes.")

    at = opened()
    assert at.expander[0].label == "1 row set aside"
    assert "It is &#42;longer&#42; than &#60;b&#62;Supabase&#60;/b&#62; takes&#46;" in texts(at)
    at.button(key="delivery-retry").click()
    run(at)

    assert not at.expander
    assert engine.store.outbox.waiting().rows == 1


def test_erasures_that_wait_for_the_owners_key(
    engine: FakeEngine, opened: Callable[[], AppTest], tmp_path: Path
) -> None:
    conversation = engine.store.start_conversation("s" * 43, "wine")
    engine.store.save_answer(replace(answer(), conversation_id=conversation.id))
    engine.store.outbox.delivered([engine.store.outbox.claim("answer")[0].n])
    engine.store.delete_conversation(conversation.id, "s" * 43)

    assert "1 erasure can be carried out in Supabase only with the owner" in texts(opened())
