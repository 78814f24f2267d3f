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
from rag.catalogue import Catalogue
from rag.config import DEFAULT_MODEL, Environment, Settings
from rag.engine import Engine
from rag.errors import FilterError
from rag.filters import parse
from rag.prototypes import Facet, Prototype
from rag.types import DocumentRecord, Metadata, Vectors

CSV = """name,colour,origin,price_eur,added,notes
Alder,red,Norway,12,2025-03-01,"A light pack of thin cloth that is easy to carry for a day on the hill."
Birch,red,Spain,30,2025-06-01,"A sturdy pack with a wide belt that carries a tent and the food of a week."
Cedar,blue,Norway,18,2026-01-10,"A narrow pack for climbing, whose lid comes off and whose sides are smooth."
Dogwood,blue,Spain,45,2026-05-10,"A large pack with a frame that was made for long walks in the far north."
Elm,red,Norway,60,2026-08-01,"A pack with wheels that takes the train and does not like the mountains."
Fir,blue,Spain,25,2026-08-02,"A pack for the office that holds papers and one pair of running shoes."
"""
GUESSING = Settings(filters_guess="on", abstain="off")
OFFERING = Settings(filters_guess="off", abstain="off")


class WordEmbedder:
    """Texts as bags of hashed words, in the shapes of the default model."""

    name, dimensions, max_tokens = DEFAULT_MODEL, 384, 256
    document_prompt, backend = "", "a fake"

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
    made = Engine(Environment(home=home), load_model=lambda _: WordEmbedder())
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
    off = engine.search("shop", "a red pack under 40 euros", settings=OFFERING)
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


def test_a_chat_proposes_and_applies_nothing_by_itself(engine: Engine) -> None:
    answer = engine.ask("shop", "a red pack from Norway", settings=OFFERING).answer

    assert answer.where is None
    assert [(p.label, p.applied) for p in answer.proposed] == [
        ("Colour: red", False),
        ("Origin: Norway", False),
    ]
    assert engine.store.answer(answer.id) == answer


def test_what_the_reader_accepts_of_it_holds(engine: Engine) -> None:
    answer = engine.ask(
        "shop", "a red pack from Norway", settings=OFFERING, accepted=[{"origin": "Norway"}]
    ).answer

    assert sources(answer.passages) == {"Alder", "Cedar", "Elm"}
    assert answer.where == {"origin": "Norway"}
    assert [(p.label, p.applied) for p in answer.proposed] == [
        ("Colour: red", False),
        ("Origin: Norway", True),
    ]


def test_a_chat_with_guessing_on_applies_all_of_it_until_the_reader_chooses(engine: Engine) -> None:
    at_once = engine.ask("shop", "a red pack from Norway", settings=GUESSING).answer
    without = engine.ask("shop", "a red pack from Norway", settings=GUESSING, accepted=[]).answer

    assert at_once.where == {"$and": [{"colour": "red"}, {"origin": "Norway"}]}
    assert [p.applied for p in at_once.proposed] == [True, True]
    assert without.where is None
    assert [p.applied for p in without.proposed] == [False, False]


def test_what_the_readers_own_filter_says_already_is_not_proposed(engine: Engine) -> None:
    answer = engine.ask(
        "shop",
        "a red pack from Norway under 20 euros",
        where={"origin": {"$in": ["Norway"]}, "price_eur": {"$lte": 15}},
        settings=OFFERING,
        accepted=[{"origin": "Norway"}],
    ).answer

    assert [p.label for p in answer.proposed] == ["Colour: red"]
    assert answer.where == {"$and": [{"origin": {"$in": ["Norway"]}}, {"price_eur": {"$lte": 15.0}}]}


def test_an_accepted_filter_that_leaves_nothing_is_not_dropped(engine: Engine) -> None:
    answer = engine.ask(
        "shop", "a red pack", where={"price_eur": 18}, settings=GUESSING, accepted=[{"colour": "red"}]
    ).answer

    assert answer.notices == ("filters-empty",)
    assert answer.abstained
    assert [p.applied for p in answer.proposed] == [True]


