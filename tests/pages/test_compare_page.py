"""The compare page: two settings, two answers without a name, a vote, and what it comes to."""

from __future__ import annotations

import time

import pytest
from page_steps import OpenApp, address, keys, run, texts
from streamlit.testing.v1 import AppTest

from pages.ui.compare_results import verdict
from rag.compare import Standing
from rag.errors import StoreError
from rag.types import Preference
from tests.fakes import FakeEngine

LAMB = "Which wine goes with lamb?"
TELLING = ("fake", "Re-ranker: ", "Passages: ", " s · ", "confidence", "Found by", "score")
"""Words that would tell who is who."""


def between(at: AppTest, one: int, other: int) -> AppTest:
    """Compare two numbers of passages."""
    next(p for p in at.pills if p.label == "What differs").set_value(["k"])
    run(at)
    at.number_input("compare-wine-k-A").set_value(one)
    at.number_input("compare-wine-k-B").set_value(other)
    return run(at)


def compare(at: AppTest, question: str) -> AppTest:
    at.text_input("compare-question").set_value(question)
    next(b for b in at.button if b.label == "Compare").click()
    return settle(at)


def settle(at: AppTest) -> AppTest:
    deadline = time.monotonic() + 15
    run(at)
    while "Both answers are being written" in texts(at) or at.get("progress"):
        assert time.monotonic() < deadline, "the answers are still being written"
        time.sleep(0.02)
        run(at)
    return at


def opened(at: AppTest, engine: FakeEngine) -> Preference:
    return engine.store.preferences.of(address(at, "pair"))


def vote(at: AppTest, choice: str | None) -> AppTest:
    control = next(b for b in at.get("button_group") if str(b.key).startswith("vote-"))
    control.set_value(choice)
    return run(at)


def test_a_first_visit_offers_a_comparison_and_questions(open_compare: OpenApp) -> None:
    at = open_compare()
    assert at.selectbox("compare-wine-rerank-A").value == "none"
    assert at.selectbox("compare-wine-rerank-B").value == "late"
    assert next(b.label for b in at.button if str(b.key).startswith("compare-offer")) == LAMB
    assert "Nothing has been voted on yet" in texts(at)


def test_two_answers_are_shown_blind_and_told_apart_after_the_vote(
    open_compare: OpenApp, engine: FakeEngine
) -> None:
    at = compare(between(open_compare(), 1, 2), LAMB)
    shown = texts(at)
    assert "**Left**" in shown
    assert "**Right**" in shown
    assert not [word for word in TELLING if word in shown.split("#### ")[1].split("Results")[0]]
    kept = opened(at, engine)
    assert kept.choice is None
    vote(at, "left")
    kept = opened(at, engine)
    assert (kept.choice, kept.revision) == ("left", 2)
    k = engine.store.settings(kept.left_settings)["k"]
    assert f":blue-badge[Passages&#58; {k}]" in texts(at)
    assert "fake · 0&#46;02 s" in texts(at) or "fake · 0.02 s" in texts(at)
    assert "Saved" in texts(at)


def test_evidence_does_not_say_how_it_was_found_before_the_vote(
    open_compare: OpenApp, engine: FakeEngine
) -> None:
    at = compare(between(open_compare(), 1, 2), LAMB)
    kept = opened(at, engine)
    at.pills(f"evidence-{kept.left}").set_value(1)
    run(at)
    assert "quoted word for word" in texts(at)
    assert "Found by" not in texts(at)
    assert "Found by" in texts(vote(at, "tie"))


def test_a_vote_is_explained_changed_and_taken_back(open_compare: OpenApp, engine: FakeEngine) -> None:
    at = vote(compare(between(open_compare(), 1, 2), LAMB), "left")
    pair = address(at, "pair")
    at.text_input(f"why-{pair}").set_value("It names the *price*.")
    run(at)
    assert opened(at, engine).reason == "It names the *price*."
    vote(at, "neither")
    kept = opened(at, engine)
    assert (kept.choice, kept.reason) == ("neither", "It names the *price*.")
    assert "1 neither" in texts(at)
    vote(at, None)
    assert opened(at, engine).choice is None
    assert "Found by" not in texts(at)
    assert "Nothing has been voted on yet" in texts(at)


