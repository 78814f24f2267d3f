"""Embedding models behind an API: ``openai:NAME`` (and every compatible server), ``cohere:NAME``.

They give one vector a text and no token vectors, so every sentence is embedded with its
neighbours, by itself. Nor do they give a tokenizer: tokens are counted by that of the default
model, which is near enough for cutting sections and filling budgets.
"""

from __future__ import annotations

import os
import weakref
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rag.config import Embedding
from rag.embed.pooling import PoolingEmbedder, unit
from rag.embed.session import load_tokenizer
from rag.errors import ModelError
from rag.types import Vectors

T = TypeVar("T")

PREFIXES = ("openai:", "cohere:")

_TIMEOUT = 30.0
"""Seconds for one request of an ingest; a question waits for ``_QUESTION_TIMEOUT``."""
_QUESTION_TIMEOUT = 10.0
_RETRIES = 4
"""By the SDKs, after 408, 409, 429 and 5xx, waiting longer each time: half a minute in all."""
_QUESTION_RETRIES = 2

_MAX_CHARS = 4_000
"""Of one text. OpenAI's models read 8,192 tokens, and no character of any script takes more than
two of them on average; a longer sentence is cut."""
_BATCH_CHARS = 100_000
"""Of one request: OpenAI takes 300,000 tokens."""
_OPENAI_BATCH = 256  # it takes 2,048; a request of a few hundred is soon answered and soon repeated
_COMPATIBLE_BATCH = 32  # what text-embeddings-inference takes unless it is told otherwise
_COHERE_BATCH = 96  # its limit


class RemoteEmbedder(PoolingEmbedder):
    """What the services share: batches, checks of what comes back, and errors in a sentence."""

    backend = "a service"
    max_tokens = _MAX_CHARS // 4
    pools_late = False
    who: str
    key_name: str
    batch: int

    def __init__(self, wanted: Embedding) -> None:
        self.name = wanted.model
        self.model = wanted.model.partition(":")[2]
        self.document_prompt = wanted.document_prompt
        self._query_prompt = wanted.query_prompt
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        self.tokenizer = load_tokenizer()

    def _close_at_end(self, client: Any) -> None:
        """The connection is kept between questions, and goes when nothing refers to this any more."""
        weakref.finalize(self, client.__exit__, None, None, None)

    @abstractmethod
    def _request(self, texts: Sequence[str], *, question: bool) -> list[Any]:
        """One call of the service: a list of numbers for each text, in order."""

    @cached_property
    def dimensions(self) -> int:  # type: ignore[override]  # found out from the first call
        return len(self.embed_query("dimensions"))

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """One question: shape ``(d,)``, unit length. Raises :class:`ModelError`."""
        row: NDArray[np.float32] = self._call([self._query_prompt + text], question=True)[0]
        return row

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Each text as a whole; shape ``(n, d)``. Raises :class:`ModelError`."""
        if not texts:
            return np.zeros((0, self.dimensions), np.float32)
        batches = _batches(self._prompted(texts), self.batch)
        return np.vstack([self._call(batch, question=False) for batch in batches])

    def _each(self, texts: Sequence[str], use: Callable[[int, Any, NDArray[np.float32]], T]) -> list[T]:
        raise ModelError(f"“{self.name}” gives no token vectors.")

    def _call(self, texts: Sequence[str], *, question: bool) -> Vectors:
        # An empty text is refused everywhere.
        sent = [text[:_MAX_CHARS] if text.strip() else "-" for text in texts]
        try:
            rows = self._request(sent, question=question)
            vectors = np.array(rows, np.float32)
        except Exception as error:
            # The SDKs raise their own errors, those of their transport, and TypeError or
            # AttributeError where a page of HTML came with status 200.
            raise ModelError(self._sentence(error)) from None
        known = self.__dict__.get("dimensions", vectors.shape[-1])
        if vectors.ndim != 2 or vectors.shape != (len(texts), known) or not known:
            raise ModelError(
                f"{self.who} sent {len(rows)} embeddings for {len(texts)} texts, or some of another length. "
                "Check the model's name and the server's address."
            )
        if not np.isfinite(vectors).all() or not np.abs(vectors).max(axis=1).all():
            raise ModelError(f"{self.who} sent embeddings that point nowhere. Choose another model.")
        self.__dict__["dimensions"] = known
        return unit(vectors)

    def _sentence(self, error: Exception) -> str:
        """What happened and what to do; never the service's own words, which may hold a key."""
        status, kind = getattr(error, "status_code", None), type(error).__name__
        if status in (401, 403):
            return f"{self.who} refused the key. Check {self.key_name} and try again."
        if status == 404:
            return f"{self.who} does not know “{self.model}”. Check embedding.model and the server's address."
        if status == 429:
            return (
                f"{self.who} is being asked too much, or its quota is used up. Wait a minute and try again."
            )
        if status == 408 or "Timeout" in kind:
            return f"{self.who} did not answer in time. Try again in a minute."
        if isinstance(status, int) and status >= 500:
            return f"{self.who} has a problem of its own (error {status}). Try again in a minute."
        if isinstance(status, int) and status >= 400:
            return f"{self.who} refused the request (error {status}). Check embedding.model."
        if "Connect" in kind or "Network" in kind or "Protocol" in kind:
            return f"{self.who} cannot be reached. Check the network and the server's address."
        return f"{self.who} sent something that is no embedding ({kind}). Check the server's address."


