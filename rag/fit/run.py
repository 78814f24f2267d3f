"""Ingest, gather the signals, fit by folds, compare with the hand weights on what was held out."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.config import Settings
from rag.engine import Engine
from rag.fit.data import DataSet, Labelled, article, fold_of, read_lines, read_sets
from rag.fit.model import Flags, Matrix, fit_calibration, fit_softmax, reliability
from rag.keyword import terms
from rag.library import Library
from rag.prototypes import Prototype
from rag.rerank import LateReranker
from rag.retrieve import Candidates, Ranked, best_sections, candidates, fill_budget, measure, rank
from rag.search import topic_covered
from rag.types import Embedder, IndexedChunk, Passage, TokenVectors
from rag.weights import LATE, SIGNALS, Calibration, Weights

FOLDS = 8
BUDGETS = (200, 400, 800, 1600)
_WORSE = 0.5
"""Points that a figure may fall by: less than chance moves any of them."""

Say = Callable[[str], None]
Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a fit gives: the weights, and what they are worth on articles they were not fitted on.

    ``refused`` and ``answered`` are shares by set; ``table`` is that of :func:`reliability`.
    """

    weights: Weights
    sets: tuple[DataSet, ...]
    model: str
    hand: Figures
    learned: Figures
    late: Figures
    """With late interaction, by weights of its own."""
    error: float
    error_by_set: Figures
    table: Sequence[tuple[int, float, float]]
    refused: Figures
    answered: Figures


@dataclass(slots=True)
class _Case:
    """A question with its candidates: their signals, and which are right."""

    of: DataSet
    asked: Labelled
    found: Candidates
    signals: Matrix
    right: Flags


class _Asker:
    """One prototype, its library and the model; a question is embedded once."""

    def __init__(
        self, engine: Engine, name: str, path: Path, vectors: dict[str, NDArray[np.float32]]
    ) -> None:
        engine.ingest(name, [path])
        self.prototype: Prototype = engine.prototype(name)
        self.library: Library = engine.library(self.prototype)
        self.library.refresh()
        self.model: Embedder = engine.embedder(self.prototype.settings.embedding_model)
        self._vectors = vectors

    def vector(self, question: str) -> NDArray[np.float32]:
        if question not in self._vectors:
            self._vectors[question] = self.model.embed_query(question)
        return self._vectors[question]

    def rank(self, question: str, settings: Settings, weights: Mapping[str, float] | None) -> list[Ranked]:
        library = self.library
        return rank(
            question, self.vector(question), library.chunks, library.keywords, settings, weights=weights
        )

    def passages(
        self, question: str, ranked: Sequence[Ranked], settings: Settings, *, learned: bool
    ) -> list[Passage]:
        count = self.model.count_tokens
        if settings.budget:
            return fill_budget(ranked, count, settings.budget, self.model.token_offsets)
        library, vector = self.library, self.vector(question)
        return best_sections(
            question, vector, ranked, library.chunks, library.keywords, count, settings, learned=learned
        )


