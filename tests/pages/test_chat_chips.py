"""The filters that a question names: offered beside it, applied, removed, pinned."""

from __future__ import annotations

from dataclasses import replace

import pytest
from page_steps import OpenApp, ask, conversation_id, keys, run, settle, texts
from streamlit.testing.v1 import AppTest

from pages.ui import chips
from rag.types import Proposed
from tests.fakes import FakeEngine

QUESTION = "What is there from Portugal under 10 euros?"
PORTUGAL, CHEAP = {"country": "Portugal"}, {"price": {"$lt": 10}}


def labels(at: AppTest) -> dict[str, str]:
    return {str(b.key): b.label for b in at.button if str(b.key).startswith(("chip-", "pin-", "unpin-"))}


def click(at: AppTest, key: str) -> AppTest:
    at.button(key).click()
    return settle(at)


def test_a_question_is_answered_as_it_was_asked_and_its_filters_are_offered(
    open_app: OpenApp, engine: FakeEngine
) -> None:
    at = ask(open_app(), QUESTION)

    assert (engine.asked[0]["where"], engine.asked[0]["accepted"]) == (None, None)
    assert labels(at) == {
        "chip-0": "Country&#58; Portugal :gray[2]",
        "chip-1": "Price under 10 € :gray[1]",
    }
    assert "Narrow to" in texts(at)
    assert "Filtered" not in texts(at)
    assert "Viña Salina 2018 comes from Spain" in texts(at)


def test_a_click_asks_again_under_the_chip_and_a_second_one_takes_it_back(
    open_app: OpenApp, engine: FakeEngine
) -> None:
    at = click(ask(open_app(), QUESTION), "chip-0")

    assert engine.asked[1]["accepted"] == [PORTUGAL]
    assert len(at.chat_message) == 2  # in the place of the first answer
    assert "Filtered by" in texts(at)
    assert labels(at) == {
        "chip-0": "Country&#58; Portugal",
        "pin-0": "Pin",
        "chip-1": "Price under 10 € :gray[1]",
    }
    assert "comes from Spain" not in texts(at)

    click(at, "chip-0")

    assert engine.asked[2]["accepted"] == []
    assert "Filtered by" not in texts(at)
    assert "comes from Spain" in texts(at)


def test_all_of_them_are_applied_and_removed_at_once(open_app: OpenApp, engine: FakeEngine) -> None:
    at = click(ask(open_app(), QUESTION), "apply-all")
    assert engine.asked[1]["accepted"] == [PORTUGAL, CHEAP]
    assert "Narrow to" not in texts(at)

    click(at, "remove-all")
    assert engine.asked[2]["accepted"] == []


def test_regenerating_keeps_the_chips_as_they_are(open_app: OpenApp, engine: FakeEngine) -> None:
    at = click(ask(open_app(), QUESTION), "chip-1")
    regenerate = next(key for key in keys(at) if key.startswith("regenerate-"))

    click(at, regenerate)

    assert engine.asked[2]["accepted"] == [CHEAP]


def test_a_reload_shows_the_same_chips(open_app: OpenApp) -> None:
    at = click(ask(open_app(), QUESTION), "chip-0")
    before = labels(at)

    again = open_app(conversation=conversation_id(at))

    assert labels(again) == before


def test_only_the_newest_question_has_chips_to_click(open_app: OpenApp) -> None:
    at = click(ask(open_app(), QUESTION), "chip-0")

    ask(at, "Which wine goes with lamb?")

    assert labels(at) == {"chip-0": "Goes with&#58; lamb :gray[2]"}
    assert "Filtered: Country&#58; Portugal" in texts(at)  # in words, under the older answer


def test_what_is_selected_already_is_not_offered(open_app: OpenApp, engine: FakeEngine) -> None:
    at = open_app()
    at.pills("facet-wine-country-choice").set_value(["Portugal"])

    ask(run(at), QUESTION)

    assert labels(at) == {"chip-0": "Price under 10 € :gray[1]"}


def test_a_chip_that_leaves_nothing_says_so_before_it_is_clicked(open_app: OpenApp) -> None:
    at = open_app()
    at.pills("facet-wine-country-choice").set_value(["France"])

    ask(run(at), "Something for lamb")

    assert labels(at) == {"chip-0": "Goes with&#58; lamb :gray[0]"}


def test_with_guessing_on_the_chips_are_applied_from_the_start(open_app: OpenApp, engine: FakeEngine) -> None:
    engine.guess = True
    at = ask(open_app(), QUESTION)
    assert sorted(labels(at)) == ["chip-0", "chip-1", "pin-0", "pin-1"]
    assert "comes from Spain" not in texts(at)

    click(at, "remove-all")

    assert (engine.asked[0]["accepted"], engine.asked[1]["accepted"]) == (None, [])
    assert "comes from Spain" in texts(at)


def test_a_guess_that_leaves_nothing_is_offered_and_said(open_app: OpenApp, engine: FakeEngine) -> None:
    engine.guess = True

    at = ask(open_app(), "A German wine for lamb")

    assert "No document matches them all, so the answer was found without them." in texts(at)
    assert sorted(labels(at)) == ["chip-0", "chip-1"]


