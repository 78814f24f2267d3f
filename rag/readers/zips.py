"""Zip containers: archives of files, and the formats that are one (Office, EPUB).

What a member unpacks to is bounded by what the archive declares, for reading stops there;
so declared sizes are enough to refuse what is made to burst.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from rag.errors import ReadError

MALFORMED_ZIP = (
    zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError, LookupError,
    NotImplementedError, RuntimeError,
)  # fmt: skip
"""What ``zipfile`` raises on malformed files."""

UNPACKED = 4
"""A file may unpack to this many times the limit for files: a parsed part costs memory again."""
_XML_UNPACKED = 2
_XML = (".xml", ".rels", ".xhtml", ".html", ".htm", ".opf", ".ncx")

MAX_MEMBERS = 100_000
"""Each costs a kilobyte before anything is read, and fifty bytes in the file."""

_UTF8 = 0x800
_CENTRAL, _LOCAL = b"PK\x01\x02", b"PK\x03\x04"


def open_zip(data: bytes) -> zipfile.ZipFile:
    """The archive in these bytes.

    Raises what is in ``MALFORMED_ZIP``, and ``ReadError`` for too many members.
    """
    if data.count(_CENTRAL) > MAX_MEMBERS:
        raise ReadError(f"The archive has more than {MAX_MEMBERS:,} members. Split it, or unpack it.")
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except UnicodeDecodeError:  # for one such name, zipfile would refuse the whole archive
        return zipfile.ZipFile(io.BytesIO(_without_false_utf8(data)))


def member_name(member: zipfile.ZipInfo) -> str:
    """The name of a member: UTF-8 where its bytes are, whatever the archive says, else as in DOS."""
    name = member.filename
    if not member.flag_bits & _UTF8:
        try:
            return name.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass
    return name


def is_encrypted(member: zipfile.ZipInfo) -> bool:
    return bool(member.flag_bits & 1)


def check_unpacked(data: bytes, max_bytes: int, name: str) -> None:
    """Refuse a document that is damaged, locked, or unpacks to far more than it is.

    ``name`` is what the document is called in the sentence of the ``ReadError``.
    """
    try:
        with open_zip(data) as archive:
            members = archive.infolist()
    except MALFORMED_ZIP as error:
        raise ReadError(f"The {name} is damaged or cut short and could not be read.") from error
    if any(is_encrypted(member) for member in members):
        raise ReadError(f"The {name} is protected by a password. Save a copy without one.")
    total = sum(member.file_size for member in members)
    xml = sum(member.file_size for member in members if member.filename.lower().endswith(_XML))
    if total > UNPACKED * max_bytes or xml > _XML_UNPACKED * max_bytes:
        raise ReadError(f"The {name} unpacks to {total:,} bytes, which is too much to read.")


def _without_false_utf8(data: bytes) -> bytes:
    """The archive with no name marked as UTF-8 that is not; both places of a name are mended."""
    mended = bytearray(data)
    for signature, flags, length, name in ((_CENTRAL, 8, 28, 46), (_LOCAL, 6, 26, 30)):
        at = data.find(signature)
        while at >= 0:
            if at + name <= len(data):
                (marks,) = struct.unpack_from("<H", data, at + flags)
                (size,) = struct.unpack_from("<H", data, at + length)
                if marks & _UTF8 and not _is_utf8(data[at + name : at + name + size]):
                    struct.pack_into("<H", mended, at + flags, marks & ~_UTF8)
            at = data.find(signature, at + 4)
    return bytes(mended)


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
