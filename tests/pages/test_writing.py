"""Answers on threads of their own: read to the end, stopped, failed, one after the other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from pages.ui.writing import Writing, Writings
from rag.errors import GenerationError
from rag.limits import Turns
from rag.types import Claim, Draft
from tests.fakes import FakePreparation


class Slow:
    """A response that gives a piece whenever it is let."""

    begun = SimpleNamespace(where={"country": "Spain"})

    def __init__(self, *, fails: bool = False) -> None:
        self.step = threading.Semaphore(0)
        self.waits = threading.Event()
        """Set once it has given its first piece, and waits to give the next one."""
        self.fails = fails
        self.closed = False
        self.draft = Draft("", ())

    def __iter__(self) -> Iterator[str]:
        for piece in ("one ", "two ", "three"):
            assert self.step.acquire(timeout=10)
            if self.fails and self.waits.is_set():
                raise KeyError("the connection was shut")
            yield piece
            self.waits.set()

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


def test_stopping_does_not_wait_for_the_next_piece() -> None:
    turns = Turns(at_once=1, waiting=5)
    writings, one = Writings(turns), writing()
    response = Slow()
    writings.begin("c", one, FakePreparation, lambda: response)
    assert writings.of("c") is one
    response.step.release()
    assert response.waits.wait(10)

    one.stop()

    assert (one.done, one.succeeded, response.closed) == (True, True, True)
    assert writings.of("c") is None
    assert turns.enter().begun, "the next question waits for a stopped one"
    response.step.release(3)
    assert one.text == "one "


def test_what_comes_of_a_stopped_answer_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    one, response = writing(), Slow(fails=True)
    reader = threading.Thread(target=one.run, args=(FakePreparation, lambda: response))
    reader.start()
    response.step.release()
    assert response.waits.wait(10)

    one.stop()
    response.step.release()
    reader.join(10)

    assert (one.succeeded, one.error, one.partial, caplog.text) == (True, None, None, "")


def test_stopped_while_it_is_searched_it_ends_with_the_search() -> None:
    searching, found, response = threading.Event(), threading.Event(), Slow()
    writings, one = Writings(), writing()

    def ask() -> Slow:
        searching.set()
        assert found.wait(10)
        return response

    writings.begin("c", one, FakePreparation, ask)
    assert searching.wait(10)
    one.stop()
    assert not one.done
    found.set()

    assert one.wait(10)
    assert (response.closed, one.succeeded, one.text) == (True, True, "")


def test_the_next_question_waits_until_the_one_before_is_stored() -> None:
    writings, first, second = Writings(), writing(), writing()
    responses = [Slow(), Slow()]
    responses[0].step.release()
    responses[1].step.release(3)
    writings.begin("c", first, FakePreparation, lambda: responses[0])
    assert responses[0].waits.wait(10)
    stored_before: list[bool] = []

    def ask() -> Slow:
        stored_before.append(responses[0].closed)
        return responses[1]

    writings.begin("c", second, FakePreparation, ask)

    assert second.wait(10)
    assert (second.text, stored_before) == ("one two three", [True])
    responses[0].step.release(3)


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


def test_of_a_failure_what_was_checked_last_is_shown() -> None:
    class Fails(Slow):
        answer = SimpleNamespace(id="a")

        def __iter__(self) -> Iterator[str]:
            yield "It costs 5."
            self.draft = Draft("It costs 5.", (), claims=(Claim(0, 11, "unsupported", 0.0, ("number",)),))
            raise GenerationError("It broke off. Ask again.")

    one, response = writing(), Fails()
    one.run(FakePreparation, lambda: response)

    assert (one.error, one.partial) == ("It broke off. Ask again.", "a")
    assert one.so_far == ("It costs 5.", response.draft)
