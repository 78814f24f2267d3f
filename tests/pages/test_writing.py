"""Answers on threads of their own: read to the end, stopped, failed, one after the other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from pages.ui.writing import Writing, Writings
from rag.errors import GenerationError
from rag.types import Draft
from tests.fakes import FakePreparation


class Slow:
    """A response that gives a piece whenever it is let."""

    begun = SimpleNamespace(where={"country": "Spain"})

    def __init__(self) -> None:
        self.step = threading.Semaphore(0)
        self.closed = False
        self.draft = Draft("", ())

    def __iter__(self) -> Iterator[str]:
        for piece in ("one ", "two ", "three"):
            assert self.step.acquire(timeout=10)
            yield piece

    def close(self) -> None:
        self.closed = True


def writing() -> Writing:
    return Writing("Why?", where=None, replaces=None)


def test_it_is_forgotten_once_it_is_stored() -> None:
    writings, one = Writings(), writing()
    response = Slow()
    response.step.release(3)
    writings.begin("c", one, FakePreparation, lambda: response)
    assert one.wait(10)
    assert (one.text, one.succeeded, response.closed) == ("one two three", True, False)
    assert one.where == {"country": "Spain"}


def test_stopping_closes_the_response_at_its_next_piece() -> None:
    writings, one = Writings(), writing()
    response = Slow()
    writings.begin("c", one, FakePreparation, lambda: response)
    assert writings.of("c") is one
    one.stop()
    response.step.release(3)
    assert one.wait(10)
    assert (one.text, response.closed) == ("one ", True)


def test_the_next_question_waits_until_the_one_before_is_stored() -> None:
    writings, first, second = Writings(), writing(), writing()
    responses = [Slow(), Slow()]
    writings.begin("c", first, FakePreparation, lambda: responses[0])
    writings.begin("c", second, FakePreparation, lambda: responses[1])
    assert not second.wait(0.05)
    for response in responses:
        response.step.release(3)
    assert second.wait(10)
    assert (first.text, second.text) == ("one ", "one two three")


def test_a_failure_is_kept_in_its_own_words() -> None:
    def fail() -> Slow:
        raise GenerationError("The model did not answer. Ask again.")

    writings, one = Writings(), writing()
    writings.begin("c", one, FakePreparation, fail)
    assert one.wait(10)
    assert (writings.of("c"), one.error) == (one, "The model did not answer. Ask again.")


def test_any_other_failure_is_logged_and_told_without_its_details(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> Slow:
        raise KeyError("secret detail")

    one = writing()
    one.run(FakePreparation, fail)
    assert one.error.startswith("Something went wrong")
    assert "secret detail" not in one.error
    assert "secret detail" in caplog.text


def test_stopped_before_it_was_asked_nothing_is_asked() -> None:
    one = writing()
    one.stop()
    one.run(lambda: FakePreparation(ready=False), pytest.fail)
    assert (one.cancelled, one.succeeded) == (True, False)


def test_nothing_is_being_written_nowhere() -> None:
    assert Writings().of(None) is None
