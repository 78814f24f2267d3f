"""Server time of a run of the chat page without a question, with many messages on it.

    python tests/benchmarks/rerun.py [MESSAGES]

The engine is the fake one (its answers stand in a real store), so that what is measured
is the page. The measure asks for less than 100 ms with 50 messages.
"""

from __future__ import annotations

import logging
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
logging.disable(logging.WARNING)

from streamlit.testing.v1 import AppTest  # noqa: E402

from pages.ui import resources  # noqa: E402
from pages.ui.writing import Writings  # noqa: E402
from tests.fakes import FakeEngine  # noqa: E402

_RUNS = 20


def main(messages: int) -> None:
    """Print the median and the longest of some runs, in milliseconds."""
    with tempfile.TemporaryDirectory() as home:
        engine, writings, secret = FakeEngine(Path(home)), Writings(), "s" * 43
        resources.engine, resources.writings = lambda: engine, lambda: writings
        conversation = engine.store.start_conversation(secret, "wine", "A long one")
        for n in range(messages // 2):
            list(engine.ask("wine", f"Question {n}", conversation_id=conversation.id))
        page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        page.session_state["browser-secret"] = secret
        page.query_params["conversation"] = conversation.id
        page.run()
        if page.exception or len(page.chat_message) != messages:
            raise SystemExit("the page did not draw what it should")
        took = [_run(page) for _ in range(_RUNS)]
    print(f"{messages} messages: median {statistics.median(took):.0f} ms, longest {max(took):.0f} ms")


def _run(page: AppTest) -> float:
    begun = time.perf_counter()
    page.run()
    return 1_000 * (time.perf_counter() - begun)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
