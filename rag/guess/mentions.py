"""Values that a question names, and whether it means them as a filter.

A word is not a filter because a value is called so: "red tape", "my landlord", "How cold
should I serve white wine?". Each mention is judged by the grammar around it, and what
could be meant otherwise is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from rag.facets import word_set
from rag.guess.phrases import Group, Reading
from rag.guess.proposal import Proposal, value_label
from rag.guess.tokens import Token
from rag.guess.vocabulary import Vocabulary
from rag.guess.words import (
    AUXILIARIES,
    COMPASS,
    CONTAINERS,
    DEGREES,
    DETERMINERS,
    ENDERS,
    POSSESSIVES,
    PREDICATES,
    PRONOUNS,
    SELECTS,
    SENSES,
    WHOLES,
    ends_phrase,
    is_negated,
)

_ABOUT = word_set("about on regarding concerning")
_ASIDE = word_set("like than as versus vs between compared")
_AWAY = word_set("to into with for than like as through near via at by against toward towards over")
_LIST_CUES = word_set("with for alongside beside about on and")
_PAIRING = word_set("go goes going pair pairs pairing paired match matches matching suit suits")
_COMPARES = word_set(
    "compare compares compared comparison difference differences differ versus vs mean means"
)
_SELECTING = ("do you have", "have you got", "is there", "are there", "am after", "would like", "i'd like")
_ASKS = ("show me", "give me", "find me", "you have", "got", "is there", "are there", "how about")
_HOW = word_set("how why when")
_LANGUAGE = word_set("in into speak speaks speaking spoke spoken")
_MEALS = word_set("cooking eating serving having making grilling roasting preparing")
_WISHERS = word_set("i i'd would we we'd you they don't")
_ASKING_FOR = word_set("is are get have claim")


def propose_values(tokens: Sequence[Token], vocabulary: Vocabulary, taken: frozenset[int]) -> list[Proposal]:
    """The choices and lists that the question means as filters; ``taken`` tokens say something else."""
    return _Judge(tokens, vocabulary, taken).proposals()


class _Judge(Reading):
    """Which of a question's groups are meant as filters."""

    def __init__(self, tokens: Sequence[Token], vocabulary: Vocabulary, taken: frozenset[int]) -> None:
        super().__init__(tokens, vocabulary, taken)
        self.explains = self._explains()

    # --- the question as a whole

    def _explains(self) -> bool:
        """Whether the question asks how something is, not for documents that are so."""
        words = self.words[:]
        while words and words[0] in ("at", "and", "so", "but", "from", "in", ",", "hi", "hello"):
            words = words[1:]
        if not words:
            return False
        first, second = words[0], words[1] if len(words) > 1 else ""
        starts = {m.start: m.end for m in self.mentions if not m.meaning.is_place}
        skip = len(self.words) - len(words)
        if set(words) & _COMPARES or self.word(starts.get(skip, -1)) in ("is", "are"):
            return True  # "Orange is the new black"
        if first in _HOW:
            return not (first == "how" and second in ("about", "many"))
        if first in AUXILIARIES:
            return skip + 1 in starts  # "Does red wine give headaches?"
        if first not in ("what", "which", "what's", "who", "whose"):
            return False
        if first == "what" and second in ("makes", "does", "did", "happens", "causes", "means"):
            return True
        if first == "what's" or (first == "what" and second in ("is", "are", "was", "were")):
            at = skip + (1 if first == "what's" else 2)
            while self.word(at) in DETERMINERS:
                at += 1
            return at in starts  # "What is orange wine?"
        # "Which grape has red flesh?" asks for a grape.
        return (
            not ends_phrase(second)
            and not self.is_noun(skip + 1)
            and skip + 1 not in self.at_start
            and self.word(skip + 2) in AUXILIARIES
        )

    def _selects(self, at: int) -> bool:
        """Whether the words before ``at`` ask for documents: a wish, a fragment, "which <value>"."""
        before = self.words[:at]
        joined = " ".join(before)
        if set(before) & SELECTS or any(phrase in joined for phrase in _SELECTING):
            return True
        if before[:1] in (["which"], ["what"]) or joined in ("how about", "how many", "what about"):
            return not set(before[1:]) & ENDERS - {"about", "many"}
        return before[-1:] in (["which"], ["what"]) or self._is_fragment(at)

    def _is_fragment(self, at: int) -> bool:
        """Whether no verb stands before: "a pale red", "help for students"."""
        clause = takewhile(lambda word: word not in ("that", "which"), self.words[:at])
        return not set(clause) & (AUXILIARIES | PRONOUNS | POSSESSIVES)

    # --- judging

    def proposals(self) -> list[Proposal]:
        judged = [(group, self._negated(group)) for group in self.groups]
        accepted = [(g, n) for g, n in judged if self._accept(g, negated=n)]
        parts = [part for g, n in accepted if n for part in self._parts(g, accepted)]
        accepted = [(g, n) for g, n in accepted if g not in parts]
        found: list[Proposal] = []
        for group, negated in accepted:
            if group.first.meaning.facet.kind == "list":
                if not negated:  # the language of filters has no "does not contain"
                    found.append(self._list(group))
            elif not self._is_rivalled(group, negated, accepted):
                found.append(self._choice(group, negated))
        unique = {(p.key, p.label): p for p in reversed(found)}
        return [p for p in found if unique[p.key, p.label] is p]

    def _negated(self, group: Group) -> bool:
        nouns = frozenset(word for at, word in enumerate(self.words) if self.is_noun(at))
        return is_negated(self.words, group.first.start, nouns)

    def _parts(self, group: Group, accepted: Sequence[tuple[Group, bool]]) -> list[Group]:
        """A negated group and what is negated with it: "no reds from Spain" excludes neither alone."""
        if self.word(group.first.start - 1) == "non":
            return []  # "a non-sparkling wine from Spain" is from Spain
        for other, _ in accepted:
            gap = range(group.last.end, other.first.start)
            joined = other.first.start >= group.last.end and all(
                self.words[at] in ("from", "in", "of") or self.is_noun(at) for at in gap
            )
            if joined and other.key != group.key:
                return [group, other]
        return []

    def _is_rivalled(self, group: Group, negated: bool, accepted: Sequence[tuple[Group, bool]]) -> bool:
        """Whether the question wants another value of the same choice elsewhere."""
        return not negated and any(
            other is not group and other.key == group.key and not n and set(other.values) != set(group.values)
            for other, n in accepted
        )

    def _accept(self, group: Group, *, negated: bool) -> bool:
        if negated and group.joints == {","}:
            return False  # "no reds, whites": where does the "no" end?
        if self.word(group.first.start - 1) in DEGREES or self._describes(group):
            return False
        if group.first.meaning.facet.kind == "list":
            return self._accept_list(group, negated=negated)
        if all(m.meaning.is_place for m in group.mentions):
            return self._accept_place(group, negated=negated)
        return self._accept_choice(group, negated=negated)

    def _describes(self, group: Group) -> bool:
        after = self.tokens[group.last.end].stem if group.last.end < len(self.tokens) else ""
        return after in SENSES

    def _governor(self, at: int) -> tuple[str, int, list[str]]:
        """The function word that a phrase hangs on, its place, and the words passed on the way."""
        passed: list[str] = []
        at -= 1
        while at >= 0 and len(passed) < 4:
            word = self.words[at]
            if word in DETERMINERS or word in POSSESSIVES or not ends_phrase(word):
                passed.append(word)
                at -= 1
                continue
            if word == "like" and self.word(at - 1) in _WISHERS:
                word = "want"
            return word, at, passed
        return "", at, passed

    def _headed(self, end: int) -> bool:
        """Whether the phrase ends here, or goes on to what is a document: no "red tape"."""
        return (
            ends_phrase(self.word(end))
            or end in self.taken
            or end in self.at_start
            or self.is_name(end)
            or self._noun_after(end)
        )

    def _is_asked_for(self, group: Group) -> bool:
        """Whether the phrase is what the question is after, so that its noun must be a document.

        "A red pack under 40" asks for packs, where nobody knows what these documents are
        called; "a coat like a red pack" and "the dust of a red pack" do not.
        """
        if self.vocabulary.is_named or self.explains:
            return False
        end = group.last.end
        while end < group.last.end + 2 and not ends_phrase(self.word(end)):
            end += 1
        governor, at, _ = self._governor(group.first.start)
        asked = at < 0 or governor in SELECTS or governor in ("which", "what")
        asked = asked or " ".join(self.words[max(0, at - 2) : at + 1]).endswith(_ASKS)
        return asked and ends_phrase(self.word(end))

    def _noun_after(self, end: int) -> bool:
        for at in range(end, min(end + 3, len(self.tokens))):
            if self.is_noun(at):  # and no more than that: "red wine vinegar"
                follows = self.word(at + 1)
                plural = self.tokens[at].word != self.tokens[at].stem
                return plural or ends_phrase(follows) or follows in PREDICATES
            if ends_phrase(self.word(at)):
                return False
        return False

    def _accept_list(self, group: Group, *, negated: bool) -> bool:
        first, last = group.first, group.last
        if negated or self.is_labelled(first.start, first.meaning):
            return True
        if self.is_noun(last.end):
            return not self.explains
        if self.word(first.start - 1) in _MEALS:
            return self._headed(last.end)
        governor, at, passed = self._governor(first.start)
        earlier = set(self.words[max(0, at - 4) : at])
        words = self.vocabulary.labels.get(group.key, frozenset())
        pairing = bool(earlier & _PAIRING) or any(
            token.stem in words for token in self.tokens[max(0, at - 4) : max(at, 0)]
        )
        if governor in ("with", "for") or (governor in _LIST_CUES and (pairing or self._asks_about(at))):
            if set(passed) & POSSESSIVES:
                return False
            return pairing or governor == "for" or self._headed(last.end)
        return (
            at < 0 and not passed and not ends_phrase(self.word(0)) and self.word(last.end) in (":", ",", "")
        )

    def _accept_place(self, group: Group, *, negated: bool) -> bool:
        first, last = group.first, group.last
        before = self.word(first.start - 1)
        governor, _, passed = self._governor(first.start)
        adjective = first.meaning.is_adjective
        if set(passed) & POSSESSIVES or (negated and not self._headed(last.end)):
            return False
        if negated:
            return True
        if adjective:
            plain = before not in _LANGUAGE and governor not in _ASIDE
            return plain and (self._headed(last.end) or self._is_asked_for(group))
        placed = before in ("from", "in", "within", "across") or (
            before == "of" and (self.is_noun(first.start - 2) or self.word(first.start - 2) in COMPASS)
        )
        beside = self.is_noun(last.end) or last.end in self.at_start or first.start in self.at_end
        if first.meaning.is_risky or not self.tokens[first.start].is_capital:
            return placed or beside
        return placed or beside or (governor not in _AWAY and governor != "of" and self._headed(last.end))

    def _accept_choice(self, group: Group, *, negated: bool) -> bool:
        first, last = group.first, group.last
        if self.is_labelled(first.start, first.meaning):
            return True
        governor, at, passed = self._governor(first.start)
        if set(passed) & POSSESSIVES:
            return False
        if not self._headed(last.end):
            subject = any(m.meaning.is_subject for m in group.mentions)
            return not subject and not negated and self._is_asked_for(group)
        if self._is_cued(group, governor, at, negated=negated):
            return True
        if self.explains or governor in _ASIDE or (governor == "of" and self.word(at - 1) not in CONTAINERS):
            return False
        if self._noun_after(last.end):
            return True
        if any(m.meaning.is_subject for m in group.mentions):
            asked = self.words[max(0, first.start - 2) : first.start]
            return asked[-1:] in (["only"], ["show"], ["list"]) or asked in (["show", "me"], ["list", "all"])
        beside = last.end in self.at_start or first.start in self.at_end or self.is_name(last.end)
        year = first.start - 1 in self.taken or last.end in self.taken
        return negated or beside or year or self._selects(first.start)

    def _is_cued(self, group: Group, governor: str, at: int, *, negated: bool) -> bool:
        """Whether a preposition makes it a filter: articles on housing, help for carers, as a carer."""
        first, last = group.first, self.tokens[group.last.end - 1]
        between = set(self.words[at + 1 : first.start])
        one = bool(between & {"a", "an"}) and between <= DETERMINERS
        if governor in _ABOUT:
            return self._asks_about(at)
        if governor == "for":
            countable = one or last.word != last.stem  # "for carers", not "for food"
            asks = negated or self._is_fragment(at) or bool(set(self.words[:at]) & _ASKING_FOR)
            return self._asks_about(at) or (countable and asks)
        if governor == "as":
            return one and not self.word(at - 1)[:1].isalpha()
        speaks = governor in ("i'm", "we're") or (
            governor in ("am", "are") and self.word(at - 1) in ("i", "we")
        )
        return speaks and one

    def _asks_about(self, at: int) -> bool:
        """Whether documents, or a word for all of them, stand shortly before."""
        for back in range(at - 1, max(at - 6, -1), -1):
            if self.is_noun(back) or self.words[back] in WHOLES:
                return True
            if self.words[back] in ("i", "we", "my", "our"):
                return False  # "Which documents do I need for a claim?"
        return False

    # --- proposing

    def _choice(self, group: Group, negated: bool) -> Proposal:
        facet, values = group.first.meaning.facet, group.values
        where: dict[str, Any]
        if negated:
            where = {facet.key: {"$ne": values[0]} if len(values) == 1 else {"$nin": list(values)}}
        else:
            where = {facet.key: values[0] if len(values) == 1 else {"$in": list(values)}}
        label = value_label(facet, values, negated=negated, together=False)
        return Proposal(facet.key, where, label, *self._span(group), negated)

    def _list(self, group: Group) -> Proposal:
        facet = group.first.meaning.facet
        together = "and" in group.joints and "or" not in group.joints
        parts = [[{facet.key: {"$contains": value}} for value in m.meaning.values] for m in group.mentions]
        alternatives: list[dict[str, Any]] = [part[0] if len(part) == 1 else {"$or": part} for part in parts]
        if len(alternatives) == 1:
            where = alternatives[0]
        elif together:
            where = {"$and": alternatives}
        else:
            where = {"$or": [one for part in parts for one in part]}
        label = value_label(facet, group.values, negated=False, together=together)
        return Proposal(facet.key, where, label, *self._span(group), False)

    def _span(self, group: Group) -> tuple[int, int]:
        return self.tokens[group.first.start].start, self.tokens[group.last.end - 1].end
