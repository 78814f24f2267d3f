"""Citations: find them in an answer, check each against its source, number them.

:mod:`rag.cite.verbatim` says whether a quote stands where it says it stands. Of a claim in
other words, :mod:`rag.cite.claims` says whether its source supports it: what the claim says
in figures, dates, names, negations and quantifiers (:mod:`rag.cite.compare`,
:mod:`rag.cite.naming`, :mod:`rag.cite.polarity`) must be found there, and its meaning must be near enough.
"""

from rag.cite.claims import Judgement, judge
from rag.cite.verbatim import check

__all__ = ["Judgement", "check", "judge"]
