"""Citations: find them in an answer, check each against its source, number them.

:mod:`rag.cite.verbatim` says whether a quote stands where it says it stands. Of a claim in
other words, :mod:`rag.cite.claims` says whether its source supports it: what the claim says
in figures, dates, names, negations and quantifiers (:mod:`rag.cite.compare`,
:mod:`rag.cite.naming`, :mod:`rag.cite.polarity`) must be found there, and it must follow for a model that
reads the two together; without one, its meaning must be near enough.
"""

from rag.cite.claims import Entails, Judgement, judge
from rag.cite.verbatim import check

__all__ = ["Entails", "Judgement", "check", "judge"]
