"""The kinds of files that are read, by suffix."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SUFFIXES: Mapping[str, str] = MappingProxyType(
    {
        ".txt": "text",
        ".text": "text",
        ".log": "text",
        ".md": "markdown",
        ".markdown": "markdown",
        ".html": "html",
        ".htm": "html",
        ".pdf": "pdf",
        ".docx": "docx",
        ".pptx": "pptx",
        ".pptm": "pptx",
        ".xlsx": "xlsx",
        ".xlsm": "xlsx",
        ".epub": "epub",
        ".eml": "email",
        ".csv": "csv",
        ".tsv": "csv",
        ".jsonl": "jsonl",
        ".ndjson": "jsonl",
        ".zip": "zip",
    }
)
"""Suffix (lower case, with its dot) to the kind of reader, which is a document's ``type``. (A ``zip`` is
none itself: its members are.)"""

ZIPPED = frozenset({"docx", "pptx", "xlsx", "epub", "zip"})
"""The kinds whose files are zip containers."""
