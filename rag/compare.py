"""Two settings on one question, side by side and blind: asked, voted on, and counted.

Which answer stands left is drawn by chance for every question and is on disk before anyone
sees it. A pair is only made of two answers that were made as their settings say: where a
re-ranker or a model was out of reach, the reader is told and there is nothing to vote on.
"""

from __future__ import annotations

import json
import math
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal, Protocol

from rag.answering import UNAVAILABLE as NOT_WRITTEN
from rag.config import Settings
from rag.errors import ThumbprintError, UsageError
from rag.generators.prompt import DEFAULT, FOLDER
from rag.ingest import Progress
from rag.library import Library
from rag.prepare import Preparation
from rag.prototypes import Prototype
from rag.rerankers import UNAVAILABLE as NOT_RERANKED
from rag.response import BROKE_OFF
from rag.store import Store, new_id
from rag.types import Answer, Preference

CONFIDENCE = 0.95
_KEPT = 200
"""Comparisons of this process that are remembered until both answers are stored."""
_ANSWERS = "{passages}"
"""What a prompt holds that answers; others rewrite a question, or read filters from it."""


class Written(Protocol):
    """What an engine answers with; reading ``answer`` writes and stores it."""

    @property
    def answer(self) -> Answer: ...


class Asks(Protocol):
    """What of an engine is needed to compare."""

    @property
    def store(self) -> Store: ...

    def beside(self, name: str, settings: Settings, progress: Progress | None = None) -> Library | None: ...

    def ask(self, name: str, question: str, **options: object) -> Written: ...


# --- asking -------------------------------------------------------------------


class Trial:
    """One question being asked twice, in the background. ``preparation`` tells how far it is."""

    def __init__(self, engine: Asks, prototype: str, question: str, one: Settings, other: Settings) -> None:
        self.pair = new_id()
        self.prototype = prototype
        self.question = question
        self.settings = (one, other)
        self.asking = False
        """Whether the indexes are there and both answers are being written."""
        self._engine = engine
        self.preparation = Preparation(self._run)

    def _run(self, progress: Progress) -> None:
        besides = [self._engine.beside(self.prototype, settings, progress) for settings in self.settings]
        self.asking = True
        with ThreadPoolExecutor(len(besides), thread_name_prefix="compare") as pool:
            answers = list(pool.map(self._answer, "AB", self.settings, besides))
        random.SystemRandom().shuffle(answers)
        left, right = answers
        # Nobody has chosen yet, and the order is drawn and kept before anyone sees it.
        self._engine.store.preferences.add(self.pair, left.id, right.id, None)

    def _answer(self, side: str, settings: Settings, beside: Library | None) -> Answer:
        try:
            answer = self._engine.ask(
                self.prototype,
                self.question,
                settings=settings,
                origin="compare",
                beside=beside,
                accepted=None,
            ).answer
        except ThumbprintError as error:
            raise UsageError(f"Under {side}: {error}") from error
        for notice in answer.notices:
            if notice.startswith(NOT_WRITTEN):
                raise UsageError(f"Under {side}, no model could write it. {notice.removeprefix(NOT_WRITTEN)}")
            if notice.startswith(BROKE_OFF):
                raise UsageError(f"Under {side}: {notice.removeprefix(BROKE_OFF)}")
        if NOT_RERANKED in answer.notices:
            raise UsageError(f"Under {side}, the re-ranker could not be reached. Try again in a minute.")
        return answer


class Trials:
    """The comparisons of this process, by pair."""

    def __init__(self) -> None:
        self._known: dict[str, Trial] = {}
        self._lock = threading.Lock()

    def begin(self, engine: Asks, prototype: str, question: str, one: Settings, other: Settings) -> Trial:
        """Ask a question under two settings; returns at once.

        Raises :class:`UsageError` where there is nothing to ask or to compare.
        """
        question = question.strip()
        if not question:
            raise UsageError("Write a question first.")
        if one == other:
            raise UsageError("A and B are the same. Change a setting of one of them.")
        trial = Trial(engine, prototype, question, one, other)
        with self._lock:
            self._known[trial.pair] = trial
            for old in list(self._known)[:-_KEPT]:
                del self._known[old]
        trial.preparation.start()
        return trial

    def of(self, pair: str | None) -> Trial | None:
        """The comparison of that pair, if this process knows it."""
        with self._lock:
            return self._known.get(pair or "")


def prompts(prototype: Prototype) -> list[str]:
    """The prompts that may answer: those that come with the program and the prototype's own."""
    places = (FOLDER, prototype.folder / "prompts")
    paths = [path for place in places for path in sorted(place.glob("*.md"))]
    names = {path.stem for path in paths if _ANSWERS in path.read_text(encoding="utf-8", errors="replace")}
    return sorted(names, key=lambda name: (name != DEFAULT, name))


# --- counting -----------------------------------------------------------------


