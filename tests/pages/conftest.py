"""The pages over a fake engine: the one seam that is replaced is ``resources``."""

from __future__ import annotations

from pathlib import Path

import pytest
from page_steps import SECRET, OpenApp, run
from streamlit.testing.v1 import AppTest

from pages.ui import resources
from pages.ui.writing import Writings
from tests.fakes import FakeEngine

ROOT = Path(__file__).parents[2]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """A fresh engine, and fresh answers in the making, under the page."""
    fake, writings = FakeEngine(tmp_path), Writings()
    monkeypatch.setattr(resources, "engine", lambda: fake)
    monkeypatch.setattr(resources, "writings", lambda: writings)
    return fake


@pytest.fixture
def open_app(engine: FakeEngine) -> OpenApp:
    """``open_app(prototype="wine")`` is a visit with that address by a browser with SECRET."""

    def visit(secret: str = SECRET, **address: str) -> AppTest:
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=20)
        at.session_state["browser-secret"] = secret
        for name, value in address.items():
            at.query_params[name] = value
        return run(at)

    return visit


@pytest.fixture
def open_library(engine: FakeEngine) -> OpenApp:
    """``open_library(prototype="wine")`` is a visit to the library page with that address."""

    def visit(secret: str = SECRET, **address: str) -> AppTest:
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=20)
        at.session_state["browser-secret"] = secret
        at.switch_page("pages/library.py")
        for name, value in address.items():
            at.query_params[name] = value
        return run(at)

    return visit


@pytest.fixture
def open_compare(engine: FakeEngine) -> OpenApp:
    """``open_compare(prototype="wine")`` is a visit to the compare page with that address."""

    def visit(secret: str = SECRET, **address: str) -> AppTest:
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=20)
        at.session_state["browser-secret"] = secret
        at.switch_page("pages/compare.py")
        for name, value in address.items():
            at.query_params[name] = value
        return run(at)

    return visit
