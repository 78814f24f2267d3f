"""Every golden question while no model can be reached: does it end in an honest answer?

    python -m tests.benchmarks.outage [--questions N]

The questions of ``tests/golden`` are asked with a generator whose server, in turn, does not listen,
answers 500, shows a page of HTML, refuses the key, and ends its stream at once. Each must end in a
stored record that is either quoted from the documents, cited word for word and labelled with the
reason, or an honest refusal (for which no model is called). Prints how many did, and what did not.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from itertools import cycle
from pathlib import Path

from rag.answering import DONT_KNOW, UNAVAILABLE
from rag.config import Environment
from rag.engine import Engine
from rag.errors import ThumbprintError
from rag.types import Answer
from tests.benchmarks.golden import GOLDEN, SETS
from tests.chat_servers import Script, serve

WAYS = {
    "answers 500": Script(status=500),
    "a page of HTML": Script(body="<html>Log in</html>", content_type="text/html"),
    "refuses the key": Script(status=401),
    "ends at once": Script([], finish=None),
}
NOBODY = "http://127.0.0.1:9/v1"


def outcome(answer: Answer) -> str:
    """``quoted``, ``refused``, or what is wrong."""
    if answer.abstained:
        return "refused" if answer.text == DONT_KNOW and not answer.citations else "a refusal with more to it"
    labelled = any(notice.startswith(UNAVAILABLE) for notice in answer.notices)
    cited = bool(answer.citations) and all(c.verdict == "verbatim" for c in answer.citations)
    return "quoted" if answer.generator == "extractive" and labelled and cited else "neither"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--questions", type=int, help="so many of each set")
    args = parser.parse_args()
    counts: dict[str, int] = {}
    wrong: list[str] = []
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        addresses = {"does not listen": NOBODY}
        for way, script in WAYS.items():
            addresses[way] = f"{stack.enter_context(serve(script)).url}/v1"
        engine = Engine(replace(Environment.load(), home=home))
        ways = cycle(addresses.items())
        for name in SETS:
            prototype = name.partition(".")[0]
            settings = replace(engine.ready(prototype).settings, generator="openai", model="m")
            lines = [json.loads(row) for row in (GOLDEN / f"{name}.jsonl").read_text("utf-8").splitlines()]
            for line, (way, url) in zip(lines[: args.questions], ways, strict=False):
                engine.environment = replace(engine.environment, openai_api_key="k", openai_base_url=url)
                try:
                    answer = engine.ask(prototype, line["question"], settings=settings).answer
                    found = outcome(answer)
                    if engine.store.answer(answer.id) != answer:
                        found = "not stored as it was"
                except ThumbprintError as error:
                    found = f"an error: {error}"
                counts[found] = counts.get(found, 0) + 1
                if found not in ("quoted", "refused"):
                    wrong.append(f"{line['id']} ({way}): {found}")
    total = sum(counts.values())
    good = counts.get("quoted", 0) + counts.get("refused", 0)
    print(
        f"{total} questions without a model: {counts.get('quoted', 0)} quoted with the reason, "
        f"{counts.get('refused', 0)} refused honestly: {100 * good / total:.1f} %"
    )
    print("\n".join(wrong), end="\n" if wrong else "")
    return 0 if good == total else 1


if __name__ == "__main__":
    sys.exit(main())
