"""``python -m rag feedback topics`` and ``triage``: what the feedback page otherwise does behind itself."""

from __future__ import annotations

import argparse

from rag import show
from rag.commands import Actions, Add, emit
from rag.engine import Engine
from rag.insights import Insights
from rag.store import Query
from rag.topics import FEWEST


def register(actions: Actions, command: Add) -> None:
    """Add the sub-commands to those of ``feedback``."""
    text = "Put the questions of a prototype together by topic, for the feedback page."
    command(actions, "topics", _topics, text)
    text = "Find where the answers that got a thumb down went wrong, for the feedback page."
    command(actions, "triage", _triage, text)


def _topics(engine: Engine, args: argparse.Namespace) -> int:
    insights = Insights(engine)
    insights.group(args.prototype, show.steps(quiet=args.quiet))
    rows = [{"topic": name, "answers": count} for name, count in insights.topics(args.prototype)]
    text = "\n".join(f"{row['answers']:6,}  {row['topic']}" for row in rows)
    few = f"There are too few different questions to “{args.prototype}” for topics: it takes {FEWEST}."
    emit(args, {"prototype": args.prototype, "topics": rows}, text or few)
    return 0


def _triage(engine: Engine, args: argparse.Namespace) -> int:
    done = Insights(engine).triage(show.steps(quiet=args.quiet))
    found = {str(failure): count for failure, count in engine.store.digest.failures(Query()).items()}
    text = "\n".join(f"{count:6,}  {failure}" for failure, count in found.items())
    emit(args, {"looked_at": done, "failures": found}, text or "There is no thumb down to look at.")
    return 0