Values = Mapping[str, object]
"""Settings by their stable keys."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What was voted between two settings. ``one`` and ``other`` are their latest fingerprints.

    ``differing`` are the keys whose values differ, with both values, in the order of the two;
    ``shared`` those in which both differ from the settings they are seen from.
    ``share`` is the share of ``one`` in the votes that decided for either, ``low`` and ``high``
    its 95 % interval (:func:`exact_interval`); None where there is none. ``left`` counts
    votes for the answer on the left, whichever settings it had. ``questions`` are the
    different ones among all votes.
    """

    one: str
    other: str
    differing: Mapping[str, tuple[object, object]] = field(default_factory=dict)
    shared: Values = field(default_factory=dict)
    wins: int = 0
    losses: int = 0
    ties: int = 0
    neither: int = 0
    left: int = 0
    questions: int = 0
    share: float | None = None
    low: float = 0.0
    high: float = 1.0

    @property
    def votes(self) -> int:
        return self.wins + self.losses + self.ties + self.neither

    @property
    def decided(self) -> int:
        """Votes for one of the two."""
        return self.wins + self.losses

    @property
    def ahead(self) -> Literal["one", "other"] | None:
        """Who is ahead; None while the interval holds one half."""
        if self.share is None or self.low <= 0.5 <= self.high:
            return None
        return "one" if self.share > 0.5 else "other"


def standings(
    preferences: Iterable[Preference], settings: Callable[[str], Values], base: Settings | None = None
) -> list[Standing]:
    """The votes by pair of settings, the pair with the most of them first.

    ``settings`` says what a fingerprint stands for (:meth:`rag.store.Store.settings`). Settings
    count as the same where all their values are, one that came with a later version at its
    default. Of each pair, ``one`` are those of ``base``, where they are among the two.
    """
    defaults = Settings().values
    ground = (base or Settings()).values
    values: dict[str, Values] = {}
    pairs: dict[tuple[str, str], list[Preference]] = {}

    def identity(fingerprint: str) -> str:
        known = settings(fingerprint)
        whole = {**defaults, **known} if known else {}
        name = json.dumps(whole, sort_keys=True, ensure_ascii=False) if known else fingerprint
        values[name] = whole
        return name

    ours = json.dumps(ground, sort_keys=True, ensure_ascii=False)
    for preference in preferences:
        if preference.choice is None:
            continue
        sides = {identity(preference.left_settings), identity(preference.right_settings)}
        if len(sides) == 2:
            one, other = sorted(sides, key=lambda name: (name != ours, name))
            pairs.setdefault((one, other), []).append(preference)
    found = [
        _standing(
            votes, [identity(vote.left_settings) == one for vote in votes], values[one], values[other], ground
        )
        for (one, other), votes in pairs.items()
    ]
    return sorted(found, key=lambda standing: -standing.votes)


def _standing(
    votes: Sequence[Preference], one_left: Sequence[bool], one: Values, other: Values, ground: Values
) -> Standing:
    """``one_left`` says of each vote whether the answer of ``one`` stood left."""
    choices = Counter(vote.choice for vote in votes)
    wins = sum(
        vote.choice == ("left" if left else "right") for vote, left in zip(votes, one_left, strict=True)
    )
    decided = choices["left"] + choices["right"]
    low, high = exact_interval(wins, decided)
    newest = votes[-1]
    sides = (newest.left_settings, newest.right_settings)
    apart = differing(one, other)
    return Standing(
        *(sides if one_left[-1] else sides[::-1]),
        differing=apart,
        shared={key: value for key, value in one.items() if key not in apart and value != ground.get(key)},
        wins=wins,
        losses=decided - wins,
        ties=choices["tie"],
        neither=choices["neither"],
        left=choices["left"],
        questions=len({vote.question for vote in votes}),
        share=wins / decided if decided else None,
        low=low,
        high=high,
    )


def differing(one: Values, other: Values) -> dict[str, tuple[object, object]]:
    """The keys whose values differ, with both values."""
    keys = [*one, *(key for key in other if key not in one)]
    return {key: (one.get(key), other.get(key)) for key in keys if one.get(key) != other.get(key)}


def exact_interval(wins: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The interval of a share by Clopper and Pearson; (0, 1) where nothing was counted.

    Clopper and Pearson 1934, "The use of confidence or fiducial limits illustrated in the case
    of the binomial": the shares under which neither as few wins nor as many would be rarer
    than (1 - confidence) / 2. It never covers less than it says, however few votes there
    are, which Wilson's does: four wins of four would pass there for a difference.
    """
    if not 0 <= wins <= n:
        raise UsageError(f"There are {wins} wins among {n} votes.")
    tail = (1 - confidence) / 2
    low = 0.0 if wins == 0 else _solve(lambda p: 1 - _at_most(wins - 1, n, p) - tail)
    high = 1.0 if wins == n else _solve(lambda p: tail - _at_most(wins, n, p))
    return low, high


def _at_most(k: int, n: int, p: float) -> float:
    """Chance of at most ``k`` wins in ``n``, each of chance ``p`` in (0, 1)."""
    logs = (
        math.lgamma(n + 1)
        - math.lgamma(i + 1)
        - math.lgamma(n - i + 1)
        + i * math.log(p)
        + (n - i) * math.log1p(-p)
        for i in range(k + 1)
    )
    return math.fsum(map(math.exp, logs))


def _solve(rising: Callable[[float], float]) -> float:
    """Where a function that rises over (0, 1) is 0, to twelve digits."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return (low + high) / 2
