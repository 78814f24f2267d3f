"""The app over the fake engine, for ``streamlit run``: the one seam is replaced, then app.py runs."""

import os
import runpy
import sys
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from pages.ui import resources  # noqa: E402
from tests.fakes import FakeEngine  # noqa: E402


@st.cache_resource(show_spinner=False)
def engine() -> FakeEngine:
    return FakeEngine(Path(os.environ["THUMBPRINT_HOME"]))


resources.engine = engine
runpy.run_path(str(ROOT / "app.py"), run_name="__main__")
