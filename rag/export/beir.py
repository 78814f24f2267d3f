"""BEIR: ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/test.tsv``, as its ``GenericDataLoader`` reads them.

The loader keeps the queries that have a label. What the parts are: :mod:`rag.export.collection`.
"""

from __future__ import annotations

import json
from pathlib import Path

from rag.export.collection import Document, collecting
from rag.export.formats import Counts, Format
from rag.export.source import Source
from rag.export.writing import line, opened

CORPUS, QUERIES, QRELS = "corpus.jsonl", "queries.jsonl", "qrels/test.tsv"


def write(source: Source, path: Path) -> Counts:
    qrels = labelled = 0
    with opened(path / CORPUS) as corpus:

        def document(found: Document) -> None:
            metadata = {
                "prototype": found.prototype,
                "document_id": found.document_id,
                "source": found.source,
                "start": found.start,
                "end": found.end,
            }
            corpus.write(
                line({"_id": found.id, "title": found.title, "text": found.text, "metadata": metadata})
            )

        with collecting(path / ".spool", document) as collection:
            collection.add(source)
            with opened(path / QUERIES) as file:
                for query in collection.queries():
                    metadata = {
                        "prototype": query.prototype,
                        "where": json.loads(query.filter) if query.filter else None,
                        "answers": query.answers,
                    }
                    file.write(line({"_id": query.id, "text": query.text, "metadata": metadata}))
            with opened(path / QRELS) as file:
                file.write("query-id\tcorpus-id\tscore\n")
                last = ""
                for query_id, document_id, grade in collection.qrels():
                    file.write(f"{query_id}\t{document_id}\t{grade}\n")
                    qrels += 1
                    labelled += query_id != last
                    last = query_id
            counts = collection.counts()
    return {**counts, "labelled_queries": labelled, "qrels": qrels}


BEIR = Format(
    "beir", "BEIR", "A retrieval test collection: corpus, queries and relevance labels.", "", write,
    (CORPUS, QUERIES, QRELS),
)  # fmt: skip
