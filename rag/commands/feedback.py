"""``python -m rag feedback``: what people thought of the answers, getting it out, and erasing it."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from rag import show
from rag.commands import Actions, Add, delivery, emit, erasing, exporting
from rag.engine import Engine
from rag.errors import UsageError
from rag.insights import Insights
from rag.store import Query, Selection
from rag.topics import FEWEST
from rag.types import Relevant

TEXT = "Record, export and erase what people think of the answers."


def register(actions: Actions, command: Add) -> None:
    """Add the sub-commands of ``feedback``."""
    add = command(actions, "add", _add, "Rate an answer.")
    add.add_argument("answer_id", metavar="ANSWER_ID")
    add.add_argument("--rating", required=True, choices=("up", "down", "none"))
    add.add_argument("--reason", action="append", default=[])
    add.add_argument("--comment", default="")
    add.add_argument("--correction", default="")
    add.add_argument("--passage", metavar="JSON", help="the span of a document that answers the question")
    add.add_argument(
        "--report", action="append", type=int, default=[], metavar="N", help="a citation that is wrong"
    )
    exporting.register(actions, command)
    erasing.register(actions, command)

    text = "Put the questions of a prototype together by topic, for the feedback page."
    command(actions, "topics", _topics, text)
    text = "Find where the answers that got a thumb down went wrong, for the feedback page."
    command(actions, "triage", _triage, text)

    delivery.register(actions, command)


def _add(engine: Engine, args: argparse.Namespace) -> int:
    feedback = engine.store.add_feedback(
        args.answer_id,
        None if args.rating == "none" else args.rating,
        reasons=tuple(args.reason),
        comment=args.comment,
        correction=args.correction,
        origin="command",
        passage=None if args.passage is None else _passage(args.passage),
        reported=tuple(args.report),
    )
    value = {
        "answer_id": feedback.answer_id,
        "revision": feedback.revision,
        "rating": feedback.rating or "none",
        "reasons": list(feedback.reasons),
        "comment": feedback.comment,
        "correction": feedback.correction,
        "passage": None if feedback.passage is None else asdict(feedback.passage),
        "reported": list(feedback.reported),
    }
    emit(args, value, f"Saved as revision {feedback.revision}.")
    return 0


def _passage(text: str) -> Relevant:
    """The span that answers the question, as JSON: what ``search`` prints of a passage will do."""
    try:
        value = json.loads(text)
        document, start, end = value["document_id"], value["start"], value["end"]
        rest = {key: value[key] for key in ("source", "text") if key in value}
        kinds = isinstance(document, str) and all(isinstance(part, str) for part in rest.values())
        if not kinds or not all(isinstance(at, int) and not isinstance(at, bool) for at in (start, end)):
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError(
            "--passage takes a JSON object with document_id, start and end (whole numbers), and source and "
            "text where they are known."
        ) from None
    return Relevant(document, start, end, **rest)


# --- look into ----------------------------------------------------------------------


def _topics(engine: Engine, args: argparse.Namespace) -> int:
    insights = Insights(engine)
    insights.group(args.prototype, show.steps(quiet=args.quiet))
    rows = [{"topic": name, "answers": count} for name, count in insights.topics(args.prototype)]
    text = "\n".join(f"{row['answers']:6,}  {row['topic']}" for row in rows)
    few = f"There are too few different questions to “{args.prototype}” for topics: it takes {FEWEST}."
    emit(args, {"prototype": args.prototype, "topics": rows}, text or few)
    return 0


def _triage(engine: Engine, args: argparse.Namespace) -> int:
    if args.named is not None:
        engine.prototype(args.named)  # a typing error must not pass for "no thumb down"
    done = Insights(engine).triage(show.steps(quiet=args.quiet))
    wanted = Query(Selection(prototype=args.named))
    found = {str(failure): count for failure, count in engine.store.digest.failures(wanted).items()}
    text = "\n".join(f"{count:6,}  {failure}" for failure, count in found.items())
    emit(args, {"looked_at": done, "failures": found}, text or "There is no thumb down to look at.")
    return 0
