"""``python -m rag feedback export``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

from rag.commands import Actions, Add, emit
from rag.dates import iso_to_seconds
from rag.engine import Engine
from rag.errors import UsageError
from rag.export import FORMATS, Exported, Ids, Labels, Options, Progress, PromptForm, export
from rag.retention import DAY
from rag.store import Selection
from rag.types import Origin


def register(actions: Actions, command: Add) -> None:
    """Add ``export`` to the sub-commands of ``feedback``."""
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
