"""``python -m rag`` over the fake model, as a process that tests may kill.

``FAKE_DELAY`` is the seconds that a section takes. ``FAKE_KILL`` is ``place:n``: the
process kills itself the ``n``-th time that it comes to that place (see ``PLACES``).
"""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from typing import Any

from rag import cli, library
from rag.engine import Engine
from rag.index import ChunkIndex
from rag.keyword import KeywordIndex
from rag.live import LiveRecord
from tests.fakes import FakeEmbedder

PLACES: dict[str, tuple[Any, str]] = {
    "chroma": (ChunkIndex, "write"),
    "chroma-batch": (ChunkIndex, "_upsert"),
    "chroma-delete": (ChunkIndex, "_remove"),
    "keywords": (KeywordIndex, "write"),
    "file": (library, "replace_file"),
    "facts": (ChunkIndex, "set_facts"),
    "live": (LiveRecord, "write"),
    "drop": (ChunkIndex, "drop"),
}


def arm(place: str, n: int) -> None:
    """Die before the ``n``-th call, counted from 1, or after the first one where ``n`` is 0."""
    owner, name = PLACES[place]
    function, calls = getattr(owner, name), [0]

    def deadly(*args: Any, **options: Any) -> Any:
        calls[0] += 1
        if calls[0] == n:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*args, **options)
        if n == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)


if __name__ == "__main__":
    if os.environ.get("FAKE_KILL"):
        where, _, times = os.environ["FAKE_KILL"].partition(":")
        arm(where, int(times))
    delay = float(os.environ.get("FAKE_DELAY", "0"))
    cli.Engine = partial(Engine, load_model=partial(FakeEmbedder, delay=delay))  # type: ignore[misc, assignment]
    sys.exit(cli.main())
