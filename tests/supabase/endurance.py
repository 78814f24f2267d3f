"""Feedback from many threads, through a proxy that fails, by a process that is killed: what arrives?

As a program it is that process: it gives the feedback that is not given yet, and delivers.
"""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from rag.config import Environment
from rag.delivery import Delivery
from rag.store import Store
from rag.types import Answer, Provenance, Rating
from tests.supabase.fault_proxy import fault_proxy, sometimes
from tests.supabase.servers import PUBLISHABLE, Api

THREADS = 8
ANSWERS = 80
TIMEOUT, SLOW = 1.0, 1.5
"""Seconds that the client waits, and after which a late answer comes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it. ``altered`` and ``stale`` are wrong contents and wrong newest ratings."""

    events: int
    kills: int
    requests: int
    failed: int
    arrived: int
    doubled: int
    missing: int
    altered: int
    stale: int
    set_aside: int
    seconds: float


def answer(number: int) -> Answer:
    """The answer of that number, the same in every process."""
    provenance = Provenance("wine", settings="5e77", index_version="1d3", prompt_version="p1")
    return Answer(
        f"{number:032x}", f"Question {number}?", "", "Text.", (), (), 0.5, False, "extractive", {},
        {"total": 0.1}, provenance, created=1_700_000_000.0,
    )  # fmt: skip


def rating(event: int) -> Rating | None:
    """What an event says; nothing about the number tells it."""
    return random.Random(event).choice(("up", "down", None))


def expected(events: int) -> dict[str, list[int]]:
    """The events of each answer, in the order in which they are given."""
    return {answer(a).id: list(range(a, events, ANSWERS)) for a in range(ANSWERS)}


def give(store: Store, thread: int, events: int) -> None:
    """Give what this thread has to give and has not given; an answer is one thread's alone."""
    mine = {a: set() for a in range(thread, ANSWERS, THREADS)}
    given = {a: {each.comment for each in store.feedback_history(answer(a).id)} for a in mine}
    for event in range(events):
        a = event % ANSWERS
        if a % THREADS == thread and f"event {event}" not in given[a]:
            store.add_feedback(answer(a).id, rating(event), comment=f"event {event}", reasons=["other"])


def main(path: str, url: str, events: int) -> None:
    """The process: ends when everything is given and delivered."""
    store = Store(Path(path), busy_seconds=30)
    environment = Environment(home=Path(path).parent, supabase_url=url, supabase_key=PUBLISHABLE)
    for number in range(ANSWERS):
        store.save_answer(answer(number))  # the second time it does nothing
    delivery = Delivery(lambda: store, environment, timeout=TIMEOUT, pause=0.02, longest=0.5)
    delivery.start()
    threads = [threading.Thread(target=give, args=(store, n, events), daemon=True) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while store.outbox.waiting().rows:
        time.sleep(0.05)
    delivery.stop()


def run(api: Api, folder: Path, *, events: int, kills: int, share: float = 0.3, seed: int = 1) -> Outcome:
    """Do it, and compare what is in the database with what was given."""
    path = folder / "store.db"
    started = time.monotonic()
    Store(path)
    with fault_proxy(api.url, slow=SLOW) as proxy:
        proxy.choose = sometimes(share, seed)
        command = [sys.executable, "-m", "tests.supabase.endurance", str(path), proxy.url, str(events)]
        killed = 0
        for mark in _marks(kills, events):
            process = subprocess.Popen(command, cwd=Path(__file__).resolve().parents[2])
            while process.poll() is None and (mark is None or _progress(path) < mark):
                time.sleep(0.02)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()
                killed += 1
            elif process.returncode:
                raise AssertionError(f"the process ended with {process.returncode}")
        requests = sum(proxy.met.values())
        failed = requests - proxy.met["none"] - proxy.met["delay"]
    return _compare(api, path, replace(_nothing(events), kills=killed, requests=requests, failed=failed,
                                       seconds=time.monotonic() - started))  # fmt: skip


def _marks(kills: int, events: int) -> Iterator[int | None]:
    """How much has been given and delivered when the process is killed; the last one is left alone."""
    yield from (round(2 * events * (n + 0.5) / (kills + 0.5)) for n in range(kills))
    yield None


def _progress(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
        given = connection.execute("SELECT count(*) FROM feedback").fetchone()[0]
        wait = connection.execute("SELECT count(*) FROM outbox WHERE kind = 'feedback'").fetchone()[0]
    return int(2 * given - wait)


def _nothing(events: int) -> Outcome:
    return Outcome(events, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.0)


def _compare(api: Api, path: Path, outcome: Outcome) -> Outcome:
    store = Store(path)
    rows = api.sql(
        "SELECT replace(id::text, '-', '') AS id, replace(answer_id::text, '-', '') AS answer_id, revision, "
        "rating, comment, reasons, correction, extract(epoch FROM created)::text AS created FROM feedback"
    )
    want = expected(outcome.events)
    altered = 0
    seen: list[int] = []
    local = {each.id: each for a in want for each in store.feedback_history(a)}
    for row in rows:
        event = int(row["comment"].removeprefix("event "))
        seen.append(event)
        here = local.get(row["id"])
        right = (
            here is not None
            and row["answer_id"] == answer(event % ANSWERS).id == here.answer_id
            and row["revision"] == want[row["answer_id"]].index(event) + 1 == here.revision
            and row["rating"] == rating(event) == here.rating
            and row["reasons"] == ["other"]
            and row["correction"] == ""
            and abs(float(row["created"]) - here.created) < 2e-6
        )
        altered += not right
    newest = {
        row["user_prompt"]: row["reaction"] for row in api.sql("SELECT user_prompt, reaction FROM response")
    }
    stale = sum(
        newest.get(f"Question {a}?", "absent") != rating(want[answer(a).id][-1])
        for a in range(min(ANSWERS, outcome.events))
    )
    return replace(
        outcome,
        arrived=len(rows),
        doubled=len(seen) - len(set(seen)),
        missing=len(set(range(outcome.events)) - set(seen)),
        altered=altered,
        stale=stale,
        set_aside=store.outbox.waiting().refused,
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
