"""Two settings on one question: drawn blind, kept before they are seen, counted with care."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from rag.compare import Trial, Trials, differing, exact_interval, prompts, standings
from rag.config import Settings
from rag.engine import Engine
from rag.errors import NotFound, UsageError
from rag.store import Selection
from rag.types import Choice, Preference
from tests.conftest import write_files

QUESTION = "How long does honey keep?"
HAND, FEW = Settings(fusion="hand"), Settings(k=2)


@pytest.fixture
def notes(engine: Engine, folder: Path) -> Engine:
    engine.ingest("notes", [folder])
    return engine


def settings(engine: Engine) -> tuple[Settings, Settings]:
    plain = engine.prototype("notes").settings
    return replace(plain, k=1), replace(plain, k=3)


def finished(trial: Trial) -> Trial:
    assert trial.preparation.wait(60), trial.preparation.error
    return trial


def test_a_question_is_asked_under_both_and_the_order_is_kept(notes: Engine) -> None:
    one, other = settings(notes)
    trial = finished(Trials().begin(notes, "notes", f" {QUESTION} ", one, other))
    kept = notes.store.preferences.of(trial.pair)
    assert kept.choice is None
    assert kept.question == QUESTION
    assert {kept.left_settings, kept.right_settings} == {one.fingerprint, other.fingerprint}
    left = notes.store.answer(kept.left)
    assert left.provenance.settings == kept.left_settings
    assert left.origin == "compare"
    assert notes.store.settings(one.fingerprint)["k"] == 1
    assert notes.store.preferences.all() == []


def test_either_side_comes_left(notes: Engine) -> None:
    one, other = settings(notes)
    trials = Trials()
    pairs = [finished(trials.begin(notes, "notes", QUESTION, one, other)).pair for _ in range(12)]
    lefts = {notes.store.preferences.of(pair).left_settings for pair in pairs}
    assert lefts == {one.fingerprint, other.fingerprint}  # fails once in 2,048 runs by chance


def test_chunkings_are_compared_over_an_index_of_their_own(notes: Engine) -> None:
    plain = notes.prototype("notes").settings
    trial = finished(Trials().begin(notes, "notes", QUESTION, plain, replace(plain, section_tokens=32)))
    kept = notes.store.preferences.of(trial.pair)
    versions = {notes.store.answer(side).provenance.index_version for side in (kept.left, kept.right)}
    assert len(versions) == 2


def test_what_goes_wrong_on_one_side_is_told_and_makes_no_pair(notes: Engine) -> None:
    plain = notes.prototype("notes").settings
    trial = Trials().begin(notes, "notes", QUESTION, plain, replace(plain, generator="openai"))
    assert not trial.preparation.wait(60)
    assert trial.preparation.error is not None
    assert trial.preparation.error.startswith("Under B: The generator “openai” needs OPENAI_API_KEY")
    with pytest.raises(NotFound):
        notes.store.preferences.of(trial.pair)


def test_a_re_ranker_out_of_reach_makes_no_pair(notes: Engine) -> None:
    plain = notes.prototype("notes").settings
    trial = Trials().begin(notes, "notes", QUESTION, replace(plain, rerank="cohere"), plain)
    assert not trial.preparation.wait(60)
    assert trial.preparation.error is not None
    assert trial.preparation.error.startswith("Under A, the re-ranker could not be reached")
    assert notes.store.count(Selection(origins=("compare",))) == 2


def test_nothing_to_ask_or_to_compare_is_refused(notes: Engine) -> None:
    one, other = settings(notes)
    with pytest.raises(UsageError, match="Write a question"):
        Trials().begin(notes, "notes", "  ", one, other)
    with pytest.raises(UsageError, match="A and B are the same"):
        Trials().begin(notes, "notes", QUESTION, one, one)
    assert Trials().of("nothing") is None


def test_only_prompts_that_answer_are_offered(engine: Engine, tmp_path: Path) -> None:
    prototype = replace(engine.prototype("wine"), folder=tmp_path)
    write_files(
        tmp_path / "prompts",
        {
            "brief.md": "# system\nBe brief.\n# user\n{passages}\n{question}\n",
            "other.md": "# system\nTurn it into a query.\n# user\n{question}\n",
        },
    )
    assert prompts(prototype) == ["cited-1", "brief"]


# --- counting


def vote(n: int, left: Settings, right: Settings, choice: Choice | None) -> Preference:
    sides = (left.fingerprint, right.fingerprint)
    return Preference(f"id{n}", f"p{n}", 2, "wine", f"q{n % 3}", "a", "b", *sides, choice)


def known(fingerprint: str) -> dict[str, object]:
    return {s.fingerprint: s.values for s in (HAND, FEW)}.get(fingerprint, {})


def test_votes_count_for_the_settings_whichever_side_they_stood_on() -> None:
    votes = [
        vote(1, HAND, FEW, "left"),
        vote(2, FEW, HAND, "right"),
        vote(3, FEW, HAND, "left"),
        vote(4, HAND, FEW, "tie"),
        vote(5, HAND, FEW, "neither"),
        vote(6, HAND, FEW, None),
        vote(7, HAND, HAND, "left"),
    ]
    (standing,) = standings(votes, known, base=HAND)
    assert (standing.one, standing.other) == (HAND.fingerprint, FEW.fingerprint)
    assert (standing.wins, standing.losses, standing.ties, standing.neither) == (2, 1, 1, 1)
    assert (standing.votes, standing.decided, standing.left, standing.questions) == (5, 3, 2, 3)
    assert standing.differing == {"fusion": ("hand", "auto"), "k": (5, 2)}
    assert standing.share == pytest.approx(2 / 3)
    assert standing.ahead is None


def test_who_is_ahead_is_said_only_when_the_interval_excludes_one_half() -> None:
    votes = [vote(n, FEW, HAND, "left") for n in range(5)]
    (five,) = standings(votes, known)
    assert five.ahead is None
    (six,) = standings([*votes, vote(9, HAND, FEW, "right")], known, base=FEW)
    assert (six.wins, six.losses, six.ahead) == (6, 0, "one")
    (other,) = standings([*votes, vote(9, HAND, FEW, "right")], known, base=HAND)
    assert (other.wins, other.losses, other.ahead) == (0, 6, "other")


def test_settings_that_a_later_version_adds_do_not_split_the_votes() -> None:
    older = {key: value for key, value in FEW.values.items() if key != "rewrite"}

    def told(fingerprint: str) -> dict[str, object]:
        return older if fingerprint == "older" else known(fingerprint)

    before = replace(vote(1, FEW, HAND, "left"), left_settings="older")
    (standing,) = standings([before, vote(2, HAND, FEW, "right")], told, base=FEW)
    assert (standing.one, standing.wins, standing.losses) == (FEW.fingerprint, 2, 0)


def test_what_both_have_in_common_tells_pairs_apart() -> None:
    pairs = [(Settings(k=1), Settings(k=2)), (Settings(k=1, rerank="late"), Settings(k=2, rerank="late"))]
    settings = {side.fingerprint: side.values for pair in pairs for side in pair}
    votes = [vote(n, *pair, "left") for n, pair in enumerate(pairs)]
    found = standings(votes, settings.__getitem__)
    assert [standing.shared for standing in found] == [{}, {"rerank": "late"}]
    assert {tuple(standing.differing) for standing in found} == {("k",)}


def test_votes_between_settings_that_are_not_known_still_count() -> None:
    (standing,) = standings([vote(1, HAND, FEW, "left")], lambda _: {})
    assert (standing.votes, standing.decided, standing.differing) == (1, 1, {})


def test_ties_alone_have_no_share() -> None:
    (standing,) = standings([vote(1, HAND, FEW, "tie")], known)
    assert (standing.share, standing.low, standing.high, standing.ahead) == (None, 0.0, 1.0, None)


@pytest.mark.parametrize(
    ("wins", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.3085),  # 1 - 0.025 ** (1 / 10)
        (5, 5, 0.4782, 1.0),  # 0.025 ** (1 / 5)
        (8, 10, 0.4439, 0.9748),  # Clopper and Pearson's own tables: 0.44, 0.97
        (50, 100, 0.3983, 0.6017),
        (0, 0, 0.0, 1.0),
    ],
)
def test_the_interval_is_the_exact_one(wins: int, n: int, low: float, high: float) -> None:
    assert exact_interval(wins, n) == pytest.approx((low, high), abs=5e-5)


def test_the_interval_covers_what_it_says() -> None:
    for n in (4, 9, 20):
        intervals = [exact_interval(wins, n) for wins in range(n + 1)]
        for p in (0.1, 0.35, 0.5, 0.8):
            chances = [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
            within = zip(chances, intervals, strict=True)
            covered = sum(chance for chance, (low, high) in within if low <= p <= high)
            assert covered >= 0.95


def test_a_key_that_only_one_of_them_has_differs() -> None:
    assert differing({"k": 5}, {"k": 5, "new": 1}) == {"new": (None, 1)}
