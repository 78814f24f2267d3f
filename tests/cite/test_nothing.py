"""Sentences that say of the sources that they say nothing."""

from __future__ import annotations

import pytest

from rag.cite.nothing import cannot_be_cited, says_nothing


@pytest.mark.parametrize(
    "text",
    [
        "The passages do not mention this.",
        "Unfortunately, the provided documents don’t contain information about tickets.",
        "The documents you gave me do not say how much a permit costs.",
        "The price of a permit is not mentioned in the documents.",
        "There is no information about opening hours in the provided sources.",
        "I cannot find an answer in these passages.",
        "I'm sorry, but the text does not specify the date.",
        "Based on the documents, the passages contain no such figure.",
        "The sources are silent on this.",
        "The documents do not mention the 2019 report.",
        "According to the context, there is no mention of a parking fee.",
        "Regarding the parking fee at the hotel, the documents do not provide any information.",
        "For guests with dogs the passages do not state a fee.",
        "The passages do not mention parking; please contact the hotel reception for details.",
        "The passages only describe pets and do not mention parking.",
        "The passages describe pets, but do not mention parking.",
        "The source text on parking does not mention a fee.",
        "The provided documents do not mention the fee for 2025, 2026 or 2027.",
        "The passages do not give an opening time for Sunday, 5 May.",
    ],
)
def test_it_says_nothing(text: str) -> None:
    assert says_nothing(text)


@pytest.mark.parametrize(
    "text",
    [
        "You do not need to provide any documents before the third day.",
        "Visitors do not have to give their text in advance.",
        "The text message service does not include roaming.",
        "The fee is 900 euros, but documents do not say so.",
        "The fee is 900 euros, the documents do not say why.",
        "The documents do not mention the fee, but it is 900 euros.",
        "Although the documents do not mention the price, tickets cost 5 euros.",
        "The museum does not provide lockers.",
        "Not every passage is heated.",
        "For 900 euros you can stay, the documents do not say how long.",
        "Please pay 900 euros.",
        "The documents must be handed in before 3 May, although the passages do not say where.",
        "The permit costs 24 euros.",
        "",
    ],
)
def test_it_says_something(text: str) -> None:
    assert not says_nothing(text)


@pytest.mark.parametrize(
    ("text", "cannot"),
    [
        ("The passages do not mention parking.", True),
        ("The provided documents do not say how long it takes.", True),
        ("The documents that I was given do not mention this.", True),
        ("The price is not mentioned in the excerpts.", True),
        ("Travel documents do not give a right to stay.", False),
        ("The documents do not mention the 2019 report.", False),
        ("The passages are not heated.", False),
        ("The passages do not mention the fee, but it is 900 euros.", False),
    ],
)
def test_of_what_a_model_was_given_nothing_can_be_cited(text: str, cannot: bool) -> None:
    assert cannot_be_cited(text) is cannot
