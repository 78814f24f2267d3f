"""The links page: share a prototype under settings that stay, see what came of it, take it back."""

from __future__ import annotations

import streamlit as st

from pages.ui import choice, frame, links_list, links_making, resources
from pages.ui.browser import remember


def main() -> None:
    """Draw the page: make a link, the links there are, the limits in force."""
    page = frame.open_page("Links", "🔗", at=frame.LINKS, wide=True, owner=True)
    prototypes, broken = page.prototypes()
    links = page.guarded(resources.links())
    with st.container(width=860, key="links"):
        st.title("Links", anchor=False)
        links_list.where_kept(links)
        frame.notices()
        frame.remembered_problem()
        choice.problems(broken)
        links_making.draw(links, prototypes, choice.chosen(prototypes, None))
        links_list.draw(links, {p.name: p for p in prototypes})
        links_list.limits(page)
    links_list.dialogs(links)
    remember()


with frame.told():
    main()
