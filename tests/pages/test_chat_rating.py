"""Saying more than a thumb: reasons, words, the right passage, a citation that is wrong."""

from __future__ import annotations

import pytest
from page_steps import SECRET, OpenApp, ask, conversation_id, first_words, keys, run, settle, texts
from streamlit.testing.v1 import AppTest

from pages.ui.rating import turned
from rag.errors import IndexingError, StoreError
from rag.types import Answer, Feedback, Relevant
from tests.fakes import FakeEngine

LAMB = "Which wine goes with lamb?"


def answer_of(at: AppTest, engine: FakeEngine, n: int = 0) -> Answer:
    return engine.store.conversation_answers(conversation_id(at), SECRET)[n][0]


def thumb(at: AppTest, value: int | None) -> AppTest:
    at.feedback[0].set_value(value)
    return run(at)


def press(at: AppTest, key: str) -> AppTest:
    at.button(key).click()
    return run(at)


def given(at: AppTest, engine: FakeEngine) -> Feedback:
    found = engine.store.feedback(answer_of(at, engine).id)
    assert found is not None
    return found


def test_a_thumb_down_is_stored_before_anything_is_asked(open_app: OpenApp, engine: FakeEngine) -> None:
    at = thumb(ask(open_app(), LAMB), 0)
    assert given(at, engine).rating == "down"
    assert next(p for p in at.pills if p.label == "What was wrong with it?").value == []
    assert [area.label for area in at.text_area] == ["Comment", "What should it have said?"]


def test_reasons_and_words_are_stored_one_by_one_and_shown_again(
    open_app: OpenApp, engine: FakeEngine
) -> None:
    at = thumb(ask(open_app(), LAMB), 0)
    answer = answer_of(at, engine)
    next(p for p in at.pills if p.label == "What was wrong with it?").set_value(["wrong", "out-of-date"])
    run(at)
    assert "Saved" in texts(at)
    at.text_area(f"comment-{answer.id}").set_value("The *2019* is sold out.")
    run(at)
    at.text_area(f"correction-{answer.id}").set_value("Viña Salina.")
    run(at)
    assert given(at, engine).reasons == ("wrong", "out-of-date")
    assert given(at, engine).comment == "The *2019* is sold out."
    assert given(at, engine).correction == "Viña Salina."
    assert [f.revision for f in engine.store.feedback_history(answer.id)] == [1, 2, 3, 4]
    press(at, f"done-{answer.id}")
    again = open_app(conversation=conversation_id(at))
    for page in (at, again):
        assert not page.text_area
        assert "Wrong, Out of date · “The &#42;2019&#42; is sold out" in texts(page)
    press(again, f"say-more-{answer.id}")
    assert again.text_area(f"correction-{answer.id}").value == "Viña Salina."


def test_one_click_names_the_passage_that_answers_and_another_narrows_it(
    open_app: OpenApp, engine: FakeEngine
) -> None:
    at = thumb(ask(open_app(), LAMB), 0)
    answer = answer_of(at, engine)
    at.radio(f"right-{answer.id}").set_value(2)
    run(at)
    third = answer.passages[2]
    assert given(at, engine).passage == Relevant("d2", third.start, third.end, third.source, third.text, 2)
    press(at, f"no-passage-{answer.id}")
    assert given(at, engine).passage is None
    assert given(at, engine).rating == "down"
    assert at.radio(f"right-{answer.id}").value is None


def test_the_passage_is_found_by_a_search_and_narrowed_to_a_sentence(
    open_app: OpenApp, engine: FakeEngine
) -> None:
    at = thumb(ask(open_app(), LAMB), 0)
    answer = answer_of(at, engine)
    at.radio(f"right-{answer.id}").set_value(0)
    run(at)
    at.text_input(f"lookup-{answer.id}").set_value("germany")
    run(at)
    at.radio(f"other-{answer.id}").set_value(0)
    run(at)
    assert at.radio(f"right-{answer.id}").value is None
    chosen = given(at, engine).passage
    assert chosen is not None
    assert chosen.document_id == "d14"
    assert chosen.retrieved is None
    whole = "Weingut Sonnberg 2022 is kept in the cellar. It is a wine of Germany and lies on the left."
    assert chosen.text == whole
    sentence = at.selectbox(f"sentence-{answer.id}")
    assert len(sentence.options) == 3
    sentence.set_value((100 + whole.index("It is"), 100 + len(whole)))
    run(at)
    narrowed = given(at, engine).passage
    assert narrowed is not None
    assert narrowed.text == "It is a wine of Germany and lies on the left."
    assert narrowed.start == 100 + whole.index("It is")


