"""A question that names a value, a number or a date of a facet proposes the filter.

By rule, in English: the values of choices and lists (in any case, with or without
accents, in the singular or plural; countries by their adjectives; a part of a value for
the values that have it), ranges with their units, dates against today, and negation.
What could be meant otherwise is not proposed: a proposal that is missing costs a click,
a wrong one hides the answer.

The filter language cannot say that a list lacks a value, so "without lamb" proposes
nothing; nor "no reds from Spain", which excludes neither alone.
"""

from __future__ import annotations

from datetime import datetime

from rag.guess.dates import propose_dates
from rag.guess.mentions import propose_values
from rag.guess.proposal import Proposal, today
from rag.guess.ranges import propose_ranges
from rag.guess.tokens import tokenise
from rag.guess.vocabulary import Vocabulary, read_vocabulary

__all__ = ["Proposal", "Vocabulary", "propose", "read_vocabulary"]


def propose(question: str, vocabulary: Vocabulary, *, now: float | datetime) -> list[Proposal]:
    """The filters that a question names, in the order in which it names them.

    All of them hold at once. ``now`` (Unix seconds, or a datetime) is what "last month"
    counts from; days are those of UTC.
    """
    tokens = tokenise(question)
    dates, dated = propose_dates(tokens, vocabulary, today(now))
    ranges, counted = propose_ranges(tokens, vocabulary, dated)
    values = propose_values(tokens, vocabulary, dated | counted)
    return sorted([*dates, *ranges, *values], key=lambda proposal: (proposal.start, proposal.end))
