"""Where the files of a prototype were read from, so that a page of one can be shown again.

An index keeps the path of a file within what was ingested, and not where that lay: the same
folder may be mounted elsewhere tomorrow. So what was ingested is noted beside the index, and a file
is looked for there when somebody wants to see it. It may be gone, or be another one by then.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from rag.disk import replace_file
from rag.errors import ThumbprintError

_MOST = 100
"""Places that are remembered, the newest first."""


class Originals:
    """The places that a prototype's files were ingested from, in ``home``."""

    def __init__(self, home: Path, name: str) -> None:
        self._path = home / "originals" / f"{name}.json"
        self._uploads = home / "uploads" / name

    def remember(self, paths: Iterable[Path]) -> None:
        """Note files and folders that were ingested. That the disk refuses costs a page, and no more."""
        known = self.places()
        new = [str(path.absolute()) for path in paths]
        places = list(dict.fromkeys([*new, *map(str, known)]))[:_MOST]
        if places != list(map(str, known)):
            try:
                replace_file(self._path, json.dumps(places, ensure_ascii=False))
            except (ThumbprintError, ValueError):
                return

    def forget(self) -> None:
        """Know of no place any more."""
        self._path.unlink(missing_ok=True)

    def places(self) -> list[Path]:
        """The places as they were noted."""
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        return [Path(place) for place in found if isinstance(place, str)] if isinstance(found, list) else []

    def find(self, source: str, more: Sequence[Path] = ()) -> Path | None:
        """The file of a source that the index names; None where it is nowhere, or inside another file.

        ``more`` are further places. A source never leads out of its place.
        """
        parts = PurePosixPath(source).parts
        if not parts or ".." in parts or PurePosixPath(source).is_absolute():
            return None
        for place in (self._uploads, *more, *self.places()):
            try:
                root = place.resolve()
                if root.is_file() and len(parts) == 1 and root.name == parts[0]:
                    return root
                path = root.joinpath(*parts).resolve()
                if path.is_file() and path.is_relative_to(root):
                    return path
            except (OSError, ValueError, RuntimeError):
                continue
        return None
