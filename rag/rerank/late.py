"""Late interaction: every token of the question looks for its best match in a passage.

*MaxSim* (Khattab and Zaharia, ColBERT, 2020) over the embedding model's own token vectors:
``sum_i w_i max_j q_i . d_j``, where ``w_i`` is the share of the question's idf that the word
of token ``i`` has. It needs no other weights and no network, and is computed on the fly.

It is one more signal of a sentence: the weights that it is mixed by are fitted with all the others
(``python -m rag fit DATA``) and stand with them (:mod:`rag.weights`). Where the fused order is that
of the hand weights, the mix has hand weights as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.errors import RerankError
from rag.rerank.scores import Place, with_scores, z
from rag.types import Passage, Scorer, TokenVectors, Vectors
from rag.weights import LATE
from rag.words import FUNCTION_WORDS

FUSED_WEIGHT, PASSAGE_WEIGHT, BEST_SENTENCE_WEIGHT = 0.8, 1.0, 1.0
"""The hand weights: of the z-scores of a passage's fused score, its MaxSim, and that of its best sentence."""
EVIDENCE_WEIGHT, SENTENCE_WEIGHT, PLACE_WEIGHT = 0.24, 0.61, 0.33
"""Of a sentence's own fused score, and the z-scores of its MaxSim and of its passage's new score.
Their scale says how many sentences the extractive answer quotes, whose margin is fixed."""
FUNCTION_WEIGHT = 0.5
"""What a function word counts beside its idf: in a catalogue hardly a row says "is" or "from"."""

_WORD = re.compile(r"\w+")


class LateReranker:
    """MaxSim over ``token_vectors``, weighed by ``idf`` (both of the library that was searched).

    ``terms`` gives the index terms of a word, ``idf`` the weight of each term, ``weights`` what
    each of :data:`rag.weights.LATE` counts (None for the hand weights). ``rerank`` raises
    :class:`RerankError` where the model gives no token vectors.
    """

    scorer: Scorer = "late"

    def __init__(
        self,
        token_vectors: Callable[[Sequence[str]], list[TokenVectors] | None],
        terms: Callable[[str], list[str]],
        idf: Callable[[Sequence[str]], Mapping[str, float]],
        weights: Mapping[str, float] | None = None,
    ) -> None:
        self._token_vectors = token_vectors
        self._terms = terms
        self._idf = idf
        self._mix = weights

    def weighed(self, weights: Mapping[str, float]) -> LateReranker:
        """The same under other weights."""
        return LateReranker(self._token_vectors, self._terms, self._idf, weights)

    def rerank(self, question: str, passages: Sequence[Passage]) -> list[Passage]:
        """Passages by their fused score and the MaxSim of their section and of their sentences."""
        if not passages:
            return []
        if self._mix is not None:
            places, signals = self.signals(question, passages)
            values = (signals @ [self._mix[name] for name in LATE]).tolist()
            evidence = dict(zip(places, values, strict=True))
            lowest = min(values, default=0.0)
            best = [
                max((evidence[at, n] for n in range(len(p.sentences))), default=lowest)
                for at, p in enumerate(passages)
            ]
            return with_scores(passages, best, evidence, self.scorer)
        whole, own = self._max_sims(question, passages)
        signals = np.stack([z(p.score for p in passages), z(whole), z(_best(own, passages))], axis=1)
        scores = signals @ (FUSED_WEIGHT, PASSAGE_WEIGHT, BEST_SENTENCE_WEIGHT)
        by_hand = (
            EVIDENCE_WEIGHT * np.array([passages[at].sentences[n].score for at, n in own])
            + SENTENCE_WEIGHT * z(own.values())
            + PLACE_WEIGHT * z(scores[at] for at, _ in own)
        )
        return with_scores(
            passages, scores.tolist(), dict(zip(own, by_hand.tolist(), strict=True)), self.scorer
        )

    def signals(self, question: str, passages: Sequence[Passage]) -> tuple[list[Place], NDArray[np.float64]]:
        """What each sentence of the passages is weighed by: the places, and an array ``(n, 4)``.

        The columns are those of :data:`rag.weights.LATE`. The fused score is the sentence's own, as
        it was ranked by; the others are z-scores over all sentences.
        """
        whole, own = self._max_sims(question, passages)
        best = _best(own, passages)
        columns = (
            [passages[at].sentences[n].score for at, n in own],
            z(whole[at] for at, _ in own),
            z(own.values()),
            z(best[at] for at, _ in own),
        )
        return list(own), np.column_stack(columns)

    def _max_sims(self, question: str, passages: Sequence[Passage]) -> tuple[list[float], dict[Place, float]]:
        """The MaxSim of each passage's section, and of every sentence."""
        # The question by itself, so that its vectors do not depend on what was found.
        asked = self._token_vectors([question])
        found = self._token_vectors([p.context or p.text for p in passages])
        if not asked or found is None:
            raise RerankError(
                "Late interaction needs an embedding model that averages its token vectors, which this one "
                "does not. Set rerank to none, or another embedding.model."
            )
        weights = self.weights(question, asked[0])
        sims = [asked[0].vectors @ tokens.vectors.T for tokens in found]
        own: dict[Place, float] = {}
        for at, (passage, tokens, sim) in enumerate(zip(passages, found, sims, strict=True)):
            shift = passage.context_start if passage.context else passage.start
            for n, sentence in enumerate(passage.sentences):
                inside = (tokens.offsets[:, 0] >= sentence.start - shift) & (
                    tokens.offsets[:, 1] <= sentence.end - shift
                )
                own[at, n] = max_sim(weights, sim[:, inside])
        return [max_sim(weights, sim) for sim in sims], own

    def weights(self, question: str, tokens: TokenVectors) -> NDArray[np.float64]:
        """For each token of the question the weight of the word it stands in; they add up to 1.

        A token that stands in no word (punctuation) weighs nothing, unless all do.
        """
        words = [(m.start(), m.end(), m[0]) for m in _WORD.finditer(question)]
        terms = {word: self._terms(word) for _, _, word in words}
        idf = self._idf([term for found in terms.values() for term in found])
        found = np.zeros(len(tokens.offsets))
        for row, (start, end) in enumerate(tokens.offsets):
            for first, last, word in words:
                if first < end and start < last:
                    light = FUNCTION_WEIGHT if word.casefold() in FUNCTION_WORDS else 1.0
                    weight = light * max((idf[term] for term in terms[word]), default=0.0)
                    found[row] = max(found[row], weight)
        total = found.sum()
        return found / total if total > 0 else np.full(len(found), 1 / max(1, len(found)))


def _best(own: Mapping[Place, float], passages: Sequence[Passage]) -> list[float]:
    """The highest MaxSim of each passage's sentences."""
    return [max((own[at, n] for n in range(len(p.sentences))), default=0.0) for at, p in enumerate(passages)]


def max_sim(weights: NDArray[np.float64], sims: Vectors) -> float:
    """``sum_i weights_i max_j sims_ij``; 0 where there is no token to match."""
    return float(weights @ sims.max(axis=1)) if sims.size else 0.0
