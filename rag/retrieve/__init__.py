"""Questions to passages: fuse, widen small to big, fill a token budget.

1. The best ``candidates`` chunks by cosine and the best by BM25 are put together, and
   both signals are found for all of them.
2. *Fuse*: a weighted sum of the two signals' z-scores over these candidates.
3. A sentence is as good as the best window that holds it (its own or a neighbour's in
   the same section), plus ``OWN_WEIGHT`` times its own signals: windows find the place,
   its own signals the sentence.
4. *Small to big*: either the sections of the best sentences (``k``), or the best
   sentences that fit a budget of tokens, gaps of one sentence bridged and spans merged
   where they touch (``budget``).

The indexes and the model are handed in; this module knows only what it asks of them.
"""

from rag.retrieve.budget import fill_budget
from rag.retrieve.rank import (
    OWN_WEIGHT,
    Candidates,
    KeywordSearch,
    Ranked,
    VectorSearch,
    breadth,
    candidates,
    measure,
    rank,
)
from rag.retrieve.reorder import reorder
from rag.retrieve.sections import best_sections

__all__ = [
    "OWN_WEIGHT",
    "Candidates",
    "KeywordSearch",
    "Ranked",
    "VectorSearch",
    "best_sections",
    "breadth",
    "candidates",
    "fill_budget",
    "measure",
    "rank",
    "reorder",
]
