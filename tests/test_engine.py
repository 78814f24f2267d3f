"""The wiring, over a fake model: questions of every kind, and what is stored of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag import shelf as shelf_module
from rag.answering import DONT_KNOW
from rag.asking import NO_DOCUMENT
from rag.config import Environment, Settings, with_settings
from rag.embed import known_dimensions
from rag.engine import Engine
from rag.errors import FilterError, IndexingError, NotFound, PrototypeError, ThumbprintError, UsageError
from rag.search import MAX_QUESTION
from rag.types import Turn
from rag.weights import SIGNALS, Calibration, Weights
from tests.conftest import FILES, write_files
from tests.fakes import FakeEmbedder
from tests.files import make_csv

QUESTION = "When does the night train leave Vienna?"
ALWAYS = with_settings(Settings(), {"abstain": "off"})
NEVER = with_settings(Settings(), {"abstain": "1"})


@pytest.fixture
def engine(engine: Engine, folder: Path) -> Engine:
    engine.ingest("shelf", [folder])
    return engine


def test_nothing_is_loaded_before_it_is_needed(home: Path) -> None:
    def refuse(name: str) -> FakeEmbedder:
        raise AssertionError("a model was loaded")

    engine = Engine(Environment(home=home), load_model=refuse)

    assert "wine" in [p.name for p in engine.prototypes()[0]]
    assert not home.exists()


# --- ask ---------------------------------------------------------------------------------


def test_an_answer_quotes_the_sentence_and_is_stored_whole(engine: Engine) -> None:
    response = engine.ask("shelf", QUESTION, settings=ALWAYS, origin="command", link="l1")

    pieces = list(response)
    answer = response.answer

    assert "".join(pieces) == answer.text
    assert answer.text.startswith("“The night train leaves Vienna at ten.”")
    best = answer.citations[0]
    assert (best.quote, best.source, best.verdict) == (
        "The night train leaves Vienna at ten.",
        "trains.txt",
        "verbatim",
    )
    assert not answer.abstained
    assert 0 <= answer.confidence <= 1
    assert (answer.generator, answer.origin, answer.notices) == ("extractive", "command", ())
    assert {"embed", "retrieve", "widen", "generate", "total"} <= set(answer.seconds)
    made = answer.provenance
    assert (made.prototype, made.settings, made.link) == ("shelf", ALWAYS.fingerprint, "l1")
    assert made.index_version == engine.search("shelf", QUESTION).index_version
    assert engine.store.answer(answer.id) == answer


@pytest.mark.parametrize(("setting", "refused"), [("off", False), ("0", False), ("1", True)])
def test_abstaining_by_threshold(engine: Engine, setting: str, refused: bool) -> None:
    settings = with_settings(Settings(), {"abstain": setting})

    answer = engine.ask("shelf", QUESTION, settings=settings).answer

    assert answer.abstained is refused


def test_an_answer_that_is_not_known_offers_the_nearest_passages(engine: Engine) -> None:
    answer = engine.ask("shelf", "Who won the cup in 1974?", settings=NEVER).answer

    assert (answer.text, answer.citations, answer.abstained) == (DONT_KNOW, (), True)
    assert len(answer.passages) == 4
    assert answer.notices == ()


def test_confidence_tells_what_is_there_from_what_is_not(engine: Engine) -> None:
    known = engine.search("shelf", "The night train leaves Vienna at ten")
    unknown = engine.search("shelf", "Zxcv qwerty uiop?")

    assert known.confidence > 0.9
    assert known.coverage == 1.0
    assert unknown.coverage == 0.0
    assert unknown.confidence < known.confidence


@pytest.mark.parametrize("question", ["?!", "😀", "What is it for?", "Who are you?"])
def test_a_question_without_a_topic_covers_nothing(engine: Engine, question: str) -> None:
    found = engine.search("shelf", question)

    assert found.coverage == 0.0
    assert found.confidence < 0.5


@pytest.mark.parametrize(
    ("changes", "learned"),
    [
        ({}, True),
        ({"fusion": "hand"}, False),
        ({"retrieval.dense_weight": 0.7}, False),  # somebody set the hand weights
        ({"retrieval.dense_weight": 0.7, "fusion": "learned"}, True),
    ],
)
def test_the_setting_chooses_the_weights(engine: Engine, changes: dict[str, Any], learned: bool) -> None:
    fitted = Weights(dict.fromkeys(SIGNALS, 0.0), Calibration(0.0, 0.0, 0.0), "learned")
    engine.searcher._in_force = lambda fusion: None if fusion == "hand" else fitted

    found = engine.search("shelf", QUESTION, settings=with_settings(Settings(), changes))

    assert (found.confidence == 0.5) is learned  # sigmoid(0)
    assert (found.passages[0].score == 0.0) is learned


def test_filters_that_leave_nothing_say_so(engine: Engine) -> None:
    answer = engine.ask("shelf", QUESTION, where={"source": "nowhere.txt"}, settings=ALWAYS).answer

    assert (answer.text, answer.abstained, answer.passages) == (NO_DOCUMENT, True, ())
    assert answer.notices == ("filters-empty",)
    assert answer.where == {"source": "nowhere.txt"}


def test_filters_of_the_settings_and_of_the_question_both_hold(engine: Engine) -> None:
    settings = with_settings(Settings(), {"filters.where": {"type": "text"}})

    found = engine.search("shelf", "honey", where={"source": {"$ne": "trains.txt"}}, settings=settings)

    assert {p.source for p in found.passages} == {"tea/green.txt"}


def test_a_filter_that_means_nothing_is_refused(engine: Engine) -> None:
    with pytest.raises(FilterError):
        engine.search("shelf", QUESTION, where={"price": {"$near": 3}})


def test_a_follow_up_is_searched_with_its_subject(engine: Engine) -> None:
    history = [Turn("When does the night train leave Vienna?", "At ten.")]

    answer = engine.ask("shelf", "And when does it arrive?", history=history, settings=ALWAYS).answer

    assert answer.question == "And when does it arrive?"
    assert answer.rewritten == "When does the night train leave Vienna? And when does it arrive?"
    assert answer.passages[0].source == "trains.txt"


def test_history_of_any_characters_is_taken(engine: Engine) -> None:
    history = [Turn("Night \ud800\x00 train?", "\udfff")]

    assert engine.search("shelf", "And when?", history=history).rewritten == "Night    train? And when?"


@pytest.mark.parametrize(
    "question",
    [
        "?",
        "a",
        "蜂",
        "\x00train\x07\x1b[31m",
        "train\ud800",
        "“quotes” AND (brackets OR field:x) -not ~2 ^3 \\",
        "🐝" * 500,
        "מתי הרכבת יוצאת?",
        "word " * 1_500,
        "x" * MAX_QUESTION,
    ],
)
def test_questions_of_every_kind_are_answered(engine: Engine, question: str) -> None:
    answer = engine.ask("shelf", question, settings=ALWAYS).answer

    assert answer.passages
    assert answer.citations
    assert all(c.verdict == "verbatim" for c in answer.citations)
    assert engine.store.answer(answer.id).question == answer.question
    assert not any(0xD800 <= ord(c) <= 0xDFFF or c in "\x00\x07\x1b" for c in answer.question)


@pytest.mark.parametrize("question", ["", " \n\t", "\x00\x01", "\u200b", "\ud800"])
def test_an_empty_question_is_refused(engine: Engine, question: str) -> None:
    with pytest.raises(UsageError, match="empty"):
        engine.ask("shelf", question)


def test_a_question_that_is_too_long_is_refused_with_its_length(engine: Engine) -> None:
    with pytest.raises(UsageError, match="20,000 characters, and the limit is 8,000"):
        engine.ask("shelf", "x" * 20_000)


def test_a_stopped_answer_is_stored_with_the_citations_it_shows(engine: Engine) -> None:
    response = engine.ask("shelf", "honey bees train tea", settings=ALWAYS)
    first = next(iter(response))

    stored = engine.store.answer(response.answer.id)

    assert (stored.text, stored.stopped) == (first, True)
    assert [(c.number, c.verdict) for c in stored.citations] == [(1, "verbatim")]


def test_an_answer_of_a_conversation_replaces_another(engine: Engine) -> None:
    secret = "s" * 43
    conversation = engine.store.start_conversation(secret, "shelf", "Trains")
    first = engine.ask("shelf", QUESTION, conversation_id=conversation.id).answer
    second = engine.ask("shelf", QUESTION, conversation_id=conversation.id, replaces=first.id).answer

    shown = engine.store.conversation_answers(conversation.id, secret)

    assert [answer.id for answer, _ in shown] == [second.id]


def test_a_budget_is_that_of_the_models_tokens(engine: Engine) -> None:
    settings = with_settings(Settings(), {"budget": 9})

    passages = engine.search("shelf", QUESTION, settings=settings).passages

    assert sum(len(p.text.split()) for p in passages) <= 9
    assert passages[0].text.startswith("The night train leaves Vienna at ten.")


def test_k_is_how_many_passages(engine: Engine) -> None:
    assert len(engine.search("shelf", QUESTION, settings=replace(ALWAYS, k=2)).passages) == 2


# --- prototypes and their documents --------------------------------------------------------


def test_an_unknown_prototype_is_said(engine: Engine) -> None:
    for call in (engine.ask, engine.search):
        with pytest.raises(PrototypeError, match="no prototype “nowhere”"):
            call("nowhere", QUESTION)


def test_a_prototype_without_documents_says_what_to_do(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    engine.ingest("bare", [tmp_path / "empty"])

    with pytest.raises(IndexingError, match="python -m rag ingest PATH --prototype bare"):
        engine.ask("bare", QUESTION)


@pytest.fixture
def cellar(home: Path) -> Path:
    """A prototype that brings a catalogue with it."""
    rows = [["name", "country", "price", "notes"], ["Alba", "Spain", 9, "Tastes of smoke."]]
    toml = (
        'documents = ["wines.csv"]\n[facets.country]\n[facets.price]\nkind = "range"\n'
        '[csv."wines.csv"]\ntitle = "name"\ntext = ["notes"]\nmetadata = ["country", "price"]\n'
    )
    return write_files(home / "prototypes" / "cellar", {"prototype.toml": toml, "wines.csv": make_csv(rows)})


def test_the_documents_of_a_prototype_are_ingested_when_it_is_first_used(
    new_engine: Callable[[], Engine], cellar: Path
) -> None:
    engine = new_engine()

    found = engine.search("cellar", "Which wine tastes of smoke?")

    assert found.passages[0].title == "Alba"
    assert found.passages[0].metadata["price"] == 9
    assert [v.facet.key for v in engine.facets("cellar")] == ["country", "price"]
    assert engine.matching("cellar", {"price": {"$lt": 5}}) == (0, 1)
    assert engine.totals("cellar")[0] == 1


def test_they_are_ingested_again_when_they_change(new_engine: Callable[[], Engine], cellar: Path) -> None:
    new_engine().ready("cellar")
    rows = [["name", "country", "price", "notes"], ["Brisa", "Italy", 12, "Tastes of salt."]]
    (cellar / "wines.csv").write_bytes(make_csv(rows))

    engine = new_engine()

    assert [p.title for p in engine.search("cellar", "smoke or salt").passages] == ["Brisa"]


def test_they_are_not_read_again_when_they_did_not(
    new_engine: Callable[[], Engine], cellar: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_engine().ready("cellar")
    engine = new_engine()
    monkeypatch.setattr(shelf_module, "Ingest", None)

    assert engine.search("cellar", "smoke").passages


def test_a_preparation_can_be_waited_for(new_engine: Callable[[], Engine], cellar: Path) -> None:
    engine = new_engine()

    preparation = engine.prepare("cellar")

    assert preparation is engine.prepare("cellar")
    assert preparation.wait(30)
    assert (preparation.ready, preparation.error) == (True, None)
    assert preparation.progress.stage == "done"


def test_a_preparation_that_fails_says_why_and_is_started_again(engine: Engine) -> None:
    failed = engine.prepare("nowhere")

    assert not failed.wait(30)
    assert failed.error is not None
    assert "no prototype “nowhere”" in failed.error
    assert engine.prepare("nowhere") is not failed


@pytest.mark.parametrize(
    "table", ['text = "notes"', "id = 3", 'labels = ["x"]', "metadata = [1]", 'colour = "red"']
)
def test_a_csv_table_that_says_something_else_is_refused(
    new_engine: Callable[[], Engine], cellar: Path, table: str
) -> None:
    (cellar / "prototype.toml").write_text(f'documents = ["wines.csv"]\n[csv."wines.csv"]\n{table}\n')

    with pytest.raises(PrototypeError, match=r"a \[csv\] table takes"):
        new_engine().ready("cellar")


def test_a_broken_prototype_is_not_made_anew(engine: Engine, home: Path, folder: Path) -> None:
    path = home / "prototypes" / "shelf" / "prototype.toml"
    path.write_text("accent = 'red'")

    with pytest.raises(PrototypeError, match="must be a colour"):
        engine.ingest("shelf", [folder])

    assert path.read_text() == "accent = 'red'"


def test_a_deleted_document_is_gone_from_the_answers_and_the_version(engine: Engine) -> None:
    before = engine.search("shelf", QUESTION)
    trains = before.passages[0].document_id

    engine.delete_document("shelf", trains)

    after = engine.search("shelf", QUESTION)
    assert trains not in {p.document_id for p in after.passages}
    assert after.index_version != before.index_version
    assert engine.library(engine.prototype("shelf")).compare().good
    with pytest.raises(NotFound, match=trains):
        engine.delete_document("shelf", trains)


def test_deleting_leaves_the_version_of_an_ingest_without_it(
    engine: Engine, folder: Path, tmp_path: Path
) -> None:
    trains = engine.search("shelf", QUESTION).passages[0].document_id
    engine.delete_document("shelf", trains)
    others = {name: text for name, text in FILES.items() if name != "trains.txt"}
    engine.ingest("other", [write_files(tmp_path / "others", others)])

    one, two = engine.search("shelf", "bees"), engine.search("other", "bees")

    assert one.index_version == two.index_version


def test_another_model_in_the_settings_is_not_asked_of_the_old_index(home: Path, folder: Path) -> None:
    engine = Engine(Environment(home=home), load_model=FakeEmbedder)
    engine.ingest("shelf", [folder])
    (home / "prototypes" / "shelf" / "prototype.toml").write_text("[settings.embedding]\nmodel = 'other'")
    loaded: list[str] = []

    def load(name: str) -> FakeEmbedder:
        loaded.append(name)
        return FakeEmbedder()

    answer = Engine(Environment(home=home), load_model=load).ask("shelf", QUESTION).answer

    assert loaded == [Settings().embedding_model]
    assert answer.passages


def test_the_dimensions_of_the_default_model_are_known_unloaded() -> None:
    assert known_dimensions(Settings().embedding_model) == 384
    assert known_dimensions("another") is None


# --- a home that cannot be used ---------------------------------------------------------------


def _use_store(engine: Engine) -> Any:
    return engine.store


def _use_library(engine: Engine) -> Any:
    return engine.library(engine.prototype("wine"))


def _use_ingest(engine: Engine) -> Any:
    return engine.ingest("shelf", [])


@pytest.mark.parametrize("use", [_use_store, _use_library, _use_ingest])
def test_a_home_that_cannot_be_made_ends_in_a_sentence(tmp_path: Path, use: Callable[[Engine], Any]) -> None:
    (tmp_path / "file").write_text("not a folder")
    engine = Engine(Environment(home=tmp_path / "file" / "home"), load_model=FakeEmbedder)

    with pytest.raises(ThumbprintError, match="THUMBPRINT_HOME"):
        use(engine)
