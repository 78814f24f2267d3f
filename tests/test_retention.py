"""The keeper erases at once and then again; the notice says what is so."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from rag.config import Environment
from rag.errors import StoreError, UsageError
from rag.privacy import notice, recipients
from rag.prototypes import load_prototype
from rag.retention import DAY, Keeper, older_than
from rag.store import Selection, Store
from tests.rated import RED, answer


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store.db")
    store.save_answer(answer("old", "Then?", "x", RED, created=time.time() - 31 * DAY))
    store.save_answer(answer("new", "Now?", "x", RED, created=time.time() - 29 * DAY))
    return store


def until(store: Store, count: int) -> bool:
    for _ in range(1_000):
        if store.count(Selection()) == count:
            return True
        time.sleep(0.01)
    return False


def test_a_keeper_erases_what_is_past_the_period_and_goes_on(store: Store) -> None:
    keeper = Keeper(lambda: store, 30, every=0.02)
    keeper.start()
    assert until(store, 1)
    store.save_answer(answer("late", "Before?", "x", RED, created=time.time() - 40 * DAY))
    assert until(store, 1)
    keeper.stop()

    assert [rated.answer.id for rated in store.stream(Selection())] == ["new"]


def test_a_keeper_outlives_a_failure(store: Store) -> None:
    tries: list[int] = []

    def opened() -> Store:
        tries.append(1)
        if len(tries) == 1:
            raise StoreError("The disk is full.")
        if len(tries) == 2:
            raise RuntimeError("a bug")
        return store

    keeper = Keeper(opened, 30, every=0.01)
    keeper.start()
    assert until(store, 1)
    keeper.stop()


def test_a_period_is_counted_in_days() -> None:
    assert older_than(2, now=200_000.0) == 27_200.0


@pytest.mark.parametrize(("days", "read"), [("", None), ("90", 90.0), (" 0.5 ", 0.5)])
def test_the_environment_gives_the_period(days: str, read: float | None) -> None:
    assert Environment.load({"THUMBPRINT_RETENTION_DAYS": days}).retention_days == read


@pytest.mark.parametrize("days", ["0", "-1", "soon", "nan", "inf"])
def test_a_period_that_is_none_erases_nothing(days: str) -> None:
    with pytest.raises(UsageError, match="Nothing was erased"):
        Environment.load({"THUMBPRINT_RETENTION_DAYS": days})


# --- the notice ----------------------------------------------------------------------------------


def test_the_notice_says_what_is_stored_and_for_how_long(tmp_path: Path) -> None:
    wine = load_prototype("wine", tmp_path)

    told = notice(wine, Environment(home=tmp_path)).text
    assert "stored by whoever runs this page" in told
    assert "is sent to" not in told
    assert "kept until it is erased" in told
    assert "erased after 90 days" in notice(wine, Environment(home=tmp_path, retention_days=90)).text
    assert "erased after 1 day." in notice(wine, Environment(home=tmp_path, retention_days=1)).text


def test_the_notice_names_who_gets_a_question(tmp_path: Path) -> None:
    wine = load_prototype("wine", tmp_path)
    cloud = Environment(home=tmp_path, openai_api_key="k")
    local = Environment(home=tmp_path, openai_base_url="http://models.example:8000/v1")
    reranked = replace(wine, settings=replace(wine.settings, rerank="cohere", generator="extractive"))
    embedded = replace(wine, settings=replace(wine.settings, embedding_model="cohere:embed-v4"))

    assert recipients(wine, Environment(home=tmp_path)) == []
    assert recipients(wine, cloud) == ["OpenAI"]
    assert recipients(wine, local) == ["models.example"]
    assert recipients(reranked, cloud) == ["Cohere"]
    assert recipients(embedded, cloud) == ["OpenAI", "Cohere"]
    assert "sent to OpenAI and Cohere" in notice(embedded, cloud).text


def test_the_notice_tells_of_the_copy(tmp_path: Path) -> None:
    copied = Environment(home=tmp_path, supabase_url="http://db.example", supabase_key="k")

    told = notice(load_prototype("wine", tmp_path), copied).text

    assert "copied to their Supabase project" in told
    assert "erases it here and in the copy" in told


def test_the_owner_s_words_win_and_the_period_stays(tmp_path: Path) -> None:
    environment = Environment.load(
        {"THUMBPRINT_NOTICE": "Ask Ann.", "THUMBPRINT_RETENTION_DAYS": "7", "THUMBPRINT_HOME": str(tmp_path)}
    )
    folder = tmp_path / "prototypes" / "own"
    folder.mkdir(parents=True)
    (folder / "prototype.toml").write_text('title = "Own"\nnotice = "We log this."\n')

    assert notice(load_prototype("wine", tmp_path), environment).text.startswith(
        "Ask Ann.\n\nAll of it is erased"
    )
    told = notice(load_prototype("own", tmp_path), environment).text
    assert told.startswith("We log this.\n\n")
    assert "after 7 days" in told
