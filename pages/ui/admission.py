"""Whether a question or a search may be made now: its length, how many there were, what a link allows."""

from __future__ import annotations

import hashlib

import streamlit as st

from pages.ui import access, resources
from pages.ui.frame import Page
from rag.errors import LimitError
from rag.limits import Allowance


def admit(page: Page, question: str) -> Allowance:
    """Count the question; what its answer is charged to. Raises LimitError and LinkError."""
    search(page, question)
    visit = page.visit
    if visit is None:
        return Allowance()
    use = resources.links().admit(visit.link, visit.visitor)
    return Allowance(visit.link.id, visit.link.terms.caps.dollars, use)


def search(page: Page, words: str) -> None:
    """Count a search for a passage as a question of this minute. Raises LimitError and LinkError.

    The caps of a link count questions that are answered, so no search is taken from them.
    """
    limits = page.engine.environment.limits
    if len(words) > limits.question_characters:
        raise LimitError(
            f"The question has {len(words):,} characters, and the limit is "
            f"{limits.question_characters:,}. Shorten it."
        )
    still_open(page)
    browser = hashlib.sha256(page.secret.encode()).hexdigest()
    resources.rates().take(
        (f"browser {browser}", limits.questions_per_minute, "this browser"),
        (f"address {access.client_address()}", limits.address_per_minute, "your network address"),
    )


def still_open(page: Page) -> None:
    """Raises LinkError where the reader came by a link that opens nothing any more.

    Callbacks and fragments run without the page's first lines, so the link is looked up again: it may
    have ended since.
    """
    if page.visit is not None:
        links = resources.links()
        links.prototype(links.resolve(page.visit.token, "prototype"))


def give_back(allowance: Allowance) -> None:
    """Nothing came of the question: it does not count against its link."""
    if allowance.use is not None:
        resources.engine().store.gate.give_back(allowance.use)


def left(page: Page) -> None:
    """How many questions the link still allows, where it counts them. Draw it under the input."""
    if page.visit is None:
        return
    rest = resources.links().left(page.visit.link, page.visit.visitor)
    if rest is not None and rest <= 10:
        st.caption(f"{rest} question{'' if rest == 1 else 's'} left under this link.")
