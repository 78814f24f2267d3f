"""Many browsers that ask without pause: is every answer right and stored once, and how long does it take?

    python tests/benchmarks/load.py [--sessions 50] [--seconds 300] [--alone 60] [--refusals]

A server of its own over the wine cellar with the settings as they come; only the rates are raised,
or not one of them with ``--refusals``, which shows that the limits hold. Each session speaks
Streamlit's protocol over its own websocket (:mod:`streamlit_client`), asks questions that nobody
else asks, rates each answer, and begins a new conversation after five. Afterwards every question and
thumb is looked up in the store, and each answer is compared with the one that the engine gives to
the same question alone: text and citations, letter by letter.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser"), str(ROOT / "tests" / "benchmarks")]

from browser_steps import serving  # noqa: E402
from streamlit_client import Client  # noqa: E402

from pages.ui.answer import answer_markdown  # noqa: E402
from rag.config import Environment  # noqa: E402
from rag.engine import Engine  # noqa: E402
from rag.store import Selection  # noqa: E402
from rag.types import Answer, Turn  # noqa: E402

_PATIENCE = 120.0
_A_CONVERSATION = 5
_RAISED = {"THUMBPRINT_QUESTIONS_PER_MINUTE": "100000", "THUMBPRINT_ADDRESS_PER_MINUTE": "1000000"}


@dataclass(slots=True)
class Session:
    """What one session saw: of each question the answer's id, and the Markdown of the page then."""

    number: int
    shown: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    thumbs: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


async def visit(address: str, number: int, until: float, names: list[str]) -> Session:
    """Ask until that time."""
    session = Session(number)
    n = 0
    try:
        async with Client(address) as client:
            await client.open(_PATIENCE)
            while not n or time.monotonic() < until:
                name = names[(37 * number + n) % len(names)]
                question = f"What is {name} like, for table {number}-{n}?"
                answer_id, took = await client.ask(question, _PATIENCE)
                n += 1
                if not answer_id:
                    session.refused[client.errors()[0][:60]] += 1
                    await asyncio.sleep(1)
                    continue
                session.seconds.append(took)
                session.shown[question] = (answer_id, client.markdown())
                up = (number + n) % 2 == 0
                await client.rate(answer_id, up, _PATIENCE)
                session.thumbs[answer_id] = "up" if up else "down"
                if n % _A_CONVERSATION == 0:
                    await client.begin_anew(_PATIENCE)
    except (AssertionError, OSError, StopIteration) as error:
        session.failures.append(f"session {number}, after {n} questions: {error}")
    return session


async def visits(address: str, count: int, seconds: float, names: list[str]) -> list[Session]:
    """So many sessions at once."""
    until = time.monotonic() + seconds
    return list(await asyncio.gather(*(visit(address, n, until, names) for n in range(count))))


def verify(home: Path, sessions: list[Session], first: int) -> list[str]:
    """What is wrong with what is stored, in sentences. ``first``: answers that were there before."""
    engine = Engine(Environment.load({**os.environ, "THUMBPRINT_HOME": str(home)}))
    rated = list(engine.store.stream(Selection()))[first:]
    by_question = Counter(r.answer.question for r in rated)
    stored = {r.answer.id: r for r in rated}
    wrong = [f"stored {n} times: {q}" for q, n in by_question.items() if n != 1]
    shown = {question: seen for session in sessions for question, seen in session.shown.items()}
    # A session that was cut off by the clock may have asked without seeing the answer: never here.
    if len(stored) != len(shown):
        wrong.append(f"{len(shown)} answers were shown and {len(stored)} are stored")
    talks: dict[str, list[Answer]] = {}
    for r in rated:
        talks.setdefault(r.answer.conversation_id or "", []).append(r.answer)
    for question, (answer_id, page) in shown.items():
        record = stored.get(answer_id)
        if record is None or record.answer.question != question:
            wrong.append(f"another answer was shown to: {question}")
        elif answer_markdown(record.answer.text, record.answer.citations, record.answer.claims) not in page:
            wrong.append(f"not shown as it is stored: {question}")
    for session in sessions:
        for answer_id, rating in session.thumbs.items():
            history = engine.store.feedback_history(answer_id)
            if [feedback.rating for feedback in history] != [rating]:
                wrong.append(f"a thumb of session {session.number} is stored as {history}")
    for talk in talks.values():
        if len({answer.question.split("table ")[1].split("-")[0] for answer in talk}) != 1:
            wrong.append("a conversation holds questions of two sessions")
        for n, answer in enumerate(talk):
            history = [Turn(earlier.question, earlier.text) for earlier in talk[:n]]
            response = engine.ask("wine", answer.question, history=history, origin="batch")
            alone = response.answer
            if (alone.text, alone.citations) != (answer.text, answer.citations):
                wrong.append(f"alone, another answer: {answer.question}")
    return wrong


def report(name: str, sessions: list[Session]) -> list[float]:
    """Print the times of some sessions."""
    seconds = [s for session in sessions for s in session.seconds]
    if seconds:
        tail = statistics.quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]
        thumbs = sum(len(session.thumbs) for session in sessions)
        print(
            f"{name}: {len(seconds)} answers, {thumbs} thumbs; seconds to the whole answer on the page: "
            f"median {statistics.median(seconds):.2f}, "
            f"95th percentile {tail:.2f}, longest {max(seconds):.2f}",
            flush=True,
        )
    refused = sum((session.refused for session in sessions), Counter())
    for sentence, count in refused.most_common():
        print(f"{name}: refused {count} times: {sentence}", flush=True)
    return seconds


def main() -> int:
    """Run it; 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--alone", type=float, default=60, help="seconds of a single session beforehand")
    parser.add_argument("--refusals", action="store_true", help="with the limits as they come")
    args = parser.parse_args()
    with (ROOT / "prototypes" / "wine" / "wines.csv").open(encoding="utf-8") as file:
        names = [row["name"] for row in csv.DictReader(file)]
    if not args.refusals:
        os.environ.update(_RAISED)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        with serving(ROOT / "app.py", home) as address:
            asyncio.run(visits(address, 1, 1, names))  # the model loads, the catalogue is read
            warm = _count(home)
            alone = [] if args.refusals else asyncio.run(visits(address, 1, args.alone, names))
            before = _count(home)
            sessions = asyncio.run(visits(address, args.sessions, args.seconds, names))
            log = (home / "server.log").read_text("utf-8", "replace")
        report("alone", alone)
        report(f"{args.sessions} sessions", sessions)
        failures = [failure for session in (*alone, *sessions) for failure in session.failures]
        if "Traceback" in log or "Error" in log:
            failures.append(f"the server's log: {log[-2000:]}")
        failures += verify(home, sessions, before)
        print(f"{before - warm} answers alone, {_count(home)} rows in all; wrong: {len(failures)}")
        for failure in failures[:60]:
            print(failure)
    return 1 if failures else 0


def _count(home: Path) -> int:
    return Engine(Environment.load({**os.environ, "THUMBPRINT_HOME": str(home)})).store.count(Selection())


if __name__ == "__main__":
    sys.exit(main())
