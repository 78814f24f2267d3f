"""E-mail (``.eml``): the message is a document under its subject, its attachments are files in it.

Of a message that comes as plain text and as a page, the plain text is read. Attachments of
kinds that are read have the source ``mail.eml/their name``; others (pictures, signatures)
are passed over, as they are in a folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.errors import CloseBoundaryNotFoundDefect
from email.message import Message
from pathlib import PurePosixPath

from rag.errors import ReadError
from rag.readers import read_bytes
from rag.readers.decode import has_words
from rag.readers.failures import shortened
from rag.readers.html import read_html
from rag.readers.kinds import SUFFIXES
from rag.readers.mailparts import Body, MailParts, mail_parts, mail_properties
from rag.readers.metadata import clean_metadata, make_document
from rag.readers.options import ReadOptions, ReadResult
from rag.readers.plain import plain_blocks
from rag.readers.sidecar import inherited
from rag.readers.structure import TextBuilder, bounded
from rag.types import Block, Document, ReadFailure

_DEEPEST = 5
"""Messages forwarded within messages: each costs its size again."""
_MOST_PARTS = 100_000
_MOST_STEPS = 50_000_000
"""Python's parser looks at every line once for each part that it stands in: some ten seconds."""
_TOO_MANY = "The e-mail has too many parts, or too many within each other, to be read."
_TOO_DEEP = "The e-mail is nested too deeply in others to be read."
_ENCRYPTED = frozenset(
    {"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}
)  # the last two may be signed only, but hide their text all the same


def read_mail(data: bytes, source: str, options: ReadOptions) -> ReadResult:
    """The message, and what is attached to it. Raises ``ReadError`` where there is nothing to read."""
    if options.within.count("email") >= _DEEPEST:
        raise ReadError(_TOO_DEEP)
    steps = data.lower().count(b"boundary=") * data.count(b"\n")
    if steps > _MOST_STEPS or data.count(b"\n--") > _MOST_PARTS:
        raise ReadError(_TOO_MANY)
    try:
        message = message_from_bytes(data, policy=policy.compat32)
        parts = mail_parts(message)
    except RecursionError:
        raise ReadError(_TOO_DEEP) from None
    failures: list[ReadFailure] = []
    if any(isinstance(defect, CloseBoundaryNotFoundDefect) for defect in message.defects):
        failures.append(ReadFailure(source, "The e-mail is cut short; what could be read of it was."))
    mail = _document(message, parts, source)
    documents = [] if mail is None else [mail]
    inside = replace(options, declared=inherited(options.declared), within=(*options.within, "email"))
    for attachment in parts.attachments:
        if PurePosixPath(attachment.name).suffix.lower() in SUFFIXES:
            result = read_bytes(attachment.data, f"{source}/{attachment.name}", inside)
            documents += result.documents
            failures += result.failures
    if not documents and not failures:
        raise ReadError("The e-mail has no text in it.")
    return ReadResult(tuple(documents), shortened(failures, source))


def _document(message: Message, parts: MailParts, source: str) -> Document | None:
    """The message itself; None where it has no words. Raises ``ReadError`` for one that is encrypted."""
    title, metadata = clean_metadata(mail_properties(message))
    bodies = [block for body in parts.bodies for block in _blocks(body)]
    if not bodies and message.get_content_type() in _ENCRYPTED:
        raise ReadError("The e-mail is encrypted. Save a copy that is not.")
    built = TextBuilder()
    path = (title,) if title else ()
    if title:
        built.add(title, "heading", path)
    for text, block in bodies:
        built.add(text, block.kind, (*path, *block.path))
    if not has_words(built.text):
        return None
    return make_document(built.text, source, "email", built.blocks, metadata, title=title)


def _blocks(body: Body) -> Iterator[tuple[str, Block]]:
    """The blocks of a body, each with its text."""
    if not body.is_html:
        for block in bounded(plain_blocks(body.text)):
            yield body.text[block.start : block.end], block
        return
    try:
        # The mark says which encoding this is, whatever the page says of itself.
        pages = read_html(b"\xef\xbb\xbf" + body.text.encode(), "mail.html", ReadOptions()).documents
    except ReadError:  # a page of pictures
        return
    for page in pages:
        for block in page.blocks:
            yield page.text[block.start : block.end], block
