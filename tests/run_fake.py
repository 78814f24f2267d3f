"""``python -m rag`` over the fake model, as a process that tests may kill.

``upload FOLDER PROTOTYPE`` uploads the files of a folder as the library page would.
``FAKE_DELAY`` is the seconds that a section takes. ``FAKE_KILL`` is ``place:n``: the
process kills itself the ``n``-th time that it comes to that place (see ``PLACES``).
"""

from __future__ import annotations

import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from rag import cli, library
from rag.engine import Engine
from rag.index import ChunkIndex
from rag.journal import Journal
from rag.keyword import KeywordIndex
from rag.live import LiveRecord
from rag.uploads import Uploads
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
    "store": (Uploads, "store"),
    "noted": (Journal, "add"),
    "settled": (Uploads, "settle"),
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


def upload(engine: Engine, folder: Path, name: str) -> int:
    librarian = engine.librarian(name)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    job = librarian.upload((path.relative_to(folder).as_posix(), path.read_bytes()) for path in files)
    while librarian.jobs()[0].active:
        time.sleep(0.01)
    return 0 if librarian.jobs()[0].id == job.id and librarian.jobs()[0].state == "done" else 1


if __name__ == "__main__":
    if os.environ.get("FAKE_KILL"):
        where, _, times = os.environ["FAKE_KILL"].partition(":")
        arm(where, int(times))
    delay = float(os.environ.get("FAKE_DELAY", "0"))
    cli.Engine = partial(Engine, load_model=partial(FakeEmbedder, delay=delay))  # type: ignore[misc, assignment]
    if sys.argv[1] == "upload":
        sys.exit(upload(cli.Engine(), Path(sys.argv[2]), sys.argv[3]))
    sys.exit(cli.main())
