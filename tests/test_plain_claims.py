"""Claims in a source's own words, for what the checker is taught with."""

from __future__ import annotations

import itertools
import random

from tests.benchmarks.plain import deny_alike, plain, words_of

SOURCE = (
    "Visitors need a permit, which costs 12 euros and is valid for one day. Dogs are not allowed, because "
    "petrels nest in the walls. In summer, ferries run from Port Dorrick, and the fare is at least 30 euros. "
    "Ada Holm, who led the dig, left in May 1903."
)


def _made(seed: int = 1, words: set[str] | None = None) -> list[tuple[str, str]]:
    return list(plain(SOURCE, words or words_of(SOURCE) | {"june", "most"}, random.Random(seed), most=20))


def test_true_claims_are_sentences_clauses_and_what_is_said_of_a_noun() -> None:
    true = [claim for seed in range(5) for kind, claim in _made(seed) if kind == "true"]

    assert {
        "The permit costs 12 euros and is valid for one day.",
        "Dogs are not allowed.",
        "Dogs are not allowed, because petrels nest in the walls.",
        "Ada Holm led the dig.",
    } <= set(true)


def test_a_changed_claim_follows_its_true_one_and_differs_in_one_spot() -> None:
    made = [_made(seed) for seed in range(5)]
    kinds = set()
    for claims in made:
        for (kind, claim), (next_kind, changed) in itertools.pairwise(claims):
            if next_kind == "true":
                continue
            assert kind == "true"
            left, right = claim.split(), changed.split()
            same = sum(a == b for a, b in zip(left, right, strict=False))
            same += sum(a == b for a, b in zip(left[::-1], right[::-1], strict=False))
            assert claim != changed
            assert same >= max(len(left), len(right)) - 3
            kinds.add(next_kind)
    assert kinds >= {"negation", "number", "quantifier"}


def test_no_claim_has_a_word_that_nobody_writes() -> None:
    known = words_of(SOURCE)

    for seed in range(20):
        assert all(words_of(claim) <= known for kind, claim in _made(seed, known) if kind != "true")


def test_true_and_changed_claims_deny_as_often() -> None:
    true = [("true", "It is not so.", "s")] + [("true", "It is.", "s")] * 3
    false = [("negation", f"It is not {n}.", "s") for n in range(9)] + [("number", "It is 3.", "s")] * 3

    kept = deny_alike([*true, *false], random.Random(1))

    assert [row for row in kept if row[0] == "true"] == true
    assert sum("not" in claim for kind, claim, _ in kept if kind != "true") == 1


def test_nothing_is_made_of_a_heading_or_a_question() -> None:
    assert list(plain("Opening hours:\nWhen is it open?", {"open"}, random.Random(1))) == []