@pytest.mark.parametrize(
    "given",
    [
        {"accepted": [{"origin": "Norway"}, {"price_eur": {"$lt": 20}}]},
        {"where": {"origin": {"$in": ["Norway"]}, "price_eur": {"$lte": 18}}},
    ],
)
def test_words_that_a_filter_of_the_page_says_count_as_covered(engine: Engine, given: Any) -> None:
    question = "a Norwegian pack for climbing under 20 euros"
    without = engine.search("shop", question, settings=OFFERING, propose=True)
    under = engine.search("shop", question, settings=OFFERING, propose=True, **given)

    assert without.coverage < 1.0
    assert under.coverage == 1.0


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


def test_a_stray_word_beside_the_filters_does_not_outweigh_them(engine: Engine) -> None:
    question = "Which red ones would you go for, from Norway, under 20 euros?"
    on = engine.search("shop", question, settings=GUESSING)
    off = engine.search("shop", question, settings=OFFERING)

    assert [p.label for p in on.proposed] == ["Colour: red", "Origin: Norway", "Price under 20 €"]
    assert on.coverage > max(off.coverage, 0.5)


def test_the_command_line_prints_what_was_proposed(engine: Engine) -> None:
    answer = engine.ask("shop", "a red pack under 40 euros", settings=GUESSING, origin="command").answer

    value = json.loads(json.dumps(show.ask_json((None, answer))))

    assert value["proposed"] == [
        {"label": "Colour: red", "where": {"colour": "red"}, "applied": True},
        {"label": "Price under 40 €", "where": {"price_eur": {"$lt": 40}}, "applied": True},
    ]
    assert show.ask_text((None, answer)).startswith("Filtered: Colour: red; Price under 40 €\n")


# --- the filter that always holds --------------------------------------------


