"""The phrases of a question that a collection knows, and which of them belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.facets import word_set
from rag.guess.tokens import Token, Tokens
from rag.guess.vocabulary import Meaning, Vocabulary
from rag.guess.words import DETERMINERS, ends_phrase

_LONGEST = 8
_JOINTS = frozenset({",", "or", "and", "nor", "&", "/"})
_BETWEEN = DETERMINERS | word_set("from in with for about on either both")


@dataclass(frozen=True, slots=True)
class Mention:
    """Tokens ``start:end`` (half-open) that stand for a meaning."""

    start: int
    end: int
    meaning: Meaning


@dataclass(frozen=True, slots=True)
class Group:
    """Mentions of one facet that are joined: ``Spain or Portugal``. ``joints`` are the words between."""

    mentions: tuple[Mention, ...]
    joints: frozenset[str]

    @property
    def first(self) -> Mention:
        return self.mentions[0]

    @property
    def last(self) -> Mention:
        return self.mentions[-1]

    @property
    def key(self) -> str:
        return self.first.meaning.facet.key

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value for m in self.mentions for value in m.meaning.values))


class Reading(Tokens):
    """One question: its tokens, the values that it mentions, and their groups.

    ``taken`` are tokens that are part of a number or a date.
    """

    def __init__(self, tokens: Sequence[Token], vocabulary: Vocabulary, taken: frozenset[int]) -> None:
        super().__init__(tokens)
        self.vocabulary = vocabulary
        self.taken = taken
        self.mentions = self._find()
        self.groups = self._group()
        self.at_start = {m.start: m for m in self.mentions}
        self.at_end = {m.end: m for m in self.mentions}

    def is_noun(self, at: int) -> bool:
        """Whether the token is what documents are called."""
        return 0 <= at < len(self.tokens) and self.tokens[at].stem in self.vocabulary.nouns

    def is_name(self, at: int) -> bool:
        """Whether the token is another value of the collection, written as a name."""
        if not 0 <= at < len(self.tokens):
            return False
        return self.tokens[at].is_capital and self.tokens[at].stem in self.vocabulary.names

    def _find(self) -> list[Mention]:
        """The longest phrases from left to right that the collection knows."""
        found: list[Mention] = []
        at = 0
        while at < len(self.tokens):
            length, meaning = self._longest(at)
            if meaning is not None:
                found.append(Mention(at, at + length, meaning))
            at += max(length, 1)
        return found

    def _longest(self, at: int) -> tuple[int, Meaning | None]:
        for length in range(min(_LONGEST, len(self.tokens) - at), 0, -1):
            span = self.tokens[at : at + length]
            if self.taken.intersection(range(at, at + length)):
                continue
            phrase = tuple(token.stem for token in span)
            if phrase in self.vocabulary.blocked:
                return length, None
            if phrase in self.vocabulary.titles and all(
                token.is_capital for token in span if len(token.stem) > 3
            ):
                return length, None
            meanings = self.vocabulary.phrases.get(phrase, ())
            capital = all(token.text.isupper() for token in span)
            meant = [m for m in meanings if capital or not m.in_capitals]
            if len(meant) > 1:  # the same word in two facets: only its label tells which
                meant = [m for m in meant if self.is_labelled(at, m)]
            if len(meant) == 1:
                return length, meant[0]
            if meanings:
                return length, None
        return 1, None

    def _group(self) -> list[Group]:
        groups: list[Group] = []
        for mention in self.mentions:
            joints = self._joints(groups[-1].last, mention) if groups else None
            if joints is None:
                groups.append(Group((mention,), frozenset()))
            else:
                groups[-1] = Group((*groups[-1].mentions, mention), groups[-1].joints | joints)
        return groups

    def _joints(self, left: Mention, right: Mention) -> frozenset[str] | None:
        """The words that join two mentions of one facet, None where they do not belong together."""
        if left.meaning.facet.key != right.meaning.facet.key:
            return None
        between = self.words[left.end : right.start]
        if not between:  # "beef stew": a dish of both, or of either
            return frozenset({"or"}) if left.meaning.facet.kind == "list" else None
        joints = frozenset(between) & _JOINTS
        others = [word for word in between if word not in _JOINTS and word not in _BETWEEN]
        nouns = [at for at in range(left.end, right.start) if self.is_noun(at)]
        allowed = len(nouns) + (1 if left.meaning.facet.kind == "list" else 0)
        plain = all(not ends_phrase(word) for word in others)
        return joints if joints and len(others) <= allowed and plain and len(between) <= 6 else None

    def is_labelled(self, at: int, meaning: Meaning) -> bool:
        """Whether the facet's own name stands right before: "topic: housing"."""
        words = self.vocabulary.labels.get(meaning.facet.key, frozenset())
        back = at - 1
        while self.word(back) in (":", "=", "is", "of", "with", "the", '"', "“"):
            back -= 1
        return 0 <= back < at and self.tokens[back].stem in words
