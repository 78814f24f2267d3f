"""Bytes to documents: one reader for each kind of file, behind :func:`read_bytes`.

Whatever is wrong with a file, or with one line of it, is a failure with a sentence; the
rest is read. Parsers are imported when a file of their kind comes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module
from pathlib import Path, PurePosixPath

from rag.errors import ReadError
from rag.readers.files import FoundFiles, check_size, find_files, load_bytes
from rag.readers.kinds import SUFFIXES
from rag.readers.options import CsvOptions, ReadOptions, ReadResult
from rag.readers.sidecar import declare
from rag.readers.sniff import true_kind
from rag.readers.structure import one_line
from rag.types import ReadFailure

__all__ = [
    "SUFFIXES",
    "CsvOptions",
    "FoundFiles",
    "ReadOptions",
    "ReadResult",
    "find_files",
    "load_bytes",
    "read_bytes",
    "read_file",
]

_Reader = Callable[[bytes, str, ReadOptions], ReadResult]

_READERS = {
    "text": "rag.readers.plain:read_plain",
    "markdown": "rag.readers.markdown:read_markdown",
    "html": "rag.readers.html:read_html",
    "pdf": "rag.readers.pdf:read_pdf",
    "docx": "rag.readers.docx:read_docx",
    "pptx": "rag.readers.pptx:read_pptx",
    "xlsx": "rag.readers.xlsx:read_xlsx",
    "epub": "rag.readers.epub:read_epub",
    "email": "rag.readers.mail:read_mail",
    "csv": "rag.readers.csv:read_csv",
    "jsonl": "rag.readers.jsonl:read_jsonl",
    "zip": "rag.readers.archive:read_zip",
}
UNFORESEEN = "The file could not be read, for a reason that its reader does not foresee"
_LOG = logging.getLogger(__name__)
_DEFAULTS = ReadOptions()


def read_bytes(data: bytes, source: str, options: ReadOptions = _DEFAULTS) -> ReadResult:
    """The documents of a file, by its suffix or, where that is wrong, by what it is.

    A file that holds others (an archive, an e-mail) gives their documents too, with the sources
    ``source/their path``. Never raises for content. What is wrong with the whole file is one
    failure with the path ``source``; what is wrong with a line or page of it has the path
    ``source, line 7``.
    """
    try:
        check_size(len(data), options.max_bytes)
        named = SUFFIXES.get(PurePosixPath(source).suffix.lower())
        if named is None:
            raise ReadError(f"Files of this type are not read; these are: {' '.join(SUFFIXES)}.")
        result = _reader(true_kind(data, named))(data, source, options)
        return declare(result, source, options.declared) if options.declared else result
    except ReadError as error:
        return ReadResult(failures=(ReadFailure(source, str(error)),))
    except Exception as error:
        # A parser met something that its reader does not foresee: one file, not the whole batch.
        _LOG.debug("reading %s", source, exc_info=True)
        reason = one_line(f"{type(error).__name__}: {error}", 200).rstrip(".")
        return ReadResult(failures=(ReadFailure(source, f"{UNFORESEEN} ({reason})."),))


def read_file(path: Path, source: str | None = None, options: ReadOptions = _DEFAULTS) -> ReadResult:
    """The documents of a file on disk; ``source`` defaults to its name. Never raises for content."""
    source = path.name if source is None else source
    try:
        data = load_bytes(path, options.max_bytes)
    except ReadError as error:
        return ReadResult(failures=(ReadFailure(source, str(error)),))
    return read_bytes(data, source, options)


def _reader(kind: str) -> _Reader:
    module, _, function = _READERS[kind].partition(":")
    reader: _Reader = getattr(import_module(module), function)
    return reader
