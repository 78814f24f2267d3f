"""Re-ranking: a second look at the candidates that the search found, dearer and better.

``late`` uses the embedding model's token vectors, ``cross`` a cross-encoder, ``cohere`` the
Rerank API; each is a :class:`rag.types.Reranker`. What one cannot do raises
:class:`rag.errors.RerankError`, and the caller goes on with the order that it had.
"""

from rag.rerank.cross import DEFAULT_CROSS_MODEL, CrossEncoderReranker
from rag.rerank.late import LateReranker
from rag.rerank.remote import DEFAULT_COHERE_MODEL, CohereReranker

__all__ = [
    "DEFAULT_COHERE_MODEL",
    "DEFAULT_CROSS_MODEL",
    "CohereReranker",
    "CrossEncoderReranker",
    "LateReranker",
]
