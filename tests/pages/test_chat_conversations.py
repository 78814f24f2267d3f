"""Conversations: they survive a reload, open for their browser only, are renamed and deleted."""

from __future__ import annotations

import pytest
from page_steps import SECRET, OpenApp, address, ask, conversation_id, first_words, keys, run, texts
from streamlit.testing.v1 import AppTest

from tests.fakes import FakeEngine

LAMB = "Which wine goes with lamb?"
OTHER = "t" * 43


def dialog(at: AppTest, name: str) -> AppTest:
    """Run with that dialog open. A browser runs an open dialog by itself; AppTest runs the page."""
    at.session_state["conversation-dialog"] = name
    return run(at)


def test_a_reload_shows_the_conversation(open_app: OpenApp) -> None:
    at = ask(open_app(), LAMB)
    again = open_app(conversation=conversation_id(at))
    assert [m.name for m in again.chat_message] == ["user", "assistant"]


def test_the_address_alone_does_not_open_one_elsewhere(open_app: OpenApp) -> None:
    at = ask(open_app(), LAMB)
    elsewhere = open_app(secret=OTHER, conversation=conversation_id(at))
    assert not elsewhere.chat_message
    assert "does not open here" in elsewhere.info[0].value
    assert "conversation" not in elsewhere.query_params


def test_what_is_being_written_does_not_show_elsewhere(open_app: OpenApp, engine: FakeEngine) -> None:
    at = open_app()
    at.chat_input[0].set_value("wait for it")
    run(at)
    elsewhere = open_app(secret=OTHER, conversation=conversation_id(at))
    assert not elsewhere.chat_message
    engine.release.set()


def test_a_second_tab_sees_the_answer_grow(open_app: OpenApp, engine: FakeEngine) -> None:
    at = open_app()
    at.chat_input[0].set_value("wait for it")
    run(at)
    first_words(at)
    second = open_app(conversation=conversation_id(at))
    assert "Quinta" in texts(second)
    engine.release.set()


def test_the_secret_is_nowhere_in_the_page_or_its_address(open_app: OpenApp) -> None:
    at = ask(open_app(), LAMB)
    assert SECRET not in str(at.query_params)
    assert SECRET not in texts(at)


def test_a_new_conversation_leaves_the_open_one_in_the_list(open_app: OpenApp) -> None:
    at = ask(open_app(), LAMB)
    first = conversation_id(at)
    at.button("new-conversation").click()
    run(at)
    assert not at.chat_message
    at.button(f"open-{first}").click()
    run(at)
    assert conversation_id(at) == first
    assert len(at.chat_message) == 2


def test_the_list_is_newest_first(open_app: OpenApp) -> None:
    at = ask(open_app(), "One")
    at.button("new-conversation").click()
    at = ask(run(at), "Two")
    at.button("new-conversation").click()
    run(at)
    labels = [b.label for b in at.button if str(b.key).startswith("open-")]
    assert labels == ["🍷 Two", "🍷 One"]


def test_a_conversation_opens_under_its_own_prototype(open_app: OpenApp) -> None:
    at = ask(open_app(prototype="handbook"), "How?")
    again = open_app(prototype="wine", conversation=conversation_id(at))
    assert address(again, "prototype") == "handbook"


def test_a_question_that_failed_first_leaves_no_empty_conversation(open_app: OpenApp) -> None:
    at = ask(open_app(), "break it")
    at.button("new-conversation").click()
    run(at)
    assert not [key for key in keys(at) if key.startswith("open-")]


@pytest.mark.parametrize("title", ["Sunday roast", "  <b>bold</b> :red[x]  "])
def test_renaming(open_app: OpenApp, engine: FakeEngine, title: str) -> None:
    at = dialog(ask(open_app(), LAMB), "Rename")
    at.text_input[0].set_value(title)
    next(b for b in at.button if b.label == "Save").click()
    dialog(at, "Rename")
    assert engine.store.conversation(conversation_id(at), SECRET).title == title.strip()
    assert ":red[x]" not in texts(at)


def test_a_blank_title_is_refused_in_a_sentence(open_app: OpenApp, engine: FakeEngine) -> None:
    at = dialog(ask(open_app(), LAMB), "Rename")
    at.text_input[0].set_value(" ")
    next(b for b in at.button if b.label == "Save").click()
    dialog(at, "Rename")
    assert engine.store.conversation(conversation_id(at), SECRET).title == LAMB
    assert "at least one character" in at.error[0].value


def test_deleting_asks_first_and_erases(open_app: OpenApp, engine: FakeEngine) -> None:
    at = dialog(ask(open_app(), LAMB), "Delete")
    assert "will be erased for good" in texts(at)
    assert engine.store.conversations(SECRET)
    next(b for b in at.button if b.label == "Delete").click()
    dialog(at, "Delete")
    assert not engine.store.conversations(SECRET)
    assert not at.chat_message


def test_a_request_with_the_address_of_before_does_not_lead_back(open_app: OpenApp) -> None:
    at = ask(open_app(), LAMB)
    opened = conversation_id(at)
    del at.query_params["conversation"]  # as a browser sends it that has not heard of the new one
    run(at)
    assert conversation_id(at) == opened
    assert len(at.chat_message) == 2