NORWAY = Settings(filters_guess="off", abstain="off", where={"origin": "Norway"})
CHEAP = Settings(filters_guess="off", abstain="off", where={"price_eur": {"$lt": 20}})
DECLARED = """
[facets.colour]
[facets.origin]
[facets.price_eur]
kind = "range"
label = "Price"
unit = "€"
"""


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The same packs, whose facets the prototype declares."""
    home: Path = tmp_path_factory.mktemp("declared")
    (home / "packs.csv").write_text(CSV, encoding="utf-8")
    made = Engine(Environment(home=home), load_model=lambda _: WordEmbedder())
    made.create("shop")
    with open(home / "prototypes" / "shop" / "prototype.toml", "a", encoding="utf-8") as file:
        file.write(DECLARED)
    made.ingest("shop", [home / "packs.csv"])
    return made


def test_what_always_holds_leaves_the_others_uncounted_and_unnamed(declared: Engine) -> None:
    engine = declared
    found = {values.facet.key: values for values in engine.facets("shop", {"colour": "red"}, NORWAY)}

    assert found["colour"].values == (("red", 2), ("blue", 1))
    assert found["origin"].values == (("Norway", 2),)
    assert (found["price_eur"].low, found["price_eur"].high) == (12, 60)
    assert "Spain" not in repr(found)
    assert engine.matching("shop", {"colour": "red"}, NORWAY) == (2, 3)
    assert engine.matching("shop", {"origin": "Spain"}, NORWAY) == (0, 3)
    assert engine.matching("shop", None, NORWAY) == (3, 3)


def test_two_settings_share_nothing(engine: Engine) -> None:
    assert engine.matching("shop", None, NORWAY) == (3, 3)
    assert engine.matching("shop", None, CHEAP) == (2, 2)
    assert engine.matching("shop", None) == (6, 6)
    for n in range(30):
        where = {"price_eur": {"$lt": n}}
        assert engine.matching("shop", None, replace(NORWAY, where=where))[1] == (n > 12) + (n > 18) + (
            n > 25
        )


def test_filters_that_are_equal_to_python_alone_share_nothing() -> None:
    rows: Sequence[Metadata] = ({"a": 1}, {"a": True}, {"a": True})
    records = {str(n): DocumentRecord(str(n), (), "", "", row, 1, 1) for n, row in enumerate(rows)}
    catalogue = Catalogue(records, Prototype("shop", Path(), "Shop"))

    found = [catalogue.within(parse({"a": value}), lambda _: ()).records.keys() for value in (1, True)]

    assert found == [{"0"}, {"1", "2"}]


def test_facets_are_guessed_from_what_is_let_through(engine: Engine) -> None:
    assert "origin" in {values.facet.key for values in engine.facets("shop")}
    assert "origin" not in {values.facet.key for values in engine.facets("shop", None, NORWAY)}


def test_a_question_names_no_value_that_is_left_out(declared: Engine) -> None:
    engine = declared
    question = "red packs from Spain under 20 euros"

    labels = [p.label for p in engine.proposals("shop", question, settings=NORWAY)]
    answer = engine.ask("shop", question, settings=NORWAY).answer

    assert not [label for label in labels if "Spain" in label]
    assert [p.label for p in answer.proposed] == ["Colour: red", "Price under 20 €"]
    assert [p.label for p in engine.proposals("shop", "from Spain", settings=NORWAY)] == []
    assert [p.label for p in engine.proposals("shop", "from Spain")] == ["Origin: Spain"]


def test_the_word_of_the_filter_that_always_holds_counts_as_covered(engine: Engine) -> None:
    found = engine.search("shop", "a Norwegian pack for climbing", settings=NORWAY, propose=True)

    assert found.passages[0].title == "Cedar"
    assert found.coverage == 1.0
    assert found.proposed == ()


def test_a_filter_of_the_prototype_itself_holds_as_well(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "packs.csv").write_text(CSV, encoding="utf-8")
    made = Engine(Environment(home=tmp_path / "home"), load_model=lambda _: WordEmbedder())
    made.ingest("shop", [tmp_path / "packs.csv"])
    with open(tmp_path / "home" / "prototypes" / "shop" / "prototype.toml", "a", encoding="utf-8") as file:
        file.write('[settings]\nfilters.where = {origin = "Norway"}\n')

    assert made.matching("shop", None) == (3, 3)
    assert made.proposals("shop", "from Spain") == []
    assert made.matching("shop", None, OFFERING) == (6, 6)


def test_pages_and_sections_are_asked_of_the_chunks(tmp_path: Path) -> None:
    texts = {
        "open.md": "---\nteam: Blue\n---\n# Public\n\nThe gate opens at nine in the morning.\n",
        "both.md": "---\nteam: Red\n---\n# Public\n\nThe shop has tea.\n\n# Secret\n\nThe key is here.\n",
        "shut.md": "---\nteam: Green\n---\n# Secret\n\nThe safe has a number of nine digits.\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    made = Engine(Environment(home=tmp_path / "home"), load_model=lambda _: WordEmbedder())
    made.ingest("desk", [tmp_path / name for name in texts])

    for where, count in (
        ({"section": "Public"}, 2),
        ({"section": {"$ne": "Secret"}}, 2),
        ({"$and": [{"section": "Secret"}, {"team": "Green"}]}, 1),
        ({"page": 1}, 0),
    ):
        held = replace(OFFERING, where=where)
        assert made.matching("desk", None, held) == (count, count)
        found = made.search("desk", "nine", settings=held)
        assert {p.source for p in found.passages} <= {
            r.source for r in made.shelf.catalogue(made.prototype("desk"), where).records.values()
        }


def test_a_filter_that_means_nothing_counts_nothing(engine: Engine) -> None:
    broken = replace(NORWAY, where={"price_eur": {"$gt": "far"}})

    with pytest.raises(FilterError):
        engine.matching("shop", None, broken)
    with pytest.raises(FilterError):
        engine.facets("shop", None, broken)
