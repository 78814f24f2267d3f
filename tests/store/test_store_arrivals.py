"""Rows of other replicas, as a stranger with the publishable key may have made them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.dates import seconds_to_iso
from rag.filters import parse
from rag.pull import Puller
from rag.store import Selection, Store, new_id
from rag.store.arrivals import Arrived
from rag.store.parcels import TABLES
from rag.types import Answer, Claim, Proposed, Relevant, Scorer, Verdict
from tests.store.conftest import ANSWER

Rows = dict[str, list[dict[str, Any]]]

FULL = replace(
    ANSWER,
    claims=(Claim(0, 18, "supported", 0.9, cited=(0,)),),
    proposed=(Proposed("Under 20", {"price": {"$lt": 20}}, applied=False),),
    cost=0.002,
)
PASSAGE = Relevant("cellar", 4, 22, "wines/cellar.csv", "Tempranillo, 2019.", retrieved=0)
HUGE = 2**31


@pytest.fixture
def other(tmp_path: Path) -> Store:
    """The store of another machine."""
    return Store(tmp_path / "other" / "store.db")


def delivered(other: Store) -> Rows:
    """What Supabase's tables hold after a store has delivered."""
    tables: Rows = {}
    for kind in ("answer", "feedback", "preference"):
        parcels = other.outbox.claim(kind)
        other.outbox.delivered([parcel.n for parcel in parcels])
        tables[TABLES[kind]] = [json.loads(json.dumps(parcel.values)) for parcel in parcels]
    return tables


def answer_rows(other: Store, *answers: Answer) -> list[dict[str, Any]]:
    for answer in answers:
        other.save_answer(answer)
    return delivered(other)["answers"]


def put(value: Any, path: str, new: Any) -> None:
    """Put ``new`` in the place of what ``path`` leads to."""
    *inner, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in inner:
        value = value[step]
    value[last] = new


# --- answers ----------------------------------------------------------------------


def test_an_answer_with_all_that_it_can_have_is_taken_as_it_is(store: Store, other: Store) -> None:
    answer = replace(FULL, id=new_id())

    assert store.arrivals.take("answers", answer_rows(other, answer)) == Arrived(1, 0)
    assert store.answer(answer.id) == answer


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("created", 1e17),
        ("created", -1e17),
        ("created", 253_402_300_800),
        ("where", {"a": {"$in": 5}}),
        ("where", {"price": {"$foo": 1}}),
        ("where", {"price": 10**400}),
        ("proposed.0.where", {"a": {"$in": 5}}),
        ("origin", "elsewhere"),
        ("cost", -1),
        ("cost", 1e9),
        ("usage.input", HUGE),
        ("citations.0.verdict", "x"),
        ("citations.0.number", 0),
        ("citations.0.number", HUGE),
        ("citations.0.passage", 1),
        ("citations.0.passage", -1),
        ("citations.0.answer_start", -1),
        ("citations.0.end", HUGE),
        ("passages.0.scorer", "x"),
        ("passages.0.page", 0),
        ("passages.0.page", HUGE),
        ("passages.0.start", 23),
        ("passages.0.end", HUGE),
        ("passages.0.context_start", HUGE),
        ("passages.0.sentences.0.end", HUGE),
        ("passages.0.metadata.price", 10**400),
        ("claims.0.verdict", "x"),
        ("claims.0.cited", [1]),
        ("claims.0.end", HUGE),
    ],
    ids=lambda given: str(given)[:24],
)
def test_an_answer_that_no_page_could_draw_is_passed_over_alone(
    store: Store, other: Store, path: str, value: Any
) -> None:
    bad, good = replace(FULL, id=new_id()), replace(FULL, id=new_id())
    rows = answer_rows(other, bad, good)
    put(rows[0]["record"], path, value)

    assert store.arrivals.take("answers", rows) == Arrived(1, 1)
    assert store.answer(good.id) == good
    assert store.count(Selection()) == 1


def paths(value: Any, path: tuple[str, ...] = ()) -> list[str]:
    """The path of everything in a record."""
    inner: Mapping[str, Any] = value if isinstance(value, dict) else {}
    if isinstance(value, list):
        inner = {str(n): item for n, item in enumerate(value)}
    below = [each for key, item in inner.items() for each in paths(item, (*path, key))]
    return [".".join(path), *below] if path else below


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([-1, 2**31, 2**63, 10**17, 10**400, 1e17, -1e300, "", "x", "2026-05-01"])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "$in", "$and", "$or", "$gt", "$foo"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_stands_in_a_record_the_next_row_is_taken(store: Store, other: Store, data: Any) -> None:
    bad, good = replace(FULL, id=new_id()), replace(FULL, id=new_id())
    rows = answer_rows(other, bad, good)
    path = data.draw(st.sampled_from(paths(rows[0]["record"])))
    put(rows[0]["record"], path, data.draw(json_values))

    came = store.arrivals.take("answers", rows)

    assert (came.taken + came.skipped, store.answer(good.id)) == (2, good)
    if came.taken == 2:
        kept = store.answer(bad.id)
        seconds_to_iso(kept.created)
        parse(kept.where)
        assert {citation.verdict for citation in kept.citations} <= set(get_args(Verdict))
        assert {passage.scorer for passage in kept.passages} <= set(get_args(Scorer))


