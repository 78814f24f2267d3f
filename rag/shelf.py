"""Where the libraries stand: opening them, the models they need, and writing into them.

The engine asks through here, and the library page and the re-index write through here.
Nothing is opened before it is needed; one shelf serves all threads of a process.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import Timeout

from rag.catalogue import Catalogue
from rag.chunk import Chunking
from rag.config import DEFAULT_MODEL, Embedding, Environment, Settings
from rag.edits import Edits
from rag.errors import NotFound, PrototypeError, StoreError
from rag.filters import parse
from rag.ingest import Ingest, IngestOptions
from rag.library import Library, in_step, open_listing
from rag.listing import Listing
from rag.live import Live, LiveRecord, wish
from rag.originals import Originals
from rag.prototypes import Prototype, load_prototype
from rag.readers import CsvOptions, ReadOptions
from rag.types import DocumentRecord, Embedder, IngestResult, Where
from rag.versions import VERSION

if TYPE_CHECKING:
    from rag.index import ChromaClient

LoadModel = Callable[[str], Embedder]


class Shelf:
    """The libraries of a data folder. ``load_model`` gives the embedder of a name."""

    def __init__(self, environment: Environment, load_model: LoadModel | None = None) -> None:
        self.environment = environment
        self.load_model = load_model
        self.embedders: dict[Embedding, Embedder] = {}
        self._lock = threading.Lock()
        self._model_lock = threading.Lock()
        self._libraries: dict[str, Library] = {}
        self._listings: dict[str, Listing] = {}
        self._records: dict[str, LiveRecord] = {}
        self._catalogues: dict[str, tuple[str, Catalogue]] = {}

    def home(self) -> Path:
        """The data folder, made if it is not there. Raises :class:`StoreError`."""
        home = self.environment.home
        try:
            home.mkdir(parents=True, exist_ok=True)
            if not os.access(home, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            raise StoreError(
                f"The data folder {home} cannot be written ({error.strerror}). Set THUMBPRINT_HOME to a "
                "folder that can."
            ) from None
        return home

    # --- what is in force --------------------------------------------------------

    def wanted(self, name: str) -> Prototype:
        """The prototype with the settings that its owner wrote, whatever its index was built with."""
        return load_prototype(name, self.environment.home, self.environment.overrides)

    def prototype(self, name: str) -> Prototype:
        """The prototype with the settings that its index was built with.

        Raises :class:`PrototypeError` where there is none of that name.
        """
        prototype = self.wanted(name)
        live = self.record(name).read()
        return prototype if live is None else live.applied(prototype)

    def outdated(self, name: str) -> bool:
        """Whether the settings ask for another index than the one there is."""
        live = self.record(name).read()
        asked = wish(self.wanted(name).settings)
        return live is not None and asked not in (live.asked, (live.model, live.section_tokens))

    def record(self, name: str) -> LiveRecord:
        """The record of which collection is in force."""
        with self._lock:
            if name not in self._records:
                self._records[name] = LiveRecord(self.environment.home, name)
            return self._records[name]

    def live(self, name: str) -> Live:
        """The collection in force, written down or not."""
        from rag.index import collection_name

        found = self.record(name).read()
        if found is not None:
            return found
        asked = wish(self.wanted(name).settings)
        return Live(collection_name(name, asked[0]), *asked, asked=asked)

    # --- opening -------------------------------------------------------------------

    def library(self, prototype: Prototype) -> Library:
        """The pair of indexes that is in force for a prototype, opened once."""
        live = self.live(prototype.name)
        with self._lock:
            known = self._libraries.get(live.collection)
        if known is not None:
            return known
        settings = live.applied(prototype).settings
        opened = self.open(live.collection, self.dimensions(settings.embedding), self.home() / "ingest.lock")
        with self._lock:
            return self._libraries.setdefault(live.collection, opened)

    def open(self, collection: str, dimensions: int, lock: Path) -> Library:
        """The pair of indexes of a collection."""
        from rag.index import ChunkIndex

        index = ChunkIndex(self.client(), collection, dimensions=dimensions)
        return Library(index, self.home() / "keyword" / collection, lock, self._listing(collection))

    def client(self) -> ChromaClient:
        """Where all collections are."""
        from rag.index import open_client

        environment = self.environment
        return open_client(self.home(), host=environment.chroma_host, api_key=environment.chroma_api_key)

    def _listing(self, collection: str) -> Listing:
        with self._lock:
            if collection not in self._listings:
                folder = self.environment.home / "keyword" / collection
                self._listings[collection] = open_listing(folder)
            return self._listings[collection]

    def listing(self, name: str) -> Listing:
        """The list of a prototype's documents. The library is opened only where it may be behind."""
        collection = self.live(name).collection
        listing = self._listing(collection)
        if collection not in self._libraries and in_step(listing):
            return listing
        return self.library(self.prototype(name)).listed()

    def dimensions(self, wanted: Embedding) -> int:
        """The dimensions of a model, which is loaded where that is not known."""
        from rag.embed import known_dimensions

        known = None if self.load_model else known_dimensions(wanted.model)
        return known or self.embedder(wanted).dimensions

    def embedder(self, wanted: Embedding | str) -> Embedder:
        """The embedding model of some settings, or of a name; loaded on the first call."""
        wanted = Embedding(wanted) if isinstance(wanted, str) else wanted
        return self.embedders.get(wanted) or self._load_embedder(wanted)

    def _load_embedder(self, wanted: Embedding) -> Embedder:
        with self._model_lock:
            if wanted not in self.embedders:
                if self.load_model:
                    self.embedders[wanted] = self.load_model(wanted.model)
                else:
                    from rag.embed import load_embedder

                    self.home()  # says what is wrong with it, if anything is
                    self.embedders[wanted] = load_embedder(wanted, self.environment)
            return self.embedders[wanted]

    def document_prompt(self, settings: Settings) -> str:
        """What stands before a text that is embedded: the setting, or what the model itself asks for."""
        if settings.document_prompt or settings.embedding_model == DEFAULT_MODEL:
            return settings.document_prompt  # the default model asks for none, and need not be loaded
        return self.embedder(settings.embedding).document_prompt

    # --- reading -------------------------------------------------------------------

    def catalogue(self, prototype: Prototype, held: Where | None = None) -> Catalogue:
        """What the metadata of all documents says, kept until the library or the prototype changes.

        Under ``held``, what that of the documents alone says that this filter lets through. Raises
        :class:`rag.errors.FilterError` for one that means nothing.
        """
        library = self.library(prototype)
        library.refresh()
        key, stamp = library.index.name, library.index.stamp
        kept = self._catalogues.get(key)
        if kept is None or kept[0] != stamp:
            kept = (stamp, Catalogue(library.index.records(), prototype))
        elif kept[1].prototype != prototype:
            kept = (stamp, Catalogue(kept[1].records, prototype))
        self._catalogues[key] = kept
        return kept[1].within(parse(held), library.index.matching)

    def options(self, prototype: Prototype) -> ReadOptions:
        """What the readers are told."""
        csv = {pattern: csv_options(prototype.name, table) for pattern, table in prototype.csv.items()}
        return ReadOptions(max_bytes=self.environment.max_file_bytes, csv=csv)

    def edits(self, name: str) -> Edits:
        """What people changed of the documents of a prototype."""
        return Edits(self.environment.home / "edits.sqlite3", name)

    # --- writing -------------------------------------------------------------------

    def ingest(
        self,
        prototype: Prototype,
        paths: Sequence[Path],
        *,
        prune: bool = False,
        how: IngestOptions | None = None,
    ) -> IngestResult:
        """Ingest files and folders into the library that is in force."""
        name = prototype.name
        self.sweep(name)
        prototype = self.prototype(name)
        settings = prototype.settings
        result = Ingest(
            self.library(prototype),
            lambda: self.embedder(settings.embedding),
            model=settings.embedding_model,
            document_prompt=self.document_prompt(settings),
            prototype=name,
            chunking=Chunking(section_tokens=settings.section_tokens),
            options=self.options(prototype),
            edits=self.edits(name),
            how=how,
        ).run(paths, prune=prune)
        if result.documents and self.record(name).read() is None:
            # From now on another model in the settings does not hide what there is.
            self.record(name).write(self.live(name))
        Originals(self.environment.home, name).remember(paths)
        return result

    def delete(
        self, prototype: Prototype, document_ids: Sequence[str], timeout: float = 600
    ) -> list[DocumentRecord]:
        """Delete documents, and remember it; those that there were.

        Raises :class:`NotFound` where there is none of them.
        """
        library = self.library(prototype)
        with library.writing(timeout=timeout):
            found = [r for r in map(library.index.record, dict.fromkeys(document_ids)) if r is not None]
            if not found:
                raise NotFound(f"There is no document “{', '.join(document_ids)}” in “{prototype.name}”.")
            self.edits(prototype.name).delete(found)
            library.delete([record.id for record in found])
            library.renew(gone={record.id for record in found})
        return found

    def sweep(self, name: str) -> None:
        """Delete what an earlier re-index left, unless one is going on."""
        record = self.record(name)
        live = record.read()
        if live is None or not live.others:
            return
        try:
            with record.lock:
                self.drop_others(name)
        except Timeout:
            return

    def drop_others(self, name: str) -> None:
        """Delete the collections that are not in force any more. The record's lock is held."""
        record = self.record(name)
        live = record.read()
        while live is not None and live.others:
            (collection, dimensions), *left = live.others
            with self.library(self.prototype(name)).writing():
                self.discard(collection, dimensions, record.path.with_suffix(".building"))
            live = replace(live, others=tuple(left))
            record.write(live)

    def discard(self, collection: str, dimensions: int, lock: Path) -> None:
        """Delete a collection that nobody asks any more, with all that lies beside it."""
        self.open(collection, dimensions, lock).index.drop()
        with self._lock:
            self._libraries.pop(collection, None)
            self._listings.pop(collection, None)
        self._catalogues.pop(collection, None)
        shutil.rmtree(self.home() / "keyword" / collection, ignore_errors=True)


