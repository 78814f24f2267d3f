"""The one seam of the app, replaced: a page of this folder runs the real one over the fake engine."""

import os
import runpy
import sys
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))

from pages.ui import access, resources  # noqa: E402
from rag.config import Environment  # noqa: E402
from rag.engine import Engine  # noqa: E402
from tests.fakes import FakeEmbedder, FakeEngine  # noqa: E402


@st.cache_resource(show_spinner=False)
def engine() -> FakeEngine | Engine:
    """``FAKE_DELAY`` is the seconds that a word of an answer, or a file, takes.

    ``FAKE_MODEL`` set: the real engine over the fake model, for libraries made of its vectors.
    """
    if os.environ.get("FAKE_MODEL"):
        return Engine(load_model=FakeEmbedder)
    made = FakeEngine(Path(os.environ["THUMBPRINT_HOME"]), delay=float(os.environ.get("FAKE_DELAY", "0")))
    made.environment = Environment.load()
    return made


def run(script: str) -> None:
    """Every browser is the owner's, for most tests are about what stands behind the guard; not so
    with ``FAKE_GUARD``."""
    resources.engine = engine
    if not os.environ.get("FAKE_GUARD"):
        access.is_owner = lambda: True
    runpy.run_path(str(ROOT / script), run_name="__main__")
