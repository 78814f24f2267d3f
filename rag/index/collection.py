"""One collection of chunks in Chroma: write, search, rebuild documents from it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexingError, NotFound
from rag.filters import Filter, Nothing, clean, to_chroma
from rag.index import graph
from rag.index.client import Busy, ChromaClient, wrapped
from rag.index.layout import HEADS, decode, decode_chunk, decode_record, encode, encode_head, pack_record
from rag.index.reading import batches, read_ids, read_records
from rag.types import Chunk, DocumentRecord, Hit, IndexedChunk, Vectors

Item: TypeAlias = tuple[DocumentRecord, Sequence[Chunk], Vectors]

EF_SEARCH = 400
"""Candidates that the graph keeps while it searches: of the true 100 nearest among 20,000
chunks, 400 finds 99.4 %, 200 98.3 % and Chroma's default of 100 94.4 %; 800 finds 99.9 % in twice
the time (tests/benchmarks/ann.py DATA --cache FOLDER --only graph)."""
SYNC_THRESHOLD = 1000
"""Vectors written before the graph is saved. Until then they are in SQLite's log, so nothing
depends on it but speed: opening replays up to this many (0.25 s)."""
_FIRST_WAIT = 30.0
"""Seconds that the first read of a process waits for another process's batch to be written."""
_READ = 5000
_STAMP = "_stamp"


