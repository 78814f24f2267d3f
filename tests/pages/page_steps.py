"""What a reader does on the page, in AppTest, and what is then on it."""

from __future__ import annotations

import time
from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from pages.ui import resources

SECRET = "s" * 43
OpenApp = Callable[..., AppTest]


def run(at: AppTest) -> AppTest:
    """Run the script, and fail where it ended in an exception."""
    at.run()
    assert not at.exception
    return at


def settle(at: AppTest) -> AppTest:
    """Run until the answer being written is written, as the page does by itself."""
    deadline = time.monotonic() + 15
    run(at)
    while any(button.key == "stop" for button in at.button):
        assert time.monotonic() < deadline, "the answer is still being written"
        time.sleep(0.02)
        run(at)
    return at


def ask(at: AppTest, question: str) -> AppTest:
    """Type a question, send it, and wait for its answer."""
    at.chat_input[0].set_value(question)
    return settle(at)


def first_words(at: AppTest) -> None:
    """Wait until the answer being written has its first words."""
    writing = resources.writings().of(conversation_id(at))
    deadline = time.monotonic() + 15
    while not writing.text:
        assert time.monotonic() < deadline, "no word came"
        time.sleep(0.01)


def texts(at: AppTest) -> str:
    """All Markdown and captions on the page."""
    return "\n".join([*(m.value for m in at.markdown), *(c.value for c in at.caption)])


def keys(at: AppTest) -> list[str]:
    return [str(button.key) for button in at.button]


def address(at: AppTest, name: str) -> str:
    """A parameter of the address; AppTest holds it as a list or as text."""
    value = at.query_params[name]
    return value[0] if isinstance(value, list) else value


def conversation_id(at: AppTest) -> str:
    return address(at, "conversation")
