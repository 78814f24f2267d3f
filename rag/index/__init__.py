"""The chunks in Chroma: write, search, filter, and rebuild documents from them."""

from rag.index.client import ChromaClient, open_client
from rag.index.collection import ChunkIndex
from rag.index.layout import collection_name

__all__ = ["ChromaClient", "ChunkIndex", "collection_name", "open_client"]
