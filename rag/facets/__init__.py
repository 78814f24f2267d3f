"""Facets: what readers can filter by, which values it has, and a guess where none is declared."""

from rag.facets.guess import guess_facets
from rag.facets.names import UNITS, Name, fold, read_name, word_set
from rag.facets.table import Table
from rag.facets.values import FacetValues, count_matching, facet_values, without

__all__ = [
    "UNITS",
    "FacetValues",
    "Name",
    "Table",
    "count_matching",
    "facet_values",
    "fold",
    "guess_facets",
    "read_name",
    "without",
    "word_set",
]
