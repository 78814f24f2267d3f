"""TREC: ``qrels.txt`` and ``run.txt`` as trec_eval and ir-measures read them, with queries and corpus.

``queries.tsv`` is the id and the text of a query, ``corpus.jsonl`` the ``id`` and ``contents`` of a
document: the forms that Anserini and Pyserini read. What the parts are:
:mod:`rag.export.collection`.
"""

from __future__ import annotations

from pathlib import Path

from rag.export.collection import Document, collecting, one_line
from rag.export.formats import Counts, Format
from rag.export.source import Source
from rag.export.writing import line, opened

CORPUS, QUERIES, QRELS, RUN = "corpus.jsonl", "queries.tsv", "qrels.txt", "run.txt"
TAG = "thumbprint"


def write(source: Source, path: Path) -> Counts:
    qrels = labelled = ranked = 0
    with opened(path / CORPUS) as corpus:

        def document(found: Document) -> None:
            titled = not found.title or found.text.startswith(found.title)
            contents = found.text if titled else f"{found.title}\n{found.text}"
            corpus.write(line({"id": found.id, "contents": contents}))

        with collecting(path / ".spool", document) as collection:
            collection.add(source)
            with opened(path / QUERIES) as file:
                for query in collection.queries():
                    file.write(f"{query.id}\t{one_line(query.text)}\n")
            with opened(path / QRELS) as file:
                last = ""
                for query_id, document_id, grade in collection.qrels():
                    file.write(f"{query_id} 0 {document_id} {grade}\n")
                    qrels += 1
                    labelled += query_id != last
                    last = query_id
            with opened(path / RUN) as file:
                for query_id, document_id, rank, score in collection.run():
                    file.write(f"{query_id} Q0 {document_id} {rank} {score!r} {TAG}\n")
                    ranked += 1
            counts = collection.counts()
    return {**counts, "labelled_queries": labelled, "qrels": qrels, "run": ranked}


TREC = Format(
    "trec", "TREC", "The same for trec_eval and ir-measures, with the run that was.", "", write,
    (CORPUS, QUERIES, QRELS, RUN),
)  # fmt: skip
