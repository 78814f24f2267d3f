"""What the columns of a table hold, and what each is for.

The kind of a column is decided over all its cells, so that a filter on it means the same in
every row; one cell that does not fit makes a column of strings.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rag.dates import iso_to_seconds
from rag.readers.metadata import MAX_STRING
from rag.readers.options import CsvOptions
from rag.types import MetaValue

Kind = Literal["empty", "boolean", "number", "date", "list", "string"]
Convert = Callable[[str], MetaValue | None]

_MISSING = frozenset({"n/a", "na", "nan", "null", "none", "-", "–", "—", "?"})
_TRUTH = {"true": True, "yes": True, "false": False, "no": False}

_PLAIN = re.compile(r"[-+]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d{1,2})?", re.ASCII)
_COMMA_GROUPS = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?", re.ASCII)
_OTHER_GROUPS = re.compile(
    r"[-+]?(?:\d{1,3}(?:\.\d{3})+|\d{1,3}(?:[ \xa0\u202f]\d{3})+|\d+)(?:,\d+)?", re.ASCII
)
_DECIMAL_COMMA = re.compile(r",(?!\d{3}$)|\..*[.,]|[ \xa0\u202f]|\d{4,},|\b0,", re.ASCII)
"""What in a number of the notation above says that its comma is no sign between thousands."""
_CODE = re.compile(r"0\d+|\+\d{7,}", re.ASCII)
_UNIT = re.compile(
    r"([-+]?)([$€£¥₹₩]?)[ \xa0]?([-+]?[\d.][\d., \xa0\u202feE+-]*?)[ \xa0]?([$€£¥₹₩%]?)", re.ASCII
)
_MAX_DIGITS = 15
"""More digits than a float holds: an identifier, not a quantity."""

_MAX_PART = 40
_TITLE_NAMES = ("title", "name", "headline", "subject", "heading", "question", "label", "product", "item")
_NO_TITLES = frozenset(
    {"id", "uuid", "guid", "code", "sku", "key", "url", "link", "email", "e mail", "phone"}
)
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_WORDLIKE = re.compile(r"[^\W\d_]{2}|[\u3040-\u9fff]")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its place, name and kind, how a cell becomes a value, and how its cells read.

    ``words`` and ``length`` are means over the cells that are not empty, ``filled`` and
    ``distinct`` shares of all cells and of those.
    """

    index: int
    name: str
    kind: Kind
    convert: Convert
    words: float
    length: float
    filled: float
    distinct: float
    wordlike: float


@dataclass(frozen=True, slots=True)
class Roles:
    """Indexes of columns by use, and sentences about what was declared in vain."""

    title: int | None
    id: int | None
    text: tuple[int, ...]
    metadata: tuple[int, ...]
    problems: tuple[str, ...] = ()


def profile(index: int, name: str, cells: Sequence[str]) -> Column:
    """The column that these cells (stripped, empty where missing) make."""
    values = [cell for cell in cells if cell]
    kind, convert = _kind(values)
    count = max(len(values), 1)
    return Column(
        index=index,
        name=name,
        kind=kind,
        convert=convert,
        words=sum(_words(value) for value in values) / count,
        length=sum(map(len, values)) / count,
        filled=len(values) / max(len(cells), 1),
        distinct=len(set(values)) / count,
        wordlike=sum(_WORDLIKE.search(value) is not None for value in values) / count,
    )


def assign(columns: Sequence[Column], options: CsvOptions) -> Roles:
    """Which column is the title, the id, text, or metadata: as declared, else as guessed."""
    problems: list[str] = []
    names = {column.name: column.index for column in columns}

    def find(name: str, use: str) -> int | None:
        index = names.get(name)
        if index is None:
            near = [i for other, i in names.items() if other.casefold() == name.strip().casefold()]
            index = near[0] if len(near) == 1 else None
        if index is None:
            known = ", ".join(names)[:500]
            problems.append(f'The column "{name}", declared as {use}, does not exist; there are: {known}.')
        return index

    identity = find(options.id, "id") if options.id is not None else None
    title = find(options.title, "title") if options.title is not None else None
    text = [i for name in options.text if (i := find(name, "text")) is not None]
    metadata = [i for name in options.metadata if (i := find(name, "metadata")) is not None]
    taken = {identity, *text, *metadata}
    filled = [column for column in columns if column.kind != "empty"]
    if len(filled) == 1 and not (taken - {None}) and title is None:
        return Roles(None, None, (filled[0].index,), (), tuple(problems))
    if title is None:
        title = _guess_title([c for c in columns if c.index not in taken or c.index in metadata])
    free = [c for c in columns if c.index not in taken and c.index != title and c.kind != "empty"]
    if not options.text:
        text = [c.index for c in free if _is_text(c)]
    if not options.metadata:
        metadata = [c.index for c in free if c.index not in text]
    return Roles(title, identity, tuple(text), tuple(metadata), tuple(problems))


