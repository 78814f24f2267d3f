"""``python -m rag feedback``: what people thought of the answers, getting it out, and erasing it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from rag import show
from rag.commands import Actions, Add, delivery, emit
from rag.dates import iso_to_seconds
from rag.engine import Engine
from rag.errors import UsageError
from rag.export import FORMATS, Exported, Ids, Labels, Options, Progress, PromptForm, export
from rag.insights import Insights
from rag.privacy import has_copy
from rag.retention import DAY, older_than
from rag.store import Erased, Query, Selection
from rag.topics import FEWEST
from rag.types import Origin, Relevant

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

    text = (
        "Write answers and feedback in a format that other tools read. Of every prototype, or the named one."
    )
    out = command(actions, "export", _export, text)
    out.add_argument("--format", required=True, choices=tuple(FORMATS))
    out.add_argument(
        "--out", required=True, metavar="PATH", help="a file; a folder or .zip for beir and trec"
    )
    out.add_argument("--since", metavar="DATE", help="answers from then on (2026-05-01, or with a time; UTC)")
    out.add_argument(
        "--until", metavar="DATE", help="answers up to that day, which counts, or before that time"
    )
    out.add_argument("--link", metavar="ID", help="answers of visitors of that link")
    out.add_argument("--rating", choices=("up", "down", "rated", "none"), help="rated: either thumb")
    out.add_argument("--origin", action="append", default=[], choices=get_args(Origin))
    out.add_argument(
        "--ids",
        choices=get_args(Ids),
        default="keep",
        help="conversations and links: keep, hash or leave out",
    )
    out.add_argument("--redact", action="store_true", help="hide e-mail addresses, phone and card numbers")
    out.add_argument(
        "--labels", choices=get_args(Labels), default="named",
        help="beir, trec: passages that readers named, or also those cited by answers with a thumb up",
    )  # fmt: skip
    out.add_argument(
        "--prompt", choices=get_args(PromptForm), default="passages",
        help="kto, dpo: instructions, passages and question as a text or as messages, or the question alone",
    )  # fmt: skip

    erase = command(actions, "erase", _erase, "Erase a conversation, and what was said of its answers.")
    erase.add_argument("conversation_id", metavar="CONVERSATION_ID")

    text = "Erase answers and feedback older than the retention period."
    retain = command(actions, "retain", _retain, text)
    retain.add_argument(
        "--older-than", type=float, metavar="DAYS", help="instead of THUMBPRINT_RETENTION_DAYS"
    )
    retain.add_argument("--dry-run", action="store_true", help="only say what would be erased")

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


# --- export -------------------------------------------------------------------------


def _export(engine: Engine, args: argparse.Namespace) -> int:
    if args.named is not None:
        engine.prototype(args.named)  # a typing error must not make an empty file
    selection = Selection(
        prototype=args.named,
        link=args.link,
        since=_moment("--since", args.since),
        until=_moment("--until", args.until, whole_day=True),
        rating=args.rating,
        origins=tuple(args.origin),
    )
    options = Options(selection, ids=args.ids, redact=args.redact, labels=args.labels, prompt=args.prompt)
    with _bar(quiet=args.quiet) as report:
        done = export(engine.store, engine.shelf.home(), args.format, Path(args.out), options, report)
    value = {
        "format": done.format,
        "path": str(done.path),
        "prototype": args.named,
        "counts": dict(done.counts),
        "bytes": done.size,
        "seconds": {"total": round(done.seconds, 6)},
    }
    emit(args, value, _exported_text(done))
    return 0


def _exported_text(done: Exported) -> str:
    counts = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in done.counts.items())
    text = f"Wrote {done.path} ({FORMATS[done.format].title}, {done.size:,} bytes): {counts}."
    if done.counts.get("qrels") == 0:
        text += " No label yet: no reader named a passage. --labels cited also takes what liked answers cite."
    return text


def _moment(option: str, text: str | None, *, whole_day: bool = False) -> float | None:
    """A date or a time as Unix seconds; ``whole_day``: a date stands for its end."""
    if text is None:
        return None
    seconds = iso_to_seconds(text.strip())
    if seconds is None:
        raise UsageError(f"{option} takes a date such as 2026-05-01, or 2026-05-01T10:00, not “{text}”.")
    return seconds + DAY if whole_day and len(text.strip()) == 10 else seconds


@contextmanager
def _bar(*, quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """A progress bar on stderr, where that is a terminal."""
    if quiet:
        yield lambda _: None
        return
    from tqdm import tqdm

    bar: Any = None

    def report(progress: Progress) -> None:
        nonlocal bar
        if bar is None:
            bar = tqdm(total=progress.total, unit=" answers", file=sys.stderr, disable=None, smoothing=0.1)
        bar.total = progress.total
        bar.update(progress.done - bar.n)

    try:
        yield report
    finally:
        if bar is not None:
            bar.close()


# --- erase --------------------------------------------------------------------------


def _erase(engine: Engine, args: argparse.Namespace) -> int:
    erased = engine.store.erase_conversation(args.conversation_id)
    value = {"conversation_id": args.conversation_id, **asdict(erased)}
    emit(args, value, f"Erased {_in_words(erased)}.{_elsewhere(engine)}")
    return 0


def _retain(engine: Engine, args: argparse.Namespace) -> int:
    days = engine.environment.retention_days if args.older_than is None else args.older_than
    if days is None:
        raise UsageError("Set THUMBPRINT_RETENTION_DAYS, or give a period with --older-than DAYS.")
    if not 0 < days <= 36_500:
        raise UsageError("--older-than takes a number of days above 0.")
    until = older_than(days)
    store = engine.store
    erased = store.count_before(until) if args.dry_run else store.erase_before(until)
    value = {"days": days, "dry_run": args.dry_run, **asdict(erased)}
    verb = "Would erase" if args.dry_run else "Erased"
    rest = "" if args.dry_run or erased == Erased() else _elsewhere(engine)
    emit(args, value, f"{verb} what is older than {days:g} days: {_in_words(erased)}.{rest}")
    return 0


def _in_words(erased: Erased) -> str:
    """``1 conversation, 3 answers and 2 ratings``."""
    parts = [
        f"{count:,} {one if count == 1 else many}"
        for count, one, many in (
            (erased.conversations, "conversation", "conversations"),
            (erased.answers, "answer", "answers"),
            (erased.feedback, "rating", "ratings"),
        )
    ]
    return f"{parts[0]}, {parts[1]} and {parts[2]}"


def _elsewhere(engine: Engine) -> str:
    if has_copy(engine.environment):
        return " It is queued to be erased in Supabase too."
    return ""


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
    done = Insights(engine).triage(show.steps(quiet=args.quiet))
    found = {str(failure): count for failure, count in engine.store.digest.failures(Query()).items()}
    text = "\n".join(f"{count:6,}  {failure}" for failure, count in found.items())
    emit(args, {"looked_at": done, "failures": found}, text or "There is no thumb down to look at.")
    return 0
