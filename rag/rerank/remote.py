"""Cohere's Rerank models, any of them, through their own SDK.

The SDK waits five minutes by default, sleeps for as long as a server asks before it tries
again, and lets transport errors through as they come. A question waits for ``timeout``
seconds in all, whatever happens, and every failure becomes one :class:`RerankError` that
holds neither the key nor what the server said.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from rag.errors import RerankError
from rag.rerank.scores import Place, finite, heading, reordered, sentence_text, shown, z
from rag.types import Passage, Scorer

DEFAULT_COHERE_MODEL = "rerank-v5.0-pro"
"""The one that the documentation in the installed SDK names."""

_RETRIES = 1
_TOP = 5
_MOST = 100
"""Documents of one request: what Cohere bills as one search."""
_VERSION = re.compile(r"\Arerank-v(\d+)")
_SPANS_SINCE = 5
"""Models from v5 on say which spans of a document are relevant (``RerankRelevantSpans``)."""

_T = TypeVar("_T")


class CohereReranker:
    """``ClientV2.rerank``; safe to share between threads.

    ``url`` is the API's address where it is not Cohere's own. Raises :class:`RerankError`
    without a key.
    """

    scorer: Scorer = "cohere"

    def __init__(
        self, api_key: str | None, model: str = "", *, url: str | None = None, timeout: float = 5.0
    ) -> None:
        if not api_key:
            raise RerankError("Cohere's re-ranker needs a key. Set COHERE_API_KEY.")
        try:
            import cohere
        except ImportError as error:
            raise RerankError(
                "Cohere's SDK is not installed. Run: pip install -r requirements.txt"
            ) from error
        self.model = model or DEFAULT_COHERE_MODEL
        self._timeout = timeout
        self._spans = cohere.RerankRelevantSpans(mode="enabled", threshold=0.0)
        try:
            self._client = cohere.ClientV2(api_key, base_url=url, timeout=timeout, client_name="thumbprint")
        except Exception as error:
            raise _failure(error) from None

    def rerank(self, question: str, passages: Sequence[Passage]) -> list[Passage]:
        """Passages by relevance (0 to 1) of each with its headings.

        The evidence is in the spans that a newer model names; an older one is asked for the
        best passages' sentences too. Where that second request fails the passages keep their
        new order, and their sentences the old one.
        """
        if not passages:
            return []
        deadline = time.monotonic() + self._timeout
        results = self._ask(question, [shown(p) for p in passages], deadline)
        scores = [score for score, _ in results]
        evidence = _from_spans(passages, [spans for _, spans in results])
        if not evidence:
            top = sorted(range(len(passages)), key=lambda at: -scores[at])[:_TOP]
            places = [(at, n) for at in top for n in range(len(passages[at].sentences))][:_MOST]
            try:
                own = self._ask(question, [sentence_text(passages[at], n) for at, n in places], deadline)
                evidence = {place: score for place, (score, _) in zip(places, own, strict=True)}
            except RerankError:
                evidence = {}
        places = list(evidence)
        both = z(evidence.values()) + z(scores[at] for at, _ in places)
        return reordered(passages, scores, dict(zip(places, both.tolist(), strict=True)), self.scorer)

    def _ask(
        self, question: str, documents: list[str], deadline: float
    ) -> list[tuple[float, list[tuple[int, int, float]]]]:
        """Of each document its score, and the spans that are relevant where the model names any."""
        if not documents:
            return []
        left = deadline - time.monotonic()
        if left <= 0:
            raise RerankError("Cohere's re-ranker did not answer in time.")
        version = _VERSION.match(self.model)
        spans = {"relevant_spans": self._spans} if version and int(version[1]) >= _SPANS_SINCE else {}
        response = _within(
            left,
            lambda: self._client.rerank(
                model=self.model,
                query=question,
                documents=documents,
                request_options={"timeout": left, "max_retries": _RETRIES},
                **spans,  # type: ignore[arg-type]
            ),
        )
        return _read(response, documents)


def _within(seconds: float, call: Callable[[], _T]) -> _T:
    """The result of ``call``, given up after so many seconds.

    A timeout of the transport begins anew with every byte and does not count the waits
    between attempts. The thread is left to end by itself, and keeps no process alive.
    """
    done: list[_T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(call())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="cohere-rerank", daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise _failure(failed[0]) from None
    if not done:
        raise RerankError("Cohere's re-ranker did not answer in time.")
    return done[0]


def _failure(error: BaseException) -> RerankError:
    """One sentence; never the error's own text, which may quote the server or the request."""
    status = getattr(error, "status_code", None)
    if status in (401, 403):
        return RerankError("Cohere refused the key. Check COHERE_API_KEY.")
    if status == 429:
        return RerankError("Cohere's limit on requests is reached. Ask again in a minute.")
    if isinstance(status, int) and status >= 500:
        return RerankError(f"Cohere's re-ranker failed (status {status}). Ask again in a minute.")
    if isinstance(status, int) and status >= 400:
        return RerankError(f"Cohere's re-ranker refused the request (status {status}). Check rerank.model.")
    return RerankError(f"Cohere's re-ranker could not be reached or read ({type(error).__name__}).")


def _read(response: Any, documents: Sequence[str]) -> list[tuple[float, list[tuple[int, int, float]]]]:
    """The results in the order of the documents; the SDK checks no types, so this does."""
    results = getattr(response, "results", None)
    found: dict[int, Any] = {}
    for result in results if isinstance(results, list) else []:
        index = getattr(result, "index", None)
        if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(documents):
            found[index] = result
    if len(found) != len(documents) or len(found) != len(results or ()):
        raise RerankError("Cohere's re-ranker gave another number of results than it was asked for.")
    scores = finite(
        (getattr(found[n], "relevance_score", None) for n in range(len(documents))), len(documents)
    )
    return [(score, _spans(found[n], len(documents[n]))) for n, score in enumerate(scores)]


def _spans(result: Any, length: int) -> list[tuple[int, int, float]]:
    spans = getattr(result, "relevant_spans", None)
    kept = []
    for span in spans if isinstance(spans, list) else []:
        start, end, score = (getattr(span, name, None) for name in ("start", "end", "score"))
        if not (isinstance(start, int) and isinstance(end, int) and isinstance(score, int | float)):
            continue
        if 0 <= start < end <= length and 0 <= score <= 1:
            kept.append((start, end, float(score)))
    return kept


def _from_spans(
    passages: Sequence[Passage], spans: Sequence[Sequence[tuple[int, int, float]]]
) -> dict[Place, float]:
    """The best span that each sentence shares, by its score and the share that they have in common.

    Sentences that no span touches are left out.
    """
    evidence: dict[Place, float] = {}
    for at, passage in enumerate(passages):
        shift = passage.start - len(heading(passage))
        for n, sentence in enumerate(passage.sentences):
            for start, end, score in spans[at]:
                common = min(end + shift, sentence.end) - max(start + shift, sentence.start)
                if common > 0:
                    share = common / min(end - start, sentence.end - sentence.start)
                    evidence[at, n] = max(evidence.get((at, n), 0.0), score * share)
    return evidence
