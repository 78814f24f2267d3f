"""The library page: what the index holds of a prototype's documents, and how they get there."""

from __future__ import annotations

import streamlit as st

from pages.ui import address, choice, facets, frame, preparation, selection
from pages.ui import library_adding as adding
from pages.ui import library_browse as browse
from pages.ui import library_document as document
from pages.ui import library_edit as edit
from pages.ui import library_index as index
from pages.ui import library_jobs as jobs
from pages.ui import library_making as making
from pages.ui.browser import remember
from pages.ui.library_drop import is_sending


def main() -> None:
    """Draw the page: whose documents, what goes on with them, and one of its views."""
    page = frame.open_page("Library", "🗂️", at=frame.LIBRARY, wide=True, owner=True)
    prototypes, broken = page.engine.prototypes()
    prototype = facets.unrestricted(choice.chosen(prototypes, None))
    librarian = page.engine.librarian(prototype.name)
    opened = address.get(address.DOCUMENT)
    with st.container(width=1040, key="library"):
        making.choose(page, prototypes, prototype)
        frame.notices()
        frame.remembered_problem()
        choice.problems(broken)
        jobs.draw(librarian, reports=not opened)
        ready = preparation.status(page, prototype, told=False, remark="")
        known = browse.known_facets(prototype)
        if opened:
            if ready:
                known = facets.completed(page, prototype)
            document.draw(librarian, known, opened)
        else:
            view = browse.view()
            if view == browse.ADD or is_sending(prototype.name):
                adding.draw(page, prototype, librarian)
            elif view == browse.INDEX:
                index.draw(librarian)
            else:
                selection.share()
                where = selection.selected(known)
                browse.draw(page, known, librarian, where, ready=ready)
                if ready:
                    browse.filters(page, prototype, where)
    browse.dialogs(librarian)
    edit.dialogs(librarian, known)
    remember()


with frame.told():
    main()
