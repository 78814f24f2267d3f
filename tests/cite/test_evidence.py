"""What a model reads of a long source, and which texts it reads at all."""

from __future__ import annotations

import pytest

from rag.cite.english import is_english
from rag.cite.evidence import MOST, WHOLE, evidence, parts
from rag.sentences import sentences

SOURCE = "Dogs stay outside. The pool opens at nine. Children swim free. Towels cost two euros."


def chosen(most: int, *worth: float) -> str:
    return evidence(SOURCE, sentences(SOURCE), worth, most, most)


def test_a_short_source_is_read_whole() -> None:
    assert chosen(200, 0, 0, 0, 0) == SOURCE


def test_one_that_is_hardly_longer_than_what_is_read_of_a_long_one_is_read_whole() -> None:
    just, longer = (" ".join(["Dogs stay outside."] * times) for times in (36, 38))

    assert MOST < len(just) <= WHOLE < len(longer)
    assert evidence(just, sentences(just), [0.0] * 36) == just
    assert len(evidence(longer, sentences(longer), [0.0] * 38)) <= MOST


def test_of_a_long_one_the_sentences_that_matter_are_read_in_their_order() -> None:
    assert chosen(45, 0.1, 0.2, 0.9, 0.8) == "Children swim free. Towels cost two euros."


def test_a_sentence_that_was_left_out_before_is_not_read_of_a_short_source_either() -> None:
    first, _, third, last = sentences(SOURCE)

    assert evidence(SOURCE, [first, third, last], [0, 0, 0], 200) == (
        "Dogs stay outside. Children swim free. Towels cost two euros."
    )


def test_a_sentence_that_does_not_fit_is_passed_over_for_one_that_does() -> None:
    assert chosen(40, 0.5, 0.1, 0.9, 0.8) == "Dogs stay outside. Children swim free."


def test_the_best_sentence_is_cut_where_it_alone_is_too_long() -> None:
    assert chosen(10, 0, 1, 0, 0) == "The pool op"


def test_a_long_sentence_is_read_in_parts_that_end_at_a_joint() -> None:
    text = "; ".join(f"item {n} is kept in the cellar" for n in range(30))

    found = parts(text, [(0, len(text))])

    assert "".join(text[a:b] for a, b in found) == text
    assert all(text[a:b].endswith("; ") or text[a:b].endswith(";") for a, b in found[:-1])
    assert max(b - a for a, b in found) <= 300


def test_one_without_any_joint_is_parted_where_it_is_full() -> None:
    assert parts("x" * 700, [(0, 700)]) == [(0, 300), (300, 600), (600, 700)]


@pytest.mark.parametrize(
    "text",
    [
        "The library opens at nine.",
        "Dogs welcome.",
        "Zürich and Genève are twinned.",
        "Error 404: page not found",
        "Tickets cost 12 euros per person.",
        "Speed limit: 30 km per hour",
        "Los Angeles hosts two teams.",
        "Vincent van Gogh painted Sunflowers.",
        "Output 238 W at 230 V.",
        "Vintage port keeps two months once decanted.",
        "",
        "1,234",
    ],
)
def test_english_is_read(text: str) -> None:
    assert is_english(text)


@pytest.mark.parametrize(
    "text",
    [
        "La biblioteca abre a las nueve de la mañana.",
        "Les chiens ne sont pas admis dans la salle.",
        "Hunde dürfen nicht in den Lesesaal.",
        "O prazo é de dois meses, mas pode ser maior.",
        "Il museo è chiuso il lunedì per lavori.",
        "De bibliotheek is niet open op maandag, het museum wel.",
        "Perpustakaan buka pukul sembilan pagi hingga lima sore setiap hari.",
        "図書館は九時に開きます。",
        "Библиотека открывается в девять часов.",
    ],
)
def test_other_languages_are_not(text: str) -> None:
    assert not is_english(text)
