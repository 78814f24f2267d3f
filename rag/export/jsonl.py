"""JSON Lines: one object an answer, with everything that is known of it."""

from __future__ import annotations

from pathlib import Path

from rag.export.formats import Counts, Format
from rag.export.rows import row
from rag.export.source import Source
from rag.export.writing import line, opened


def write(source: Source, path: Path) -> Counts:
    count = 0
    with opened(path) as file:
        for rated in source.answers():
            file.write(line(row(rated, source)))
            count += 1
    return {"rows": count}


JSONL = Format("jsonl", "JSON Lines", "Everything, one JSON object an answer.", ".jsonl", write)
