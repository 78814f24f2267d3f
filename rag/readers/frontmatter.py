"""Metadata at the head of a Markdown file: YAML between ``---`` lines, TOML between ``+++``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from rag.errors import ReadError
from rag.readers.metadata import clean_metadata
from rag.readers.structure import Span, lines
from rag.types import MetaValue

_MAX_CHARS = 64_000
"""Longer than this, it is text between two rules."""
_LOOKS_DECLARED = re.compile(r"\s*(?:#[^\n]*\s+)*[\w\"'-][^\n:=]{0,60}[:=]")
_ALIAS = re.compile(r"(?:^|[\s\[{,])\*[A-Za-z0-9_]", re.MULTILINE)
_COMPACT = re.compile(r"(?:[-?:] +){20}|[\[{](?:\s*[\[{]){20}")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """``end`` is where the text goes on. ``error`` is set, and ``inner`` is the span of what was
    ignored, where it is meant as front matter but does not parse."""

    end: int = 0
    title: str | None = None
    metadata: Mapping[str, MetaValue] = field(default_factory=dict)
    error: str | None = None
    inner: Span = (0, 0)


def front_matter(text: str) -> FrontMatter:
    """What the text declares at its head; an empty one (``end == 0``) where it declares nothing.

    Text between two rules that is no mapping is text, and no error.
    """
    span = _find(text)
    if span is None:
        return FrontMatter()
    start, stop, end, is_toml = span
    inner = text[start:stop]
    try:
        declared = tomllib.loads(inner.replace("\r\n", "\n")) if is_toml else _load_yaml(inner)
        if declared is None:  # "---" and "---" with nothing, or comments, between them
            return FrontMatter(end)
        if not isinstance(declared, Mapping):
            return FrontMatter()
        title, metadata = clean_metadata(declared)
    except (yaml.YAMLError, tomllib.TOMLDecodeError, ReadError, ValueError, RecursionError) as error:
        if not is_toml and _LOOKS_DECLARED.match(inner) is None:
            return FrontMatter()
        name = "TOML" if is_toml else "YAML"
        return FrontMatter(
            end,
            error=f"The front matter is not valid {name} and was ignored: {_reason(error)}.",
            inner=(start, stop),
        )
    return FrontMatter(end, title, metadata)


def _find(text: str) -> tuple[int, int, int, bool] | None:
    """Where the front matter's inside begins and ends, where the text goes on, whether it is TOML."""
    start = text.startswith("\ufeff")
    if not text.startswith(("---", "+++"), start):
        return None
    mark = text[start : start + 3]
    ends = (mark,) if mark == "+++" else ("---", "...")
    first = True
    inner = 0
    for begin, stop in lines(text, int(start)):
        if begin - inner > _MAX_CHARS and not first:
            return None
        line = text[begin:stop].rstrip(" \t")
        if first:
            if line != mark:
                return None
            first = False
            inner = _next_line(text, stop)
        elif line in ends:
            return inner, begin, _next_line(text, stop), mark == "+++"
    return None


def _next_line(text: str, end: int) -> int:
    if text.startswith("\r\n", end):
        return end + 2
    return min(end + 1, len(text))


class _Dates:
    """Timestamps as YAML reads them, but as text where they are no moment (the 30th of February)."""

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> object:
        try:
            return super().construct_yaml_timestamp(node)  # type: ignore[misc]
        except (ValueError, OverflowError):
            return node.value


class _FastLoader(_Dates, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    pass


class _CarefulLoader(_Dates, yaml.SafeLoader):  # type: ignore[misc]
    """For what could make the compiled loader overflow its stack, or a small file grow."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        return super().compose_node(parent, index)


for _loader in (_FastLoader, _CarefulLoader):
    _loader.add_constructor("tag:yaml.org,2002:timestamp", _loader.construct_yaml_timestamp)


def _load_yaml(text: str) -> object:
    risky = _ALIAS.search(text) or _COMPACT.search(text) or text.count("[") + text.count("{") > 500
    return yaml.load(text, Loader=_CarefulLoader if risky else _FastLoader)  # both are safe loaders


def _reason(error: Exception) -> str:
    """The parser's own words and its line, on one line."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    problem = getattr(error, "problem", None) or str(error)
    mark = getattr(error, "problem_mark", None)
    place = f" (line {mark.line + 2})" if mark is not None else ""
    return " ".join(str(problem).split())[:200].rstrip(".") + place
