"""``python -m rag owner``: who the owner of this installation is."""

from __future__ import annotations

import argparse

from rag.access import Owner, hash_password
from rag.commands import Actions, Add, emit
from rag.commands.links import read_password
from rag.engine import Engine

TEXT = "Make the owner's password, or take a browser's claim back."


def register(actions: Actions, command: Add) -> None:
    """Add the sub-commands of ``owner``."""
    command(actions, "hash", _hash, "Ask for a password (or read it from stdin) and print its hash.")
    command(actions, "reset", _reset, "Forget the owner's browser, end all sessions, lift lock-outs.")


def _hash(engine: Engine, args: argparse.Namespace) -> int:
    hashed = hash_password(read_password("Password of the owner: "))
    emit(args, {"hash": hashed}, f'THUMBPRINT_OWNER_PASSWORD = "{hashed}"')
    return 0


def _reset(engine: Engine, args: argparse.Namespace) -> int:
    environment = engine.environment
    claimed = Owner(lambda: engine.store, environment.owner_password, environment.owner_hours).reset()
    text = "The claim is taken back: the next browser to open an owner's page makes one."
    emit(
        args, {"was_claimed": claimed}, text if claimed else "No browser had claimed it. Sessions are ended."
    )
    return 0
