"""Whether a question may be asked now: its length, how many there were, and what a link allows."""

from __future__ import annotations

import hashlib

import streamlit as st

from pages.ui import access, resources
from pages.ui.frame import Page
from rag.errors import LimitError
from rag.limits import Allowance


def admit(page: Page, question: str) -> Allowance:
    """Count the question; what its answer is charged to. Raises LimitError and LinkError.

    A callback runs before the page does, so the link is looked up again: it may have ended since.
    """
    limits = page.engine.environment.limits
    if len(question) > limits.question_characters:
        raise LimitError(
            f"The question has {len(question):,} characters, and the limit is "
            f"{limits.question_characters:,}. Shorten it."
        )
    visit = page.visit
    if visit is not None:
        resources.links().prototype(resources.links().resolve(visit.token, "prototype"))
    browser = hashlib.sha256(page.secret.encode()).hexdigest()
    resources.rates().take(
        (f"browser {browser}", limits.questions_per_minute, "this browser"),
        (f"address {access.client_address()}", limits.address_per_minute, "your network address"),
    )
    if visit is None:
        return Allowance()
    use = resources.links().admit(visit.link, visit.visitor)
    return Allowance(visit.link.id, visit.link.terms.caps.dollars, use)


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
