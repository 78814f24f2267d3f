"""Metadata filters: one small language, a reference in plain Python, two translations.

A filter is JSON::

    {"country": "Portugal"}                                   equal
    {"price": {"$gte": 5, "$lt": 15}, "tags": {"$contains": "dry"}}   all must hold
    {"$or": [{"year": {"$in": [2019, 2020]}}, {"released": {"$lt": "2024-06-01"}}]}

Operators: ``$eq $ne $gt $gte $lt $lte $in $nin $contains``; ``$and`` and ``$or`` take
lists of filters. What they mean, the same in :func:`matches`, in Chroma and in Tantivy:

- A record that lacks the key matches only ``$ne`` and ``$nin`` (which are exactly "not
  ``$eq``" and "not ``$in``", so they also match values of another type).
- Numbers compare as floats (``1`` equals ``1.0``; integers beyond 2**53 are rounded).
  Booleans are not numbers, and text is equal only character by character.
- ``$gt $gte $lt $lte`` compare numbers with numbers; a value of another type never
  matches. Text has no ranges: refused by :func:`parse`.
- ISO dates are numbers (Unix seconds) on both sides, in the filter and in the record.
- ``$contains`` asks whether a list holds a text; it never matches a value that is no
  list. The other operators compare whole values and no list is equal to one value, so
  on a list ``$eq``, ``$in`` and ranges never match, ``$ne`` and ``$nin`` always do.
- An empty list has nothing to compare: it counts as a key that is lacking.
- ``{}`` and an empty ``$and`` restrict nothing; an empty ``$in`` or ``$or`` matches
  nothing; an empty ``$nin`` matches everything.

Records are compared as :func:`normalise` leaves them; :func:`filterable` says which
keys a chunk has.
"""

from rag.filters.facts import Fact, chroma_key, clean, fact_terms, filterable, normalise, plain_key
from rag.filters.implication import implies
from rag.filters.language import (
    And,
    Compare,
    Contains,
    Filter,
    Nothing,
    OneOf,
    Or,
    combine,
    matches,
    parse,
    to_json,
)
from rag.filters.translate import to_chroma, to_tantivy

__all__ = [
    "And",
    "Compare",
    "Contains",
    "Fact",
    "Filter",
    "Nothing",
    "OneOf",
    "Or",
    "chroma_key",
    "clean",
    "combine",
    "fact_terms",
    "filterable",
    "implies",
    "matches",
    "normalise",
    "parse",
    "plain_key",
    "to_chroma",
    "to_json",
    "to_tantivy",
]
