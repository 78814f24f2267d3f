"""The cellar catalogue is data that people filter and quote, so it is checked like code."""

from __future__ import annotations

import csv
import re
import tomllib
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from rag.prototypes import load_prototype

WINE = Path(__file__).resolve().parent.parent / "prototypes" / "wine"
COLUMNS = [
    *("name", "region", "country", "variety", "style", "vintage"),
    *("price", "rating", "abv", "pairs_with", "notes"),
]
STYLES = {"red", "white", "rosé", "sparkling", "sweet", "orange", "fortified"}

Wine = dict[str, str]


@pytest.fixture(scope="module")
def wines() -> list[Wine]:
    with (WINE / "wines.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def sentences(notes: str) -> list[str]:
    """Split where a full stop, question mark or exclamation mark ends a sentence."""
    return re.split(r"(?<=[.!?])\s+", notes)


def words(notes: str) -> list[str]:
    return re.findall(r"[\w'’]+", notes.casefold())


def test_the_catalogue_is_long_and_wide(wines: list[Wine]) -> None:
    assert len(wines) >= 200
    assert len({w["country"] for w in wines}) >= 30
    assert len({w["region"] for w in wines}) >= 100
    assert len({w["variety"] for w in wines}) >= 100


def test_every_style_is_there_several_times(wines: list[Wine]) -> None:
    counts = Counter(w["style"] for w in wines)
    assert set(counts) == STYLES
    assert min(counts.values()) >= 5


def test_every_row_has_the_columns_and_nothing_over(wines: list[Wine]) -> None:
    # DictReader puts surplus cells under None, and None into missing ones.
    assert all(list(w) == COLUMNS and None not in w.values() for w in wines)


def test_names_are_unique_and_leave_the_vintage_to_its_column(wines: list[Wine]) -> None:
    names = [w["name"] for w in wines]
    assert len(set(names)) == len(names)
    assert [n for n in names if re.search(r"\d{4}", n)] == []


def test_only_sparkling_and_fortified_wines_go_without_a_vintage(wines: list[Wine]) -> None:
    undated = [w for w in wines if not w["vintage"]]
    assert undated
    assert {w["style"] for w in undated} <= {"sparkling", "fortified"}
    assert [w["name"] for w in wines if any(not w[c] for c in COLUMNS if c != "vintage")] == []


def test_a_region_lies_in_one_country(wines: list[Wine]) -> None:
    countries = defaultdict(set)
    for wine in wines:
        countries[wine["region"]].add(wine["country"])
    assert {r: c for r, c in countries.items() if len(c) > 1} == {}


def test_numbers_stay_in_their_ranges(wines: list[Wine]) -> None:
    for wine in wines:
        assert re.fullmatch(r"\d+(\.\d{2})?", wine["price"]), wine["name"]
        assert 6 <= float(wine["price"]) <= 180, wine["name"]
        assert 82 <= int(wine["rating"]) <= 98, wine["name"]
        assert wine["vintage"] == "" or 1999 <= int(wine["vintage"]) <= 2025, wine["name"]


@pytest.mark.parametrize(
    ("style", "lowest", "highest"),
    [
        *(("red", 11, 16), ("white", 8, 14.5), ("rosé", 12, 14), ("orange", 12, 13.5)),
        *(("sparkling", 10.5, 13), ("sweet", 5, 15.5), ("fortified", 15, 20)),
    ],
)
def test_alcohol_fits_the_style(wines: list[Wine], style: str, lowest: float, highest: float) -> None:
    strange = [w["name"] for w in wines if w["style"] == style and not lowest <= float(w["abv"]) <= highest]
    assert strange == []


def test_matches_come_from_one_short_vocabulary(wines: list[Wine]) -> None:
    lists = [w["pairs_with"].split("; ") for w in wines]
    assert all(2 <= len(matches) == len(set(matches)) for matches in lists)
    counts = Counter(match for matches in lists for match in matches)
    assert len(counts) <= 40
    assert [m for m, n in counts.items() if n < 2 or m != m.strip().lower()] == []


def test_notes_are_two_to_five_sentences(wines: list[Wine]) -> None:
    assert [w["name"] for w in wines if not 2 <= len(sentences(w["notes"])) <= 5] == []
    assert [w["name"] for w in wines if not 30 <= len(words(w["notes"])) <= 80] == []


def test_no_sentence_and_no_run_of_six_words_stands_in_two_notes(wines: list[Wine]) -> None:
    seen = Counter(s.casefold() for w in wines for s in sentences(w["notes"]))
    assert [s for s, n in seen.items() if n > 1] == []
    runs = defaultdict(set)
    for wine in wines:
        spoken = words(wine["notes"])
        for start in range(len(spoken) - 5):
            runs[tuple(spoken[start : start + 6])].add(wine["name"])
    assert {" ".join(run): names for run, names in runs.items() if len(names) > 1} == {}


def test_the_text_is_composed_trimmed_utf8(wines: list[Wine]) -> None:
    for wine in wines:
        for cell in wine.values():
            assert cell == unicodedata.normalize("NFC", cell).strip(), wine["name"]
            assert "  " not in cell, wine["name"]
            assert cell.isprintable(), wine["name"]


def test_the_prototype_names_columns_and_documents_that_exist(wines: list[Wine], tmp_path: Path) -> None:
    prototype = load_prototype("wine", tmp_path)
    options = prototype.csv["wines.csv"]
    declared = [options["title"], *options["text"], *options["metadata"]]
    assert sorted(declared) == sorted(wines[0])
    assert {f.key for f in prototype.facets} <= set(options["metadata"])
    assert all(path.is_file() for path in prototype.document_paths)
    assert len(prototype.suggestions) == 4


def test_the_description_counts_what_is_there(wines: list[Wine]) -> None:
    table = tomllib.loads((WINE / "prototype.toml").read_text(encoding="utf-8"))
    countries = len({w["country"] for w in wines})
    assert f"{len(wines)} wines from {countries} countries" in table["description"]
    assert f"{len(wines)} wines" in table["greeting"]
