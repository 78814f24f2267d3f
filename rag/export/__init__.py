"""Feedback in the formats that other tools read: one module a format, one call for all of them.

    export(store, home, "ragas", Path("samples.jsonl"), Options(redact=True))

Records are streamed, so any number goes through bounded memory, and what is written appears
whole or not at all. The same store gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rag.errors import StoreError, UsageError
from rag.export import writing
from rag.export.beir import BEIR
from rag.export.csv import CSV
from rag.export.formats import Exported, Format, Ids, Labels, Options, Progress, PromptForm
from rag.export.jsonl import JSONL
from rag.export.parquet import PARQUET
from rag.export.private import Private, salt
from rag.export.ragas import RAGAS
from rag.export.source import Report, Source
from rag.export.training import DPO, KTO
from rag.export.trec import TREC
from rag.store import Store

__all__ = [
    "FORMATS", "Exported", "Format", "Ids", "Labels", "Options", "Progress", "PromptForm", "Report", "export",
]  # fmt: skip

FORMATS: Mapping[str, Format] = {
    form.name: form for form in (CSV, JSONL, PARQUET, RAGAS, BEIR, TREC, KTO, DPO)
}


def export(
    store: Store,
    home: Path,
    name: str,
    out: Path,
    options: Options | None = None,
    report: Report | None = None,
) -> Exported:
    """Write what is meant to ``out``: a file, or a folder for BEIR and TREC (``.zip``: an archive of it).

    ``home`` is the data folder, which keeps the key of hashed ids. An earlier export in the same
    place is replaced when the new one is complete. ``report`` hears how far it is, and ends the
    export by raising. Where numbers of some answers were out of range, the counts say of how many
    (``out_of_range``). Raises UsageError for an unknown format or a place that is taken, StoreError
    where the store cannot be read or the disk refuses.
    """
    if name not in FORMATS:
        raise UsageError(f"There is no format “{name}”. The formats are: {', '.join(FORMATS)}.")
    form, options, out = FORMATS[name], options or Options(), out.absolute()
    private = Private(options.ids, redacted=options.redact, key=salt(home) if options.ids == "hash" else b"")
    source = Source(store, home, options, private, report)
    try:
        with writing.replacing(out, form) as path:
            counts = form.write(source, path)
        if source.out_of_range:
            counts = {**counts, "out_of_range": source.out_of_range}
        size = writing.size(out)
    except OSError as error:
        raise StoreError(
            f"The export could not be written to {out.parent} ({error.strerror or error}). "
            "Nothing was left there; check the free space and your rights."
        ) from error
    return Exported(name, out, counts, size, source.seconds)
