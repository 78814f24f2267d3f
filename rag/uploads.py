"""Uploaded files, kept under the data folder so that a re-index of their prototype finds them.

A name comes from a browser and is not to be trusted: it is cleaned, and one that climbs out
of the folder is refused. A file is written beside its place under a hidden folder, brought
to the disk, and moved; whoever reads sees the old one whole, the new one whole, or none.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from rag.errors import ReadError, StoreError
from rag.readers import SUFFIXES

_BLOCK = 1 << 20
_LONGEST = 200
"""Bytes of one part of a name: file systems take 255, and a suffix may come on top."""
_DEEPEST = 20
_INCOMING = ".incoming"
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*]+')
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


class Skipped(ReadError):
    """A file that is not stored because no reader would handle it."""


def safe_name(name: str) -> str:
    """The relative path under which an upload is stored.

    Raises :class:`ReadError` for one that climbs out of the folder or names nothing,
    :class:`Skipped` for a hidden file or one of a type that is not read.
    """
    shown = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode("utf-8", "replace"))
    parts = [part for part in re.split(r"[/\\]+", shown) if part not in ("", ".")]
    if parts and re.fullmatch("[A-Za-z]:", parts[0]):
        parts = parts[1:]
    if ".." in parts:
        raise ReadError("The name climbs out of its folder. Rename the file, or upload it by itself.")
    cleaned = [_part(part) for part in parts]
    if not cleaned or not all(cleaned) or len(cleaned) > _DEEPEST:
        raise ReadError("The name cannot be used. Rename the file.")
    if any(part.startswith(".") for part in cleaned):
        raise Skipped("Hidden files are passed over.")
    if PurePosixPath(cleaned[-1]).suffix.lower() not in SUFFIXES:
        raise Skipped(f"Files of this type are not read; these are: {' '.join(SUFFIXES)}.")
    return "/".join(cleaned)


def _part(part: str) -> str:
    """One part of a name as every file system takes it."""
    part = _UNSAFE.sub("_", part).strip(" ").rstrip(".")
    if _DEVICES.fullmatch(part):
        part = f"_{part}"
    stem, dot, suffix = part.rpartition(".")
    if not dot or len(suffix) > 20:
        stem, dot, suffix = part, "", ""
    while len(f"{stem}{dot}{suffix}".encode()) > _LONGEST:
        stem = stem[:-1]
    return f"{stem}{dot}{suffix}"


class Uploads:
    """The uploaded files of one prototype, in ``folder``."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder = folder
        self._max_bytes = max_bytes

    def store(self, name: str, content: bytes | BinaryIO, job_id: str) -> None:
        """Store a file under a name that :func:`safe_name` gave, in the place of one of that name.

        Raises :class:`ReadError` for an empty one, one over the limit, or an upload that broke off,
        :class:`StoreError` where the disk refuses.
        """
        target = self.folder / name
        incoming = self.folder / _INCOMING / job_id
        try:
            incoming.mkdir(parents=True, exist_ok=True)
            temporary = incoming / "file"
            with open(temporary, "wb") as file:
                size = self._copy(content, file)
                file.flush()
                os.fsync(file.fileno())
            if size == 0:
                raise ReadError("The file is empty.")
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(target)
        except (IsADirectoryError, NotADirectoryError, FileExistsError):
            raise ReadError(
                "A folder of that name is stored already, or a file of its folder's. Rename it."
            ) from None
        except OSError as error:
            raise StoreError(
                f"The file could not be stored ({error.strerror or error}). Check the free space and the "
                "rights of THUMBPRINT_HOME."
            ) from error

    def _copy(self, content: bytes | BinaryIO, file: BinaryIO) -> int:
        size = 0
        for block in _blocks(content):
            size += len(block)
            if size > self._max_bytes:
                raise ReadError(
                    f"It has more than {self._max_bytes / 1_000_000:g} MB, which is the limit. Split it, or "
                    "raise THUMBPRINT_MAX_FILE_MB."
                )
            file.write(block)
        return size

    def settle(self, job_id: str) -> None:
        """Bring the folder itself to the disk, and put away what the storing needed."""
        shutil.rmtree(self.folder / _INCOMING / job_id, ignore_errors=True)
        for folder in (self.folder, *(p for p in self.folder.rglob("*") if p.is_dir())):
            try:
                descriptor = os.open(folder, os.O_RDONLY)
            except OSError:
                continue  # no system but Unix opens folders
            try:
                os.fsync(descriptor)
            except OSError:
                pass
            finally:
                os.close(descriptor)

    def sweep(self, alive: Callable[[str], bool]) -> None:
        """Delete what uploads of killed processes left half way."""
        for left in (self.folder / _INCOMING).glob("*"):
            if not alive(left.name):
                shutil.rmtree(left, ignore_errors=True)

    def set_aside(self) -> Path | None:
        """Move the files to where no prototype looks; where that is, or None where there are none.

        Raises :class:`StoreError` where the disk refuses.
        """
        self.sweep(lambda job_id: False)
        if not any(path.is_file() for path in self.folder.rglob("*")):
            return None
        # No prototype has a dot in its name.
        names = (f"{self.folder.name}.old{f'-{n}' if n > 1 else ''}" for n in itertools.count(1))
        target = next(path for path in map(self.folder.with_name, names) if not path.exists())
        try:
            self.folder.rename(target)
        except OSError as error:
            raise StoreError(
                f"The uploaded files in {self.folder} could not be moved aside ({error.strerror or error}). "
                "Move them to another place yourself, and try again."
            ) from error
        return target

    def has(self, name: str) -> bool:
        return (self.folder / name).is_file()

    def beside(self, name: str) -> list[str]:
        """The files in the folder of a stored one, and below it."""
        folder = (self.folder / name).parent
        return [
            path.relative_to(self.folder).as_posix()
            for path in folder.rglob("*")
            if path.is_file()
            and not any(part.startswith(".") for part in path.relative_to(self.folder).parts)
        ]

    def remove(self, names: Iterable[str]) -> None:
        """Delete stored files, and folders that are empty then."""
        for name in names:
            path = self.folder / name
            path.unlink(missing_ok=True)
            for folder in list(path.parents)[: len(PurePosixPath(name).parts) - 1]:
                try:
                    folder.rmdir()
                except OSError:
                    break

    def size(self) -> int:
        """Bytes of all stored files."""
        return folder_size(self.folder)


def folder_size(folder: Path) -> int:
    """Bytes of all files below a folder. What goes while it is looked at counts nothing."""
    total = 0
    for at, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(at, name)).st_size
    return total


def _blocks(content: bytes | BinaryIO) -> Iterable[bytes]:
    if isinstance(content, bytes | bytearray | memoryview):
        yield bytes(content)
        return
    try:
        if content.seekable():
            content.seek(0)  # whoever looked into it left it elsewhere
        while block := content.read(_BLOCK):
            yield block
    except (OSError, ValueError) as error:
        raise ReadError(f"The upload broke off ({error}). Upload the file again.") from error
