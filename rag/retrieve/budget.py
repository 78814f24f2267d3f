"""Small to big: the best sentences that fit a budget of tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rag.retrieve.rank import CountTokens, Ranked, join
from rag.types import Passage, Sentence


def fill_budget(
    ranked: Sequence[Ranked], count_tokens: CountTokens, budget: int, token_offsets: Any = None
) -> list[Passage]:
    """The best text within ``budget`` tokens: merged spans, ordered by their best sentence.

    Sentences are taken in order of score while they fit; a gap of one sentence between
    two that are taken is bridged. The tokens of all spans together never exceed the
    budget. Where not even one sentence fits, the beginning of the best one is taken,
    cut by ``token_offsets`` (text -> the character span of each token).
    """
    by_place = {(r.chunk.document_id, r.chunk.n): r for r in ranked}
    tokens = dict(zip(by_place, count_tokens([r.chunk.text for r in by_place.values()]), strict=True))
    gaps = dict(zip(by_place, count_tokens([r.chunk.gap for r in by_place.values()]), strict=True))
    taken: set[tuple[str, int]] = set()
    used = 0

    def cost(places: Sequence[tuple[str, int]]) -> int:
        """Tokens that taking these adds, with the gaps that then stand inside a span."""
        new = set(places)
        inside = [
            (document, n)
            for document, n in {(d, n + step) for d, n in new for step in (-1, 0)}
            if {(document, n), (document, n + 1)} <= taken | new and (document, n) in gaps
        ]
        return sum(tokens[p] for p in new) + sum(gaps[p] for p in inside)

    for r in ranked:
        document, n = place = (r.chunk.document_id, r.chunk.n)
        if place in taken:
            continue
        bridges = [
            (document, n + step)
            for step in (-1, 1)
            if (document, n + 2 * step) in taken and (document, n + step) in by_place
        ]
        for places in ([place, *(b for b in bridges if b not in taken)], [place]):
            price = cost(places)
            if used + price <= budget:
                taken.update(places)
                used += price
                break
    spans = _spans(by_place, taken)
    # Counts of parts need not add up to the count of the whole under every tokenizer.
    while spans and sum(count_tokens([p.text for p in spans])) > budget:
        taken.discard(min(taken, key=lambda place: by_place[place].score))
        spans = _spans(by_place, taken)
    if not spans and ranked and token_offsets is not None:
        spans = _beginning(ranked[0], count_tokens, budget, token_offsets)
    return spans


def _spans(by_place: Mapping[tuple[str, int], Ranked], taken: Iterable[tuple[str, int]]) -> list[Passage]:
    runs: list[list[Ranked]] = []
    for document, n in sorted(taken):
        last = runs[-1][-1].chunk if runs else None
        if last is not None and (last.document_id, last.n + 1) == (document, n):
            runs[-1].append(by_place[document, n])
        else:
            runs.append([by_place[document, n]])
    runs.sort(key=lambda run: -max(r.score for r in run))
    return [_span(run, join([r.chunk for r in run])) for run in runs]


def _span(run: Sequence[Ranked], text: str) -> Passage:
    best = max(run, key=lambda r: r.score)
    start = run[0].chunk.start
    return Passage(
        document_id=best.chunk.document_id,
        source=best.found.source,
        title=best.found.title,
        start=start,
        end=start + len(text),
        text=text,
        score=best.score,
        scorer="fused",
        metadata=best.found.metadata,
        path=best.chunk.section.path,
        page=best.chunk.section.page,
        context=text,
        context_start=start,
        sentences=tuple(
            Sentence(r.chunk.start, min(r.chunk.end, start + len(text)), r.score, r.cosine, r.chunk.kind)
            for r in run
        ),
    )


def _beginning(best: Ranked, count_tokens: CountTokens, budget: int, token_offsets: Any) -> list[Passage]:
    ends = [end for _, end in token_offsets(best.chunk.text)]
    for kept in range(min(budget, len(ends)), 0, -1):
        text = best.chunk.text[: ends[kept - 1]]
        if count_tokens([text])[0] <= budget:
            return [_span([best], text)]
    return []