def label(name: str, labels: Mapping[str, str]) -> str:
    """What a reader sees for a column: declared, or the name as words (``alcohol_pct``: Alcohol pct)."""
    declared = labels.get(name)
    if declared:
        return declared
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", " ", name)
    words = " ".join(re.sub(r"[_\s]+|(?<=\w)-(?=\w)", " ", words).split())
    if " " in words and not name.isupper():
        words = " ".join(w if w.isupper() and len(w) > 1 else w.lower() for w in words.split())
    return words[:1].upper() + words[1:] if words else name


def _words(value: str) -> float:
    return len(value.split()) + len(_CJK.findall(value)) / 2


def _is_text(column: Column) -> bool:
    """Sentences rather than names: eight words on average, or eighty characters, mostly distinct.

    Twenty words are sentences however often they come.
    """
    long = column.words >= 8 or (column.length >= 80 and column.words >= 4)
    return column.kind == "string" and long and (column.distinct >= 0.5 or column.words >= 20)


def _guess_title(columns: Sequence[Column]) -> int | None:
    """A column called so, else the first of short, distinct, word-like values."""
    named = [
        (_TITLE_NAMES.index(word), len(words), column.index)
        for column in columns
        if column.kind in ("string", "list") and column.length <= 200 and column.filled >= 0.5
        for words in [_plain_name(column.name).split()]
        for word in words[-1:]
        if word in _TITLE_NAMES
    ]
    if named:
        # "title" before "name", and "name" before "producer name".
        return min(named, key=lambda found: (found[1] > 1, found[0], found[2]))[2]
    for column in columns:
        if (
            column.kind == "string"
            and column.distinct >= 0.9
            and column.filled >= 0.9
            and column.length <= 80
            and column.words < 8
            and column.wordlike >= 0.5
            and _plain_name(column.name) not in _NO_TITLES
        ):
            return column.index
    return None


def _plain_name(name: str) -> str:
    return label(name, {}).casefold()


# --- kinds ------------------------------------------------------------------


def _kind(values: Sequence[str]) -> tuple[Kind, Convert]:
    if not values:
        return "empty", lambda cell: None
    present = [value for value in values if value.casefold() not in _MISSING]
    if 2 * len(present) >= len(values):
        if all(value.casefold() in _TRUTH for value in present):
            return "boolean", lambda cell: _TRUTH.get(cell.casefold())
        if all(iso_to_seconds(value) is not None for value in present):
            return "date", iso_to_seconds
        number = _number(present)
        if number is not None:
            return "number", number
    for separator in ("|", ";"):
        if _is_list(values, separator):
            return "list", functools.partial(_members, separator=separator)
    return "string", lambda cell: cell[:MAX_STRING].rstrip() or None


def _is_list(values: Sequence[str], separator: str) -> bool:
    """Whether most cells hold several short names with the separator between them."""
    if 2 * sum(separator in value for value in values) <= len(values):
        return False
    return all(
        len(part) <= _MAX_PART and len(part.split()) <= 5
        for value in values
        for part in _parts(value, separator)
    )


def _parts(cell: str, separator: str) -> tuple[str, ...]:
    parts = (part.strip() for part in cell.split(separator))
    return tuple(dict.fromkeys(part for part in parts if part))


def _members(cell: str, separator: str) -> MetaValue | None:
    return _parts(cell, separator) or None


def _number(values: Sequence[str]) -> Convert | None:
    """How to read cells that are all numbers of one notation, or None.

    ``1,234`` alone is a thousand to some and one and a bit to others: a comma or a point is
    only read where another cell of the column, or its currency, settles what it means.
    """
    split = [_UNIT.fullmatch(value) for value in values]
    if not all(split):
        return None
    units = {m.group(2) + m.group(4) for m in split if m is not None}
    bare = [m.group(1) + m.group(3) for m in split if m is not None]
    if len(units) > 1 or any(
        _CODE.fullmatch(text) or sum(map(str.isdigit, text)) > _MAX_DIGITS for text in bare
    ):
        return None
    notation = _notation(bare, units)
    if notation is None:
        return None
    whole = all(notation(text).lstrip("+-").isdecimal() for text in bare)

    def convert(cell: str) -> MetaValue | None:
        match = _UNIT.fullmatch(cell)
        if match is None:  # a mark for "missing"
            return None
        text = notation(match.group(1) + match.group(3))
        return int(text) if whole else float(text)

    return convert


def _notation(values: Sequence[str], units: set[str]) -> Callable[[str], str] | None:
    """How to write these numbers as Python reads them, or None where that is open."""
    if all(_PLAIN.fullmatch(value) for value in values):
        return lambda text: text
    # A second comma, or a point anywhere in the column: the comma is no decimal sign.
    settled = bool(units & {"$", "£"}) or any(value.count(",") > 1 or "." in value for value in values)
    if settled and all(_PLAIN.fullmatch(value) or _COMMA_GROUPS.fullmatch(value) for value in values):
        return lambda text: text.replace(",", "")
    if all(_OTHER_GROUPS.fullmatch(value) for value in values) and any(map(_DECIMAL_COMMA.search, values)):
        return lambda text: re.sub(r"[. \xa0\u202f]", "", text).replace(",", ".")
    return None
