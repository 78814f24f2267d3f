"""Dates that a question names as a filter: "updated since May", "articles from 2025".

A date in a question is mostly about the reader's life ("my rent went up in May"). It is
a filter only where a word for what happens to documents stands before it (updated,
published, or the facet's own name), or a document itself does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from rag.facets import FacetValues, word_set
from rag.guess.calendar import Span, in_year, span_at
from rag.guess.proposal import Proposal, date_label
from rag.guess.tokens import Token, Tokens
from rag.guess.vocabulary import Vocabulary
from rag.guess.words import WHOLES

_UPDATED = word_set("updated update updates revised modified edited refreshed reviewed")
_PUBLISHED = word_set("published posted written created dated issued released")
_WEAK = word_set("changed added new newer from since after before in during older last recently")
"""Words that are about documents only right after one: "pages changed since May"."""
_UPDATED_KEYS = word_set("updated update modified changed revised reviewed edited")
_PUBLISHED_KEYS = word_set("published created date posted written issued released added publication")
_SIGNS: dict[tuple[str, ...], str] = {
    ("since",): "since",
    ("from",): "in",
    ("after",): "after",
    ("later", "than"): "after",
    ("newer", "than"): "after",
    ("more", "recent", "than"): "after",
    ("before",): "before",
    ("earlier", "than"): "before",
    ("prior", "to"): "before",
    ("older", "than"): "before",
    ("until",): "until",
    ("till",): "until",
    ("up", "to"): "until",
    ("by",): "until",
    ("in",): "in",
    ("during",): "in",
    ("on",): "in",
    ("over",): "in",
    ("within",): "in",
    ("more", "than"): "before",
    ("longer", "than"): "before",
    ("less", "than"): "after",
}
_AGO_ONLY = frozenset({("more", "than"), ("longer", "than"), ("less", "than")})
_ON = word_set("on onwards onward")
_FILLERS = word_set(
    "was were is are been be last the that have has had most recently again on about for or and"
)


def propose_dates(
    tokens: Sequence[Token], vocabulary: Vocabulary, today: date
) -> tuple[list[Proposal], frozenset[int]]:
    """The dates that the question means as filters, and the tokens of every date it names."""
    reader = _Reader(tokens, vocabulary, today)
    found: list[Proposal] = []
    taken: set[int] = set()
    at = 0
    while at < len(tokens):
        read = reader.date_at(at)
        if read is None:
            at += 1
            continue
        start, end, first, after, certain = read
        proposal = reader.propose(start, end, first, after)
        if proposal is not None:
            found.append(proposal)
        if proposal is not None or certain:
            taken.update(range(start, end))
        at = end
    return (found if len({p.key for p in found}) == len(found) else []), frozenset(taken)


class _Reader(Tokens):
    def __init__(self, tokens: Sequence[Token], vocabulary: Vocabulary, today: date) -> None:
        super().__init__(tokens)
        self.vocabulary = vocabulary
        self.today = today

    def date_at(self, at: int) -> tuple[int, int, date | None, date | None, bool] | None:
        """Tokens, first day and day after the last of the date that begins here.

        The last value is false for a bare year, which may be a number of another facet.
        """
        pair = self._pair(at)
        if pair is not None:
            return pair
        sign, start = "in", at
        for length in (3, 2, 1):
            phrase = tuple(self.words[at : at + length])
            if len(phrase) == length and phrase in _SIGNS:
                sign, at = _SIGNS[phrase], at + length
                break
        else:
            phrase = ()
        span = span_at(self.tokens, at, self.today)
        if span is None and phrase in (("older", "than"), ("newer", "than")):
            span = self._age(at)
        if span is None or (phrase in _AGO_ONLY and not span.ago) or (span.ago and sign == "in"):
            return None
        if not phrase and span.end == at + 1 and not self.tokens[at].is_date:
            lonely = ("today", "yesterday")
            if self.word(at) not in lonely and not self.word(at).isdecimal():
                return None  # "may" and "march" without a preposition are verbs
        certain = not self.word(at).isdecimal() or span.end > at + 1
        end = span.end
        if sign == "in" and phrase == ("from",) and self.word(end) in _ON:
            sign, end = "since", end + 1
        return (start, end, *self._bounds(sign, span), certain)

    def _age(self, at: int) -> Span | None:
        """older than a year: the moment a year ago."""
        later = [*self.tokens, Token("ago", "ago", "ago", 0, 0)]
        for end in range(at + 2, min(at + 5, len(self.tokens) + 1)):
            span = span_at([*later[:end], later[-1]], at, self.today)
            if span is not None and span.ago:
                return Span(span.first, span.after, span.start, end, ago=True)
        return None

    def _pair(self, at: int) -> tuple[int, int, date | None, date | None, bool] | None:
        """between January and March 2026; from 2024 to 2025."""
        joints = {"between": ("and",), "from": ("to", "until", "till", "-", "–")}.get(self.word(at))
        if joints is None:
            return None
        first = span_at(self.tokens, at + 1, self.today)
        if first is None or self.word(first.end) not in joints:
            return None
        second = span_at(self.tokens, first.end + 1, self.today)
        if second is None:
            return None
        if first.open_year and not second.open_year:
            try:
                first = in_year(first, second.first.year)
            except ValueError:
                return None
        if second.after <= first.first:
            return None
        certain = not self.word(at + 1).isdecimal()
        return at, second.end, first.first, second.after, certain

    def _bounds(self, sign: str, span: Span) -> tuple[date | None, date | None]:
        if span.ago:
            return (None, span.first) if sign == "before" else (span.first, None)
        if span.rolling:
            return span.first, None
        if sign == "since":
            return span.first, None
        if sign == "after":
            return span.after, None
        if sign == "before":
            return None, span.first
        if sign == "until":
            return None, span.after
        return span.first, span.after

    # --- meaning

    def propose(self, start: int, end: int, first: date | None, after: date | None) -> Proposal | None:
        """The proposal for a date, None where it is not about documents or about which date is open."""
        values, denied = self._facet(start)
        if values is None:
            return None
        facet = values.facet
        if denied:  # "not updated since May" is before May; any other denial has two ends
            if first is None:
                first, after = after, None
            elif after is None or after > self.today:
                first, after = None, first
            else:
                return None
        if (first or after) is None or (after is not None and _seconds(after) <= (values.low or 0)):
            return None  # "What was published in 1937?", of documents of this century
        bounds = {"$gte": first, "$lt": after}
        where = {op: day.isoformat() for op, day in bounds.items() if day is not None and day.year >= 1000}
        if not where:
            return None
        label = date_label(facet, first, after)
        span = self.tokens[start].start, self.tokens[end - 1].end
        return Proposal(facet.key, {facet.key: where}, label, *span)

    def _facet(self, start: int) -> tuple[FacetValues | None, bool]:
        """The facet that the words before a date name, and whether they deny it."""
        facets = self.vocabulary.dates
        at = start - 1
        while at >= 0 and start - at <= 5:
            word = self.words[at]
            stem = self.tokens[at].stem
            own = [f for f in facets if {word, stem} & self.vocabulary.labels[f.facet.key]]
            if own or word in _UPDATED or word in _PUBLISHED:
                named = own or _of_kind(facets, _UPDATED_KEYS if word in _UPDATED else _PUBLISHED_KEYS)
                named = named or list(facets)
                return (named[0] if len(named) == 1 else None), self._is_denied(at)
            meanings = self.vocabulary.phrases.get((stem,), ())
            if stem in self.vocabulary.nouns or word in WHOLES or any(not m.is_subject for m in meanings):
                return (facets[0] if len(facets) == 1 else None), False
            if not (word in _WEAK or word in _FILLERS or meanings):
                break
            at -= 1
        return None, False

    def _is_denied(self, at: int) -> bool:
        before = self.words[max(0, at - 3) : at]
        return any(word in ("not", "never") or word.endswith("n't") for word in before)


def _seconds(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def _of_kind(facets: Sequence[FacetValues], words: frozenset[str]) -> list[FacetValues]:
    return [f for f in facets if words & set(f.facet.key.lower().replace("-", "_").split("_"))]
