"""Draws the texts of a JSON file through ``plain`` and ``highlighted``, for ``streamlit run``."""

import json
import os
import sys
from pathlib import Path

import streamlit as st

sys.path.insert(0, str(Path(__file__).parents[2]))

from pages.ui.text import highlighted, plain

for text in json.loads(Path(os.environ["THUMBPRINT_HOME"], "texts.json").read_text("utf-8")):
    st.markdown(plain(text))
    st.markdown(highlighted(text, [(len(text) // 4, len(text) // 2)]))
st.text("the end")
