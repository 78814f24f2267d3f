"""True claims beside what does not say them, for what the checker is taught with."""

from __future__ import annotations

import random

import pytest

from rag.cite.signals import EmbedTexts
from rag.config import Embedding, Environment
from rag.embed import load_embedder
from tests.benchmarks.unsaid import FROM, TO, left_out, nearby

LIBRARY = "Books are lent for three weeks. The reading room closes at nine. Dogs must wait outside the door."
CLAIM = "The reading room shuts at 9 in the evening."


@pytest.fixture(scope="module")
def embed() -> EmbedTexts:
    return load_embedder(Embedding(), Environment.load()).embed_texts


def test_the_one_sentence_that_says_it_is_left_out(embed: EmbedTexts) -> None:
    assert list(left_out([("true", CLAIM, LIBRARY)], embed)) == [
        ("unrelated", CLAIM, "Books are lent for three weeks. Dogs must wait outside the door.")
    ]


def test_a_claim_that_several_sentences_may_say_or_none_makes_no_pair(embed: EmbedTexts) -> None:
    twice = f"{LIBRARY} At nine the reading room is closed."
    none = "Ferries run in summer. The fare is 30 euros. Tickets are sold on board."

    assert list(left_out([("true", CLAIM, twice), ("true", CLAIM, none)], embed)) == []


def test_of_two_sentences_none_is_left_out(embed: EmbedTexts) -> None:
    assert list(left_out([("true", CLAIM, LIBRARY.partition(" Dogs")[0])], embed)) == []


def test_a_claim_is_put_beside_a_near_source_but_neither_its_own_nor_the_nearest(embed: EmbedTexts) -> None:
    rooms = [f"Room {n} of the library closes at {n}." for n in range(FROM)]
    others = [f"Ship {n} left the port of Bergen with herring and timber." for n in range(TO)]
    mine = "The reading room of the library closes at nine."
    sources = [mine, *rooms, *others]

    for seed in range(5):
        made = list(nearby([("true", CLAIM, mine)] * 8, sources, embed, random.Random(seed)))
        assert [(kind, claim) for kind, claim, _ in made] == [("unrelated", CLAIM)] * 8
        assert {source for *_, source in made} <= set(others)


def test_where_few_sources_are_left_it_is_never_its_own(embed: EmbedTexts) -> None:
    sources = [f"Ship {n} left the port." for n in range(FROM + 2)]

    made = list(nearby([("true", "A ship left.", sources[0])] * 20, sources, embed, random.Random(1)))

    assert sources[0] not in {source for *_, source in made}