def test_a_failed_question_is_tried_again_with_its_chips(open_app: OpenApp, engine: FakeEngine) -> None:
    at = ask(open_app(), "from Portugal")
    asked, fails = engine.ask, [True]

    def break_once(name: str, question: str, **options: object) -> object:
        return asked(name, "break" if fails and fails.pop() else question, **options)

    engine.ask = break_once  # type: ignore[method-assign, assignment]
    click(at, "chip-0")
    assert labels(at)["chip-0"] == "Country&#58; Portugal"  # shown, and not to be clicked now
    assert at.button("chip-0").disabled

    click(at, "try-again")

    assert engine.asked[-1]["accepted"] == [PORTUGAL]
    assert not at.button("chip-0").disabled


# --- pinning ------------------------------------------------------------------


def test_a_pinned_choice_stands_in_its_widget_and_holds_for_the_next_question(
    open_app: OpenApp, engine: FakeEngine
) -> None:
    at = click(ask(open_app(), QUESTION), "chip-0")

    click(at, "pin-0")

    assert at.pills("facet-wine-country-choice").value == ["Portugal"]
    assert labels(at)["pin-0"] == "Pinned"
    ask(at, "And what goes with pizza?")
    assert engine.asked[-1]["where"] == {"country": {"$in": ["Portugal"]}}


def test_a_pinned_bound_stands_on_the_slider_where_that_lets_the_same_through(open_app: OpenApp) -> None:
    at = click(ask(open_app(), "wines under 14 euros"), "chip-0")

    click(at, "pin-0")  # one wine costs 14: "up to 14" would let it through

    assert at.slider("facet-wine-price-range").value == (9, 13)


@pytest.mark.parametrize(
    ("question", "label"),
    [
        ("wines that are not from Spain", "Country&#58; not Spain"),
        ("wines under 50 euros", "Price&#58; under 50 €"),  # beyond the slider's end
        ("wines added since 5 January 1970", "Added&#58; since 1970&#45;01&#45;05"),  # no last day
    ],
)
def test_what_no_widget_can_show_is_pinned_above_the_input(
    open_app: OpenApp, engine: FakeEngine, question: str, label: str
) -> None:
    at = click(click(ask(open_app(), question), "chip-0"), "pin-0")
    assert labels(at)["unpin-0"] == label

    ask(at, "Which goes with lamb?")
    assert engine.asked[-1]["where"] is not None

    click(at, "unpin-0")
    assert "unpin-0" not in keys(at)
    ask(at, "Which goes with lamb?")
    assert engine.asked[-1]["where"] is None


def test_a_pin_narrows_what_its_widget_selects(open_app: OpenApp) -> None:
    at = open_app()
    at.pills("facet-wine-country-choice").set_value(["Portugal", "Spain"])
    at.slider("facet-wine-price-range").set_value((10, 30))
    click(ask(run(at), "From Portugal, up to 20 euros"), "apply-all")

    click(click(at, "pin-0"), "pin-1")

    assert at.pills("facet-wine-country-choice").value == ["Portugal"]
    assert at.slider("facet-wine-price-range").value == (10, 20)


def test_removing_a_pinned_chip_takes_it_out_of_the_sidebar_too(
    open_app: OpenApp, engine: FakeEngine
) -> None:
    at = click(click(ask(open_app(), QUESTION), "chip-0"), "pin-0")

    click(at, "chip-0")

    assert at.pills("facet-wine-country-choice").value == []
    assert (engine.asked[-1]["where"], engine.asked[-1]["accepted"]) == (None, [])


def test_unpinning_leaves_the_answer_as_it_is(open_app: OpenApp, engine: FakeEngine) -> None:
    at = click(click(ask(open_app(), QUESTION), "chip-0"), "pin-0")
    asked = len(engine.asked)

    click(at, "pin-0")

    assert at.pills("facet-wine-country-choice").value == []
    assert labels(at)["chip-0"] == "Country&#58; Portugal"
    assert len(engine.asked) == asked


def test_clearing_takes_the_pins_along(open_app: OpenApp) -> None:
    at = click(click(ask(open_app(), "wines not from Spain"), "chip-0"), "pin-0")

    click(at, "clear-facets")

    assert "5 of 5 documents match" in texts(at)
    assert "unpin-0" not in keys(at)


def test_a_pin_that_leaves_nothing_can_be_dropped(open_app: OpenApp) -> None:
    at = click(click(ask(open_app(), "wines not from Spain"), "chip-0"), "pin-0")
    at.pills("facet-wine-country-choice").set_value(["Spain"])
    run(at)
    assert "No document matches these filters" in texts(at)

    click(at, "drop-input-pin-0")

    assert "1 of 5 documents match" in texts(at)


def test_what_the_chips_say_is_not_said_again_in_words() -> None:
    where = {"$and": [{"country": "Portugal"}, {"price": {"$gte": 5.0}}, {"price": {"$lt": 10.0}}]}
    chip = Proposed("Country: Portugal", PORTUGAL, applied=True)

    assert chips.untold(where, [chip]) == {"price": {"$gte": 5.0, "$lt": 10.0}}
    assert chips.untold(where, [replace(chip, applied=False)]) == {
        "$and": [{"country": "Portugal"}, {"price": {"$gte": 5.0, "$lt": 10.0}}]
    }
