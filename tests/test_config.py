"""Settings in layers, and what the environment says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag.config import Environment, Settings, parse_assignments, with_settings
from rag.errors import UsageError
from rag.generators import cohere
from rag.generators.choose import choose
from rag.generators.extractive import ExtractiveGenerator
from rag.modelnames import ModelNames
from rag.prototypes import load_prototype


def test_defaults() -> None:
    settings = Settings()

    assert (settings.k, settings.budget, settings.abstain) == (5, 0, "on")
    assert (settings.rerank, settings.generator) == ("none", "auto")
    assert settings.embedding_model == "sentence-transformers/all-MiniLM-L6-v2"


@pytest.mark.parametrize(
    ("key", "value", "field", "expected"),
    [
        ("k", "3", "k", 3),
        ("k", 3.0, "k", 3),
        ("budget", "400", "budget", 400),
        ("abstain", "off", "abstain", "off"),
        ("abstain", False, "abstain", "off"),
        ("abstain", True, "abstain", "on"),
        ("abstain", "0.25", "abstain", 0.25),
        ("abstain", 0, "abstain", 0.0),
        ("retrieval.dense_weight", "0.7", "dense_weight", 0.7),
        ("filters.where", '{"price": {"$lt": 5}}', "where", {"price": {"$lt": 5}}),
        ("filters.where", "", "where", None),
        ("filters.guess", False, "filters_guess", "off"),
        ("embedding.model", "some/model", "embedding_model", "some/model"),
        ("rerank", "late", "rerank", "late"),
        ("rerank.candidates", "30", "rerank_candidates", 30),
        ("rerank", {"candidates": 30}, "rerank_candidates", 30),
        ("rerank.timeout", "2.5", "rerank_timeout", 2.5),
        ("rerank.model", "some/model", "rerank_model", "some/model"),
        ("fusion", "hand", "fusion", "hand"),
        ("fusion", "learned", "fusion", "learned"),
        ("generator", "extractive", "generator", "extractive"),
    ],
)
def test_a_stable_key_sets_its_field(key: str, value: Any, field: str, expected: Any) -> None:
    assert getattr(with_settings(Settings(), {key: value}), field) == expected


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("k", "0"),
        ("k", "101"),
        ("k", "2.5"),
        ("k", "nan"),
        ("k", "inf"),
        ("k", "many"),
        ("k", True),
        ("k", None),
        ("k", [3]),
        ("k", 10**400),
        ("budget", "-1"),
        ("abstain", "maybe"),
        ("abstain", "1.5"),
        ("abstain", "nan"),
        ("retrieval.dense_weight", "2"),
        ("rerank", "best"),
        ("fusion", "best"),
        ("generator", "oracle"),
        ("model", 7),
        ("filters.where", "[1]"),
        ("filters.where", "{"),
    ],
)
def test_a_value_that_a_key_does_not_take_is_refused(key: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"The setting “{key}”"):
        with_settings(Settings(), {key: value})


def test_an_unknown_key_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"no setting “kk”.*abstain, budget"):
        with_settings(Settings(), {"kk": 3})


def test_nested_tables_are_dotted_keys() -> None:
    table = {"k": 3, "retrieval": {"candidates": 50}, "filters": {"where": {"year": {"$gt": 2000}}}}

    settings = with_settings(Settings(), table)

    assert (settings.k, settings.candidates, settings.where) == (3, 50, {"year": {"$gt": 2000}})


def test_the_later_layer_wins_and_the_others_stay() -> None:
    settings = with_settings(with_settings(Settings(), {"k": 3, "budget": 100}), {"k": 7})

    assert (settings.k, settings.budget) == (7, 100)


def test_the_fingerprint_differs_whenever_a_setting_does() -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"k": 4},
        {"abstain": "off"},
        {"abstain": 0.5},
        {"filters.where": {"a": 1}},
        {"prompt": "x"},
        {"embedding.model": "other"},
    ]

    prints = [with_settings(Settings(), change).fingerprint for change in changes]

    assert len(set(prints)) == len(changes)
    assert all(len(p) == 12 and int(p, 16) >= 0 for p in prints)
    assert Settings().fingerprint == prints[0]


def test_assignments_are_split_at_the_first_equals_sign() -> None:
    assert parse_assignments(["k=3", " prompt = a=b "]) == {"k": "3", "prompt": "a=b"}


def test_an_assignment_without_an_equals_sign_is_refused() -> None:
    with pytest.raises(UsageError, match="KEY=VALUE, not “k”"):
        parse_assignments(["k"])


def test_the_environment_is_read_from_its_variables(tmp_path: Path) -> None:
    values = {
        "THUMBPRINT_HOME": str(tmp_path),
        "CHROMA_HOST": "localhost:8000",
        "CHROMA_API_KEY": "",
        "OPENAI_MODEL": "small",
        "THUMBPRINT_MAX_FILE_MB": "0.5",
    }

    environment = Environment.load(values)

    assert environment == Environment(
        tmp_path.resolve(),
        "localhost:8000",
        None,
        500_000,
        {"model": ModelNames(openai="small", auto="extractive")},
    )


@pytest.mark.parametrize("around", ["{}\n", "{}\r", " {}\t", '"{}"', "'{}' ", "“{}”", "\ufeff{}\u00a0"])
def test_keys_and_addresses_lose_what_copying_puts_around_them(around: str) -> None:
    values = {
        "CHROMA_HOST": "localhost:8000",
        "CHROMA_API_KEY": "ck-x",
        "OPENAI_API_KEY": "sk-x",
        "OPENAI_BASE_URL": "http://localhost:11434/v1",
        "COHERE_API_KEY": "co-x",
        "CO_API_URL": "https://cohere.example",
        "SUPABASE_URL": "https://x.supabase.co",
        "SUPABASE_KEY": "sb_publishable_x",
        "SUPABASE_SECRET_KEY": "sb_secret_x",
    }

    found = Environment.load({name: around.format(value) for name, value in values.items()})

    assert replace(found, overrides={}) == replace(Environment.load(values), overrides={})
    assert found.openai_api_key == "sk-x"


def test_a_key_of_nothing_but_quotes_is_none() -> None:
    assert Environment.load({"OPENAI_API_KEY": '""', "COHERE_API_KEY": " ' ' "}).auto == "extractive"


OPENAI, COHERE = {"OPENAI_API_KEY": "sk-x"}, {"COHERE_API_KEY": "co-x"}
BOTH = OPENAI | COHERE
OF_OPENAI, OF_COHERE = {"OPENAI_MODEL": "gpt-4o-mini"}, {"COHERE_MODEL": "command-a-03-2025"}
NAMED = OF_OPENAI | OF_COHERE
WRITTEN = "generator = 'cohere'\nmodel = 'command-r-08-2024'"


@pytest.mark.parametrize(
    ("written", "variables", "set_by_hand", "model"),
    [
        ("", OPENAI | NAMED, [], "gpt-4o-mini"),
        ("", COHERE | NAMED, [], "command-a-03-2025"),
        ("", BOTH | NAMED, [], "gpt-4o-mini"),
        ("", BOTH | NAMED, ["generator=cohere"], "command-a-03-2025"),
        ("", BOTH | OF_OPENAI, ["generator=cohere"], "command-a-03-2025"),  # the default of Cohere's
        ("generator = 'cohere'", BOTH | NAMED, [], "command-a-03-2025"),
        ("generator = 'cohere'", BOTH | NAMED, ["generator=openai"], "gpt-4o-mini"),
        ("generator = 'cohere'", BOTH | NAMED, ["generator=auto"], "gpt-4o-mini"),
        (WRITTEN, BOTH | OF_OPENAI, [], "command-r-08-2024"),
        (WRITTEN, BOTH | NAMED, [], "command-a-03-2025"),  # the environment wins over the file
        (WRITTEN, BOTH | OF_OPENAI, ["generator=openai"], "gpt-4o-mini"),
        ("model = 'command-r-08-2024'", BOTH | OF_OPENAI, ["generator=cohere"], "command-r-08-2024"),
        ("", COHERE, ["model=command-r7b-12-2024"], "command-r7b-12-2024"),
        ("", COHERE | NAMED, ["model=command-r7b-12-2024"], "command-r7b-12-2024"),
        ("", BOTH | NAMED, ["model=gpt-5", "k=3"], "gpt-5"),
        ("model = 'gpt-5.4'", COHERE, [], cohere.DEFAULT_MODEL),  # written for a service without a key here
        ("model = 'gpt-5.4'", COHERE | OF_OPENAI, [], cohere.DEFAULT_MODEL),
        ("model = 'command-r-08-2024'", COHERE, [], "command-r-08-2024"),
        ("model = 'gpt-5.4'", OPENAI, [], "gpt-5.4"),
        ("", BOTH | NAMED, ["generator=cohere", "model=command-r7b-12-2024"], "command-r7b-12-2024"),
    ],
)
def test_the_model_is_that_of_the_service_that_writes(
    tmp_path: Path, written: str, variables: dict[str, str], set_by_hand: list[str], model: str
) -> None:
    folder = tmp_path / "prototypes" / "mine"
    folder.mkdir(parents=True)
    (folder / "prototype.toml").write_text(f"[settings]\n{written}\n", encoding="utf-8")
    environment = Environment.load({"THUMBPRINT_HOME": str(tmp_path), **variables})

    settings = load_prototype("mine", tmp_path, environment.overrides).settings
    settings = with_settings(with_settings(settings, parse_assignments(set_by_hand)), {"k": 4})
    generator = choose(settings, environment)

    assert not isinstance(generator, ExtractiveGenerator)
    assert generator.model == model


def test_a_model_of_the_environment_is_told_by_the_fingerprint() -> None:
    names = ModelNames("gpt-4o-mini", "command-a-03-2025", "openai")
    settings = with_settings(Settings(), {"model": names})

    assert settings.fingerprint == with_settings(Settings(), {"model": "gpt-4o-mini"}).fingerprint
    assert set(settings.values) == set(Settings().values)
    assert with_settings(Settings(), settings.values) == settings


def test_the_home_is_a_hidden_folder_of_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert Environment.load({}).home == tmp_path.resolve() / ".thumbprint"


@pytest.mark.parametrize("megabytes", ["", "many", "0", "-1", "nan", "1e9"])
def test_a_limit_that_is_none_is_refused(megabytes: str) -> None:
    with pytest.raises(UsageError, match="THUMBPRINT_MAX_FILE_MB"):
        Environment.load({"THUMBPRINT_MAX_FILE_MB": megabytes})
