"""One Chroma client for each place that vectors live, shared by the whole process.

Chroma keeps the graph of a collection in memory and does not notice what another
process writes: ``get`` reads SQLite and sees it, ``query`` does not until the client is
made anew. Worse, a client that writes with an outdated graph in memory later saves that
graph over the newer one. So, for a folder on disk:

- there is one :class:`ChromaClient` for a path, and :meth:`ChromaClient.reopen` swaps
  the client inside it; the old one is stopped when the last thread that is in the middle
  of a query with it is done;
- every write holds :meth:`ChromaClient.writing`, a lock between processes, and first
  makes sure that the graph is up to date and whole (:mod:`rag.index.graph`).

A Chroma server has one graph for all of its clients and needs neither.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from rag.errors import IndexingError
from rag.index import graph

WRITE_WAIT = 60.0
"""Seconds that a write waits for another process's write (one batch of documents) to end."""
_LOCAL_BATCH = 200
"""Records of one local write. Chroma holds Python's lock meanwhile: 200 keep questions of other
threads waiting under 0.2 s and cost no speed against 5,000 (measured, 384 dimensions)."""
_SERVER_BATCH = 1000
_CLOUD_BATCH = 300
"""Records that Chroma Cloud takes, and gives, in one call (its documented default quota)."""


_PAGE = 100
"""Collections that one call lists."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A collection as it is listed, and the model that it says its vectors are of; empty where it does not.

    ``dimensions`` are 1 where it holds nothing yet.
    """

    name: str
    dimensions: int
    model: str


class Busy(IndexingError):
    """Another process holds the lock on writing."""


class _Connection:
    """A ``chromadb`` client, stopped when the last reference to this object goes.

    Chroma's own objects refer to each other in circles, so that the graphs of a client
    that is let go stay in memory, and its files open, until Python looks for circles.
    """

    def __init__(self, chroma: Any, stop: Callable[[], None] | None) -> None:
        self.chroma = chroma
        self._stop = stop

    def __del__(self) -> None:
        if self._stop is not None:
            self._stop()


class ChromaClient:
    """A way to reach Chroma, and what is known of the graphs that it has in memory.

    ``batch`` is how many records go into one write, ``page`` how many one read may give
    (None: all). ``hnsw`` is whether collections are configured as HNSW graphs.
    """

    def __init__(
        self,
        connect: Callable[[], Any],
        *,
        folder: Path | None = None,
        batch: int = _LOCAL_BATCH,
        page: int | None = None,
        hnsw: bool = True,
    ) -> None:
        self.folder = folder
        self.batch = batch
        self.page = page
        self.hnsw = hnsw
        self.loaded: dict[str, str] = {}
        """The write stamp of each collection that the graph in memory is in step with."""
        self.refreshing = threading.Lock()
        self._connect = connect
        self._connection = self._connected()
        self._seen: dict[str, Any] = {}

    def _connected(self) -> _Connection:
        with wrapped():
            chroma = self._connect()
        return _Connection(chroma, chroma._server.stop if self.local else None)

    @property
    def local(self) -> bool:
        """Whether the vectors are in a folder that this process opens itself."""
        return self.folder is not None

    @property
    def chroma(self) -> Any:
        """The present ``chromadb`` client. Only for writers: it may be stopped without their lock."""
        return self._connection.chroma

    def collection(self, name: str) -> Any | None:
        """The collection, fresh from the database, or None where there is none."""
        from chromadb.errors import NotFoundError

        connection = self._connection
        with wrapped():
            try:
                found = connection.chroma.get_collection(name, embedding_function=None)
            except NotFoundError:
                self._seen.pop(name, None)
                return None
        found.connection = connection  # alive for as long as the collection is in use
        if connection is self._connection:
            self._seen[name] = found
        return found

    def collections(self) -> list[Listed]:
        """All that lie there, whosever they are."""
        found: list[Any] = []
        with wrapped():
            while page := self._connection.chroma.list_collections(limit=_PAGE, offset=len(found)):
                found += page
        return [
            # Chroma knows the dimensions, and tells them nowhere else.
            Listed(one.name, int(one._model.dimension or 1), str((one.metadata or {}).get("model", "")))
            for one in found
        ]

    def seen(self, name: str) -> Any | None:
        """The collection as it was when :meth:`collection` was last asked: saves a look at the database."""
        return self._seen.get(name) or self.collection(name)

    def changes(self) -> int | None:
        """A number that differs after every write to the database; None where there is none such.

        SQLite counts the transactions in bytes 24 to 27 of the file, but not under write-ahead
        logging, of which bytes 18 and 19 tell (https://www.sqlite.org/fileformat.html, 1.3).
        """
        if self.folder is None:
            return None
        try:
            with open(self.folder / "chroma.sqlite3", "rb") as file:
                header = file.read(28)
        except OSError:
            return None
        return int.from_bytes(header[24:28], "big") if header[18:20] == b"\1\1" else None

    def reopen(self) -> None:
        """Forget every graph in memory; the next query loads what is on disk now."""
        self._connection, self.loaded, self._seen = self._connected(), {}, {}

    @contextmanager
    def writing(self, wait: float = WRITE_WAIT) -> Iterator[None]:
        """Hold the lock between processes; :class:`Busy` after ``wait`` seconds without it.

        It is a transaction on a database of its own: that works on every system, and the
        lock of a process that dies is gone with it.
        """
        if self.folder is None:
            yield
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with closing(
            sqlite3.connect(self.folder / "writing.lock", timeout=wait, isolation_level=None)
        ) as lock:
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                raise Busy("Another process is writing to the index; try again when it is done.") from error
            yield

    def mend(self, collection: Any) -> None:
        """Make sure that the graph on disk is whole, and that a copy of it is. The lock is held."""
        if self.folder is not None:
            graph.mend(self.folder, str(collection.id))
            graph.keep(self.folder, str(collection.id))

    def keep(self, collection: Any) -> None:
        """The same before each write of a batch, which may save the graph. The lock is held."""
        if self.folder is not None:
            graph.keep(self.folder, str(collection.id))

    def saved(self, collection: Any) -> int:
        """Up to where in Chroma's log the graph on disk goes: another number after each saving."""
        return 0 if self.folder is None else graph.position(self.folder, str(collection.id))

    def disk(self, collection: Any) -> int:
        """Bytes that a collection takes here; 0 where a server keeps it."""
        return 0 if self.folder is None else graph.disk(self.folder, str(collection.id))

    def discard(self) -> None:
        """Take dropped collections off the disk and out of memory. The lock is held."""
        if self.folder is not None:
            self.reopen()
            graph.discard(self.folder)


