"""Prototypes: a folder each, with a ``prototype.toml`` that says how it looks and behaves.

Ready-made ones lie in ``prototypes/`` beside this package; a person's own lie in
``THUMBPRINT_HOME/prototypes/`` and win over a ready-made one of the same name.
"""

from __future__ import annotations

import os
import re
import threading
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from rag.config import DEFAULT_PROTOTYPE, Settings, with_settings
from rag.errors import PrototypeError, ThumbprintError, UsageError

READY_MADE = Path(__file__).resolve().parent.parent / "prototypes"
FacetKind = Literal["choice", "list", "range", "date"]
_KINDS = ("choice", "list", "range", "date")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True)
class Facet:
    """A metadata key that readers may filter by.

    ``choice``: one value a document, shown as pills; ``list``: several values a
    document; ``range``: numbers; ``date``: Unix seconds.
    """

    key: str
    label: str
    kind: FacetKind
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Prototype:
    """What ``prototype.toml`` says, and where it lies.

    ``csv`` maps a file name to the options of the CSV reader. ``settings`` are the
    defaults with the prototype's own on top.
    """

    name: str
    folder: Path
    title: str
    icon: str = "📄"
    description: str = ""
    greeting: str = ""
    suggestions: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    accent: str = "#3B5BDB"
    ready_made: bool = False
    settings: Settings = field(default_factory=Settings)
    facets: tuple[Facet, ...] = ()
    csv: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    notice: str = ""
    """What readers are told about what is recorded; see :mod:`rag.privacy`."""

    @property
    def document_paths(self) -> list[Path]:
        """The files and folders that the prototype brings with it."""
        return [self.folder / name for name in self.documents]


def check_name(name: str) -> str:
    """``name`` if it can name a prototype; raises :class:`UsageError` if not."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"“{name}” cannot name a prototype: use up to 63 lower-case letters, digits, dashes and "
            "underscores, beginning with a letter or a digit."
        )
    return name


def load_prototype(name: str, home: Path, overrides: Mapping[str, Any] | None = None) -> Prototype:
    """The prototype of that name.

    ``overrides`` (the environment's layer) go on top of its own settings. Raises
    :class:`PrototypeError` where there is none, or its file does not load.
    """
    roots = (home / "prototypes", READY_MADE) if _NAME.fullmatch(name) else ()
    for root in roots:
        path = root / name / "prototype.toml"
        if path.is_file():
            return _once(name, path, overrides or {}, ready_made=root is READY_MADE)
    known = ", ".join(list_names(home)) or "none yet"
    raise PrototypeError(f"There is no prototype “{name}”. Known: {known}. To make it: ingest files into it.")


def list_names(home: Path) -> list[str]:
    """Names of all prototypes, the ready-made ones first, and of those the default one."""
    names: list[str] = []
    for root in (READY_MADE, home / "prototypes"):
        found = sorted(
            (p.parent.name for p in root.glob("*/prototype.toml") if _NAME.fullmatch(p.parent.name)),
            key=lambda name: (name != DEFAULT_PROTOTYPE, name),
        )
        names.extend(n for n in found if n not in names)
    return names


def list_prototypes(
    home: Path, overrides: Mapping[str, Any] | None = None
) -> tuple[list[Prototype], list[str]]:
    """All prototypes that load, and a sentence for each that does not."""
    loaded: list[Prototype] = []
    problems: list[str] = []
    for name in list_names(home):
        try:
            loaded.append(load_prototype(name, home, overrides))
        except ThumbprintError as error:
            problems.append(str(error))
    return loaded, problems


def create_prototype(name: str, home: Path) -> Prototype:
    """Make a plain prototype of that name under ``home`` and return it.

    Raises :class:`UsageError` for a name that cannot be one, :class:`PrototypeError` where
    the disk refuses.
    """
    folder = home / "prototypes" / check_name(name)
    path = folder / "prototype.toml"
    title = name.replace("-", " ").replace("_", " ").capitalize()
    text = f'title = "{title}"\nicon = "📄"\ngreeting = "Ask a question about these documents."\n'
    try:
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            temporary = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(path)  # another process sees the whole file or none
    except OSError as error:
        raise PrototypeError(
            f"The prototype “{name}” cannot be made in {home} ({error.strerror}). Set THUMBPRINT_HOME to a "
            "folder that may be written."
        ) from None
    return load_prototype(name, home)  # another process may have made it meanwhile


_known: dict[tuple[str, Path, str], tuple[tuple[int, ...], Prototype]] = {}


def _once(name: str, path: Path, overrides: Mapping[str, Any], *, ready_made: bool) -> Prototype:
    """:func:`_read`, again only when the file has changed: every question asks for its prototype."""
    key = (name, path, repr(overrides))
    seen: tuple[int, ...] = ()
    try:
        found = path.stat()
        seen = (found.st_mtime_ns, found.st_ino, found.st_size)
    except OSError:
        pass  # said below
    known = _known.get(key)
    if known is None or not seen or known[0] != seen:
        if len(_known) > 200:
            _known.clear()
        known = _known[key] = (seen, _read(name, path, overrides, ready_made=ready_made))
    return known[1]


def _read(name: str, path: Path, overrides: Mapping[str, Any], *, ready_made: bool) -> Prototype:
    def wrong(why: str) -> PrototypeError:
        return PrototypeError(f"The prototype “{name}” does not load: {why}. Mend its prototype.toml.")

    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise wrong(str(error).splitlines()[0].rstrip(".")) from None

    def text(key: str, default: str = "") -> str:
        value = table.get(key, default)
        if not isinstance(value, str):
            raise wrong(f"“{key}” must be text")
        return value

    def texts(key: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise wrong(f"“{key}” must be a list of texts")
        return tuple(value)

    documents = texts("documents")
    for document in documents:
        if Path(document).is_absolute() or ".." in Path(document).parts:
            raise wrong(f"the document “{document}” lies outside its folder")
    accent = text("accent", "#3B5BDB")
    if not _COLOUR.fullmatch(accent):
        raise wrong("“accent” must be a colour such as #3B5BDB")
    own = table.get("settings", {})
    if not isinstance(own, Mapping):
        raise wrong("“settings” must be a table")
    try:
        settings = with_settings(with_settings(Settings(), own), overrides)
    except UsageError as error:
        raise wrong(str(error).rstrip(".")) from None
    return Prototype(
        name=name,
        folder=path.parent,
        title=text("title", name),
        icon=text("icon", "📄"),
        description=text("description"),
        greeting=text("greeting"),
        suggestions=texts("suggestions"),
        documents=documents,
        accent=accent,
        ready_made=ready_made,
        settings=settings,
        facets=_facets(table.get("facets", {}), wrong),
        csv=_tables(table.get("csv", {}), "csv", wrong),
        notice=text("notice").strip(),
    )


def _facets(table: Any, wrong: Any) -> tuple[Facet, ...]:
    facets: list[Facet] = []
    for key, facet in _tables(table, "facets", wrong).items():
        kind = facet.get("kind", "choice")
        if kind not in _KINDS:
            raise wrong(f"the facet “{key}” has the kind “{kind}”; the kinds are {', '.join(_KINDS)}")
        label, unit = facet.get("label", key.replace("_", " ").capitalize()), facet.get("unit", "")
        facets.append(Facet(key=key, label=str(label), kind=kind, unit=str(unit)))
    return tuple(facets)


def _tables(value: Any, name: str, wrong: Any) -> Mapping[str, Mapping[str, Any]]:
    if not isinstance(value, Mapping) or not all(isinstance(v, Mapping) for v in value.values()):
        raise wrong(f"“{name}” must be a table of tables")
    return value
