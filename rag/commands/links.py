"""``python -m rag links``: links to a prototype under settings that stay."""

from __future__ import annotations

import argparse
import getpass
import re
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from rag.commands import Actions, Add, emit
from rag.config import parse_assignments, with_settings
from rag.engine import Engine
from rag.errors import UsageError
from rag.link import LinkReport, terms_json
from rag.links import Links
from rag.types import LinkCaps

TEXT = "Share a prototype by link, list the links, revoke one."

_SPAN = re.compile(r"(\d{1,5})([hdw])")
_SECONDS = {"h": 3_600, "d": 86_400, "w": 7 * 86_400}


def register(actions: Actions, command: Add) -> None:
    """Add the sub-commands of ``links``."""
    create = command(actions, "create", _create, "Make a link. Its address is printed once.")
    create.add_argument("--label", default="", help="for whom, for what; at most 100 characters")
    create.add_argument(
        "--expires", metavar="WHEN", help="12h, 7d, 4w, or a date such as 2027-01-31 (UTC); without it, never"
    )
    create.add_argument("--password", action="store_true", help="ask for a password, or read it from stdin")
    create.add_argument("--per-visitor", type=int, metavar="N", help="most questions of one visitor")
    create.add_argument("--per-day", type=int, metavar="N", help="most questions a day (UTC)")
    create.add_argument("--total", type=int, metavar="N", help="most questions in all")
    create.add_argument("--dollars", type=float, metavar="N", help="most US dollars for written answers")
    create.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    create.add_argument("--base", default="", metavar="URL", help="the address of the server")
    command(actions, "list", _list, "List the links and what came of them.")
    revoke = command(actions, "revoke", _revoke, "Revoke a link for good.")
    revoke.add_argument("link_id", metavar="LINK_ID")


def _create(engine: Engine, args: argparse.Namespace) -> int:
    expires = None if args.expires is None else moment(args.expires, time.time())
    password = read_password("Password of the link: ") if args.password else None
    settings = with_settings(engine.prototype(args.prototype).settings, parse_assignments(args.set))
    caps = LinkCaps(args.per_visitor, args.per_day, args.total, args.dollars)
    with closing(Links.of(engine)) as links:
        link, token = links.create(
            args.prototype, label=args.label, expires=expires, password=password, caps=caps, settings=settings
        )
    url = f"{args.base.rstrip('/')}/?link={token}"
    value = {
        "id": link.id,
        "prototype": link.prototype,
        "token": token,
        "url": url,
        "created": link.created,
        "kept_in": link.kept,
        **terms_json(link.terms),
    }
    emit(args, value, f"{url}\nIt is not shown again. To take it back: python -m rag links revoke {link.id}")
    return 0


def _list(engine: Engine, args: argparse.Namespace) -> int:
    with closing(Links.of(engine)) as links:
        reports = links.reports(args.named)
    rows = [report_json(report) for report in reports]
    emit(args, rows, "\n".join(map(_line, reports)) or "There are no links yet.")
    return 0


def _revoke(engine: Engine, args: argparse.Namespace) -> int:
    with closing(Links.of(engine)) as links:
        link = links.revoke(args.link_id)
    emit(args, {"id": link.id, "revoked": link.revoked}, f"Revoked {link.id}.")
    return 0


def report_json(report: LinkReport) -> dict[str, Any]:
    """A link and its figures, without its token (which nobody knows) and its password's hash."""
    link, figures = report.link, report.figures
    return {
        "id": link.id,
        "kind": link.kind,
        "prototype": link.prototype,
        "state": report.state,
        "created": link.created,
        "revoked": link.revoked,
        "kept_in": link.kept,
        **terms_json(link.terms),
        "index_version_now": report.index_version,
        "index_differs": report.index_differs,
        "problem": report.problem,
        "feedback": {
            "answers": figures.answers,
            "visitors": report.visitors,
            "up": figures.up,
            "down": figures.down,
            "abstained": figures.abstained,
            "dollars": figures.dollars,
            "last": figures.last,
            "index_versions": list(figures.index_versions),
        },
    }


def _line(report: LinkReport) -> str:
    link, figures = report.link, report.figures
    name = link.terms.label or ("a conversation" if link.kind == "conversation" else "without a label")
    changed = ", documents changed" if report.index_differs else ""
    return (
        f"{link.id}  {report.state:8} {link.prototype:12} {name}: {figures.answers} answers, "
        f"{figures.up} up, {figures.down} down{changed}"
    )


def moment(text: str, now: float) -> float:
    """``12h``, ``7d``, ``4w`` from now, or the end of a date, as Unix seconds. Raises UsageError."""
    span = _SPAN.fullmatch(text)
    if span:
        return now + int(span[1]) * _SECONDS[span[2]]
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise UsageError(
            f"--expires takes a time such as 12h, 7d or 4w, or a date such as 2027-01-31, not “{text}”."
        ) from None
    return day.timestamp() + 86_400


def read_password(prompt: str) -> str:
    """A password typed without being shown, or the first line of what is piped in; never an argument,
    which other users of the machine could see."""
    if sys.stdin.isatty():
        typed = getpass.getpass(prompt)
        if typed != getpass.getpass("Again: "):
            raise UsageError("The two were not the same. Nothing was made.")
        return typed
    return sys.stdin.readline().rstrip("\r\n")