def test_a_search_that_finds_nothing_or_fails_says_so(
    open_app: OpenApp, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = thumb(ask(open_app(), LAMB), 0)
    box = f"lookup-{answer_of(at, engine).id}"
    at.text_input(box).set_value("xylophone")
    assert "Nothing else was found" in texts(run(at))

    def broken(*_: object, **__: object) -> None:
        raise IndexingError("The index is being moved. Try again in a minute.")

    monkeypatch.setattr(engine, "search", broken)
    at.text_input(box).set_value("spain")
    assert "The search failed&#46; The index is being moved" in run(at).error[0].value


def test_a_thumb_up_takes_a_comment(open_app: OpenApp, engine: FakeEngine) -> None:
    at = thumb(ask(open_app(), LAMB), 1)
    answer = answer_of(at, engine)
    assert not at.text_area
    press(at, f"say-more-{answer.id}")
    at.text_area(f"comment-{answer.id}").set_value("Just what I wanted.")
    run(at)
    assert given(at, engine).rating == "up"
    assert given(at, engine).comment == "Just what I wanted."


def test_a_citation_is_reported_and_the_report_taken_back(open_app: OpenApp, engine: FakeEngine) -> None:
    at = ask(open_app(), LAMB)
    answer = answer_of(at, engine)
    next(p for p in at.pills if p.label == "See the evidence").set_value(2)
    press(run(at), f"report-{answer.id}-2")
    assert given(at, engine).reported == (2,)
    assert given(at, engine).rating is None
    assert "citation 2 reported" in texts(at)
    assert "citation 2 reported" in texts(open_app(conversation=conversation_id(at)))
    assert given(thumb(at, 1), engine).reported == (2,)
    assert given(press(at, f"report-{answer.id}-2"), engine).reported == ()


def test_the_nearest_passages_of_no_answer_cite_nothing_that_could_be_reported(open_app: OpenApp) -> None:
    at = ask(open_app(), "nowhere")
    next(p for p in at.pills if p.label == "Nearest passages").set_value(1)
    assert not [key for key in keys(run(at)) if key.startswith("report-")]


def test_what_is_said_last_is_said_of_the_thumb_of_its_tab(open_app: OpenApp, engine: FakeEngine) -> None:
    at = thumb(ask(open_app(), LAMB), 0)
    answer = answer_of(at, engine)
    for other in ("up", None):  # another tab turns the thumb, or takes it back
        engine.store.add_feedback(answer.id, other, comment="From the other tab." if other else "")
        at.text_area(f"correction-{answer.id}").set_value(f"Viña Salina, not {other}.")
        run(at)
        assert given(at, engine).rating == "down"  # as this tab shows it
        assert given(at, engine).correction == f"Viña Salina, not {other}."
        assert at.feedback[0].value == 0
    assert [f.comment for f in engine.store.feedback_history(answer.id)][2] == "From the other tab."


def test_what_another_tab_said_meanwhile_is_not_lost(open_app: OpenApp, engine: FakeEngine) -> None:
    at = thumb(ask(open_app(), LAMB), 0)
    answer = answer_of(at, engine)
    engine.store.add_feedback(answer.id, "down", reasons=["wrong"], reported=[3])
    at.text_area(f"comment-{answer.id}").set_value("Too dear.")
    run(at)
    assert given(at, engine).reported == (3,)
    assert given(at, engine).reasons == ("wrong",)
    assert given(at, engine).comment == "Too dear."


def test_words_that_come_with_the_click_on_a_thumb_are_kept(open_app: OpenApp, engine: FakeEngine) -> None:
    at = thumb(ask(open_app(), LAMB), 0)
    answer = answer_of(at, engine)
    at.text_area(f"comment-{answer.id}").set_value("Too dear.")
    at.text_area(f"correction-{answer.id}").set_value("Monte Velho.")
    thumb(at, 1)
    assert (given(at, engine).rating, given(at, engine).comment) == ("up", "Too dear.")
    thumb(at, 0)
    assert (given(at, engine).rating, given(at, engine).correction) == ("down", "Monte Velho.")
    assert at.text_area(f"correction-{answer.id}").value == "Monte Velho."


def test_more_that_cannot_be_stored_is_told_and_what_is_stored_stays(
    open_app: OpenApp, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = thumb(ask(open_app(), LAMB), 0)
    answer = answer_of(at, engine)

    def full(*_: object, **__: object) -> None:
        raise StoreError("The disk is full. Make room and try again.")

    with monkeypatch.context() as broken:
        broken.setattr(engine.store, "add_feedback", full)
        at.text_area(f"comment-{answer.id}").set_value("Too dear.")
        run(at)
    assert "The rating was not saved&#46; The disk is full" in at.error[0].value
    assert at.text_area(f"comment-{answer.id}").value == "Too dear."
    assert given(at, engine).rating == "down"


def test_rating_in_full_leaves_an_answer_being_written_alone(open_app: OpenApp, engine: FakeEngine) -> None:
    at = ask(open_app(), LAMB)
    answer = answer_of(at, engine)
    at.chat_input[0].set_value("wait for it")
    first_words(run(at))
    thumb(at, 0)
    next(p for p in at.pills if p.label == "What was wrong with it?").set_value(["incomplete"])
    run(at)
    at.radio(f"right-{answer.id}").set_value(1)
    run(at)
    assert "stop" in keys(at)
    engine.release.set()
    settle(at)
    second = answer_of(at, engine, 1)
    assert not second.stopped
    assert second.text.startswith("Quinta da Pedra 2019 comes from Portugal.")
    assert given(at, engine).reasons == ("incomplete",)
    assert engine.store.feedback(second.id) is None


FULL = Feedback("a", 3, "down", ("wrong",), "Too dear.", "Another one.", passage=Relevant("d", 0, 4))


def test_a_slip_of_the_thumb_loses_nothing() -> None:
    up = turned(FULL, "up", FULL)
    assert (up.rating, up.comment, up.reasons, up.correction, up.passage) == ("up", "Too dear.", (), "", None)
    assert turned(up, "down", FULL) == FULL
    back = turned(FULL, None, FULL)
    assert (back.rating, back.comment, back.reasons, back.passage) == (None, "", (), None)
    assert turned(back, "down", FULL) == FULL


def test_without_anything_set_aside_a_thumb_stands_alone() -> None:
    assert turned(Feedback("a", 0, None, reported=(2,)), "down", None) == Feedback(
        "a", 0, "down", reported=(2,)
    )
