"""A page with the export and nothing else on it, not even the menu."""

from __future__ import annotations

import streamlit as st

from pages.ui import exporting, frame, resources

st.set_page_config(page_title="Export", layout="centered")
with frame.told():
    st.subheader("Export", anchor=False)
    exporting.draw(frame.Page(resources.engine(), resources.writings(), ""))
    frame.remembered_problem()
