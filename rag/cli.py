"""The command line, whose JSON is kept stable.

With ``--json`` nothing but the result goes to stdout; everything else goes to stderr.
Exit codes: 0 done (an honest "I don't know" is done), 1 done in part or refused with a
reason, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rag import show
from rag.commands import Run, emit, feedback, links, owner
from rag.config import DEFAULT_PROTOTYPE, Environment, Settings, parse_assignments, with_settings
from rag.doctor import examine
from rag.engine import Engine
from rag.errors import NotFound, ThumbprintError, UsageError
from rag.filters import parse
from rag.prototypes import list_names
from rag.store import Selection, Store
from rag.types import Turn, Where

MAX_CLAIM, MAX_SOURCE = 2_000, 200_000
"""Characters of what ``check`` compares: a sentence, and a long document."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    defaults = argparse.Namespace(prototype=None, json=False, quiet=False)
    args = _parser().parse_args(arguments, defaults)
    args.named = args.prototype  # for the commands that mean all of them where none is named
    if args.prototype is None:
        args.prototype = DEFAULT_PROTOTYPE
    # A pipe may be of another encoding than the documents; nothing printed may fail on it.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        engine = Engine(Environment.load())
        _check_named(engine, args)
        code: int = args.run(engine, args)
        sys.stdout.flush()
        return code
    except UsageError as error:
        return _complain(str(error), 2)
    except ThumbprintError as error:
        return _complain(str(error), 1)
    except KeyboardInterrupt:
        return _complain("Stopped. What was finished is kept; run it again to go on.", 1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # a reader such as `head` left
        return 1
    except OSError as error:
        return _complain(f"The disk refused ({error.strerror or error}). Check the path and its rights.", 1)


def _check_named(engine: Engine, args: argparse.Namespace) -> None:
    """Raises :class:`PrototypeError` for a name that nobody knows: it must not pass for "nothing there".

    ``ingest`` makes what it names, and ``doctor`` says so itself among the rest. What was recorded of a
    prototype whose folder is gone can still be listed and erased.
    """
    home = engine.environment.home
    if args.named is None or args.run in (_ingest, _doctor) or args.named in list_names(home):
        return
    if not home.is_dir() or not _recorded(engine.store, args.named):
        engine.prototype(args.named)  # raises, and says which there are


def _recorded(store: Store, name: str) -> bool:
    """Whether the store has answers or links of a prototype."""
    return store.count(Selection(prototype=name)) > 0 or any(
        link.prototype == name for link in store.links.all()
    )


def _complain(message: str, code: int) -> int:
    print(show.printable(message), file=sys.stderr)
    return code


# --- ingest and documents ------------------------------------------------------


def _ingest(engine: Engine, args: argparse.Namespace) -> int:
    paths = [Path(path) for path in args.paths]
    with show.terminal_progress(quiet=args.quiet) as progress:
        result = engine.ingest(args.prototype, paths, prune=args.prune, progress=progress)
    emit(args, show.ingest_json(result), show.ingest_text(result))
    return 1 if result.failed else 0


def _documents_list(engine: Engine, args: argparse.Namespace) -> int:
    records = engine.records(_ready(engine, args))
    ordered = sorted(records.values(), key=lambda r: (r.source, r.id))
    rows = [show.record_json(record) for record in ordered]
    emit(args, rows, "\n".join(f"{r['document_id']}  {r['source']}  {r['title']}" for r in rows))
    return 0


def _documents_show(engine: Engine, args: argparse.Namespace) -> int:
    prototype = _ready(engine, args)
    record = engine.records(prototype).get(args.id)
    if record is None:
        raise NotFound(f"There is no document “{args.id}” in “{args.prototype}”.")
    chunks = engine.library(prototype).index.document_chunks(args.id)
    text = record.lead + "".join(chunk.text + chunk.gap for chunk in chunks)
    value = show.document_json(record, chunks, text)
    emit(args, value, text)
    return 0


def _documents_delete(engine: Engine, args: argparse.Namespace) -> int:
    _ready(engine, args)
    engine.delete_document(args.prototype, args.id)
    emit(args, {"deleted": args.id}, f"Deleted {args.id}.")
    return 0


def _reindex(engine: Engine, args: argparse.Namespace) -> int:
    settings = parse_assignments(args.set)
    _ready(engine, args)
    with show.terminal_progress(quiet=args.quiet) as progress:
        result = engine.reindex(args.prototype, settings, progress=progress)
    prototype = engine.prototype(args.prototype)
    version = engine.library(prototype).index.facts().get("index_version", "")
    value = show.reindex_json(result, prototype.settings, version)
    emit(args, value, show.reindex_text(result, prototype.settings))
    return 0


# --- search and ask -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Line:
    """One question of a batch, or what is wrong with its line."""

    id: str | None
    question: str = ""
    where: Where | None = None
    history: tuple[Turn, ...] = ()
    error: str = ""


def _search(engine: Engine, args: argparse.Namespace) -> int:
    settings = _settings(engine, args)

    def one(line: _Line) -> Any:
        return engine.search(
            args.prototype,
            line.question,
            where=_both(args.where, line.where),
            history=line.history,
            settings=settings,
            question_id=line.id,
        )

    return _answer_lines(args, one, show.search_json, show.search_text)


def _ask(engine: Engine, args: argparse.Namespace) -> int:
    settings = _settings(engine, args)

    def one(line: _Line) -> Any:
        response = engine.ask(
            args.prototype,
            line.question,
            where=_both(args.where, line.where),
            history=line.history,
            settings=settings,
            origin="batch" if args.queries else "command",
        )
        return line.id, response.answer

    return _answer_lines(args, one, show.ask_json, show.ask_text)


def _answer_lines(
    args: argparse.Namespace,
    one: Callable[[_Line], Any],
    as_json: Callable[[Any], Mapping[str, Any]],
    as_text: Callable[[Any], str],
) -> int:
    if not args.queries:
        result = one(_Line(None, args.question))
        emit(args, as_json(result), as_text(result))
        return 0
    code = 0
    for line in _read_lines(args.queries):
        error, result = line.error, None
        if not error:
            try:
                result = one(line)
            except ThumbprintError as problem:
                error = str(problem)
        if error:
            code = 1
            print(json.dumps({"id": line.id, "error": error}, ensure_ascii=False), flush=True)
        else:
            # A batch is for machines: one line of JSON a question, with or without --json.
            print(json.dumps(as_json(result), ensure_ascii=False, allow_nan=False), flush=True)
    return code


def _check(engine: Engine, args: argparse.Namespace) -> int:
    judge = engine.judge(args.prototype)
    code = 0
    for number, raw in _raw_lines(args.queries):
        line_id, error, value = None, "", {}
        try:
            value = _object(raw, number)
            line_id = _id(value)
            if not isinstance(value.get("claim"), str) or not isinstance(value.get("source"), str):
                raise ValueError("it needs a “claim” and a “source”, both texts")
            if len(value["claim"]) > MAX_CLAIM or len(value["source"]) > MAX_SOURCE:
                raise ValueError(f"a claim has at most {MAX_CLAIM:,} characters, a source {MAX_SOURCE:,}")
        except (ValueError, RecursionError) as problem:
            error = f"Line {number} cannot be read: {_reason(problem)}."
        if error:
            code = 1
            print(json.dumps({"id": line_id, "error": error}, ensure_ascii=False), flush=True)
            continue
        found = judge(value["claim"], value["source"])
        row = {"id": line_id, "verdict": found.verdict, "score": found.score, "reasons": list(found.reasons)}
        print(json.dumps(row, ensure_ascii=False, allow_nan=False), flush=True)
    return code


def _read_lines(path: str) -> Iterator[_Line]:
    for number, raw in _raw_lines(path):
        yield _parse_line(raw, number)


def _raw_lines(path: str) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that are not empty, counted from 1."""
    try:
        with open(path, "rb") if path != "-" else sys.stdin.buffer as file:
            for number, raw in enumerate(file, 1):
                if raw.strip():
                    yield number, raw
    except OSError as error:
        raise UsageError(f"The file {path} could not be read ({error.strerror}).") from None


def _object(raw: bytes, number: int) -> dict[str, Any]:
    value = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")
    return value


def _id(value: Mapping[str, Any]) -> str | None:
    if value.get("id") is None:
        return None
    if not isinstance(value["id"], str | int):
        raise ValueError("its “id” is neither text nor a whole number")
    return str(value["id"])


def _reason(error: Exception) -> object:
    return "it is not JSON" if isinstance(error, json.JSONDecodeError | UnicodeDecodeError) else error


def _parse_line(raw: bytes, number: int) -> _Line:
    """A bad line keeps its id where it has one, so that its place is known."""
    line_id: str | None = None
    try:
        value = _object(raw, number)
        line_id = _id(value)
        if not isinstance(value.get("question"), str):
            raise ValueError("it has no “question”")
        where = value.get("where")
        if where is not None and not isinstance(where, dict):
            raise ValueError("its “where” is not an object")
        history = value.get("history") or []
        if not isinstance(history, list) or not all(isinstance(turn, dict) for turn in history):
            raise ValueError("its “history” is not a list of turns")
        turns = tuple(Turn(turn["question"], turn.get("text") or "") for turn in history)
        if not all(isinstance(t.question, str) and isinstance(t.text, str) for t in turns):
            raise ValueError("its “history” has a turn that is not text")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = _reason(error)
        reason = "its “history” has a turn without a question" if isinstance(error, KeyError) else reason
        return _Line(line_id, error=f"Line {number} cannot be read: {reason}.")
    return _Line(line_id, value["question"], where, turns)


def _both(first: Where | None, second: Where | None) -> Where | None:
    return {"$and": [first, second]} if first and second else first or second


def _settings(engine: Engine, args: argparse.Namespace) -> Settings:
    if (args.question is None) == (args.queries is None):
        raise UsageError("Give one question, or a file of them with --queries.")
    if args.k is not None and args.budget is not None:
        raise UsageError("--k and --budget exclude each other: one counts passages, the other tokens.")
    if args.budget is not None and args.budget < 1:
        raise UsageError("--budget takes a number of tokens above 0.")
    if args.where is not None:
        args.where = _where(args.where)
    changes: dict[str, Any] = parse_assignments(args.set)
    options = {"k": args.k, "budget": args.budget, "rerank": args.rerank}
    changes |= {key: value for key, value in options.items() if value is not None}
    if args.k is not None:
        changes["budget"] = 0
    # What is wrong with the call is said before anything slow is begun.
    settings = with_settings(engine.prototype(args.prototype).settings, changes)
    _ready(engine, args)
    return settings


def _where(text: str) -> Where:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UsageError('--where takes a filter as a JSON object, for example \'{"price": {"$lt": 15}}\'.')
    parse(value)
    return value


def _ready(engine: Engine, args: argparse.Namespace) -> Any:
    """The prototype, with its own documents ingested."""
    with show.terminal_progress(quiet=args.quiet) as progress:
        return engine.ready(args.prototype, progress)


# --- prototypes, fit, doctor -------------------------------------------------


def _prototypes(engine: Engine, args: argparse.Namespace) -> int:
    found, problems = engine.prototypes()
    rows = [
        {"name": p.name, "title": p.title, "description": p.description, "ready_made": p.ready_made}
        for p in found
    ]
    emit(args, rows, "\n".join(f"{r['name']:12} {r['title']}: {r['description']}" for r in rows))
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _fit(engine: Engine, args: argparse.Namespace) -> int:
    from rag.fit import fit
    from rag.fit.write import as_json, as_text, as_toml

    def say(line: str) -> None:
        if not args.quiet:
            print(line, file=sys.stderr, flush=True)

    def fresh(home: Path) -> Engine:
        return Engine(replace(engine.environment, home=home, chroma_host=None, chroma_api_key=None))

    fitted = fit(fresh, Path(args.data), say)
    if args.out:
        today = datetime.now(UTC).date().isoformat()
        Path(args.out).write_text(as_toml(fitted, today), encoding="utf-8")
    emit(args, as_json(fitted), as_text(fitted))
    return 0


def _doctor(engine: Engine, args: argparse.Namespace) -> int:
    checks = examine(engine, args.prototype, mend=args.mend)
    value = {
        "prototype": args.prototype,
        "ok": all(c.ok for c in checks),
        "checks": [
            {
                "name": c.name,
                "ok": c.ok,
                "message": c.message,
                **({"figures": dict(c.figures)} if c.figures else {}),
            }
            for c in checks
        ],
    }
    emit(args, value, "\n".join(f"{'ok  ' if c.ok else 'FAIL'} {c.name}: {c.message}" for c in checks))
    return 0 if value["ok"] else 1


# --- the parser -------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    # Without defaults of their own, so that they may stand before the command and after it.
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--prototype", metavar="NAME", help=f"default: {DEFAULT_PROTOTYPE}")
    common.add_argument("--json", action="store_true", help="machine-readable on stdout")
    common.add_argument("--quiet", action="store_true", help="no progress bar")
    parser = argparse.ArgumentParser(
        prog="python -m rag", parents=[common], description="Ask a folder of documents.", allow_abbrev=False
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(where: Any, name: str, run: Run, text: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = where.add_parser(
            name, parents=[common], help=text, description=text, allow_abbrev=False
        )
        made.set_defaults(run=run)
        return made

    ingest = command(commands, "ingest", _ingest, "Add files and folders.")
    ingest.add_argument("paths", nargs="+", metavar="PATH")
    ingest.add_argument("--prune", action="store_true", help="remove documents of files that are not there")

    text = "List, show and delete documents."
    documents = commands.add_parser("documents", parents=[common], help=text, description=text)
    actions = documents.add_subparsers(required=True, metavar="ACTION")
    command(actions, "list", _documents_list, "List the documents.")
    command(actions, "show", _documents_show, "Show a document's text and sections.").add_argument("id")
    command(actions, "delete", _documents_delete, "Delete a document.").add_argument("id")

    text = "Build the index anew beside the old one, which answers until it is complete."
    reindex = command(commands, "reindex", _reindex, text)
    reindex.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="chunking.section_tokens, embedding.model",
    )

    for name, run, text in (
        ("search", _search, "Find passages."),
        ("ask", _ask, "Answer with citations."),
    ):
        made = command(commands, name, run, text)
        made.add_argument("question", nargs="?")
        made.add_argument("--queries", metavar="FILE", help="JSON Lines of questions; - for standard input")
        made.add_argument("--k", type=int, help="passages (default 5)")
        made.add_argument("--budget", type=int, metavar="TOKENS", help="the best text that fits")
        made.add_argument("--where", metavar="JSON", help="a metadata filter")
        made.add_argument("--rerank", metavar="NAME", help="none, late, cross or cohere")
        made.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")

    check = command(commands, "check", _check, "Say whether sources support claims.")
    check.add_argument("--queries", metavar="FILE", required=True, help="JSON Lines of claims; - for stdin")

    command(commands, "prototypes", _prototypes, "List the prototypes.")

    family = commands.add_parser("feedback", parents=[common], help=feedback.TEXT, description=feedback.TEXT)
    feedback.register(family.add_subparsers(required=True, metavar="ACTION"), command)
    family = commands.add_parser("links", parents=[common], help=links.TEXT, description=links.TEXT)
    links.register(family.add_subparsers(required=True, metavar="ACTION"), command)
    family = commands.add_parser("owner", parents=[common], help=owner.TEXT, description=owner.TEXT)
    owner.register(family.add_subparsers(required=True, metavar="ACTION"), command)

    fitting = command(
        commands, "fit", _fit, "Fit the weights of the signals and the confidence on labelled questions."
    )
    fitting.add_argument("data", metavar="DATA", help="a folder of sets: documents, and questions about them")
    fitting.add_argument("--out", metavar="FILE", help="write the weights here (in use: rag/weights.toml)")

    doctor = command(commands, "doctor", _doctor, "Check the installation, and check and mend the indexes.")
    doctor.add_argument(
        "--mend", action=argparse.BooleanOptionalAction, default=True, help="repair the indexes (default)"
    )
    return parser
