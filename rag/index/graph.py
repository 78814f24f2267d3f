"""A copy of the last whole graph, for Chroma saves the graph in place.

Chroma keeps every write in a log in SQLite, and now and then saves the graph: it writes
over the four files of hnswlib, then over its own ``index_metadata.pickle``, then notes
in SQLite (``max_seq_id``) up to where in the log the graph goes, and at last deletes the
log up to there. A process that dies while the files are written leaves a collection that
never opens again (seen with Chroma 1.5.9 by killing writers).

But until the note is made, the old files and the log together still hold everything. So
:func:`keep` copies the files, once after every saving and before anything more is written;
and where the files changed but the note did not, :func:`mend` puts the copy back. Files are
always written over, never replaced: another process may have them open.

Both are called with the lock on writing held. They cost a second copy of the graph on
disk (1.7 KB a chunk at 384 dimensions) and the time to make it (15 ms for 20,000 chunks,
every thousand).
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

_PICKLE = "index_metadata.pickle"
_FILES = ("header.bin", "data_level0.bin", "length.bin", "link_lists.bin", _PICKLE)
_KEPT = "kept"
_SIGNATURE = "signature.json"
_SEGMENT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_POSITION = """
    SELECT segments.id, coalesce(max_seq_id.seq_id, 0)
    FROM segments LEFT JOIN max_seq_id ON max_seq_id.segment_id = segments.id
    WHERE segments.scope = 'VECTOR' AND segments.collection = ?
"""


def keep(folder: Path, collection: str) -> None:
    """Copy the graph of a collection (its id) unless the copy is of this saving already."""
    segment, position = _position(folder, collection)
    if not position:
        return  # never saved: all of it is in the log
    kept = folder / _KEPT / segment
    copy = kept / str(position)
    if copy.is_dir():
        return
    new = kept / "new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    live = folder / segment
    for name in _FILES:
        if (live / name).exists():
            shutil.copyfile(live / name, new / name)
    _sign(live, new)
    new.rename(copy)
    for other in kept.iterdir():
        if other != copy:
            shutil.rmtree(other, ignore_errors=True)


def mend(folder: Path, collection: str) -> bool:
    """Undo a saving that was cut short; whether there was one."""
    segment, position = _position(folder, collection)
    live = folder / segment
    if not position:
        # Without its pickle Chroma takes no notice of the other files and starts from the log.
        torn = bool(segment) and (live / _PICKLE).exists()
        if torn:
            (live / _PICKLE).unlink()
        return torn
    copy = folder / _KEPT / segment / str(position)
    try:
        signature = json.loads((copy / _SIGNATURE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return False
    if signature == _signature(live):
        return False
    live.mkdir(exist_ok=True)
    for name in _FILES:
        if (copy / name).exists():
            shutil.copyfile(copy / name, live / name)
    _sign(live, copy)
    return True


def elements(folder: Path, collection: str) -> int:
    """Elements of the saved graph, those marked as deleted included; 0 where none is saved.

    ``header.bin`` is hnswlib's: a version (4 bytes), then the offset of level 0, the room
    and the elements (8 bytes each, little-endian).
    """
    segment, _ = _position(folder, collection)
    try:
        version, _, room, used = struct.unpack_from("<i3Q", (folder / segment / "header.bin").read_bytes())
    except (OSError, struct.error):
        return 0
    return int(used) if segment and version == 1 and used <= room else 0


def discard(folder: Path) -> None:
    """Delete the graphs of collections that are gone; Chroma leaves their files behind."""
    with closing(_database(folder)) as database:
        present = {row[0] for row in database.execute("SELECT id FROM segments")}
    for parent in (folder, folder / _KEPT):
        for path in list(parent.iterdir()) if parent.is_dir() else []:
            if _SEGMENT.fullmatch(path.name) and path.name not in present:
                shutil.rmtree(path, ignore_errors=True)


def position(folder: Path, collection: str) -> int:
    """Up to where in the log the saved graph of a collection goes; 0 where none is saved."""
    return _position(folder, collection)[1]


def disk(folder: Path, collection: str) -> int:
    """Bytes of a collection's graph, of the copy, and of its share of the database by its records."""
    segment, _ = _position(folder, collection)
    graphs = [folder / segment, folder / _KEPT / segment] if segment else []
    size = sum(f.stat().st_size for graph in graphs for f in graph.rglob("*") if f.is_file())
    with closing(_database(folder)) as database:
        own, everything = database.execute(
            "SELECT count(*) FILTER (WHERE segment_id IN (SELECT id FROM segments WHERE collection = ?)), "
            "count(*) FROM embeddings",
            (collection,),
        ).fetchone()
    whole = sum(f.stat().st_size for f in folder.glob("chroma.sqlite3*"))
    return size + (whole * int(own) // int(everything) if everything else 0)


def _position(folder: Path, collection: str) -> tuple[str, int]:
    with closing(_database(folder)) as database:
        row = database.execute(_POSITION, (collection,)).fetchone()
    return (str(row[0]), int(row[1])) if row else ("", 0)


def _database(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "chroma.sqlite3", timeout=30)


def _signature(live: Path) -> dict[str, list[int]]:
    found = {}
    for name in _FILES:
        try:
            status = (live / name).stat()
        except OSError:
            continue
        found[name] = [status.st_size, status.st_mtime_ns]
    return found


def _sign(live: Path, copy: Path) -> None:
    new = copy / f"{_SIGNATURE}.new"
    new.write_text(json.dumps(_signature(live)), encoding="ascii")
    new.replace(copy / _SIGNATURE)
