"""Delivery to Supabase, behind everything else: what is stored here goes there, once, in order.

A thread of the server's process takes what waits (:mod:`rag.store.outbox`), a batch at a time.
One process delivers at a time, by a lock on a file that goes with a process that dies. Waiting
between attempts is counted by a clock that nobody sets. What Supabase refuses of a batch is
tried row by row, so that one bad row costs no other; what it will never take is set aside with
the reason. Everything else waits, for as long as it takes.

With the owner's key, the same thread erases there what was erased here, and fetches what other
replicas delivered (:mod:`rag.pull`).
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from filelock import FileLock, Timeout

from rag.config import Environment
from rag.errors import StoreError, UsageError
from rag.pull import Puller
from rag.standing import Standing
from rag.store import Store
from rag.store.arrivals import Arrived
from rag.store.outbox import BATCH, Parcel
from rag.store.parcels import TABLES
from rag.store.refusals import AlreadyThere, RowRefused, Unavailable
from rag.store.rows import Kind
from rag.store.supabase import TIMEOUT, Supabase

PAUSE, LONGEST = 0.5, 300.0
"""Seconds to wait after a first failure, and at most; doubled with each further one, and drawn
between half and all of it, so that replicas do not come back together."""
PULL = 60.0
"""Seconds between two looks at what other replicas delivered."""
_POLL = 5.0
"""Seconds after which is looked whether another process has queued something."""
_GATHER = 0.25
"""Seconds in which more is stored, to go along: a click, and the words that follow it."""
_CAREFUL = 3
"""Failures in a row after which rows go one by one, in case it is one of them."""
_STRIKES = 20
"""Attempts at one row that failed while others went, after which it is set aside."""
_OUTBOUND: tuple[Kind, ...] = ("answer", "feedback", "preference")
_OWNERS: tuple[Kind, ...] = ("link", "erase")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one call delivered, what it set aside, and what kept it from more."""

    rows: int = 0
    refused: int = 0
    problem: str | None = None


