"""A model that writes 200 tokens a second: what the checking of its citations adds.

    python -m tests.benchmarks.streaming [--tokens 600] [--speed 200]

A server on the loopback streams sentences with citations at that speed, through the real SDK. The
stream is read twice, as it comes and through the checker with the default embedding model: the
time to the first text, to the last, and the longest that a reader waits between two pieces. Then
the checking itself: processor time for each sentence, which does not depend on what else is running.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from rag.answering import checked
from rag.cite import Judgement
from rag.config import Environment, Settings
from rag.engine import Engine
from rag.generators.openai import OpenAIGenerator
from rag.generators.prompt import load_prompt
from rag.types import Draft
from tests.chat_servers import Script, serve

QUESTIONS = {
    "benefits": "How much is Child Payment for the first child?",
    "wine": "Which red goes with lamb?",
}
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds to the first text and to the last, and the longest between two pieces."""

    first: float
    whole: float
    longest: float


def timed(pieces: Callable[[], Iterable[object]]) -> Timing:
    """Read a stream once."""
    began = last = time.perf_counter()
    first: float | None = None
    longest = 0.0
    for piece in pieces():
        if not isinstance(piece, str):
            continue
        now = time.perf_counter()
        if first is None:
            first = now - began
        else:
            longest = max(longest, now - last)
        last = now
    return Timing(first or 0.0, last - began, longest)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tokens", type=int, default=600)
    parser.add_argument("--speed", type=float, default=200.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        engine = Engine(replace(Environment.load(), home=Path(home)))
        spent: list[float] = []
        for prototype, question in QUESTIONS.items():
            passages = engine.search(prototype, question).passages
            judge = engine.judge(prototype)

            def judged(claim: str, source: str, judge=judge) -> Judgement:
                began = time.perf_counter()
                try:
                    return judge(claim, source)
                finally:
                    spent.append(time.perf_counter() - began)

            pieces = text(passages, args.tokens)
            script = Script(pieces, delay=1 / args.speed)
            with serve(script) as server:
                generator = OpenAIGenerator(
                    key="k", base_url=f"{server.url}/v1", model="m", prompt=load_prompt(Settings().prompt)
                )
                generator.warm()

                def plain(generator=generator, passages=passages, question=question) -> Iterable[object]:
                    return generator.generate(question, passages, ())

                def through(plain=plain, passages=passages, judged=judged) -> Iterable[object]:
                    return checked(plain(), passages, judged)

                timed(plain)  # the connection is made
                rows = {"as it comes": plain, "checked": through}
                times = {name: [timed(read) for _ in range(_ROUNDS)] for name, read in rows.items()}
            print(f"{prototype}: {len(pieces)} tokens at {args.speed:.0f} a second")
            for name, found in times.items():
                first, whole, longest = (
                    statistics.median(getattr(t, field) for t in found)
                    for field in ("first", "whole", "longest")
                )
                print(
                    f"  {name:12} first text {1_000 * first:6.1f} ms   whole {whole:5.2f} s   "
                    f"longest wait {1_000 * longest:6.1f} ms"
                )
            began, sentences = time.process_time(), 0
            for piece in checked(iter(pieces), passages, judge):
                sentences = len(piece.claims) if isinstance(piece, Draft) else sentences
            cost = 1_000 * (time.process_time() - began) / max(1, sentences)
            print(f"  checking {sentences} sentences takes {cost:.1f} ms of processor time each")
        ordered = sorted(spent)
        print(
            f"checking: {len(spent)} comparisons, median {1_000 * statistics.median(spent):.1f} ms, "
            f"95th percentile {1_000 * ordered[int(0.95 * len(ordered))]:.1f} ms"
        )


def text(passages: Iterable[object], tokens: int) -> list[str]:
    """Sentences of the passages, in other words and with their numbers, as tokens of a word each."""
    words: list[str] = []
    while len(words) < tokens:
        for number, passage in enumerate(passages, 1):
            for sentence in passage.sentences[:4] or ():  # type: ignore[attr-defined]
                said = passage.text[sentence.start - passage.start : sentence.end - passage.start]  # type: ignore[attr-defined]
                plain = " ".join(said.rstrip(".").split())
                words += f"According to this, {plain[:1].lower()}{plain[1:]} [{number}].".split(" ")
    return [f"{word} " for word in words[:tokens]]


if __name__ == "__main__":
    main()
