"""Rates, turns and the purse."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from rag.config import Environment, Limits
from rag.errors import LimitError, UsageError
from rag.limits import Allowance, Purse, Rates, Turns
from rag.store import Store


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def test_a_client_asks_so_often_within_a_minute() -> None:
    clock = Clock()
    rates = Rates(clock)
    for _ in range(3):
        rates.take(("a", 3, "this browser"))
        clock.now += 10
    with pytest.raises(LimitError, match=r"^3 questions a minute .* this browser\. Ask again in 30 sec"):
        rates.take(("a", 3, "this browser"))
    rates.take(("b", 3, "this browser"))
    clock.now += 30
    rates.take(("a", 3, "this browser"))


def test_a_question_that_one_limit_refuses_counts_for_none() -> None:
    rates = Rates(Clock())
    rates.take(("a", 1, "this browser"), ("home", 2, "your network address"))
    for _ in range(5):
        with pytest.raises(LimitError):
            rates.take(("a", 1, "this browser"), ("home", 2, "your network address"))
    rates.take(("b", 1, "this browser"), ("home", 2, "your network address"))
    with pytest.raises(LimitError, match="your network address"):
        rates.take(("c", 1, "this browser"), ("home", 2, "your network address"))


def test_very_many_clients_do_not_fill_the_memory() -> None:
    rates = Rates(Clock())
    for n in range(10_050):
        rates.take((str(n), 1, "this browser"))
    assert len(rates._asked) == 10_000


def test_turns_come_in_order() -> None:
    turns = Turns(2, 10)
    first, second, third, fourth = (turns.enter() for _ in range(4))
    assert (first.begun, second.begun, third.begun, fourth.begun) == (True, True, False, False)
    assert (third.ahead, fourth.ahead) == (0, 1)
    assert not third.wait(0.01)
    second.leave()
    assert third.wait(1)
    assert not fourth.begun
    fourth.leave()
    first.leave()
    first.leave()
    third.leave()
    assert [turns.enter().begun for _ in range(3)] == [True, True, False]


def test_one_that_gives_up_lets_the_next_go() -> None:
    turns = Turns(1, 10)
    first, second, third = (turns.enter() for _ in range(3))
    second.leave()
    first.leave()
    assert third.wait(1)


def test_a_full_queue_refuses() -> None:
    turns = Turns(1, 1)
    turns.enter()
    turns.enter()
    with pytest.raises(LimitError, match="waiting already"):
        turns.enter()


def test_never_more_at_once_than_allowed() -> None:
    turns, lock, now, most = Turns(3, 100), threading.Lock(), [0], [0]

    def one() -> None:
        turn = turns.enter()
        assert turn.wait(10)
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        threading.Event().wait(0.005)
        with lock:
            now[0] -= 1
        turn.leave()

    threads = [threading.Thread(target=one) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 3


# --- money ---------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store.db")


def test_a_day_has_a_budget_that_is_not_exceeded(store: Store) -> None:
    clock = Clock()
    purse = Purse(lambda: store, Limits(dollars_per_day=1.0), clock)
    first = purse.set_aside(0.6, Allowance())
    assert first is not None
    assert purse.set_aside(0.6, Allowance()) is None  # both together could exceed it
    first.settle(0.1)
    assert purse.set_aside(0.6, Allowance()) is not None
    assert purse.spent_today() == pytest.approx(0.7)
    assert purse.set_aside(0.6, Allowance()) is None
    clock.now += 86_400
    assert purse.set_aside(0.6, Allowance()) is not None


def test_a_process_that_died_leaves_its_money_spent(store: Store) -> None:
    limits = Limits(dollars_per_day=1.0)
    Purse(lambda: store, limits, Clock()).set_aside(0.9, Allowance())
    again = Purse(lambda: Store(store.path), limits, Clock())
    assert again.set_aside(0.2, Allowance()) is None


def test_a_link_has_a_budget_of_its_own(store: Store) -> None:
    purse = Purse(lambda: store, Limits(), Clock())
    with store.gate.using() as uses:
        ids = [uses.add("link", "visitor", 0.0, Clock().now) for _ in range(2)]
    spending = purse.set_aside(0.5, Allowance("link", 0.8, ids[0]))
    assert spending is not None
    assert purse.set_aside(0.5, Allowance("link", 0.8, ids[1])) is None
    assert purse.set_aside(0.5, Allowance("other", 0.8, None)) is not None
    spending.settle(0.2)
    assert purse.set_aside(0.5, Allowance("link", 0.8, ids[1])) is not None


def test_an_unknown_price_is_not_paid_under_a_budget(store: Store) -> None:
    assert Purse(lambda: store, Limits(dollars_per_day=5), Clock()).set_aside(None, Allowance()) is None
    assert Purse(lambda: store, Limits(), Clock()).set_aside(None, Allowance("link", 5.0, None)) is None
    assert Purse(lambda: store, Limits(), Clock()).set_aside(None, Allowance()) is not None


def test_many_at_once_do_not_exceed_it_together(store: Store) -> None:
    purse, got = Purse(lambda: store, Limits(dollars_per_day=1.0), Clock()), []

    def one() -> None:
        got.append(purse.set_aside(0.3, Allowance()))

    threads = [threading.Thread(target=one) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(spending is not None for spending in got) == 3


# --- settings --------------------------------------------------------------------------


def test_limits_come_from_the_environment() -> None:
    env = {
        "THUMBPRINT_QUESTIONS_PER_MINUTE": "7",
        "THUMBPRINT_ADDRESS_PER_MINUTE": "8",
        "THUMBPRINT_QUESTION_CHARACTERS": "900",
        "THUMBPRINT_CONCURRENT": "2",
        "THUMBPRINT_WAITING": "5",
        "THUMBPRINT_UPLOAD_FILES": "50",
        "THUMBPRINT_DOLLARS_PER_DAY": "1.5",
    }
    assert Environment.load(env).limits == Limits(7, 8, 900, 2, 5, 50, 1.5)
    assert Environment.load({}).limits == Limits()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("THUMBPRINT_CONCURRENT", "0"),
        ("THUMBPRINT_CONCURRENT", "2.5"),
        ("THUMBPRINT_CONCURRENT", "nan"),
        ("THUMBPRINT_QUESTION_CHARACTERS", "9000"),
        ("THUMBPRINT_DOLLARS_PER_DAY", "-1"),
        ("THUMBPRINT_DOLLARS_PER_DAY", "lots"),
        ("THUMBPRINT_OWNER_HOURS", "0"),
        ("THUMBPRINT_PROXIES", "1.5"),
        ("THUMBPRINT_CHAT", "closed"),
    ],
)
def test_a_limit_that_makes_no_sense_is_named(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=name):
        Environment.load({name: value})
