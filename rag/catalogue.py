"""What the metadata of a library says, worked out once for each write to it.

Holds the records, their columns, the facets (declared, or guessed) with all their
values, and the vocabulary that questions are read against; each is made when it is
first asked for. One catalogue serves all threads: two that ask at once do the work
twice, and get the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property

from rag.facets import FacetValues, Table, facet_values, guess_facets
from rag.filters import And, Filter, Nothing, Or, to_json
from rag.guess import Vocabulary, read_vocabulary
from rag.prototypes import Facet, Prototype
from rag.types import DocumentRecord

_OF_CHUNKS = frozenset({"page", "section"})
"""Keys that a chunk may have and its document not (:func:`rag.filters.filterable`)."""
_KEPT = 8
"""Filters whose documents are kept apart: those of the links that are asked under at one time."""


class Catalogue:
    """The records of one library at one stamp, under one prototype.

    ``named`` gives facets that a question can name beside those that the records suggest.
    """

    def __init__(
        self,
        records: Mapping[str, DocumentRecord],
        prototype: Prototype,
        named: Callable[[], Sequence[Facet]] = tuple,
    ) -> None:
        self.records = records
        self.prototype = prototype
        self._named = named
        self._within: dict[str, Catalogue] = {}

    def within(self, held: Filter | None, chunks: Callable[[Filter], Collection[str]]) -> Catalogue:
        """The catalogue of the documents alone that a filter lets through, as if there were no others.

        ``chunks`` gives the ids of all chunks that a filter matches: where it speaks of pages or
        sections, a document is let through with any chunk of it.
        """
        if held is None:
            return self
        key = json.dumps(to_json(held))  # filters on 1 and on true are equal to Python
        found = self._within.get(key)
        if found is None:
            keys = _keys(held)
            if keys & _OF_CHUNKS:
                documents = {chunk_id.rpartition(":")[0] for chunk_id in chunks(held)}
                records = [record for record in self.records.values() if record.id in documents]
            else:
                rows = zip(self.table.records, self.table.mask(held), strict=True)
                records = [record for record, is_let_through in rows if is_let_through]
            # Of its own keys a constant is left, which suggests no facet; its word is known all the same.
            found = Catalogue(
                {record.id: record for record in records},
                self.prototype,
                lambda: [facet for facet in self.guessed if facet.key in keys],
            )
            if len(self._within) >= _KEPT:
                self._within.clear()
            self._within[key] = found
        return found

    @cached_property
    def table(self) -> Table:
        """The records' metadata in columns."""
        return Table(self.records.values())

    @cached_property
    def guessed(self) -> tuple[Facet, ...]:
        """The facets that the metadata suggests."""
        labels = {
            key: label
            for table in self.prototype.csv.values()
            for key, label in (table.get("labels") or {}).items()
        }
        return guess_facets(self.table, labels)

    @property
    def facets(self) -> tuple[Facet, ...]:
        """The declared facets; the guessed ones where a prototype declares none."""
        return self.prototype.facets or self.guessed

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """What a question can name: the facets, and those that could have been declared as well.

        A reader may ask for "at least 14 % alcohol" though no slider for it is shown.
        """
        known: dict[str, Facet] = {}
        for facet in (*self.facets, *self.guessed, *self._named()):
            known.setdefault(facet.key, facet)
        values: list[FacetValues] = facet_values(tuple(known.values()), self.table, None)
        return read_vocabulary(values, self.table, document_nouns(self.prototype))


def _keys(held: Filter) -> set[str]:
    """The keys that a filter speaks of."""
    match held:
        case Nothing():
            return set()
        case And(parts) | Or(parts):
            return set().union(*(_keys(part) for part in parts))
        case _:
            return {held.key}


def document_nouns(prototype: Prototype) -> tuple[str, ...]:
    """The prototype's name, where its own words count its documents so: "240 wines" for ``wine``."""
    name = prototype.name.removesuffix("s")
    counted = rf"\d\s+{re.escape(name)}s?\b"
    said = f"{prototype.description} {prototype.greeting}"
    return (name,) if re.search(counted, said, re.IGNORECASE) else ()
