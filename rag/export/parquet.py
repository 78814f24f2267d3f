"""Parquet: typed columns, compressed, for pandas, DuckDB, Spark and ``datasets``."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from rag.export.formats import Counts, Format
from rag.export.rows import COLUMNS, row
from rag.export.source import Source

GROUP = 1_000
"""Answers in a row group: what is held in memory at a time, about 10 MB."""
_AS_JSON = ("where", "seconds_by_stage", "usage", "settings_values")
_TIMES = ("created", "feedback_created")


def write(source: Source, path: Path) -> Counts:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema, count = _schema(), 0
    rows = (row(rated, source) for rated in source.answers())
    path.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while group := [_plain(values) for values in islice(rows, GROUP)]:
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
            count += len(group)
    return {"rows": count}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    for name in _TIMES:
        values[name] = None if values[name] is None else datetime.fromisoformat(values[name])
    for name in _AS_JSON:
        values[name] = None if values[name] is None else json.dumps(values[name], ensure_ascii=False)
    return values


def _schema() -> Any:
    """The types of COLUMNS, the same whatever the answers hold."""
    import pyarrow as pa

    span = [
        ("document_id", pa.string()), ("source", pa.string()), ("start", pa.int64()), ("end", pa.int64()),
    ]  # fmt: skip
    citation = pa.struct(
        [
            ("number", pa.int32()),
            *span,
            ("quote", pa.string()),
            ("verdict", pa.string()),
            ("passage", pa.int32()),
        ]
    )
    passage = pa.struct(
        [
            ("rank", pa.int32()), *span, ("title", pa.string()), ("text", pa.string()),
            ("score", pa.float64()), ("scorer", pa.string()), ("page", pa.int32()),
        ]
    )  # fmt: skip
    types = {
        "created": pa.timestamp("us", tz="UTC"),
        "feedback_created": pa.timestamp("us", tz="UTC"),
        "abstained": pa.bool_(),
        "stopped": pa.bool_(),
        "confidence": pa.float64(),
        "seconds": pa.float64(),
        "cost": pa.float64(),
        "feedback_revision": pa.int32(),
        "reasons": pa.list_(pa.string()),
        "reported": pa.list_(pa.int32()),
        "relevant": pa.struct([*span, ("text", pa.string())]),
        "citations": pa.list_(citation),
        "passages": pa.list_(passage),
    }
    return pa.schema([(column, types.get(column, pa.string())) for column in COLUMNS])


PARQUET = Format(
    "parquet", "Parquet", "Typed columns, small, for pandas, DuckDB and Spark.", ".parquet", write
)