def fingerprint(prototype: Prototype) -> str:
    """Changes when the documents that a prototype brings, its prototype.toml, or the reading of them do."""
    digest = hashlib.sha256(f"{VERSION} {Chunking().version}".encode())
    for path in [prototype.folder / "prototype.toml", *prototype.document_paths]:
        for file in sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]:
            digest.update(f"\n{file.name}\n".encode())
            if file.is_file():  # a missing one is reported by the ingest
                digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def csv_options(name: str, table: Mapping[str, Any]) -> CsvOptions:
    """A ``[csv]`` table of a prototype. Raises :class:`PrototypeError` for what it cannot say."""
    columns: dict[str, tuple[str, ...]] = {}
    single: dict[str, str] = {}
    labels: Mapping[str, str] = {}
    for key, value in table.items():
        if key in ("text", "metadata") and isinstance(value, list) and _all_text(value):
            columns[key] = tuple(value)
        elif key in ("title", "id") and isinstance(value, str):
            single[key] = value
        elif key == "labels" and isinstance(value, Mapping) and _all_text(value.values()):
            labels = value
        else:
            raise PrototypeError(
                f"The prototype “{name}” does not load: a [csv] table takes text and metadata (lists of "
                "columns), title and id (a column), and labels (a table). Mend its prototype.toml."
            )
    return CsvOptions(
        text=columns.get("text", ()),
        metadata=columns.get("metadata", ()),
        title=single.get("title"),
        id=single.get("id"),
        labels=labels,
    )


def _all_text(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)
