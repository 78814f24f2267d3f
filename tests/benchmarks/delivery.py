"""Delivery under failure, and how long a thumb takes to be saved, whatever state Supabase is in.

    python tests/benchmarks/delivery.py [--events 10000] [--kills 20] [--only thumbs|endurance]

Needs node, and `npm install` in tests/supabase. ``endurance``: feedback from 8 threads through a
proxy that fails 30 % of requests in nine ways, by a process that is killed; what the database
then holds is compared row by row with what was given. ``thumbs``: the time of ``add_feedback``
while a delivery thread works against a project that is well, slow, failing, or absent.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rag.config import Environment
from rag.delivery import Delivery
from rag.store import Store
from tests.supabase.endurance import answer, run
from tests.supabase.fault_proxy import Fault, fault_proxy, sometimes
from tests.supabase.servers import PUBLISHABLE, Api, data_api, why_no_api

CLICKS = 300


def thumbs(api: Api) -> None:
    """Print the time of a click to "saved" for each state of Supabase."""
    states: dict[str, Fault | float | None] = {
        "not set up": None, "well": 0.0, "fails 30 % of requests": 0.3, "unavailable (503)": "503",
        "never answers in time": "late", "a page of HTML": "html", "absent": "refuse",
    }  # fmt: skip
    print(f"{'Supabase is':25} median   95 %    worst   (ms, {CLICKS} clicks)")
    for name, state in states.items():
        with tempfile.TemporaryDirectory() as folder, fault_proxy(api.url, slow=3.0) as proxy:
            store = Store(Path(folder) / "store.db")
            store.save_answer(answer(1))
            url = None if state is None else "http://127.0.0.1:9" if name == "absent" else proxy.url
            if isinstance(state, float):
                proxy.choose = sometimes(state, seed=1)
            elif state is not None:
                proxy.choose = lambda state=state: state  # type: ignore[misc]
            environment = Environment(home=Path(folder), supabase_url=url, supabase_key=PUBLISHABLE)
            delivery = Delivery(lambda: store, environment, timeout=2.0)  # noqa: B023
            delivery.start()
            time.sleep(2.0 if url else 0.0)  # the client loads once, at the start of a server
            took = []
            for click in range(CLICKS):
                begun = time.perf_counter()
                store.add_feedback(answer(1).id, "up" if click % 2 else "down", comment="A few words.")
                took.append(1_000 * (time.perf_counter() - begun))
                time.sleep(0.01)
            delivery.stop(10)
            print(f"{name:25} {median(took):6.2f} {quantiles(took, n=20)[-1]:6.2f} {max(took):8.2f}")
        api.empty()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--only", choices=("thumbs", "endurance"))
    args = parser.parse_args()
    if why_no_api():
        sys.exit(f"This {why_no_api()}.")
    with data_api() as api:
        if args.only != "endurance":
            thumbs(api)
        if args.only != "thumbs":
            with tempfile.TemporaryDirectory() as folder:
                outcome = run(api, Path(folder), events=args.events, kills=args.kills)
            for name, value in asdict(outcome).items():
                print(f"{name:12} {value:,.0f}")


if __name__ == "__main__":
    main()
