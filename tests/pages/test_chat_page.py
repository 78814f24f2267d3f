"""Asking on the chat page: greeting, answer, evidence, rating, writing anew, stopping, failing."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from page_steps import SECRET, OpenApp, address, ask, conversation_id, first_words, keys, run, settle, texts
from streamlit.testing.v1 import AppTest

from pages.ui import answer as drawing
from pages.ui import details, evidence, resources
from rag.errors import GenerationError, StoreError
from rag.types import CitationQuality, Claim
from tests.fakes import FakeEngine, FakeResponse

LAMB = "Which wine goes with lamb?"


def test_a_first_visit_greets_and_offers_questions(open_app: OpenApp) -> None:
    at = open_app()
    assert "mood for" in texts(at)
    assert address(at, "prototype") == "wine"
    assert keys(at)[:3] == ["suggestion-0", "suggestion-1", "suggestion-2"]
    assert at.pills("prototype-choice").value == "wine"
    assert at.chat_input[0].placeholder == "Ask Wine cellar"


def test_choosing_a_prototype_greets_in_its_name(open_app: OpenApp) -> None:
    at = open_app()
    at.pills("prototype-choice").set_value("handbook")
    run(at)
    assert address(at, "prototype") == "handbook"
    assert at.title[0].value == "🧭 Handbook"


def test_an_unknown_prototype_is_told_and_the_first_one_shown(open_app: OpenApp) -> None:
    at = open_app(prototype="beer")
    told = "There is no prototype “beer” here, so this is Wine cellar&#46;"
    assert [info.value for info in at.info] == [told]
    assert address(at, "prototype") == "wine"
    assert [info.value for info in run(at).info] == [told]
    assert not ask(at, LAMB).info


def test_a_prototype_that_does_not_load_is_told_and_the_others_work(
    open_app: OpenApp, engine: FakeEngine
) -> None:
    engine.problems = ["The prototype “tea” does not load. Mend its prototype.toml"]
    at = open_app()
    assert "The prototype “tea” does not load" in at.error[0].value
    assert len(at.chat_input) == 1


def test_a_clicked_suggestion_is_answered_with_chips(open_app: OpenApp) -> None:
    at = open_app()
    at.button("suggestion-0").click()
    settle(at)
    assert [m.name for m in at.chat_message] == ["user", "assistant"]
    assert "comes from Portugal&#46;&#8239;:blue-badge[1] Monte Velho" in texts(at)


def test_a_re_ranker_that_was_unavailable_is_told_under_the_answer(open_app: OpenApp) -> None:
    at = open_app()
    assert "Re-ranking was unavailable" not in texts(ask(at, LAMB))
    assert "Re-ranking was unavailable" in texts(ask(at, "unranked lamb"))


def test_an_answer_that_was_cut_off_says_so_and_what_to_do(open_app: OpenApp) -> None:
    at = open_app()
    assert "Cut off" not in texts(ask(at, LAMB))
    shown = texts(ask(at, "endless lamb"))
    assert ":material/content_cut: Cut off at 800 tokens" in shown
    assert "raise the setting max&#95;tokens" in shown


def test_a_quotation_is_shown_where_it_stands(open_app: OpenApp) -> None:
    at = ask(open_app(), LAMB)
    pills = next(p for p in at.pills if p.label == "See the evidence")
    assert pills.options == ["**1** Quinta da Pedra 2019, page 3", "**2** South", "**3** South"]
    assert pills.value is None
    pills.set_value(1)
    run(at)
    assert ":yellow-background[Quinta da Pedra 2019 comes from Portugal&#46;]" in texts(at)
    assert "quoted word for word" in texts(at)
    assert "meaning and words, fused, score 0.031" in texts(at)
    assert ":gray-badge[Price&#58; 14 €]" in texts(at)
    assert "page 3 · cellar/wines&#46;csv" in texts(at)


def test_the_chosen_quotation_alone_is_drawn(open_app: OpenApp) -> None:
    at = ask(open_app(), LAMB)
    for number in (1, 3):
        next(p for p in at.pills if p.label == "See the evidence").set_value(number)
        run(at)
    assert ":yellow-background[Viña Salina 2018 comes from Spain&#46;]" in texts(at)
    assert ":yellow-background[Quinta" not in texts(at)
    assert "Reds › South · cellar" in texts(at)


def test_a_follow_up_brings_the_earlier_turns(open_app: OpenApp, engine: FakeEngine) -> None:
    ask(ask(open_app(), LAMB), "And with fish?")
    (turn,) = engine.asked[-1]["history"]
    assert turn.question == LAMB
    assert turn.text.startswith("Quinta da Pedra 2019 comes from Portugal. [1]")


def test_what_is_not_known_offers_the_nearest_passages(open_app: OpenApp) -> None:
    at = ask(open_app(), "nowhere")
    assert "I don't know from these documents&#46;" in texts(at)
    nearest = next(p for p in at.pills if p.label == "Nearest passages")
    assert nearest.value is None
    nearest.set_value(1)
    run(at)
    assert ":yellow-background[Quinta" in texts(at)
    assert "quoted word for word" not in texts(at)


def test_a_thumb_is_stored_at_once_changed_and_taken_back(open_app: OpenApp, engine: FakeEngine) -> None:
    at = ask(open_app(), LAMB)
    answer = engine.store.conversation_answers(conversation_id(at), SECRET)[0][0]
    for value, stored in ((1, "up"), (0, "down"), (None, None)):
        at.feedback[0].set_value(value)
        run(at)
        assert engine.store.feedback(answer.id).rating == stored
        assert "Saved" in texts(at)
    assert len(engine.store.feedback_history(answer.id)) == 3
    run(at)
    assert "Saved" not in texts(at)


def test_a_thumb_is_not_recorded_again_by_a_later_run(open_app: OpenApp, engine: FakeEngine) -> None:
    at = ask(open_app(), LAMB)
    at.feedback[0].set_value(1)
    run(run(at))
    answer = engine.store.conversation_answers(conversation_id(at), SECRET)[0][0]
    assert len(engine.store.feedback_history(answer.id)) == 1


def test_a_stored_thumb_is_shown_on_the_next_visit(open_app: OpenApp, engine: FakeEngine) -> None:
    at = ask(open_app(), LAMB)
    at.feedback[0].set_value(0)
    run(at)
    again = open_app(conversation=conversation_id(at))
    assert again.feedback[0].value == 0


def test_a_rating_that_cannot_be_stored_is_told(
    open_app: OpenApp, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = ask(open_app(), LAMB)

    def full(*_: object, **__: object) -> None:
        raise StoreError("The disk is full. Make room and try again.")

    monkeypatch.setattr(engine.store, "add_feedback", full)
    at.feedback[0].set_value(1)
    run(at)
    assert at.error[0].value.startswith("The rating was not saved&#46; The disk is full&#46;")


def test_regenerating_replaces_the_answer_in_its_place(open_app: OpenApp, engine: FakeEngine) -> None:
    at = ask(ask(open_app(), LAMB), "And with fish?")
    next(b for b in at.button if b.label == "Regenerate").click()
    settle(at)
    assert len(at.chat_message) == 4
    assert [a["question"] for a in engine.asked] == [LAMB, "And with fish?", "And with fish?"]
    assert len(engine.asked[-1]["history"]) == 1


def regenerate(at: AppTest) -> AppTest:
    next(b for b in at.button if b.label == "Regenerate").click()
    return settle(at)


def test_an_answer_that_cannot_be_written_anew_stays_and_the_reason_is_told(
    open_app: OpenApp, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = ask(open_app(), LAMB)
    at.feedback[0].set_value(1)
    run(at)
    before = texts(at)
    as_it_was = engine.ask

    def away(*_: object, **__: object) -> None:
        raise GenerationError("The model did not answer. Ask again in a minute.")

    monkeypatch.setattr(engine, "ask", away)
    regenerate(at)
    assert at.error[0].value == (
        "No new answer could be written, so the one before stays&#46; "
        "The model did not answer&#46; Ask again in a minute&#46;"
    )
    assert [m.name for m in at.chat_message] == ["user", "assistant"]
    assert "comes from Portugal" in texts(at)
    assert at.feedback[0].value == 1
    monkeypatch.setattr(engine, "ask", as_it_was)
    at.button("try-again").click()
    settle(at)
    assert not at.error
    assert [m.name for m in at.chat_message] == ["user", "assistant"]
    assert texts(at).count("comes from Portugal") == before.count("comes from Portugal")
    assert len(engine.store.conversation_answers(conversation_id(at), SECRET)) == 1
    assert at.feedback[0].value is None  # it is another answer


@pytest.mark.parametrize("words", ["", "Half a sen"])
def test_what_was_stored_of_a_failure_is_tried_again_in_the_same_place(
    open_app: OpenApp, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    at = ask(open_app(), LAMB)
    as_it_was = engine.ask

    def fails(*asked: Any, **how: Any) -> FakeResponse:
        response = as_it_was(*asked, **how)

        def pieces() -> Iterator[str]:
            if words:
                yield words
            raise GenerationError("The model did not answer. Ask again in a minute.")

        response._pieces = pieces()
        return response

    monkeypatch.setattr(engine, "ask", fails)
    regenerate(at)
    assert [m.name for m in at.chat_message][:2] == ["user", "assistant"]
    assert ("comes from Portugal" in texts(at)) == (not words)
    assert at.error
    monkeypatch.setattr(engine, "ask", as_it_was)
    at.button("try-again").click()
    settle(at)
    (shown,) = engine.store.conversation_answers(conversation_id(at), SECRET)
    assert "comes from Portugal" in shown[0].text
    assert [m.name for m in at.chat_message] == ["user", "assistant"]


def test_regenerating_that_is_stopped_before_its_first_word_changes_nothing(
    open_app: OpenApp, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = ask(open_app(), LAMB)
    as_it_was = engine.ask
    monkeypatch.setattr(engine, "ask", lambda *asked, **how: as_it_was(asked[0], "ponder lamb", **how))
    next(b for b in at.button if b.label == "Regenerate").click()
    run(at)
    at.button("stop").click()
    settle(at)
    assert "comes from Portugal" in texts(at)
    assert "Nothing was written" not in texts(at)
    assert [m.name for m in at.chat_message] == ["user", "assistant"]
    assert len(_ids(engine)) == 2, "what was stopped is stored"


def test_an_answer_grows_and_can_be_stopped(open_app: OpenApp, engine: FakeEngine) -> None:
    at = open_app()
    at.chat_input[0].set_value("wait for it")
    run(at)
    first_words(at)
    assert "Quinta" in texts(run(at))
    shown = resources.writings().of(conversation_id(at)).text
    at.button("stop").click()
    run(at)
    assert "stop" not in keys(at), "it waits for the next word"
    engine.release.set()
    settle(at)
    (stored,) = engine.store.conversation_answers(conversation_id(at), SECRET)
    assert stored[0].stopped
    assert stored[0].text == shown
    assert "Stopped before its end" in texts(at)


def test_it_can_be_stopped_before_its_first_word(open_app: OpenApp, engine: FakeEngine) -> None:
    at = open_app()
    at.chat_input[0].set_value("ponder it")
    run(at)
    assert "Searching the documents" in texts(at)
    at.button("stop").click()
    settle(at)
    ((stored, _),) = engine.store.conversation_answers(conversation_id(at), SECRET)
    assert (stored.stopped, stored.text) == (True, "")
    assert "Stopped before its end" in texts(at)


def test_a_new_question_stops_and_keeps_the_one_being_answered(open_app: OpenApp, engine: FakeEngine) -> None:
    at = open_app()
    at.chat_input[0].set_value("wait for it")
    run(at)
    first_words(at)
    threading.Timer(0.1, engine.release.set).start()
    ask(at, LAMB)
    first, second = engine.store.conversation_answers(conversation_id(at), SECRET)
    assert (first[0].stopped, second[0].stopped) == (True, False)
    assert len(engine.asked[-1]["history"]) == 1


def test_rating_while_another_answer_is_written_does_not_end_it(
    open_app: OpenApp, engine: FakeEngine
) -> None:
    at = ask(open_app(), LAMB)
    at.chat_input[0].set_value("wait for it")
    run(at)
    at.feedback[0].set_value(1)
    run(at)
    engine.release.set()
    settle(at)
    (_, feedback), (second, _) = engine.store.conversation_answers(conversation_id(at), SECRET)
    assert feedback.rating == "up"
    assert not second.stopped


def test_a_failure_is_told_and_the_question_can_be_changed(open_app: OpenApp) -> None:
    at = ask(open_app(), "break it")
    assert at.error[0].value == "The model did not answer&#46; Ask again in a minute&#46;"
    assert "break it" in texts(at)
    at.button("change").click()
    run(at)
    assert not at.error
    assert at.chat_input[0].proto.value == "break it"


def test_a_failure_can_be_tried_again(open_app: OpenApp, engine: FakeEngine) -> None:
    at = ask(open_app(), "break it")
    at.button("try-again").click()
    settle(at)
    assert [a["question"] for a in engine.asked] == ["break it", "break it"]
    assert len(at.error) == 1


def test_a_failure_half_way_shows_what_there_is_and_trying_again_replaces_it(
    open_app: OpenApp, engine: FakeEngine
) -> None:
    at = ask(open_app(), "fade away")
    assert [m.name for m in at.chat_message] == ["user", "assistant"]
    assert "Quinta da Pedra" in texts(at)
    assert at.error[0].value.startswith("The model stopped in the middle")
    at.button("try-again").click()
    settle(at)
    assert [m.name for m in at.chat_message] == ["user", "assistant"]
    assert len(engine.store.conversation_answers(conversation_id(at), SECRET)) == 1


def test_where_nothing_can_be_stored_the_question_is_kept(
    open_app: OpenApp, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = open_app()

    def full(*_: object) -> None:
        raise StoreError("The disk is full. Make room and try again.")

    monkeypatch.setattr(engine.store, "start_conversation", full)
    at.chat_input[0].set_value(LAMB)
    run(at)
    assert at.error[0].value == "The disk is full&#46; Make room and try again&#46;"
    assert at.chat_input[0].proto.value == LAMB


def test_a_blank_question_is_not_asked(open_app: OpenApp, engine: FakeEngine) -> None:
    at = open_app()
    at.chat_input[0].set_value("   ")
    run(at)
    assert engine.asked == []


def test_a_long_question_is_folded(open_app: OpenApp) -> None:
    at = ask(open_app(), "wine? " * 1_200)
    assert at.expander[0].label == "The whole question, 7,199 characters"
    assert at.chat_message[0].markdown[0].value.endswith("wine?…")


def test_what_documents_say_is_text_and_nothing_else(open_app: OpenApp) -> None:
    at = ask(open_app(), "wax")
    drawn = texts(at)
    for structure in ("<img", "![x]", "](javascript", "$$", ":red[x]", ":material/home", "://", "<b>"):
        assert structure not in drawn
    assert "Sealed with wax&#46;" in drawn


def test_a_page_of_a_pdf_is_drawn_when_it_is_opened(open_app: OpenApp, engine: FakeEngine) -> None:
    at = ask(open_app(), LAMB)
    next(p for p in at.pills if p.label == "See the evidence").set_value(1)
    run(at)
    (page,) = [e for e in at.expander if e.label == "Page 3 of the file"]
    assert engine.drawn == []
    assert page.proto is not None


def test_what_an_answer_took_stands_in_its_details(open_app: OpenApp, engine: FakeEngine) -> None:
    ask(open_app(), LAMB)
    answer = engine.store.answer(_last_id(engine))
    answer = replace(
        answer,
        generator="openai",
        model="gpt-5.4-mini",
        usage={"input_tokens": 1_200, "output_tokens": 80},
        cost=0.00126,
        rewritten="Which wine goes with lamb chops?",
        seconds={"first": 0.81, "total": 2.4},
        quality=CitationQuality(0.5, None, unknown=1),
    )
    told = dict(details.lines(answer))

    assert told["Written by"] == "gpt-5.4-mini (openai)"
    assert told["Searched with"] == "Which wine goes with lamb chops?"
    assert told["Tokens"] == "1,200 read, 80 written"
    assert told["Cost"] == "$0.0013"
    assert told["Time"] == "first words after 0.8 s, 2.4 s in all"
    assert told["Citations as the model gave them"] == "recall 50 %, 1 of no passage"


@pytest.mark.parametrize(
    ("cost", "words"),
    [(None, "unknown"), (0.0, "none"), (0.00001, "less than $0.0001"), (0.0123, "$0.0123"), (1.5, "$1.50")],
)
def test_a_cost_that_is_unknown_is_never_nothing(cost: float | None, words: str) -> None:
    assert details.money(cost) == words


def _ids(engine: FakeEngine) -> list[str]:
    with closing(sqlite3.connect(engine.store.path)) as database:
        return [str(row[0]) for row in database.execute("SELECT id FROM answers ORDER BY n")]


def _last_id(engine: FakeEngine) -> str:
    return _ids(engine)[-1]


def test_a_sentence_that_is_cited_twice_is_one_piece_of_evidence(
    open_app: OpenApp, engine: FakeEngine
) -> None:
    ask(open_app(), LAMB)
    answer = engine.store.answer(_last_id(engine))
    again = replace(answer.citations[0], answer_start=1, answer_end=2)

    found = evidence.exhibits(replace(answer, citations=(*answer.citations, again)))

    assert [exhibit.number for exhibit in found] == [1, 2, 3]


def test_what_is_copied_says_what_no_source_supports(
    open_app: OpenApp, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    monkeypatch.setattr(drawing, "copy_button", lambda text, key: copied.append(text))
    at = ask(open_app(), LAMB)
    answer = engine.store.answer(_last_id(engine))
    assert copied[-1] == answer.text
    wrong = Claim(0, answer.citations[0].answer_end, "unsupported", 0.1, ("name",))
    doubtful = replace(answer, id="doubtful", claims=(wrong,))
    engine.store.save_answer(doubtful, replaces=answer.id)
    run(at)
    assert copied[-1] == (
        f"{answer.text[: wrong.end]} [not found in the sources]{answer.text[wrong.end :]}\n\n"
        "Note: 1 statement was not found in the sources."
    )
