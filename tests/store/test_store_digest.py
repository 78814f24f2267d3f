"""Counting and finding answers: what the triggers keep, and what the queries make of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import rag.store.migrations as migrations
from rag.store import Query, Selection, Store, Tally
from rag.types import Finding, Provenance

MADE_WITH = Provenance("wine", "5e77", "1d3", "p1")
DAY = 86_400
BASE = 20_000 * DAY
"""Midnight of one day, in UTC."""


@pytest.fixture
def five(store: Store, make_answer: Any) -> Store:
    """a: up, b: down for two reasons, c: refused, taken back, d: no word, e: elsewhere, in a batch."""
    for number, name in enumerate("abcd"):
        store.save_answer(
            make_answer(
                id=name,
                question=f"Question {name}?",
                created=BASE + number * DAY + 10.0,
                provenance=MADE_WITH,
                abstained=name == "c",
                seconds={"total": float(number + 1)},
            )
        )
    elsewhere = replace(MADE_WITH, prototype="benefits", settings="aaaa")
    store.save_answer(make_answer(id="e", created=BASE + 5.0 * DAY, provenance=elsewhere, origin="batch"))
    store.add_feedback("a", "down", reasons=["wrong"])
    store.add_feedback("a", "up")
    store.add_feedback("b", "down", reasons=["wrong", "my own"], comment="Cellar number 7 is 100% empty.")
    store.add_feedback("c", "up")
    store.add_feedback("c", None)
    return store


def names(store: Store, query: Query, **options: Any) -> str:
    return "".join(row.answer_id for row in store.digest.page(query, **options))


def test_in_all_over_time_and_by_column(five: Store) -> None:
    found = five.digest.breakdown(Query(Selection(origins=("chat",))), "prototype", 2 * DAY)
    # Of 1, 2, 3 and 4 s the median is 2.5, and 95 % lie within 3.85.
    assert found.total == Tally(
        answers=4,
        up=1,
        down=1,
        abstained=1,
        median=2.5,
        slow=pytest.approx(3.85),  # type: ignore[arg-type]
    )
    spans = {start - BASE: (t.answers, t.rated) for start, t in found.series.items()}
    assert spans == {0: (2, 2), 2 * DAY: (2, 0)}
    assert found.groups == {"wine": found.total}


def test_days_are_those_of_the_place(five: Store) -> None:
    # At 10 s past midnight in UTC it is still the day before, an hour to the west.
    first = Query(Selection(until=BASE + DAY))
    found = five.digest.breakdown(first, "prototype", DAY, shift=-3_600)
    assert list(found.series) == [BASE - DAY + 3_600]


def test_rates_come_with_their_intervals_and_nothing_has_none(five: Store) -> None:
    total = five.digest.breakdown(Query(Selection(prototype="wine")), "prototype", DAY).total
    assert total.responded is not None
    assert (total.responded.value, total.responded.n) == (0.5, 4)
    assert total.liked is not None
    assert (total.liked.value, total.liked.n) == (0.5, 2)
    assert five.digest.breakdown(Query(Selection(prototype="none")), "prototype", DAY).total.liked is None


def test_an_unknown_cost_stays_unknown(five: Store) -> None:
    with five._database.writing() as connection:
        connection.execute("UPDATE answers SET cost = 0.25 WHERE id = 'a'")
    total = five.digest.breakdown(Query(), "prototype", DAY).total
    assert (total.cost, total.costed, total.answers) == (0.25, 1, 5)
    other = five.digest.breakdown(Query(Selection(prototype="benefits")), "prototype", DAY).total
    assert (other.cost, other.costed) == (None, 0)


def test_reasons_are_of_the_thumbs_that_count(five: Store) -> None:
    assert five.digest.reasons(Query()) == {"my own": 1, "wrong": 1}


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        (Query(), "edcba"),
        (Query(Selection(rating="up")), "a"),
        (Query(Selection(rating="rated")), "ba"),
        (Query(Selection(rating="none")), "edc"),
        (Query(Selection(prototype="benefits")), "e"),
        (Query(settings="5e77"), "dcba"),
        (Query(reason="my own"), "b"),
        (Query(reason="wrong"), "b"),
        (Query(topic=0), "edcba"),
        (Query(text="question B"), "b"),
        (Query(text="cellar 100%"), "b"),
        (Query(text="100_"), ""),
        (Query(text="' OR 1 --"), ""),
        (Query(failure="waiting"), "b"),
    ],
)
def test_every_part_of_a_query_must_hold(five: Store, query: Query, meant: str) -> None:
    assert names(five, query) == meant
    assert five.digest.count(query) == len(meant)


def test_what_the_owner_notes_is_found(five: Store) -> None:
    five.annotations.add("d", None, "Ask the cellar master.")
    assert names(five, Query(text="cellar MASTER")) == "d"


def test_pages_and_orders(five: Store) -> None:
    assert names(five, Query(), order="oldest", offset=1, limit=2) == "bc"
    assert names(five, Query(), order="slowest", limit=2) == "dc"
    assert names(five, Query(), order="rated", limit=2) == "ba"


def test_a_row_says_what_a_list_needs(five: Store) -> None:
    (row,) = five.digest.page(Query(Selection(rating="down")))
    assert (row.question, row.rating, row.reasons) == ("Question b?", "down", ("wrong", "my own"))
    assert (row.abstained, row.failure, row.note) == (False, "waiting", "")


def test_what_the_owner_says_went_wrong_counts_before_what_was_found(five: Store) -> None:
    five.findings.put(Finding("b", None, "guess", "Nothing stands out."), 1, rules=1)
    assert five.digest.failures(Query()) == {"unclear": 1}
    five.findings.put(Finding("b", "ranked-low", "guess", "It was seventh."), 1, rules=1)
    assert five.digest.failures(Query()) == {"ranked-low": 1}
    five.annotations.add("b", "bad-citation")
    assert five.digest.failures(Query()) == {"bad-citation": 1}
    assert names(five, Query(failure="bad-citation")) == "b"
    five.annotations.add("b", None, "On second thoughts")
    assert five.digest.failures(Query()) == {"ranked-low": 1}


def test_facts_are_those_of_the_document_that_was_quoted(store: Store, make_answer: Any) -> None:
    first = make_answer().passages[0]
    facts = (
        {"region": "Douro", "price": 5, "tags": ("red",)},
        {"region": "Rioja", "price": 9, "tags": ("red", "dry"), "added": 1_600_000_000},
    )
    passages = tuple(replace(first, metadata=each) for each in facts)
    cited = replace(make_answer().citations[0], passage=1)
    store.save_answer(make_answer(id="a", passages=passages, citations=(cited,)))
    store.save_answer(make_answer(id="b", passages=passages, citations=()))
    store.save_answer(make_answer(id="c", passages=(), citations=()))
    store.add_feedback("a", "up")

    def answers(key: str, kind: Any) -> dict[Any, tuple[int, int]]:
        return {k: (t.answers, t.up) for k, t in store.digest.by_fact(Query(), key, kind).items()}

    assert answers("region", "choice") == {"Rioja": (1, 1), "Douro": (1, 0)}
    assert answers("tags", "list") == {"red": (2, 1), "dry": (1, 1)}
    assert answers("added", "date") == {2020: (1, 1)}
    assert answers("price", "range") == {(5, 9): (2, 1)}
    assert answers("nothing", "range") == {}


def test_a_range_has_about_as_many_answers_in_each_part(store: Store, make_answer: Any) -> None:
    first = make_answer().passages[0]
    for number in range(10):
        passages = (replace(first, metadata={"price": number}),)
        store.save_answer(make_answer(id=f"{number}", passages=passages, citations=()))
    found = store.digest.by_fact(Query(), "price", "range")
    # Bounds at the places round(9 · part / 5): 2, 4, 5, 7. Each holds its upper bound.
    assert {bounds: tally.answers for bounds, tally in found.items()} == {
        **{(0, 2): 3, (2, 4): 2, (4, 5): 1, (5, 7): 2, (7, 9): 2},
    }


def test_whoever_writes_a_row_the_digest_follows(five: Store) -> None:
    with closing(sqlite3.connect(five.path)) as connection:
        # A revision that comes late, as from another replica, does not count before a higher one.
        connection.execute(
            "INSERT INTO feedback (id, answer_id, revision, rating, reasons, comment, correction, origin,"
            " created)"
            " VALUES ('x', 'd', 2, 'up', '[]', '', '', 'chat', 1.0)"
        )
        connection.execute(
            "INSERT INTO feedback (id, answer_id, revision, rating, reasons, comment, correction, origin,"
            " created)"
            " VALUES ('y', 'd', 1, 'down', '[]', '', '', 'chat', 2.0)"
        )
        connection.commit()
        assert names(five, Query(Selection(rating="up"))) == "da"
        connection.execute("DELETE FROM feedback WHERE id = 'x'")
        connection.commit()
    assert names(five, Query(Selection(rating="down"))) == "db"


def test_erasing_a_conversation_leaves_nothing_of_it(store: Store, make_answer: Any) -> None:
    conversation = store.start_conversation("s", "wine")
    store.save_answer(make_answer(id="a", conversation_id=conversation.id, question="My secret wish?"))
    store.add_feedback("a", "down")
    store.findings.put(Finding("a", None, "guess", "Nothing stands out."), 1, rules=1)
    store.annotations.add("a", None, "A secret note")
    store.delete_conversation(conversation.id, "s")
    assert store.digest.count(Query()) == 0
    with closing(sqlite3.connect(store.path)) as connection:
        for table in ("digest", "digest_texts", "triage", "annotations"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    assert b"secret wish" not in store.path.read_bytes()


def test_an_older_store_is_digested_as_a_new_one_is(five: Store, tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    with closing(sqlite3.connect(old)) as connection:
        for statement in migrations.MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute(f"ATTACH '{five.path}' AS new")
        for table in ("answers", "feedback"):
            columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
            connection.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}")
        connection.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    assert Store(old).digest.page(Query()) == five.digest.page(Query())
    by = ("region", "choice")
    assert Store(old).digest.by_fact(Query(), *by) == five.digest.by_fact(Query(), *by)


def test_values_are_each_named_once(five: Store) -> None:
    assert five.digest.values("prototype") == ["benefits", "wine"]
    assert five.digest.values("settings") == ["5e77", "aaaa"]
    assert five.digest.span() == (BASE + 10.0, BASE + 5.0 * DAY)


def test_an_empty_store_has_no_span(store: Store) -> None:
    assert store.digest.span() is None
    assert store.digest.values("prototype") == []


def test_a_record_that_is_damaged_is_digested_all_the_same(five: Store) -> None:
    with closing(sqlite3.connect(five.path)) as connection:
        connection.execute(
            "INSERT INTO answers (id, prototype, created, origin, question, text, confidence, abstained,"
            " generator, settings, index_version, prompt_version, record)"
            " VALUES ('z', 'wine', 9e9, 'chat', 'q', 't', 0.5, 0, 'g', 's', 'i', 'p', 'not JSON')"
        )
        connection.commit()
    assert names(five, Query())[0] == "z"
