"""``python -m rag feedback``: what people thought of the answers."""

from __future__ import annotations

import argparse

from rag.commands import Actions, Add, emit
from rag.engine import Engine

TEXT = "Record what you think of an answer."


def register(actions: Actions, command: Add) -> None:
    """Add the sub-commands of ``feedback``."""
    add = command(actions, "add", _add, "Rate an answer.")
    add.add_argument("answer_id", metavar="ANSWER_ID")
    add.add_argument("--rating", required=True, choices=("up", "down", "none"))
    add.add_argument("--reason", action="append", default=[])
    add.add_argument("--comment", default="")
    add.add_argument("--correction", default="")


def _add(engine: Engine, args: argparse.Namespace) -> int:
    feedback = engine.store.add_feedback(
        args.answer_id,
        None if args.rating == "none" else args.rating,
        reasons=tuple(args.reason),
        comment=args.comment,
        correction=args.correction,
        origin="command",
    )
    value = {
        "answer_id": feedback.answer_id,
        "revision": feedback.revision,
        "rating": feedback.rating or "none",
        "reasons": list(feedback.reasons),
        "comment": feedback.comment,
        "correction": feedback.correction,
    }
    emit(args, value, f"Saved as revision {feedback.revision}.")
    return 0