def fit(engine: Callable[[Path], Engine], data: Path, say: Say = lambda _: None) -> Fitted:
    """Fit on every set in ``data``; ``engine`` makes an engine for a temporary home. Minutes.

    The figures of the learned weights, the hand weights and the confidence are those of questions
    whose article was held out. Raises :class:`rag.errors.UsageError` for data that is none.
    """
    sets = read_sets(data)
    folds = fold_of(sets, FOLDS)
    vectors: dict[str, NDArray[np.float32]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        maker = engine(Path(temporary))
        askers: dict[str, _Asker] = {}
        cases: list[_Case] = []
        for one in sets:
            say(f"{one.name}: ingesting, and gathering signals for {len(one.questions):,} questions")
            askers[one.name] = asker = _Asker(maker, one.name, one.documents, vectors)
            cases += [_gather(asker, one, q) for q in one.questions]
        say(f"Fitting {len(SIGNALS)} weights in {FOLDS} folds of articles")
        fold = np.array([folds[case.asked.article] for case in cases])
        by_fold = [_weights([c for c, f in zip(cases, fold, strict=True) if f != k]) for k in range(FOLDS)]
        final = _weights(cases)
        say("Comparing with the hand weights")
        hand, learned = _Tally(), _Tally()
        for case, k in zip(cases, fold, strict=True):
            _judge(askers[case.of.name], case, None, hand)
            _judge(askers[case.of.name], case, by_fold[k], learned)
        say("Fitting late interaction, and comparing again")
        by_late, late = _late(askers, cases, fold, by_fold)
        say("Calibrating the confidence: every question, asked with and without its article")
        rows = _with_and_without(maker, sets, Path(temporary), by_fold, folds, vectors)
        model = next(iter(askers.values())).model.name
    return _conclude(sets, model, (final, by_late), hand.figures(), learned.figures(), late, rows)


# --- gathering ------------------------------------------------------------------


def _gather(asker: _Asker, one: DataSet, asked: Labelled) -> _Case:
    settings = _settings(asker, one)
    library, reach = asker.library, 1 if one.is_spans else 3
    found = candidates(
        asked.question,
        asker.vector(asked.question),
        library.chunks,
        library.keywords,
        settings,
        reach=reach,
    )
    right = np.array([_is_right(asked, f) for f in found.found], bool)
    return _Case(one, asked, found, measure(asked.question, found, library.keywords), right)


def _settings(asker: _Asker, one: DataSet) -> Settings:
    settings = asker.prototype.settings
    return replace(settings, budget=max(BUDGETS)) if one.is_spans else settings


def _is_right(asked: Labelled, found: IndexedChunk) -> bool:
    """Whether a sentence holds the answer, or lies for more than half of it in a span that does."""
    chunk = found.chunk
    if asked.spans:
        held = sum(max(0, min(chunk.end, high) - max(chunk.start, low)) for low, high in asked.spans)
        return found.source == asked.source and 2 * held > chunk.end - chunk.start
    return chunk.document_id == asked.document_id and any(answer in chunk.text for answer in asked.answers)


def _weights(cases: Sequence[_Case]) -> dict[str, float]:
    fitted = fit_softmax([case.signals for case in cases], [case.right for case in cases])
    return {name: round(float(value), 3) for name, value in zip(SIGNALS, fitted, strict=True)}


# --- judging --------------------------------------------------------------------


class _Tally:
    """Sums and counts under names; a figure is a mean in percent."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {}

    def add(self, name: str, value: float) -> None:
        self._values.setdefault(name, []).append(value)

    def figures(self) -> dict[str, float]:
        return {name: round(100 * float(np.mean(values)), 2) for name, values in self._values.items()}


def _judge(asker: _Asker, case: _Case, weights: Mapping[str, float] | None, tally: _Tally) -> None:
    asked, base = case.asked, asker.prototype.settings
    if case.of.is_spans:
        settings = replace(base, budget=max(BUDGETS))
        ranked = _ranked(asker, case, settings, weights)
        for budget in BUDGETS:
            settings = replace(base, budget=budget)
            # The candidates are those of the largest budget: a few more than the smaller ones look at.
            passages = asker.passages(asked.question, ranked, settings, learned=weights is not None)
            tally.add(f"{case.of.name} recall at {budget} tokens", _recall(asked, passages))
        return
    passages = asker.passages(
        asked.question, _ranked(asker, case, base, weights), base, learned=weights is not None
    )
    _tally(tally, case, passages)


def _tally(tally: _Tally, case: _Case, passages: Sequence[Passage]) -> None:
    """Count what the passages of a question that a document answers are worth."""
    asked = case.asked
    ids = [p.document_id for p in passages]
    sentences = sorted(((s.score, s, p) for p in passages for s in p.sentences), key=lambda row: -row[0])
    quotes = [p.text[s.start - p.start : s.end - p.start] for _, s, p in sentences[:2]]
    holds = [any(answer in quote for answer in asked.answers) for quote in quotes]
    tally.add(f"{case.of.name} top result right", ids[:1] == [asked.document_id])
    tally.add(f"{case.of.name} right in the first five", asked.document_id in ids[:5])
    tally.add(f"{case.of.name} best sentence holds the answer", any(holds[:1]))
    tally.add(f"{case.of.name} best two sentences hold the answer", any(holds))


# --- late interaction -------------------------------------------------------------


def _late(
    askers: Mapping[str, _Asker],
    cases: Sequence[_Case],
    fold: NDArray[np.int64],
    by_fold: Sequence[Mapping[str, float]],
) -> tuple[dict[str, float], Figures]:
    """The weights of late interaction, and what they are worth on articles that were held out.

    The passages are those that the signals' weights of the other articles put first.
    """
    rows: list[tuple[_Case, int, list[Passage], LateReranker, Matrix, Flags]] = []
    rerankers = {name: _reranker(asker) for name, asker in askers.items()}
    for case, k in zip(cases, fold.tolist(), strict=True):
        if case.of.is_spans:
            continue
        asker = askers[case.of.name]
        settings = asker.prototype.settings
        settings = replace(settings, k=max(settings.k, settings.rerank_candidates))
        ranked = _ranked(asker, case, settings, by_fold[k])
        passages = asker.passages(case.asked.question, ranked, settings, learned=True)
        places, signals = rerankers[case.of.name].signals(case.asked.question, passages)
        right = np.array([_holds(case.asked, passages[at], n) for at, n in places], bool)
        rows.append((case, k, passages, rerankers[case.of.name], signals, right))
    if not rows:
        return dict.fromkeys(LATE, 1.0), {}
    tally = _Tally()
    for k in sorted({row[1] for row in rows}):
        mix = _mix([row for row in rows if row[1] != k] or rows)
        for case, _, passages, reranker, _, _ in (row for row in rows if row[1] == k):
            found = reranker.weighed(mix).rerank(case.asked.question, passages)
            _tally(tally, case, found[: askers[case.of.name].prototype.settings.k])
    return _mix(rows), tally.figures()


def _mix(rows: Sequence[tuple[_Case, int, list[Passage], LateReranker, Matrix, Flags]]) -> dict[str, float]:
    fitted = fit_softmax([row[4] for row in rows], [row[5] for row in rows])
    return {name: round(float(value), 3) for name, value in zip(LATE, fitted, strict=True)}


def _reranker(asker: _Asker) -> LateReranker:
    """Late interaction that runs the model once over a text, however many questions find it."""
    known: dict[str, TokenVectors] = {}

    def token_vectors(texts: Sequence[str]) -> list[TokenVectors] | None:
        fresh = [text for text in dict.fromkeys(texts) if text not in known]
        made = asker.model.token_vectors(fresh) if fresh else []
        if made is None:
            return None
        known.update(zip(fresh, made, strict=True))
        return [known[text] for text in texts]

    return LateReranker(token_vectors, terms, asker.library.keywords.idf)


def _holds(asked: Labelled, passage: Passage, n: int) -> bool:
    """Whether a sentence of a passage holds the answer."""
    sentence = passage.sentences[n]
    text = passage.text[sentence.start - passage.start : sentence.end - passage.start]
    return passage.document_id == asked.document_id and any(answer in text for answer in asked.answers)


def _ranked(
    asker: _Asker, case: _Case, settings: Settings, weights: Mapping[str, float] | None
) -> list[Ranked]:
    if weights is None:
        return asker.rank(case.asked.question, settings, None)
    found = case.found
    scores = case.signals @ np.array([weights[name] for name in SIGNALS])
    ranked = [
        Ranked(f, float(score), cosine, bm25)
        for f, score, cosine, bm25 in zip(found.found, scores, found.cosine, found.bm25, strict=True)
    ]
    return sorted(ranked, key=lambda r: (-r.score, r.chunk.id))


def _recall(asked: Labelled, passages: Sequence[Passage]) -> float:
    wanted = {at for low, high in asked.spans for at in range(low, high)}
    held = {at for p in passages if p.source == asked.source for at in range(p.start, p.end)}
    return len(wanted & held) / len(wanted)


# --- the confidence ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    fold: int
    cosine: float
    coverage: float
    there: bool


def _with_and_without(
    engine: Engine,
    sets: Sequence[DataSet],
    folder: Path,
    by_fold: Sequence[Mapping[str, float]],
    folds: Mapping[str, int],
    vectors: dict[str, NDArray[np.float32]],
) -> list[_Row]:
    """Each question of a set of documents, asked once of the half of the articles that holds its
    own and once of the other half."""
    rows = []
    for one in sets:
        if one.is_spans:
            continue
        documents = read_lines(one.documents)
        half = {name: n % 2 for n, name in enumerate(sorted({article(d["id"]) for d in documents}))}
        for side in (0, 1):
            path = folder / f"{one.name}-{side}.jsonl"
            lines = [json.dumps(d) for d in documents if half[article(d["id"])] == side]
            path.write_text("\n".join(lines), encoding="utf-8")
            asker = _Asker(engine, f"{one.name}-{side}", path, vectors)
            settings = replace(asker.prototype.settings, k=1)
            for asked in one.questions:
                fold = folds[asked.article]
                ranked = asker.rank(asked.question, settings, by_fold[fold])
                first, *_ = asker.passages(asked.question, ranked, settings, learned=True)
                covered = topic_covered(asked.question, first, asker.library)
                rows.append(_Row(one.name, fold, ranked[0].cosine, covered, half[asked.article] == side))
    return rows


def _conclude(
    sets: Sequence[DataSet],
    model: str,
    fitted: tuple[Mapping[str, float], Mapping[str, float]],
    hand: Figures,
    learned: Figures,
    late: Figures,
    rows: Sequence[_Row],
) -> Fitted:
    names = np.array([row.name for row in rows])
    fold = np.array([row.fold for row in rows])
    cosine, coverage = np.array([r.cosine for r in rows]), np.array([r.coverage for r in rows])
    there = np.array([row.there for row in rows], bool)
    sure = np.zeros(len(rows))
    for k in range(FOLDS):
        out = fold == k
        if out.any():
            held_out = fit_calibration(cosine[~out], coverage[~out], there[~out])
            sure[out] = _probability(held_out, cosine[out], coverage[out])
    calibration = fit_calibration(cosine, coverage, there)
    error, table = reliability(sure, there)
    answers = sure >= calibration.threshold
    each = {name: names == name for name in dict.fromkeys(row.name for row in rows)}
    better = sum(learned.values()) > sum(hand.values())
    worse = [name for name in hand if learned[name] < hand[name] - _WORSE]
    return Fitted(
        weights=Weights(fitted[0], calibration, "learned" if better and not worse else "hand", fitted[1]),
        sets=tuple(sets),
        model=model,
        hand=hand,
        learned=learned,
        late=late,
        error=error,
        error_by_set={name: reliability(sure[m], there[m])[0] for name, m in each.items()},
        table=table,
        refused={name: float(np.mean(~answers[m & ~there])) for name, m in each.items()},
        answered={name: float(np.mean(answers[m & there])) for name, m in each.items()},
    )


def _probability(by: Calibration, cosine: Matrix, coverage: Matrix) -> Matrix:
    return np.asarray(1 / (1 + np.exp(-(by.cosine * cosine + by.coverage * coverage + by.bias))), np.float64)
