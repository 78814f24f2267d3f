"""Which collection of a prototype is in force: a small record on disk, replaced as a whole.

A re-index builds another collection beside the one in force and then writes this record;
whoever reads it sees the old one or the new one. It also names what lies about: a
collection in the making, or one that was replaced and is not deleted yet. Whoever writes
next deletes those, unless somebody is still at it, who holds ``lock``.

Without a record the collection is the one that the prototype's settings name.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from filelock import FileLock

from rag.config import Settings
from rag.disk import replace_file
from rag.errors import IndexingError
from rag.prototypes import Prototype

Wish: TypeAlias = tuple[str, int]
"""An embedding model, and the most tokens of a section."""


@dataclass(frozen=True, slots=True)
class Live:
    """The collection in force, what it was built with, and what the settings asked for then.

    While they ask for the same, a re-index with other settings than theirs stays in force.
    ``others`` are collections to be deleted, each with the dimensions of its vectors.
    """

    collection: str
    model: str
    section_tokens: int
    asked: Wish
    others: tuple[tuple[str, int], ...] = ()

    def applied(self, prototype: Prototype) -> Prototype:
        """The prototype with the settings that its index was built with."""
        settings = replace(prototype.settings, embedding_model=self.model, section_tokens=self.section_tokens)
        return prototype if settings == prototype.settings else replace(prototype, settings=settings)


def wish(settings: Settings) -> Wish:
    """What the settings say of the index."""
    return settings.embedding_model, settings.section_tokens


class LiveRecord:
    """The record of one prototype, in ``home``."""

    def __init__(self, home: Path, name: str) -> None:
        self.path = home / "live" / f"{name}.json"
        self._known: tuple[tuple[int, ...], Live | None] = ((), None)

    @property
    def lock(self) -> FileLock:
        """Held by whoever builds a collection, or deletes one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(self.path.with_suffix(".lock"), timeout=0, thread_local=False)

    def read(self) -> Live | None:
        """The record, or None where there is none. A look at the file when nothing changed.

        Raises :class:`IndexingError` where it is damaged: guessing would ask another index.
        """
        try:
            found = self.path.stat()
            seen = (found.st_mtime_ns, found.st_ino, found.st_size)
            if self._known[0] != seen:
                self._known = (seen, _decode(json.loads(self.path.read_text(encoding="utf-8"))))
            return self._known[1]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IndexingError(
                f"The record of the index in force, live/{self.path.name} in THUMBPRINT_HOME, cannot be "
                "read. Restore it from a copy, or delete it and ingest again."
            ) from error

    def write(self, live: Live) -> None:
        replace_file(
            self.path,
            json.dumps(
                {
                    "collection": live.collection,
                    "model": live.model,
                    "section_tokens": live.section_tokens,
                    "asked": list(live.asked),
                    "others": [list(other) for other in live.others],
                }
            ),
        )


def _decode(value: Any) -> Live:
    return Live(
        collection=str(value["collection"]),
        model=str(value["model"]),
        section_tokens=int(value["section_tokens"]),
        asked=(str(value["asked"][0]), int(value["asked"][1])),
        others=tuple((str(name), int(dimensions)) for name, dimensions in value["others"]),
    )