class OpenAIEmbedder(RemoteEmbedder):
    """``openai:NAME`` at OpenAI, or at the compatible server that ``base_url`` names."""

    def __init__(self, wanted: Embedding, *, key: str | None, base_url: str | None) -> None:
        super().__init__(wanted)
        if not key and not base_url:
            raise ModelError(f"“{self.name}” needs OPENAI_API_KEY, or OPENAI_BASE_URL. Set one of them.")
        from openai import OpenAI

        self.who = "The model server" if base_url else "OpenAI"
        self.key_name = "OPENAI_API_KEY"
        self.batch = _COMPATIBLE_BATCH if base_url else _OPENAI_BATCH
        # A compatible server may need no key, but the SDK does.
        self._client = OpenAI(
            api_key=key or "none", base_url=base_url, timeout=_TIMEOUT, max_retries=_RETRIES
        )
        self._close_at_end(self._client)
        self._asking = self._client.with_options(timeout=_QUESTION_TIMEOUT, max_retries=_QUESTION_RETRIES)

    def _request(self, texts: Sequence[str], *, question: bool) -> list[Any]:
        client = self._asking if question else self._client
        # Without a format the SDK asks for base64, which not every compatible server knows.
        reply = client.embeddings.create(model=self.model, input=list(texts), encoding_format="float")
        return [item.embedding for item in sorted(reply.data, key=lambda item: item.index)]


class CohereEmbedder(RemoteEmbedder):
    """``cohere:NAME``; questions and documents are told apart by ``input_type``."""

    def __init__(self, wanted: Embedding, *, key: str | None, base_url: str | None) -> None:
        super().__init__(wanted)
        if not key:
            raise ModelError(f"“{self.name}” needs COHERE_API_KEY. Set it.")
        from cohere import ClientV2

        self.who, self.key_name, self.batch = "Cohere", "COHERE_API_KEY", _COHERE_BATCH
        self._client = ClientV2(api_key=key, base_url=base_url, timeout=_TIMEOUT)
        self._close_at_end(self._client)

    def _request(self, texts: Sequence[str], *, question: bool) -> list[Any]:
        timeout, retries = (_QUESTION_TIMEOUT, _QUESTION_RETRIES) if question else (_TIMEOUT, _RETRIES)
        reply = self._client.embed(
            model=self.model,
            texts=list(texts),
            input_type="search_query" if question else "search_document",
            embedding_types=["float"],
            request_options={"timeout": timeout, "max_retries": retries},
        )
        return list(reply.embeddings.float_ or [])


def _batches(texts: Sequence[str], limit: int) -> Iterator[list[str]]:
    """The texts in order, at most ``limit`` of them and ``_BATCH_CHARS`` characters at a time."""
    batch: list[str] = []
    chars = 0
    for text in texts:
        size = min(len(text), _MAX_CHARS)
        if batch and (len(batch) == limit or chars + size > _BATCH_CHARS):
            yield batch
            batch, chars = [], 0
        batch.append(text)
        chars += size
    if batch:
        yield batch