_clients: WeakValueDictionary[str, ChromaClient] = WeakValueDictionary()
_registry = threading.Lock()


def open_client(home: Path, *, host: str | None = None, api_key: str | None = None) -> ChromaClient:
    """The client for ``home / "chroma"``, for a Chroma server, or for Chroma Cloud.

    ``host`` is ``host``, ``host:port`` (8000 unless told) or a URL; ``api_key`` alone
    means Chroma Cloud, with ``host`` the key's token for that server. The same arguments
    give the same client for as long as anything refers to it. Raises :class:`IndexingError`
    where it cannot be reached.
    """
    key = repr((host, api_key)) if host or api_key else str((home / "chroma").resolve())
    with _registry:
        client = _clients.get(key)
        if client is None:
            if host:
                client = _server(host, api_key)
            elif api_key:
                client = _cloud(api_key)
            else:
                client = _folder(Path(key))
            _clients[key] = client
        return client


def _folder(path: Path) -> ChromaClient:
    def connect() -> Any:
        import chromadb
        from chromadb.api.shared_system_client import SharedSystemClient as Shared

        # A new client on a known path would get the old graph. Only the entry is dropped here:
        # the old client is stopped when nothing uses it any more.
        Shared._identifier_to_system.pop(str(path), None)
        Shared._identifier_to_refcount.pop(str(path), None)
        return chromadb.PersistentClient(str(path), settings=_settings())

    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise IndexingError(f"The index folder cannot be made: {error.strerror}.") from error
    return ChromaClient(connect, folder=path)


def _server(host: str, api_key: str | None) -> ChromaClient:
    address = urlsplit(host if "://" in host else f"http://{host}")
    try:
        name, port = address.hostname, address.port
    except ValueError:
        name = port = None
    if not name or address.scheme not in ("http", "https"):
        raise IndexingError(
            "CHROMA_HOST is not an address; write host, host:port or a URL such as http://localhost:8000."
        )
    ssl = address.scheme == "https"

    def connect() -> Any:
        import chromadb

        headers = {"x-chroma-token": api_key} if api_key else None
        return chromadb.HttpClient(
            name, port or (443 if ssl else 8000), ssl=ssl, headers=headers, settings=_settings()
        )

    return ChromaClient(connect, batch=_SERVER_BATCH)


def _cloud(api_key: str) -> ChromaClient:
    def connect() -> Any:
        import chromadb

        return chromadb.CloudClient(api_key=api_key, settings=_settings())

    return ChromaClient(connect, batch=_CLOUD_BATCH, page=_CLOUD_BATCH, hnsw=False)


def _settings() -> Any:
    from chromadb.config import Settings

    return Settings(anonymized_telemetry=False)


@contextmanager
def wrapped() -> Iterator[None]:
    """Turn what Chroma raises into an :class:`IndexingError` of one sentence."""
    import httpx
    from chromadb.errors import ChromaError

    try:
        yield
    except (httpx.HTTPError, ConnectionError) as error:
        raise IndexingError(
            "The Chroma server does not answer; is it running, and CHROMA_HOST right?"
        ) from error
    except (ChromaError, ValueError, TypeError, OSError, RuntimeError) as error:
        if "Could not connect to a Chroma server" in str(error):
            message = "The Chroma server does not answer; is it running, and CHROMA_HOST right?"
        else:
            said = _line(error).rstrip(".")
            message = f"The index (Chroma) refused: {said}. Check the free disk space, then run: "
            message += "python -m rag doctor"
        raise IndexingError(message) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # Rust's; it is no Exception
            raise
        raise IndexingError(
            f"The index (Chroma) is damaged: {_line(error).rstrip('.')}. Restore the data folder from a "
            "copy, or delete its folder chroma and ingest the documents again."
        ) from error


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
