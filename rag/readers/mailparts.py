"""A parsed e-mail taken apart: its bodies, what is attached, and what its header says.

The parser's older policy is used, which never fails on a header; decoding is done here,
with what is malformed shown as it stands.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import PurePosixPath
from types import MappingProxyType

from rag.errors import ReadError
from rag.readers.decode import clean, decode
from rag.readers.kinds import SUFFIXES
from rag.readers.structure import one_line

_MAX_HEADER = 20_000
_MAX_NAME = 200
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_MALFORMED = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What the library raises on malformed headers and parts."""

_OFFICE = "application/vnd.openxmlformats-officedocument"
_SUFFIX_OF: Mapping[str, str] = MappingProxyType(
    {
        "application/pdf": ".pdf",
        f"{_OFFICE}.wordprocessingml.document": ".docx",
        f"{_OFFICE}.presentationml.presentation": ".pptx",
        f"{_OFFICE}.spreadsheetml.sheet": ".xlsx",
        "application/epub+zip": ".epub",
        "application/zip": ".zip",
        "message/rfc822": ".eml",
        "text/plain": ".txt",
        "text/markdown": ".md",
        "text/html": ".html",
        "text/csv": ".csv",
    }
)


@dataclass(frozen=True, slots=True)
class Body:
    """A part of the message itself, decoded."""

    text: str
    is_html: bool


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file; its name is that of no other one of the same e-mail."""

    name: str
    data: bytes


@dataclass(slots=True)
class MailParts:
    bodies: list[Body] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)


def mail_parts(message: Message) -> MailParts:
    """Bodies and attachments in their order. Raises ``RecursionError`` for what is nested too deeply."""
    parts = MailParts()
    _collect(message, parts)
    taken: set[str] = set()
    times: Counter[str] = Counter()
    for n, attachment in enumerate(parts.attachments):
        name = attachment.name
        times[name] += 1
        path, again = PurePosixPath(name), max(2, times[name])
        while name in taken:
            name, again = f"{path.stem} ({again}){path.suffix}", again + 1
        taken.add(name)
        parts.attachments[n] = Attachment(name, attachment.data)
    return parts


def mail_properties(message: Message) -> dict[object, object]:
    """Subject (as ``title``), from, to, cc and date."""
    senders = _addresses(message, "from")
    try:
        date = parsedate_to_datetime(_header(message, "date"))
    except _MALFORMED:
        date = None
    return {
        "title": one_line(_decoded(_header(message, "subject"))),
        "from": senders[0] if senders else None,
        "to": _addresses(message, "to"),
        "cc": _addresses(message, "cc"),
        "date": date,
    }


def _collect(part: Message, parts: MailParts) -> None:
    kind = part.get_content_type()
    if kind == "message/rfc822" and part.is_multipart():
        inner = part.get_payload(0)
        if isinstance(inner, Message):
            subject = one_line(_decoded(_header(inner, "subject")), 80)
            parts.attachments.append(Attachment(_file_name(part, subject or "message"), _whole(inner)))
    elif kind == "multipart/alternative" and part.is_multipart():
        _choose(part, parts)
    elif part.is_multipart():
        for child in part.get_payload():
            if isinstance(child, Message):
                _collect(child, parts)
    elif part.get_content_disposition() == "attachment" or _name(part):
        parts.attachments.append(Attachment(_file_name(part, "attachment"), _payload(part)))
    elif kind in ("text/plain", "text/html"):
        parts.bodies.append(Body(_text(part), kind == "text/html"))
    elif part.get_content_maintype() == "multipart":  # its boundary never comes
        parts.bodies.append(Body(_text(part), False))
    elif kind in _SUFFIX_OF:
        parts.attachments.append(Attachment(_file_name(part, "attachment"), _payload(part)))


def _choose(part: Message, parts: MailParts) -> None:
    """Of several versions of one message: the first in plain text, else the last, the richest."""
    versions: list[list[Body]] = []
    for child in part.get_payload():
        if isinstance(child, Message):
            version = MailParts()
            _collect(child, version)
            parts.attachments += version.attachments
            bodies = [body for body in version.bodies if body.text.strip()]
            versions += [bodies] if bodies else []
    plain = [bodies for bodies in versions if not any(body.is_html for body in bodies)]
    parts.bodies += plain[0] if plain else versions[-1] if versions else []


def _payload(part: Message) -> bytes:
    try:
        data = part.get_payload(decode=True)
    except _MALFORMED:
        return b""
    return data if isinstance(data, bytes) else b""


def _whole(message: Message) -> bytes:
    try:
        return message.as_bytes()
    except (*_MALFORMED, OSError):
        return b""


def _text(part: Message) -> str:
    """The text of a part: by its declared encoding where that fits, else as any text."""
    data = _payload(part)
    try:
        text = data.decode(part.get_content_charset() or "utf-8")
    except _MALFORMED:
        try:
            text = decode(data).text
        except ReadError:
            text = data.decode("ascii", "replace")
    return clean(text.replace("\r\n", "\n"))


# --- names and headers --------------------------------------------------------


def _name(part: Message) -> str:
    """The name that the part gives itself, without folders; empty where it gives none."""
    try:
        name = _decoded(part.get_filename() or "")
    except _MALFORMED:
        return ""
    name = unicodedata.normalize("NFC", _UNPRINTABLE.sub(" ", name).replace("\\", "/"))
    return one_line(name.rpartition("/")[2], _MAX_NAME).lstrip(".")


def _file_name(part: Message, fallback: str) -> str:
    """A name whose suffix says what the part is, where its type does."""
    name = _name(part) or _UNPRINTABLE.sub(" ", fallback).replace("/", "-").replace("\\", "-")
    if PurePosixPath(name).suffix.lower() in SUFFIXES:
        return name
    return name + _SUFFIX_OF.get(part.get_content_type(), "")


def _header(message: Message, name: str) -> str:
    """A header as it stands in the file, bytes beyond ASCII read as UTF-8, else as Windows-1252."""
    for key, value in message.raw_items():
        if key.lower() == name:
            data = str(value)[:_MAX_HEADER].encode("utf-8", "surrogateescape")
            try:
                return data.decode("utf-8")
            except UnicodeDecodeError:
                return data.decode("cp1252", "replace")
    return ""


def _decoded(header: str) -> str:
    """A header with its encoded words (``=?utf-8?q?...?=``) read."""
    try:
        pieces = decode_header(header)
    except (HeaderParseError, *_MALFORMED):
        return clean(header)
    texts = []
    for piece, charset in pieces:
        if isinstance(piece, str):
            texts.append(piece)
            continue
        try:
            texts.append(piece.decode(charset or "raw_unicode_escape"))
        except (LookupError, ValueError):
            texts.append(piece.decode("utf-8", "replace"))
    return clean("".join(texts))


def _addresses(message: Message, name: str) -> list[str]:
    """The people of a header: ``Name <address>``, or the address alone."""
    header = _header(message, name)
    try:
        found = [(one_line(_decoded(person)), address) for person, address in getaddresses([header])]
    except _MALFORMED:
        return [one_line(_decoded(header))]
    people = [
        f"{person} <{address}>" if person and address else person or address for person, address in found
    ]
    return [clean(one_line(person)) for person in people if person]
