"""What an answer costs: a table that a person edits, and what is unknown stays unknown."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from rag.errors import UsageError
from rag.prices import NAME, SHIPPED, Price, added, load, price_of
from tests.conftest import write_files

USAGE = {"input_tokens": 1_000_000, "output_tokens": 100_000}


def test_the_cost_is_that_of_tokens_read_and_written() -> None:
    assert Price(input=2.0, output=10.0).cost(USAGE) == 2.0 + 1.0


def test_what_the_service_had_cached_is_cheaper() -> None:
    assert Price(2.0, 10.0, cached=0.5).cost({**USAGE, "cached_tokens": 400_000}) == 1.2 + 0.2 + 1.0
    assert Price(2.0, 10.0).cost({**USAGE, "cached_tokens": 400_000}) == 3.0


@pytest.mark.parametrize("usage", [{}, {"input_tokens": 5}])
def test_tokens_that_were_not_reported_have_no_cost(usage: dict[str, int]) -> None:
    assert Price(2.0, 10.0).cost(usage) is None


def test_the_shipped_table_says_when_and_where_its_prices_are_from() -> None:
    import tomllib

    table = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))

    assert isinstance(table["date"], date)
    assert "never checked" in table["source"]
    assert price_of("openai", "gpt-5.4-mini", []) == Price(0.75, 4.5, 0.075)
    assert price_of("openai", "gpt-5.4-mini-2026-03-17", []) == Price(0.75, 4.5, 0.075)
    assert price_of("cohere", "command-a-03-2025", []) is not None


def test_a_model_that_no_table_names_is_unknown() -> None:
    assert price_of("openai", "somebody-elses-7b", []) is None


def test_shipped_prices_do_not_hold_behind_another_address(tmp_path: Path) -> None:
    assert price_of("openai", "gpt-4o", [], own=False) is None

    write_files(tmp_path, {NAME: '[openai]\n"gpt-4o" = { input = 0, output = 0 }\n'})

    assert price_of("openai", "gpt-4o", [tmp_path], own=False) == Price(0, 0)


def test_a_persons_own_prices_win_model_by_model(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {
            f"prototype/{NAME}": '[openai]\n"gpt-4o" = { input = 1, output = 2 }\n',
            f"home/{NAME}": '[openai]\n"gpt-4o" = { input = 3, output = 4 }\n'
            "mine = { input = 5, output = 6 }\n",
        },
    )
    folders = [tmp_path / "prototype", tmp_path / "home"]

    assert price_of("openai", "gpt-4o", folders) == Price(1, 2)
    assert price_of("openai", "mine", folders) == Price(5, 6)
    assert price_of("openai", "gpt-4o-mini", folders) == price_of("openai", "gpt-4o-mini", [])


@pytest.mark.parametrize(
    "text",
    [
        "not toml",
        "\x00",
        '[openai]\n"gpt-4o" = 3\n',
        '[openai]\n"gpt-4o" = { input = 3 }\n',
        '[openai]\n"gpt-4o" = { input = -3, output = 1 }\n',
        '[openai]\n"gpt-4o" = { input = nan, output = 1 }\n',
        '[openai]\n"gpt-4o" = { input = "3", output = 1 }\n',
        '[openai]\n"gpt-4o" = { input = 3, output = 1, per = 5 }\n',
    ],
)
def test_a_table_that_cannot_be_read_says_so_and_costs_no_answer(tmp_path: Path, text: str) -> None:
    write_files(tmp_path, {NAME: text})

    with pytest.raises(UsageError, match="Mend the file"):
        load(tmp_path / NAME)
    assert price_of("openai", "gpt-4o", [tmp_path]) == price_of("openai", "gpt-4o", [])


def test_calls_are_added_up() -> None:
    assert added({"input_tokens": 3}, {}, {"input_tokens": 4, "output_tokens": 1}) == {
        "input_tokens": 7,
        "output_tokens": 1,
    }
