"""Prototypes: what a prototype.toml says, and what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import PrototypeError, UsageError
from rag.prototypes import Facet, create_prototype, list_names, list_prototypes, load_prototype
from tests.conftest import write_files

WHOLE = """
title = "Cellar"
icon = "🍷"
description = "Wines"
greeting = "Hello"
suggestions = ["One?", "Two?"]
documents = ["wines.csv"]
accent = "#112233"

[settings]
k = 3
[settings.retrieval]
candidates = 40

[facets.price]
label = "Price"
kind = "range"
unit = "€"
[facets.pairs_with]
kind = "list"

[csv."wines.csv"]
title = "name"
"""


def write(home: Path, text: str, name: str = "mine") -> None:
    write_files(home / "prototypes" / name, {"prototype.toml": text})


def test_a_prototype_says_how_it_looks_and_behaves(home: Path) -> None:
    write(home, WHOLE)

    prototype = load_prototype("mine", home)

    assert (prototype.title, prototype.icon, prototype.accent) == ("Cellar", "🍷", "#112233")
    assert prototype.suggestions == ("One?", "Two?")
    assert prototype.document_paths == [home / "prototypes" / "mine" / "wines.csv"]
    assert (prototype.settings.k, prototype.settings.candidates) == (3, 40)
    assert prototype.facets == (
        Facet("price", "Price", "range", "€"),
        Facet("pairs_with", "Pairs with", "list"),
    )
    assert prototype.csv == {"wines.csv": {"title": "name"}}
    assert not prototype.ready_made


def test_an_empty_file_is_a_plain_prototype(home: Path) -> None:
    write(home, "")

    prototype = load_prototype("mine", home)

    assert (prototype.title, prototype.documents, prototype.settings.k) == ("mine", (), 5)


def test_the_environment_goes_on_top_of_its_settings(home: Path) -> None:
    write(home, "[settings]\nmodel = 'one'\nk = 3")

    settings = load_prototype("mine", home, {"model": "two"}).settings

    assert (settings.model, settings.k) == ("two", 3)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("title = ", "Invalid value"),
        ("title = 3", "“title” must be text"),
        ("suggestions = 'x'", "“suggestions” must be a list of texts"),
        ("documents = ['../x']", "lies outside"),
        ("documents = ['/etc/hosts']", "lies outside"),
        ("accent = 'red'", "must be a colour"),
        ("settings = 3", "“settings” must be a table"),
        ("[settings]\nk = 0", "whole number from 1 to 100"),
        ("[settings]\nkk = 0", "no setting “kk”"),
        ("[settings.filters.where]\nday = 2026-01-01", "“filters.where” cannot take that"),
        ("facets = 3", "“facets” must be a table of tables"),
        ("[facets]\nprice = 3", "“facets” must be a table of tables"),
        ("[facets.price]\nkind = 'slider'", "the kinds are choice, list, range, date"),
        ("csv = []", "“csv” must be a table of tables"),
        ("\x00", "Invalid statement"),
    ],
)
def test_a_file_that_does_not_load_says_why(home: Path, text: str, why: str) -> None:
    write(home, text)

    with pytest.raises(PrototypeError, match=f"“mine” does not load: .*({why}).*Mend its prototype.toml"):
        load_prototype("mine", home)


def test_one_that_does_not_load_leaves_the_others(home: Path) -> None:
    write(home, "")
    write(home, "accent = 'red'", name="broken")

    loaded, problems = list_prototypes(home, {})

    assert "mine" in [p.name for p in loaded]
    assert "broken" not in [p.name for p in loaded]
    assert len(problems) == 1
    assert "“broken” does not load" in problems[0]


def test_ones_own_wins_over_a_ready_made_one(home: Path) -> None:
    assert load_prototype("wine", home).ready_made

    write(home, "title = 'My own'", name="wine")

    own = load_prototype("wine", home)
    assert (own.title, own.ready_made) == ("My own", False)
    assert list_names(home).count("wine") == 1


@pytest.mark.parametrize("name", ["nowhere", "No-Such", "../wine", "", "a b", "x" * 64])
def test_an_unknown_name_is_said_with_those_there_are(home: Path, name: str) -> None:
    with pytest.raises(PrototypeError, match=r"no prototype “.*wine"):
        load_prototype(name, home)


def test_a_prototype_is_made_once(home: Path) -> None:
    made = create_prototype("my-shelf", home)
    again = create_prototype("my-shelf", home)

    assert (made.title, made.folder) == ("My shelf", home / "prototypes" / "my-shelf")
    assert again == made
    assert [p.name for p in made.folder.iterdir()] == ["prototype.toml"]


@pytest.mark.parametrize("name", ["", "A", "a b", "../a", "-a", "a.b", "x" * 64, "é"])
def test_a_name_that_cannot_be_one_is_refused(home: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a prototype"):
        create_prototype(name, home)


def test_a_home_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(PrototypeError, match="THUMBPRINT_HOME"):
        create_prototype("shelf", tmp_path / "file" / "home")


@pytest.mark.parametrize("name", ["wine", "benefits", "handbook"])
def test_the_ready_made_ones_load(home: Path, name: str) -> None:
    prototype = load_prototype(name, home)

    assert prototype.ready_made
    assert prototype.suggestions
    assert prototype.greeting
    assert all(path.exists() for path in prototype.document_paths)


def test_the_default_one_is_listed_first_and_ones_own_last(home: Path) -> None:
    write(home, "", "a-cellar")

    assert list_names(home) == ["wine", "benefits", "handbook", "a-cellar"]
