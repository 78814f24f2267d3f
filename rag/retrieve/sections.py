"""Small to big: the sections of the best sentences, and the evidence inside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.config import Settings
from rag.retrieve.rank import CountTokens, KeywordSearch, Ranked, VectorSearch, add_cosines, join
from rag.retrieve.signals import z
from rag.types import IndexedChunk, Passage, Sentence
from rag.words import expected


def best_sections(
    question: str,
    vector: NDArray[np.float32],
    ranked: Sequence[Ranked],
    chunks: VectorSearch,
    keywords: KeywordSearch,
    count_tokens: CountTokens,
    settings: Settings,
    *,
    learned: bool = False,
) -> list[Passage]:
    """``settings.k`` passages, best first: each the best window of a section's chunks.

    A window has at most ``settings.passage_tokens`` tokens, unless its one best chunk
    has more. No two passages share a section. Each carries its sentences with a score of
    their own for the question: the one they were ranked by where the weights are ``learned``.
    """
    tops: list[Ranked] = []
    seen: set[tuple[str, int, int]] = set()
    for r in ranked:
        place = (r.chunk.document_id, r.chunk.section.start, r.chunk.section.end)
        if place not in seen:
            seen.add(place)
            tops.append(r)
            if len(tops) == settings.k:
                break
    sections = _whole_sections(tops, chunks)
    known = {r.chunk.id: r for r in ranked}
    members = [c.chunk.id for run in sections for c in run]
    cosine = {i: known[i].cosine for i in members if i in known}
    add_cosines(cosine, [i for i in members if i not in cosine], vector, chunks)
    limit = settings.passage_tokens
    # Most sections fit as they are; the sentences are counted one by one only of those that do not.
    whole = count_tokens([_text(run) for run in sections]) if sections else []
    long = [run for run, tokens in zip(sections, whole, strict=True) if tokens > limit and len(run) > 1]
    counted = [c.chunk.id for run in long for c in run]
    lengths = dict(zip(counted, _lengths(long, count_tokens), strict=True))
    if learned:
        lowest = min((r.score for r in ranked), default=0.0)
        scores = {i: known[i].score if i in known else lowest for i in members}
    else:
        bm25 = keywords.scores(question, members, field="own") if members else {}
        scores = _evidence(question, tops, sections, cosine, bm25, known)
    passages = []
    for top, run in zip(tops, sections, strict=True):
        is_long = run[0].chunk.id in lengths
        kept = _best_window(run, top.chunk.n, scores, lengths, limit) if is_long else run
        # Counts of parts need not add up to the count of the whole under every tokenizer.
        while is_long and len(kept) > 1 and count_tokens([_text(kept)])[0] > limit:
            ends = [c for c in (kept[0], kept[-1]) if c.chunk.n != top.chunk.n]
            worst = min(ends, key=lambda c: scores[c.chunk.id])
            kept = [c for c in kept if c is not worst]
        passages.append(_passage(top, kept, run, scores, cosine))
    return passages


def _whole_sections(tops: Sequence[Ranked], chunks: VectorSearch) -> list[list[IndexedChunk]]:
    """For each sentence, the unbroken run of its section's chunks around it."""
    runs: list[list[IndexedChunk]] = [[top.found] for top in tops]
    known = chunks.sections([top.chunk.id for top in tops])
    if all(top.chunk.id in known for top in tops):
        members = [[f"{top.chunk.document_id}:{n}" for n in known[top.chunk.id]] for top in tops]
        found = chunks.get([i for ids in members for i in ids])
        whole = [
            [found[i] for i in ids if i in found and found[i].chunk.section == top.chunk.section]
            for top, ids in zip(tops, members, strict=True)
        ]
        # What was written over a moment ago may be gone.
        is_there = [any(c.chunk.n == top.chunk.n for c in run) for top, run in zip(tops, whole, strict=True)]
        return [run if there else [top.found] for top, run, there in zip(tops, whole, is_there, strict=True)]
    open_ends = {(row, step) for row in range(len(tops)) for step in (-1, 1)}
    reach = 6  # most sections have fewer chunks; longer ones are fetched in a second round
    while open_ends:
        asked: dict[tuple[int, int], list[str]] = {}
        for row, step in open_ends:
            edge = runs[row][0 if step < 0 else -1].chunk
            numbers = range(edge.n + step, edge.n + step * (reach + 1), step)
            asked[row, step] = [f"{edge.document_id}:{n}" for n in numbers if n >= 0]
        records = chunks.get(list(dict.fromkeys(i for ids in asked.values() for i in ids)))
        open_ends = set()
        for (row, step), ids in asked.items():
            for chunk_id in ids:
                record = records.get(chunk_id)
                if record is None or record.chunk.section != tops[row].chunk.section:
                    break
                runs[row].insert(0 if step < 0 else len(runs[row]), record)
            else:
                if ids:
                    open_ends.add((row, step))
        reach *= 4
    return runs


