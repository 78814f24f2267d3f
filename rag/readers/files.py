"""Files under the paths that a person names, each with the source that it is known by."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from rag.errors import ReadError
from rag.readers.kinds import SUFFIXES
from rag.readers.options import MAX_BYTES
from rag.readers.sidecar import Sidecars, is_sidecar_name, read_sidecars
from rag.types import Metadata, ReadFailure


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """``files`` are (path, source), in the order of the paths given and sorted inside each.

    ``skipped`` are the sources of files in folders that no reader handles, or that are links
    out of their folder: not failures, but worth saying. Hidden ones are not listed.
    ``declared`` is what sidecars say of the files, by source; the sidecars are not among them,
    and what is wrong with one is in ``sidecar_failures``: it hides no file.
    """

    files: tuple[tuple[Path, str], ...]
    failures: tuple[ReadFailure, ...]
    skipped: tuple[str, ...]
    declared: Mapping[str, Metadata] = field(default_factory=dict)
    sidecar_failures: tuple[ReadFailure, ...] = ()


def find_files(paths: Sequence[Path], max_bytes: int = MAX_BYTES) -> FoundFiles:
    """The files that can be read under files and folders, folders recursively.

    A source is the path relative to the folder that was given, with forward slashes, or the
    file's name. Hidden files and folders are passed over, unless they are named themselves;
    links are followed to files inside the folder only. A path that does not exist, a named
    file of an unknown type, a folder that cannot be listed, and a second file of the same
    source are failures. A file reached twice is found once.

    A sidecar describes the files of its folder, whether that was given, or they were one by
    one. One of more than ``max_bytes`` is a failure.
    """
    failures: list[ReadFailure] = []
    skipped: list[str] = []
    folders: dict[tuple[Path, bool], dict[str, Path]] = {}
    """Files by their paths relative to a folder, which was walked or of which some are named."""
    order: list[tuple[tuple[Path, bool], str]] = []

    def add(folder: Path, walked: bool, path: Path, source: str) -> None:
        folders.setdefault((folder, walked), {}).setdefault(source, path)
        order.append(((folder, walked), source))

    for path in map(Path, paths):
        shown = _printable(str(path))
        try:
            if path.is_dir():
                for found in _walk(path, failures, skipped):
                    add(path, True, found, _source(found.relative_to(path)))
            elif not path.exists():
                failures.append(ReadFailure(shown, "There is no such file or folder."))
            elif not path.is_file():
                failures.append(ReadFailure(shown, "This is neither a file nor a folder."))
            elif path.suffix.lower() not in SUFFIXES:
                known_types = " ".join(SUFFIXES)
                failures.append(
                    ReadFailure(shown, f"Files of this type are not read; these are: {known_types}.")
                )
            else:
                add(path.parent, False, path, _source(PurePath(path.name or path.resolve().name)))
        except (OSError, ValueError) as error:  # not permitted, a name too long, a NUL in it
            failures.append(ReadFailure(shown, f"The path could not be opened: {_reason(error)}."))
    sidecars = {key: _sidecars(*key, found, max_bytes) for key, found in folders.items()}
    files: dict[str, Path] = {}
    declared: dict[str, Metadata] = {}
    for key, source in order:
        path = folders[key][source]
        if source in sidecars[key].names:
            continue
        if source not in files:
            files[source] = path
            declared.update(
                {source: sidecars[key].declared[source]} if source in sidecars[key].declared else {}
            )
        elif files[source].resolve() != path.resolve():
            failures.append(
                ReadFailure(
                    _printable(str(path)),
                    f'Another file is already called "{source}"; ingest the folder above both, or rename it.',
                )
            )
    found_files = tuple((path, source) for source, path in files.items())
    said = tuple(failure for one in sidecars.values() for failure in one.failures)
    return FoundFiles(found_files, tuple(failures), tuple(skipped), declared, said)


def _sidecars(folder: Path, walked: bool, files: Mapping[str, Path], max_bytes: int) -> Sidecars:
    """What the sidecars of a folder declare. Of one that nobody named, only what concerns the files."""
    beside = {} if walked else {name: folder / name for name in _beside(folder)}
    found = {**beside, **files}

    def exists(source: str) -> bool:
        try:
            return (folder / source).exists()
        except (OSError, ValueError):
            return False

    sidecars = read_sidecars(found, lambda source: load_bytes(found[source], max_bytes), exists)
    named = tuple(f for f in sidecars.failures if f.path.partition(", line ")[0] in files)
    return replace(sidecars, failures=named)


def _beside(folder: Path) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if is_sidecar_name(name)]
    except OSError:
        return []


def load_bytes(path: Path, max_bytes: int) -> bytes:
    """The bytes of a file, none of them read where they are too many. Raises ``ReadError``."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            check_size(size, max_bytes)
            return file.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        raise ReadError(f"The file could not be opened: {_reason(error)}.") from error


def check_size(size: int, max_bytes: int) -> None:
    """Raise ``ReadError`` for a file that is empty or over the limit."""
    if size == 0:
        raise ReadError("The file is empty.")
    if size > max_bytes:
        raise ReadError(
            f"The file has {size:,} bytes; the limit is {max_bytes:,}. Split it, or raise the limit."
        )


def _walk(root: Path, failures: list[ReadFailure], skipped: list[str]) -> Iterator[Path]:
    """Files in order of their relative paths, case and all, folder by folder."""
    real_root = root.resolve()

    def unlisted(error: OSError) -> None:
        where = _printable(str(error.filename or root))
        failures.append(ReadFailure(where, f"The folder could not be listed: {_reason(error)}."))

    found: list[Path] = []
    for folder, folders, names in os.walk(root, onerror=unlisted, followlinks=False):
        folders[:] = [name for name in folders if not name.startswith(".")]
        here = Path(folder)
        found += [here / name for name in (*names, *folders) if not name.startswith(".")]
    for path in sorted(found, key=lambda path: path.relative_to(root).parts):
        source = _source(path.relative_to(root))
        try:
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                target = path.resolve()
                # A folder inside is walked where it really is; following links to it could go in circles.
                inside = target.is_relative_to(real_root)
                if not inside or not target.is_file():
                    if not (inside and target.is_dir()):
                        skipped.append(source)
                    continue
            elif not stat.S_ISREG(mode):
                if not stat.S_ISDIR(mode):
                    skipped.append(source)
                continue
        except (OSError, RuntimeError) as error:  # gone meanwhile; a circle of links
            failures.append(ReadFailure(source, f"The file could not be opened: {_reason(error)}."))
            continue
        if path.suffix.lower() in SUFFIXES:
            yield path
        else:
            skipped.append(source)


def _source(relative: PurePath) -> str:
    return _printable(relative.as_posix())


def _printable(name: str) -> str:
    """The name without bytes that are no UTF-8, which no database takes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    return " ".join(str(error).split())[:200]
