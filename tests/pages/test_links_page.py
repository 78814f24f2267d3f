"""The links page: making a link, what stands on its row, the limits that hold."""

from __future__ import annotations

import dataclasses
from typing import Any

from page_steps import OpenApp, keys, run, texts
from streamlit.testing.v1 import AppTest

from pages.ui import resources
from rag.config import LIMIT_NAMES, Limits
from rag.types import LinkCaps, LinkTerms
from tests.fakes import FakeEngine

SETTINGS = "links-settings-0"


def open_links(open_app: OpenApp) -> AppTest:
    at = open_app()
    at.switch_page("pages/links.py")
    return run(at)


def make(at: AppTest) -> AppTest:
    next(b for b in at.button if b.label == "Make the link").click()
    return run(at)


def test_a_link_is_made_and_its_address_shown_once(open_app: OpenApp, engine: FakeEngine) -> None:
    at = open_links(open_app)
    assert "There are no links yet" in at.info[0].value
    at.text_input("links-label-0").set_value("For *Ann* <b>")
    at.selectbox("links-until-0").set_value("A week")
    at.number_input("links-day-0").set_value(50)
    at.text_area(SETTINGS).set_value("k=3\n\nabstain=off")
    make(at)
    (report,) = resources.links().reports()
    assert at.code[0].value.partition("?link=")[2]
    assert report.link.terms.caps == LinkCaps(day=50)
    assert (report.link.terms.settings["k"], report.link.terms.settings["abstain"]) == (3, "off")
    assert report.link.terms.expires is not None
    assert "<b>" not in texts(at)
    assert at.text_input("links-label-1").value == ""
    at.button("links-done").click()
    run(at)
    assert not at.code


def test_a_link_whose_end_no_calendar_has_is_shown_and_can_be_revoked(
    open_app: OpenApp, engine: FakeEngine
) -> None:
    terms = LinkTerms(label="For ever", expires=253_402_300_800.0)
    link = engine.store.links.make("prototype", "h" * 64, "wine", terms)

    at = open_links(open_app)

    assert "ends on a day beyond the calendar" in texts(at)
    assert f"revoke-{link.link_id}" in keys(at)


def test_what_makes_no_sense_is_told_and_what_was_typed_stays(open_app: OpenApp, engine: FakeEngine) -> None:
    at = open_links(open_app)
    at.text_input("links-label-0").set_value("For Ann")
    at.text_area(SETTINGS).set_value("what=1")
    make(at)
    assert "There is no setting" in at.error[0].value
    assert at.text_input("links-label-0").value == "For Ann"
    assert engine.store.links.all() == []


def test_a_row_says_what_came_of_it(open_app: OpenApp, engine: FakeEngine) -> None:
    link, _ = resources.links().create("wine", label="For Ann", password="open sesame")
    resources.links().admit(link, "ann")
    response = engine.ask("wine", "lamb?", link=link.id)
    list(response)
    engine.store.add_feedback(response.answer.id, "up")
    engine.version = "2e4"
    shown = texts(open_links(open_app))
    assert "**1** question · **1** visitor" in shown
    assert "thumb_up: **1**" in shown
    assert "documents changed" in shown
    assert "badge[password]" in shown
    assert "Index when it was made `1d3`, now `2e4`" in shown


def test_revoking_asks_first(open_app: OpenApp) -> None:
    link, _ = resources.links().create("wine")
    at = open_links(open_app)
    at.button(f"revoke-{link.id}").click()
    run(at)
    assert resources.links().reports()[0].state == "active"
    at.session_state["links-revoke"] = link.id
    at.button("revoke-sure").click()
    run(at)
    assert resources.links().reports()[0].state == "revoked"
    assert f"revoke-{link.id}" not in keys(at)


def test_all_limits_are_shown_with_their_variables(open_app: OpenApp, engine: FakeEngine) -> None:
    engine.environment = dataclasses.replace(engine.environment, limits=Limits(dollars_per_day=5.0))
    table: Any = open_links(open_app).dataframe[0].value
    shown = dict(zip(table["Variable"], table["Value"], strict=True))
    assert {*LIMIT_NAMES.values(), "THUMBPRINT_MAX_FILE_MB", "THUMBPRINT_CHAT"} == set(shown)
    assert shown["THUMBPRINT_DOLLARS_PER_DAY"] == "5"
    assert shown["THUMBPRINT_CONCURRENT"] == "4"
