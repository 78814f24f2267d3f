"""Dataclasses to JSON and back, by their type hints.

Serves the frozen dataclasses of :mod:`rag.types`: strings, numbers, booleans, None,
literals, ``tuple[X, ...]``, string-keyed mappings, unions of these, and dataclasses in
dataclasses. A record outlives the code that wrote it, so reading is tolerant in time:
keys that this version does not know are ignored, and keys that an older version did not
write take the field's default. Inside a field hinted ``object`` a tuple comes back as a
list, for JSON has no tuples.
"""

from __future__ import annotations

import json
import math
import numbers
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from rag.errors import StoreError

T = TypeVar("T")
Reader = Callable[[Any], Any]

_SURROGATE = re.compile("[\ud800-\udfff]")


class _Mismatch(Exception):
    """JSON that is not of the hinted type; never leaves this module."""


def clean_text(text: str) -> str:
    """``text`` with each lone surrogate replaced by U+FFFD.

    No encoding carries a lone surrogate (half of an emoji from a cut stream, an
    undecodable byte of a file name). One code point takes the place of one, so every
    offset into the text still holds.
    """
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def encode(value: object) -> str:
    """A dataclass as JSON text: every field, in order, UTF-8 unescaped.

    Text is cleaned as by :func:`clean_text`; NumPy scalars become plain numbers. Raises
    StoreError for what JSON cannot hold (NaN, infinity, a set, a key that is no string).
    """
    try:
        return json.dumps(
            _plain(value, type(value).__name__), ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )
    except RecursionError:
        raise StoreError(f"{type(value).__name__} is nested too deeply to be stored.") from None


def decode(cls: type[T], text: str) -> T:
    """The dataclass of type ``cls`` that :func:`encode` wrote as ``text``.

    Raises StoreError where the text is not JSON, lacks a field that has no default, or
    holds a value of another type.
    """
    try:
        value: T = _reader(cls)(json.loads(text))
    except (json.JSONDecodeError, RecursionError, _Mismatch) as error:
        raise StoreError(
            f"A stored {cls.__name__} cannot be read ({error}). It was left as it is; "
            "a newer version of Thumbprint may have written it."
        ) from error
    return value


def _plain(value: object, name: str) -> object:
    """``value`` as dicts, lists and scalars; ``name`` is its field, for the error."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        number = float(value)
        if not math.isfinite(number):
            raise StoreError(f"{name} is {number}, which cannot be stored: it must be a finite number.")
        return number
    if is_dataclass(value):
        kind: Any = type(value)
        return {key: _plain(getattr(value, key), f"{kind.__name__}.{key}") for key in _names(kind)}
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise StoreError(f"{name} has a key that is not text, so it cannot be stored.")
        return {clean_text(key): _plain(item, name) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, name) for item in value]
    raise StoreError(f"{name} holds a {type(value).__name__}, which cannot be stored.")


@cache
def _names(cls: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cls))


def _reader(hint: Any) -> Reader:
    """The function that turns parsed JSON into a value of type ``hint``."""
    cls, origin, args = hint, get_origin(hint), get_args(hint)
    if is_dataclass(hint):
        return _dataclass_reader(cls)
    if origin is Union or origin is UnionType:
        return _union_reader(args)
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        item = _reader(args[0])
        return lambda value: tuple([item(each) for each in _checked(value, list)])
    if origin is Mapping and args[0] is str:
        item = _reader(args[1])
        return lambda value: {key: item(each) for key, each in _checked(value, dict).items()}
    if origin is Literal:
        # A literal that this version does not know is kept: a stored answer whose scorer
        # came with a later version is still worth reading.
        return _reader(type(args[0]))
    if hint is object:
        return lambda value: value
    if hint is float:
        return lambda value: float(_checked(value, (float, int)))
    if hint in (str, int, bool):
        return lambda value: _checked(value, hint)
    raise TypeError(f"the codec has no rule for {hint!r}")


@cache  # type hints are resolved once a class, not once a record
def _dataclass_reader(cls: Any) -> Reader:
    hints = get_type_hints(cls)
    readers = {field.name: _reader(hints[field.name]) for field in fields(cls)}
    required = {
        field.name for field in fields(cls) if field.default is MISSING and field.default_factory is MISSING
    }

    def read(value: Any) -> Any:
        _checked(value, dict)
        if not required <= value.keys():
            raise _Mismatch(f"{cls.__name__} lacks {', '.join(sorted(required - value.keys()))}")
        return cls(**{name: readers[name](value[name]) for name in readers if name in value})

    return read


def _union_reader(args: tuple[Any, ...]) -> Reader:
    """Tells the members of a union apart by JSON type: null, array, object, or scalar."""
    members = [arg for arg in args if arg is not NoneType]
    if len(members) == 1:
        only = _reader(members[0])
        return lambda value: None if value is None else only(value)
    arrays = [_reader(arg) for arg in members if get_origin(arg) is tuple]
    scalars = tuple(arg for arg in members if arg in (str, int, float, bool))
    if len(arrays) > 1 or len(arrays) + len(scalars) < len(members):
        raise TypeError(f"the codec cannot tell the members of this union apart: {args!r}")

    def read(value: Any) -> Any:
        if value is None and NoneType in args:
            return None
        if isinstance(value, list) and arrays:
            return arrays[0](value)
        if type(value) in scalars:
            return value
        raise _Mismatch(f"{type(value).__name__} where {args!r} was expected")

    return read


def _checked(value: Any, kind: type | tuple[type, ...]) -> Any:
    # bool is a kind of int to Python, not to a record.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _Mismatch(f"a {type(value).__name__} stands where another type was expected")
    return value
