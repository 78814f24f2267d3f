"""Adding files: the zone they are dropped on, what is read, and what happens next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import frame
from pages.ui.frame import Page
from pages.ui.library_drop import drop_zone
from pages.ui.text import one_line
from rag.prototypes import Prototype

if TYPE_CHECKING:
    from rag.librarian import Librarian

KINDS = (
    "Text, Markdown, HTML, PDF, Word, PowerPoint, Excel, EPUB, e-mails, CSV, JSON Lines, and zip archives "
    "of all these"
)


def draw(page: Page, prototype: Prototype, librarian: Librarian) -> None:
    """The zone, and a few words on what becomes of the files."""
    environment = page.engine.environment
    drop_zone(prototype.name, librarian, environment.max_file_bytes, environment.limits.upload_files)
    st.markdown(
        f":material/description: **What is read:** {KINDS}. "
        "A `metadata.csv` beside the files adds facts.  \n"
        ":material/manage_search: **What happens next:** on this machine, the files are cut into sections "
        "and sentences, and indexed. You may leave this page meanwhile.  \n"
        ":material/chat: **Then** ask about them in the chat: each answer shows the sentences that it "
        "comes from."
    )
    with st.container(horizontal=True):
        frame.link(frame.CHAT, "Open the chat", ":material/arrow_forward:", here=frame.LIBRARY)
    if prototype.ready_made:
        st.caption(
            f"{prototype.icon} {one_line(prototype.title)} comes with Thumbprint. To keep your files "
            "apart from its documents, make a new prototype above first."
        )