def test_the_same_comparison_opens_again_by_its_address(open_compare: OpenApp, engine: FakeEngine) -> None:
    at = compare(between(open_compare(), 1, 2), LAMB)
    kept = opened(at, engine)
    again = open_compare(prototype="wine", pair=kept.pair)
    assert opened(again, engine) == kept
    assert next(p for p in again.pills if p.label == "What differs").value == ["k"]
    values = {again.number_input(f"compare-wine-k-{side}").value for side in "AB"}
    assert values == {1, 2}
    assert opened(vote(again, "right"), engine).choice == "right"


def test_a_comparison_that_is_not_there_is_told(open_compare: OpenApp) -> None:
    at = open_compare(prototype="wine", pair="nothing")
    assert "not here any more" in at.info[0].value
    assert "pair" not in at.query_params


def test_the_next_question_leaves_out_what_was_compared(open_compare: OpenApp) -> None:
    at = vote(compare(between(open_compare(), 1, 2), LAMB), "left")
    at.button("compare-next").click()
    run(at)
    offered = [b.label for b in at.button if str(b.key).startswith("compare-offer")]
    assert LAMB not in offered
    assert offered[0].startswith("What is a good wine")
    between(at, 1, 3)
    assert LAMB in [b.label for b in at.button if str(b.key).startswith("compare-offer")]


def test_a_failure_on_one_side_is_told_and_tried_again(open_compare: OpenApp, engine: FakeEngine) -> None:
    at = compare(between(open_compare(), 1, 2), "break it")
    assert "Under A&#58; The model did not answer" in at.error[0].value
    assert "Nothing was counted" in at.error[0].value
    assert "compare-again" in keys(at)
    at.button("compare-drop").click()
    run(at)
    assert not at.error
    assert engine.store.preferences.all() == []


def test_a_long_question_leaves_the_answers_in_sight(open_compare: OpenApp) -> None:
    question = "Which wine goes with lamb? " + "*very* " * 200
    at = compare(between(open_compare(), 1, 2), question)
    heading = next(m.value for m in at.markdown if m.value.startswith("#### "))
    assert heading.count("very") < 60 < question.count("very")
    assert heading.endswith("…")
    assert f"The whole question, {len(question.strip()):,} characters" in [e.label for e in at.expander]


def test_no_question_is_told_where_it_was_asked(open_compare: OpenApp) -> None:
    at = open_compare()
    at.text_input("compare-question").set_value("  ")
    next(b for b in at.button if b.label == "Compare").click()
    drawn = [element.type for element in run(at).main.children[0].children.values()]
    assert drawn.index("error") == drawn.index("form") - 1


def test_settings_that_are_the_same_or_wrong_are_told(open_compare: OpenApp) -> None:
    at = between(open_compare(), 2, 2)
    at.button("compare-offer-0").click()
    assert "A and B are the same" in run(at).error[0].value
    next(p for p in at.pills if p.label == "What differs").set_value(["other"])
    run(at)
    at.text_area("compare-wine-other-B").set_value("nonsense=1")
    run(at)
    at.button("compare-offer-0").click()
    assert "There is no setting “nonsense”" in run(at).error[0].value


def test_a_vote_that_cannot_be_stored_is_told(
    open_compare: OpenApp, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = compare(between(open_compare(), 1, 2), LAMB)

    def full(*_: object, **__: object) -> None:
        raise StoreError("The disk is full. Make room and try again.")

    monkeypatch.setattr(engine.store.preferences, "add", full)
    assert "The vote was not saved&#46; The disk is full" in vote(at, "left").error[0].value
    assert opened(at, engine).choice is None


def test_results_say_who_is_ahead_only_when_it_is_sure(open_compare: OpenApp, engine: FakeEngine) -> None:
    at = compare(between(open_compare(), 1, 2), LAMB)
    kept = opened(at, engine)
    for n in range(6):
        one = kept.left_settings == min(kept.left_settings, kept.right_settings)
        engine.store.preferences.add(f"pair{n}", kept.left, kept.right, "left" if one else "right")
        shown = texts(run(at))
        assert ("is ahead of" in shown) == (n == 5)
        assert ("Nobody is ahead yet" in shown) == (n < 5)
    assert "6 votes on 1 question" in texts(at)


def test_the_verdict_speaks_of_the_one_that_leads() -> None:
    lead = Standing("a", "b", wins=1, losses=9, share=0.1, low=0.0025, high=0.44)
    assert verdict(lead, "k 1", "k 2") == (
        ":green[:material/check_circle:] **k 2** is ahead of k 1: 90 % of the decided votes, "
        "95 % interval 56.0 to 99.8 %."
    )