def _lengths(sections: Sequence[Sequence[IndexedChunk]], count_tokens: CountTokens) -> list[int]:
    texts = [c.chunk.text + c.chunk.gap for run in sections for c in run]
    return count_tokens(texts) if texts else []


def _evidence(
    question: str,
    tops: Sequence[Ranked],
    sections: Sequence[Sequence[IndexedChunk]],
    cosine: Mapping[str, float],
    bm25: Mapping[str, float],
    known: Mapping[str, Ranked],
) -> dict[str, float]:
    """How well each sentence of the passages answers by itself.

    The weights were fitted (softmax over the sentences of a question) on SQuAD and held on
    XQuAD, the other way round, and on one half of SQuAD's articles against the other; each
    time more first sentences with the answer were found than with equal weights, on what
    had not been fitted on. tests/benchmarks/quality.py prints what they give.
    """
    rows = [(run_at, c.chunk) for run_at, run in enumerate(sections) for c in run]
    if not rows:
        return {}
    lowest = min(r.score for r in known.values())
    signals = (
        (0.93, z(cosine.get(chunk.id, 0.0) for _, chunk in rows)),
        (0.80, z(bm25.get(chunk.id, 0.0) for _, chunk in rows)),
        (0.98, z(known[chunk.id].score if chunk.id in known else lowest for _, chunk in rows)),
        (0.40, z(tops[run_at].score for run_at, _ in rows)),
        # A longer sentence says more; past about 300 characters it only dilutes.
        (0.37, z(min(len(chunk.text), 300) for _, chunk in rows)),
    )
    total = sum((weight * values for weight, values in signals), np.zeros(len(rows)))
    kind = expected(question)
    if kind is not None:
        total += [kind.worth * bool(kind.answers.search(chunk.text)) for _, chunk in rows]
    return {chunk.id: float(value) for (_, chunk), value in zip(rows, total, strict=True)}


def _best_window(
    run: Sequence[IndexedChunk],
    centre: int,
    scores: Mapping[str, float],
    lengths: Mapping[str, int],
    limit: int,
) -> Sequence[IndexedChunk]:
    """The run of chunks around chunk number ``centre`` that fits, grown to the better side."""
    low = high = next(at for at, c in enumerate(run) if c.chunk.n == centre)
    used = lengths[run[low].chunk.id]
    while True:
        sides = [at for at in (low - 1, high + 1) if 0 <= at < len(run)]
        sides = [at for at in sides if used + lengths[run[at].chunk.id] <= limit]
        if not sides:
            return run[low : high + 1]
        at = max(sides, key=lambda at: scores[run[at].chunk.id])
        used += lengths[run[at].chunk.id]
        low, high = min(low, at), max(high, at)


def _passage(
    top: Ranked,
    kept: Sequence[IndexedChunk],
    run: Sequence[IndexedChunk],
    scores: Mapping[str, float],
    cosine: Mapping[str, float],
) -> Passage:
    return Passage(
        document_id=top.chunk.document_id,
        source=top.found.source,
        title=top.found.title,
        start=kept[0].chunk.start,
        end=kept[-1].chunk.end,
        text=_text(kept),
        score=top.score,
        scorer="fused",
        metadata=top.found.metadata,
        path=top.chunk.section.path,
        page=top.chunk.section.page,
        context=_text(run),
        context_start=run[0].chunk.start,
        sentences=tuple(
            Sentence(
                c.chunk.start,
                c.chunk.end,
                scores[c.chunk.id],
                cosine.get(c.chunk.id, 0.0),
                c.chunk.kind,
            )
            for c in kept
        ),
    )


def _text(run: Sequence[IndexedChunk]) -> str:
    return join([c.chunk for c in run])
