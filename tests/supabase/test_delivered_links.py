"""Links that were delivered are found again without the disk they were made on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from rag.config import Environment
from rag.delivery import Delivery
from rag.errors import LinkError
from rag.links import Links
from rag.types import LinkCaps
from tests.fakes import FakeEngine
from tests.supabase.servers import Api

At = Callable[..., Environment]


def engine_at(home: Path, environment: Environment) -> FakeEngine:
    engine = FakeEngine(home)
    engine.environment = environment
    return engine


def deliver(engine: FakeEngine, environment: Environment) -> None:
    """One call, as the command line makes it."""
    delivery = Delivery(lambda: engine.store, environment)
    delivery.deliver()
    delivery.stop()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def test_a_link_lives_through_a_wiped_disk_and_is_revoked_from_elsewhere(
    api: Api, at: At, tmp_path: Path, stack: ExitStack
) -> None:
    environment = at(api.url, owner=True)
    engine = engine_at(tmp_path / "one", environment)
    links = stack.enter_context(closing(Links.of(engine)))
    made, token = links.create("wine", label="For Ann", password="open sesame", caps=LinkCaps(day=5))
    deliver(engine, environment)

    other = engine_at(tmp_path / "two", environment)
    there = stack.enter_context(closing(Links.of(other)))
    found = there.resolve(token, "prototype")

    assert (found.id, found.terms, found.kept) == (made.id, made.terms, "supabase")
    assert abs(found.created - made.created) < 1e-3
    assert there.prototype(found).settings.values == made.terms.settings
    assert [report.link.id for report in there.reports()] == [made.id]

    there.revoke(made.id)
    deliver(other, environment)

    again = stack.enter_context(closing(Links.of(engine)))  # it remembers nothing
    with pytest.raises(LinkError, match="taken back"):
        again.resolve(token, "prototype")


def test_only_the_owners_key_reads_links(api: Api, at: At, tmp_path: Path) -> None:
    without = engine_at(tmp_path / "one", at(api.url))
    assert Links.of(without).kept_in == "machine"
