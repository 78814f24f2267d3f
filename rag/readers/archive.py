"""Zip archives: each member of a kind that is read is a file ``archive.zip/its path``.

Nothing is written to disk. What is wrong with a member costs that member only. An archive
inside an archive is refused: one level holds what people pack, and bounds what a file can
unpack to. Members that are hidden, links, or of other kinds are passed over, as in a folder.
"""

from __future__ import annotations

import re
import stat
import unicodedata
import zipfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from rag.errors import ReadError
from rag.readers import read_bytes
from rag.readers.failures import shortened
from rag.readers.files import check_size
from rag.readers.kinds import SUFFIXES
from rag.readers.options import ReadOptions, ReadResult
from rag.readers.sidecar import inherited, read_sidecars
from rag.readers.zips import MALFORMED_ZIP, UNPACKED, is_encrypted, member_name, open_zip
from rag.types import Document, Metadata, ReadFailure

_RATIO = 200
_RATIO_FROM = 1_000_000
"""A member of more bytes than this that packs better than ``_RATIO`` to one is made to burst:
text packs three to ten to one, logs up to fifty (DEFLATE ends at a thousand)."""
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2})
"""What is unpacked. LZMA is not: a member may ask for gigabytes to unpack a few bytes."""
_DRIVE = re.compile("[A-Za-z]:")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


@dataclass(slots=True)
class _Members:
    """The members to read, by path, and every path that the archive has a file at."""

    files: dict[str, zipfile.ZipInfo] = field(default_factory=dict)
    paths: set[str] = field(default_factory=set)
    failures: list[ReadFailure] = field(default_factory=list)


def read_zip(data: bytes, source: str, options: ReadOptions) -> ReadResult:
    """The documents of all members, in order of their paths, metadata of sidecars included.

    Raises ``ReadError`` for an archive that is damaged, inside another, or holds nothing to read.
    """
    if "zip" in options.within:
        raise ReadError("This is an archive inside an archive, which is not opened. Unpack the outer one.")
    try:
        archive = open_zip(data)
    except MALFORMED_ZIP as error:
        raise ReadError("This is an archive (zip) that is damaged or cut short.") from error
    with archive:
        return _read(archive, source, options)


def _read(archive: zipfile.ZipFile, source: str, options: ReadOptions) -> ReadResult:
    members = _members(archive, source)
    if not members.files and not members.failures:
        raise ReadError(_nothing(members))
    sidecars = read_sidecars(
        members.files.keys(),
        lambda path: _checked(archive, members.files[path], options.max_bytes),
        members.paths.__contains__,
        prefix=f"{source}/",
    )
    failures = [*members.failures, *sidecars.failures]
    documents: list[Document] = []
    room = UNPACKED * options.max_bytes
    for path in sorted(members.files.keys() - sidecars.names):
        inside = _options(options, sidecars.declared.get(path, {}))
        try:
            member = members.files[path]
            _check(member, options.max_bytes)
            room -= member.file_size
            if room < 0:
                failures.insert(0, _too_much(source, path, options))
                break
            content = _unpack(archive, member)
        except ReadError as error:
            failures.append(ReadFailure(f"{source}/{path}", str(error)))
            continue
        result = read_bytes(content, f"{source}/{path}", inside)
        documents += result.documents
        failures += result.failures
    return ReadResult(tuple(documents), shortened(failures, source))


def _options(options: ReadOptions, declared: Metadata) -> ReadOptions:
    """Those of a member: what a sidecar in the archive declares wins over one beside it."""
    return replace(
        options,
        declared={**inherited(options.declared), **declared},
        within=(*options.within, "zip"),
    )


def _members(archive: zipfile.ZipFile, source: str) -> _Members:
    members = _Members()
    paths = [_path(member) for member in archive.infolist()]
    times = Counter(paths)
    for member, path in zip(archive.infolist(), paths, strict=True):
        if path.endswith("/") or stat.S_ISLNK(member.external_attr >> 16):
            continue
        parts = PurePosixPath(path).parts
        times[path] -= 1
        if any(part.startswith((".", "__MACOSX")) and part != ".." for part in parts):
            continue
        members.paths.add(path)
        if PurePosixPath(path).suffix.lower() not in SUFFIXES:
            continue
        shown = f"{source}/{path.lstrip('/')}"
        if path.startswith("/") or ".." in parts or _DRIVE.match(path):
            error = "Its path leads out of the archive, so it was not read. Pack it again from its folder."
            members.failures.append(ReadFailure(shown, error))
        elif times[path]:  # unpacking would leave the last one
            error = "The archive has another member of this name further down, which was read instead."
            members.failures.append(ReadFailure(shown, error))
        else:
            members.files[path] = member
    return members


def _path(member: zipfile.ZipInfo) -> str:
    """The path of a member as it is shown: with forward slashes, and printable."""
    name = member_name(member).replace("\\", "/")
    name = unicodedata.normalize("NFC", _UNPRINTABLE.sub(" ", name))
    return name.removeprefix("./").encode("utf-8", "replace").decode()


def _check(member: zipfile.ZipInfo, max_bytes: int) -> None:
    """Raise ``ReadError`` for a member that cannot or should not be unpacked."""
    if is_encrypted(member):
        raise ReadError("The member is protected by a password. Unpack it, or pack it without one.")
    if member.compress_type not in _METHODS:
        raise ReadError(
            "The member is packed by a method that is not read. Pack it again as an ordinary zip."
        )
    check_size(member.file_size, max_bytes)
    if member.file_size > max(_RATIO_FROM, _RATIO * member.compress_size):
        raise ReadError(
            f"The member would unpack from {member.compress_size:,} to {member.file_size:,} bytes, as only "
            "files made to burst do; it was not read."
        )


def _checked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, max_bytes: int) -> bytes:
    _check(member, max_bytes)
    return _unpack(archive, member)


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """The bytes of a member, never more than it declares. Raises ``ReadError``."""
    try:
        return archive.read(member)
    except MALFORMED_ZIP:
        raise ReadError("The member is damaged and could not be unpacked.") from None


def _too_much(source: str, path: str, options: ReadOptions) -> ReadFailure:
    limit = UNPACKED * options.max_bytes
    return ReadFailure(
        source,
        f'The archive unpacks to more than {limit:,} bytes; from "{path}" on its members were not read. '
        "Split it.",
    )


def _nothing(members: _Members) -> str:
    if not members.paths:
        return "The archive is empty."
    kinds = sorted({PurePosixPath(path).suffix.lower() or path for path in members.paths})
    return f"The archive holds no file of a type that is read, only these: {' '.join(kinds[:20])}."
