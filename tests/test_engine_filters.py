"""Facets and guessed filters through the engine, over a small library of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rag import show
from rag.config import DEFAULT_MODEL, Environment, Settings
from rag.engine import Engine
from rag.prototypes import Facet
from rag.types import Vectors

CSV = """name,colour,origin,price_eur,added,notes
Alder,red,Norway,12,2025-03-01,"A light pack of thin cloth that is easy to carry for a day on the hill."
Birch,red,Spain,30,2025-06-01,"A sturdy pack with a wide belt that carries a tent and the food of a week."
Cedar,blue,Norway,18,2026-01-10,"A narrow pack for climbing, whose lid comes off and whose sides are smooth."
Dogwood,blue,Spain,45,2026-05-10,"A large pack with a frame that was made for long walks in the far north."
Elm,red,Norway,60,2026-08-01,"A pack with wheels that takes the train and does not like the mountains."
Fir,blue,Spain,25,2026-08-02,"A pack for the office that holds papers and one pair of running shoes."
"""
GUESSING = Settings(filters_guess="on", abstain="off")


class WordEmbedder:
    """Texts as bags of hashed words, in the shapes of the default model."""

    name, dimensions, max_tokens = DEFAULT_MODEL, 384, 256

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in re.finditer(r"\S+", text)]

    def embed_query(self, text: str) -> NDArray[np.float32]:
        vector = np.full(self.dimensions, 1e-3, dtype=np.float32)
        for word in re.findall(r"\w+", text.lower()):
            vector[sum(word.encode()) % self.dimensions] += 1
        return vector / np.float32(np.linalg.norm(vector))

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        return np.array([self.embed_query(text) for text in texts], dtype=np.float32)

    def embed_sections(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> list[Vectors]:
        return [
            self.embed_texts([text[start:end] for start, end in inside])
            for text, inside in zip(texts, spans, strict=True)
        ]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    home: Path = tmp_path_factory.mktemp("home")
    (home / "packs.csv").write_text(CSV, encoding="utf-8")
    made = Engine(Environment(home=home))
    made.shelf.embedders[DEFAULT_MODEL] = WordEmbedder()
    made.ingest("shop", [home / "packs.csv"])
    return made


def sources(passages: Sequence[Any]) -> set[str]:
    return {passage.title for passage in passages}


def test_a_prototype_without_facets_gets_those_that_its_metadata_suggests(engine: Engine) -> None:
    found = engine.facets("shop", {"colour": "red"})

    assert [values.facet for values in found] == [
        Facet("colour", "Colour", "choice"),
        Facet("origin", "Origin", "choice"),
        Facet("added", "Added", "date"),
        Facet("price_eur", "Price", "range", "€"),
    ]
    assert found[1].values == (("Norway", 2), ("Spain", 1))
    assert engine.matching("shop", {"colour": "red"}) == (3, 6)


def test_the_guess_is_kept_until_the_library_changes(engine: Engine) -> None:
    prototype = engine.prototype("shop")

    assert engine.catalogue(prototype) is engine.catalogue(prototype)
    assert engine.catalogue(replace(prototype, title="x")) is not engine.catalogue(prototype)


def test_proposals_are_shown_and_nothing_is_applied(engine: Engine) -> None:
    found = engine.proposals("shop", "Norwegian packs under 20 euros, added since May", now=1_789_000_000)

    assert [p.label for p in found] == [
        "Origin: Norway",
        "Price under 20 €",
        "Added since 1 May 2026",
    ]


def test_filters_are_applied_where_they_are_switched_on(engine: Engine) -> None:
    off = engine.search("shop", "a red pack under 40 euros", settings=replace(GUESSING, filters_guess="off"))
    on = engine.search("shop", "a red pack under 40 euros", settings=GUESSING)

    assert sources(on.passages) == {"Alder", "Birch"}
    assert [(p.label, p.applied) for p in on.proposed] == [("Colour: red", True), ("Price under 40 €", True)]
    assert on.where == {"$and": [{"colour": "red"}, {"price_eur": {"$lt": 40.0}}]}
    assert (off.where, off.proposed) == (None, ())
    assert len(sources(off.passages)) == 5


def test_guessed_filters_hold_beside_the_given_ones(engine: Engine) -> None:
    found = engine.search("shop", "a red pack", where={"origin": "Norway"}, settings=GUESSING)

    assert sources(found.passages) == {"Alder", "Elm"}


def test_a_guess_that_leaves_nothing_is_dropped_and_said(engine: Engine) -> None:
    found = engine.search("shop", "a red pack", where={"price_eur": 18}, settings=GUESSING)

    assert sources(found.passages) == {"Cedar"}
    assert [(p.label, p.applied) for p in found.proposed] == [("Colour: red", False)]
    assert found.notices == ("guess-dropped",)


def test_filters_that_leave_nothing_by_themselves_are_not_blamed_on_the_guess(engine: Engine) -> None:
    found = engine.ask(
        "shop", "a red pack", where={"price_eur": 1}, settings=GUESSING, origin="command"
    ).answer

    assert found.notices == ("filters-empty",)
    assert [p.applied for p in found.proposed] == [False]


def test_a_chat_applies_no_guess(engine: Engine) -> None:
    chat = engine.ask("shop", "a red pack", settings=GUESSING).answer
    command = engine.ask("shop", "a red pack", settings=GUESSING, origin="command").answer

    assert (chat.where, chat.proposed) == (None, ())
    assert command.where == {"colour": "red"}
    assert engine.store.answer(command.id) == command


def test_words_that_became_a_filter_count_as_covered(engine: Engine) -> None:
    on = engine.search("shop", "a Norwegian pack for climbing under 20 euros", settings=GUESSING)
    off = engine.search("shop", "a pack for climbing", where=on.where, settings=GUESSING)
    dropped = engine.search("shop", "a Norwegian pack", where={"name": "Fir"}, settings=GUESSING)

    assert [p.label for p in on.proposed] == ["Origin: Norway", "Price under 20 €"]
    assert on.passages[0].title == "Cedar"
    assert (on.coverage, off.coverage) == (1.0, 1.0)
    assert dropped.coverage < 1.0


def test_a_question_that_is_nothing_but_a_filter_is_measured_whole(engine: Engine) -> None:
    found = engine.search("shop", "What is from Norway?", settings=GUESSING)

    assert [p.label for p in found.proposed] == ["Origin: Norway"]
    assert found.coverage == 1.0


def test_the_command_line_prints_what_was_proposed(engine: Engine) -> None:
    answer = engine.ask("shop", "a red pack under 40 euros", settings=GUESSING, origin="command").answer

    value = json.loads(json.dumps(show.ask_json((None, answer))))

    assert value["proposed"] == [
        {"label": "Colour: red", "where": {"colour": "red"}, "applied": True},
        {"label": "Price under 40 €", "where": {"price_eur": {"$lt": 40}}, "applied": True},
    ]
    assert show.ask_text((None, answer)).startswith("Filtered: Colour: red; Price under 40 €\n")
