"""Filters and metadata in words, under the labels and units that a prototype declares."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rag.dates import seconds_to_iso
from rag.prototypes import Facet
from rag.types import Metadata, Where

_COMPARISONS = {"$gt": "over", "$gte": "from", "$lt": "under", "$lte": "up to", "$eq": "", "$ne": "not"}
_DATES = {"$gt": "after", "$gte": "since", "$lt": "before", "$lte": "until"}


def filter_words(where: Where | None, facets: Sequence[Facet]) -> list[str]:
    """One phrase for each condition of a filter: ``Country: Portugal or Spain``."""
    declared = {facet.key: facet for facet in facets}
    phrases: list[str] = []
    for key, test in (where or {}).items():
        if key == "$and" and isinstance(test, Sequence):
            phrases += [phrase for part in conditions(where) for phrase in filter_words(part, facets)]
        elif key == "$or" and isinstance(test, Sequence):
            phrases.append(_alternatives([filter_words(part, facets) for part in test]))
        else:
            facet = declared.get(key) or Facet(key, _label(key), "choice")
            phrases.append(f"{facet.label}: {_condition(test, facet)}")
    return phrases


def conditions(where: Where | None) -> list[Where]:
    """The conditions of a filter that all hold at once; the two bounds of a range are one of them."""
    found: list[Where] = []
    for part in (where or {}).get("$and", [where] if where else []):
        for n, other in enumerate(found):
            if _is_range(other, part):
                ((name, bound),) = part.items()
                found[n] = {name: {**other[name], **bound}}
                break
        else:
            found.append(part)
    return found


def _is_range(one: Where, other: Where) -> bool:
    """Whether these are a lower and an upper bound of the same key, and nothing else."""
    tests = [*one.values(), *other.values()]
    if len(tests) != 2 or set(one) != set(other) or not all(isinstance(t, Mapping) for t in tests):
        return False
    return sorted(op[:3] for test in tests for op in test) == ["$gt", "$lt"]


def metadata_words(metadata: Metadata, facets: Sequence[Facet]) -> list[tuple[str, str]]:
    """Label and value of each key, the declared facets first and in their order."""
    declared = {facet.key: facet for facet in facets}
    ordered = [k for k in declared if k in metadata] + [k for k in metadata if k not in declared]
    facet_of = {key: declared.get(key) or Facet(key, _label(key), "choice") for key in ordered}
    return [(facet_of[key].label, value_words(metadata[key], facet_of[key])) for key in ordered]


def value_words(value: Any, facet: Facet) -> str:
    """A metadata value as a person writes it, with the facet's unit."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        if facet.kind == "date":
            return _date(value)
        return f"{_number(value)} {facet.unit}".strip()
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value)
    return str(value)


def _condition(test: object, facet: Facet) -> str:
    if not isinstance(test, Mapping):
        return value_words(test, facet)
    bounds = [test.get(op) for op in ("$gte", "$lte")]
    if set(test) == {"$gte", "$lte"}:
        low, high = (_bare(bound, facet) for bound in bounds)
        return f"{low} to {high} {facet.unit}".strip()
    words: list[str] = []
    for op, operand in test.items():
        if op in ("$in", "$nin"):
            either = " or ".join(value_words(item, facet) for item in operand)
            words.append(f"not {either}" if op == "$nin" else either)
        elif op == "$contains":
            words.append(value_words(operand, facet))
        else:
            word = _DATES.get(op) if facet.kind == "date" else None
            words.append(f"{word or _COMPARISONS.get(op, op)} {value_words(operand, facet)}".strip())
    return ", ".join(words)


def _alternatives(parts: list[list[str]]) -> str:
    """``Goes with: lamb or stew`` where all share their label, else every one in full."""
    texts = [", ".join(part) for part in parts]
    labels = {text.partition(": ")[0] for text in texts}
    if len(labels) == 1:
        return f"{labels.pop()}: " + " or ".join(text.partition(": ")[2] for text in texts)
    return " or ".join(texts)


def _bare(value: Any, facet: Facet) -> str:
    return value_words(value, Facet(facet.key, facet.label, facet.kind))


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:g}"


def _date(value: float) -> str:
    try:
        return seconds_to_iso(value).partition("T")[0]
    except ValueError:
        return _number(value)


def _label(key: str) -> str:
    return key.replace("_", " ").strip().capitalize() or json.dumps(key)
