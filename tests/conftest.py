"""An engine over a fake model, and the small things that many tests ask for."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from rag.config import Environment
from rag.engine import Engine
from tests.fakes import FakeEmbedder

# The browser tests need what .ci/run installs; a fresh clone passes without them.
collect_ignore = [] if importlib.util.find_spec("playwright") else ["browser"]

ROOT = Path(__file__).resolve().parent.parent

FILES: Mapping[str, str] = {
    "bees.md": "# Bees\n\nA hive holds one queen. Workers live for six weeks in summer.\n\n"
    "## Honey\n\nHoney is nectar that bees have dried with their wings. It keeps for years.\n",
    "trains.txt": "The night train leaves Vienna at ten. It reaches Venice at eight in the morning.\n",
    "tea/green.txt": "Green tea is steamed soon after picking. Water of eighty degrees brews it best.\n",
}
"""Three documents about nothing in common."""

WriteFiles = Callable[..., Path]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the default model is prepared, once for all tests (it takes a few seconds)."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def new_engine(home: Path) -> Callable[[], Engine]:
    """Engines on the same folder, each with its own fake model, as processes would have them."""
    return lambda: Engine(Environment(home=home), load_model=FakeEmbedder)


@pytest.fixture
def engine(new_engine: Callable[[], Engine]) -> Engine:
    return new_engine()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with ``FILES``."""
    return write_files(tmp_path / "docs", FILES)


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write texts or bytes under a folder, and return it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder
