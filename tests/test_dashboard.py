"""The feedback in figures: what is counted, by what, and under which names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.dashboard import fact_name, overview, settings_names
from rag.prototypes import Facet
from rag.store import Query, Selection, Store, new_id
from rag.types import Answer, Origin, Passage, Provenance

DAY = 86_400
MONDAY = 20_003 * DAY
"""2024-10-07, a Monday, at midnight UTC."""

Save = Callable[..., str]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store.db")


@pytest.fixture
def save(store: Store) -> Save:
    """Save an answer of a day, and its thumb."""

    def saved(
        day: float = 0.0,
        rating: str | None = None,
        *,
        prototype: str = "wine",
        settings: str = "5e77",
        origin: Origin = "chat",
        values: dict[str, object] | None = None,
        facts: dict[str, object] | None = None,
        reasons: tuple[str, ...] = (),
    ) -> str:
        passage = Passage("d", "d.md", "D", 0, 4, "Text", 1.0, "fused", metadata=facts or {})  # type: ignore[arg-type]
        answer = Answer(
            id=new_id(),
            question="Which?",
            rewritten="Which?",
            text="That.",
            citations=(),
            passages=(passage,),
            confidence=0.9,
            abstained=False,
            generator="extractive",
            usage={},
            seconds={"total": 1.0},
            provenance=Provenance(prototype, settings, "1d3", "p1"),
            created=MONDAY + day * DAY,
            origin=origin,
        )
        store.save_answer(answer, settings=values)
        if rating is not None:
            store.add_feedback(answer.id, rating, reasons=reasons)  # type: ignore[arg-type]
        return answer.id

    return saved


def test_only_a_chat_has_a_response_rate(store: Store, save: Save) -> None:
    save(rating="up")
    save()
    for origin in ("batch", "command", "compare"):
        save(rating="down", origin=origin)
    found = overview(store, Query(), "prototype")
    assert (found.total.answers, found.total.up, found.total.down) == (2, 1, 0)
    assert found.total.responded is not None
    assert found.total.responded.value == 0.5
    assert found.elsewhere == 3
    assert found.reasons == ()


def test_short_times_are_told_by_the_day_and_long_ones_by_the_week_from_monday(
    store: Store, save: Save
) -> None:
    save(1)
    save(2)
    assert [start for start, _ in overview(store, Query(), "prototype").series] == [
        MONDAY + DAY,
        MONDAY + 2 * DAY,
    ]
    save(1 + 7 * 12)
    found = overview(store, Query(), "prototype")
    assert found.step == "week"
    assert [(start, t.answers) for start, t in found.series] == [(MONDAY, 2), (MONDAY + 84 * DAY, 1)]
    assert overview(store, Query(Selection(until=MONDAY + 5 * DAY)), "prototype").step == "day"
    save(7 * 100)
    assert overview(store, Query(), "prototype").step == "month"


def test_groups_are_ordered_by_their_answers(store: Store, save: Save) -> None:
    save(prototype="a")
    for _ in range(2):
        save(prototype="b", rating="up")
    found = overview(store, Query(), "prototype")
    assert [(group.name, group.tally.answers) for group in found.groups] == [("b", 2), ("a", 1)]


def test_settings_are_named_by_what_they_differ_in(store: Store, save: Save) -> None:
    save(settings="1111", values={"k": 5, "rerank": "none", "fusion": "auto"})
    save(settings="2222", values={"k": 5, "rerank": "late", "fusion": "auto"})
    save(settings="3333")
    found = overview(store, Query(), "settings")
    assert {group.key: group.name for group in found.groups} == {
        "1111": "rerank=none",
        "2222": "rerank=late",
        "3333": "3333",
    }


def test_settings_that_differ_in_nothing_keep_their_fingerprint() -> None:
    assert settings_names({"1111": {"k": 5}}) == {"1111": "1111"}
    assert settings_names({"1": {"k": 5, "where": None}, "2": {"k": 8}}) == {
        "1": "k=5",
        "2": "k=8",
    }


def test_topics_are_named_and_those_of_several_prototypes_told_apart(store: Store, save: Save) -> None:
    save(prototype="a")
    save(prototype="b")
    save(prototype="b")
    centre = np.ones(2, np.float32)
    for name in "ab":
        store.topics.replace(name, "m", [("rent", centre, 0.5)])
    first, second = store.topics.all()
    assert {group.name for group in overview(store, Query(), "topic").groups} == {"Not grouped yet"}
    store.topics.assign({1: first.id, 2: second.id, 3: 0})
    names = [group.name for group in overview(store, Query(), "topic").groups]
    assert sorted(names) == ["In no topic", "rent (a)", "rent (b)"]
    only = Query(Selection(prototype="a"))
    assert [group.name for group in overview(store, only, "topic").groups] == ["rent"]


def test_facts_in_words(store: Store, save: Save) -> None:
    for price in (5, 9, 9.5):
        save(facts={"price": price, "country": "Spain"})
    price = Facet("price", "Price", "range", unit="€")
    assert [g.name for g in overview(store, Query(), price).groups] == ["5 to 9 €", "9 to 9.5 €"]
    country = Facet("country", "Country", "choice")
    assert [g.name for g in overview(store, Query(), country).groups] == ["Spain"]
    assert fact_name(2020, Facet("added", "Added", "date")) == "2020"
    assert fact_name((3, 3), price) == "3 €"


def test_reasons_come_commonest_first(store: Store, save: Save) -> None:
    save(rating="down", reasons=("wrong",))
    save(rating="down", reasons=("wrong", "incomplete"))
    assert overview(store, Query(), "prototype").reasons == (("wrong", 2), ("incomplete", 1))
    assert overview(store, Query(), "prototype").failures == {"waiting": 2}


def test_an_empty_store_has_an_overview_too(store: Store) -> None:
    found = overview(store, Query(), "settings")
    assert (found.total.answers, found.series, found.groups, found.elsewhere) == (0, (), (), 0)
    assert replace(found.total) == found.total
