"""Ranges of numbers that a question names: "under 15", "rated 92 or more", "from 2015 to 2019".

Which facet a number is about is told by its unit, by a word beside it (price, points,
vintage), by what is compared (cheaper, older), or, for a bare number, by the ends of the
facets: only where exactly one can be meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.facets import UNITS, word_set
from rag.guess.comparisons import AFTER, BEFORE, CURRENCY_SIGNS, FLIPPED, LOOSE, UNIT_WORDS, Op
from rag.guess.proposal import Proposal, range_label
from rag.guess.tokens import Token, Tokens, number_at, singular
from rag.guess.vocabulary import Concept, Quantity, Vocabulary
from rag.guess.words import ENDERS, ends_phrase

_CURRENCIES = frozenset({"€", "$", "£", "¥", "CHF", "crowns"})
_DASHES = frozenset("-–—")
_NEAR = 0.15
"""Around 20 is 17 to 23: 15 % either way for money. Other numbers have ends that are no zero, so
"around" is a tenth of the distance between them."""
_BETWEEN_WORDS = word_set("is are was be of at a the for be it's its with in has have")


@dataclass(frozen=True, slots=True)
class _Amount:
    """A number with its unit (empty where it has none), tokens ``start:end``."""

    value: float
    unit: str
    start: int
    end: int
    is_year: bool


@dataclass(frozen=True, slots=True)
class _Range:
    """A comparison with one number or two, and the concept that its words imply."""

    op: Op
    amounts: tuple[_Amount, ...]
    start: int
    end: int
    concept: Concept | None = None
    loose: bool = False

    @property
    def unit(self) -> str:
        return next((amount.unit for amount in self.amounts if amount.unit), "")


def propose_ranges(
    tokens: Sequence[Token], vocabulary: Vocabulary, taken: frozenset[int]
) -> tuple[list[Proposal], frozenset[int]]:
    """The ranges that the question means, and every token that is part of a number with its sign."""
    reader = _Reader(tokens, vocabulary, taken)
    found: list[Proposal] = []
    used: set[int] = set()
    at = 0
    while at < len(tokens):
        read = None if at in taken else reader.range_at(at)
        if read is None:
            at += 1
            continue
        proposal = reader.propose(read)
        if proposal is not None:
            found.append(proposal)
            used.update(range(read.start, read.end))
        at = read.end
    keys = [proposal.key for proposal in found]
    alike = {key for key in keys if keys.count(key) > 1}
    # Two ranges of one facet ("under 10 or over 50") may be alternatives: neither is proposed.
    return [proposal for proposal in found if proposal.key not in alike], frozenset(used)


class _Reader(Tokens):
    def __init__(self, tokens: Sequence[Token], vocabulary: Vocabulary, taken: frozenset[int]) -> None:
        super().__init__(tokens)
        self.vocabulary = vocabulary
        self.taken = taken

    # --- reading

    def range_at(self, at: int) -> _Range | None:
        """The range or lone number that begins at a token."""
        return self._two(at) or self._compared(at) or self._followed(at)

    def _amount(self, at: int) -> _Amount | None:
        start, unit = at, ""
        if self.word(at) in CURRENCY_SIGNS:
            unit, at = CURRENCY_SIGNS[self.word(at)], at + 1
        digits = self.tokens[at].text if at < len(self.tokens) else ""
        number = number_at(self.tokens, at)
        if number is None or at in self.taken:
            return None
        value, at = number
        if not unit:
            unit, at = self._unit(at)
        year = digits.isdecimal() and len(digits) == 4 and 1000 <= value <= 2200 and not unit
        return _Amount(value, unit, start, at, year)

    def _unit(self, at: int) -> tuple[str, int]:
        skip = 1 if self.word(at) in _DASHES and self.word(at + 1) in UNIT_WORDS else 0
        word = self.word(at + skip)
        if word == "per" and self.word(at + 1) == "cent":
            return "%", at + 2
        if word in UNIT_WORDS and not (word in ("m", "s", "l", "h", "g", "min") and skip):
            return UNIT_WORDS[word], at + skip + 1
        return "", at

    def _two(self, at: int) -> _Range | None:
        """between 10 and 20; from 10 to 20; 10 to 20 euros; 10-20 euros."""
        opening = self.word(at)
        first = self._amount(at + 1 if opening in ("between", "from") else at)
        if first is None:
            return None
        joint = self.word(first.end)
        expected = {"between": ("and",), "from": ("to", "until", "till", *_DASHES)}.get(
            opening, ("to", *_DASHES)
        )
        if joint not in expected and not (opening == "between" and joint in _DASHES):
            return None
        second = self._amount(first.end + 1)
        if second is None or second.value <= first.value:
            return None
        return _Range("..", (first, second), at, second.end)

    def _compared(self, at: int) -> _Range | None:
        """under 15; no more than 20; older than 2012."""
        for length in (3, 2, 1):
            phrase = tuple(self.words[at : at + length])
            if len(phrase) == length and phrase in BEFORE:
                start = at + length
                while self.word(start) in ("a", "price", "of", "the") and not number_at(self.tokens, start):
                    start += 1
                amount = self._amount(start)
                if amount is None:
                    return None
                op, concept = BEFORE[phrase]
                if op != "~" and self._is_denied(at):
                    op = FLIPPED[op]
                return _Range(op, (amount,), at, amount.end, concept, phrase in LOOSE)
        return None

    def _followed(self, at: int) -> _Range | None:
        """92 or more; 95+; 20 euros max; or the number alone."""
        amount = self._amount(at)
        if amount is None:
            return None
        last = amount.end
        if last < len(self.tokens) and any(
            self.tokens[last].stem in q.words for q in self.vocabulary.quantities
        ):
            last += 1  # 13 % alcohol or less
        for length in (2, 1):
            phrase = tuple(self.words[last : last + length])
            op = AFTER.get(phrase) if len(phrase) == length else None
            if op is None or (phrase == ("on",) and not amount.is_year):
                continue
            unit, end = (amount.unit, last + length) if amount.unit else self._unit(last + length)
            whole = _Amount(amount.value, unit, amount.start, amount.end, amount.is_year and not unit)
            return _Range(op, (whole,), at, end)
        return _Range("=", (amount,), at, amount.end)

    def _is_denied(self, at: int) -> bool:
        """Whether a negation stands before the comparison: nothing over, doesn't cost more than."""
        for back in range(at - 1, max(at - 4, -1), -1):
            word = self.words[back]
            if word in ("not", "nothing", "no", "never", "none") or word.endswith("n't"):
                asks = self.word(back + 1) in ("there", "you", "we", "i", "it", "they")
                return not (word.endswith("n't") and asks)
            if word not in (
                "cost",
                "costs",
                "costing",
                "be",
                "go",
                "is",
                "priced",
                "rated",
                "a",
                "do",
                "does",
            ):
                return False
        return False

    # --- meaning

    def propose(self, read: _Range) -> Proposal | None:
        """The proposal of a range; None where no facet, or more than one, can be meant."""
        if read.op == "=":
            return self._equal(read)
        quantity = self._quantity(read)
        if quantity is None or (read.loose and not self._stands_by_documents(read.start)):
            return None
        values = [amount.value for amount in read.amounts]
        if read.op == "..":
            bounds = {"$gte": values[0], "$lte": values[1]}
        elif read.op == "~":
            spread = values[0] * _NEAR if quantity.concept == "money" else (quantity.high - quantity.low) / 10
            spread = max(1.0, round(spread)) if quantity.concept == "year" else spread
            bounds = {"$gte": round(values[0] - spread, 2), "$lte": round(values[0] + spread, 2)}
        else:
            bounds = {read.op: values[0]}
        return self._made(quantity, bounds, read)

    def _made(self, quantity: Quantity, bounds: Mapping[str, float], read: _Range) -> Proposal:
        facet = quantity.facet
        exact = {op: int(value) if value.is_integer() else value for op, value in bounds.items()}
        where = exact["$eq"] if set(bounds) == {"$eq"} else exact
        label = range_label(facet, bounds, is_year=quantity.concept == "year")
        start, end = self.tokens[read.start].start, self.tokens[read.end - 1].end
        return Proposal(facet.key, {facet.key: where}, label, start, end, "$ne" in bounds)

    def _quantity(self, read: _Range) -> Quantity | None:
        found = self.vocabulary.quantities
        year = all(amount.is_year for amount in read.amounts)
        if read.unit:
            found = tuple(q for q in found if _has_unit(q, read.unit) and _is_near(q, read))
            named = [q for q in found if self._distance(q, read) is not None]
            money = read.unit in _CURRENCIES  # "10 % more students" is no strength, and 10 euros are a price
            if not named and (money or self._ends(read.end) or self._is_document(read.end)):
                named = list(found)
            return named[0] if len(named) == 1 else None
        near = sorted((d, n) for n, q in enumerate(found) if (d := self._distance(q, read)) is not None)
        if near and (len(near) == 1 or near[0][0] < near[1][0]):
            quantity = found[near[0][1]]
            fits = (quantity.concept != "year" or year) and (read.concept in (None, quantity.concept))
            return quantity if fits and _is_near(quantity, read) else None
        if near or not self._ends(read.end):
            return None
        if read.concept is not None:
            found = tuple(q for q in found if q.concept == read.concept)
        elif year and any(q.concept == "year" for q in found):
            found = tuple(q for q in found if q.concept == "year")
        else:
            # A percentage is said with its sign or its name, and a year has four digits.
            found = tuple(q for q in found if q.concept not in ("percent", "year"))
        fitting = [q for q in found if _separates(q, read) and (q.concept != "year" or year)]
        return fitting[0] if len(fitting) == 1 else None

    def _is_document(self, at: int) -> bool:
        return at < len(self.tokens) and self.tokens[at].stem in self.vocabulary.nouns

    def _ends(self, at: int) -> bool:
        """Whether nothing that is counted follows: not "under 15 minutes", "over 2 glasses"."""
        if ends_phrase(self.word(at)) and self.word(at) not in UNITS:
            return True
        phrase = tuple(token.stem for token in self.tokens[at : at + 1])
        return phrase in self.vocabulary.phrases

    def _distance(self, quantity: Quantity, read: _Range) -> int | None:
        """How far a word for the quantity stands from the range, within its own phrase."""
        for n, at in enumerate(range(read.start - 1, max(read.start - 5, -1), -1)):
            if self.tokens[at].stem in quantity.words or self.words[at] in quantity.words:
                return n
            if self.words[at] in ENDERS - _BETWEEN_WORDS - {"not", "than", "do", "does", "more", "less"}:
                break
            if not self.tokens[at].is_word:
                break
        after = read.amounts[-1].end
        for n, at in enumerate(range(after, min(max(read.end, after) + 3, len(self.tokens)))):
            if self.tokens[at].stem in quantity.words or self.words[at] in quantity.words:
                return n
            if at >= read.end and self.words[at] not in ("of", "in", "the"):
                break
        return None

    def _stands_by_documents(self, start: int) -> bool:
        """Whether a document or a value stands right before: "reds since 2015"."""
        back = start - 1
        if self.word(back) in ("made", "from", "harvested", "picked", "vintages", "bottled"):
            back -= 1
        if back < 0:
            return False
        stem = self.tokens[back].stem
        words = frozenset[str]().union(*(q.words for q in self.vocabulary.quantities if q.concept == "year"))
        return (
            stem in self.vocabulary.nouns
            or stem in words
            or (stem,) in self.vocabulary.phrases
            or stem in ("anything", "something", "everything")
        )

    # --- numbers without a comparison

    def _equal(self, read: _Range) -> Proposal | None:
        """A vintage, a score, a strength. A bare price is none: a budget, or a memory of one."""
        amount, found = read.amounts[0], self.vocabulary.quantities
        if amount.is_year:
            years = [q for q in found if q.concept == "year" and q.low <= amount.value <= q.high]
            if len(years) != 1 or not self._names_year(years[0], read):
                return None
            denied = self.word(read.start - 1) == "not" or self.words[
                max(0, read.start - 2) : read.start
            ] == ["not", "from"]
            return self._made(years[0], {"$ne" if denied else "$eq": amount.value}, read)
        decade = self._decade(read)
        if decade is not None:
            return decade
        if self.word(read.start - 1) in ("not", "than"):
            return None
        quantity = self._quantity(read) if read.unit or self._named(read) else None
        if (
            quantity is None
            or quantity.concept == "money"
            or not quantity.low <= amount.value <= quantity.high
        ):
            return None
        return self._made(quantity, {"$eq": amount.value}, read)

    def _named(self, read: _Range) -> bool:
        return any(self._distance(q, read) is not None for q in self.vocabulary.quantities)

    def _names_year(self, quantity: Quantity, read: _Range) -> bool:
        before, after = (
            self.word(read.start - 1),
            self.tokens[read.end] if read.end < len(self.tokens) else None,
        )
        if before in (":", "="):
            before = self.word(read.start - 2)
        if before in ("from", "vintage", "vintages") or singular(before) in quantity.words:
            return True
        if after is None:
            return before in ("a", "the")
        known = after.stem in self.vocabulary.nouns or (after.stem,) in self.vocabulary.phrases
        name = after.is_capital and after.stem in self.vocabulary.names
        return known or name or after.stem in quantity.words

    def _decade(self, read: _Range) -> Proposal | None:
        """The 1990s."""
        amount = read.amounts[0]
        years = [q for q in self.vocabulary.quantities if q.concept == "year"]
        is_decade = amount.unit == "s" and 1000 <= amount.value <= 2200 and amount.value % 10 == 0
        if not is_decade or len(years) != 1 or not self._ends(read.end):
            return None
        if self.words[max(0, read.start - 2) : read.start] != ["from", "the"]:
            return None
        return self._made(years[0], {"$gte": amount.value, "$lte": amount.value + 9}, read)


def _has_unit(quantity: Quantity, unit: str) -> bool:
    own = quantity.facet.unit
    if own == unit or (unit == "%" and quantity.concept == "percent"):
        return True
    if unit in _CURRENCIES:
        return quantity.concept == "money" and own not in _CURRENCIES
    return unit in ("points", "stars") and quantity.concept == "rating" and own not in ("points", "stars")


def _is_near(quantity: Quantity, read: _Range) -> bool:
    """Whether the numbers could be of this quantity: at most twice the highest, at least half the lowest."""
    low, high = sorted((quantity.low / 2, quantity.high * 2))
    return all(low <= amount.value <= high for amount in read.amounts)


def _separates(quantity: Quantity, read: _Range) -> bool:
    """Whether the number lies between the ends, so that the range leaves some and takes some."""
    return all(quantity.low <= amount.value <= quantity.high for amount in read.amounts)
