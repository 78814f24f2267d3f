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
        "The documents don't say.",
        "I don't know from these documents.",
        "I couldn't find anything about that in the provided sources.",
        "I could not find any information about parking.",
        "I cannot answer this question from the given information.",
        "I don't have enough information to answer that.",
        "None of the documents mention the fee.",
        "No passage mentions parking.",
        "The answer is not in the documents.",
        "There is nothing in the documents about parking.",
        "The passages do not explain how to apply.",
        "The passages fail to mention parking.",
        "The passages lack any information on parking.",
        "It is unclear from the passages whether dogs are allowed.",
        "The documents only cover pets; they say nothing about parking.",
        "The documents do not mention dogs. Please ask at the desk.",
        "I don't know from these documents. The passages only describe pets.",
        "The passages do not say which rooms guests may use.",
        "The passages do not mention prices, opening hours, or whether dogs are allowed.",
        "The documents do not say who pays and when the fee is due.",
        "The passages do not mention a fee, so it is unclear whether parking is free.",
        "I found nothing about this in the passages: they are about pets.",
        "The question cannot be answered from the given passages.",
        "The fee could not be found in the documents.",
        "The documents do not mention parking. Let me know if you need anything else!",
        "The documents do not mention parking. If you have any other questions, feel free to ask.",
        "The documents do not mention parking. Would you like to know the fee?",
        "The documents do not mention parking. I recommend checking the website.",
        "In den Dokumenten steht nichts über Parkplätze.",
        "Die Dokumente enthalten keine Angaben dazu.",
        "Ich weiß es nicht anhand dieser Dokumente.",
        "Les documents ne mentionnent pas le prix.",
        "Je ne sais pas d’après ces documents.",
        "No lo sé a partir de estos documentos.",
        "Los documentos no mencionan el precio.",
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
        "The documents do not mention dogs. The permit costs 500 euros.",
        "The permit costs 500 euros. Dogs are not mentioned in the documents.",
        "I don't know from these documents.\n\nHowever the permit costs 500 euros. Ask at the desk.",
        "The passages do not mention the price. Usually such a permit is rather cheap.",
        "The passages describe a fee of 900 euros, but do not mention parking.",
        "The documents do not mention dogs and children under 12 pay 500 euros.",
        "The documents do not mention a fee, so parking is free for all guests.",
        "The documents do not mention a fee, meaning that parking is free.",
        "The documents do not mention a fee because parking is free.",
        "The passages do not mention dogs: pets are forbidden everywhere.",
        "The permit costs 500 euros and dogs are not mentioned in the passages.",
        "Interest is not included in income from foreign sources, and its rate is 500 percent.",
        "Passwords must not be included in documents.",
        "Die Unterlagen werden nicht innerhalb von 900 Tagen zurückgeschickt.",
        "Ohne gültige Dokumente dürfen Kinder nicht einreisen.",
        "Les documents ne sont pas rendus avant 900 jours.",
        "Los documentos no contienen 24 páginas.",
        "Please bring your passport and two lawyers. The documents do not mention a fee.",
        "You may visit the museum free of charge. The documents do not mention a fee.",
        "The documents say that dogs are banned everywhere. They do not say why.",
        "The passages state that children pay double, but do not mention parking.",
        "Passwords must not be included in the documents.",
        "Rent is not covered by other sources.",
        "Staff do not give medical information from documents.",
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
        ("The documents don't say.", True),
        ("I don't know from these documents.", True),
        ("I could not find any information about parking.", True),
        ("The permit costs 500 euros and dogs are not mentioned in the passages.", False),
        ("The passages do not mention the fee, but it is 900 euros.", False),
    ],
)
def test_of_what_a_model_was_given_nothing_can_be_cited(text: str, cannot: bool) -> None:
    assert cannot_be_cited(text) is cannot