class ChunkIndex:
    """The chunks of one prototype under one embedding model.

    The collection is made by the first write; until then every read is of an empty
    one. Safe to share between threads. Reads other than :meth:`search` are always of
    what is stored now; :meth:`search` is of what the last :meth:`refresh` saw, so a hit's
    chunk may be gone (:meth:`get` leaves it out). All methods raise
    :class:`IndexingError` where Chroma fails.
    """

    def __init__(self, client: ChromaClient, name: str, *, dimensions: int) -> None:
        self.name = name
        self.dimensions = dimensions
        self.stamp = ""
        """The last write that this object knows of; empty before the first."""
        self._client = client
        self._changes: int | None = None
        """The database's count of writes before it was last looked at."""
        self._erased = False
        """Whether this object deleted chunks: their elements stay in the graph, marked."""

    # --- staying in step with other processes

    def refresh(self) -> bool:
        """Take in what other processes wrote since; True where something changed.

        0.02 ms when nothing did, else as long as loading the graph (0.05 to 0.3 s for
        20,000 chunks). While another process is in the middle of a write the graph in
        memory is kept: the one on disk may be half saved.
        """
        changes = self._client.changes()
        if changes is not None and changes == self._changes and self._in_step(self.stamp):
            return False
        fresh = _stamp(self._client.collection(self.name))
        self._changes = changes
        if not self._in_step(fresh):
            with self._client.refreshing:
                known = self.name in self._client.loaded
                try:
                    with self._client.writing(wait=0 if known else _FIRST_WAIT):
                        fresh = self._load()
                except Busy:
                    if not known:
                        raise
                    return False
        changed, self.stamp = fresh != self.stamp, fresh
        return changed

    def _in_step(self, stamp: str) -> bool:
        return not self._client.local or self._client.loaded.get(self.name) == stamp

    def _load(self) -> str:
        """Have the graph of the last write in memory; return its stamp. The lock is held."""
        found = self._client.collection(self.name)
        stamp = _stamp(found)
        if self._in_step(stamp):
            return stamp
        if self.name in self._client.loaded:
            self._client.reopen()
            found = self._client.collection(self.name)
        if found is not None:
            with wrapped():
                self._client.mend(found)
                # The first query replays the log, and may save the graph.
                found.query(query_embeddings=np.eye(1, self.dimensions), n_results=1, include=[])
        self._client.loaded[self.name] = stamp
        return stamp

    def _collection(self) -> Any | None:
        """The collection as it is now, its graph loaded once; None where there is none.

        Even a ``get`` replays the log when it is a process's first, hence the loading.
        """
        self._load_once()
        return self._client.collection(self.name)

    def _load_once(self) -> None:
        if self._client.local and self.name not in self._client.loaded:
            self.refresh()

    # --- writing

    def write(self, items: Sequence[Item]) -> None:
        """Add documents, or replace those of the same id: ``(record, chunks, unit rows)`` each.

        A document's record goes in last, with its chunk 0, so a document whose record is
        there is whole even if the process dies half way.
        """
        for record, chunks, vectors in items:
            self._check(record, chunks, vectors)
        if not items:
            return
        with self._writing(create=True) as collection:
            self._remove(collection, [record.id for record, _, _ in items])
            self._upsert(
                collection,
                [
                    (chunk, vector, encode(chunk, record))
                    for record, chunks, vectors in items
                    for chunk, vector in zip(chunks[1:], vectors[1:], strict=True)
                ],
            )
            self._upsert(
                collection,
                [(chunks[0], rows[0], encode_head(chunks[0], record)) for record, chunks, rows in items],
            )

    def delete(self, document_ids: Collection[str]) -> None:
        """Remove documents; ids that are not there are passed over."""
        if document_ids:
            with self._writing() as collection:
                if collection is not None:
                    self._remove(collection, document_ids)

    def update(self, records: Sequence[DocumentRecord], *, heads_only: bool = False) -> None:
        """Change what is kept of documents beside their chunks: files, title, metadata.

        ``heads_only``: nothing that filters see has changed, so the chunks are left alone.
        """
        if not records:
            return
        with self._writing() as collection:
            if collection is None:
                return
            if heads_only:
                for some in batches(records, self._client.batch):
                    self._client.keep(collection)
                    # Chroma passes over ids that are not there, and keeps the other keys.
                    collection.update(
                        ids=[f"{record.id}:0" for record in some],
                        metadatas=[{"_record": pack_record(record)} for record in some],
                    )
                return
            heads: list[tuple[str, dict[str, Any]]] = []
            rest: list[tuple[str, dict[str, Any]]] = []
            for record in records:
                for key, stored, text in read_records(
                    collection, where={"_doc": record.id}, page=self._client.page
                ):
                    chunk = decode_chunk(stored, text)
                    new = encode(chunk, record) if chunk.n else encode_head(chunk, record)
                    # Chroma merges; None takes a key away.
                    (rest if chunk.n else heads).append((key, {**dict.fromkeys(stored), **new}))
            for part in (rest, heads):
                for batch in batches(part, self._client.batch):
                    self._client.keep(collection)
                    collection.update(
                        ids=[key for key, _ in batch], metadatas=[metadata for _, metadata in batch]
                    )

    def set_facts(self, **facts: str) -> None:
        """Keep small strings beside the chunks (index version, model, ...); None of them is searched."""
        with self._writing(create=True) as collection:
            collection.modify(metadata={**collection.metadata, **facts})

    def drop(self) -> None:
        """Delete the collection with everything in it."""
        with self._client.writing(), wrapped():
            self._load()
            collection = self._client.collection(self.name)
            if collection is not None:
                self._mark(collection)
                # Chroma 1.5.9 leaves lists of a deleted collection to whatever record is next given
                # the same number (chroma-core/chroma#7594), but not those of deleted records.
                self._erase(collection, list(read_ids(collection, None, self._client.page)))
                self._client.chroma.delete_collection(self.name)
                self._client.discard()
        self.stamp = ""

    @contextmanager
    def _writing(self, create: bool = False) -> Iterator[Any]:
        """The collection (None where there is none and ``create`` is False), alone to this process.

        The stamp changes before as well as after: the write of a process that dies half
        way must not go unnoticed either.
        """
        with self._client.writing():
            self._load()
            collection = self._client.collection(self.name)
            with wrapped():
                if collection is None and create:
                    collection = self._create()
                if collection is None:
                    yield None
                    return
                self._mark(collection)
                before = self._client.saved(collection)
                try:
                    yield collection
                finally:
                    self._mark(collection)
                if self._erased and self._client.saved(collection) != before:
                    # Of a graph with deleted elements Chroma 1.5.9 saves once what can be loaded
                    # again; saved again from the same memory, it ends the next process to open it.
                    self._client.loaded[self.name] = ""
                    self._load()

    def _create(self) -> Any:
        if self._client.hnsw:
            graph = {"space": "cosine", "ef_search": EF_SEARCH, "sync_threshold": SYNC_THRESHOLD}
            configuration: dict[str, Any] = {"hnsw": graph}
        else:
            configuration = {"spann": {"space": "cosine"}}
        return self._client.chroma.create_collection(
            self.name, metadata={_STAMP: ""}, configuration=configuration, embedding_function=None
        )

    def _mark(self, collection: Any) -> None:
        stamp = uuid.uuid4().hex
        collection.modify(metadata={**(collection.metadata or {}), _STAMP: stamp})
        self.stamp = self._client.loaded[self.name] = stamp

    def _upsert(self, collection: Any, rows: Sequence[tuple[Chunk, Any, dict[str, Any]]]) -> None:
        for batch in batches(rows, self._client.batch):
            self._client.keep(collection)
            collection.upsert(
                ids=[chunk.id for chunk, _, _ in batch],
                embeddings=np.stack([vector for _, vector, _ in batch]),
                documents=[clean(chunk.text) for chunk, _, _ in batch],
                metadatas=[metadata for _, _, metadata in batch],
            )

    def _remove(self, collection: Any, document_ids: Iterable[str]) -> None:
        """Delete documents, their records first: what is left of one is then seen to be incomplete."""
        for batch in batches(list(dict.fromkeys(document_ids)), 300):
            keys = list(read_ids(collection, {"_doc": {"$in": batch}}, self._client.page))
            heads = {f"{document_id}:0" for document_id in batch}.intersection(keys)
            self._erase(collection, sorted(heads))
            self._erase(collection, [key for key in keys if key not in heads])

    def _erase(self, collection: Any, chunk_ids: Sequence[str]) -> None:
        for batch in batches(chunk_ids, self._client.batch):
            self._client.keep(collection)
            collection.delete(ids=batch)
            self._erased = True

    def _check(self, record: DocumentRecord, chunks: Sequence[Chunk], vectors: Vectors) -> None:
        if vectors.shape != (len(chunks), self.dimensions):
            raise IndexingError(
                f"{len(chunks)} chunks came with vectors of shape {vectors.shape}; this index holds "
                f"{self.dimensions} dimensions, so they are of another embedding model."
            )
        if not chunks or len(chunks) != record.chunks or any(c.n != n for n, c in enumerate(chunks)):
            raise IndexingError(f"The chunks of {record.source or record.id} are not numbered 0 to n - 1.")

    # --- reading

    def search(self, vector: NDArray[np.float32], n: int, where: Filter | None = None) -> list[Hit]:
        """The ``n`` chunks of highest cosine similarity to a unit vector, best first."""
        if n < 1 or isinstance(where, Nothing):
            return []
        self._load_once()
        collection = self._client.seen(self.name)
        if collection is None:
            return []
        with wrapped():
            found = collection.query(
                query_embeddings=[vector],
                n_results=n,
                where=None if where is None else to_chroma(where),
                include=["distances"],
            )
        hits = [
            Hit(key, min(1.0, 1.0 - distance))
            for key, distance in zip(found["ids"][0], found["distances"][0], strict=True)
        ]
        return sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))

    def get(self, chunk_ids: Sequence[str]) -> dict[str, IndexedChunk]:
        """The chunks of these ids, in their order; ids that are not there are left out."""
        found = {key: decode(stored, text) for key, stored, text in self._by_id(chunk_ids)}
        return {key: found[key] for key in chunk_ids if key in found}

    def sections(self, chunk_ids: Iterable[str]) -> dict[str, range]:
        """What :class:`rag.stored.StoredChunks` knows of these chunks' sections; here it is nothing."""
        return {}

    def vectors(self, chunk_ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The unit vectors of these chunks; ids that are not there are left out."""
        collection = self._collection()
        if collection is None:
            return {}
        vectors: dict[str, NDArray[np.float32]] = {}
        for batch in batches(list(dict.fromkeys(chunk_ids)), self._client.page or _READ):
            with wrapped():
                found = collection.get(ids=batch, include=["embeddings"])
            rows = np.asarray(found["embeddings"], dtype=np.float32)
            vectors.update(zip(found["ids"], rows, strict=True))
        return vectors

    def records(self) -> dict[str, DocumentRecord]:
        """The record of every whole document, by id."""
        heads = (decode_record(stored) for _, stored, _ in self._where(HEADS))
        return {record.id: record for record in heads}

    def record(self, document_id: str) -> DocumentRecord | None:
        """The record of one document; None where it is not there, or not whole."""
        for _, stored, _ in self._by_id([f"{document_id}:0"]):
            if "_record" in stored:
                return decode_record(stored)
        return None

    def document_chunks(self, document_id: str) -> list[Chunk]:
        """The chunks of a document in order; empty where there is none of that id."""
        chunks = [decode_chunk(stored, text) for _, stored, text in self._where({"_doc": document_id})]
        return sorted(chunks, key=lambda chunk: chunk.n)

    def document_text(self, document_id: str) -> str:
        """The document's text, rebuilt. Raises :class:`NotFound`."""
        record = self.record(document_id)
        if record is None:
            raise NotFound(f"There is no document {document_id} in this index.")
        return record.lead + "".join(chunk.text + chunk.gap for chunk in self.document_chunks(document_id))

    def chunk_ids(self) -> set[str]:
        """The ids of all chunks."""
        collection = self._collection()
        return set() if collection is None else set(read_ids(collection, None, self._client.page))

    def matching(self, where: Filter) -> set[str]:
        """The ids of the chunks that a filter matches."""
        collection = self._collection()
        if collection is None or isinstance(where, Nothing):
            return set()
        return set(read_ids(collection, to_chroma(where), self._client.page))

    def deleted_share(self) -> float:
        """Share of the graph, in [0, 1], that chunks replaced or deleted still take up.

        hnswlib marks a deleted element and goes on walking over it. 0 where the graph is
        not in a folder of ours.
        """
        collection = self._collection()
        if collection is None or self._client.folder is None:
            return 0.0
        elements = graph.elements(self._client.folder, str(collection.id))
        return max(0.0, 1.0 - self.count() / elements) if elements else 0.0

    def count(self) -> int:
        """How many chunks there are."""
        collection = self._collection()
        with wrapped():
            return 0 if collection is None else int(collection.count())

    def incomplete(self) -> set[str]:
        """Documents that a write cut short: chunks without a record, or fewer than it says."""
        counts = Counter(key.rpartition(":")[0] for key in self.chunk_ids())
        records = self.records()
        return {key for key, n in counts.items() if key not in records or records[key].chunks != n}

    def iter_chunks(self, batch: int = 1000) -> Iterator[list[IndexedChunk]]:
        """All chunks, document by document in order, in lists of at most ``batch``."""

        def place(chunk_id: str) -> tuple[str, int]:
            document_id, _, n = chunk_id.rpartition(":")
            return document_id, int(n)

        for keys in batches(sorted(self.chunk_ids(), key=place), batch):
            yield list(self.get(keys).values())

    def disk(self) -> int:
        """Bytes that the chunks take on this machine; 0 where a server keeps them."""
        collection = self._collection()
        return 0 if collection is None else self._client.disk(collection)

    def facts(self, *, seen: bool = False) -> dict[str, str]:
        """What :meth:`set_facts` kept; ``seen``: as the last read of any kind saw it."""
        collection = self._client.seen(self.name) if seen else self._collection()
        metadata = {} if collection is None else collection.metadata or {}
        return {key: str(value) for key, value in metadata.items() if not key.startswith("_")}

    def _where(self, where: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
        collection = self._collection()
        if collection is not None:
            with wrapped():
                yield from read_records(collection, where=where, page=self._client.page)

    def _by_id(self, chunk_ids: Sequence[str]) -> Iterator[tuple[str, dict[str, Any], str]]:
        collection = self._collection()
        if collection is not None:
            for batch in batches(list(dict.fromkeys(chunk_ids)), self._client.page or _READ):
                with wrapped():
                    yield from read_records(collection, ids=batch)


def _stamp(collection: Any | None) -> str:
    metadata = None if collection is None else collection.metadata
    return str((metadata or {}).get(_STAMP, ""))
