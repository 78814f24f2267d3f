"""``python -m rag feedback erase`` and ``retain``."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from rag.commands import Actions, Add, emit
from rag.engine import Engine
from rag.errors import UsageError
from rag.retention import older_than
from rag.store import Erased


def register(actions: Actions, command: Add) -> None:
    """Add both to the sub-commands of ``feedback``."""
    erase = command(actions, "erase", _erase, "Erase a conversation, and what was said of its answers.")
    erase.add_argument("conversation_id", metavar="CONVERSATION_ID")

    text = "Erase answers and feedback older than the retention period. Of every prototype, or the named one."
    retain = command(actions, "retain", _retain, text)
    retain.add_argument(
        "--older-than", type=float, metavar="DAYS", help="instead of THUMBPRINT_RETENTION_DAYS"
    )
    retain.add_argument("--dry-run", action="store_true", help="only say what would be erased")


def _erase(engine: Engine, args: argparse.Namespace) -> int:
    erased = engine.store.erase_conversation(args.conversation_id)
    left, there = _elsewhere(engine)
    value = {"conversation_id": args.conversation_id, **asdict(erased), "waiting": left}
    emit(args, value, f"Erased {_in_words(erased)}.{there}")
    return 1 if left else 0


def _retain(engine: Engine, args: argparse.Namespace) -> int:
    days = engine.environment.retention_days if args.older_than is None else args.older_than
    if days is None:
        raise UsageError("Set THUMBPRINT_RETENTION_DAYS, or give a period with --older-than DAYS.")
    if not 0 < days <= 36_500:
        raise UsageError("--older-than takes a number of days above 0.")
    until = older_than(days)
    left, there = 0, ""
    if args.dry_run:
        erased = engine.store.count_before(until, args.named)
    else:
        erased = engine.store.erase_before(until, args.named)
        left, there = _elsewhere(engine)
    value = {
        "days": days,
        "dry_run": args.dry_run,
        "prototype": args.named,
        **asdict(erased),
        "waiting": left,
    }
    verb = "Would erase" if args.dry_run else "Erased"
    meant = f"what is older than {days:g} days"
    if args.named is not None:
        meant += f" in “{args.named}”"
    emit(args, value, f"{verb} {meant}: {_in_words(erased)}.{there}")
    return 1 if left else 0


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


def _elsewhere(engine: Engine) -> tuple[int, str]:
    """Have Supabase erase the same: how many erasures wait for it, and a sentence."""
    if not engine.delivery.configured:
        return 0, ""
    problem = engine.delivery.deliver().problem
    standing = engine.delivery.standing()
    left = standing.waiting.erasures
    if not left:
        return 0, " Supabase has erased it too."
    why = problem or (
        "they are carried out when Supabase answers." if standing.owner else "set SUPABASE_SECRET_KEY."
    )
    return (
        left,
        f" In Supabase {left:,} erasure{'' if left == 1 else 's'} wait{'s' if left == 1 else ''}: {why}",
    )