class Delivery:
    """Delivers what a store queued. Making one costs nothing; see :meth:`start`."""

    def __init__(
        self,
        store: Callable[[], Store],
        environment: Environment,
        *,
        timeout: float = TIMEOUT,
        pause: float = PAUSE,
        longest: float = LONGEST,
        pull_every: float = PULL,
    ) -> None:
        """``store`` opens it, and is called when it is needed. Times are seconds."""
        self._open = store
        self._environment = environment
        self._timeout = timeout
        self._pause, self._longest, self._pull_every = pause, longest, pull_every
        self._lock = FileLock(environment.home / "delivery.lock", timeout=0, thread_local=False)
        self._starting, self._busy = threading.Lock(), threading.Lock()
        self._hurry = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failures = 0
        self._strikes: dict[int, int] = {}
        self._singly: dict[Kind, int] = {}
        """Up to this place of the queue, rows of a kind go one by one."""
        self._rows = self._refused = 0
        self._owners_due = self._pull_due = 0.0
        self._owners_failures = 0
        self._owners_problem: str | None = None
        self._public: Supabase | None = None
        self._owners: Supabase | None = None
        self._puller: Puller | None = None

    @property
    def configured(self) -> bool:
        """Whether there is a project to deliver to, and a key for it."""
        env = self._environment
        return bool(env.supabase_url and (env.supabase_key or env.supabase_secret_key))

    # --- in the background ------------------------------------------------------

    def start(self) -> None:
        """Deliver in the background from now on; returns at once. Without a project, does nothing."""
        with self._starting:
            if self._thread is not None or not self.configured:
                return
            self._thread = threading.Thread(target=self._run, name="delivery", daemon=True)
            self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """End the background delivery, waiting so long for what is on its way. What waits, waits on."""
        self._stopping.set()
        self.hurry()
        if self._thread is not None:
            self._thread.join(seconds)

    def hurry(self) -> None:
        """Try now, whatever was to be waited for."""
        self._hurry.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            wait, before = _POLL, self._rows
            try:
                store = self._open()
                store.outbox.changed.clear()
                if self._hurry.is_set():
                    self._hurry.clear()
                    self._owners_due = 0.0
                if self._stopping.is_set():
                    break
                with self._turn():
                    self._pass(store, _OUTBOUND)
                    store.outbox.note(self._as_owner(store))
                self._failures = 0
                self._idle(store, wait)
                continue
            except Timeout:
                pass  # another process is at it
            except Unavailable as error:
                wait = self._failed(str(error), progressed=self._rows > before)
            except StoreError as error:  # the disk, or a store that is held by another writer
                wait = self._failed(None)
                log.warning("Delivery to Supabase waits for the store: %s", error)
            except Exception as error:
                wait = self._failed(_unforeseen(error))
            self._hurry.wait(wait)
        self._close()

    def _as_owner(self, store: Store) -> str | None:
        """What takes the owner's key; its troubles are told, and do not slow down what does not."""
        if self._environment.supabase_secret_key and time.monotonic() >= self._owners_due:
            problem = None
            try:
                self._pass(store, _OWNERS)
                if time.monotonic() >= self._pull_due:
                    for _ in self._pull(store):
                        self._pass(store, _OUTBOUND)
                    self._pull_due = time.monotonic() + self._pull_every
            except Unavailable as error:
                problem = str(error)
            except StoreError:
                raise  # of this disk, which is everybody's trouble
            except Exception as error:
                problem = _unforeseen(error)
            self._owners_problem = problem
            self._owners_failures = self._owners_failures + 1 if problem else 0
            if problem:
                self._owners_due = time.monotonic() + self._after(self._owners_failures)
        return self._owners_problem

    def _idle(self, store: Store, seconds: float) -> None:
        """Until something is stored, somebody hurries, or the time is up."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._hurry.is_set():  # stopping sets it too
            if store.outbox.changed.wait(min(left, 1.0)):
                self._hurry.wait(_GATHER)
                return

    def _failed(self, problem: str | None, *, progressed: bool = False) -> float:
        """Note it; seconds to wait."""
        if progressed:  # a failure by itself, unless one row is to blame, which is to be found
            self._failures = _CAREFUL - 1 if self._failures >= _CAREFUL else 0
        self._failures += 1
        if problem is not None:
            try:
                self._open().outbox.note(problem)
            except StoreError as error:
                log.warning("%s (%s)", problem, error)
        return self._after(self._failures)

    def _after(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row."""
        most: float = min(self._longest, self._pause * 2 ** min(failures - 1, 20))
        return most * random.uniform(0.5, 1.0)

    # --- by command ------------------------------------------------------------

    def deliver(self, attempts: int = 3) -> Delivered:
        """Deliver what waits now, and return; gives up after so many failures in a row.

        Raises UsageError where no project is set up.
        """
        kinds = (*_OUTBOUND, *_OWNERS) if self._environment.supabase_secret_key else _OUTBOUND
        return self._by_command(attempts, lambda store: self._pass(store, kinds))

    def pull(self, attempts: int = 3) -> Arrived:
        """Copy what other replicas delivered. Raises UsageError without the owner's key, StoreError."""
        if not self._environment.supabase_secret_key or not self._environment.supabase_url:
            raise UsageError(
                "Reading from Supabase takes the owner's key: set SUPABASE_URL and SUPABASE_SECRET_KEY."
            )
        came = Arrived()

        def pull(store: Store) -> None:
            nonlocal came
            for each in self._pull(store):
                came += each

        done = self._by_command(attempts, pull)
        if done.problem:
            raise StoreError(done.problem)
        return came

    def standing(self) -> Standing:
        """How delivery stands. Raises StoreError where the store cannot be read."""
        waiting = self._open().outbox.waiting()
        return Standing(self.configured, bool(self._environment.supabase_secret_key), waiting)

    def retry(self) -> int:
        """Let everything that was set aside wait again, and try at once; returns how much it was."""
        again = self._open().outbox.retry()
        self._strikes.clear()
        self.hurry()
        return again

    def _by_command(self, attempts: int, work: Callable[[Store], None]) -> Delivered:
        if not self.configured:
            raise UsageError("There is no project to deliver to: set SUPABASE_URL and SUPABASE_KEY.")
        store = self._open()
        self._rows = self._refused = self._failures = 0
        problem = None
        while self._failures < attempts:
            before = self._rows
            try:
                with self._turn(wait=5.0):
                    work(store)
                    store.outbox.note(None)
                problem = None
                break
            except Timeout:
                problem = "Another process is delivering to Supabase now."
                break
            except Unavailable as error:
                problem = str(error)
                wait = self._failed(problem, progressed=self._rows > before)
                if self._failures < attempts:
                    time.sleep(min(wait, 2.0))
        self._close()
        return Delivered(self._rows, self._refused, problem)

    # --- one pass --------------------------------------------------------------

    @contextmanager
    def _turn(self, wait: float = 0.0) -> Iterator[None]:
        """One thread of one process at a time; raises Timeout."""
        if not self._busy.acquire(timeout=wait):
            raise Timeout(self._lock.lock_file)
        try:
            with self._lock.acquire(timeout=wait):
                yield
        finally:
            self._busy.release()

    def _pass(self, store: Store, kinds: Sequence[Kind]) -> None:
        """Deliver all that can go. What fails for a table alone does not keep the others."""
        trouble: Unavailable | None = None
        for kind in kinds:
            try:
                after = 0
                while not self._stopping.is_set():
                    parcels = store.outbox.claim(kind, after=after, limit=BATCH)
                    if not parcels:
                        break
                    after = self._send(store, kind, parcels)
            except Unavailable as error:
                if error.scope != "table":
                    raise
                trouble = trouble or error
        if trouble is not None:
            raise trouble

    def _send(self, store: Store, kind: Kind, parcels: Sequence[Parcel]) -> int:
        """All at once, or else one by one; returns the place of the last one that had its turn."""
        remote = self._remote(kind)
        singly = self._singly.get(kind, 0)
        if parcels[0].n > singly and len(parcels) > 1 and self._failures < _CAREFUL:
            try:
                self._put(store, remote, kind, parcels)
                return parcels[-1].n
            except (AlreadyThere, RowRefused):
                # Also after a failure in between: together they would only be refused again.
                self._singly[kind] = parcels[-1].n
        elif parcels[0].n <= singly:
            parcels = [parcel for parcel in parcels if parcel.n <= singly]
        failed: list[tuple[Parcel, Unavailable]] = []
        gone = self._rows
        for parcel in parcels:
            try:
                self._put(store, remote, kind, [parcel])
            except AlreadyThere:
                store.outbox.delivered([parcel.n])
                self._rows += 1
            except RowRefused as error:
                store.outbox.refuse(parcel.n, str(error))
                self._refused += 1
            except Unavailable as error:
                failed.append((parcel, error))
                if error.scope != "row" or self._failures < _CAREFUL or len(failed) == _CAREFUL:
                    break
        self._judge(store, failed, others_went=self._rows > gone)
        self._failures = 0
        return parcels[-1].n

    def _judge(
        self, store: Store, failed: Sequence[tuple[Parcel, Unavailable]], *, others_went: bool
    ) -> None:
        """Whether it is Supabase that failed, or for the same row every time."""
        for parcel, error in failed:
            if others_went and error.scope == "row":
                self._strikes[parcel.n] = self._strikes.get(parcel.n, 0) + 1
                if self._strikes[parcel.n] >= _STRIKES:
                    del self._strikes[parcel.n]
                    store.outbox.refuse(parcel.n, f"Others went, and this failed {_STRIKES} times: {error}")
                    self._refused += 1
        if failed:
            raise failed[-1][1]

    def _put(self, store: Store, remote: Supabase, kind: Kind, parcels: Sequence[Parcel]) -> None:
        rows = [parcel.values for parcel in parcels]
        try:
            remote.insert(TABLES[kind], rows)
        except AlreadyThere:
            if kind != "erase" or len(parcels) > 1:
                raise
        if kind == "erase":
            self._erase(remote, [row["conversation_id"] for row in rows])
        store.outbox.delivered([parcel.n for parcel in parcels])
        self._rows += len(parcels)

    @staticmethod
    def _erase(remote: Supabase, ids: Sequence[str]) -> None:
        """What hangs on the answers goes with them."""
        remote.delete("answers", "conversation_id", ids)
        remote.delete("answers", "id", ids)
        try:
            remote.delete("links", "conversation_id", ids)
        except Unavailable as error:
            if error.scope != "table":  # a project without links has none to erase
                raise

    def _pull(self, store: Store) -> Iterator[Arrived]:
        if self._puller is None:
            self._puller = Puller(store, self._remote("erase"))
        yield from self._puller.pull()

    def _close(self) -> None:
        """Close the connections; they are opened again when they are needed."""
        for remote in (self._public, self._owners):
            if remote is not None:
                remote.close()

    def _remote(self, kind: Kind) -> Supabase:
        env = self._environment
        assert env.supabase_url is not None
        if kind in _OWNERS or not env.supabase_key:
            if self._owners is None:
                assert env.supabase_secret_key is not None
                self._owners = Supabase(
                    env.supabase_url,
                    env.supabase_secret_key,
                    key_name="SUPABASE_SECRET_KEY",
                    timeout=self._timeout,
                )
            return self._owners
        if self._public is None:
            self._public = Supabase(env.supabase_url, env.supabase_key, timeout=self._timeout)
        return self._public


def _unforeseen(error: Exception) -> str:
    log.exception("delivery to Supabase")
    return f"Delivery met what it should not have ({type(error).__name__})."
