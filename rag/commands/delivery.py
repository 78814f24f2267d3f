"""Delivery to Supabase by command: ``feedback status``, ``deliver``, ``retry`` and ``pull``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from rag.commands import Actions, Add, emit
from rag.engine import Engine
from rag.standing import Standing


def register(actions: Actions, command: Add) -> None:
    """Add the commands to those of ``feedback``."""
    command(actions, "status", _status, "Say what waits for Supabase, and what it does not take.")
    command(actions, "deliver", _deliver, "Deliver to Supabase what waits, and say how much it was.")
    command(actions, "retry", _retry, "Try again what Supabase did not take.")
    command(actions, "pull", _pull, "Copy what other machines delivered; takes the owner's key.")


def _status(engine: Engine, args: argparse.Namespace) -> int:
    standing = engine.delivery.standing()
    aside = [
        {"kind": row.kind, "id": row.row_id, "reason": row.reason} for row in engine.store.outbox.refused()
    ]
    lines = [*standing.sentences, *(f"{row['kind']} {row['id']}: {row['reason']}" for row in aside)]
    emit(args, {**_counts(standing), "set_aside": aside}, "\n".join(lines))
    return 0


def _deliver(engine: Engine, args: argparse.Namespace) -> int:
    done = engine.delivery.deliver()
    standing = engine.delivery.standing()
    value = {"delivered": done.rows, **_counts(standing), "problem": done.problem}
    lines = [f"Delivered {done.rows:,}.", *standing.sentences]
    if done.problem and done.problem not in lines:
        lines.append(done.problem)
    emit(args, value, "\n".join(lines))
    return 1 if done.problem or done.refused or standing.waiting.rows else 0


def _retry(engine: Engine, args: argparse.Namespace) -> int:
    again = engine.delivery.retry()
    if not engine.delivery.configured:
        emit(args, {"again": again}, f"{again:,} wait again, until a Supabase project is set up.")
        return 0
    if not args.json:
        print(f"{again:,} wait again.")
    return _deliver(engine, args)


def _pull(engine: Engine, args: argparse.Namespace) -> int:
    came = engine.delivery.pull()
    text = f"Copied {came.taken:,} rows of other machines."
    if came.skipped:
        text += f" {came.skipped:,} were passed over: malformed, or of what is not here."
    emit(args, {"copied": came.taken, "skipped": came.skipped}, text)
    return 0


def _counts(standing: Standing) -> Mapping[str, Any]:
    waiting = standing.waiting
    return {
        "configured": standing.configured,
        "waiting": waiting.rows,
        "links": waiting.links,
        "erasures": waiting.erasures,
        "refused": waiting.refused,
        "problem": waiting.problem,
    }
