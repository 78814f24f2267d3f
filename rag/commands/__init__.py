"""Families of commands that have a module of their own, and what they share with :mod:`rag.cli`.

A family registers its sub-commands with the :class:`Add` that it is handed, and each of
them returns the exit code of the command line.
"""

from __future__ import annotations

import argparse
import json
from typing import Any, Protocol, TypeAlias

from rag import show
from rag.engine import Engine

Actions: TypeAlias = Any
"""What ``add_subparsers`` gives; argparse has no public name for it."""


class Run(Protocol):
    """One command: does it, prints the result, and returns the exit code."""

    def __call__(self, engine: Engine, args: argparse.Namespace, /) -> int: ...


class Add(Protocol):
    """Makes the parser of a command, with the options that every command takes."""

    def __call__(self, where: Actions, name: str, run: Run, text: str, /) -> argparse.ArgumentParser: ...


def emit(args: argparse.Namespace, value: Any, text: str) -> None:
    """Print what a command found: as JSON under ``--json``, otherwise in words."""
    print(json.dumps(value, ensure_ascii=False, allow_nan=False) if args.json else show.printable(text))
