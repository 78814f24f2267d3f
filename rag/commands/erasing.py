"""``python -m rag feedback erase`` and ``retain``."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from rag.commands import Actions, Add, emit
from rag.engine import Engine
from rag.errors import UsageError
from rag.privacy import has_copy
from rag.retention import older_than
from rag.store import Erased


def register(actions: Actions, command: Add) -> None:
    """Add both to the sub-commands of ``feedback``."""
    erase = command(actions, "erase", _erase, "Erase a conversation, and what was said of its answers.")
    erase.add_argument("conversation_id", metavar="CONVERSATION_ID")

    text = "Erase answers and feedback older than the retention period."
    retain = command(actions, "retain", _retain, text)
    retain.add_argument(
        "--older-than", type=float, metavar="DAYS", help="instead of THUMBPRINT_RETENTION_DAYS"
    )
    retain.add_argument("--dry-run", action="store_true", help="only say what would be erased")


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
