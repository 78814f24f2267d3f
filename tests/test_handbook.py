"""The handbook answers questions about this code, so what it says is held to the code."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rag import answering, asking, cli, confidence, search, shelf
from rag.config import _FIELDS, LIMIT_NAMES, Environment, Settings, parse_assignments, with_settings
from rag.embed import NEIGHBOUR_WEIGHT
from rag.filters import parse
from rag.filters.language import MAX_CONDITIONS
from rag.prototypes import load_prototype
from rag.readers import SUFFIXES, read_file
from rag.rerank import DEFAULT_COHERE_MODEL, DEFAULT_CROSS_MODEL
from rag.retrieve import OWN_WEIGHT

ROOT = Path(__file__).resolve().parent.parent
HANDBOOK = ROOT / "prototypes" / "handbook"
ARTICLES = sorted((HANDBOOK / "articles").glob("*.md"))
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in ARTICLES}
EVERYTHING = "\n".join(TEXTS.values())

each_article = pytest.mark.parametrize("path", ARTICLES, ids=lambda path: path.stem)


def front_matter(path: Path) -> dict[str, str]:
    head = TEXTS[path.name].split("---\n", 2)[1]
    return dict(line.split(": ", 1) for line in head.splitlines())


def fences(text: str) -> list[str]:
    return re.findall(r"^```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Every ``python -m rag`` command of the handbook, in a block of its own or in a sentence."""
    lines = [line for text in TEXTS.values() for block in fences(text) for line in block.splitlines()]
    inline = [span for text in TEXTS.values() for span in re.findall(r"`([^`\n]+)`", text)]
    found = [line.strip() for line in (*lines, *inline) if line.strip().startswith("python -m rag")]
    return [command for command in dict.fromkeys(found) if command not in ("python -m rag", HELP)]


HELP = "python -m rag --help"


