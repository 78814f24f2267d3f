"""A project in Supabase, started once for all tests that deliver, and emptied before each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.config import Environment
from rag.store import Store, new_id
from rag.types import Answer
from tests.store.conftest import ANSWER
from tests.supabase.fault_proxy import FaultProxy, fault_proxy
from tests.supabase.servers import PUBLISHABLE, SECRET, Api, data_api, why_no_api

LATE = 1.0
"""Seconds after which a late answer comes; the tests' clients wait half of it."""


@pytest.fixture(scope="session")
def started_api() -> Iterator[Api]:
    if why_no_api():
        pytest.skip(why_no_api())
    with data_api() as api:
        yield api


@pytest.fixture
def api(started_api: Api) -> Api:
    started_api.empty()
    return started_api


@pytest.fixture
def proxy(api: Api) -> Iterator[FaultProxy]:
    with fault_proxy(api.url, slow=LATE) as proxy:
        yield proxy


@pytest.fixture
def make_answer() -> Callable[..., Answer]:
    """A full answer with a new id; keyword arguments replace fields."""
    return lambda **changes: replace(ANSWER, **{"id": new_id(), **changes})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home" / "store.db")


@pytest.fixture
def at(tmp_path: Path) -> Callable[..., Environment]:
    """What the environment says on a machine that delivers to an address."""

    def environment(url: str, *, owner: bool = False, home: str = "home") -> Environment:
        return Environment(
            home=tmp_path / home,
            supabase_url=url,
            supabase_key=PUBLISHABLE,
            supabase_secret_key=SECRET if owner else None,
        )

    return environment
