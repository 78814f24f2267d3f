"""The chunks in Chroma: write, search, filter, and rebuild documents from them."""

from rag.index.client import ChromaClient, Listed, open_client
from rag.index.collection import ChunkIndex
from rag.index.layout import collection_name, is_of

__all__ = ["ChromaClient", "ChunkIndex", "Listed", "collection_name", "is_of", "open_client"]