def actions(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command of the parser with the parser of its options: ``documents list``, ..."""
    inner = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not inner:
        yield name, parser
    for action in inner:
        for word, child in action.choices.items():
            yield from actions(child, f"{name} {word}".strip())


# --- articles ---------------------------------------------------------------


@each_article
def test_front_matter_says_what_the_facets_need(path: Path) -> None:
    facts = front_matter(path)

    assert list(facts) == ["title", "topic", "audience", "updated"]
    assert facts["audience"] in ("reader", "owner", "developer")
    assert date.fromisoformat(facts["updated"]) >= date(2026, 11, 21)


@each_article
def test_the_one_heading_of_level_1_is_the_title(path: Path) -> None:
    prose = re.sub(r"^```\n.*?^```$", "", TEXTS[path.name], flags=re.MULTILINE | re.DOTALL)
    assert re.findall(r"^# (.+)$", prose, re.MULTILINE) == [front_matter(path)["title"]]


def test_titles_are_unique_and_topics_few() -> None:
    titles = [front_matter(path)["title"] for path in ARTICLES]
    topics = {front_matter(path)["topic"] for path in ARTICLES}

    assert len(set(titles)) == len(titles) >= 18
    assert len(topics) <= 12  # more would be drawn as a list, not as pills


@each_article
def test_an_article_is_of_a_length_to_be_read(path: Path) -> None:
    assert 250 <= len(TEXTS[path.name].split("---\n", 2)[2].split()) <= 600


@each_article
def test_the_reader_takes_every_article_whole(path: Path) -> None:
    result = read_file(path)

    (document,) = result.documents
    assert result.failures == ()
    assert document.title == front_matter(path)["title"]
    assert isinstance(document.metadata["updated"], int)


@each_article
def test_no_relative_link_is_dead(path: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", TEXTS[path.name])
    relative = [link.partition("#")[0] for link in links if "://" not in link]
    assert [link for link in relative if link and not (path.parent / link).is_file()] == []


# --- what it says of the code -----------------------------------------------


@pytest.mark.parametrize("key", sorted(_FIELDS))
def test_every_setting_stands_in_the_reference_with_its_default(key: str) -> None:
    default = getattr(Settings(), _FIELDS[key])
    none = "(default: no filter)" if key.startswith("filters.") else "(default empty)"
    shown = {None: none, "": "(default empty)"}.get(
        default, f"(default `{default}`)" if isinstance(default, str) else f"(default {default})"
    )
    assert f"- `{key}` {shown} " in TEXTS["settings.md"] + TEXTS["settings-of-the-index.md"]


def test_every_environment_variable_has_a_heading_of_its_own() -> None:
    source = (ROOT / "rag" / "config.py").read_text(encoding="utf-8")
    names = set(re.findall(r'env(?:\.get\(|\[)"([A-Z_]+)"', source))

    assert "THUMBPRINT_HOME" in names
    assert [n for n in sorted({*names, *LIMIT_NAMES.values()}) if f"\n## {n}\n" not in EVERYTHING] == []


@pytest.mark.parametrize(
    ("name", "parser"), list(actions(cli._parser())), ids=lambda v: v if isinstance(v, str) else ""
)
def test_every_command_and_option_is_described(name: str, parser: argparse.ArgumentParser) -> None:
    options = {o for a in parser._actions for o in a.option_strings if o.startswith("--")} - {"--help"}

    assert any(command.startswith(f"python -m rag {name}") for command in commands())
    assert f"`{name}`" in TEXTS["command-line.md"]
    assert [o for o in sorted(options) if not re.search(rf"{o}\b", EVERYTHING)] == []


@pytest.mark.parametrize("command", commands())
def test_every_command_parses(command: str) -> None:
    args = cli._parser().parse_args(shlex.split(command)[3:])

    with_settings(Settings(), parse_assignments(getattr(args, "set", [])))
    if getattr(args, "where", None):
        parse(json.loads(args.where))


def test_the_filters_shown_are_filters() -> None:
    examples = [line for line in fences(TEXTS["filter-language.md"])[0].splitlines() if line]

    assert len(examples) == 4
    assert None not in [parse(json.loads(example)) for example in examples]


def test_the_prototype_shown_loads(tmp_path: Path) -> None:
    example = next(block for block in fences(TEXTS["prototypes.md"]) if block.startswith("title = "))
    folder = tmp_path / "prototypes" / "office"
    folder.mkdir(parents=True)
    (folder / "prototype.toml").write_text(example, encoding="utf-8")

    shown = load_prototype("office", tmp_path)

    assert (shown.settings.k, shown.settings.abstain) == (4, 0.7)
    assert [(f.key, f.kind, f.unit) for f in shown.facets] == [("price", "range", "€")]
    shelf.csv_options("office", shown.csv["prices.csv"])


def test_the_tables_of_toml_shown_are_taken() -> None:
    settings = next(b for b in fences(TEXTS["settings.md"]) if b.startswith("[settings]"))
    table = next(b for b in fences(TEXTS["csv-catalogues.md"]) if b.startswith("[csv."))

    assert with_settings(Settings(), tomllib.loads(settings)["settings"]).keyword_weight == 0.4
    assert shelf.csv_options("x", tomllib.loads(table)["csv"]["products.csv"]).id == "sku"


def test_the_modules_named_are_there_and_every_package_is_named() -> None:
    text = TEXTS["contributing.md"]
    named = set(re.findall(r"`((?:rag|pages|tests|prototypes|supabase)/[\w./]*|\w+\.py)`", text))
    packages = {f"rag/{path.parent.name}/" for path in ROOT.glob("rag/*/__init__.py")}
    benchmarks = ROOT / "tests" / "benchmarks"

    assert [n for n in sorted(named) if not (ROOT / n).exists() and not (benchmarks / n).is_file()] == []
    assert sorted(packages - named) == []


def test_every_file_type_is_named() -> None:
    assert [s for s in SUFFIXES if f"`{s}`" not in TEXTS["file-types.md"]] == []


def test_the_numbers_are_those_of_the_code(tmp_path: Path) -> None:
    megabytes = Environment.load({"THUMBPRINT_HOME": str(tmp_path)}).max_file_bytes // 1_000_000

    assert f"a confidence of {confidence.THRESHOLD}." in TEXTS["confidence.md"]
    assert f"threshold of {confidence.THRESHOLD}," in TEXTS["settings-of-the-index.md"]
    assert f"at most {search.MAX_QUESTION:,} characters" in TEXTS["troubleshooting.md"]
    assert f"has {megabytes} MB;" in TEXTS["troubleshooting.md"]
    assert f"at most {MAX_CONDITIONS} conditions" in TEXTS["filter-language.md"]
    assert answering.DONT_KNOW.rstrip(".") in TEXTS["confidence.md"]
    assert asking.NO_DOCUMENT in TEXTS["filters-on-the-page.md"]
    assert f"a weight of {NEIGHBOUR_WEIGHT}." in TEXTS["how-retrieval-works.md"]
    assert f"a share of {OWN_WEIGHT} of" in TEXTS["how-retrieval-works.md"]
    assert f"The default is `{DEFAULT_CROSS_MODEL}`" in TEXTS["re-ranking.md"]
    assert f"The default model is `{DEFAULT_COHERE_MODEL}`" in TEXTS["re-ranking.md"]
    assert f"`rerank.timeout` seconds, {Settings().rerank_timeout:g} by default" in TEXTS["re-ranking.md"]
    assert f"passages are re-ranked, {Settings().rerank_candidates} by default" in TEXTS["re-ranking.md"]


# --- the prototype ----------------------------------------------------------


def test_the_prototype_offers_what_the_articles_have(tmp_path: Path) -> None:
    prototype = load_prototype("handbook", tmp_path)

    declared: dict[str, Any] = {facet.key: facet.kind for facet in prototype.facets}
    assert declared == {"topic": "choice", "audience": "choice", "updated": "date"}
    assert prototype.icon == "📖"
    assert prototype.document_paths == [HANDBOOK / "articles"]
    assert len(prototype.suggestions) == 4
    assert prototype.greeting