class Remote:
    """Supabase's tables, in memory."""

    def __init__(self, tables: Rows) -> None:
        self.tables = tables
        for rows in tables.values():
            for n, row in enumerate(rows, start=1):
                row |= {"n": n, "received": f"2026-01-01T00:{n:02}:00+00:00"}

    def page(self, table: str, columns: Sequence[str], *, after: int = 0) -> list[dict[str, Any]]:
        return [row for row in self.tables.get(table, []) if row["n"] > after]

    def rows(self, table: str, columns: Sequence[str], ids: Sequence[str]) -> list[dict[str, Any]]:
        return [row for row in self.tables[table] if row["id"] in ids]


def test_a_time_that_no_calendar_has_does_not_stop_the_copying(store: Store, other: Store) -> None:
    answers = [replace(FULL, id=new_id()) for _ in range(3)]
    for answer in answers:
        other.save_answer(answer)
        other.add_feedback(answer.id, "up")
    tables = delivered(other)
    put(tables["answers"][0]["record"], "created", 1e17)

    came = sum(Puller(store, Remote(tables)).pull(), start=Arrived())  # type: ignore[arg-type]

    assert came == Arrived(taken=4, skipped=2)  # of the first answer neither it nor its thumb
    assert store.arrivals.cursor("answers") == 2  # the last one is of this minute
    assert [store.feedback(answer.id) is not None for answer in answers] == [False, True, True]


# --- feedback ---------------------------------------------------------------------


def rated(store: Store, other: Store) -> dict[str, Any]:
    """The row of a thumb for an answer that came from another machine, which is here already."""
    answer = replace(FULL, id=new_id())
    other.save_answer(answer)
    other.add_feedback(answer.id, "down", passage=PASSAGE, reported=[1])
    tables = delivered(other)
    store.arrivals.take("answers", tables["answers"])
    return tables["feedback"][0]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("created", "0001-01-01T00:00:00+00:00"),
        ("created", "infinity"),
        ("reported", [1, HUGE]),
        ("passage.end", HUGE),
        ("passage.retrieved", -1),
        ("passage.retrieved", HUGE),
        ("revision", HUGE - 1),
        ("revision", 1_002),
    ],
    ids=lambda given: str(given)[:24],
)
def test_feedback_that_is_made_up_is_passed_over(store: Store, other: Store, path: str, value: Any) -> None:
    bad, good = rated(store, other), rated(store, other)
    put(bad, path, value)

    assert store.arrivals.take("feedback", [bad, good]) == Arrived(1, 1)


def test_a_revision_that_is_missing_keeps_no_later_one_out(store: Store, other: Store) -> None:
    first = rated(store, other)
    third = {**first, "id": new_id(), "revision": 3, "rating": "up"}

    assert store.arrivals.take("feedback", [first, third]) == Arrived(2, 0)
    assert [each.revision for each in store.feedback_history(first["answer_id"].replace("-", ""))] == [1, 3]


@pytest.mark.parametrize("revision", [2, HUGE - 1])
def test_what_the_reader_of_a_conversation_here_thinks_is_said_here(
    store: Store, other: Store, revision: int
) -> None:
    stranger = rated(store, other)
    conversation = store.start_conversation("secret", "wine")
    answer = replace(FULL, id=new_id(), conversation_id=conversation.id)
    store.save_answer(answer)
    given = store.add_feedback(answer.id, "up")

    came = store.arrivals.take("feedback", [{**stranger, "answer_id": answer.id, "revision": revision}])

    assert came == Arrived(0, 1)
    assert store.feedback(answer.id) == given
    assert store.add_feedback(answer.id, "down").revision == 2


def test_a_thumb_of_a_conversation_that_came_along_is_taken(store: Store, other: Store) -> None:
    conversation = other.start_conversation("secret", "wine")
    answer = replace(FULL, id=new_id(), conversation_id=conversation.id)
    other.save_answer(answer)
    other.add_feedback(answer.id, "up")
    tables = delivered(other)

    assert store.arrivals.take("answers", tables["answers"]) == Arrived(1, 0)
    assert store.arrivals.take("feedback", tables["feedback"]) == Arrived(1, 0)


# --- preferences ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"), [("revision", HUGE - 1), ("created", "0001-01-01T00:00:00+00:00")]
)
def test_a_preference_that_is_made_up_is_passed_over(
    store: Store, other: Store, name: str, value: Any
) -> None:
    left, right = replace(FULL, id=new_id()), replace(FULL, id=new_id())
    for answer in (left, right):
        other.save_answer(answer)
    other.preferences.add("pair", left.id, right.id, "left")
    tables = delivered(other)
    store.arrivals.take("answers", tables["answers"])
    [row] = tables["preferences"]
    bad = {**row, "id": new_id(), "revision": 2, "choice": "right", name: value}

    assert store.arrivals.take("preferences", [row, bad]) == Arrived(1, 1)
    assert store.preferences.of("pair").choice == "left"
