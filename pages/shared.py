"""One conversation, read only, for who has its link: its questions, answers, citations and evidence."""

from __future__ import annotations

import streamlit as st

from pages.ui import address, frame, reading, resources, visit
from pages.ui.browser import remember
from rag.errors import LinkError


def main() -> None:
    """Draw the conversation that the link leads to, or say why there is none."""
    frame.open_page("Shared conversation", "💬", at=frame.SHARED)
    try:
        link = visit.open_link(address.get(address.LINK) or "", "conversation")
        answers = resources.links().conversation(link)
    except LinkError as error:
        visit.refused(str(error))
    st.title("A shared conversation", anchor=False)
    reading.draw(link.prototype, answers)
    remember()


with frame.told():
    main()
