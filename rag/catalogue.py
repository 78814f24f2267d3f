"""What the metadata of a library says, worked out once for each write to it.

Holds the records, their columns, the facets (declared, or guessed) with all their
values, and the vocabulary that questions are read against; each is made when it is
first asked for. One catalogue serves all threads: two that ask at once do the work
twice, and get the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

from rag.facets import FacetValues, Table, facet_values, guess_facets
from rag.guess import Vocabulary, read_vocabulary
from rag.prototypes import Facet, Prototype
from rag.types import DocumentRecord


class Catalogue:
    """The records of one library at one stamp, under one prototype."""

    def __init__(self, records: Mapping[str, DocumentRecord], prototype: Prototype) -> None:
        self.records = records
        self.prototype = prototype

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
        shown = {facet.key for facet in self.facets}
        facets = (*self.facets, *(facet for facet in self.guessed if facet.key not in shown))
        values: list[FacetValues] = facet_values(facets, self.table, None)
        return read_vocabulary(values, self.table, document_nouns(self.prototype))


def document_nouns(prototype: Prototype) -> tuple[str, ...]:
    """The prototype's name, where its own words count its documents so: "240 wines" for ``wine``."""
    name = prototype.name.removesuffix("s")
    counted = rf"\d\s+{re.escape(name)}s?\b"
    said = f"{prototype.description} {prototype.greeting}"
    return (name,) if re.search(counted, said, re.IGNORECASE) else ()
